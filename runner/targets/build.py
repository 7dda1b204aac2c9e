"""A targets file without mistakes → `Target` records. Checks nothing: schema and rules have."""

from pathlib import Path

from runner.documents.document import Document
from runner.raw import one_of, record, sure_text
from runner.targets.model import ElementCall, ExecuteMethod, Password, Runtime, SandboxTarget, SiteTarget, Target
from runner.values import JsonObject

SANDBOX = "sandbox"


def targets(document: Document, *, beside: Path) -> dict[str, Target]:
    """Targets by name; `beside` is the folder of the targets file."""
    written = record(record(document.data).get("targets"))
    return {name: _target(name, record(fields), beside=beside) for name, fields in written.items()}


def without_file(job_file: Path) -> dict[str, Target]:
    """The targets of a job for which there is no targets file: the sandbox beside it."""
    return {SANDBOX: SandboxTarget(name=SANDBOX, folder=job_file.parent / SANDBOX)}


def _target(name: str, fields: JsonObject, *, beside: Path) -> Target:
    if "sandbox" in fields:
        return SandboxTarget(name=name, folder=beside / sure_text(fields["sandbox"]))
    return SiteTarget(
        name=name,
        url=sure_text(fields["url"]),
        runtime=one_of(Runtime, fields.get("runtime"), Runtime.NET_FRAMEWORK),
        auth=_auth(record(fields.get("auth"))),
        element_call=one_of(ElementCall, fields.get("element_call"), ElementCall.PATH),
        execute_method=one_of(ExecuteMethod, fields.get("execute_method"), ExecuteMethod.GET),
    )


def _auth(written: JsonObject) -> Password | None:
    if "username" not in written:
        return None
    return Password(username=sure_text(written["username"]), password=sure_text(written["password"]))

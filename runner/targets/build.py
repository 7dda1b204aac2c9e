"""A targets file without mistakes → `Target` records. Checks nothing: schema and rules have."""

from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from runner.foundation.problems import Problem
from runner.foundation.raw import duration, items, one_of, record, sure_text, text
from runner.foundation.values import JsonObject
from runner.reading.document import Document
from runner.service.auth import kind_of
from runner.service.auth.kind import Credentials
from runner.service.site import ElementIdPlace, ExecuteMethod, Runtime
from runner.targets.hidden import without_secrets
from runner.targets.model import Allow, Keys, Readiness, SandboxTarget, SiteTarget, Target

SANDBOX = "sandbox"
SETTLE: Final = 15.0
_PERIODS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


def targets(document: Document, *, beside: Path) -> dict[str, Target]:
    """Targets by name; `beside` is the folder of the targets file."""
    written = record(record(document.data).get("targets"))
    return {name: _target(name, record(fields), beside=beside, document=document) for name, fields in written.items()}


def without_file(job_file: Path) -> dict[str, Target]:
    """The targets of a job for which there is no targets file: the sandbox beside it."""
    return {SANDBOX: SandboxTarget(name=SANDBOX, folder=job_file.parent / SANDBOX)}


def _target(name: str, fields: JsonObject, *, beside: Path, document: Document) -> Target:
    if "sandbox" in fields:
        return _sandbox(name, fields, beside=beside, file=document.file)
    return replace(_site(name, fields, beside=beside), placed=partial(_placed, document, name))


def _placed(document: Document, name: str, problem: Problem, keys: Keys) -> Problem:
    """The problem at its place in the file, of which nothing is shown that may be a secret."""
    path = ("targets", name, *keys)
    (shown,) = without_secrets(
        [document.problem(problem.code, problem.message, path=path, hint=problem.hint)], document
    )
    return shown


def _sandbox(name: str, fields: JsonObject, *, beside: Path, file: str) -> SandboxTarget:
    return SandboxTarget(
        name=name,
        folder=beside / sure_text(fields["sandbox"]),
        runtime=one_of(Runtime, fields.get("runtime"), Runtime.NET_FRAMEWORK),
        element_call=one_of(ElementIdPlace, fields.get("element_call"), ElementIdPlace.PATH),
        execute_method=one_of(ExecuteMethod, fields.get("execute_method"), ExecuteMethod.GET),
        timeout=duration(fields.get("timeout")),
        settle=duration(fields.get("settle")) or SETTLE,
        rate=_rate(fields),
        protected=fields.get("protected") is True,
        allow=_allow(fields),
        written_in=file,
    )


def _site(name: str, fields: JsonObject, *, beside: Path) -> SiteTarget:
    return SiteTarget(
        name=name,
        url=sure_text(fields["url"]),
        runtime=one_of(Runtime, fields.get("runtime"), Runtime.NET_FRAMEWORK),
        auth=_auth(record(fields.get("auth"))),
        identity_url=text(fields, "identity_url"),
        element_call=one_of(ElementIdPlace, fields.get("element_call"), ElementIdPlace.PATH),
        execute_method=one_of(ExecuteMethod, fields.get("execute_method"), ExecuteMethod.GET),
        timeout=duration(fields.get("timeout")),
        settle=duration(fields.get("settle")) or SETTLE,
        ca_file=text(fields, "ca_file"),
        proxy=text(fields, "proxy"),
        headers=tuple((name, sure_text(value)) for name, value in record(fields.get("headers")).items()),
        rate=_rate(fields),
        protected=fields.get("protected") is True,
        plain_http=fields.get("plain_http") is True,
        allow=_allow(fields),
        ready=_readiness(fields, beside=beside),
        beside=beside,
    )


def _auth(written: JsonObject) -> Credentials | None:
    kind = kind_of(written)
    return None if kind is None else kind.credentials(**{key: sure_text(written[key]) for key in kind.keys})


def _rate(fields: JsonObject) -> float | None:
    """`5/s`, `30/m` as calls a second."""
    written = text(fields, "rate")
    if written is None:
        return None
    number, _, period = written.partition("/")
    return float(number) / _PERIODS[period]


def _allow(fields: JsonObject) -> Allow | None:
    if "allow" not in fields:
        return None
    allow = record(fields["allow"])
    return Allow(
        processes=_words(allow, "processes"), effects=_words(allow, "effects"), entities=_words(allow, "entities")
    )


def _readiness(fields: JsonObject, *, beside: Path) -> Readiness | None:
    if "ready" not in fields:
        return None
    written, otherwise = record(fields["ready"]), Readiness()
    catalogue = text(written, "catalog")
    return Readiness(
        longest=duration(written.get("for")) or otherwise.longest,
        every=duration(written.get("every")) or otherwise.every,
        catalogue=beside / catalogue if catalogue is not None else None,
    )


def _words(allow: JsonObject, key: str) -> tuple[str, ...] | None:
    """The words of `key`; an empty list allows nothing, none allows all."""
    return tuple(sure_text(word) for word in items(allow[key])) if key in allow else None

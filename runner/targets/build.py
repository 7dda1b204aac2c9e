"""A targets file without mistakes → `Target` records. Checks nothing: schema and rules have."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from runner.foundation.problems import Problem
from runner.foundation.raw import duration, items, record, sure_text
from runner.foundation.values import Json, JsonObject
from runner.reading.document import Document
from runner.service.auth import kind_of
from runner.service.auth.kind import Credentials
from runner.service.site import ElementIdPlace, ExecuteMethod, Runtime
from runner.targets.hidden import without_secrets
from runner.targets.model import Allow, Keys, Readiness, SandboxTarget, SiteTarget, Target

SANDBOX = "sandbox"
_PERIODS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


def targets(document: Document, *, beside: Path) -> dict[str, Target]:
    """Targets by name; `beside` is the folder of the targets file."""
    written = record(record(document.data).get("targets"))
    return {name: _target(name, record(fields), beside=beside, document=document) for name, fields in written.items()}


def without_file(job_file: Path) -> dict[str, Target]:
    """The targets of a job for which there is no targets file: the sandbox beside it."""
    return {SANDBOX: SandboxTarget(name=SANDBOX, folder=job_file.parent / SANDBOX)}


def _target(name: str, fields: JsonObject, *, beside: Path, document: Document) -> Target:
    found = {key: _READ[key](value) for key, value in fields.items() if key in _READ}
    if SANDBOX in fields:
        known = {key: value for key, value in found.items() if key in SandboxTarget.__struct_fields__}
        folder = beside / sure_text(fields[SANDBOX])
        return SandboxTarget(name=name, folder=folder, written_in=document.file, **known)
    ready = _readiness(record(fields["ready"]), beside=beside) if "ready" in fields else None
    return SiteTarget(name=name, ready=ready, beside=beside, placed=partial(_placed, document, name), **found)


def _placed(document: Document, name: str, problem: Problem, keys: Keys) -> Problem:
    """The problem at its place in the file, of which nothing is shown that may be a secret."""
    path = ("targets", name, *keys)
    (shown,) = without_secrets(
        [document.problem(problem.code, problem.message, path=path, hint=problem.hint)], document
    )
    return shown


def _auth(written: Json) -> Credentials | None:
    auth = record(written)
    kind = kind_of(auth)
    return None if kind is None else kind.credentials(**{key: sure_text(auth[key]) for key in kind.keys})


def _rate(written: Json) -> float:
    """`5/s`, `30/m` as calls a second."""
    number, _, period = sure_text(written).partition("/")
    return float(number) / _PERIODS[period]


def _allow(written: Json) -> Allow:
    """An empty list allows nothing, none allows all."""
    return Allow(**{key: tuple(sure_text(word) for word in items(words)) for key, words in record(written).items()})


def _readiness(written: JsonObject, *, beside: Path) -> Readiness:
    otherwise = Readiness()
    return Readiness(
        longest=duration(written.get("for")) or otherwise.longest,
        every=duration(written.get("every")) or otherwise.every,
        catalogue=beside / sure_text(written["catalog"]) if "catalog" in written else None,
    )


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("url", "identity_url", "ca_file", "proxy"), sure_text),
    **dict.fromkeys(("timeout", "settle"), duration),
    **dict.fromkeys(("protected", "plain_http"), bool),
    "runtime": Runtime,
    "element_call": ElementIdPlace,
    "execute_method": ExecuteMethod,
    "auth": _auth,
    "headers": lambda written: tuple(record(written).items()),
    "rate": _rate,
    "allow": _allow,
}
"""How the value of a key becomes a field of that name."""

"""A targets file without mistakes → `Target` records. Checks nothing: schema and rules have."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from runner.foundation.problems import Problem
from runner.foundation.values import JsonObject, duration, record, sure_text
from runner.reading.document import Document
from runner.service.site import CallOptions
from runner.targets.hidden import without_secrets
from runner.targets.keys import KEYS
from runner.targets.model import Keys, Readiness, SandboxTarget, SiteTarget, Target, Times

SANDBOX = "sandbox"

_Record = TypeVar("_Record", bound=Struct)


def targets(document: Document, *, beside: Path) -> dict[str, Target]:
    """Targets by name; `beside` is the folder of the targets file."""
    written = record(record(document.data).get("targets"))
    return {name: _target(name, record(fields), beside=beside, document=document) for name, fields in written.items()}


def without_file(job_file: Path) -> dict[str, Target]:
    """The targets of a job without a targets file: the sandbox beside it."""
    return {SANDBOX: SandboxTarget(name=SANDBOX, folder=job_file.parent / SANDBOX)}


def _target(name: str, fields: JsonObject, *, beside: Path, document: Document) -> Target:
    found: dict[str, object] = {"name": name}
    found |= {key: read(value) for key, value in fields.items() if (read := KEYS[key].read) is not None}
    found |= {"calls": _of(CallOptions, found), "times": _of(Times, found)}
    if SANDBOX in fields:
        found |= {"folder": beside / sure_text(fields[SANDBOX]), "written_in": document.file}
        return _of(SandboxTarget, found)
    if "ready" in fields:
        found["ready"] = _readiness(record(fields["ready"]), beside=beside)
    found |= {"beside": beside, "placed": partial(_placed, document, name)}
    return _of(SiteTarget, found)


def _of(kind: type[_Record], found: Mapping[str, object]) -> _Record:
    return kind(**{name: found[name] for name in kind.__struct_fields__ if name in found})


def _placed(document: Document, name: str, problem: Problem, keys: Keys) -> Problem:
    """The problem at its place in the file, without secrets."""
    path = ("targets", name, *keys)
    (shown,) = without_secrets(
        [document.problem(problem.code, problem.message, path=path, hint=problem.hint)], document
    )
    return shown


def _readiness(written: JsonObject, *, beside: Path) -> Readiness:
    otherwise = Readiness()
    return Readiness(
        longest=duration(written.get("for")) or otherwise.longest,
        every=duration(written.get("every")) or otherwise.every,
        catalogue=beside / sure_text(written["catalog"]) if "catalog" in written else None,
    )

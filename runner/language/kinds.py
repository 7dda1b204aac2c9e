"""Files of another kind than is wanted, by the keys that only that kind has: what it is, and what to do."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from runner.foundation.problems import Problem
from runner.foundation.values import JsonObject
from runner.reading.document import Document
from runner.reading.encoding import CALLS_AS_STEPS


class _FileKind(Struct, frozen=True, kw_only=True):
    """A kind of files. `name` is a name or ending; `hint` what to do with it; `to_run` what to run instead."""

    what: str
    is_it: Callable[[JsonObject], bool]
    name: str | None = None
    hint: str = "`runner validate {file}` checks it"
    to_run: str | None = None


def _is_double(data: JsonObject) -> bool:
    parameters = data.get("parameters")
    typed = parameters.values() if isinstance(parameters, dict) else ()
    is_typed = any(isinstance(parameter, dict) and "type" in parameter for parameter in typed)
    return isinstance(data.get("process"), str) and (is_typed or bool({"activities", "caption"} & data.keys()))


def _is_of_records(data: JsonObject) -> bool:
    """Entities with their records. Names of entities begin with a capital letter, as no key of ours does."""
    rows = [row for value in data.values() for row in (value if isinstance(value, list) else [None])]
    return bool(rows) and all(isinstance(row, dict) for row in rows) and all(key[:1].isupper() for key in data)


_KINDS: Final[Mapping[str, _FileKind]] = {
    "job": _FileKind(what="a job", name=".job.yaml", is_it=lambda data: isinstance(data.get("steps"), list)),
    "targets": _FileKind(
        what="a targets file",
        name="targets.yaml",
        is_it=lambda data: isinstance(data.get("targets"), dict | list),
        to_run="name a job, and with `-t NAME` a target of this file; `runner validate {file}` checks it",
    ),
    "catalog": _FileKind(
        what="a catalogue",
        name=".catalog.yaml",
        is_it=lambda data: isinstance(data.get("processes"), dict | list) and bool({"site", "pulled"} & data.keys()),
    ),
    "process": _FileKind(
        what="a double of a process",
        name=".process.yaml",
        is_it=_is_double,
        to_run="name a job whose target is this sandbox: doubles answer its calls; `runner validate {file}` checks it",
    ),
    "plan": _FileKind(
        what="a stored plan",
        is_it=lambda data: data.get("kind") == "creatio-runner plan",
        hint="`runner run {file}` carries it out",
    ),
    "report": _FileKind(
        what="a report of runs",
        is_it=lambda data: {"format", "tool", "runs"} <= data.keys(),
        hint="`runner show` shows the runs themselves",
    ),
    "postman": _FileKind(
        what="a collection of Postman",
        is_it=lambda data: isinstance(data.get("item"), list) and isinstance(data.get("info"), dict),
        hint=CALLS_AS_STEPS,
    ),
    "api": _FileKind(
        what="a description of an API",
        is_it=lambda data: not {"openapi", "swagger", "arazzo"}.isdisjoint(data),
        hint="a job names processes by their codes, as in `- execute: {process: CODE, parameters: {NAME: VALUE}}`: "
        "`runner init FOLDER` writes an example",
    ),
    "call": _FileKind(
        what="the body of a call", is_it=lambda data: isinstance(data.get("schemaName"), str), hint=CALLS_AS_STEPS
    ),
    "records": _FileKind(
        what="a file of first records", is_it=_is_of_records, hint="it is read with the doubles beside it"
    ),
}
_FIRST_OF = ("steps", "targets", "processes", "process", "kind", "format", "info", "schemaName")
"""Keys that show best of which kind a file is."""


def other_kind(document: Document, wanted: str) -> Problem | None:
    """What a file is that is not of the kind that is wanted, None where that is not certain."""
    data = document.data
    if not isinstance(data, dict) or _KINDS[wanted].is_it(data):
        return None
    kind = next((kind for kind in _KINDS.values() if kind.is_it(data)), None)
    if kind is None or (wanted == "process" and kind is _KINDS["job"] and isinstance(data.get("process"), str)):
        return None  # a double with `steps` in the place of `activities`
    key = next((key for key in _FIRST_OF if key in data), next(iter(data)))
    message = f"this is {kind.what}, not {_KINDS[wanted].what}"
    file = "FILE" if wanted == "targets" else document.file  # the name of a file may be that of a job
    other_use = kind.to_run if wanted == "job" and kind.to_run else kind.hint
    hint = _renamed(document.file, wanted, kind) or other_use.replace("{file}", file)
    return document.problem("E107", message, path=(key,), at_key=True, hint=hint)


def _renamed(file: str, wanted: str, kind: _FileKind) -> str | None:
    """How to call a file that is read as a job, or as what its ending says, and is of another kind."""
    ending, right = _KINDS[wanted].name or "", kind.name
    if right is None or wanted == "targets" or file.rpartition("/")[2].endswith(right):
        return None
    if not file.endswith((ending, ".yaml" if wanted == "job" else ending)):
        return None
    stem = file.removesuffix(ending).removesuffix(".yaml")
    folder = file[: file.rfind("/") + 1]
    return f"call it `{stem}{right}`" if right.startswith(".") else f"call it `{folder}{right}`"

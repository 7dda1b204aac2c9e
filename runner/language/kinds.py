"""Files of another kind than the one that is wanted, told by the keys that tell them: one sentence, and what to do."""

from collections.abc import Callable, Mapping

from runner.foundation.problems import Problem
from runner.foundation.values import JsonObject
from runner.reading.document import Document

_PLAN = "creatio-runner plan"


def _is_job(data: JsonObject) -> bool:
    return isinstance(data.get("steps"), list)


def _is_targets(data: JsonObject) -> bool:
    return isinstance(data.get("targets"), dict | list)


def _is_catalogue(data: JsonObject) -> bool:
    return isinstance(data.get("processes"), dict | list) and bool({"site", "pulled"} & data.keys())


def _is_double(data: JsonObject) -> bool:
    parameters = data.get("parameters")
    typed = parameters.values() if isinstance(parameters, dict) else ()
    is_typed = any(isinstance(one, dict) and "type" in one for one in typed)
    return isinstance(data.get("process"), str) and (is_typed or bool({"activities", "caption"} & data.keys()))


def _is_plan(data: JsonObject) -> bool:
    return data.get("kind") == _PLAN


def _is_report(data: JsonObject) -> bool:
    return {"format", "tool", "runs"} <= data.keys()


def _is_of_records(data: JsonObject) -> bool:
    """Entities with their records. Names of entities begin with a capital letter, as no key of ours does."""
    rows = [row for value in data.values() for row in (value if isinstance(value, list) else [None])]
    return bool(rows) and all(isinstance(row, dict) for row in rows) and all(key[:1].isupper() for key in data)


_CHECKED = "`runner validate {file}` checks it"
_KINDS: Mapping[str, tuple[str, Callable[[JsonObject], bool], str]] = {
    "job": ("a job", _is_job, _CHECKED),
    "targets": ("a targets file", _is_targets, _CHECKED),
    "catalog": ("a catalogue", _is_catalogue, _CHECKED),
    "process": ("a double of a process", _is_double, _CHECKED),
    "plan": ("a kept plan", _is_plan, "`runner run {file}` carries it out"),
    "report": ("a report of runs", _is_report, "`runner show` tells of the runs themselves"),
    "records": ("a file of first records", _is_of_records, "it is read with the doubles beside it"),
}
"""What it is called, how it is told, and what may be done with one."""
_ENDINGS = {"job": ".job.yaml", "process": ".process.yaml", "catalog": ".catalog.yaml"}
_TELLING = ("steps", "targets", "processes", "process", "kind", "format")


def other_kind(document: Document, wanted: str) -> Problem | None:
    """What a file is that is not of the kind that is wanted, None where that cannot be told for certain."""
    data = document.data
    if not isinstance(data, dict) or _KINDS[wanted][1](data):
        return None
    for kind, (what, is_one, advice) in _KINDS.items():
        if is_one(data):
            key = next((key for key in _TELLING if key in data), next(iter(data)))
            message = f"this is {what}, not {_KINDS[wanted][0]}"
            file = "FILE" if wanted == "targets" else document.file  # the name of a file may be that of a job
            hint = _renamed(document.file, wanted, kind) or advice.format(file=file)
            return document.problem("E107", message, path=(key,), at_key=True, hint=hint)
    return None


def _renamed(file: str, wanted: str, kind: str) -> str | None:
    """How to call a file that has the ending of the kind that is wanted, and is of another."""
    wrong, right = _ENDINGS.get(wanted), _ENDINGS.get(kind)
    return f"call it `{file.removesuffix(wrong)}{right}`" if wrong and right and file.endswith(wrong) else None

"""What the language knows and this version does not carry out yet. It is refused by name, before anything is sent.

Takes documents of any shape; what is no record where one should be is none of its business.
"""

from collections.abc import Collection, Iterator

from runner.documents.document import Document
from runner.problems import Problem
from runner.values import Json, JsonObject, Path

JOB = (
    "timeout",
    "cleanup_timeout",
    "cases",
    "concurrency",
)
STEP = (
    "run",
    "wait",
    "query",
    "job",
    "confirm",
    "pause",
    "for_each",
    "undo",
)
TARGET = (
    "identity_url",
    "timeout",
    "settle",
    "ca_file",
    "proxy",
    "headers",
    "rate",
    "protected",
    "allow",
)
AUTH = (
    "client_id",
    "client_secret",
)
DOUBLE = ("faults",)
ACTIVITY = ("background",)


def check(document: Document, name: str) -> tuple[Problem, ...]:
    """A problem at each key, in the order of the file. `name` is that of the schema: `job`, `targets`, `process`."""
    found = {"job": _in_job, "targets": _in_targets, "process": _in_double}[name]
    paths = sorted(found(_record(document.data)), key=document.line_of)
    return tuple(document.problem("E109", f"`{path[-1]}` is not there yet", path=path, at_key=True) for path in paths)


def _in_job(job: JsonObject) -> Iterator[Path]:
    yield from _among(job, (), JOB)
    for section in ("steps", "finally"):
        for index, step in enumerate(_list(job.get(section))):
            yield from _among(step, (section, index), STEP)


def _in_targets(targets: JsonObject) -> Iterator[Path]:
    for name, target in _record(targets.get("targets")).items():
        yield from _among(target, ("targets", name), TARGET)
        yield from _among(_record(target).get("auth"), ("targets", name, "auth"), AUTH)


def _in_double(double: JsonObject) -> Iterator[Path]:
    yield from _among(double, (), DOUBLE)
    for index, activity in enumerate(_list(double.get("activities"))):
        yield from _among(activity, ("activities", index), ACTIVITY)


def _among(written: Json, path: Path, names: Collection[str]) -> Iterator[Path]:
    return ((*path, key) for key in _record(written) if key in names)


def _record(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []

"""What the language knows and this version does not carry out yet. It is refused by name, before anything is sent.

Takes documents of any shape; what is no record where one should be is none of its business.
"""

from collections.abc import Collection, Iterator

from runner.documents.document import Document
from runner.problems import Problem
from runner.values import Json, JsonObject, Path

JOB = ("timeout", "cleanup_timeout", "concurrency")
STEP = ("undo",)


_HINT = "it is a part of the language that this version does not carry out: leave it out"


def check(document: Document, name: str) -> tuple[Problem, ...]:
    """A problem at each key, in the order of the file. `name` is that of the schema: `job`."""
    found = {"job": _in_job}[name]
    paths = sorted(found(_record(document.data)), key=document.line_of)
    return tuple(
        document.problem("E109", f"`{path[-1]}` is not there yet", path=path, at_key=True, hint=_HINT) for path in paths
    )


def _in_job(job: JsonObject) -> Iterator[Path]:
    yield from _among(job, (), JOB)
    for section in ("steps", "finally"):
        for index, step in enumerate(_list(job.get(section))):
            yield from _among(step, (section, index), STEP)


def _among(written: Json, path: Path, names: Collection[str]) -> Iterator[Path]:
    return ((*path, key) for key in _record(written) if key in names)


def _record(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []

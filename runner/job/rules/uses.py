"""What jobs use of the processes that they start, and where: what matters when a site changes."""

from collections.abc import Iterable, Iterator

from runner.catalogue.differences import About, Use
from runner.documents.document import Document
from runner.guids import is_guid
from runner.job import defaults
from runner.job.outline import Written, outline
from runner.raw import items, record
from runner.values import Json, JsonObject, Path

STARTS = ("execute", "run")


def uses(documents: Iterable[Document]) -> tuple[Use, ...]:
    return tuple(use for document in documents for step in steps_in(document) for use in _step(document, step))


def steps_in(document: Document) -> tuple[Written, ...]:
    return outline(record(document.data)).steps


def started(documents: Iterable[Document]) -> frozenset[str]:
    """The codes of all processes that these files start."""
    steps = (step for document in documents for step in steps_in(document))
    return frozenset(code for step in steps for _, code, _ in starts(step))


def starts(step: Written) -> Iterator[tuple[Path, str, JsonObject]]:
    """The start of a process that `step` is: the path of its action, the process's code, the fields."""
    for key in STARTS:
        fields = record(step.fields.get(key))
        code = fields.get("process")
        if isinstance(code, str) and "{{" not in code:
            yield (*step.path, key), code, fields


def results(fields: JsonObject, path: Path) -> Iterator[tuple[Path, str]]:
    """The codes of the results that a start asks for."""
    result = fields.get("result")
    if isinstance(result, str):
        yield (*path, "result"), result
    for index, name in enumerate(items(fields.get("results"))):
        if isinstance(name, str):
            yield (*path, "results", index), name


def element_ids(step: Written) -> Iterator[tuple[Path, str]]:
    """The ids of elements that are written out."""
    for key in ("element", "elements"):
        listed = step.fields.get(key)
        for index, item in enumerate(defaults.elements(listed) if key in step.fields else ()):
            path = (*step.path, key, index) if isinstance(listed, list) else (*step.path, key)
            yield from _id(item, path)


def _id(item: Json, path: Path) -> Iterator[tuple[Path, str]]:
    at, uid = ((*path, "uid"), record(item).get("uid")) if isinstance(item, dict) else (path, item)
    if isinstance(uid, str) and is_guid(uid):
        yield at, uid.lower()


def _step(document: Document, step: Written) -> Iterator[Use]:
    for path, code, fields in starts(step):
        yield Use(process=code, about=About.PROCESS, place=_place(document, (*path, "process")))
        given = [((*path, "parameters", name), name) for name in record(fields.get("parameters"))]
        for at, name in (*given, *results(fields, path)):
            yield Use(process=code, about=About.PARAMETER, name=name, place=_place(document, at))
    for at, uid in element_ids(step):
        yield Use(process="", about=About.ELEMENT, name=uid, place=_place(document, at))


def _place(document: Document, path: Path) -> str:
    return f"{document.file}:{document.line_of(path)}"

"""What jobs use of the processes that they start, and where: what matters when a site changes."""

from collections.abc import Iterable, Iterator

from runner.catalogue.differences import About, Use
from runner.documents.document import Document
from runner.guids import is_guid
from runner.job import defaults
from runner.job.outline import Outline, Written, outline
from runner.raw import items, record
from runner.values import JsonObject, Path

STARTS = ("execute", "run")


def uses(documents: Iterable[Document]) -> tuple[Use, ...]:
    return tuple(
        use for document in documents for step in outline(record(document.data)).steps for use in _step(document, step)
    )


def started(files: Iterable[Outline]) -> frozenset[str]:
    """The codes of all processes that these files start; one of a version that is named has what no catalogue knows."""
    steps = (step for known in files for step in known.steps)
    found = ((code, fields.get("version")) for step in steps for _, code, fields in starts(step))
    return frozenset(code if version is None else f"{code}, version {version}" for code, version in found)


def starts(step: Written) -> Iterator[tuple[Path, str, JsonObject]]:
    """The start of a process that `step` is: the path of its action, the process's code, the fields."""
    for key in STARTS:
        fields = record(step.fields.get(key))
        code = fields.get("process")
        if isinstance(code, str) and "{{" not in code:
            yield (*step.path, key), code, fields


def kept_as(step: Written, code: str) -> str | None:
    """Where the value of a parameter is kept that `step` asks for, or all that it asks for: `result.Score`."""
    for path, _, start in starts(step):
        asked = [name for _, name in results(start, path)]
        is_alone = path[-1] == "execute"
        if code in asked:
            return "result" if is_alone else f"result.{code}"
        if is_alone and asked and "outputs" not in step.fields:
            return "result"
    return None


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
    return ((at, uid.lower()) for at, uid in _uids(step) if is_guid(uid))


def element_names(step: Written) -> Iterator[tuple[Path, str]]:
    """What stands in the place of the ids of elements, and is none."""
    return ((at, uid) for at, uid in _uids(step) if "{{" not in uid and not is_guid(uid))


def _uids(step: Written) -> Iterator[tuple[Path, str]]:
    for key in ("element", "elements"):
        listed = step.fields.get(key)
        for index, item in enumerate(defaults.elements(listed) if key in step.fields else ()):
            path = (*step.path, key, index) if isinstance(listed, list) else (*step.path, key)
            at, uid = ((*path, "uid"), record(item).get("uid")) if isinstance(item, dict) else (path, item)
            if isinstance(uid, str):
                yield at, uid


def ids(step: Written) -> Iterator[tuple[Path, str, str]]:
    """The ids that are templates, of elements and of a process that is waited for: path, text, and what it is."""
    yield from ((at, uid, "uid") for at, uid in _uids(step) if "{{" in uid)
    process_id = record(step.fields.get("wait")).get("process_id")
    if isinstance(process_id, str) and "{{" in process_id:
        yield (*step.path, "wait", "process_id"), process_id, "process_id"


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

"""What jobs use of the processes that they start, and where: what matters when a site changes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runner.catalogue.differences import About, Use
from runner.expressions.parse import Expression, TemplateProblem, template
from runner.foundation.guids import is_guid
from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject, Path
from runner.job.actions import ACTIONS
from runner.job.actions.element import links
from runner.job.outline import Outline, RawStep, outline
from runner.reading.document import Document

STARTS = ("execute", "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An element that is named at this place, in the process that `of` leads to."""

    at: Path
    name: str
    of: str


def uses(documents: Iterable[Document]) -> tuple[Use, ...]:
    outlines = ((document, outline(record(document.data))) for document in documents)
    return tuple(use for document, known in outlines for step in known.steps for use in _step(document, step, known))


def started(files: Iterable[Outline]) -> frozenset[str]:
    """The codes of all processes that these files start; one of a version that is named has what no catalogue knows."""
    steps = [step for known in files for step in known.steps]
    found = ((code, fields.get("version")) for step in steps for _, code, fields in starts(step))
    begun = {code if version is None else f"{code}, version {version}" for code, version in found}
    return frozenset(begun | {code for step in steps for _, code in signalled(step)})


def starts(step: RawStep) -> Iterator[tuple[Path, str, JsonObject]]:
    """The start of a process that `step` is: the path of its action, the process's code, the fields."""
    for key in STARTS:
        fields = record(step.fields.get(key))
        code = fields.get("process")
        if isinstance(code, str) and "{{" not in code:
            yield (*step.path, key), code, fields


def signalled(step: RawStep) -> Iterator[tuple[Path, str]]:
    """The process that a `signal` says it starts: the path of its code, and the code."""
    code = record(step.fields.get("signal")).get("starts")
    if isinstance(code, str) and "{{" not in code:
        yield (*step.path, "signal", "starts"), code


def kept_as(step: RawStep, code: str) -> str | None:
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


def element_ids(step: RawStep) -> Iterator[tuple[Path, str]]:
    """The ids of elements that are written out."""
    return ((at, uid.lower()) for at, uid in _uids(step) if is_guid(uid))


def element_names(step: RawStep) -> Iterator[tuple[Path, str]]:
    """What stands in the place of the ids of elements, and is none."""
    return ((at, uid) for at, uid in _uids(step) if "{{" not in uid and not is_guid(uid))


def _uids(step: RawStep) -> Iterator[tuple[Path, str]]:
    """What stands in the place of ids of elements, written out or as templates."""
    for key in ("element", "elements"):
        listed = step.fields.get(key)
        if key == "elements" and isinstance(listed, dict):
            continue
        for index, item in enumerate(links(listed) if key in step.fields else ()):
            path = (*step.path, key, index) if isinstance(listed, list) else (*step.path, key)
            at, uid = ((*path, "uid"), record(item).get("uid")) if isinstance(item, dict) else (path, item)
            if isinstance(uid, str):
                yield at, uid


def named_elements(step: RawStep) -> Iterator["Named"]:
    """The elements that are named in a running process, with what names the process."""
    for path, fields in _with_of(step):
        of = fields.get("of")
        if "chain" not in fields:
            links: list[tuple[Path, Json]] = [((*path, "name"), fields.get("name"))]
        else:
            chain = enumerate(items(fields["chain"]))
            links = [_link((*path, "chain", index), link) for index, link in chain]
        for at, name in links:
            if isinstance(name, str) and isinstance(of, str):
                yield Named(at=at, name=name, of=of)


def _link(path: Path, link: Json) -> tuple[Path, Json]:
    return ((*path, "name"), link.get("name")) if isinstance(link, dict) else (path, link)


def processes_of_elements(step: RawStep) -> Iterator[tuple[Path, str]]:
    """What stands behind `of`."""
    for path, fields in _with_of(step):
        if isinstance(of := fields.get("of"), str):
            yield (*path, "of"), of


def _with_of(step: RawStep) -> Iterator[tuple[Path, JsonObject]]:
    one, several = step.fields.get("element"), step.fields.get("elements")
    written: list[tuple[Path, Json]] = [((*step.path, "element"), one), ((*step.path, "elements"), several)]
    written += [((*step.path, "elements", index), item) for index, item in enumerate(items(several))]
    yield from ((path, fields) for path, fields in written if isinstance(fields, dict) and "of" in fields)


def process_named(text: str, step: RawStep, known: Outline) -> str | None:
    """The code of the process whose id the template `text` gives, where the job makes that known."""
    if "{{" not in text:
        return None
    try:
        parts = template(text).parts
    except TemplateProblem:
        return None
    path = parts[0].path if len(parts) == 1 and isinstance(parts[0], Expression) else None
    match path:
        case ("steps", str(name), *_, "process_id"):
            declared = known.by_id.get(name)
            starting = declared.step if declared is not None else None
        case ("process_id",):
            starting = next((one for one in known.steps if one.rank == step.rank and one.undo is None), None)
        case _:
            starting = None
    return next((code for _, code, _ in starts(starting)), None) if starting is not None else None


def ids(step: RawStep) -> Iterator[tuple[Path, str, str]]:
    """The ids of elements and processes that are templates: path, text, and what it is."""
    yield from ((at, uid, "uid") for at, uid in _uids(step) if "{{" in uid)
    yield from ((at, of, "of") for at, of in processes_of_elements(step) if "{{" in of)
    for key in ACTIONS:
        process_id = record(step.fields.get(key)).get("process_id")
        if isinstance(process_id, str) and "{{" in process_id:
            yield (*step.path, key, "process_id"), process_id, "process_id"


def _step(document: Document, step: RawStep, known: Outline) -> Iterator[Use]:
    for path, code, fields in starts(step):
        yield Use(process=code, about=About.PROCESS, place=_place(document, (*path, "process")))
        given = [((*path, "parameters", name), name) for name in record(fields.get("parameters"))]
        for at, name in (*given, *results(fields, path)):
            yield Use(process=code, about=About.PARAMETER, name=name, place=_place(document, at))
    for at, code in signalled(step):
        yield Use(process=code, about=About.PROCESS, place=_place(document, at))
    for at, uid in element_ids(step):
        yield Use(process="", about=About.ELEMENT, name=uid, place=_place(document, at))
    for named in named_elements(step):
        code = process_named(named.of, step, known) or ""
        yield Use(
            process=code, about=About.ELEMENT, name=named.name.strip().casefold(), place=_place(document, named.at)
        )


def _place(document: Document, path: Path) -> str:
    return f"{document.file}:{document.line_of(path)}"

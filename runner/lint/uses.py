"""What jobs use of processes and their elements, and where."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from runner.catalogue.differences import About, Use
from runner.foundation.values import JsonObject, ValuePath, is_guid, items, record
from runner.job.outline import Outline, RawStep, outline
from runner.lint.places import ELEMENT_IDS, action_values, ids, name_in
from runner.reading.document import Document

_STARTS = ("execute", "run")


class NamedElement(Struct, frozen=True, kw_only=True):
    """An element that is named at this place, in the process that `of` leads to, and the values given to it."""

    at: ValuePath
    name: str
    of: str
    parameters: JsonObject
    parameters_at: ValuePath


def uses(documents: Iterable[Document]) -> tuple[Use, ...]:
    """What matters to these jobs when a site changes."""
    outlines = ((document, outline(record(document.data))) for document in documents)
    return tuple(use for document, job in outlines for step in job.steps for use in _step(document, step, job))


def started(files: Iterable[Outline]) -> frozenset[str]:
    """The codes of all processes that these files start; a code with a version has what no catalogue knows."""
    steps = [step for job in files for step in job.steps]
    found = ((code, fields.get("version")) for step in steps for _, code, fields in starts(step))
    codes = {code if version is None else f"{code}, version {version}" for code, version in found}
    return frozenset(codes | {code for step in steps for _, code in signalled(step)})


def watched(files: Iterable[Outline]) -> frozenset[str]:
    """The patterns of all processes whose failures these files watch."""
    steps = (step for job in files for step in job.steps)
    given = (code for step in steps for code in items(record(step.fields.get("failures")).get("processes")))
    return frozenset(code for code in given if isinstance(code, str))


def changed_entities(files: Iterable[Outline]) -> frozenset[str]:
    """The entities whose records these files change, as far as these are named without a template."""
    signals = (record(step.fields.get("signal")) for job in files for step in job.steps)
    changes = (record(change) for fields in signals for change in fields.values())
    return frozenset(entity for change in changes if isinstance(entity := change.get("entity"), str))


def starts(step: RawStep) -> list[tuple[ValuePath, str, JsonObject]]:
    """The start of a process that `step` is: the path of its action, the process's code, the fields."""
    written = [(key, fields) for key in _STARTS if isinstance(fields := step.fields.get(key), dict)]
    return [
        ((*step.path, key), code, fields)
        for key, fields in written
        if isinstance(code := fields.get("process"), str) and "{{" not in code
    ]


def signalled(step: RawStep) -> Iterator[tuple[ValuePath, str]]:
    """The process that a `signal` starts, as it says: the path of its code, and the code."""
    code = record(step.fields["signal"]).get("starts") if "signal" in step.fields else None
    if isinstance(code, str) and "{{" not in code:
        yield (*step.path, "signal", "starts"), code


def result_of(step: RawStep, code: str) -> str | None:
    """Which key of `step` has the value that its process gave for a parameter: `result`, or `result.Score`."""
    for path, _, start in starts(step):
        if code in [name for _, name in results(start, path)]:
            return "result" if path[-1] == "execute" else f"result.{code}"
    return None


def results(fields: JsonObject, path: ValuePath) -> Iterator[tuple[ValuePath, str]]:
    """The codes of the results that a start asks for."""
    result = fields.get("result")
    if isinstance(result, str):
        yield (*path, "result"), result
    for index, name in enumerate(items(fields.get("results"))):
        if isinstance(name, str):
            yield (*path, "results", index), name


def written_elements(step: RawStep) -> Iterator[tuple[ValuePath, str]]:
    """What is written in the place of the id of an element."""
    has_elements = "element" in step.fields or "elements" in step.fields
    for found in ids(action_values(step)) if has_elements else ():
        if found.place in ELEMENT_IDS and isinstance(found.value, str):
            yield found.path, found.value


def named_elements(step: RawStep) -> Iterator[NamedElement]:
    """The elements that are named in a running process, with what names the process."""
    single, several = step.fields.get("element"), step.fields.get("elements")
    if single is None and several is None:
        return
    written = [((*step.path, "element"), single), ((*step.path, "elements"), several)]
    written += [((*step.path, "elements", index), item) for index, item in enumerate(items(several))]
    for path, value in written:
        fields = record(value)
        chain = [((*path, "chain", index), link) for index, link in enumerate(items(fields.get("chain")))]
        for link_path, link in chain if "chain" in fields else [(path, value)]:
            at, name = ((*link_path, "name"), link.get("name")) if isinstance(link, dict) else (link_path, link)
            if isinstance(name, str) and isinstance(of := fields.get("of"), str):
                given, given_at = record(record(link).get("parameters")), (*link_path, "parameters")
                yield NamedElement(at=at, name=name, of=of, parameters=given, parameters_at=given_at)


def process_of(text: str, step: RawStep, job: Outline) -> str | None:
    """The code of the process whose id the template `text` gives, where the job makes that known."""
    match name_in(text):
        case ("steps", str(name), *_, "process_id") if name in job.by_id:
            starting = [job.by_id[name].step]
        case ("process_id",):
            starting = [step.undone or step]
        case _:
            starting = []
    return next((code for other in starting for _, code, _ in starts(other)), None)


def _step(document: Document, step: RawStep, job: Outline) -> Iterator[Use]:
    def use(process: str, about: About, path: ValuePath, name: str = "") -> Use:
        return Use(process=process, about=about, name=name, place=f"{document.file}:{document.line_of(path)}")

    for path, code, fields in starts(step):
        yield use(code, About.PROCESS, (*path, "process"))
        given = [((*path, "parameters", name), name) for name in record(fields.get("parameters"))]
        for at, name in (*given, *results(fields, path)):
            yield use(code, About.PARAMETER, at, name)
    for at, code in signalled(step):
        yield use(code, About.PROCESS, at)
    for at, uid in written_elements(step):
        if is_guid(uid):
            yield use("", About.ELEMENT, at, uid.lower())
    for named in named_elements(step):
        yield use(process_of(named.of, step, job) or "", About.ELEMENT, named.at, named.name.strip().casefold())

"""Elements of running processes, compared with what the target's processes have.

An element is executed by the id that it has in a run of its process [C][S], which its name leads to.
"""

from collections.abc import Collection, Iterator, Mapping

from runner.catalogue.model import Catalogue, Process, ProcessElement
from runner.foundation.problems import Finding
from runner.foundation.sentences import MOST, listed
from runner.foundation.suggestions import did_you_mean, folded
from runner.foundation.values import ValuePath, is_guid, record
from runner.job.defaults import setting
from runner.job.outline import Outline, RawStep
from runner.lint.places import name_in
from runner.lint.texts import JobLint
from runner.lint.uses import NamedElement, named_elements, process_of, starts, written_elements

_ELEMENTS = frozenset({"element", "elements"})
NEVER_EXECUTED = "FlowIteratorGateway"  # the vendor shows no button for it [C]: it goes through items by itself


def check_elements(job: Outline, catalogue: Catalogue | None) -> Iterator[Finding]:
    """Every element that no run of its process has, or that is named by the id of its design."""
    processes = catalogue.processes if catalogue is not None else {}
    for step in job.steps:
        for path, text in written_elements(step):
            if is_guid(text):
                yield _unknown_id(path, text.lower(), processes.values(), job)
            yield from _own_element(text, step, job, processes)
        for named in named_elements(step):
            process = processes.get(process_of(named.of, step, job) or "")
            if process is not None and process.elements is not None and "{{" not in named.name:
                yield from _check_name(named, process, process.elements)


def _own_element(text: str, step: RawStep, job: Outline, processes: Mapping[str, Process]) -> Iterator[Finding]:
    """The step that waits for the end of a process whose element, its result, `step` may execute."""
    match name_in(text):
        case ("steps", str(name), "result", *code) if name in job.by_id and _is_before(name, step, job):
            start = job.by_id[name].step
            action, results = ("run", "results") if code else ("execute", "result")
            fields = record(start.fields.get(action))
            process = processes.get(str(fields.get("process")))
            may_wait = start.fields.get("verify") != "none" and start.fields.get("effect") != "read"
            if process is not None and process.elements and may_wait and results in fields and "until" not in fields:
                message = "this step waits for the end of the process, whose element a later step may execute"
                hint = "write `until: started` in this step, or `effect: read` if it only finds an element of another"
                path = (*start.path, action, results)
                yield Finding(code="E107", message=message, path=path, hint=hint, warning=True)


def check_ends(lint: JobLint) -> None:
    """Report a step that waits for the end of a process with an element that a later step executes."""
    executing = [step for step in lint.outline.steps if step.undo is None and not _ELEMENTS.isdisjoint(step.fields)]
    steps = lint.outline.by_id.items() if executing else ()
    waiting = {name: at for name, declared in steps if (at := _waits_for_end(declared.step, lint))}
    for step in executing:
        for named in named_elements(step):
            match name_in(named.of):
                case ("steps", str(name), "process_id") if name in waiting and _is_before(name, step, lint.outline):
                    executed = (
                        f"whose element `{named.name}` is executed later, in line {lint.document.line_of(named.at)}"
                    )
                    message = f"this step waits for the end of the process, {executed}"
                    lint.report("E107", message, waiting.pop(name), hint="write `until: started` in this step")


def _is_before(name: str, step: RawStep, job: Outline) -> bool:
    """Whether the step `name` comes before `step` in the same section; `finally` does not depend on `steps`."""
    starting = job.by_id[name].step
    return starting.path[0] == step.path[0] and starting.rank < step.rank


def _waits_for_end(step: RawStep, lint: JobLint) -> ValuePath | None:
    """The place that makes `step` wait for the end of the process that it starts; None where it does not wait."""
    action = next((key for key in ("execute", "run", "signal") if key in step.fields), "")
    fields = record(step.fields.get(action))
    follows = action == "run" or "result" in fields or "starts" in fields
    is_read = action == "run" or setting("verify", step.fields, lint.defaults) != "none"
    if fields.get("until", "done" if follows else "started") != "done" or not is_read:
        return None
    key = next((key for key in ("until", "result", "starts", "process") if key in fields), None)
    return (*step.path, action) if key is None else (*step.path, action, key)


def matching(process: Process, name: str) -> list[ProcessElement]:
    """The elements of a process that a name leads to: its caption, its code, or the id of its design."""
    wanted = name.strip().casefold()
    elements = process.elements or ()
    return [each for each in elements if wanted == each.uid or wanted in each.names]


def element_form(at: ValuePath, name: str, job: Outline, process: str | None = None) -> str:
    """How to write the element `name` at this place, in the process `process`, or any that the job starts."""
    codes = ((step, code) for step, declared in job.by_id.items() for _, code, _ in starts(declared.step))
    starting = next((step for step, code in codes if process in (code, None)), "ID")
    of = f'of: "{{{{ steps.{starting}.process_id }}}}"'
    if "elements" in at:
        return f"write `elements: {{{of}, chain: [{name}, …]}}`"
    return f"write `element: {{{of}, name: {name}}}`"


def _unknown_id(path: ValuePath, uid: str, processes: Collection[Process], job: Outline) -> Finding:
    """An id that is written out: it is that of a design, or of a run, which no other has."""
    for process in processes:
        for element in process.elements or ():
            if element.uid == uid:
                message = f"`{uid}` is the id of `{element.shown}` in the design of `{process.code}`: no run has it"
                hint = element_form(path, element.shown, job, process.code)
                return Finding(code="E172", message=message, path=path, hint=hint)
    message = f"the id `{uid}` is written out, and an element has another in each run of its process"
    return Finding(code="E172", message=message, path=path, hint=element_form(path, "CAPTION", job), warning=True)


def _check_name(named: NamedElement, process: Process, elements: Collection[ProcessElement]) -> Iterator[Finding]:
    found = matching(process, named.name)
    if not found:
        calls_others = any("SubProcess" in each.kind or "CallActivity" in each.kind for each in elements)
        message, hint = f"`{process.code}` has no element `{named.name}`", _name_hint(named.name, elements)
        yield Finding(code="E149", message=message, path=named.at, hint=hint, warning=calls_others)
    elif len({each.uid for each in found}) > 1:
        message = f"`{named.name}` leads to {len(found)} elements of `{process.code}`"
        hint = f"name an element by its code: {' or '.join(f'`{each.name}`' for each in found[:MOST])}"
        yield Finding(code="E149", message=message, path=named.at, hint=hint)
    elif NEVER_EXECUTED in found[0].kind:
        message = f"`{named.name}` of `{process.code}` goes through items by itself: nobody executes it"
        yield Finding(code="E149", message=message, path=named.at, hint="name an element inside it")


def _name_hint(name: str, elements: Collection[ProcessElement]) -> str:
    shown = list(dict.fromkeys(each.shown for each in elements if each.shown))
    same = [each for each in shown if folded(each) == folded(name)]
    near = f"did you mean `{same[0]}`?" if same else did_you_mean(name, [*shown, *(each.name for each in elements)])
    return near or f"it has {listed(shown) or 'none'}"

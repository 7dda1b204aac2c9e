"""Elements of running processes against what the target's processes have.

An element is executed by the id that it has in one run of its process [C][S]. The id of its design, which every run
shares, executes nothing; the name leads to the right one.
"""

from collections.abc import Collection, Iterator

from runner.catalogue.model import Catalogue, Process, ProcessElement
from runner.foundation.near_misses import folded
from runner.foundation.problems import Problem, Severity
from runner.foundation.sentences import MOST
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import Path
from runner.job.outline import Outline
from runner.lint.uses import Named, element_ids, element_names, named_elements, process_named, starts
from runner.reading.document import Document

NEVER_EXECUTED = "FlowIteratorGateway"
"""The vendor shows no button for it [C]: it goes through items by itself."""


def check(
    document: Document, known: Outline, catalogue: Catalogue | None, *, started: Collection[str] = ()
) -> Iterator[Problem]:
    """Every element of the document that no run of its process has, or that is named by the id of its design."""
    own = [one for code in sorted(started) if catalogue is not None and (one := catalogue.processes.get(code))]
    for step in known.steps:
        for at, uid in element_ids(step):
            yield _written_out(document, at, uid, known=known, catalogue=catalogue)
        for at, name in element_names(step):
            for process in own:
                if meant := matching(process, name):
                    hint = form_at(at, meant[0].shown, known, process.code)
                    yield document.problem("E113", f"`{name}` is not a GUID", path=at, hint=hint)
                    break
        for named in named_elements(step) if catalogue is not None else ():
            code = process_named(named.of, step, known)
            process_known = catalogue.processes.get(code) if catalogue is not None and code is not None else None
            if process_known is not None and "{{" not in named.name:
                yield from _named(document, named, process_known)


def matching(process: Process, name: str) -> list[ProcessElement]:
    """The elements of a process that a name leads to: its caption, its code, or the id of its design."""
    wanted = name.strip().casefold()
    return [one for one in process.elements or () if wanted in (one.caption.casefold(), one.name.casefold(), one.uid)]


def form_at(at: Path, name: str, known: Outline, process: str | None = None) -> str:
    """How an element is written at this place that is named in the process that a step has started."""
    of = f'of: "{{{{ steps.{started_by(known, process)}.process_id }}}}"'
    if "elements" in at:
        return f"write `elements: {{{of}, chain: [{name}, …]}}`"
    return f"write `element: {{{of}, name: {name}}}`"


def started_by(known: Outline, process: str | None) -> str:
    """The id of the step that starts a process, or any where `process` is None; `ID` where none has one."""
    for name, declared in known.by_id.items():
        if any(process in (code, None) for _, code, _ in starts(declared.step)):
            return name
    return "ID"


def _written_out(document: Document, at: Path, uid: str, *, known: Outline, catalogue: Catalogue | None) -> Problem:
    """An id that is written out: it is that of a design, or of one run, which no other has."""
    for process in catalogue.processes.values() if catalogue is not None else ():
        for element in process.elements or ():
            if element.uid == uid:
                message = f"`{uid}` is the id of `{element.shown}` in the design of `{process.code}`: no run has it"
                return document.problem("E172", message, path=at, hint=form_at(at, element.shown, known, process.code))
    message = f"the id `{uid}` is written out, and an element has another in each run of its process"
    hint = form_at(at, "CAPTION", known)
    return document.problem("E172", message, path=at, hint=hint, severity=Severity.WARNING)


def _named(document: Document, named: Named, process: Process) -> Iterator[Problem]:
    if process.elements is None:
        return
    found = matching(process, named.name)
    if not found:
        calls_others = any("SubProcess" in one.kind or "CallActivity" in one.kind for one in process.elements)
        severity = Severity.WARNING if calls_others else Severity.ERROR
        message = f"`{process.code}` has no element `{named.name}`"
        yield document.problem("E149", message, path=named.at, hint=_meant(named.name, process), severity=severity)
    elif len({one.uid for one in found}) > 1:
        message = f"`{named.name}` leads to {len(found)} elements of `{process.code}`"
        hint = f"name one by its code: {' or '.join(f'`{one.name}`' for one in found[:MOST])}"
        yield document.problem("E149", message, path=named.at, hint=hint)
    elif NEVER_EXECUTED in found[0].kind:
        message = f"`{named.name}` of `{process.code}` goes through items by itself: nobody executes it"
        yield document.problem("E149", message, path=named.at, hint="name an element inside it")


def _meant(name: str, process: Process) -> str:
    elements = process.elements or ()
    shown = list(dict.fromkeys(one.shown for one in elements if one.shown))
    same = [one for one in shown if folded(one) == folded(name)]
    near = f"did you mean `{same[0]}`?" if same else did_you_mean(name, [*shown, *(one.name for one in elements)])
    listed = ", ".join(f"`{one}`" for one in shown[:MOST]) + (", …" if len(shown) > MOST else "")
    return near or (f"it has {listed}" if shown else "it has none")

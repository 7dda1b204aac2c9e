"""The elements of a running process: to which of them a name leads, and whether it may be executed.

An element is executed by the id that it has in an instance, never by that of its design, which all instances share
[C][S]. The engine's own store holds what waits, whatever is logged; the log of elements has captions, and what was
executed before; it is empty where tracing is off.
"""

from collections.abc import Iterable

from msgspec import Struct, convert
from msgspec.structs import replace

from runner.engine import process_log, readings
from runner.engine.attempt import Attempt, not_passed
from runner.engine.effects import Running
from runner.engine.perform import Backoff
from runner.engine.process_log import has_ended
from runner.engine.readings import Unread
from runner.engine.state import ElementInstance, OpenRow, State
from runner.foundation.durations import format_duration
from runner.foundation.sentences import first_few, listed
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import JsonObject, is_guid, yaml_flow
from runner.job.actions import ElementName
from runner.job.model import RetryOn
from runner.runs.process_status import ENDED_BADLY, KNOWN
from runner.runs.status import Status
from runner.service.calls import FailureKind, LogRow, ReadElementData, ReadElements

MAY_BE_EXECUTED = frozenset({"running", "error"})
"""The vendor shows its own button for these [C], for the second while the process is not cancelled."""
GONE = "gone"  # the status of an element that the engine's store held, and holds no more
NEVER_EXECUTED = "FlowIteratorGateway"  # the kind of element that the vendor shows no button for [C]
_MOST_SHOWN = 5
_SHORT = 60


class WantedElement(Struct, frozen=True, kw_only=True):
    """The element `name` of the process `process_id`, and how it is waited for."""

    process_id: str
    name: str
    how: ElementName


class _Elements(Struct, frozen=True, kw_only=True):
    """What a look at a process shows of its elements. `fitting` are those that the name leads to, newest first."""

    fitting: tuple[ElementInstance, ...]
    all: tuple[ElementInstance, ...]

    @property
    def ready(self) -> tuple[ElementInstance, ...]:
        """The elements that may be executed now."""
        return tuple(each for each in self.fitting if each.status in MAY_BE_EXECUTED)


def find(row: OpenRow, wanted: WantedElement) -> Running[ElementInstance | Attempt]:
    """Wait for the element that the name leads to, until it may be executed, or was; else say why there is none."""
    follow = row.step.follow
    pauses = Backoff(next=wanted.how.every, longest=wanted.how.max_every, deadline=row.t + follow)
    absent = replace(pauses, deadline=row.t + row.state.run.plan.times.settle)
    process: LogRow | Unread | None = None
    while True:
        ended = isinstance(process, LogRow) and has_ended(process)
        with row.reading_until(row.t + follow):
            seen = yield from _look(row, wanted)
        if isinstance(seen, Unread) and (readings.is_for_good(seen.failure) or pauses.is_over(row)):
            return _unread(seen)
        chosen = _chosen(row, seen, wanted) if isinstance(seen, _Elements) else None
        if isinstance(chosen, Attempt) or (chosen is not None and chosen.status != "error"):
            return chosen
        if isinstance(process, LogRow) and ended and isinstance(seen, _Elements):  # another look since then
            return _over(row, process, seen, wanted)
        with row.reading_until(row.t + follow):
            process = yield from _process(row, wanted)
        if chosen is not None and not (isinstance(process, LogRow) and process.status == "cancelled"):
            return chosen
        if isinstance(process, LogRow) and has_ended(process) and not ended:
            continue
        if process is None and isinstance(seen, _Elements) and not seen.all and absent.is_over(row):
            message = f"the process log shows no process {wanted.process_id}, and no element of it waits"
            return _failed("E220", message, "check the process id of `of`", wanted)
        if pauses.is_over(row):
            return _too_late(row, seen, wanted)
        yield from pauses.wait(row)


def look_again(row: OpenRow, process_id: str, before: ElementInstance) -> Running[ElementInstance | None]:
    """The element `before` as it is now; None where nothing shows it."""
    logged_rows = yield from readings.elements_in(row, ReadElements(process_id=process_id))
    logged = next((each for each in _instances(logged_rows) if each.id == before.id), None)
    if logged is not None and logged.status in KNOWN and logged.status not in MAY_BE_EXECUTED:
        return logged
    stored_rows = yield from readings.elements_in(row, ReadElementData(process_id=process_id))
    if isinstance(stored_rows, Unread):
        return logged
    stored = next((each for each in _instances(stored_rows, stored=True) if each.id == before.id), None)
    if stored is not None and logged is not None and logged.status not in KNOWN:
        return stored
    if logged is None and stored is None and before.stored:
        return replace(before, status=GONE)
    seen = [each for each in (logged, stored) if each is not None]
    return next((each for each in seen if each.status != before.status), seen[0] if seen else None)


def no_guid(what: str, value: str) -> Attempt:
    """Nothing is sent for an id that a template gave and that is no GUID."""
    shown = value if len(value) <= _SHORT else value[:_SHORT] + "…"
    return not_passed("E113", f"{what} is `{shown}`, which is no GUID", "an id has 8-4-4-4-12 hexadecimal digits")


def _look(row: OpenRow, wanted: WantedElement) -> Running[_Elements | Unread]:
    """Look for the elements that the name leads to: a caption, a code, or the id of a design.

    The log is read only where the store does not show an element that waits.
    """
    uids = _designs(row.state, wanted.name)
    waiting = yield from readings.elements_in(row, ReadElementData(process_id=wanted.process_id))
    if isinstance(waiting, Unread) and waiting.failure.kind is FailureKind.NOT_SENT:
        return waiting  # nor would the log of elements be reached
    stored = _instances(waiting, stored=True)
    fitting = tuple(each for each in stored if each.uid in uids)
    if any(each.status in MAY_BE_EXECUTED for each in fitting):
        return _Elements(fitting=fitting, all=stored)
    logged_rows = yield from readings.elements_in(row, ReadElements(process_id=wanted.process_id))
    if isinstance(logged_rows, Unread) and (isinstance(waiting, Unread) or not uids):
        return logged_rows  # only the log has captions
    logged = _instances(logged_rows)
    called = [each for each in logged if each.uid in uids or _is_called(each.caption, wanted.name)]
    uids |= {each.uid for each in called if each.uid is not None}
    ids = {each.id for each in called if each.status in KNOWN}
    own = {each.id: each for each in stored if each.uid in uids and each.id not in ids}
    return _Elements(fitting=(*own.values(), *(each for each in called if each.id not in own)), all=logged or stored)


def _process(row: OpenRow, wanted: WantedElement) -> Running[LogRow | Unread | None]:
    """The process's row of the log, if any."""
    if row.log.refusal is not None:
        return Unread(row.log.refusal)
    return (yield from process_log.row_of(row, wanted.process_id))


def _chosen(row: OpenRow, seen: _Elements, wanted: WantedElement) -> ElementInstance | Attempt | None:
    """The element that the name leads to; None where it is not there yet."""
    executed = row.state.run.executed
    ready = [each for each in seen.ready if each.status == "error" or executed.get(each.id, row.key) == row.key]
    if len({each.uid for each in seen.fitting}) > 1 or len(ready) > 1:
        return _ambiguous(row, seen, wanted)
    if any(NEVER_EXECUTED in _kind(row.state, each) for each in seen.fitting):
        message = f"`{wanted.name}` goes through items by itself ({NEVER_EXECUTED}): nobody executes it"
        return _failed("E221", message, "name an element inside it", wanted)
    if ready:  # but not what another row has executed, and what shows that late
        return ready[0]
    return next(
        (each for each in seen.fitting if each.status == "done" and executed.get(each.id, row.key) == row.key), None
    )


def _ambiguous(row: OpenRow, seen: _Elements, wanted: WantedElement) -> Attempt:
    several = seen.ready if len(seen.ready) > 1 else seen.fitting
    shown = ", ".join(dict.fromkeys(f"{_shown(row.state, each)} ({each.uid or each.id})" for each in several))
    message = f"`{wanted.name}` leads to {len(several)} elements of process {wanted.process_id}: {shown}"
    same = len({each.uid for each in several}) == 1
    hint = "take the id of the right element from a step's result" if same else "name it by the id in brackets"
    return _failed("E221", message, hint, wanted)


def _over(row: OpenRow, process: LogRow, seen: _Elements, wanted: WantedElement) -> Attempt:
    message = f"the process has ended as `{process.status}`, and `{wanted.name}` cannot be executed any more"
    hint = _near(row.state, seen, wanted) or f"{_pull(row)} writes down which elements the process has"
    if process.status in ENDED_BADLY:
        hint = "look in the process log of the site why it failed, or who cancelled it"
    if row.state.run.plan.target.sandbox and not seen.all:
        hint = "write an `element` into the double of the process, or take its `if: false` away"
    if seen.fitting:
        hint = "leave the step out, or start the process once more"
    return _failed("E220", message + _besides(row.state, seen), hint, wanted)


def _too_late(row: OpenRow, seen: _Elements | Unread, wanted: WantedElement) -> Attempt:
    message = f"after {format_duration(row.step.follow)} no element `{wanted.name}` of the process waits to be executed"
    hint = (
        "write a longer `timeout` to wait longer; a caption is found only in the log of elements, or in a catalogue: "
        f"{_pull(row)} writes it"
    )
    if isinstance(seen, Unread):
        return _failed("E220", message, hint, wanted)
    if any(each.id in row.state.run.executed for each in seen.fitting):
        message += "; that it was executed counts for another row of this run, and it has not come again"
        hint = "leave out the second execution, or execute first what the process waits for"
    else:
        hint = (
            _near(row.state, seen, wanted)
            or _hint_on_sub_process(row.state, seen)
            or _hint_on_running(row.state, seen, wanted)
            or hint
        )
    return _failed("E220", message + _besides(row.state, seen), hint, wanted)


def _pull(row: OpenRow) -> str:
    return f"`runner catalog pull -t {row.state.run.plan.target.name}`"


def _near(state: State, seen: _Elements, wanted: WantedElement) -> str | None:
    """The hint that asks for an element of the process that is called nearly so, if any."""
    return None if seen.fitting else did_you_mean(wanted.name, [_shown(state, each) for each in seen.all])


def _hint_on_sub_process(state: State, seen: _Elements) -> str | None:
    running = [each for each in seen.all if each.status == "running" and each not in seen.fitting]
    within = [_shown(state, each) for each in running if "SubProcess" in _kind(state, each)]
    find = 'a `query` of SysProcessLog with `filter: "Parent/Id eq {{ steps.ID.process_id }}"` finds its id'
    where = f"the process is in its sub-process {listed(within)}, whose elements are of a process of its own"
    return f"{where}: {find}" if within else None


def _hint_on_running(state: State, seen: _Elements, wanted: WantedElement) -> str | None:
    """The element that the process is at, where that is another, is the likeliest reason."""
    running = [_shown(state, each) for each in seen.all if each.status == "running" and each not in seen.fitting]
    if len(running) != 1:
        return None
    chain = f"`chain: [{', '.join(map(yaml_flow, (running[0], wanted.name)))}]`"
    return f"the process is at `{running[0]}`: execute that first, as in {chain}, or write a longer `timeout`"


def _besides(state: State, seen: _Elements) -> str:
    if not seen.all:
        return "; it shows no element at all"
    shown = [f"{_shown(state, each)} ({each.status})" for each in seen.all]
    return f"; its elements: {first_few(shown, _MOST_SHOWN)}"


def _unread(unread: Unread) -> Attempt:
    trouble = unread.failure.trouble
    message = f"the elements of the process cannot be read: {trouble.message}"
    hint = trouble.hint or "the user needs to read SysProcessElementData or SysProcessElementLog through OData"
    again = None if unread.failure.final or readings.is_for_good(unread.failure) else RetryOn.NOT_SENT
    return replace(not_passed("E220", message, hint, status=Status.ERROR), again=again)


def _failed(code: str, message: str, hint: str, wanted: WantedElement) -> Attempt:
    return replace(not_passed(code, message, hint), process_id=wanted.process_id)


def _shown(state: State, element: ElementInstance) -> str:
    designs = (design.shown for design in state.run.plan.elements if design.uid == element.uid)
    return element.caption or next(designs, None) or element.uid or element.id


def _kind(state: State, element: ElementInstance) -> str:
    return element.kind or next((each.kind for each in state.run.plan.elements if each.uid == element.uid), "")


def _designs(state: State, name: str) -> set[str]:
    """The ids of the designs that `name` leads to, as far as they were known when the run was planned."""
    if is_guid(name):
        return {name.lower()}
    return {design.uid for design in state.run.plan.elements if name.strip().casefold() in design.names}


def _is_called(caption: str | None, name: str) -> bool:
    return bool(caption) and (caption or "").strip().casefold() == name.strip().casefold()


def _instances(rows: "Iterable[JsonObject] | Unread", *, stored: bool = False) -> tuple[ElementInstance, ...]:
    known = [] if isinstance(rows, Unread) else [found for found in rows if found.get("id") is not None]
    return tuple(convert({**found, "stored": stored}, ElementInstance) for found in known)


RESULTS = "ask for a result with `results`: then the service does not queue the process, and its answer has the id"
_MAY_RUN = "a process that was started and not verified may still run at the site"
_RUN = f"start the process with `run` in place of `execute`, and {RESULTS}"


def no_process_id(template: str, given: str) -> Attempt:
    """The mistake of a text that is no process id: null where nothing shows the process that a step has started."""
    if given != "null":
        return no_guid("the process's id", given)
    return not_passed("E113", f"the process's id is not known: `{template}` is null; {_MAY_RUN}", _RUN)

"""PendingRun for an element of a running process until it is there and may be executed, or cannot be any more."""

from dataclasses import dataclass

from runner.engine import instances, process_log
from runner.engine.attempt import Attempt
from runner.engine.effects import Pause, Running
from runner.engine.following import GROWTH, has_ended
from runner.engine.instance import Instance
from runner.engine.instances import NEVER_EXECUTED, Look
from runner.engine.perform import perform
from runner.engine.process_log import Unread
from runner.engine.state import OpenRow, State
from runner.foundation.values import JsonObject
from runner.job.actions import ElementName
from runner.job.model import RetryOn, Step
from runner.runs.events import Status, Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The element `name` of the process `process_id`, and how it is waited for."""

    process_id: str
    name: str
    how: ElementName


def found(state: State, row: OpenRow, step: Step, wanted: Wanted) -> Running[Instance | Attempt]:
    """The element that the name leads to: it may be executed, or was before. Else why there is none to execute."""
    deadline, wait = state.t + step.follow, wanted.how.every
    process: JsonObject | None = None
    while True:
        ended = process is not None and has_ended(process)
        with row.reading_until(state.t + step.follow):
            seen = yield from instances.look(state, row.key, wanted.process_id, name=wanted.name)
        if isinstance(seen, Unread) and (process_log.is_for_good(seen.failure) or state.t >= deadline):
            return _unread(seen)
        chosen = _chosen(state, row, seen, wanted) if isinstance(seen, Look) else None
        if isinstance(chosen, Attempt) or (chosen is not None and chosen.status != "error"):
            return chosen
        if process is not None and ended and isinstance(seen, Look):  # it was looked at once more since it has ended
            return _over(state, process, seen, wanted)
        with row.reading_until(state.t + step.follow):
            process = yield from _row_of(state, row.key, wanted.process_id)
        if chosen is not None and (process is None or process["status"] != "cancelled"):
            return chosen
        if process is not None and has_ended(process) and not ended:
            continue
        if state.t >= deadline:
            return _too_late(state, step, seen, wanted)
        yield from perform(state, Pause(key=row.key, seconds=min(wait, deadline - state.t)))
        wait = min(wait * GROWTH, wanted.how.max_every)


def _row_of(state: State, key: str, process_id: str) -> Running[JsonObject | None]:
    """The process's row of the log; None where there is none, or it cannot be read."""
    if state.log.refusal is not None:
        return None
    read = yield from process_log.row_of(state, key, process_id)
    return read if isinstance(read, dict) else None


def _chosen(state: State, row: OpenRow, seen: Look, wanted: Wanted) -> Instance | Attempt | None:
    """The one that is meant; None where it is not there yet."""
    if len({one.uid for one in seen.fitting}) > 1 or len(seen.ready) > 1:
        return _ambiguous(state, seen, wanted)
    if any(NEVER_EXECUTED in instances.kind_of(state, one) for one in seen.fitting):
        message = f"`{wanted.name}` goes through items by itself ({NEVER_EXECUTED}): nobody executes it"
        return _failed("E221", message, wanted, hint="name an element inside it")
    if seen.ready:
        return seen.ready[0]
    own = row.element.before.id if row.element is not None else None
    done = [one for one in seen.fitting if one.status == "done"]
    return next((one for one in done if one.id == own or one.id not in state.run.executed), None)


def _ambiguous(state: State, seen: Look, wanted: Wanted) -> Attempt:
    several = seen.ready if len(seen.ready) > 1 else seen.fitting
    shown = ", ".join(dict.fromkeys(f"{instances.shown_name(state, one)} ({one.uid or one.id})" for one in several))
    same = len({one.uid for one in several}) == 1
    message = f"`{wanted.name}` leads to {len(several)} elements of process {wanted.process_id}: {shown}"
    hint = "take the id of the one that is meant out of a step's result" if same else "name one by the id of its design"
    return _failed("E221", message, wanted, hint=hint)


def _over(state: State, process: JsonObject, seen: Look, wanted: Wanted) -> Attempt:
    status = process["status"]
    message = f"the process has ended as `{status}`, and `{wanted.name}` cannot be executed any more"
    hint = "`runner catalog` lists the elements of a process; by the log of elements a process names what it passed"
    return _failed("E220", message + _besides(state, seen), wanted, hint=hint)


def _too_late(state: State, step: Step, seen: Look | Unread, wanted: Wanted) -> Attempt:
    message = f"after {step.follow:.0f} s no element `{wanted.name}` of the process waits to be executed"
    hint = "a longer `timeout` waits longer; a caption is found where the log of elements, or a catalogue, tells it"
    if isinstance(seen, Look) and any(one.id in state.run.executed for one in seen.fitting):
        message += "; this run has executed it already, and it has not come again"
        hint = "leave out the second execution, or execute first what the process waits for"
    return _failed("E220", message + (_besides(state, seen) if isinstance(seen, Look) else ""), wanted, hint=hint)


def _besides(state: State, seen: Look) -> str:
    others = seen.others(state)
    return f"; its elements: {others}" if others else "; it shows no element at all"


def _unread(unread: Unread) -> Attempt:
    trouble = unread.failure.trouble
    message = f"the elements of the process cannot be read: {trouble.message}"
    hint = trouble.hint or "the user needs to read SysProcessElementData or SysProcessElementLog through OData"
    told = Trouble(code="E220", message=message, hint=hint)
    return Attempt(status=Status.ERROR, trouble=told, again=None if unread.failure.final else RetryOn.NOT_SENT)


def _failed(code: str, message: str, wanted: Wanted, *, hint: str) -> Attempt:
    trouble = Trouble(code=code, message=message, hint=hint)
    return Attempt(status=Status.FAILED, trouble=trouble, process_id=wanted.process_id)

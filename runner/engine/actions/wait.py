"""A `wait`: follows one process until what is waited for has happened, or cannot happen any more."""

from runner.engine import process_log
from runner.engine.actions.element import no_guid
from runner.engine.answer import judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Pause, Running
from runner.engine.following import GROWTH, has_ended
from runner.engine.perform import perform
from runner.engine.process_log import Unread
from runner.engine.state import OpenRow, State
from runner.engine.verdict import failed
from runner.foundation.guids import is_guid
from runner.foundation.values import JsonObject
from runner.job.actions import Wait, WaitFor
from runner.job.model import Step
from runner.runs.events import Status, Trouble


def attempt_wait(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Look at the process, more and more seldom, until it is where it should be."""
    action = step.action
    assert isinstance(action, Wait)
    process_id = state.names.text(action.process_id, f"{row.key}.process_id")
    if not is_guid(process_id):
        return no_guid("the process's id", process_id)
    deadline, wait = state.t + step.follow, action.every
    while True:
        with row.reading_until(state.t + step.follow):
            read = yield from process_log.row_of(state, row.key, process_id)
        if isinstance(read, Unread) and state.log.refusal is not None:
            return _unread(read)
        seen = read if isinstance(read, dict) else None
        if seen is not None and (done := (yield from _is_there(state, row, action, seen))) is not None:
            return _attempt(state, row, step, seen) if done else _missed(action, seen)
        if state.t >= deadline:
            return _too_late(step, action, seen)
        yield from perform(state, Pause(key=row.key, seconds=min(wait, deadline - state.t)))
        wait = min(wait * GROWTH, action.max_every)


def _is_there(state: State, row: OpenRow, action: Wait, seen: JsonObject) -> Running[bool | None]:
    """True: what is waited for has happened; False: it cannot happen any more; None: not yet."""
    ended = has_ended(seen)
    match action.wanted:
        case WaitFor.ENDED:
            return True if ended else None
        case WaitFor.COMPLETED:
            return (seen["status"] == "done") if ended else None
        case WaitFor.PARKED:
            if ended:
                return False
            elements = yield from process_log.elements_of(state, row.key, str(seen["id"]))
            return True if any(element.get("status") == "running" for element in elements) else None


def _attempt(state: State, row: OpenRow, step: Step, seen: JsonObject) -> Attempt:
    process_id, status = str(seen["id"]), seen["status"]
    told: JsonObject = {"process_status": status, "process_id": process_id}
    return judged(state, row, step, dict(seen), seen=told).of_process(process_id, status=str(status), verified=True)


def _missed(action: Wait, seen: JsonObject) -> Attempt:
    process_id = str(seen["id"])
    if seen["status"] in ("error", "cancelled"):
        found = failed(seen, process_id)
        return Attempt(
            status=Status.FAILED,
            result=dict(seen),
            trouble=found.trouble,
            process_id=process_id,
            failed_row=found.failed_row,
        )
    message = f"the process has ended as `{seen['status']}`, and can not be {action.wanted} any more"
    return Attempt(
        status=Status.FAILED,
        result=dict(seen),
        trouble=Trouble(code="E208", message=message),
        process_id=process_id,
    )


def _too_late(step: Step, action: Wait, seen: JsonObject | None) -> Attempt:
    waited = f"after {step.follow:.0f} s"
    if seen is None:
        message = f"the process log shows no process of this id {waited}"
        hint = "check the id; a process that is not kept in the log cannot be waited for"
    elif action.wanted is WaitFor.PARKED:
        message = f"the process still runs {waited}, and the log of its elements shows none that waits"
        hint = "that log is empty where the tracing of the process is switched off"
    else:
        message = f"the process still runs {waited}"
        hint = "a longer `timeout` waits longer; a process that waits for a person needs its element executed"
    process_id = str(seen["id"]) if seen else None
    trouble = Trouble(code="E208", message=message, hint=hint)
    return Attempt(status=Status.FAILED, result=dict(seen) if seen else None, trouble=trouble, process_id=process_id)


def _unread(read: Unread) -> Attempt:
    message = f"`wait` reads the process log, and it cannot be read: {read.failure.trouble.message}"
    return Attempt(status=Status.ERROR, trouble=Trouble(code="E208", message=message, hint=read.failure.trouble.hint))

"""A `wait`: follows one process until what is waited for has happened, or cannot happen any more."""

from msgspec.structs import replace

from runner.engine import process_log
from runner.engine.actions.cancel import of_log_row
from runner.engine.answer import process_failed
from runner.engine.attempt import Attempt, not_passed
from runner.engine.effects import Running
from runner.engine.perform import Backoff
from runner.engine.process_ids import no_process_id
from runner.engine.process_log import Unread, has_ended
from runner.engine.state import OpenRow
from runner.engine.verdict import strange_status
from runner.foundation.durations import written
from runner.foundation.guids import is_guid
from runner.foundation.values import JsonObject
from runner.job.actions import Wait, WaitFor
from runner.runs.process_status import ENDED_BADLY, KNOWN
from runner.runs.status import Status
from runner.service.calls import ReadElements


def attempt_wait(row: OpenRow) -> Running[Attempt]:
    """Look at the process, more and more seldom, until it is where it should be."""
    action, follow = row.step.action, row.step.follow
    assert isinstance(action, Wait)
    process_id = row.text(action.process_id, "process_id")
    if not is_guid(process_id):
        return no_process_id(row, action.process_id, process_id)
    looks = Backoff(next=action.every, longest=action.max_every, deadline=row.t + follow)
    while True:
        with row.reading_until(row.t + follow):
            read = yield from process_log.row_of(row, process_id)
        if isinstance(read, Unread) and row.log.refusal is not None:
            message = f"`wait` reads the process log, and it cannot be read: {read.failure.trouble.message}"
            return not_passed("E208", message, read.failure.trouble.hint, status=Status.ERROR)
        found = read if isinstance(read, dict) else None
        if found is not None and (done := (yield from _is_there(row, action, found))) is not None:
            return of_log_row(row, found) if done else _missed(action, found)
        if looks.is_over(row):
            return _too_late(row, action, found)
        yield from looks.wait(row)


def _is_there(row: OpenRow, action: Wait, found: JsonObject) -> Running[bool | None]:
    """True: what is waited for has happened; False: it cannot happen any more; None: not yet."""
    if found["status"] not in KNOWN:
        return None if found["status"] is None else False
    ended = has_ended(found)
    match action.wanted:
        case WaitFor.ENDED:
            return True if ended else None
        case WaitFor.COMPLETED:
            return (found["status"] == "done") if ended else None
        case WaitFor.PARKED:
            if ended:
                return False
            elements = yield from process_log.elements_in(row, ReadElements(process_id=str(found["id"])))
            shown = [] if isinstance(elements, Unread) else elements  # none where tracing is off
            return True if any(element.get("status") == "running" for element in shown) else None


def _missed(action: Wait, found: JsonObject) -> Attempt:
    if found["status"] in ENDED_BADLY:
        return replace(process_failed(found), result=dict(found), verified=None, process_status=None)
    if found["status"] not in KNOWN:
        return replace(not_passed("E208", strange_status(found["status"])), result=dict(found))
    message = f"the process has ended as `{found['status']}`, and cannot be {action.wanted} any more"
    return replace(not_passed("E208", message), result=dict(found), process_id=str(found["id"]))


def _too_late(row: OpenRow, action: Wait, found: JsonObject | None) -> Attempt:
    waited = f"after {written(row.step.follow)}"
    if found is None:
        hint = "check the id; a process that is not written into the log cannot be waited for"
        return not_passed("E208", f"the process log shows no process of this id {waited}", hint)
    if found["status"] is None:
        message = f"{strange_status(None)} {waited}"
        hint = "check that the user may read all columns of SysProcessLog"
        return replace(not_passed("E208", message, hint), result=dict(found), process_id=str(found["id"]))
    message = f"the process still runs {waited}"
    hint = "write a longer `timeout` to wait longer; a process that waits for a person needs its element executed"
    if action.wanted is WaitFor.PARKED:
        message = f"the process still runs {waited}, and the log of its elements shows none that waits"
        hint = "check the tracing of the process: that log is empty where it is switched off"
    return replace(not_passed("E208", message, hint), result=dict(found), process_id=str(found["id"]))

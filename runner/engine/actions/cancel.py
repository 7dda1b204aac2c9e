"""A `cancel`: ends a process that runs or is in error, by its id; to cancel twice is to cancel once.

The log is read before and after: CancelExecution answers with nothing [C].
"""

from msgspec import to_builtins
from msgspec.structs import replace

from runner.engine import process_log
from runner.engine.answer import judged
from runner.engine.attempt import Attempt, call_failed, not_passed
from runner.engine.effects import Failed, Running
from runner.engine.elements import no_process_id
from runner.engine.perform import Backoff, send
from runner.engine.process_log import FIRST_LOOK, GONE, LAST_LOOK
from runner.engine.readings import Unread
from runner.engine.state import OpenRow
from runner.engine.verdict import strange_status
from runner.foundation.values import is_guid
from runner.job.actions import Cancel
from runner.job.model import RetryOn, Verify
from runner.runs.status import Status
from runner.service.calls import CallFailed, CancelCall, FailureKind, LogRow

_OVER = frozenset({"done", "cancelled"})
"""The statuses of a process that leave nothing to cancel: CancelExecution is for what runs or is in error [S]."""
_ALIVE = {"running": "still runs", "error": "is still in error"}


def attempt_cancel(row: OpenRow) -> Running[Attempt]:
    """Cancel the process, unless the log says that it is over already."""
    action = row.step.action
    assert isinstance(action, Cancel)
    process_id = row.text(action.process_id, "process_id")
    if not is_guid(process_id):
        return no_process_id(action.process_id, process_id)
    before: LogRow | Unread | None = None
    if row.reads_log:
        with row.reading_until(row.t + row.attempt_seconds):
            before = yield from process_log.row_of(row, process_id)
        if isinstance(before, Unread) and before.failure.kind is FailureKind.NOT_SENT:
            return Attempt(status=Status.ERROR, trouble=before.failure.trouble, again=RetryOn.NOT_SENT)
        if isinstance(before, LogRow) and _is_over(before):
            return judge_log_row(row, before)
    outcome = yield from send(row, CancelCall(process_id=process_id))
    failure = outcome.failure if isinstance(outcome, Failed) else None
    if failure is not None and failure.kind is not FailureKind.UNANSWERED:
        return call_failed(failure, row.step.effect)
    return (yield from _verified(row, process_id, failure, before=before))


def judge_log_row(row: OpenRow, found: LogRow) -> Attempt:
    process = Attempt(verified=True, process_id=found.id, process_status=str(found.status))
    return judged(row, to_builtins(found), process).with_process(process)


def _is_over(found: LogRow) -> bool:
    return found.status in _OVER


def _verified(
    row: OpenRow, process_id: str, failure: CallFailed | None, *, before: LogRow | Unread | None
) -> Running[Attempt]:
    """What the log says afterwards. A call that was not answered has happened where the process is over."""
    found: LogRow | Unread | None = None
    if row.reads_log:
        looks = Backoff(next=FIRST_LOOK, longest=LAST_LOOK, deadline=row.t + row.state.run.plan.times.settle)
        last = before if isinstance(before, LogRow) else None
        found = yield from process_log.follow(row, process_id, looks, until=_is_over, last=last)
        if isinstance(found, LogRow) and found.status == "cancelling":
            looks = Backoff(next=LAST_LOOK, longest=LAST_LOOK, deadline=row.t + row.attempt_seconds)
            found = yield from process_log.follow(row, process_id, looks, until=_is_over, last=found)
    if isinstance(found, LogRow) and _is_over(found):
        return judge_log_row(row, found)
    if failure is not None:
        return call_failed(failure, row.step.effect)
    return _not_cancelled(found) if isinstance(found, LogRow) else _not_verified(row, process_id, found)


def _not_cancelled(found: LogRow) -> Attempt:
    if found.status in (GONE, None):
        return not_passed("E208", f"not verified: {strange_status(found.status)}", status=Status.ERROR)
    if found.status == "cancelling":
        message = "not verified: the service is cancelling the process, which has not stopped yet"
        return not_passed("E208", message, "a longer `timeout` waits for that", status=Status.ERROR)
    is_alive = _ALIVE.get(str(found.status), f"has the status {found.status}")
    message = f"the process {is_alive}, although the service took the call to cancel it"
    hint = (
        "check that the user has the operation right `CanCancelProcess`, "
        "and that no other process has started this process: then cancel that"
    )
    return replace(not_passed("E217", message, hint), result=to_builtins(found), verified=False, process_id=found.id)


def _not_verified(row: OpenRow, process_id: str, found: Unread | None) -> Attempt:
    """`verify` decides on an unreadable log. A log without the process shows a wrong id, unless the service gave it."""
    if row.step.verify is Verify.NONE:
        return judged(row, None)
    if found is None and row.log.refusal is None:
        message = "the process log shows no process of this id"
        if process_id in row.log.called_at:
            hint = "the service gave this id, so that its row may come later: look at the process log of the site"
            return not_passed("E208", f"not verified: {message}", hint, status=Status.ERROR)
        hint = "check the id; `verify: none` cancels a process that is not written into the log"
        return not_passed("E217", message, hint)
    why = "the process log cannot be read"
    if row.step.verify is Verify.LOG:
        return not_passed("E208", f"not verified: {why}", status=Status.ERROR)
    return judged(row, None).warned(f"not verified: {why}")

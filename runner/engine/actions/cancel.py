"""A `cancel`: ends one process that runs or is in error, by its id.

The log says before whether there is anything to cancel, and afterwards whether it was: CancelExecution answers with
nothing [C]. To cancel twice is to cancel once.
"""

from runner.engine import process_log
from runner.engine.actions.element import no_guid
from runner.engine.answer import NOT_READ, judged
from runner.engine.attempt import Attempt, of_failed_call
from runner.engine.effects import Failed, Running, Send
from runner.engine.following import Looks, follow
from runner.engine.perform import perform
from runner.engine.process_log import Unread
from runner.engine.state import OpenRow, State
from runner.engine.verdict import FIRST_LOOK, LAST_LOOK
from runner.foundation.guids import is_guid
from runner.foundation.values import JsonObject
from runner.job.actions import Cancel
from runner.job.model import RetryOn, Step, Verify
from runner.runs.events import Status, Trouble
from runner.service.calls import CallFailed, CancelCall, FailureKind

_OVER = frozenset({"done", "cancelled"})
"""The statuses of a process that leave nothing to cancel: CancelExecution is for what runs or is in error [S]."""
_ALIVE = {"running": "still runs", "error": "is still in error"}


def attempt_cancel(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Cancel the process, where the log does not say that it is over already."""
    action = step.action
    assert isinstance(action, Cancel)
    process_id = state.names.text(action.process_id, f"{row.key}.process_id")
    if not is_guid(process_id):
        return no_guid("the process's id", process_id)
    if _is_read(state, step):
        with row.reading_until(state.t + state.attempt_seconds(row, step)):
            before = yield from process_log.row_of(state, row.key, process_id)
        if isinstance(before, Unread) and before.failure.kind is FailureKind.NOT_SENT:
            return Attempt(status=Status.ERROR, trouble=before.failure.trouble, again=RetryOn.NOT_SENT)
        if isinstance(before, dict) and _is_over(before):
            return _passed(state, row, step, before)
    call = CancelCall(process_id=process_id)
    seconds = state.attempt_seconds(row, step)
    send = Send(key=row.key, call=call, effect=step.effect, seconds=seconds, secret=step.secret)
    outcome = yield from perform(state, send)
    failure = outcome.failure if isinstance(outcome, Failed) else None
    if failure is not None and failure.kind is not FailureKind.UNANSWERED:
        return of_failed_call(failure, step.effect)
    return (yield from _verified(state, row, step, process_id=process_id, failure=failure))


def _is_read(state: State, step: Step) -> bool:
    return step.verify is not Verify.NONE and state.log.refusal is None


def _is_over(seen: JsonObject) -> bool:
    return seen["status"] in _OVER


def _verified(
    state: State, row: OpenRow, step: Step, *, process_id: str, failure: CallFailed | None
) -> Running[Attempt]:
    """What the log says afterwards. A call that was not answered has happened where the process is over."""
    seen: JsonObject | Unread | None = None
    if _is_read(state, step):
        looks = Looks(first=FIRST_LOOK, longest=LAST_LOOK, deadline=state.t + state.run.plan.settle)
        seen = yield from follow(state, row.key, process_id, looks=looks, until=_is_over)
    if isinstance(seen, dict) and _is_over(seen):
        return _passed(state, row, step, seen)
    if failure is not None:
        return of_failed_call(failure, step.effect)
    if isinstance(seen, dict):
        return _not_cancelled(seen)
    return _not_verified(state, row, step)


def _passed(state: State, row: OpenRow, step: Step, seen: JsonObject) -> Attempt:
    process_id, status = str(seen["id"]), str(seen["status"])
    known: JsonObject = {"process_status": status, "process_id": process_id}
    return judged(state, row, step, dict(seen), seen=known).of_process(process_id, status=status, verified=True)


def _not_cancelled(seen: JsonObject) -> Attempt:
    is_alive = _ALIVE.get(str(seen["status"]), f"has the status {seen['status']}")
    message = f"the process {is_alive}, although the service took the call to cancel it"
    hint = (
        "check that the user has the operation right `CanCancelProcess`, "
        "and that no other process has started this one: then cancel that"
    )
    trouble = Trouble(code="E217", message=message, hint=hint)
    return Attempt(status=Status.FAILED, result=dict(seen), trouble=trouble, verified=False, process_id=str(seen["id"]))


def _not_verified(state: State, row: OpenRow, step: Step) -> Attempt:
    """The call was answered, and the log says nothing: `verify` decides."""
    if step.verify is Verify.NONE:
        return judged(state, row, step, None, seen=NOT_READ)
    if state.log.refusal is not None:
        why = "the process log cannot be read"
    else:
        why = "the process log shows no process of this id"
    if step.verify is Verify.LOG:
        return Attempt(status=Status.ERROR, trouble=Trouble(code="E208", message=f"not verified: {why}"))
    attempt = judged(state, row, step, None, seen=NOT_READ)
    return attempt.of_process(None, status=None, verified=None, warning=f"not verified: {why}")

"""A `signal`: changes one record, and follows the process that this starts, in the process log.

We choose the Id of a new record, so that no repetition makes a second: where an insert was not answered, or refused,
the record itself tells whether it happened. A process that a record starts may run as any user [?]: one that is not
ours is taken for the one that was started where it is the only one, and that is inferred.
"""

from dataclasses import dataclass, replace

from runner.engine import process_log, starts
from runner.engine.actions.element import no_guid
from runner.engine.answer import judged
from runner.engine.attempt import Attempt, is_in_doubt, of_failed_call
from runner.engine.doubt import INFERRED
from runner.engine.effects import Failed, Pause, Running, Send
from runner.engine.following import Looks, follow, has_ended
from runner.engine.parameters import within
from runner.engine.perform import perform
from runner.engine.process_log import Unread
from runner.engine.records import read_records
from runner.engine.starts import Found
from runner.engine.state import OpenRow, Start, State
from runner.engine.verdict import FIRST_LOOK, LAST_LOOK, Verdict, cannot_go_on, failed, going_on, still_running
from runner.expressions.evaluate import Room
from runner.foundation.guids import is_guid
from runner.foundation.values import Json, JsonObject
from runner.job.actions import Change, Signal
from runner.job.model import Step, StepEffect, Until, Verify
from runner.runs.events import Status, Trouble
from runner.service.calls import CallFailed, ChangeCall, FailureKind, QueryCall

SECOND_READING = 0.2
FIRST_PAUSE = 0.25
GROWTH = 2.0
"""Seconds before the log is read again for the process, growing up to the target's `settle`."""
_OF_ANYBODY = "inferred: the process runs as another user, and another change of a record could have started it"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """The record as it is known after the change; `warning`: what is not certain about that."""

    record: JsonObject
    warning: str | None = None


def attempt_signal(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Change the record once and find out what became of the process that it was to start."""
    action = step.action
    assert isinstance(action, Signal)
    call = _call(state, row, action)
    if not is_guid(call.id):
        return no_guid("the record's Id", call.id)
    followed = action.starts if step.verify is not Verify.NONE else None
    if followed is not None:
        with row.reading_until(state.t + state.attempt_seconds(row, step)):
            unread = yield from process_log.mark(state, row.key, followed, turn=True)
        if unread is not None and (reason := cannot_go_on(step, unread)):
            return reason
    sent, changed = yield from _sent(state, row, step, call)
    if isinstance(changed, Attempt):
        return changed
    found = Verdict()
    if followed is not None and sent is not None:
        row.in_doubt = step.effect is StepEffect.ONCE
        found = yield from _verdict(state, row, step, sent)
        row.in_doubt = found.status is Status.UNKNOWN
    return _attempt(state, row, step, changed=changed, found=found)


def _call(state: State, row: OpenRow, action: Signal) -> ChangeCall:
    """Raises `EvaluationError`. The Id of a new record is the same for the same run and row."""
    values = within(state, row, action.values, Room("the values of this record"))
    if action.id is not None:
        key = state.names.text(action.id, f"{row.key}.id")
    else:
        key = str(state.names.functions["uuid"](f"signal {row.key}"))
    return ChangeCall(change=action.change, entity=action.entity, id=key.lower(), values=values, starts=action.starts)


def _sent(state: State, row: OpenRow, step: Step, call: ChangeCall) -> Running[tuple[Start | None, _Changed | Attempt]]:
    """Make the change. The start that it may have made is counted, unless it never got so far."""
    seconds, process = state.attempt_seconds(row, step), call.starts
    start = None
    if process is not None:
        marked = step.verify is not Verify.NONE and process in state.log.marks
        start = starts.prepared(state, process, row.key, seconds=seconds, marked=marked)
    send = Send(
        key=row.key,
        call=call,
        effect=step.effect,
        seconds=seconds,
        watermark=process_log.watermark(state, process) if process is not None else None,
        secret=step.secret,
        turn=process if step.verify is not Verify.NONE else None,
    )
    outcome = yield from perform(state, send)
    failure = outcome.failure if isinstance(outcome, Failed) else None
    if failure is None:
        start = start and starts.begun(state, start)
        value = outcome.value if not isinstance(outcome, Failed) else None
        return start, (yield from _record(state, row, call, value))
    changed = yield from _settled(state, row, step, call, failure=failure)
    if isinstance(changed, _Changed) or starts.may_have_begun(failure):
        start = start and starts.begun(state, start, failure=failure)
    return start, changed


def _record(state: State, row: OpenRow, call: ChangeCall, value: Json) -> Running[_Changed]:
    """The record as the service answers it, or has it now. One that cannot be read is known by what was sent."""
    if isinstance(value, dict):
        return _Changed(record=value)
    if call.change is Change.DELETE:
        return _Changed(record={"Id": call.id})
    read = yield from _read(state, row, call)
    return _Changed(record=read if isinstance(read, dict) else {"Id": call.id, **call.values})


def _read(state: State, row: OpenRow, call: ChangeCall) -> Running[JsonObject | CallFailed | None]:
    query = QueryCall(entity=call.entity, filter=f"Id eq {call.id}", top=1)
    records = yield from read_records(state, row.key, query)
    return records if isinstance(records, CallFailed) else next(iter(records), None)


def _settled(
    state: State, row: OpenRow, step: Step, call: ChangeCall, *, failure: CallFailed
) -> Running[_Changed | Attempt]:
    """What became of a change that was not answered, or refused, as far as the record itself tells."""
    if failure.kind is FailureKind.NOT_SENT or failure.nothing_ran:
        return of_failed_call(failure, step.effect)
    row.in_doubt = is_in_doubt(failure, step.effect)
    is_open = failure.kind is FailureKind.UNANSWERED
    settle, begun = state.run.plan.settle, state.t
    for moment in (0.0, SECOND_READING * settle, settle) if is_open else (0.0,):
        if state.t < begun + moment:
            yield from perform(state, Pause(key=row.key, seconds=begun + moment - state.t))
        read = yield from _read(state, row, call)
        if not isinstance(read, CallFailed) and (changed := _as_read(step, call, read)) is not None:
            row.in_doubt = False
            return changed
    return _not_changed(step, call, failure, read=read)


def _as_read(step: Step, call: ChangeCall, read: JsonObject | None) -> _Changed | None:
    """The change as the record shows it; None where it does not show it.

    An Id that the run has chosen proves an insert; one that the job names may be that of an older record.
    """
    action = step.action
    is_own = call.change is Change.INSERT and isinstance(action, Signal) and action.id is None
    is_as_sent = read is not None and all(read.get(key) == value for key, value in call.values.items())
    match call.change:
        case Change.INSERT if read is not None and is_own:
            return _Changed(record=read)
        case Change.INSERT | Change.UPDATE if read is not None and is_as_sent:
            return _Changed(record=read, warning=f"that the {call.change} happened is what the record itself shows")
        case Change.DELETE if read is None:
            return _Changed(record={"Id": call.id}, warning="that it was deleted is known from its absence")
        case _:
            return None


def _not_changed(step: Step, call: ChangeCall, failure: CallFailed, *, read: JsonObject | CallFailed | None) -> Attempt:
    """The record does not show the change, which may still come where the call was not answered."""
    attempt = of_failed_call(failure, step.effect)
    if failure.kind is not FailureKind.UNANSWERED or attempt.trouble is None:
        return attempt
    if isinstance(read, CallFailed):
        more = f"and the record could not be read: {read.trouble.message}"
    elif call.change is Change.INSERT:
        more = "the record is not there, and may still come; a repetition cannot make a second, as it bears the same Id"
    else:
        more = "the record does not show the change, which may still come"
    return replace(attempt, trouble=_with_message(attempt.trouble, f"{attempt.trouble.message}; {more}"))


def _with_message(trouble: Trouble, message: str) -> Trouble:
    return Trouble(code=trouble.code, message=message, hint=trouble.hint)


def _verdict(state: State, row: OpenRow, step: Step, start: Start) -> Running[Verdict]:
    """What the log says of the process that the change was to start."""
    if state.log.refusal is not None or not start.marked:
        return _not_known(step, "the process log cannot be read")
    found = yield from _started(state, row, start)
    if isinstance(found, Unread):
        return _not_known(step, f"the process log could not be read: {found.failure.trouble.message}")
    if not found.rows:
        message = f"the record was changed, and the process log shows no start of `{start.process}` for it"
        hint = "check the start condition of the process; without `starts` the step changes the record and no more"
        return Verdict(status=Status.ERROR, trouble=Trouble(code="E319", message=message, hint=hint))
    if len(found.rows) > 1 or not found.is_clear:
        return _not_known(step, f"{len(found.rows)} starts of `{start.process}` may be the one that the record made")
    return (yield from _of_row(state, row, step, found.rows[0]))


def _started(state: State, row: OpenRow, start: Start) -> Running[Found | Unread]:
    """The rows that may be the process's. It may begin a while after the change was answered [?]."""
    deadline, pause = state.t + state.run.plan.settle, FIRST_PAUSE
    while True:
        rows = yield from process_log.new_rows(state, row.key, start, last=state.t >= deadline, of_anybody=True)
        if isinstance(rows, list):
            found = yield from starts.assigned(state, row, start, rows)
            if found.rows or state.t >= deadline:
                return found
        elif state.log.refusal is not None or state.t >= deadline:
            return rows
        yield from perform(state, Pause(key=row.key, seconds=min(pause, max(0.0, deadline - state.t))))
        pause *= GROWTH


def _of_row(state: State, row: OpenRow, step: Step, found: JsonObject) -> Running[Verdict]:
    action = step.action
    assert isinstance(action, Signal)
    process_id = row.process_id = str(found["id"])
    if not has_ended(found) and action.until is Until.DONE:
        looks = Looks(first=FIRST_LOOK, longest=LAST_LOOK, deadline=state.t + step.follow)
        read = yield from follow(state, row.key, process_id, looks=looks, until=has_ended)
        found = read if isinstance(read, dict) else found
    match found["status"]:
        case "done":
            is_ours = state.log.owner is not None and found.get("owner") == state.log.owner
            return Verdict(
                verified=True if is_ours else INFERRED,
                process_id=process_id,
                process_status="done",
                warning=None if is_ours else _OF_ANYBODY,
            )
        case "error" | "cancelled":
            return failed(found, process_id)
        case "running" if action.until is Until.STARTED:
            return going_on(process_id, expected=True)
        case "running":
            return still_running(step, process_id)
        case other:
            return _not_known(step, f"the process log shows the status {other}, which is none that is known")


def _not_known(step: Step, why: str) -> Verdict:
    if step.verify is not Verify.LOG:
        return Verdict(warning=f"not verified: {why}")
    status = Status.UNKNOWN if step.effect is StepEffect.ONCE else Status.ERROR
    return Verdict(status=status, trouble=Trouble(code="E208", message=f"not verified: {why}"))


def _attempt(state: State, row: OpenRow, step: Step, *, changed: _Changed, found: Verdict) -> Attempt:
    """A process that failed is a failed step, whatever became of the record; else the record is judged."""
    warnings = (changed.warning,) if changed.warning else ()
    if found.status is not Status.PASSED:
        attempt = Attempt(
            status=found.status, result=changed.record, trouble=found.trouble, failed_row=found.failed_row
        )
    else:
        seen: JsonObject = {"process_status": found.process_status, "process_id": found.process_id}
        attempt = judged(state, row, step, changed.record, seen=seen)
    attempt = replace(attempt, warnings=(*attempt.warnings, *warnings))
    return attempt.of_process(
        found.process_id, status=found.process_status, verified=found.verified, warning=found.warning
    )

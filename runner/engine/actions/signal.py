"""A `signal`: changes a record, and follows the process that this starts, in the process log.

The run chooses the Id of a new record, so that a repetition makes no second and the record shows whether it was made. A
process that a record starts may run as any user [?]: a row of another user is inferred where no other row is new.
"""

import math
from http import HTTPStatus
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from runner.engine import process_log, start_bounds, starts
from runner.engine.answer import judged, worked_out
from runner.engine.attempt import INFERRED, Attempt, call_failed, in_doubt, is_in_doubt, not_passed
from runner.engine.doubt import SECOND_READING
from runner.engine.effects import Failed, Running
from runner.engine.elements import no_guid
from runner.engine.perform import Backoff, pause, send
from runner.engine.readings import Unread, ask_owner, read_records
from runner.engine.start import unanswered_if_late
from runner.engine.starts import OwnRows
from runner.engine.state import OpenRow, Start
from runner.engine.verdict import (
    NO_ROW_YET,
    by_status,
    judged_without_watermark,
    marked,
    not_verified,
    rows_without_watermark,
    settling,
    strange_status,
    undistinguished,
)
from runner.expressions.evaluate import Room
from runner.expressions.operators import spelled_numbers
from runner.foundation import server_time
from runner.foundation.sentences import listed
from runner.foundation.values import Json, JsonObject, is_guid
from runner.job.actions import Change, Signal
from runner.job.model import Until, Verify
from runner.runs.events import Trouble
from runner.runs.evidence import PauseReason
from runner.runs.status import Status
from runner.service.calls import CallFailed, ChangeCall, FailureKind, LogRow, QueryCall

FIRST_PAUSE = 0.25
GROWTH = 2.0  # seconds before the log is read again for the process, growing up to the target's `settle`
_EMPTY = (None, "", "00000000-0000-0000-0000-000000000000")
_SHOWN_EMPTY = (*_EMPTY, 0, "0001-01-01T00:00:00Z")
"""How a site shows a column that was emptied: a number, a boolean or a time is then that of its type, never null."""
_ROUNDING = 0.005
_ZONES = 14 * 3600.0
"""Seconds by which the same time may be written otherwise, where a site takes it for that of another zone."""
_SIMPLE = (str, bool, int, float)
_CHANGED_BY = "ModifiedById"
_BY_RECORD = "look at the record, and say how it ended with `runner resume --as`: `reconcile` reads no records"
_ANY_USER = "the process runs as another user, and another change of a record could have started it"


class _Changed(Struct, frozen=True, kw_only=True):
    """The record after the change. `unproved`: why it does not show it; `cause`: why that may not have happened."""

    record: JsonObject
    warnings: tuple[str, ...] = ()
    unproved: str | None = None
    cause: Trouble | None = None


class SentChange(Struct, frozen=True, kw_only=True):
    """A change that is about to be sent, at the active second `t`, after so many `breaks` of the run."""

    call: ChangeCall
    t: float
    breaks: int


def attempt_signal(row: OpenRow) -> Running[Attempt]:
    """Change the record once and find out what became of the process that it was to start."""
    action = row.step.action
    assert isinstance(action, Signal)
    call = _call(row, action)
    if not is_guid(call.id):
        return no_guid("the record's Id", call.id)
    followed = action.starts if row.step.verify is not Verify.NONE else None
    if followed is not None and (reason := (yield from marked(row, followed, turn=True))):
        return reason
    start, changed = yield from _sent(row, call)
    if isinstance(changed, Attempt):
        if changed.trouble is not None and changed.status is Status.UNKNOWN:
            return replace(changed, trouble=replace(changed.trouble, hint=_BY_RECORD))
        return changed
    row.answer = (changed.record,)
    found = Attempt()
    if followed is not None and start is not None:
        row.in_doubt = row.is_once
        found = yield from _verdict(row, action, start, changed)
        row.in_doubt = found.status is Status.UNKNOWN
    is_proved = changed.unproved is None or (changed.cause is not None and found.verified is True)  # by its process
    if found.status is Status.PASSED and not is_proved:
        found = _unproved(row, found, changed)
    if found.status is not Status.PASSED:  # a process that failed is a failed step, whatever became of the record
        return replace(found, result=changed.record, warnings=(*changed.warnings, *found.warnings))
    return judged(row, changed.record, found).warned(*changed.warnings).with_process(found)


def _call(row: OpenRow, action: Signal) -> ChangeCall:
    """Raises `EvaluationError`. The Id of a new record is the same for the same run and row."""
    values = worked_out(row, action.values, Room("the values of this record"))
    if action.id is not None:
        key = row.text(action.id, "id")
    else:
        key = str(row.state.names.functions["uuid"](f"signal {row.key}"))
    return ChangeCall(change=action.change, entity=action.entity, id=key.lower(), values=values, starts=action.starts)


def _sent(row: OpenRow, call: ChangeCall) -> Running[tuple[Start | None, _Changed | Attempt]]:
    """Make the change. The start that it may have made is counted, unless the call never left."""
    seconds, process, follows = row.attempt_seconds, call.starts, row.step.verify is not Verify.NONE
    start, before = None, None
    if process is not None:
        start = start_bounds.prepared(row, process, seconds=seconds, marked=follows and process in row.log.marks)
        before = process_log.watermark(row, process)
    sent = SentChange(call=call, t=row.t, breaks=row.log.breaks)
    outcome = yield from send(row, call, watermark=before, turn=process if follows else None)
    start = start and start_bounds.left(start, outcome.delay)
    sent = sent if outcome.delay is None else replace(sent, t=outcome.delay.t)
    if not isinstance(outcome, Failed):
        start = start and start_bounds.begun(row, start)
        return start, (yield from _record(row, call, outcome.value))
    failure = unanswered_if_late(row, sent.t, outcome.failure)
    changed = yield from _settled(row, sent, failure)
    if isinstance(changed, _Changed) or start_bounds.may_have_begun(failure):
        start = start and start_bounds.begun(row, start, failure=failure)
    return start, changed


def _record(row: OpenRow, call: ChangeCall, value: Json) -> Running[_Changed | Attempt]:
    """The record as the service answers it, or has it now. Where it cannot be read, what was sent is known."""
    sent: JsonObject = {"Id": call.id, **call.values}
    if isinstance(value, dict) and (own := str(value.get("Id", call.id)).lower()) != call.id:
        changed = yield from _record(row, replace(call, id=own), {**value, "Id": own})
        assert isinstance(changed, _Changed)
        other = f"the service gave the record another Id ({own}) than was sent: a repetition makes a second record"
        return replace(changed, warnings=(other, *changed.warnings))
    if isinstance(value, dict) and not _hidden(call, value):
        return _Changed(record=value, unproved=_difference(call, value))
    is_deleted = call.change is Change.DELETE
    if is_deleted and row.step.verify is Verify.NONE:
        return _Changed(record=sent)
    found = yield from _read(row, call)
    for seconds in chain(NO_ROW_YET, settling(row)) if is_deleted else ():  # another node may still have it
        if not isinstance(found, dict):
            break
        yield from pause(row, seconds, why=PauseReason.SETTLE)
        found = yield from _read(row, call)
    if isinstance(found, CallFailed):
        return _Changed(record=sent, unproved=f"the record could not be read: {found.trouble.message}")
    if is_deleted:
        return _Changed(record=sent) if found is None else _not_deleted(call)
    if found is None:
        return _Changed(record=sent, unproved=f"the service shows no record with this Id after the {call.change}")
    return _Changed(record=found, unproved=_difference(call, found))


def _difference(call: ChangeCall, record: JsonObject) -> str | None:
    """Which values of the record are others than were sent, or are not shown; None where all are there."""
    hidden = _hidden(call, record)
    others = [name for name, sent in call.values.items() if name not in hidden and _differ(sent, record[name])]
    if others:
        return f"after the {call.change} the record has another value of {listed(others)} than was sent"
    return f"after the {call.change} the record does not show {listed(hidden)}" if hidden else None


def _hidden(call: ChangeCall, record: JsonObject) -> list[str]:
    return [name for name in call.values if name not in record]


def _differ(sent: Json, found: Json) -> bool:
    """A site trims texts, rounds numbers, and writes times, line ends and empty values in its own way."""
    if sent in _EMPTY or found in _EMPTY:
        return not (sent in _EMPTY and found in _SHOWN_EMPTY)
    if not (isinstance(sent, _SIMPLE) and isinstance(found, _SIMPLE)):
        return False
    before, after = (" ".join(str(each).split()) for each in (sent, found))
    moments = server_time.parse_value(before), server_time.parse_value(after)
    if moments[0] is not None and moments[1] is not None:
        return abs(moments[0] - moments[1]) > _ZONES
    numbers = spelled_numbers([before, after])
    if is_guid(before) or isinstance(sent, bool) or isinstance(found, bool):
        return before.lower() != after.lower()
    return before != after if numbers is None else not math.isclose(*numbers, abs_tol=_ROUNDING)


def _not_deleted(call: ChangeCall) -> Attempt:
    message = "the record is still there, although the service took the call to delete it"
    return not_passed("E205", message, f"check that the user may delete records of `{call.entity}`")


def _unproved(row: OpenRow, found: Attempt, changed: _Changed) -> Attempt:
    """The record does not show the change, or not that it is ours: `verify` decides."""
    if row.step.verify is not Verify.LOG:
        came = "" if changed.cause is None else f" ({changed.cause.message})"
        return replace(found, verified=None, unproved=True).warned(f"not verified: {changed.unproved}{came}")
    if changed.cause is not None and row.is_once:
        row.in_doubt = True
        return in_doubt(changed.cause, why=changed.unproved or "")
    hint = "`verify: auto` passes such a change with a warning, also where its process writes a column anew at once"
    unproved = not_passed("E208", f"not verified: {changed.unproved}", hint, status=Status.ERROR)
    return replace(unproved, process_id=found.process_id)


def _read(row: OpenRow, call: ChangeCall) -> Running[JsonObject | CallFailed | None]:
    records = yield from read_records(row, QueryCall(entity=call.entity, filter=f"Id eq {call.id}", top=1))
    return records if isinstance(records, CallFailed) else next(iter(records), None)


def _settled(row: OpenRow, sent: SentChange, failure: CallFailed) -> Running[_Changed | Attempt]:
    """What became of a change that was not answered, or refused, as far as the record itself shows."""
    call = sent.call
    if failure.kind is FailureKind.NOT_SENT or _is_no(call, failure):
        return call_failed(failure, row.step.effect)
    row.in_doubt = is_in_doubt(failure, row.step.effect)
    is_open = failure.kind is FailureKind.UNANSWERED
    settle, begun = row.state.run.plan.times.settle, row.t
    for moment in (0.0, SECOND_READING * settle, settle) if is_open else (0.0,):
        if row.t < begun + moment:
            yield from pause(row, begun + moment - row.t, why=PauseReason.SETTLE)
        found = yield from _read(row, call)
        if isinstance(found, dict) and _CHANGED_BY in found and row.log.owner_due <= row.t:
            yield from ask_owner(row)
        if not isinstance(found, CallFailed) and (changed := _as_read(row, sent, found, failure)) is not None:
            row.in_doubt = isinstance(changed, Attempt)
            return changed
    return _not_changed(row, call, failure, found)


def _is_no(call: ChangeCall, failure: CallFailed) -> bool:
    """Whether the refusal alone says that nothing changed: a record may look so without the call."""
    is_no_right = failure.status == HTTPStatus.FORBIDDEN and call.change is Change.DELETE
    is_refused_update = call.change is Change.UPDATE and not failure.unproved
    return failure.kind is FailureKind.REFUSED and (is_refused_update or is_no_right)


def _as_read(
    row: OpenRow, sent: SentChange, found: JsonObject | None, failure: CallFailed
) -> _Changed | Attempt | None:
    """The change as the record shows it, if so. An Id of the run's own proves an insert; else `ModifiedOn` [?]."""
    action, call = row.step.action, sent.call
    is_own = isinstance(action, Signal) and action.id is None
    came = f"({failure.trouble.message})"
    shown = f"the record itself shows that the {call.change} happened {came}"
    match call.change:
        case Change.INSERT if found is not None and is_own:
            return _Changed(record=found, warnings=(shown,), unproved=_difference(call, found))
        case Change.INSERT | Change.UPDATE if found is not None and _difference(call, found) is None:
            is_since = _was_changed_since(row, sent, found)
            if is_since is False:
                return None
            if is_since:
                return _Changed(record=found, warnings=(shown,))
            guess = f"the record is as the {call.change} leaves it; whether this {call.change} made it so is not known"
            if failure.kind is FailureKind.REFUSED:
                return in_doubt(failure.trouble, why=guess, by_log=False) if row.is_once else None
            return _Changed(record=found, unproved=guess, cause=failure.trouble)
        case Change.DELETE if found is None:
            return _Changed(record={"Id": call.id}, warnings=(f"the record is not there, so it was deleted {came}",))
        case _:
            return None


def _was_changed_since(row: OpenRow, sent: SentChange, found: JsonObject) -> bool | None:
    """Whether we changed the record after the call was sent, by the server's time, if known."""
    log, by = row.log, found.get(_CHANGED_BY)
    changed, began = server_time.parse_record(str(found.get("ModifiedOn"))), log.server_time(sent.t)
    now = log.server_time(row.t)
    if changed is None or began is None or now is None or log.clocks_differ or log.breaks != sent.breaks:
        return None
    is_since = changed >= began - start_bounds.EARLIER
    is_by_other = is_since and isinstance(by, str) and log.owner is not None and by.lower() != log.owner.lower()
    return None if changed <= 0 or changed > now + starts.AHEAD or is_by_other else is_since


def _not_changed(row: OpenRow, call: ChangeCall, failure: CallFailed, found: JsonObject | CallFailed | None) -> Attempt:
    """The record does not show the change, which may still come where the call was not answered."""
    attempt = call_failed(failure, row.step.effect)
    if failure.kind is not FailureKind.UNANSWERED or (trouble := attempt.trouble) is None:
        return attempt
    more = "the record does not show that this call changed it, and the change may still come"
    if isinstance(found, CallFailed):
        more = f"and the record could not be read: {found.trouble.message}"
    elif call.change is Change.INSERT and found is None:
        more = "the record is not there, and may still come; a repetition makes no second record, as it has the same Id"
    return replace(attempt, trouble=replace(trouble, message=f"{trouble.message}; {more}"))


def _verdict(row: OpenRow, action: Signal, start: Start, changed: _Changed) -> Running[Attempt]:
    """What the log says of the process that the change was to start."""
    if row.log.refusal is not None:
        return not_verified(row, "the process log cannot be read")
    if not start.marked:
        return (yield from _without_watermark(row, action, start, changed))
    found = yield from _started(row, start)
    if isinstance(found, Unread):
        return not_verified(row, f"the process log could not be read: {found.failure.trouble.message}")
    if not found.rows:
        return _nothing_started(row, start, changed)
    if len(found.rows) > 1 or not found.is_clear:
        makers = found.starts + (found.rival is not None)
        return undistinguished(row, [*found.rows], why=_why_not_certain(start, found), makers=makers)
    return (yield from _judge_row(row, action, start, found.rows[0]))


def _why_not_certain(start: Start, found: OwnRows) -> str:
    if found.rival:
        return f"{found.rival.name} may have started `{start.process}` at the same time{found.rival.advice}"
    shown = "a start" if len(found.rows) == 1 else f"{len(found.rows)} starts"
    return f"{shown} of `{start.process}` may be the start that the record made"


def _started(row: OpenRow, start: Start) -> Running[OwnRows | Unread]:
    """The rows that may be the process's. It may begin a while after the change was answered [?], after that of another
    user's change: as long as only rows of others show, its own is waited for.
    """
    looks = _looks(row)
    while True:
        rows = yield from process_log.new_rows(row, start, last=looks.is_over(row), any_user=True)
        if isinstance(rows, list):
            found = yield from starts.assigned(row, start, rows)
            if looks.is_over(row) or _may_hold_ours(row, start, found):
                return found
        elif row.log.refusal is not None or looks.is_over(row):
            return rows
        yield from looks.wait(row)


def _may_hold_ours(row: OpenRow, start: Start, found: OwnRows) -> bool:
    owner = row.log.owner_of(start)
    return any(owner is None or each.owner in (owner, None) for each in found.rows)


def _nothing_started(row: OpenRow, start: Start, changed: _Changed) -> Attempt:
    if changed.cause is not None and row.is_once:
        return in_doubt(changed.cause, why=f"the process log shows no start of `{start.process}` so far")
    message = f"the record was changed, and the process log shows no start of `{start.process}` for it"
    hint = (
        "check the start condition of the process; a process that waits in the background needs a longer `settle` of "
        "the target; without `starts` the step changes the record and no more"
    )
    return not_passed("E319", message, hint, status=Status.ERROR)


def _without_watermark(row: OpenRow, action: Signal, start: Start, changed: _Changed) -> Running[Attempt]:
    """Judge by rows that began since the change, and may not be made by it."""
    looks = _looks(row)
    while True:
        rows = yield from rows_without_watermark(row, start, any_user=True)
        if isinstance(rows, Attempt):
            return rows
        if rows:
            return (yield from judged_without_watermark(row, rows, until=action.until))
        if looks.is_over(row):
            return _nothing_started(row, start, changed)
        yield from looks.wait(row)


def _looks(row: OpenRow) -> Backoff:
    ends = row.t + row.state.run.plan.times.settle
    return Backoff(next=FIRST_PAUSE, longest=float("inf"), deadline=ends, growth=GROWTH)


def _judge_row(row: OpenRow, action: Signal, start: Start, found: LogRow) -> Running[Attempt]:
    process_id = row.process_id = found.id
    if not process_log.has_ended(found) and action.until is Until.DONE:
        looks, has_ended = process_log.step_looks(row), process_log.has_ended
        last = yield from process_log.follow(row, process_id, looks, until=has_ended, last=found)
        found = last if isinstance(last, LogRow) else found
    known = by_status(row, found, until=action.until)
    if known is None:
        return not_verified(row, strange_status(found.status), doubtful=True)
    owner = row.log.owner_of(start)
    is_ours = owner is not None and found.owner == owner
    if is_ours or known.verified is None:
        return known
    if row.step.verify is Verify.LOG:
        row.process_id, row.sought, row.shown = None, None, (process_id,)  # no later look makes it certain
        return not_verified(row, f"{_ANY_USER}: {starts.named(found)}", doubtful=known.status is Status.FAILED)
    return replace(known, verified=INFERRED).warned(f"inferred: {_ANY_USER}")

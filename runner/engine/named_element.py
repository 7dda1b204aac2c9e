"""One attempt of an element that is named: found in its process, executed, and looked at again.

The element's own row says whether it moved, which no answer does; where the answer is lost, that settles the doubt.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from runner.engine import instances, process_log
from runner.engine.answer import judged
from runner.engine.attempt import Attempt, in_doubt, of_failed_call
from runner.engine.doubt import AT_ONCE, INFERRED, SECOND_READING, lost
from runner.engine.effects import Failed, Pause, Running
from runner.engine.element_call import call_of, may_have_happened, sent
from runner.engine.failing import why_failed
from runner.engine.finding import Wanted, found
from runner.engine.instance import GONE, MAY_BE_EXECUTED, Instance
from runner.engine.lost import needs_result
from runner.engine.perform import perform
from runner.engine.state import OpenRow, Sent, State
from runner.engine.verdict import NO_ROW_YET
from runner.foundation.values import Json, JsonObject
from runner.job.model import Step, StepEffect, Verify
from runner.runs.events import Status, Trouble
from runner.service.calls import CallFailed, FailureKind

_BEFORE = "the element was executed before"
_MOVED = "inferred: the element was executed, and somebody else may have done it at the same time"
_GONE = "inferred: the element does not wait any more, and no log tells how it ended"
_STILL = "not verified: the element has not moved, it is `{status}` as before"
_ANSWERED = (0.0, *NO_ROW_YET)
"""Seconds between two looks at an element whose call was answered."""
_UNTOLD = "not verified: nothing tells how it stands with the element"


def attempt_named(
    state: State, row: OpenRow, step: Step, *, wanted: Wanted, parameters: JsonObject | None
) -> Running[Attempt]:
    """Execute the element, unless it was executed before."""
    chosen = yield from found(state, row, step, wanted)
    if isinstance(chosen, Attempt):
        return chosen
    if chosen.status == "done":
        return _executed_before(state, row, step, wanted=wanted, key=chosen.id, with_values=parameters is not None)
    row.element = Sent(process_id=wanted.process_id, before=chosen)
    state.run.executed.add(chosen.id)
    outcome = yield from sent(state, row, step, call_of(chosen.id, parameters))
    if isinstance(outcome, Failed):
        return (yield from _of_failed(state, row, step, outcome.failure))
    if step.verify is Verify.NONE:
        return _judged(state, row, step, outcome.value)
    return (yield from _verified(state, row, step, outcome.value))


def _executed_before(state: State, row: OpenRow, step: Step, *, wanted: Wanted, key: str, with_values: bool) -> Attempt:
    if row.element is not None and row.element.before.id == key:  # by an earlier attempt, whose answer never came
        return _without_answer(state, row, step)
    if with_values:
        message = f"`{wanted.name}` was executed before, and not with these values"
        hint = "the service executes no element twice; leave `parameters` out where it does not matter who did"
        return Attempt(
            status=Status.FAILED,
            trouble=Trouble(code="E222", message=message, hint=hint),
            process_id=wanted.process_id,
        )
    attempt = judged(state, row, step, None, seen={"process_status": None, "process_id": wanted.process_id})
    return attempt.of_process(wanted.process_id, status=None, verified=True, warning=_BEFORE)


def _verified(state: State, row: OpenRow, step: Step, value: Json) -> Running[Attempt]:
    """What the element's row says of a call that was answered: it moved, or nothing is proved."""
    now = yield from _moved(state, row, moments=_ANSWERED)
    if now is None or now.status in MAY_BE_EXECUTED:
        if now is not None and now.status == "error":
            return _in_error(row, now)
        return _not_moved(state, row, step, value=value, now=now)
    bad = yield from _failed_behind_it(state, row, now)
    if bad is not None:
        return bad
    attempt = _judged(state, row, step, value)
    if now.status != GONE:
        return replace(attempt, verified=True)
    return replace(attempt, verified=INFERRED, warnings=(*attempt.warnings, _GONE))


def _judged(state: State, row: OpenRow, step: Step, value: Json) -> Attempt:
    seen: JsonObject = {"process_status": None, "process_id": _own(row).process_id}
    attempt = judged(state, row, step, value, seen=seen)
    return attempt.of_process(_own(row).process_id, status=None, verified=None)


def _not_moved(state: State, row: OpenRow, step: Step, *, value: Json, now: Instance | None) -> Attempt:
    why = _UNTOLD if now is None else _STILL.format(status=now.status)
    if step.verify is not Verify.LOG:
        attempt = _judged(state, row, step, value)
        return replace(attempt, warnings=(*attempt.warnings, why))
    once = step.effect is StepEffect.ONCE
    trouble = Trouble(code="E208", message=why, hint="`verify: auto` passes such a call with a warning")
    row.look_again = partial(_looked_again, cause=trouble)
    return Attempt(
        status=Status.UNKNOWN if once else Status.ERROR, result=value, trouble=trouble, process_id=_own(row).process_id
    )


def _of_failed(state: State, row: OpenRow, step: Step, failure: CallFailed) -> Running[Attempt]:
    """A call without an answer: the element's own row is asked, which tells more than the process log would."""
    if failure.kind is not FailureKind.UNANSWERED and not may_have_happened(failure):
        return of_failed_call(failure, step.effect)
    once = step.effect is StepEffect.ONCE
    row.in_doubt = row.unanswered = once
    row.look_again = partial(_looked_again, cause=failure.trouble) if once else None
    last = state.run.plan.settle
    moments = (0.0, SECOND_READING * last, (1 - SECOND_READING) * last) if once else AT_ONCE
    settled = yield from _settled(state, row, step, moments=moments)
    return settled or _unknown(failure.trouble) if once else settled or of_failed_call(failure, step.effect)


def _looked_again(state: State, row: OpenRow, step: Step, unknown: Attempt, *, cause: Trouble) -> Running[Attempt]:
    """One more look at a row that is in doubt."""
    settled = yield from _settled(state, row, step, moments=AT_ONCE)
    return settled or replace(unknown, trouble=_unknown(cause).trouble, cause=cause)


def _settled(state: State, row: OpenRow, step: Step, *, moments: Sequence[float]) -> Running[Attempt | None]:
    """How the call ended that was not answered; None where the element has not moved, which proves nothing."""
    now = yield from _moved(state, row, moments=moments)
    if now is None or now.status not in ("done", "error", GONE) or now.status == _own(row).before.status:
        return None
    bad = yield from _failed_behind_it(state, row, now)
    attempt = bad or _without_answer(state, row, step)
    row.in_doubt = attempt.status is Status.UNKNOWN
    return attempt


def _without_answer(state: State, row: OpenRow, step: Step) -> Attempt:
    """It moved: it happened. That our call did it is inferred, since a person may have done it meanwhile."""
    if needs_result(state.job, row.whole or step):
        return Attempt(status=Status.UNKNOWN, trouble=lost(), process_id=_own(row).process_id)
    attempt = _judged(state, row, step, None)
    warnings = (*attempt.warnings, _MOVED)
    return replace(attempt, lost=True, again=None, verified=INFERRED, warnings=warnings)


def _moved(state: State, row: OpenRow, *, moments: Sequence[float]) -> Running[Instance | None]:
    """The element at the first of these moments, in seconds after one another, at which it has moved; else at last."""
    before = _own(row).before
    now: Instance | None = None
    for moment in moments:
        if moment:
            yield from perform(state, Pause(key=row.key, seconds=moment))
        now = yield from instances.again(state, row.key, _own(row).process_id, before)
        if now is not None and now.status != before.status:
            break
    return now


def _failed_behind_it(state: State, row: OpenRow, now: Instance) -> Running[Attempt | None]:
    """What went wrong with the process as soon as the element was executed; the service answers 200 all the same."""
    read = (
        None if state.log.refusal is not None else (yield from process_log.row_of(state, row.key, _own(row).process_id))
    )
    if isinstance(read, dict) and read["status"] in ("error", "cancelled"):
        attempt = Attempt(status=Status.FAILED, trouble=why_failed(read), failed_row=read)
        return attempt.of_process(_own(row).process_id, status=str(read["status"]), verified=False)
    return _in_error(row, now) if now.status in ("error", "cancelled") else None


def _in_error(row: OpenRow, now: Instance) -> Attempt:
    code, word = ("E203", "is in error") if now.status == "error" else ("E204", "was cancelled")
    reason = f": {now.error}" if now.error else ""
    attempt = Attempt(status=Status.FAILED, trouble=Trouble(code=code, message=f"the element {word}{reason}"))
    return attempt.of_process(_own(row).process_id, status=None, verified=False)


def _unknown(cause: Trouble) -> Attempt:
    why = "the element has not moved, which proves nothing"
    return in_doubt(cause, why=why)


def _own(row: OpenRow) -> Sent:
    """The element that the row has called."""
    assert row.element is not None
    return row.element

"""An attempt of an element: it is executed, or completed with values. The service executes none twice [D].

Its own row says whether it moved, which no answer does; where the answer is lost, that settles the doubt.
A chain of elements has a row for each, in order; it ends at the first that does not pass.
"""

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from runner.engine import process_log
from runner.engine.answer import judged, parameters_of, process_failed
from runner.engine.attempt import INFERRED, Attempt, call_failed, in_doubt, not_passed
from runner.engine.doubt import AT_ONCE, SECOND_READING, is_result_known, lost
from runner.engine.effects import Done, Failed, Running
from runner.engine.elements import GONE, MAY_BE_EXECUTED, WantedElement, find, look_again, no_guid, no_process_id
from runner.engine.lost import needs_result
from runner.engine.perform import Interrupted, check_stop, note, pause, send
from runner.engine.readings import Unread
from runner.engine.retry import try_until_done
from runner.engine.rows import STOPPED, begin, end, report_row
from runner.engine.start import unanswered_if_late
from runner.engine.state import CalledElement, ElementInstance, OpenRow
from runner.engine.verdict import NO_ROW_YET, strange_status
from runner.foundation.values import Json, JsonObject, is_guid
from runner.job.actions import Element, Elements
from runner.job.model import Verify
from runner.planning.plan import PlannedStep
from runner.runs.events import Row, StepSkipped, Trouble
from runner.runs.evidence import PauseReason
from runner.runs.process_status import ENDED_BADLY, KNOWN
from runner.runs.status import Status
from runner.service.calls import SESSION_REFUSED, CallFailed, CompleteCall, ElementCall, FailureKind, LogRow

_MOVED = "the element was executed, and somebody else may have done it at the same time"
_GONE = "the element does not wait any more, and no log shows how it ended"
_BEFORE = "the element was executed before"
_BY_ID = "by its id alone, the process log does not show an element"
_ANSWERED = (0.0, *NO_ROW_YET)  # seconds between two looks at an element whose call was answered


def attempt_element(row: OpenRow) -> Running[Attempt]:
    assert isinstance(row.step.action, Element)
    return (yield from execute(row.step.action, row))


def execute(element: Element, row: OpenRow) -> Running[Attempt]:
    """Execute the element once. Nothing is sent for an id that is no GUID."""
    which = element.which
    wanted, uid = None, ""
    if isinstance(which, str):
        uid = row.text(which, "uid")
    else:
        process_id = row.text(which.of, "of").lower()
        wanted = WantedElement(process_id=process_id, name=row.text(which.name, "name"), how=which)
    values = None if element.parameters is None else parameters_of(row, element.parameters)
    if wanted is not None:
        if not is_guid(wanted.process_id):
            return no_process_id(wanted.how.of, wanted.process_id)
        return (yield from _named(row, wanted, values))
    if not is_guid(uid):
        return no_guid("the element's id", uid)
    outcome = yield from _called(row, uid, values)
    if not isinstance(outcome, Failed):
        return _unseen(row, outcome.value)
    if row.is_once and outcome.failure.kind is FailureKind.TURNED_AWAY:
        return in_doubt(outcome.failure.trouble, why=_BY_ID, by_log=False)
    return call_failed(outcome.failure, row.step.effect)


def _called(row: OpenRow, uid: str, values: JsonObject | None) -> Running[Done | Failed]:
    """Make the call within the time of an attempt, and once more where the session was lost before.

    What must happen only once is looked at before; with values, and by its id alone, it is not made again.
    """
    call = ElementCall(uid=uid) if values is None else CompleteCall(uid=uid, parameters=values)
    sent = row.t
    outcome = yield from send(row, call)
    if isinstance(outcome, Failed) and _is_session_lost(outcome.failure):
        if row.is_once and (row.element is not None or values is not None):
            now = None if row.element is None else (yield from _look(row, moments=_ANSWERED))
            if now is None or now.status != _own(row).before.status:
                return outcome
        sent = row.t
        outcome = yield from send(row, call)
        if isinstance(outcome, Failed) and outcome.failure.kind is FailureKind.TURNED_AWAY:
            outcome = replace(outcome, failure=replace(outcome.failure, final=True))
    if isinstance(outcome, Failed):
        sent = sent if outcome.delay is None else outcome.delay.t
        return replace(outcome, failure=unanswered_if_late(row, sent, outcome.failure))
    return outcome


def _is_session_lost(failure: CallFailed) -> bool:
    """Whether the call can be made in a fresh session: the service executes no element twice [D]."""
    is_lost = failure.kind is FailureKind.TURNED_AWAY and failure.trouble.code == SESSION_REFUSED
    return is_lost and not failure.final


def _named(row: OpenRow, wanted: WantedElement, values: JsonObject | None) -> Running[Attempt]:
    """Execute the element that is named, unless it was executed before."""
    if row.element is not None and row.element.answer is not None:  # by an earlier attempt
        return (yield from _answered(row, row.element.answer.value))
    chosen = yield from (find(row, wanted) if row.element is None else _called_before(row))
    if isinstance(chosen, Attempt):
        return chosen
    row.state.run.executed[chosen.id] = row.key
    if chosen.status in ("done", GONE):
        return (yield from _executed_before(row, wanted, chosen, with_values=values is not None))
    earlier, row.element = row.element, CalledElement(process_id=wanted.process_id, before=chosen)
    outcome = yield from _called(row, chosen.id, values)
    if isinstance(outcome, Failed) and outcome.failure.kind is FailureKind.NOT_SENT:
        row.element = earlier
        return _not_executed(row, chosen, outcome.failure)
    if isinstance(outcome, Failed):
        return (yield from _without_answer(row, outcome.failure))
    row.element = replace(row.element, answer=outcome)
    return (yield from _answered(row, outcome.value))


def _answered(row: OpenRow, value: Json) -> Running[Attempt]:
    row.answer = (value,)
    return _judged(row, value) if row.step.verify is Verify.NONE else (yield from _verified(row, value))


def _called_before(row: OpenRow) -> Running[ElementInstance]:
    """The element that an earlier attempt has called, as it is now: a row executes no other that comes after it."""
    own = _own(row)
    return (yield from look_again(row, own.process_id, own.before)) or own.before


def _executed_before(
    row: OpenRow, wanted: WantedElement, chosen: ElementInstance, *, with_values: bool
) -> Running[Attempt]:
    """Who executed it does not matter, but what became of the process does: it may have failed since."""
    is_own = row.element is not None and row.element.before.id == chosen.id  # by an earlier attempt without an answer
    if with_values and not is_own:
        message = f"`{wanted.name}` was executed before, and not with these values"
        hint = "leave `parameters` out where it does not matter who did it: the service executes no element twice"
        return replace(not_passed("E222", message, hint), process_id=wanted.process_id)
    found = Attempt(process_id=wanted.process_id)
    if row.step.verify is not Verify.NONE:
        why_not = yield from _process_after(row, chosen, wanted.process_id)
        if isinstance(why_not, Attempt):
            return why_not
        if is_own:
            return _moved_without_answer(row, why_not)
        if why_not is not None:
            return _unproved(row, None, why_not, process_id=wanted.process_id)
        found = replace(found, verified=True)
    return judged(row, None, found).with_process(found).warned(_BEFORE)


def _verified(row: OpenRow, value: Json) -> Running[Attempt]:
    """What the element's row says of a call that was answered: it moved, or nothing is proved."""
    now, process_id = (yield from _look(row, moments=_ANSWERED)), _own(row).process_id
    why_not = yield from _process_after(row, now, process_id)
    if isinstance(why_not, Attempt):
        return why_not
    if now is None:
        return _unproved(row, value, "nothing shows whether the element has moved", process_id=process_id)
    if now.status in MAY_BE_EXECUTED:
        why_not = f"the element has not moved, it is `{now.status}` as before"
    if why_not is not None:
        return _unproved(row, value, why_not, process_id=process_id)
    if now.status != GONE:
        return replace(_judged(row, value), verified=True)
    if row.step.verify is Verify.LOG:
        return _unproved(row, value, _GONE, process_id=process_id)
    return replace(_judged(row, value), verified=INFERRED).warned(f"inferred: {_GONE}")


def _judged(row: OpenRow, value: Json) -> Attempt:
    found = Attempt(process_id=_own(row).process_id)
    return judged(row, value, found).with_process(found)


def _unseen(row: OpenRow, value: Json) -> Attempt:
    """An element that is executed by its id: its process is not known, and may have failed at once."""
    if row.step.verify is Verify.NONE:
        return judged(row, value)
    if row.step.verify is Verify.AUTO:
        return judged(row, value).warned(f"not verified: {_BY_ID}")
    hint = "name it, with `of` its process, so that it can be verified; `verify: auto` passes with a warning"
    status = Status.UNKNOWN if row.is_once else Status.ERROR
    return replace(not_passed("E208", f"not verified: {_BY_ID}", hint, status=status), result=value)


def _unproved(row: OpenRow, value: Json, why: str, *, process_id: str) -> Attempt:
    """The call was answered, and its outcome is not known: `verify` decides."""
    found = Attempt(process_id=process_id)
    if row.step.verify is not Verify.LOG:
        return judged(row, value, found).with_process(found).warned(f"not verified: {why}")
    trouble = Trouble(
        code="E208", message=f"not verified: {why}", hint="`verify: auto` passes such a call with a warning"
    )
    if row.element is not None:
        row.look_again = partial(_settle_again, cause=trouble)
    status = Status.UNKNOWN if row.is_once and row.element is not None else Status.ERROR
    return Attempt(status=status, result=value, trouble=trouble, process_id=process_id)


def _without_answer(row: OpenRow, failure: CallFailed) -> Running[Attempt]:
    """A call without an answer: the element's own row is asked, which shows more than the process log would."""
    called = _own(row).before
    if failure.unproved:  # an element that was executed has moved by then, or a moment later
        now = yield from _look(row, moments=_ANSWERED)
        if now is None and row.is_once:
            row.in_doubt, row.look_again = True, partial(_settle_again, cause=failure.trouble)
            return in_doubt(failure.trouble, why="nothing shows whether the element has moved")
        return (yield from _moved(row, now)) or _not_executed(row, called, failure)
    if failure.kind not in (FailureKind.UNANSWERED, FailureKind.TURNED_AWAY):
        return _not_executed(row, called, failure)
    if not row.is_once:
        return (yield from _settled(row, moments=AT_ONCE)) or _not_executed(row, called, failure)
    row.in_doubt = row.unanswered = True
    row.look_again = partial(_settle_again, cause=failure.trouble)
    last = row.state.run.plan.times.settle
    moments = (0.0, SECOND_READING * last, (1 - SECOND_READING) * last)
    return (yield from _settled(row, moments=moments)) or _unknown(failure.trouble)


def _not_executed(row: OpenRow, called: ElementInstance, failure: CallFailed) -> Attempt:
    """Another row may execute the element, as nothing shows that this call did."""
    if row.state.run.executed.get(called.id) == row.key:
        del row.state.run.executed[called.id]
    return call_failed(failure, row.step.effect)


def _settle_again(row: OpenRow, unknown: Attempt, *, cause: Trouble) -> Running[Attempt]:
    settled = yield from _settled(row, moments=AT_ONCE)
    return settled or replace(unknown, trouble=_unknown(cause).trouble, cause=cause)


def _settled(row: OpenRow, *, moments: Sequence[float]) -> Running[Attempt | None]:
    """How the call ended that was not answered; None where the element has not moved, which proves nothing."""
    return (yield from _moved(row, (yield from _look(row, moments=moments))))


def _moved(row: OpenRow, now: ElementInstance | None) -> Running[Attempt | None]:
    """The same, by the element as it is `now`."""
    if now is None or now.status not in ("done", "error", GONE) or now.status == _own(row).before.status:
        return None
    why_not = yield from _process_after(row, now, _own(row).process_id)
    attempt = why_not if isinstance(why_not, Attempt) else _moved_without_answer(row, why_not)
    row.in_doubt = attempt.status is Status.UNKNOWN
    return attempt


def _moved_without_answer(row: OpenRow, why_not: str | None) -> Attempt:
    """It moved: it happened, perhaps by a person's doing. `why_not`: why it is not known what became of its process."""
    if not is_result_known(row) and needs_result(row.state.job, row.whole or row.step):
        return replace(lost(row), process_id=_own(row).process_id)
    if row.step.verify is Verify.LOG:
        return _unproved(row, None, why_not or _MOVED, process_id=_own(row).process_id)
    moved = replace(_judged(row, None), lost=True, again=None, verified=INFERRED).warned(f"inferred: {_MOVED}")
    return moved if why_not is None else moved.warned(f"not verified: {why_not}")


def _look(row: OpenRow, *, moments: Sequence[float]) -> Running[ElementInstance | None]:
    """The element at the first moment at which it has moved, each in seconds after the last; else at last."""
    own = _own(row)
    now: ElementInstance | None = None
    for moment in moments:
        if moment:
            yield from pause(row, moment, why=PauseReason.SETTLE)
        now = yield from look_again(row, own.process_id, own.before)
        if now is not None and now.status != own.before.status:
            break
    return now


def _process_after(row: OpenRow, now: ElementInstance | None, process_id: str) -> Running[Attempt | str | None]:
    """How the process failed at once (the answer is 200 all the same), why that is not known, or None."""
    found: LogRow | Unread | None = None
    if row.log.refusal is None:
        found = yield from process_log.row_of(row, process_id)
    status = found.status if isinstance(found, LogRow) else None
    if isinstance(found, LogRow) and status in ENDED_BADLY:
        return process_failed(found)
    if now is not None and now.status in ENDED_BADLY:
        return _in_error(now, process_id)
    if now is not None and now.status not in ("done", GONE):
        return f"the element has the status {now.status}, which is not known"
    if status in KNOWN:
        return None
    if isinstance(found, LogRow):
        return strange_status(status)
    if isinstance(found, Unread):
        return f"the process log could not be read: {found.failure.trouble.message}"
    return "the process log cannot be read" if row.log.refusal is not None else "the process log shows no such process"


def _in_error(now: ElementInstance, process_id: str) -> Attempt:
    code, word = ("E203", "is in error") if now.status == "error" else ("E204", "was cancelled")
    reason = f": {now.error}" if now.error else ""
    failed = not_passed(code, f"the element {word}{reason}")
    return replace(failed, verified=False, process_id=process_id)


def _unknown(cause: Trouble) -> Attempt:
    return in_doubt(cause, why="the element has not moved so far, and it may still move")


def _own(row: OpenRow) -> CalledElement:
    assert row.element is not None
    return row.element


def attempt_chain(whole: OpenRow, planned: PlannedStep, chain: Elements) -> Running[tuple[Attempt, bool]]:
    """Retry and doubt are per element; the chain is never restarted. Its own row holds checks and outputs."""
    state = whole.state
    whole.attempts = 1
    part = replace(planned.step, expect=(), outputs={})
    replies: list[Json] = []
    any_flaky = any_lost = False
    for index, element in enumerate(chain.items):
        try:
            yield from check_stop(state)
            row = yield from begin(state, _shown(whole, planned, index, element), part, whole=planned.step)
            last, flaky = yield from try_until_done(row, partial(execute, element))
        except Interrupted as stop:
            first = index + (state.run.open_rows[-1] is not whole)
            stop.left_out = _left_out(whole, planned, chain, begin=first)
            state.left_out.update(event.row.key for event in stop.left_out)
            raise
        yield from end(row, last, flaky=flaky)
        any_flaky, any_lost = any_flaky or flaky, any_lost or last.lost
        replies.append(last.result)
        if last.status is not Status.PASSED:
            left_out = _left_out(whole, planned, chain, begin=index + 1, by=row.key)
            if last.status is Status.UNKNOWN:
                whole.replies = None if any_lost else replies[:index]
                state.left_out.update(event.row.key for event in left_out)
            for event in left_out:
                yield from note(event)
            return Attempt(status=last.status, result=replies, trouble=in_part(last.trouble, index)), False
    return replace(judged(whole, replies), lost=any_lost), any_flaky


def _left_out(
    whole: OpenRow, planned: PlannedStep, chain: Elements, *, begin: int, by: str | None = None
) -> list[StepSkipped]:
    """The elements from `begin` on are not executed, perhaps as the element `by` did not pass."""
    rows = [_shown(whole, planned, index, chain.items[index]) for index in range(begin, len(chain.items))]
    return [StepSkipped(row=row, reason=STOPPED, by=by) for row in rows]


def _shown(whole: OpenRow, planned: PlannedStep, index: int, element: Element) -> Row:
    name = planned.name if isinstance(element.which, str) else element.title
    key = f"{whole.key.removeprefix(whole.state.prefix)}[{index}]"
    return report_row(whole.state, planned, key=key, index=index, kind=element.kind, name=name)


def in_part(trouble: Trouble | None, index: int) -> Trouble | None:
    """What the row of the chain says where the element at `index` did not pass."""
    if trouble is None:
        return None
    return Trouble(code=trouble.code, message=f"element {index + 1} of the chain: {trouble.message}", hint=trouble.hint)

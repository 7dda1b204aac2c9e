"""Sending the start of a process: what it could be found by is known before, and what became of it after.

A call that must not happen twice is not made again, for whatever reason, before the process log was read: what was
answered may be the answer to a proxy's repetition of a call that did happen.
"""

from dataclasses import replace

from runner.engine import doubt, process_log, starts
from runner.engine.attempt import Attempt, is_in_doubt, of_failed_call
from runner.engine.effects import Done, Failed, Pause, Running, Send
from runner.engine.perform import perform
from runner.engine.process_log import Unread
from runner.engine.state import OpenRow, Start, State
from runner.engine.verdict import NO_ROW_YET, cannot_go_on
from runner.foundation.values import JsonObject
from runner.job.model import Step, StepEffect, Verify
from runner.runs.events import Trouble
from runner.service.calls import SESSION_REFUSED, CallFailed, ExecuteCall, FailureKind, RunProcessCall

AT_ONCE: tuple[float, ...] = ()
"""Seconds before the log is read again, where one reading is enough."""


def start(
    state: State, row: OpenRow, step: Step, call: ExecuteCall | RunProcessCall, *, marked: bool, in_turn: bool
) -> Running[Attempt | Done]:
    """The answer, or how the attempt ended without one.

    `marked`: the process log is read before, so that the row can be found without its id. `in_turn`: runs side by side
    wait for each other's starts of the process, so that each finds its own row.
    """
    process = call.process
    if row.turned_away is not None and (found := (yield from _began(state, row, step, AT_ONCE))):
        return found
    if marked:
        with row.reading_until(state.t + state.attempt_seconds(row, step)):
            unread = yield from process_log.mark(state, row.key, process, turn=in_turn)
        if unread is not None and (reason := cannot_go_on(step, unread)):
            return reason
    is_sought = step.verify is not Verify.NONE
    send = Send(
        key=row.key,
        call=call,
        effect=step.effect,
        seconds=state.attempt_seconds(row, step),
        watermark=process_log.watermark(state, process) if is_sought else None,
        secret=step.secret,
        turn=process if in_turn else None,
    )
    ended = yield from _sent(state, row, step, send)
    if isinstance(ended, Attempt):
        return ended
    outcome, sent = ended
    if isinstance(outcome, Failed):
        return (yield from _without_answer(state, row, step, sent=sent, failure=outcome.failure))
    row.turned_away = None
    row.start = starts.begun(state, sent)
    row.sought = row.start if is_sought and sent.marked else None
    row.in_doubt = step.effect is StepEffect.ONCE  # from here to the verdict, were the run told to stop
    return outcome


def _sent(state: State, row: OpenRow, step: Step, send: Send) -> Running[tuple[Done | Failed, Start] | Attempt]:
    """Send it, and once more in a fresh session where the first was not accepted."""
    begun_at = state.t
    for is_last in (False, True):
        seconds = max(0.0, send.seconds - (state.t - begun_at)) if is_last else send.seconds
        sent = _start(state, row, step, send, seconds=seconds)
        row.sought = sent if step.verify is not Verify.NONE and sent.marked else None
        outcome = yield from perform(state, replace(send, seconds=seconds))
        if not (isinstance(outcome, Failed) and outcome.failure.kind is FailureKind.TURNED_AWAY):
            return outcome, sent
        failure = outcome.failure
        if step.effect is StepEffect.ONCE:
            row.turned_away = (starts.bounded(state, sent), failure)
            if found := (yield from _began(state, row, step, NO_ROW_YET)):
                return found
        if failure.final or failure.trouble.code != SESSION_REFUSED:
            break
    return Failed(t=outcome.t, failure=replace(failure, final=failure.final or is_last)), sent


def _start(state: State, row: OpenRow, step: Step, send: Send, *, seconds: float) -> Start:
    assert isinstance(send.call, ExecuteCall | RunProcessCall)
    process = send.call.process
    marked = step.verify is not Verify.NONE and process in state.log.marks
    return starts.prepared(state, process, row.key, seconds=seconds, marked=marked)


def _began(state: State, row: OpenRow, step: Step, pauses: tuple[float, ...]) -> Running[Attempt | None]:
    """How the attempt ends where a call that was turned away may have happened; None where it may be made again.

    Which answers prove by themselves that nothing ran, the client of the service knows (`CallFailed.nothing_ran`).
    After any other one the log has to be read, with `verify: none`, too: not to judge the process, but to start it only
    once. A log that cannot be read leaves the call in doubt.
    """
    assert row.turned_away is not None
    sent, failure = row.turned_away
    row.in_doubt = not failure.nothing_ran
    rows = yield from _rows_of(state, row, sent, pauses)
    if (isinstance(rows, Unread) and failure.nothing_ran) or rows == []:
        row.in_doubt = False
        return None
    row.sought = sent
    return (yield from doubt.settled(state, row, step, cause=failure.trouble))


def _rows_of(state: State, row: OpenRow, sent: Start, pauses: tuple[float, ...]) -> Running[list[JsonObject] | Unread]:
    """The rows that may be those of the call, which come within a second where it has happened."""
    if state.log.refusal is not None:
        return Unread(state.log.refusal)
    for seconds in (*pauses, None):
        rows = yield from doubt.candidates(state, row, sent, last=seconds is None)
        if isinstance(rows, Unread) or rows or seconds is None:
            break
        yield from perform(state, Pause(key=row.key, seconds=seconds))
    if rows == [] and (why := starts.why_less(state.log, sent)) is not None:
        return Unread(CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E208", message=why)))
    return rows


def _without_answer(
    state: State, row: OpenRow, step: Step, *, sent: Start, failure: CallFailed
) -> Running[Attempt | Done]:
    """What the attempt comes to, and that the process may have been started, unless the call never got so far."""
    if starts.may_have_begun(failure):
        row.start = starts.begun(state, sent, failure=failure)
        row.sought = row.start if row.sought is not None else None
    if is_in_doubt(failure, step.effect):
        return (yield from doubt.settled(state, row, step, cause=failure.trouble))
    return of_failed_call(failure, step.effect)

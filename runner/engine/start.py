"""Sending the start of a process: what it could be found by is known before, and what became of it after."""

from http import HTTPStatus

from runner.engine import doubt, process_log
from runner.engine.attempt import Attempt, is_in_doubt, of_failed_call
from runner.engine.effects import Done, Failed, Running, Send
from runner.engine.perform import perform
from runner.engine.state import OpenRow, State
from runner.engine.verdict import cannot_go_on
from runner.job.model import Step, StepEffect, Verify
from runner.service.calls import CallFailed, ExecuteCall, FailureKind, RunProcessCall


def start(
    state: State, row: OpenRow, step: Step, call: ExecuteCall | RunProcessCall, *, marked: bool, in_turn: bool
) -> Running[Attempt | Done]:
    """The answer, or how the attempt ended without one.

    `marked`: the process log is read before, so that the row can be found without its id. `in_turn`: runs side by side
    wait for each other's starts of the process, so that each finds its own row.
    """
    process = call.process
    if marked:
        row.ready_by = state.t + state.attempt_seconds(step)
        unread = yield from process_log.mark(state, row.key, process, turn=in_turn)
        row.ready_by = None
        if unread is not None and (reason := cannot_go_on(step, unread)):
            return reason
    is_sought = step.verify is not Verify.NONE
    row.sought = doubt.sought(state, process) if is_sought else None
    outcome = yield from perform(
        state,
        Send(
            key=row.key,
            call=call,
            effect=step.effect,
            seconds=state.attempt_seconds(step),
            watermark=process_log.watermark(state, process) if is_sought else None,
            secret=step.secret,
            turn=process if in_turn else None,
        ),
    )
    if not isinstance(outcome, Failed):
        if row.sought is not None:
            process_log.begun(state, process, row.key)
        row.in_doubt = step.effect is StepEffect.ONCE  # from here to the verdict, were the run told to stop
        return outcome
    return (yield from _without_answer(state, row, step, process=process, failure=outcome.failure))


def _without_answer(
    state: State, row: OpenRow, step: Step, *, process: str, failure: CallFailed
) -> Running[Attempt | Done]:
    """What the attempt comes to, and that the process may have been started, unless the call never got so far."""
    if failure.kind is not FailureKind.NOT_SENT and not _was_turned_away(failure):
        process_log.begun(state, process, row.key, refused=failure.kind is FailureKind.REFUSED)
    if is_in_doubt(failure, step.effect):
        return (yield from doubt.settled(state, row, step, cause=failure.trouble))
    return of_failed_call(failure, step.effect)


def _was_turned_away(failure: CallFailed) -> bool:
    """Whether the service said no before it began anything: no right, no such process, a call that it cannot read."""
    status = failure.status or 0
    is_no = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return failure.kind is FailureKind.REFUSED and is_no

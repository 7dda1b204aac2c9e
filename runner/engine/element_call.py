"""The call that executes an element, or completes it with values."""

from dataclasses import replace

from runner.engine.effects import Done, Failed, Running, Send
from runner.engine.perform import perform
from runner.engine.state import OpenRow, State
from runner.foundation.values import JsonObject
from runner.job.model import Step, StepEffect
from runner.service.calls import SESSION_REFUSED, CallFailed, CompleteCall, ElementCall, FailureKind


def call_of(uid: str, parameters: JsonObject | None) -> ElementCall | CompleteCall:
    return ElementCall(uid=uid) if parameters is None else CompleteCall(uid=uid, parameters=parameters)


def sent(state: State, row: OpenRow, step: Step, call: ElementCall | CompleteCall) -> Running[Done | Failed]:
    """Make the call within the time of one attempt, and once more where the session was lost before."""
    seconds = state.attempt_seconds(row, step)
    send = Send(key=row.key, call=call, effect=step.effect, seconds=seconds, secret=step.secret)
    outcome = yield from perform(state, send)
    if isinstance(outcome, Failed) and _may_be_made_again(outcome.failure, step.effect):
        outcome = yield from perform(state, send)
        if isinstance(outcome, Failed) and outcome.failure.kind is FailureKind.TURNED_AWAY:
            outcome = replace(outcome, failure=replace(outcome.failure, final=True))
    return outcome


def may_have_happened(failure: CallFailed) -> bool:
    """Whether a call that was turned away may be the repetition of one that was not, by a proxy."""
    return failure.kind is FailureKind.TURNED_AWAY and not failure.nothing_ran


def _may_be_made_again(failure: CallFailed, effect: StepEffect) -> bool:
    """Whether the session was lost, and the call can be made in a fresh one."""
    is_lost = failure.kind is FailureKind.TURNED_AWAY and failure.trouble.code == SESSION_REFUSED
    return is_lost and not failure.final and not (effect is StepEffect.ONCE and may_have_happened(failure))

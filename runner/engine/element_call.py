"""The call that executes an element, or completes it with values."""

from runner.engine.effects import Done, Failed, Running, Send
from runner.engine.perform import perform
from runner.engine.state import OpenRow, State
from runner.job.model import Step
from runner.service.calls import CompleteCall, ElementCall
from runner.values import JsonObject


def call_of(uid: str, parameters: JsonObject | None) -> ElementCall | CompleteCall:
    return ElementCall(uid=uid) if parameters is None else CompleteCall(uid=uid, parameters=parameters)


def sent(state: State, row: OpenRow, step: Step, call: ElementCall | CompleteCall) -> Running[Done | Failed]:
    """Make the call within the time of one attempt."""
    send = Send(key=row.key, call=call, effect=step.effect, seconds=state.attempt_seconds(step), secret=step.secret)
    return (yield from perform(state, send))

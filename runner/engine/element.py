"""One attempt of an element: executed, or completed with values. The service refuses to execute one twice [D]."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from runner.engine.answer import broken, judged
from runner.engine.attempt import Attempt, in_doubt, of_failed_call
from runner.engine.effects import Failed, Running, Send
from runner.engine.parameters import parameters_of
from runner.engine.perform import perform
from runner.engine.state import OpenRow, State
from runner.events import Status, Trouble
from runner.guids import is_guid
from runner.job.model import Element, Step, StepEffect
from runner.service.calls import SESSION_REFUSED, CallFailed, CompleteCall, ElementCall, FailureKind
from runner.template.evaluate import EvaluationError


def attempt_of(element: Element) -> Callable[[State, OpenRow, Step], Running[Attempt]]:
    """One attempt of this element, in the form that `runner.engine.retry` repeats."""
    return partial(_attempt, element)


def _attempt(element: Element, state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Execute the element once. Nothing is sent for an id that is none."""
    try:
        call = _call(state, row, element)
    except EvaluationError as error:
        return broken(error)
    if not is_guid(call.uid):
        return no_guid("the element's id", call.uid)
    send = Send(key=row.key, call=call, effect=step.effect, seconds=state.attempt_seconds(step), secret=step.secret)
    outcome = yield from perform(state, send)
    if isinstance(outcome, Failed) and _may_be_made_again(outcome.failure, step.effect):
        outcome = yield from perform(state, send)
        if isinstance(outcome, Failed) and outcome.failure.kind is FailureKind.TURNED_AWAY:
            outcome = replace(outcome, failure=replace(outcome.failure, final=True))
    if not isinstance(outcome, Failed):
        return judged(state, row, step, outcome.value)
    if step.effect is StepEffect.ONCE and _may_have_happened(outcome.failure):
        return Attempt(status=Status.UNKNOWN, trouble=in_doubt(outcome.failure.trouble, why=_NO_LOG))
    return of_failed_call(outcome.failure, step.effect)


_NO_LOG = "the process log does not tell of single elements"


def _may_have_happened(failure: CallFailed) -> bool:
    """Whether a call that was turned away may be the repetition of one that was not, by a proxy."""
    return failure.kind is FailureKind.TURNED_AWAY and not failure.nothing_ran


def _may_be_made_again(failure: CallFailed, effect: StepEffect) -> bool:
    """Whether the session was lost, and the call can be made in a fresh one."""
    is_lost = failure.kind is FailureKind.TURNED_AWAY and failure.trouble.code == SESSION_REFUSED
    return is_lost and not failure.final and not (effect is StepEffect.ONCE and _may_have_happened(failure))


def _call(state: State, row: OpenRow, element: Element) -> ElementCall | CompleteCall:
    uid = state.names.text(element.uid, f"{row.key}.uid")
    if element.parameters is None:
        return ElementCall(uid=uid)
    values = parameters_of(state, row, element.parameters)
    return CompleteCall(uid=uid, parameters=values)


def no_guid(what: str, text: str) -> Attempt:
    """Nothing is sent for an id that a template gave and that is none."""
    shown = text if len(text) <= 60 else text[:60] + "…"  # noqa: PLR2004  a line of a terminal
    message = f"{what} is `{shown}`, which is no GUID"
    hint = "an id has 8-4-4-4-12 hexadecimal digits"
    return Attempt(status=Status.FAILED, trouble=Trouble(code="E113", message=message, hint=hint))

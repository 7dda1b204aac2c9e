"""One attempt of an element: executed, or completed with values. The service refuses to execute one twice [D]."""

from collections.abc import Callable
from functools import partial

from runner.engine.answer import judged
from runner.engine.attempt import Attempt, in_doubt, of_failed_call
from runner.engine.effects import Failed, Running
from runner.engine.element_call import call_of, may_have_happened, sent
from runner.engine.finding import Wanted
from runner.engine.named_element import attempt_named
from runner.engine.parameters import parameters_of
from runner.engine.state import OpenRow, State
from runner.foundation.guids import is_guid
from runner.job.actions import Element, ElementName
from runner.job.model import Step, StepEffect
from runner.runs.events import Status, Trouble


def attempt_element(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    assert isinstance(step.action, Element)
    return _attempt(step.action, state, row, step)


def attempt_of(element: Element) -> Callable[[State, OpenRow, Step], Running[Attempt]]:
    """One attempt of this element, in the form that `runner.engine.retry` repeats."""
    return partial(_attempt, element)


def _attempt(element: Element, state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Execute the element once. Nothing is sent for an id that is none."""
    which = element.which
    wanted = _wanted(state, row, which) if isinstance(which, ElementName) else None
    uid = state.names.text(which, f"{row.key}.uid") if isinstance(which, str) else ""
    values = None if element.parameters is None else parameters_of(state, row, element.parameters)
    if wanted is not None:
        if not is_guid(wanted.process_id):
            return no_guid("the process's id", wanted.process_id)
        return (yield from attempt_named(state, row, step, wanted=wanted, parameters=values))
    if not is_guid(uid):
        return no_guid("the element's id", uid)
    outcome = yield from sent(state, row, step, call_of(uid, values))
    if not isinstance(outcome, Failed):
        return judged(state, row, step, outcome.value)
    if step.effect is StepEffect.ONCE and may_have_happened(outcome.failure):
        return in_doubt(outcome.failure.trouble, why=_NO_LOG)
    return of_failed_call(outcome.failure, step.effect)


_NO_LOG = "the process log does not tell of single elements"


def _wanted(state: State, row: OpenRow, named: ElementName) -> Wanted:
    process_id = state.names.text(named.of, f"{row.key}.of")
    return Wanted(process_id=process_id.lower(), name=state.names.text(named.name, f"{row.key}.name"), how=named)


def no_guid(what: str, text: str) -> Attempt:
    """Nothing is sent for an id that a template gave and that is none."""
    shown = text if len(text) <= 60 else text[:60] + "…"  # noqa: PLR2004  a line of a terminal
    message = f"{what} is `{shown}`, which is no GUID"
    hint = "an id has 8-4-4-4-12 hexadecimal digits"
    return Attempt(status=Status.FAILED, trouble=Trouble(code="E113", message=message, hint=hint))

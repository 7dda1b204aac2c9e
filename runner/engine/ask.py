"""`confirm` and `pause`: nothing is sent; a person says yes, or time passes."""

from runner.engine.answer import broken, judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Ask, Done, Pause, Running
from runner.engine.state import OpenRow, State, perform
from runner.events import Status, Trouble
from runner.job import model
from runner.job.model import Confirm, Step
from runner.template.evaluate import EvaluationError


def attempt_confirm(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Ask. Anything but a yes is a failure."""
    action = step.action
    assert isinstance(action, Confirm)
    try:
        text = state.names.text(action.text, f"{row.key}.confirm")
    except EvaluationError as error:
        return broken(error)
    outcome = yield from perform(state, Ask(key=row.key, text=text))
    if isinstance(outcome, Done) and outcome.value is True:
        return judged(state, row, step, True)  # noqa: FBT003  the result of a confirm
    trouble = Trouble(code="E210", message=f"nobody said yes to: {text}")
    return Attempt(status=Status.FAILED, trouble=trouble)


def attempt_pause(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    action = step.action
    assert isinstance(action, model.Pause)
    yield from perform(state, Pause(key=row.key, seconds=action.seconds))
    return judged(state, row, step, None)

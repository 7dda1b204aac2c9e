"""`confirm` and `pause`: nothing is sent; a person says yes, or time passes."""

from runner.engine.answer import broken, judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Ask, Done, Pause, Running
from runner.engine.perform import TIMEOUT, Interrupted, perform
from runner.engine.state import OpenRow, State
from runner.expressions.evaluate import EvaluationError
from runner.job import model
from runner.job.model import Confirm, Step
from runner.runs.events import Status, Trouble


def attempt_confirm(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Ask. Anything but a yes is a failure."""
    action = step.action
    assert isinstance(action, Confirm)
    try:
        text = state.names.text(action.text, f"{row.key}.confirm")
    except EvaluationError as error:
        return broken(error)
    outcome = yield from perform(state, Ask(key=row.key, text=text, seconds=step.timeout, help=step.help))
    if isinstance(outcome, Done) and outcome.value is True:
        return judged(state, row, step, True)  # noqa: FBT003  the result of a confirm
    late = isinstance(outcome, Done) and outcome.value is None
    if late and state.ends is not None and state.t >= state.ends:
        raise Interrupted(TIMEOUT, over=True)
    said = f"nobody answered in time: {text}" if late else f"nobody said yes to: {text}"
    trouble = Trouble(code="E210", message=said)
    return Attempt(status=Status.FAILED, trouble=trouble)


def attempt_pause(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Wait. A pause for which the job has no time is not shortened and called passed."""
    action = step.action
    assert isinstance(action, model.Pause)
    is_cut = state.ends is not None and state.t + action.seconds > state.ends
    yield from perform(state, Pause(key=row.key, seconds=action.seconds))
    if is_cut:
        raise Interrupted(TIMEOUT, over=True)
    return judged(state, row, step, None)

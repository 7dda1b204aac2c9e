"""A `confirm`: nothing is sent; a person says yes."""

from runner.engine.answer import judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Ask, Done, Running
from runner.engine.perform import TIMEOUT, Interrupted, perform
from runner.engine.state import OpenRow, State
from runner.job.actions import Confirm
from runner.job.model import Step
from runner.runs.events import Status, Trouble


def attempt_confirm(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Ask. Anything but a yes is a failure."""
    action = step.action
    assert isinstance(action, Confirm)
    text = state.names.text(action.text, f"{row.key}.confirm")
    outcome = yield from perform(state, Ask(key=row.key, text=text, seconds=step.timeout, help=step.help))
    if isinstance(outcome, Done) and outcome.value is True:
        return judged(state, row, step, True)  # noqa: FBT003  the result of a confirm
    is_late = isinstance(outcome, Done) and outcome.value is None
    if is_late and state.ends is not None and state.t >= state.ends:
        raise Interrupted(TIMEOUT, over=True)
    message = f"nobody answered in time: {text}" if is_late else f"nobody said yes to: {text}"
    return Attempt(status=Status.FAILED, trouble=Trouble(code="E210", message=message))

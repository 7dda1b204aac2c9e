"""A `pause`: nothing is sent; time passes."""

from runner.engine import effects
from runner.engine.answer import judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.perform import TIMEOUT, Interrupted, perform
from runner.engine.state import OpenRow, State
from runner.job.actions import Pause
from runner.job.model import Step


def attempt_pause(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Wait. A pause for which the job has no time is not shortened and called passed."""
    action = step.action
    assert isinstance(action, Pause)
    is_cut = state.ends is not None and state.t + action.seconds > state.ends
    yield from perform(state, effects.Pause(key=row.key, seconds=action.seconds))
    if is_cut:
        raise Interrupted(TIMEOUT, over=True)
    return judged(state, row, step, None)

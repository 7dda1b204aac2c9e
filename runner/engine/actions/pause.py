"""A `pause`: nothing is sent; time passes."""

from runner.engine.answer import judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.perform import TIMEOUT, Interrupted, pause
from runner.engine.state import OpenRow
from runner.job.actions import Pause
from runner.runs.evidence import PauseReason


def attempt_pause(row: OpenRow) -> Running[Attempt]:
    """Wait. A pause for which the job has no time is not shortened and called passed."""
    action, ends = row.step.action, row.state.ends
    assert isinstance(action, Pause)
    is_cut = ends is not None and row.t + action.seconds > ends
    yield from pause(row, action.seconds, why=PauseReason.PAUSE)
    if is_cut:
        raise Interrupted(TIMEOUT, over=True)
    return judged(row, None)

"""A `pause`: nothing is sent; time passes."""

from runner.engine.answer import judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.perform import TIMEOUT, Interrupted, pause
from runner.engine.state import OpenRow
from runner.foundation.durations import format_duration
from runner.job.actions import Pause
from runner.runs.evidence import PauseReason

_LEAST_SECONDS = 0.01  # what a host's rounding may leave of a pause


def attempt_pause(row: OpenRow) -> Running[Attempt]:
    """Wait. A pause that does not fit into the job's time is not cut. A stop ends a pause of `undo` and `finally`."""
    action, ends, begun = row.step.action, row.state.ends, row.t
    assert isinstance(action, Pause)
    is_cut = ends is not None and row.t + action.seconds > ends
    yield from pause(row, action.seconds, why=PauseReason.PAUSE)
    if is_cut:
        raise Interrupted(TIMEOUT, over=True)
    if (waited := row.t - begun) < action.seconds - _LEAST_SECONDS:
        return judged(row, None).warned(f"it was cut short after {format_duration(waited)}, as the run was stopped")
    return judged(row, None)

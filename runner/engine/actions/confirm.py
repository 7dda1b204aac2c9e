"""A `confirm`: nothing is sent; a person says yes."""

from runner.engine.answer import judged
from runner.engine.attempt import Attempt, not_passed
from runner.engine.effects import Ask, Done, Running
from runner.engine.perform import TIMEOUT, Interrupted, perform
from runner.engine.state import OpenRow
from runner.job.actions import Confirm


def attempt_confirm(row: OpenRow) -> Running[Attempt]:
    """Ask. Anything but a yes is a failure."""
    action, step, ends = row.step.action, row.step, row.state.ends
    assert isinstance(action, Confirm)
    text = row.text(action.text, "confirm")
    outcome = yield from perform(row, Ask(key=row.key, text=text, seconds=step.timeout, help=step.help))
    if isinstance(outcome, Done) and outcome.value is True:
        return judged(row, True)  # noqa: FBT003  the result of a confirm
    is_late = isinstance(outcome, Done) and outcome.value is None
    if is_late and ends is not None and row.t >= ends:
        raise Interrupted(TIMEOUT, over=True)
    return not_passed("E210", f"nobody answered in time: {text}" if is_late else f"nobody said yes to: {text}")

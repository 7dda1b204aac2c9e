"""A chain of elements: in order, each a row of its own; it ends at the first that does not pass."""

from functools import partial

from msgspec.structs import replace

from runner.engine.actions.element import execute
from runner.engine.answer import judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.perform import check_stop
from runner.engine.retry import try_until_done
from runner.engine.rows import begin, end, report_row
from runner.engine.state import OpenRow
from runner.foundation.values import Json
from runner.job.actions import Elements
from runner.planning.plan import PlannedStep
from runner.runs.events import Trouble
from runner.runs.status import Status


def attempt_chain(whole: OpenRow, planned: PlannedStep, chain: Elements) -> Running[tuple[Attempt, bool]]:
    """Retry and doubt are per element; the chain is never restarted. Its own row holds checks and outputs."""
    state = whole.state
    whole.attempts = 1
    part = replace(planned.step, expect=(), outputs={})
    key = whole.key.removeprefix(state.prefix)
    replies: list[Json] = []
    any_flaky = any_lost = False
    for index, element in enumerate(chain.items):
        yield from check_stop(state)
        name = planned.name if isinstance(element.which, str) else element.title
        shown = report_row(state, planned, key=f"{key}[{index}]", index=index, kind=element.kind, name=name)
        row = yield from begin(state, shown, part, whole=planned.step)
        last, flaky = yield from try_until_done(row, partial(execute, element))
        yield from end(row, last, flaky=flaky)
        any_flaky, any_lost = any_flaky or flaky, any_lost or last.lost
        replies.append(last.result)
        if last.status is not Status.PASSED:
            if last.status is Status.UNKNOWN:
                whole.replies = None if any_lost else replies[:index]
                state.left_out.update(f"{whole.key}[{later}]" for later in range(index + 1, len(chain.items)))
            return Attempt(status=last.status, result=replies, trouble=in_part(last.trouble, index)), False
    return replace(judged(whole, replies), lost=any_lost), any_flaky


def in_part(trouble: Trouble | None, index: int) -> Trouble | None:
    """What the row of the chain says where the element at `index` did not pass."""
    if trouble is None:
        return None
    return Trouble(code=trouble.code, message=f"element {index + 1} of the chain: {trouble.message}", hint=trouble.hint)

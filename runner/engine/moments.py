"""Moments of the server's own clock since which failures are counted: when the run began, and when a step did.

The server's time is that of the newest row of its process log. What had failed by then is remembered by its id, so
that neither this machine's clock nor a row of the same instant plays a part.
"""

from runner.engine.effects import Running
from runner.engine.records import read_records
from runner.engine.state import Moment, OpenRow, State
from runner.job.actions.failures import SINCE_RUN
from runner.job.model import Step
from runner.service import failed_rows
from runner.service.calls import CallFailed


def keep_moments(state: State, row: OpenRow, step: Step) -> Running[None]:
    """Read the moment at which `row` begins, where a `failures` counts since then."""
    is_first = SINCE_RUN in state.run.plan.job.moments and state.run.began is None
    is_asked_for = step.id is not None and step.id in state.job.moments and not row.index
    if not is_first and not is_asked_for:
        return
    with row.reading_until(state.t + state.attempt_seconds(row, step)):
        moment = yield from _now(state, row.key)
    if is_first:
        state.run.began = moment
    if is_asked_for and step.id is not None:
        state.moments[step.id] = moment


def _now(state: State, key: str) -> Running[Moment | CallFailed]:
    newest = yield from read_records(state, key, failed_rows.NEWEST)
    if isinstance(newest, CallFailed):
        return newest
    since = failed_rows.started(newest)
    failed = yield from read_records(state, key, failed_rows.failed_since(since))
    if isinstance(failed, CallFailed):
        return failed
    return Moment(since=since, seen=frozenset(map(failed_rows.key, failed)))

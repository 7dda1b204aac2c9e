"""The rows of a report, as they begin, end and are left out."""

from runner.engine.attempt import LATER, Attempt
from runner.engine.effects import Running
from runner.engine.perform import TIMEOUT, note
from runner.engine.state import Doubt, OpenRow, RunState, State
from runner.foundation.durations import written
from runner.job.model import Step
from runner.planning.plan import PlannedStep
from runner.runs.events import Row, Status, StepFinished, StepSkipped, StepStarted, Trouble

HIDDEN = "***"
STOPPED = "stopped"
"""Why a row was left out, or ended in a way of its own."""


def row_of(
    state: State,
    planned: PlannedStep,
    *,
    key: str,
    index: int | None = None,
    kind: str | None = None,
    name: str | None = None,
) -> Row:
    """What reports know of a step, of one of its turns, or of one element of its chain."""
    step = planned.step
    return Row(
        key=f"{state.prefix}{key}",
        id=step.id,
        name=name or planned.name,
        kind=kind or planned.kind,
        section=planned.section,
        index=index,
        line=step.line,
        help=step.help,
    )


def begin(
    state: State, row: Row, step: Step, *, has_parts: bool = False, whole: Step | None = None
) -> Running[OpenRow]:
    """Begin a row, of `step`, or of a part of `whole`; `has_parts`: it will hold rows of its own."""
    opened = OpenRow(
        key=row.key, started=state.t, state=state, step=step, index=row.index, has_parts=has_parts, whole=whole
    )
    state.run.open_rows.append(opened)
    yield from note(StepStarted(row=row, t=state.t))
    return opened


def end(
    state: State, last: Attempt, *, flaky: bool = False, secret: bool = False, reason: str | None = None
) -> Running[None]:
    """End the innermost row that is under way. One whose outcome nobody knows is kept in mind, to be settled later."""
    row = state.run.open_rows.pop()
    if last.status is Status.UNKNOWN and not row.has_parts:
        row.doubt, row.cause = last.trouble, last.cause
        state.run.doubts.append(Doubt(row=row, within=tuple(state.run.open_rows)))
    yield from note(finished(state, row, last, flaky=flaky, secret=secret, reason=reason))


def finished(
    state: State,
    row: OpenRow,
    last: Attempt,
    *,
    flaky: bool = False,
    secret: bool = False,
    reason: str | None = None,
) -> StepFinished:
    """How a row has ended, as it is written down; `secret` keeps its result out."""
    return StepFinished(
        key=row.key,
        t=state.t,
        status=last.status,
        seconds=round(state.t - row.started, 6) if last.seconds is None else last.seconds,
        attempts=row.attempts,
        flaky=flaky,
        verified=last.verified,
        process_id=last.process_id,
        result=HIDDEN if secret and last.result is not None else last.result,
        outputs=last.outputs or {},
        checks=last.checks,
        warnings=(*row.warnings, *last.warnings),
        reason=reason,
        error=last.trouble,
    )


def skip(state: State, planned: PlannedStep, *, reason: str) -> Running[None]:
    row = row_of(state, planned, key=planned.key)
    if reason == STOPPED:
        state.left_out.add(row.key)
    by = state.halted_by if reason == STOPPED and not state.closing else None
    yield from note(StepSkipped(row=row, reason=reason, by=by))


def interrupt(state: State, why: str, *, down_to: int) -> Running[Status]:
    """End the rows, but for the first `down_to`, that were under way when the run was told to stop.

    Gives the status of the outermost of them.
    """
    cut = status = Status.FAILED if why == TIMEOUT else Status.ERROR
    while len(state.run.open_rows) > down_to:
        row = state.run.open_rows[-1]
        if row.known is not None:
            status = row.known.status
            if row.step.secret:
                row.state.names.keep_secret(row.known.result, f"{row.key}.result")
            yield from end(state, row.known, secret=row.step.secret)
            continue
        status = Status.UNKNOWN if row.in_doubt or holds_doubt(state.run, row) else cut
        last = _doubtful(row, why) if status is Status.UNKNOWN else Attempt(status=status, trouble=_cut(state, why))
        yield from end(state, last, reason=STOPPED)
    return status


def holds_doubt(run: RunState, row: OpenRow) -> bool:
    """Whether a part of this row is in doubt."""
    return any(outer is row for found in run.doubts for outer in found.within)


def _cut(state: State, why: str) -> Trouble:
    if why == TIMEOUT:
        return time_is_over(state)
    return Trouble(code="E312", message=f"stopped by {why}")


def time_is_over(state: State) -> Trouble:
    """What is said of a run, and of a row of it, that took longer than it may."""
    job = state.run.plan.job
    if state.ends is not None and state.ends == state.run.cleanup_ends:
        message = f"undo and `finally` took longer than their {written(job.cleanup_timeout)}"
        hint = "`cleanup_timeout` gives them more time"
    elif job.timeout is not None and state.ends == job.timeout:
        message = f"the steps took longer than the job's {written(job.timeout)}"
        hint = "`timeout` of the job gives them more time"
    else:
        message, hint = "the included job took longer than its step allows", "`timeout` of the step gives it more time"
    return Trouble(code="E212", message=message, hint=hint)


def _doubtful(row: OpenRow, why: str) -> Attempt:
    cause = "the time was over" if why == TIMEOUT else f"{why} stopped the run"
    if row.process_id is not None:
        message = f"it has started, and {cause} before the process log told how it ended"
        return Attempt(status=Status.UNKNOWN, trouble=Trouble(code="E401", message=message, hint=LATER))
    cut = Trouble(code="E401", message=f"{cause} before the process log told how the process ended")
    message = f"it may or may not have happened: {cut.message}"
    return Attempt(status=Status.UNKNOWN, trouble=Trouble(code="E401", message=message, hint=LATER), cause=cut)

"""The rows of a report, as they begin, end and are left out."""

from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.state import OpenRow, State, note
from runner.events import Row, Status, StepFinished, StepSkipped, StepStarted, Trouble
from runner.plan import PlannedStep

HIDDEN = "***"


def row_of(state: State, planned: PlannedStep, *, key: str, index: int | None = None, kind: str | None = None) -> Row:
    """What reports know of a step, of one of its turns, or of one element of its chain."""
    step = planned.step
    return Row(
        key=f"{state.prefix}{key}",
        id=step.id,
        name=planned.name,
        kind=kind or planned.kind,
        section=planned.section,
        index=index,
        line=step.line,
        help=step.help,
    )


def begin(state: State, row: Row) -> Running[OpenRow]:
    opened = OpenRow(key=row.key, started=state.t)
    state.run.open_rows.append(opened)
    yield from note(StepStarted(row=row, t=state.t))
    return opened


def end(
    state: State, last: Attempt, *, flaky: bool = False, secret: bool = False, reason: str | None = None
) -> Running[None]:
    """End the innermost row that is under way."""
    row = state.run.open_rows.pop()
    yield from note(
        StepFinished(
            key=row.key,
            t=state.t,
            status=last.status,
            seconds=round(state.t - row.started, 6),
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
    )


def skip(state: State, planned: PlannedStep, *, reason: str) -> Running[None]:
    row = row_of(state, planned, key=planned.key)
    yield from note(StepSkipped(row=row, reason=reason))


def interrupt(state: State, why: str, *, down_to: int) -> Running[Status]:
    """End the rows, but for the first `down_to`, that were under way when the host was told to stop.

    Gives the status of the outermost of them.
    """
    status = Status.ERROR
    while len(state.run.open_rows) > down_to:
        row = state.run.open_rows[-1]
        status = Status.UNKNOWN if row.in_doubt or status is Status.UNKNOWN else Status.ERROR
        trouble = _in_doubt(why) if status is Status.UNKNOWN else Trouble(code="E312", message=f"stopped by {why}")
        yield from end(state, Attempt(status=status, trouble=trouble), reason="stopped")
    return status


def _in_doubt(why: str) -> Trouble:
    message = f"the call was answered, but {why} stopped the run before the process log told how the process ended"
    return Trouble(code="E401", message=message, hint="look at the process log of the site before you start it again")

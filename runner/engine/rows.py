"""The rows of a report, as they begin, end and are left out."""

from collections.abc import Sequence

from msgspec.structs import replace

from runner.engine.attempt import MAY_HAVE_HAPPENED, SETTLE, Attempt, not_passed
from runner.engine.effects import Running
from runner.engine.lost import is_needed
from runner.engine.perform import TIMEOUT, note
from runner.engine.scope import Names
from runner.engine.state import DoubtfulRow, OpenRow, State
from runner.foundation.durations import format_duration
from runner.foundation.values import Json
from runner.job.actions import ACTIONS, Execute, IncludedJob, Run, Signal
from runner.job.model import Step, StepEffect, Verify
from runner.planning.plan import PlannedStep
from runner.runs.events import Row, Section, StepFinished, StepSkipped, StepStarted, Trouble
from runner.runs.evidence import Unverified
from runner.runs.process_status import NOT_ENDED
from runner.runs.status import Status

HIDDEN = "***"
STOPPED = "stopped"  # why a row was left out, or ended in a way of its own
_IMPLIED_IF = {Section.STEPS: "success()", Section.UNDO: "always()", Section.FINALLY: "always()"}
"""The `if` of a step that has none."""

_STARTING = (Execute, Run, Signal)


def report_row(
    state: State,
    planned: PlannedStep,
    *,
    key: str,
    index: int | None = None,
    kind: str | None = None,
    name: str | None = None,
) -> Row:
    """What reports know of a step, of a turn of it, or of an element of its chain."""
    step = planned.step
    process = getattr(step.action, "process", None) or getattr(step.action, "starts", None)
    return Row(
        key=f"{state.prefix}{key}" if state.prefix else key,
        id=step.id,
        name=name or planned.name,
        kind=kind or planned.kind,
        section=planned.section,
        index=index,
        line=step.line,
        help=step.help or (step.action.job.help if isinstance(step.action, IncludedJob) else None),
        effect=step.effect.value,
        on_failure=step.on_failure.value,
        condition=None if step.condition == _IMPLIED_IF[planned.section] else step.condition,
        process=process if isinstance(process, str) else None,
        max_attempts=step.retry.max_attempts,
        needs_result=step.effect is StepEffect.ONCE and is_needed(state, step),
    )


def begin(
    state: State, shown: Row, step: Step, *, has_parts: bool = False, whole: Step | None = None
) -> Running[OpenRow]:
    """Begin a row, of `step`, or of a part of `whole`; `has_parts`: it will hold rows. Cleanup is not undone."""
    if step.undo is not None and shown.section is not Section.STEPS:
        step = replace(step, undo=None)
    row = OpenRow(
        key=shown.key, started=state.t, state=state, step=step, index=shown.index, has_parts=has_parts, whole=whole
    )
    state.run.open_rows.append(row)
    yield from note(StepStarted(row=shown, t=state.t))
    return row


def end(row: OpenRow, last: Attempt, *, flaky: bool = False, reason: str | None = None) -> Running[None]:
    """End the row, the innermost that is under way. A row that ends in doubt is remembered, to be settled later."""
    run = row.state.run
    run.open_rows.pop()
    if last.status is Status.UNKNOWN and not row.has_parts:
        row.doubt, row.cause = last.trouble, last.cause
        run.doubts.append(DoubtfulRow(row=row, within=tuple(run.open_rows)))
    count_running(row, last)
    yield from note(finished(row, last, flaky=flaky, reason=reason))


def finished(row: OpenRow, last: Attempt, *, flaky: bool = False, reason: str | None = None) -> StepFinished:
    """How a row has ended, as it is written down; the result of a secret step stays out."""
    names = row.state.names
    item = _shown_item(names, names.known.get("item")) if last.status is not Status.PASSED else None
    return StepFinished(
        key=row.key,
        t=row.t,
        status=last.status,
        seconds=round(row.t - row.started, 6) if last.seconds is None else last.seconds,
        attempts=row.attempts,
        flaky=flaky,
        verified=last.verified,
        process_id=last.process_id,
        result=HIDDEN if row.step.secret and last.result is not None else last.result,
        outputs=last.outputs or {},
        checks=last.checks,
        warnings=(*row.warnings, *last.warnings),
        reason=reason,
        error=last.trouble,
        unverified=_why_unverified(row, last),
        running=_is_running(row, last),
        item=item,
    )


def _is_running(row: OpenRow, last: Attempt) -> bool:
    """Whether the row passed, and the process that it has started had not ended at the last look."""
    has_started = last.status is Status.PASSED and isinstance(row.step.action, _STARTING)
    return has_started and not row.has_parts and last.process_status in NOT_ENDED


def count_running(row: OpenRow, last: Attempt) -> None:
    """Count the process that the row has started as running, until a later row shows that it has ended."""
    running = row.state.running
    if _is_running(row, last):
        running.add(last.process_id or row.key)
    elif last.process_id is not None and last.process_status not in (None, *NOT_ENDED):
        running.discard(last.process_id)


def _why_unverified(row: OpenRow, last: Attempt) -> Unverified | None:
    """Why `verified` is None, as evidence."""
    if last.verified is not None:
        return None
    if row.has_parts or not ACTIONS[row.step.action.kind].is_verified:
        return Unverified.NOTHING
    if isinstance(row.step.action, Signal) and row.step.action.starts is None and not last.unproved:
        return Unverified.NOTHING
    if row.step.verify is Verify.NONE:
        return Unverified.OFF
    if last.status is Status.UNKNOWN and (last.by_hand or _has_no_trace(row)):
        return Unverified.BY_HAND
    if row.log.refusal is not None:
        return Unverified.UNREADABLE
    return Unverified.NOT_SHOWN if last.status in (Status.PASSED, Status.UNKNOWN) else Unverified.NOT_ASKED


def _has_no_trace(row: OpenRow) -> bool:
    """Whether nothing is known of its call by which its end could be found later."""
    return row.look_again is None and row.process_id is None and row.sought is None


def skip(state: State, planned: PlannedStep, *, reason: str) -> Running[None]:
    shown = report_row(state, planned, key=planned.key)
    if reason == STOPPED:
        state.left_out.add(shown.key)
    by = state.halted_by if reason == STOPPED and not state.closing else None
    yield from note(StepSkipped(row=shown, reason=reason, by=by))


def turns_left_out(
    state: State, planned: PlannedStep, items: Sequence[Json], *, begin: int, names: Names, by: str | None
) -> list[StepSkipped]:
    """The turns from `begin` on are not carried out, perhaps as the turn `by` has stopped them. `names`: of a turn."""
    skipped = []
    for index in range(begin, len(items)):
        shown = report_row(state, planned, key=f"{planned.key}[{index}]", index=index)
        state.left_out.add(shown.key)
        skipped.append(StepSkipped(row=shown, reason=STOPPED, by=by, item=_shown_item(names, items[index])))
    return skipped


def _shown_item(names: Names, item: Json) -> Json:
    return None if ("item",) in names.tainted else item


def interrupt(state: State, why: str, *, down_to: int) -> Running[Status]:
    """End the rows that were under way, but for the first `down_to`; gives the status of the outermost."""
    run = state.run
    cut = status = Status.FAILED if why == TIMEOUT else Status.ERROR
    while len(run.open_rows) > down_to:
        row = run.open_rows[-1]
        if row.known is not None:
            status = row.known.status
            if row.step.secret:
                row.state.names.keep_secret(row.known.result, f"{row.key}.result")
            yield from end(row, row.known)
            continue
        has_part_in_doubt = any(outer is row for found in run.doubts for outer in found.within)
        if row.in_doubt or has_part_in_doubt:
            status = Status.UNKNOWN
            yield from end(row, _cut_in_doubt(row, why, by=_stopper(state, why)), reason=STOPPED)
            continue
        status = cut
        stop = Trouble(code="E312", message=f"stopped by {_stopper(state, why)}")
        trouble = time_is_over(state) if why == TIMEOUT else stop
        yield from end(row, Attempt(status=status, trouble=trouble), reason=STOPPED)
    return status


def _stopper(state: State, why: str) -> str:
    """Who or what stopped the run: nobody has sent the signal that a fleet's order arrives as."""
    by = state.run.ordered_by
    return why if by is None else by.called


def _cut_in_doubt(row: OpenRow, why: str, *, by: str) -> Attempt:
    cut = "the time was over" if why == TIMEOUT else f"{by} stopped the run"
    if row.process_id is not None:
        message = f"it has started, and {cut} before the process log showed how it ended"
        return replace(not_passed("E401", message, SETTLE, status=Status.UNKNOWN), process_id=row.process_id)
    cause = Trouble(code="E401", message=f"{cut} before the process log showed how the process ended")
    trouble = Trouble(code="E401", message=f"{MAY_HAVE_HAPPENED}: {cause.message}", hint=SETTLE)
    return Attempt(status=Status.UNKNOWN, trouble=trouble, cause=cause)


def time_is_over(state: State) -> Trouble:
    """The trouble of a run, and of a row of it, that took longer than it may."""
    job = state.run.plan.job
    if state.ends is not None and state.ends == state.run.cleanup_ends:
        message = f"undo and `finally` took longer than their {format_duration(job.cleanup_timeout)}"
        hint = "write a longer `cleanup_timeout` to give them more time"
    elif job.timeout is not None and state.ends == job.timeout:
        message = f"the steps took longer than the job's {format_duration(job.timeout)}"
        hint = "write a longer `timeout` of the job to give them more time"
    else:
        message = "the included job took longer than its step allows"
        hint = "write a longer `timeout` of the step to give it more time"
    return Trouble(code="E212", message=message, hint=hint)

"""What the process log says of an `execute` that was answered: Execute answers 200 also when the process failed [M].

It is asked only where the attempt would pass otherwise. The log gives a status, never a result.
"""

from dataclasses import dataclass, replace

from runner.engine import process_log, starts
from runner.engine.attempt import Attempt
from runner.engine.effects import Pause, Running
from runner.engine.failing import why_failed
from runner.engine.following import Looks, follow, has_ended
from runner.engine.perform import perform
from runner.engine.process_log import Unread
from runner.engine.starts import Found
from runner.engine.state import OpenRow, Start, State
from runner.foundation.values import JsonObject
from runner.job.actions import Execute
from runner.job.model import RetryOn, Step, StepEffect, Until, Verify
from runner.runs.events import Status, Trouble
from runner.service.calls import FailureKind

NO_ROW_YET = (0.25, 0.75)
"""Seconds before the log is read again, and once more, where it shows no row of a call that was answered."""
FIRST_LOOK = 0.5
LAST_LOOK = 5.0
"""Seconds between two looks at a running process, growing from the first to the last."""

_ENDED_BADLY = frozenset({"error", "cancelled"})
_KNOWN = frozenset({"running", "done", "error", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`status` is PASSED unless the log says otherwise; `process_status` is None where nothing was read.

    `failed_row` is as in `runner.engine.attempt.Attempt`.
    """

    status: Status = Status.PASSED
    verified: bool | str | None = None
    process_id: str | None = None
    process_status: str | None = None
    trouble: Trouble | None = None
    warning: str | None = None
    failed_row: JsonObject | None = None


def verdict(state: State, row: OpenRow, step: Step, execute: Execute) -> Running[Verdict]:
    """Find the rows of the call in the log, follow those that still run where the step asks for it, and judge."""
    start = row.start
    if state.log.refusal is not None or start is None or not start.marked:
        return _not_known(step, "the process log cannot be read")
    found = yield from _rows_of_call(state, row, start, patient=step.effect is StepEffect.ONCE)
    if isinstance(found, Unread):
        return _not_known(step, f"the process log could not be read: {found.failure.trouble.message}")
    rows = list(found.rows)
    if not rows:
        less = starts.why_less(state.log, start)
        return _not_known(
            step, _no_row(found) + (f"; {less}" if less else ""), strict=_hold_failure(list(found.outside))
        )
    if found.rival:
        return _of_others(step, rows)
    starts.take(state, execute.process, rows, makers=(*found.contested, start))
    row.process_id = str(rows[0]["id"]) if len(rows) == found.starts == 1 else None
    if execute.until is Until.DONE:
        rows = yield from _followed(state, row.key, step, rows)
    judged = _judged(step, execute, rows, count=found.starts)
    row.shown = tuple(str(one["id"]) for one in rows)
    if judged.status is Status.UNKNOWN and row.process_id is None:
        row.sought = None  # its row is among those that are known by now: no later one is its own
    return judged


def _of_others(step: Step, rows: list[JsonObject]) -> Verdict:
    """The rows may be those of other runs. Of what may be repeated, none of which has passed, nor has this."""
    if step.effect is not StepEffect.ONCE and all(row["status"] in _ENDED_BADLY for row in rows):
        return replace(failed(rows[0], None), verified=None)
    return _not_known(step, "another run may have started it at the same time", strict=_hold_failure(rows))


def _rows_of_call(state: State, row: OpenRow, start: Start, *, patient: bool) -> Running[Found | Unread]:
    """The rows since the watermark. Those of earlier calls may come late: there should be one for each start.

    `patient`: those of other runs are waited for, too, until it is known whose they are. What may be repeated goes side
    by side with other runs, which would wait for one another then.
    """
    for seconds in (*NO_ROW_YET, None):
        rows = yield from process_log.new_rows(state, row.key, start, last=seconds is None)
        if isinstance(rows, Unread):
            return rows
        found = yield from starts.assigned(state, row, start, rows)
        if found.is_clear or seconds is None or (found.rival and not patient):
            break
        yield from perform(state, Pause(key=row.key, seconds=seconds))
    return found


def _no_row(found: Found) -> str:
    """That there is none; with one that is near, since the clocks of a site may differ."""
    why = "the process log shows no row of this call"
    if not found.outside:
        return why
    near = found.outside[0]
    return (
        f"{why}, but a start at another time by the server's clock: {near['id']} ({near['status']}, {near['started']})"
    )


def _hold_failure(rows: list[JsonObject]) -> bool:
    return any(row["status"] in _ENDED_BADLY for row in rows)


def _of_others_too(step: Step, rows: list[JsonObject], *, starts: int) -> Verdict:
    """The rows may all be those of earlier calls or attempts, which had none when they were looked for."""
    one = "a row" if len(rows) == 1 else f"{len(rows)} rows"
    why = f"the process log shows {one} for {starts} calls, and not which is this one"
    return _not_known(step, why, strict=_hold_failure(rows))


def _followed(state: State, key: str, step: Step, rows: list[JsonObject]) -> Running[list[JsonObject]]:
    """The same rows, each read again until it has ended or the step's time for following is over."""
    looks = Looks(first=FIRST_LOOK, longest=LAST_LOOK, deadline=state.t + step.follow)
    ended = []
    for row in rows:
        current = row
        if not has_ended(row):
            yield from perform(state, Pause(key=key, seconds=min(FIRST_LOOK, step.follow)))
            read = yield from follow(state, key, str(row["id"]), looks=looks, until=has_ended)
            current = read if isinstance(read, dict) else row
        ended.append(current)
    return ended


def _judged(step: Step, execute: Execute, rows: list[JsonObject], *, count: int) -> Verdict:
    """Judge by the rows of `count` starts of ours: several are told apart only where they agree."""
    if len(rows) < count:
        return _of_others_too(step, rows, starts=count)
    bad = [row for row in rows if row["status"] in _ENDED_BADLY]
    running = [row for row in rows if row["status"] == "running"]
    only = rows[0] if len(rows) == 1 else None
    process_id = str(only["id"]) if only else None
    too_many = _too_many(rows, count=count)
    strange = next((row["status"] for row in rows if row["status"] not in _KNOWN), None)
    if strange is not None:
        return _not_known(step, f"the process log shows the status {strange}, which is none that is known", strict=True)
    if len(bad) == len(rows):
        return replace(failed(bad[0], process_id), warning=too_many)
    if bad:
        why = too_many or f"{len(rows)} processes were started at that time"
        return _not_known(step, f"{why}; not all of them passed", strict=True)
    if running and execute.until is Until.DONE:
        return replace(still_running(step, process_id), warning=too_many)
    if too_many is not None:
        return _several(step, too_many, running=bool(running))
    if running:
        return going_on(process_id, expected=execute.result is not None)
    return Verdict(verified=True, process_id=process_id, process_status=str(rows[0]["status"]))


def _too_many(rows: list[JsonObject], *, count: int) -> str | None:
    """The sentence on more rows than calls; None where there are no more."""
    if len(rows) <= count:
        return None
    ids = ", ".join(str(row["id"]) for row in rows[:_NAMED]) + (", …" if len(rows) > _NAMED else "")
    calls = "one call" if count == 1 else f"{count} calls"
    return f"started {len(rows)} times for {calls}: {ids}"


def _several(step: Step, sentence: str, *, running: bool) -> Verdict:
    """A gateway may have repeated the call, or another program that uses the account made one in the same second."""
    if step.verify is Verify.LOG:
        status = Status.UNKNOWN if step.effect is StepEffect.ONCE else Status.ERROR
        return Verdict(status=status, trouble=Trouble(code="E214", message=f"not verified: {sentence}", hint=_REPEATED))
    return Verdict(process_status="running" if running else "done", warning=f"not verified: {sentence}; {_REPEATED}")


_NAMED = 5
_REPEATED = "where a gateway repeats calls, `execute_method: post` of the target or a `run` keeps it from that"


def going_on(process_id: str | None, *, expected: bool) -> Verdict:
    """It has started, which is what was asked for. Who did not write `until: started` is told that this is all."""
    warning = None if expected else "the process is still running; `until: done` would wait for its end"
    return Verdict(verified=True, process_id=process_id, process_status="running", warning=warning)


def failed(row: JsonObject, process_id: str | None) -> Verdict:
    """The log contradicts the answer. Its own text is the best sentence there is."""
    return Verdict(
        status=Status.FAILED,
        verified=False,
        process_id=process_id,
        process_status=str(row["status"]),
        trouble=why_failed(row),
        failed_row=row if process_id is not None else None,
    )


def still_running(step: Step, process_id: str | None) -> Verdict:
    message = f"the process still runs after {step.follow:.0f} s; nothing tells how it will end"
    hint = "a process that waits for a person is passed by `until: started`; a slow one needs a longer `timeout`"
    trouble = Trouble(code="E208", message=message, hint=hint)
    return Verdict(status=Status.UNKNOWN, process_id=process_id, process_status="running", trouble=trouble)


def _not_known(step: Step, why: str, *, strict: bool = False) -> Verdict:
    """Nothing is proved. `strict`: there is a sign of failure, so that a call that must not be repeated is in doubt."""
    once = step.effect is StepEffect.ONCE
    if step.verify is not Verify.LOG and not (strict and once):
        return Verdict(warning=f"not verified: {why}")
    hint = "look at the process log of the site"
    if step.verify is Verify.LOG and not strict:
        hint += "; `verify: auto` passes such a call with a warning"
    trouble = Trouble(code="E208", message=f"not verified: {why}", hint=hint)
    return Verdict(status=Status.UNKNOWN if once else Status.ERROR, trouble=trouble)


def cannot_go_on(step: Step, unread: Unread) -> Attempt | None:
    """Why the call is not made where the log could not be read before it; None where it is made all the same.

    Nothing was sent, so that this may be tried again whatever the step's effect.
    """
    failure = unread.failure
    if failure.kind is FailureKind.NOT_SENT and failure.status is None:
        return Attempt(status=Status.ERROR, trouble=failure.trouble, again=RetryOn.NOT_SENT)
    if failure.final and not process_log.is_for_good(failure):
        return Attempt(status=Status.ERROR, trouble=failure.trouble)
    if step.verify is not Verify.LOG:
        return None
    message = f"`verify: log` needs the process log, and it could not be read: {failure.trouble.message}"
    trouble = Trouble(code="E208", message=message, hint=failure.trouble.hint)
    return Attempt(status=Status.ERROR, trouble=trouble, again=RetryOn.NOT_SENT)

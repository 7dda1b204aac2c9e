"""What the process log says of a call that was answered: Execute answers 200 also when the process failed [M].

It is asked only where the attempt would pass otherwise. The log gives a status, never a result.
"""

import math
from collections.abc import Iterator
from itertools import chain, count

from msgspec.structs import replace

from runner.engine import process_log, readings, start_bounds, starts
from runner.engine.answer import process_failed
from runner.engine.attempt import INFERRED, Attempt, not_passed
from runner.engine.effects import Running
from runner.engine.perform import pause
from runner.engine.readings import Unread
from runner.engine.starts import OwnRows
from runner.engine.state import OpenRow, Start
from runner.foundation.durations import format_duration
from runner.foundation.sentences import first_few
from runner.foundation.values import text
from runner.job.actions import Execute
from runner.job.model import RetryOn, Until, Verify
from runner.runs.process_status import BEGUN, ENDED_BADLY, KNOWN, UNDER_WAY
from runner.runs.status import Status
from runner.service.calls import FailureKind, LogRow

NO_ROW_YET = (0.25, 0.75)
"""Seconds before the log is read again, and once more, where it shows no row of a call that was answered."""
_AGAIN_AFTER = 3.0  # seconds in which the row of a call that was sent again comes after that of the first
_SHORTEST_PAUSE = 0.001
_LAST_LOOK = 1.0  # seconds of the job's time that are left for the last look
_FAILING_LOOK = 4.0  # seconds of the job's time that are left for a look that fails, with its tries
_NAMED = 5
_NO_OWNER = "the process log does not show whose row it is: give the user the right to read its `OwnerId`"
_BEGAN_LATER = (
    "its process began after the answer to the call, as where processes wait in the background; another program with "
    "the same account could have made this start"
)
_LOOK_THERE = "look at the process log of the site"
NOT_BEGUN = "the process log shows that it has not begun yet"
_NOT_READ_BEFORE = "the process log could not be read before the call"
STILL_RUNS = (
    "the process is still running: write `until: started` if that is enough, or `until: done` to wait for its end, "
    "which does not come while it waits for a person or a later step"
)
REPEATS = (
    "where a gateway repeats calls: nginx repeats no `run`, nor with `execute_method: post` an `execute`, but with "
    "`non_idempotent`; haproxy repeats all with `retry-on`"
)
_REPEATED = f"look for another program or run that started the process with the same account at that time; {REPEATS}"


def verdict(row: OpenRow, execute: Execute) -> Running[Attempt]:
    """Find the rows of the call in the log, follow those that still run where the step asks for it, and judge."""
    start = row.start
    if row.log.refusal is not None or start is None:
        return not_verified(row, "the process log cannot be read")
    if not start.marked:
        return (yield from _without_watermark(row, execute, start))
    is_patient = row.step.verify is Verify.LOG or (execute.until is Until.DONE and execute.result is None)
    found = yield from _rows_of_call(row, start, patient=is_patient or starts.is_late(row.log, start))
    if isinstance(found, Unread):
        return _not_read(row, found)
    rows = list(found.rows)
    if not rows:
        return (yield from _without_row(row, start, found))
    if found.rival:
        why = f"{found.rival.name} may have started it at the same time{found.rival.advice}"
        return undistinguished(row, rows, why=why, makers=found.starts + 1)
    if by_refused := starts.by_refused_call(row, start.process, found.scarce, first=row.first):
        row.shown = tuple(each.id for each in rows)
        return not_verified(row, by_refused, doubtful=_hold_failure(rows))
    starts.take(row, execute.process, rows, makers=(*found.contested, start))
    row.process_id = rows[0].id if len(rows) == found.starts == 1 else None
    still_ran = any(each.status in UNDER_WAY for each in rows)
    if execute.until is Until.DONE:
        rows = yield from _followed(row, rows)
    judged = yield from parked(row, replace(_judged(row, execute, rows, count=found.starts), still_ran=still_ran))
    row.shown = tuple(each.id for each in rows)
    if row.process_id is None:
        row.sought = None  # its row is among those that are known by now: no later row is its own
    return judged


def _without_row(row: OpenRow, start: Start, found: OwnRows) -> Running[Attempt]:
    yield from start_bounds.still_waits(row)
    less = starts.weak_absence(row.log, start)
    earlier = yield from process_log.rows_before_watermark(row, start)
    if earlier:
        earlier, _ = yield from starts.not_of_others(row, start.process, earlier, keys=None)
    row.shown = tuple(each.id for each in earlier)
    row.log.seen.update(row.shown)  # what is there before a later call is none of its own
    others = sorted([*earlier, *found.outside], key=_is_bad, reverse=True)
    if row.answer == (None,) and not others and (unknown := starts.unknown_process(row, start.process)):
        return unknown
    shown = f", but {starts.at_another_time(others)}" if others else ""
    why = f"the process log shows no row of this call{shown}{f'; {less}' if less else ''}"
    return not_verified(row, why, doubtful=_hold_failure(others))


def _rows_of_call(row: OpenRow, start: Start, *, patient: bool) -> Running[OwnRows | Unread]:
    """The rows since the watermark: as many as starts, since rows of earlier calls may come late.

    Rows that may be of other runs are waited for, too, unless the call may be repeated: two runs would wait for each
    other. `patient`: a missing row is searched for as long as that of an unanswered call.
    """
    pauses = chain(NO_ROW_YET, settling(row) if patient else (), (None,))
    failed: dict[str, LogRow] = {}
    is_second = False  # a second row is awaited, beside that of a call that was sent again
    ends = min(row.t + row.state.run.plan.times.settle, (row.state.ends or math.inf) - _FAILING_LOOK)
    for number in count():
        seconds = next(pauses)
        rows = yield from process_log.new_rows(row, start, last=seconds is None)
        if isinstance(rows, Unread):
            if seconds is None or row.t >= ends or not _may_be_read(row, rows):
                row.log.is_away = True
                return rows
            if not patient:
                pauses, patient = chain(settling(row), (None,)), True
            yield from pause(row, seconds)
            continue
        row.log.is_away = False
        found = yield from starts.assigned(row, start, rows, late=row.is_once and number > 0)
        failed |= {each.id: each for each in found.outside if each.id in row.log.seen}
        is_enough = _is_enough(row, start, found, number)
        if seconds is None and is_enough is None and not patient:
            pauses, patient = chain(settling(row), (None,)), True
            seconds = next(pauses)
        if seconds is None or is_enough:
            if is_second or row.first is None or not found.rows or row.t >= ends:
                break
            is_second, pauses, seconds = True, chain((), (None,)), _AGAIN_AFTER
        yield from pause(row, seconds)
    others = [each for each in found.outside if each.id not in failed]
    return replace(found, outside=(*failed.values(), *others))


def _is_enough(row: OpenRow, start: Start, found: OwnRows, looks: int) -> bool | None:
    """None: rows may be those of other calls of the run, and that matters: a call has failed, or has to verify."""
    if found.rival is not None and not row.is_once:
        return True
    matters = row.step.verify is Verify.LOG or (row.is_once and _hold_failure([*found.rows]))
    is_short = matters and not found.rival and len(found.rows) < found.starts
    if is_short or starts.by_refused_call(row, start.process, found.scarce, first=row.first):
        return None
    return found.is_clear or (looks >= len(NO_ROW_YET) and bool(found.rows))


def _may_be_read(row: OpenRow, unread: Unread) -> bool:
    """Whether the log, which was read before the call, may soon be read again. That is waited for once in a run."""
    failure = unread.failure
    is_over = row.log.refusal is not None or failure.refused_sign_in or failure.trouble.code == "E208"
    if is_over or readings.is_refused_now(failure):
        return False
    return row.step.verify is Verify.LOG or (row.is_once and not row.log.is_away)


def settling(row: OpenRow) -> Iterator[float]:
    """Growing pauses, while the row of a call without an answer is searched for, and a last look has time."""
    ends = row.t + row.state.run.plan.times.settle
    return _until(row, ends if row.state.ends is None else min(ends, row.state.ends - _LAST_LOOK))


def _until(row: OpenRow, moment: float) -> Iterator[float]:
    """Growing pauses until the active second `moment`; none that is too short for a clock to advance by it."""
    longest = 1.0
    while (left := moment - row.t) > _SHORTEST_PAUSE:
        yield min(left, longest)
        longest *= 2


def _without_watermark(row: OpenRow, execute: Execute, start: Start) -> Running[Attempt]:
    """Judge a call before which the log could not be read: a site that is slow for a moment answers again after it."""
    rows = yield from rows_without_watermark(row, start)
    if isinstance(rows, Attempt):
        return rows
    return (yield from judged_without_watermark(row, rows, until=execute.until))


def rows_without_watermark(row: OpenRow, start: Start, *, any_user: bool = False) -> Running[list[LogRow] | Attempt]:
    """The rows that began since a call without a watermark, or how the call ends without them."""
    since = starts.span_of(row.log, start).since
    if since is None:
        return not_verified(row, _NOT_READ_BEFORE)
    rows = yield from process_log.new_rows(row, start, last=False, any_user=any_user)
    if isinstance(rows, Unread):
        return _not_read(row, rows)
    own = [found for found in rows if starts.began_by(found, since=since)]
    own, _ = yield from starts.not_of_others(row, start.process, own, keys=None)
    row.shown = tuple(found.id for found in own)
    return own


def judged_without_watermark(row: OpenRow, rows: list[LogRow], *, until: Until) -> Running[Attempt]:
    """Judge by rows of unknown owners: they prove no success, but a failed or open process is a sign."""
    if until is Until.DONE:
        rows = yield from _followed(row, rows)
    failed = next((f"; a start since then failed: {found.id}" for found in rows if _is_bad(found)), "")
    if until is Until.DONE and not failed and any(found.status in UNDER_WAY for found in rows):
        return still_running(row, None).warned(f"not verified: {_NOT_READ_BEFORE}")
    return undistinguished(row, rows, why=f"{_NOT_READ_BEFORE}{failed}")


def _followed(row: OpenRow, rows: list[LogRow]) -> Running[list[LogRow]]:
    looks, ended = process_log.step_looks(row), []
    for each in rows:
        ended.append((yield from process_log.followed(row, each, looks)))
        looks = replace(looks, next=process_log.FIRST_LOOK)
    return ended


def undistinguished(row: OpenRow, rows: list[LogRow], *, why: str, makers: int = 1) -> Attempt:
    """The rows may be those of others, of `makers` in all.

    If a call may be repeated and all rows have failed, so has the call; nobody knows whose failed if a row is missing.
    No row that has passed is waited for: beside that of another run a call that failed would pass, too, not verified.
    """
    if rows and not row.is_once and all(map(_is_bad, rows)):
        if len(rows) < makers:
            shown = f"not verified: the process log shows a start that failed, {starts.named(rows[0])}; {why}"
            return not_passed("E208", shown, _LOOK_THERE, status=Status.ERROR)
        return replace(process_failed(rows[0], known=False), verified=None).warned(f"not verified: {why}")
    return not_verified(row, why, doubtful=_hold_failure(rows))


def _not_read(row: OpenRow, unread: Unread) -> Attempt:
    return not_verified(row, f"the process log could not be read: {unread.failure.trouble.message}")


def _hold_failure(rows: list[LogRow]) -> bool:
    return any(map(_is_bad, rows))


def _is_bad(found: LogRow) -> bool:
    return found.status in ENDED_BADLY


def _judged(row: OpenRow, execute: Execute, rows: list[LogRow], *, count: int) -> Attempt:
    """Judge by the rows of `count` starts of ours: several are distinguished only where they agree."""
    if len(rows) < count:  # they may all be those of earlier calls, which had none when the log was read
        shown = "a row" if len(rows) == 1 else f"{len(rows)} rows"
        why = f"the process log shows {shown} for {count} calls, and not which of them is this call's"
        return undistinguished(row, rows, why=why, makers=count)
    bad = [each for each in rows if _is_bad(each)]
    is_running = any(each.status in UNDER_WAY for each in rows)
    process_id = rows[0].id if len(rows) == 1 else None
    too_many, advice = _too_many(row, rows, count=count)
    warnings = (too_many,) if too_many else ()
    if strange := [each.status for each in rows if each.status not in KNOWN]:
        return not_verified(row, strange_status(strange[0]), doubtful=True)
    if len(bad) == len(rows):
        return process_failed(bad[0], known=process_id is not None).warned(*warnings)
    if bad:
        why = too_many or f"{len(rows)} processes were started at that time"
        return not_verified(row, f"{why}; not all of them passed", doubtful=True, hint=advice)
    if is_running and execute.until is Until.DONE:
        return still_running(row, process_id).warned(*warnings)
    if too_many:
        return _several(row, too_many, advice, running=is_running)
    if any(each.status not in BEGUN for each in rows if each.status in UNDER_WAY):
        return not_verified(row, NOT_BEGUN)
    done = Attempt(verified=True, process_id=process_id, process_status=str(rows[0].status))
    passed = started(process_id, expected=execute.is_start_enough) if is_running else done
    if (doubt := _why_inferred(row, rows)) is None:
        return passed
    if row.step.verify is Verify.LOG:
        return not_verified(row, doubt)
    return replace(passed, verified=INFERRED).warned(f"inferred: {doubt}")


def _why_inferred(row: OpenRow, rows: list[LogRow]) -> str | None:
    if row.log.owner is not None and not all(each.owner is not None for each in rows):
        return _NO_OWNER
    if row.log.clocks_differ or row.start is None or len(rows) > 1:
        return None
    return _BEGAN_LATER if start_bounds.began_after_answer(row.start, rows[0]) else None


def _too_many(row: OpenRow, rows: list[LogRow], *, count: int) -> tuple[str, str | None]:
    """The message on more rows than calls, if so, and a hint, unless both rows may be of a resumed call."""
    if len(rows) <= count:
        return "", None
    ids = ", ".join(each.id for each in rows[:_NAMED]) + (", …" if len(rows) > _NAMED else "")
    is_resumed = row.start is not None and row.start.is_resumed
    if is_resumed and not row.is_once and len(rows) == count + 1 == 2:  # noqa: PLR2004  before and after
        return f"started 2 times, as it seems once before the run broke off and once by its resume: {ids}", None
    calls = "one call" if count == 1 else f"{count} calls"
    return f"started {len(rows)} times for {calls}: {ids}", _REPEATED


def started_again(row: OpenRow, rows: list[LogRow]) -> Attempt:
    """A call whose own process, the first, passed has made all of `rows`, or another program with the same account."""
    sentence, advice = _too_many(row, rows, count=1)
    if _hold_failure(rows):
        sentence = f"{sentence}; not all of them passed"
    if _hold_failure(rows) and row.first is not None:  # it was made twice
        found = not_verified(row, sentence, doubtful=True, hint=advice)
    else:
        found = _several(row, sentence, advice, running=any(each.status in UNDER_WAY for each in rows))
    if found.status is Status.PASSED:
        return replace(found, process_id=rows[0].id)
    row.process_id = row.sought = None  # no later look makes it certain
    return found


def _several(row: OpenRow, sentence: str, advice: str | None, *, running: bool) -> Attempt:
    """A gateway may have repeated the call, or another program that uses the account made it in the same second."""
    if row.step.verify is Verify.LOG:
        status = Status.UNKNOWN if row.is_once else Status.ERROR
        return not_passed("E214", f"not verified: {sentence}", advice, status=status)
    status_in_log = "running" if running else "done"
    return Attempt(process_status=status_in_log).warned("; ".join(filter(None, (f"not verified: {sentence}", advice))))


def by_status(row: OpenRow, found: LogRow, *, until: Until) -> Attempt | None:
    """What the row `found` of its process says of a call; None for a status that is not known."""
    process_id = found.id
    match found.status:
        case "done":
            return Attempt(verified=True, process_id=process_id, process_status="done")
        case status if status in ENDED_BADLY:
            return process_failed(found)
        case "inactive" if until is Until.STARTED:
            return replace(not_verified(row, NOT_BEGUN), process_id=process_id)
        case status if status in UNDER_WAY and until is Until.STARTED:
            return started(process_id, expected=True)
        case status if status in UNDER_WAY:
            return still_running(row, process_id)
        case _:
            return None


def strange_status(status: object) -> str:
    """`status` is None where the log shows none, as to a user who may not read that column."""
    if status is None:
        return "the process log shows its row without a status"
    if status == process_log.GONE:
        return "the process log has shown its row, and shows it no more: it was archived, or deleted"
    return f"the process log shows the status {status}, which is not known"


def started(process_id: str | None, *, expected: bool) -> Attempt:
    """It has started, which is what was asked for. Where nobody wrote `until: started`, a warning says that."""
    warnings = () if expected else (STILL_RUNS,)
    return Attempt(verified=True, process_id=process_id, process_status="running", warnings=warnings)


def still_running(row: OpenRow, process_id: str | None) -> Attempt:
    after = f" after {format_duration(row.step.follow)}" if row.t - row.started >= row.step.follow else ""
    message = f"the process still runs{after}; nobody knows how it will end"
    hint: str | None = (
        "write `until: started` for a process that waits for a person, or a longer `timeout` for a slow process"
    )
    if row.unread is not None:
        unread, hint = row.unread.message, row.unread.hint
        message = f"the process log cannot be read{after}, and the process ran when it was last seen: {unread}"
    found = not_passed("E208", message, hint, status=Status.UNKNOWN)
    return replace(found, process_id=process_id, process_status="running")


def parked(row: OpenRow, attempt: Attempt) -> Running[Attempt]:
    """The attempt; of a process that still runs at the end of its time with the elements at which it waits."""
    if attempt.status is not Status.UNKNOWN or attempt.process_status != "running" or attempt.process_id is None:
        return attempt
    elements = yield from readings.elements_once(row, attempt.process_id)
    names = [f"`{name}`" for each in elements if each.get("status") == "running" and (name := text(each, "caption"))]
    if not names or attempt.trouble is None:
        return attempt
    message = f"{attempt.trouble.message}; now it waits at {first_few(names, _NAMED)}"
    return replace(attempt, trouble=replace(attempt.trouble, message=message))


def not_verified(row: OpenRow, why: str, *, doubtful: bool = False, hint: str | None = None) -> Attempt:
    """Nothing is proved. `doubtful`: there is a sign of failure, so that a `once` call is in doubt."""
    wants_log = row.step.verify is Verify.LOG
    if not wants_log and not (doubtful and row.is_once):
        return Attempt(warnings=(f"not verified: {why}",))
    hint = hint or _LOOK_THERE
    if wants_log and not doubtful:
        hint += "; `verify: auto` passes such a call with a warning"
    return not_passed("E208", f"not verified: {why}", hint, status=Status.UNKNOWN if row.is_once else Status.ERROR)


def marked(row: OpenRow, process: str, *, turn: bool) -> Running[Attempt | None]:
    """Read the log before a start. Gives why the call is not made, if so; a retry is allowed whatever its effect."""
    unread = yield from process_log.mark(row, process, turn=turn)
    if unread is None:
        return None
    failure = unread.failure
    if failure.kind is FailureKind.NOT_SENT and failure.status is None:
        return Attempt(status=Status.ERROR, trouble=failure.trouble, again=RetryOn.NOT_SENT)
    if failure.final and not readings.is_for_good(failure):
        return Attempt(status=Status.ERROR, trouble=failure.trouble)
    if row.step.verify is not Verify.LOG:
        return None
    message = f"`verify: log` needs the process log, and it could not be read: {failure.trouble.message}"
    again = None if readings.is_for_good(failure) else RetryOn.NOT_SENT
    return replace(not_passed("E208", message, failure.trouble.hint, status=Status.ERROR), again=again)

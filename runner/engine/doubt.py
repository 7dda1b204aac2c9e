"""A `once` call that was not answered: it is searched for in the process log, and never repeated.

Absence is no proof: a row may appear only when the call returns [S], a request may queue, rights may hide rows. So a
call without a row stays in doubt, and only a person may have it sent again. The only start of our own owner is taken
for the call, as inferred: another program may share the account. The log gives a status, never the result.
"""

from collections.abc import Sequence
from http import HTTPStatus

from msgspec import Struct
from msgspec.structs import replace

from runner.engine import process_log, readings, start_bounds, starts
from runner.engine.answer import judged, process_failed
from runner.engine.attempt import INFERRED, Attempt, in_doubt, not_passed
from runner.engine.effects import Running
from runner.engine.lost import is_only_an_output, needs_result
from runner.engine.perform import pause
from runner.engine.process_log import rows_before_watermark
from runner.engine.readings import Unread
from runner.engine.state import OpenRow, Start
from runner.engine.verdict import NOT_BEGUN, REPEATS, still_running, strange_status
from runner.engine.verdict import started as process_started
from runner.foundation import server_time
from runner.foundation.values import JsonObject
from runner.job.actions import Execute, Run, Signal
from runner.job.model import Until, Verify
from runner.runs.events import Trouble
from runner.runs.evidence import PauseReason
from runner.runs.process_status import BEGUN, ENDED_BADLY, KNOWN, UNDER_WAY
from runner.runs.status import Status
from runner.service.calls import CallFailed, FailureKind, LogRow

NOT_CERTAIN = "another program with the same account could have made this start at the same time"
SECOND_READING = 0.2
"""The share of the target's `settle` after which the log is read the second time; the third is at its end."""
_NO_START = "no start of it so far, and a start may still appear there"
AT_ONCE: tuple[float, ...] = (0.0,)


def settled(row: OpenRow, cause: Trouble, *, shown: Sequence[LogRow] = ()) -> Running[Attempt]:
    """What became of the call that `row` has just sent and that was not answered; the log has `shown` earlier rows."""
    last = row.state.run.plan.times.settle
    row.unanswered = True
    return (yield from _settle_by_log(row, cause, moments=(0.0, SECOND_READING * last, last), shown=shown))


def settle_again(row: OpenRow, unknown: Attempt) -> Running[Attempt]:
    """The same row after another look at the log; unchanged where nothing can be searched for."""
    if row.look_again is not None:
        return (yield from row.look_again(row, unknown))
    return (yield from look_in_log(row, unknown))


def look_in_log(row: OpenRow, unknown: Attempt) -> Running[Attempt]:
    if row.log.refusal is not None:
        return unknown
    if row.process_id is not None:
        found = yield from process_log.row_of(row, row.process_id)
        return _by_own_row(row, found, cause=unknown.cause) if isinstance(found, LogRow) else unknown
    if row.sought is None:
        return unknown
    return (yield from _settle_by_log(row, cause_of(unknown), moments=AT_ONCE))


def by_verdict(row: OpenRow, answer: JsonObject, *, known: Trouble | None) -> Attempt:
    """The row with a person's verdict. A result that they give is judged like any other."""
    process_id = row.process_id
    if answer.get("as") == "failed":
        message = "somebody checked the site and said that it failed"
        if known is not None and known.code == "E402":
            message = f"{_happened(process_id)}, and somebody ended the run without its result, which was lost"
        return replace(not_passed("E213", message), process_id=process_id)
    found = Attempt(process_status="done")
    if "result" in answer:
        asked_for = row.step.action if isinstance(row.step.action, Execute) else None
        attempt = judged(row, answer["result"], found, null_matters=asked_for)
    elif is_result_known(row) or not needs_result(row.state.job, row.whole or row.step):
        attempt = _as_answered(row, found)
    elif is_only_an_output(row.state.run.plan.job, row.key):
        attempt = _as_answered(row, found).warned("its result was lost: `outputs` of the job that need it are null")
    else:
        return lost(row, process_id)
    return attempt.with_process(found).warned("that it passed is the verdict of somebody who checked the site")


def passed_without_result(row: OpenRow) -> Attempt:
    """The row that has passed, and whose answer was lost: it is in doubt where its result is needed."""
    return lost(row) if needs_result(row.state.job, row.step) else _as_answered(row, Attempt())


def is_result_known(row: OpenRow) -> bool:
    """Whether the call was answered with a result, and only its end was not known."""
    return row.answer not in ((), (None,))


def lost(row: OpenRow, process_id: str | None = None, *, cause: Trouble | None = None) -> Attempt:
    """`cause` is why there is no answer. It is part of the sentence where an answer came that cannot be read."""
    why = "it was answered without a value" if row.answer else "its answer was lost"
    why = cause.message if cause is not None and cause.code == "E307" else why
    message = f"{_happened(process_id)}, but {why}, and this job needs the result"
    hint = "hand its result in with `runner resume RUN --step KEY --as passed --result JSON`"
    return replace(not_passed("E402", message, hint, status=Status.UNKNOWN), process_id=process_id)


def _happened(process_id: str | None) -> str:
    return "it happened" if process_id is None else f"it happened as process {process_id}"


class FoundRows(Struct, frozen=True, kw_only=True):
    """The rows that a start may have made."""

    rows: list[LogRow]
    at_other_times: list[LogRow]  # new rows of another time that no other start has made
    rival: starts.OtherRun | None  # another run that may have made the rows


def search_log(row: OpenRow, start: Start, *, last: bool, at_any_time: bool = False) -> Running[FoundRows | Unread]:
    """The rows that `start` may have made, of all users without a watermark; `last` as in `new_rows`.

    `at_any_time` adds all new rows of another time by the server's clock, which may be of two clocks.
    """
    if not start.marked and starts.span_of(row.log, start).since is None:
        return Unread(UNBOUNDED)
    new = yield from process_log.new_rows(row, start, last=last, any_user=not start.marked)
    if isinstance(new, Unread):
        return new
    rest = [found for found in new if not starts.may_be_of(row.log, start, found)]
    others = starts.missing(row.log, start.process, besides=start)
    is_each = last and not start.marked and len(new) == len(others) and all(each.answered for each in others)
    if (rest or is_each) and others and not at_any_time:
        yield from starts.settle_missing(row, start.process, new if is_each else rest, among=others)
        others = starts.missing(row.log, start.process, besides=start)
        new = [found for found in new if found.id not in row.log.seen]
    rows = [found for found in new if found not in rest]
    at_other_times = [
        found
        for found in new
        if found not in rows and not any(starts.may_be_of(row.log, other, found) for other in others)
    ]
    if at_any_time:
        rows = [*new, *(yield from rows_before_watermark(row, start))]
    rival: starts.OtherRun | None = None
    if rows:
        rows, rival = yield from starts.not_of_others(row, start.process, rows, keys=None)
    return FoundRows(rows=rows, at_other_times=at_other_times, rival=rival)


def _settle_by_log(
    row: OpenRow, cause: Trouble, *, moments: Sequence[float], shown: Sequence[LogRow] = ()
) -> Running[Attempt]:
    """Read the log at these moments, in seconds from now, until it shows a start that may be ours."""
    row.in_doubt = True
    refusal = row.log.refusal
    if row.sought is None or refusal is not None:
        is_there = refusal is None or refusal.status != HTTPStatus.NOT_FOUND
        why = "the process log is not read" if is_there else "the site gives no process log"
        return _in_doubt(row, cause, why=why, by_log=row.sought is not None and is_there)
    if given := row.log.given.get(row.key):
        rows = yield from _read_again(row, given)
        return (yield from _judge_candidates(row, row.sought, rows, cause=cause))
    begun, why = row.t, "the process log could not be read"
    for moment in moments:
        if row.t < begun + moment:
            yield from pause(row, begun + moment - row.t, why=PauseReason.SETTLE)
        found = yield from search_log(row, row.sought, last=moment == moments[-1])
        if isinstance(found, Unread):
            if found.failure is UNBOUNDED:
                return _in_doubt(row, cause, why=UNBOUNDED.trouble.message, by_log=False)
            if readings.is_for_good(found.failure):
                break
            continue
        if found.rows:
            return (yield from _judge_found(row, row.sought, found, cause=cause))
        less = starts.weak_absence(row.log, row.sought) or starts.at_another_time(found.at_other_times or shown)
        why = f"the process log shows {_NO_START}{f'; {less}' if less else ''}"
    return _in_doubt(row, cause, why=why)


def _judge_found(row: OpenRow, start: Start, found: FoundRows, *, cause: Trouble) -> Running[Attempt]:
    """Judge by rows that may be those of the start."""
    failed = [each for each in found.at_other_times if each.status in ENDED_BADLY]
    if failed and _is_answered(row):
        return _in_doubt(row, cause, why=f"the process log shows {starts.at_another_time(failed)}")
    rows = _without_rivals(row, start, found.rows)
    if not found.rival and _are_all(row, start, rows):
        return _in_doubt(row, cause, why=str(why_not(row, start, rows)), by_log=False, advice=f"; {REPEATS}")
    return (yield from _judge_candidates(row, start, rows, cause=cause, rival=found.rival))


def _is_answered(row: OpenRow) -> bool:
    """Whether the call was answered, so that it has begun its process, and only its row is not known."""
    return isinstance(row.step.action, Execute) and not row.unanswered and row.turned_away is None


def _is_its_row(row: OpenRow, start: Start, only: LogRow) -> bool:
    """Whether the only row is that of the call, since it was answered, and the row began by then."""
    return _is_answered(row) and not start_bounds.began_after_answer(start, only)


def _without_rivals(row: OpenRow, start: Start, rows: list[LogRow]) -> list[LogRow]:
    """The rows of an answered call, without those that began after the answer, if all of these have passed."""
    later = [found for found in rows if start_bounds.began_after_answer(start, found)]
    if not _is_answered(row) or len(later) == len(rows) or any(found.status != "done" for found in later):
        return rows
    return [found for found in rows if found not in later]


def _in_doubt(row: OpenRow, cause: Trouble, *, why: str, by_log: bool = True, advice: str = "") -> Attempt:
    found = in_doubt(cause, why=why, by_log=by_log, advice=advice)
    if not _is_answered(row) or found.trouble is None:
        return found
    message = f"it was answered, and nobody knows how its process ended: {why}"
    return replace(found, trouble=replace(found.trouble, code="E208", message=message))


def _read_again(row: OpenRow, rows: Sequence[LogRow]) -> Running[list[LogRow]]:
    """The rows, which were read some time ago: those of processes that ran then are read again."""
    fresh = []
    for found in rows:
        now = found if process_log.has_ended(found) else (yield from process_log.row_of(row, found.id))
        fresh.append(now if isinstance(now, LogRow) else found)
    return fresh


def _are_all(row: OpenRow, start: Start, rows: list[LogRow]) -> bool:
    """Whether these rows of ours are several and have ended, and no other step lacks a row: no later look adds any."""
    is_ours = row.log.owner_of(start) is not None and not _others(row, start, rows)
    return is_ours and len(rows) > 1 and all(map(process_log.has_ended, rows))


def _judge_candidates(
    row: OpenRow, start: Start, rows: list[LogRow], *, cause: Trouble, rival: starts.OtherRun | None = None
) -> Running[Attempt]:
    """Judge the rows that may be the call's: only a row that nobody else can have made is its own.

    Where as many calls of the run lack their rows as there are rows, each call has happened.
    """
    is_given = row.key in row.log.given
    others = () if is_given else _others(row, start, rows)
    is_each = len(rows) > 1 and (is_given or len(rows) == 1 + len(others))
    if (why := _why_not_each(row, start, rows) if is_each else why_not(row, start, rows)) is not None:
        by = f"; {rival.name} may have made one of them{rival.advice}" if rival is not None and len(rows) > 1 else ""
        return _in_doubt(row, cause, why=f"{why}{by}", by_log=not _is_only(row, start, rows))
    if not is_given:
        keys = (row.key, *(other.key for other in others))
        left, rival = yield from starts.not_of_others(row, start.process, rows, keys=keys)
        if rival or len(left) < len(rows):
            other = rival or starts.OtherRun()
            shown = starts.named(rows[0])
            why = f"the process log shows a start that {other.name} may have made: {shown}{other.advice}"
            return _in_doubt(row, cause, why=why, by_log=not other.is_lost)
        own = tuple(each for each in starts.missing(row.log, start.process) if each.key == row.key)[-1:]
        starts.take(row, start.process, rows, makers=(*others, *own))
    found = rows[0]
    row.process_id = None if is_each else found.id
    row.unanswered = is_each or not _is_its_row(row, start, found)  # then that this row is its own is inferred
    if _waits_for_end(row):
        found = yield from process_log.followed(row, found)
    attempt = _by_own_row(row, found, cause=cause, known=not is_each)
    row.in_doubt = attempt.status is Status.UNKNOWN
    return attempt


def _is_only(row: OpenRow, start: Start, rows: list[LogRow]) -> bool:
    """Whether the only row is known whole, so that a later look shows no more of it."""
    is_known = row.log.owner_of(start) is not None and rows[0].owner is not None
    return is_known and len(rows) == 1 and not _others(row, start, rows)


def _others(row: OpenRow, start: Start, rows: list[LogRow]) -> tuple[Start, ...]:
    """The starts of other steps that lack their row, and may have made any of these."""
    others = [other for other in starts.missing(row.log, start.process) if other.key != row.key]
    return tuple(other for other in others if any(starts.may_be_of(row.log, other, found) for found in rows))


def _why_not_each(row: OpenRow, start: Start, rows: list[LogRow]) -> str | None:
    """Why several rows, each of another call, do not show how this call ended; None where all of them ended alike."""
    statuses = dict.fromkeys(str(found.status) for found in rows)
    if len(statuses) > 1 or (_waits_for_end(row) and rows[0].status in UNDER_WAY):
        shown = f"{len(rows)} starts for as many calls ({', '.join(statuses)})"
        return f"the process log shows {shown}, and not which of them is this call's"
    return next((why for found in rows if (why := _why_not_inferred(row, start, found)) is not None), None)


def why_not(row: OpenRow, start: Start, rows: list[LogRow]) -> str | None:
    """Why none of the rows is the call's own, if none is."""
    if len(rows) > 1:
        return f"the process log shows {len(rows)} starts that may be it"
    if others := _others(row, start, rows):
        shown = starts.named(rows[0])
        return f"the process log shows a start that may be that of `{others[0].key}`, whose row has not come: {shown}"
    return _why_not_inferred(row, start, rows[0])


def _why_not_inferred(row: OpenRow, start: Start, found: LogRow) -> str | None:
    if why := starts.by_refused_call(row, start.process, (found,), first=None):
        return why
    if not starts.can_be_inferred(row, start, found):
        return f"the process log shows a start, {found.id}, and nothing shows whether it began in time to be it"
    owner = row.log.owner_of(start)
    if owner is None:
        return "the process log shows one start; whether it is ours nobody knows, as the site does not say who we are"
    if found.owner is None:
        return "the process log shows one start, and does not show whether it is ours"
    if not start.marked and found.owner != owner:
        return f"the process log shows a start since the call, {found.id}, which is another user's"
    if row.step.verify is Verify.LOG and not _is_its_row(row, start, found):
        shown = f"{found.id}, {found.status}"
        return f"the process log shows one start that may be it ({shown}), and `verify: log` takes no guess"
    return None


def _by_own_row(row: OpenRow, shown: LogRow, *, cause: Trouble | None = None, known: bool = True) -> Attempt:
    """The attempt by the row that was taken for its own. `known` is as in `process_failed`."""
    status, process_id = str(shown.status), shown.id if known else None
    found = Attempt(verified=True, process_id=process_id, process_status=status, seconds=_seconds(shown))
    if status in ENDED_BADLY:
        attempt = process_failed(shown, verified=INFERRED if row.unanswered else False, known=known)
    elif status in UNDER_WAY and _waits_for_end(row):
        attempt = still_running(row, process_id)
    elif status not in KNOWN or status in UNDER_WAY - BEGUN:
        why = NOT_BEGUN if status in KNOWN else strange_status(shown.status)
        unknown = not_passed("E208", why, status=Status.UNKNOWN)
        attempt = replace(unknown, process_id=process_id)
    elif not is_result_known(row) and needs_result(row.state.job, row.step):
        attempt = replace(lost(row, process_id, cause=cause), process_status=status)
    else:
        is_asked_for = not isinstance(row.step.action, Execute) or row.step.action.is_start_enough
        warnings = process_started(process_id, expected=is_asked_for).warnings if status in UNDER_WAY else ()
        attempt = _as_answered(row, found).with_process(found).warned(*warnings)
        attempt = inferred(attempt, cause=cause) if row.unanswered else attempt
    return attempt if attempt.status is Status.UNKNOWN else replace(attempt, seconds=found.seconds)


def _seconds(shown: LogRow) -> float | None:
    began, ended = shown.began, server_time.parse_record(shown.completed or "")
    return None if began is None or ended is None else round(max(0.0, ended - began), 6)


def inferred(attempt: Attempt, *, cause: Trouble | None = None) -> Attempt:
    """The attempt, where the log does not prove that the row is its own; `cause` is what came of the call itself."""
    came = "" if cause is None else f" ({cause.message})"
    return replace(attempt, verified=INFERRED).warned(f"inferred{came}: {NOT_CERTAIN}")


def _as_answered(row: OpenRow, found: Attempt) -> Attempt:
    """Judge by the answer, if it came. Without it the result stays unknown to later steps: it is lost, not null."""
    if not is_result_known(row) or not needs_result(row.state.job, row.whole or row.step):  # `Replay` may forget it
        return replace(judged(row, None, found), lost=True, again=None)
    asked_for = row.step.action if isinstance(row.step.action, Execute) else None
    return replace(judged(row, row.answer[0], found, null_matters=asked_for), again=None)


def _waits_for_end(row: OpenRow) -> bool:
    action = row.step.action
    return isinstance(action, Execute | Run | Signal) and action.until is Until.DONE


def cause_of(unknown: Attempt) -> Trouble:
    return unknown.cause or unknown.trouble or NOBODY_KNOWS


NOBODY_KNOWS = Trouble(code="E401", message="nobody knows how it ended")
UNBOUNDED = CallFailed(
    kind=FailureKind.UNANSWERED,
    trouble=Trouble(
        code="E208",
        message="the process log could not be read before the call, and the site gave no time since which to read it",
    ),
)

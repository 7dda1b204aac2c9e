"""Reading the process log: the watermark before a call, the rows that may be ours after it, a row to its end.

Whose a row is, `runner.engine.starts` knows. The log is the only witness of how a process ended. Server time is
compared with server time only: this machine's clock plays no part.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from msgspec import convert
from msgspec.structs import replace

from runner.engine import start_bounds, starts, versions
from runner.engine.effects import Running
from runner.engine.perform import Backoff, check_stop, pause
from runner.engine.readings import Unread, ask_owner, is_for_good, is_hopeless, read
from runner.engine.state import EarlierRow, OpenRow, Start
from runner.engine.versions import REFUSED_AGAIN, Versions
from runner.foundation import server_time
from runner.foundation.values import JsonObject, items
from runner.runs.events import Trouble
from runner.runs.process_status import UNDER_WAY
from runner.service import calls
from runner.service.calls import LogRow

WATERMARK = 20  # rows that are read before a call: those that share the moment of the newest are known then, too
MOST_MEMBERS = 20
"""Versions that a reading asks for: IIS takes a query of 2,048 characters, unless it is configured otherwise [D]."""
FIRST_LOOK = 0.5
LAST_LOOK = 5.0  # seconds between two looks at a running process, growing from the first to the last
_SET_BACK = 4000.0  # seconds by which only a log's clock is set back at most: an hour, as where summer time ends
GONE = "gone"  # the status of a row that the log does not show any more: it was archived, or deleted
_FILTER_REFUSED = frozenset({400, 500, 501})
"""Replies that refuse this filter. That `SysSchema/Name` can be filtered by is not known for sure [?]."""


def mark(row: OpenRow, process: str, *, turn: bool) -> Running[Unread | None]:
    """Make sure that the newest row of `process` is known, and is when the next call is sent."""
    with row.reading_until(row.t + row.attempt_seconds):
        while True:
            unread = yield from _mark(row, process, turn=turn)
            resumed = yield from check_stop(row.state)
            if not resumed:
                return unread


def _mark(row: OpenRow, process: str, *, turn: bool) -> Running[Unread | None]:
    """Read it once per run and process, and again where a start has no row yet, which may have come.

    Where other runs of this program start the same process (`Plan.alone` is false), it is read before every call that
    takes its turn: theirs may have come in between. So it is where the log has another clock than `Date`: then no time
    shows what came in between.
    """
    log = row.log
    if log.refusal is not None:
        return Unread(log.refusal)
    yield from _settle_waiting(row, process)
    is_read_again = log.clocks_differ and not starts.missing(log, process)
    if process in log.marks and not is_read_again and (row.state.run.plan.alone or not turn):
        return None
    began = row.t
    call = calls.ReadRows(process=process, reasons=False)
    rows = yield from _rows(row, replace(call, top=WATERMARK), turn=process if turn else None)
    if isinstance(rows, Unread):
        return rows
    newest, now = rows[0].started if rows else None, log.server_time(row.t)
    if rows and now is not None and not log.clocks_differ and (rows[0].began or 0.0) > now + starts.AHEAD:
        past = server_time.odata_time(now - start_bounds.EARLIER)  # a row of the future would hide those that come
        since_now = yield from all_rows(row, replace(call, since=past))
        if isinstance(since_now, list):
            newest, rows = past, [*rows, *since_now]
    elif len(rows) == WATERMARK and rows[-1].started == newest:
        rows = yield from all_rows(row, replace(call, since=newest))
        if isinstance(rows, Unread):
            return rows
    log.marks[process] = newest
    log.marked_at[process] = log.server_time(row.t)
    log.before[process] = (began, tuple(_earlier(rows)))
    log.known_since[process] = min([each.began or 0.0 for each in rows]) if len(rows) >= WATERMARK else 0.0
    log.note_there(process, rows)
    log.learn_owners(rows)
    return None


def _settle_waiting(row: OpenRow, process: str) -> Running[None]:
    """Let earlier starts have the rows that have come for them: these belong to no later call."""
    waiting = starts.missing(row.log, process)
    is_known = bool(waiting) and (process in row.log.marks or starts.since(row.log, waiting[0]) is not None)
    if is_known and any(start.key != row.key for start in waiting):
        rows = yield from new_rows(row, waiting[0], last=False)
        if isinstance(rows, list):
            yield from starts.settle_missing(row, process, rows, among=waiting)


def _earlier(rows: list[LogRow]) -> Iterator[EarlierRow]:
    """Those that a start by a user may have made, where they say when they began, each once."""
    for found in {found.id: found for found in rows}.values():
        moment = found.began
        if found.parent is None and moment is not None:
            yield EarlierRow(id=found.id, began=moment, owner=found.owner)


def watermark(row: OpenRow, process: str) -> JsonObject | None:
    """What `call.sent` says of the log before the call."""
    return {"started": row.log.marks[process]} if process in row.log.marks else None


def new_rows(row: OpenRow, start: Start, *, last: bool, any_user: bool = False) -> Running[list[LogRow] | Unread]:
    """The rows since the watermark of `start`, or since the oldest of the starts that lack theirs, that may be ours and
    are not known yet, newest first. Our own user is read once per run.

    `last`: the absence of rows will count for something. So versions that have come since are asked for, too.
    `any_user`: the process may run as another user.
    """
    log = row.log
    if log.owner_due <= row.t:
        yield from ask_owner(row)
    rows = yield from _new(row, start, any_user=any_user)
    if not last or isinstance(rows, Unread) or any(starts.may_be_of(log, start, found) for found in rows):
        return rows
    known = log.versions.get(start.process)
    if known is not None and start.sent < known.read_at and row.t < known.read_at + versions.AGAIN:
        return rows
    fresh = yield from versions_of(row, start.process, fresh=True)
    if isinstance(fresh, Unread):
        return fresh
    return (yield from _new(row, start, any_user=any_user)) if starts.has_grown_since(log, start) else rows


def _new(row: OpenRow, start: Start, *, any_user: bool) -> Running[list[LogRow] | Unread]:
    log = row.log
    if starts.has_grown_since(log, start) and (why := starts.weak_absence(log, start)) is not None:
        return _too_little(why)
    call = calls.ReadRows(process=start.process, since=starts.since(log, start))
    rows = yield from all_rows(row, call, since=starts.span_of(log, start).since)
    if isinstance(rows, Unread):
        return rows
    log.learn_owners(rows)
    log.newest[start.process] = next((found for found in rows if found.id in log.called_at), None)
    starts.compare_clocks_by_id(log, rows)
    by_id = {found.id: found for found in rows}  # an answer may show a row twice
    new = [found for key, found in by_id.items() if key not in log.seen and found.parent is None]
    if not any_user and (owner := log.owner_of(start)) is not None:
        new = [each for each in new if (by := each.owner) == owner or (by is None and not log.shows_owners)]
    starts.compare_clocks(row, start, new)
    return new


def _too_little(why: str) -> Unread:
    return Unread(calls.CallFailed(kind=calls.FailureKind.UNANSWERED, trouble=Trouble(code="E208", message=why)))


def versions_of(row: OpenRow, process: str, *, fresh: bool = False) -> Running[Versions | Unread]:
    """The versions of a process, read once per run; `fresh`: now, whatever is known. `Unread`: nobody was reached."""
    log = row.log
    before = log.versions.get(process) or Versions(process=process, codes=(process,), read_at=row.t, due=row.t)
    found: Versions | Unread
    if log.library_refusal is not None and row.t < log.library_due:
        found = before.not_read(log.library_refusal, t=before.read_at)
    elif before.final or not (fresh or before.due <= row.t):
        return before
    else:
        found = yield from _versions(row, before, fresh=fresh)
    if isinstance(found, Unread):
        return found
    log.versions[process] = found
    if found.grown_at != before.grown_at:
        for code in found.codes:
            log.marks.pop(code, None)
    return found


def _versions(row: OpenRow, before: Versions, *, fresh: bool) -> Running[Versions | Unread]:
    marked, root = before.process in row.log.marks, before.root
    if root is None:
        found = yield from read(row, calls.FindFamily(process=before.process, fresh=fresh))
        if isinstance(found, Unread):
            row.log.library_refusal = found.failure if is_for_good(found.failure) else None
            row.log.library_due = row.t + REFUSED_AGAIN
            return _versions_unread(row, before, found)
        if found is None:
            found = yield from read(row, calls.FindHiddenFamily(process=before.process, fresh=fresh))
        if not isinstance(found, str):
            return before.not_listed(t=row.t, unknown=True)
        root = found
    members = yield from read(row, calls.ReadFamily(root=root, fresh=fresh))
    if isinstance(members, Unread):
        return _versions_unread(row, before, members)
    return before.read(members, root=root, t=row.t, marked=marked)


def _versions_unread(row: OpenRow, before: Versions, unread: Unread) -> Versions | Unread:
    is_reached = unread.failure.kind is not calls.FailureKind.NOT_SENT
    return before.not_read(unread.failure, t=row.t) if is_reached else unread


def row_of(row: OpenRow, process_id: str) -> Running[LogRow | Unread | None]:
    value = yield from read(row, calls.ReadRow(process_id=process_id))
    if isinstance(value, Unread) or value is None:
        return value
    found = convert(value, LogRow)
    starts.compare_clocks_by_id(row.log, (found,))
    return found


def follow(
    row: OpenRow,
    process_id: str,
    looks: Backoff,
    *,
    until: Callable[[LogRow], bool],
    last: LogRow | None = None,
    settle: float = math.inf,
) -> Running[LogRow | Unread | None]:
    """Read the row of a process until `until` holds for it, or the time is over; the last row that was read, `last`
    before. A row that the log has shown and shows no more for as long as the target's `settle` is `GONE`.

    Gives None where the log did not show a row of that id, which is waited for no longer than `settle`, and `Unread`
    where the log, or the sign-in, refused for good, or the last look failed and none before has shown the row. Other
    runs may start the process meanwhile.
    """
    appears_by, seen = row.t + settle, row.t
    while True:
        found = yield from row_of(row, process_id)
        row.unread = found.failure.trouble if isinstance(found, Unread) else None
        if isinstance(found, Unread) and (
            row.log.refusal is not None or is_hopeless(found.failure, never_read=last is None)
        ):
            return found
        last, seen = (found, row.t) if isinstance(found, LogRow) else (last, seen)
        if last is not None and found is None and row.t >= seen + row.state.run.plan.times.settle:
            return replace(last, status=GONE)
        is_missing = last is None and found is None and row.t >= appears_by
        if (last is not None and until(last)) or is_missing or looks.is_over(row):
            return last or found
        yield from looks.wait(row, frees_turn=True)


def step_looks(row: OpenRow) -> Backoff:
    """Looks at a running process within the step's time for following."""
    return Backoff(next=FIRST_LOOK, longest=LAST_LOOK, deadline=row.t + row.step.follow)


def followed(row: OpenRow, found: LogRow, looks: Backoff | None = None) -> Running[LogRow]:
    """The row `found`, read again after a moment until it has ended or the step's time for following is over."""
    if has_ended(found):
        return found
    yield from pause(row, min(FIRST_LOOK, row.step.follow), frees_turn=True)
    last = yield from follow(row, found.id, looks or step_looks(row), until=has_ended, last=found)
    return last if isinstance(last, LogRow) else found


def has_ended(found: LogRow) -> bool:
    return found.status not in UNDER_WAY


def all_rows(row: OpenRow, call: calls.ReadRows, *, since: float | None = None) -> Running[list[LogRow] | Unread]:
    """All rows that `call` asks for. A full answer may lack rows, unless its oldest row is from before `since`."""
    rows = yield from _rows(row, call)
    if isinstance(rows, list) and len(rows) >= call.top and not _is_before(rows[-1], since):
        return _too_little(f"it shows {len(rows)} starts since, or more: too many to distinguish")
    return rows


def _is_before(found: LogRow, since: float | None) -> bool:
    began = found.began
    return since is not None and began is not None and began < since


def _rows(row: OpenRow, call: calls.ReadRows, *, turn: str | None = None) -> Running[list[LogRow] | Unread]:
    """The rows of all versions; where these are not known, those of the code."""
    known = yield from versions_of(row, call.process)
    if isinstance(known, Unread):
        return known
    if known.members:
        rows = yield from _rows_of_members(row, call, known.schema_ids, turn=turn)
        if not isinstance(rows, Unread) or row.log.refusal or rows.failure.status not in _FILTER_REFUSED:
            return rows
        row.log.versions[call.process] = known.unusable(rows.failure)
    return (yield from _rows_by_code(row, call, turn=turn))


def _rows_of_members(
    row: OpenRow, call: calls.ReadRows, schema_ids: Sequence[str], *, turn: str | None
) -> Running[list[LogRow] | Unread]:
    """The newest rows of all versions, as many as `call` asks for."""
    rows: list[LogRow] = []
    for first in range(0, len(schema_ids), MOST_MEMBERS):
        some = tuple(schema_ids[first : first + MOST_MEMBERS])
        value = yield from read(row, replace(call, schema_ids=some), turn=turn)
        if isinstance(value, Unread):
            return value
        rows += convert(items(value), list[LogRow])
    if len(schema_ids) > MOST_MEMBERS:
        rows.sort(key=lambda found: found.started or "", reverse=True)
    return rows[: call.top]


def _rows_by_code(row: OpenRow, call: calls.ReadRows, *, turn: str | None = None) -> Running[list[LogRow] | Unread]:
    """Where the code cannot be filtered by, the longer way: its schema's id first, then the rows with that id."""
    log = row.log
    known = log.schema_ids.get(call.process)
    value = yield from read(row, replace(call, schema_ids=(known,)) if known else call, turn=turn)
    if isinstance(value, Unread) and not (known or log.refusal) and value.failure.status in _FILTER_REFUSED:
        schema_id = yield from read(row, calls.FindProcess(process=call.process))
        if isinstance(schema_id, str):
            log.schema_ids[call.process] = schema_id
            value = yield from read(row, replace(call, schema_ids=(schema_id,)))
    return value if isinstance(value, Unread) else convert(items(value), list[LogRow])


def rows_before_watermark(row: OpenRow, start: Start) -> Running[list[LogRow]]:
    """Rows that may have begun since the call by another clock, read only where these can be before the watermark.

    The site's clock was set back, or a node has another. Such a row proves nothing, but while it is there the call is
    not made again.
    """
    log, mark = row.log, server_time.parse_record(start.mark or "")
    now, sent = log.server_time(row.t), log.server_time(start.sent)
    if mark is None or now is None or sent is None or start.breaks != log.breaks:
        return []
    since, known_since = sent - start_bounds.EARLIER, log.known_since.get(start.process, 0.0)
    if not (log.clocks_differ or mark > now + starts.AHEAD):
        since = known_since = max(sent - _SET_BACK, known_since)
    if mark <= (first := min(since, known_since)):
        return []
    rows = yield from all_rows(row, calls.ReadRows(process=start.process, since=server_time.odata_time(first)))
    if isinstance(rows, Unread):
        return []
    return [
        found
        for found in rows
        if found.id not in log.seen
        and found.parent is None
        and (log.owner is None or found.owner in (None, log.owner))
        and (began := found.began) is not None
        and began < mark
        and (since <= began <= now + start_bounds.LATER or (log.clocks_differ and began > known_since))
    ]

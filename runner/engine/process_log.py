"""Reading the process log: the watermark before a call, the rows that may be ours after it, one row to its end.

Whose a row is, `runner.engine.starts` knows. The log is the only witness of how a process ended. A reading is a call
like any other, so that it is journaled and replayed like any other; it may be repeated freely. A log that refuses to be
read is not asked again in this run. Server time is compared with server time only: this machine's clock plays no part.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus

from msgspec import Struct, convert
from msgspec.structs import replace

from runner.engine import starts, versions
from runner.engine.effects import Done, Failed, Running, Send
from runner.engine.perform import Backoff, check_stop, note, pause, perform
from runner.engine.state import EarlierRow, OpenRow, Start
from runner.engine.versions import Versions
from runner.foundation.raw import items
from runner.foundation.values import Json, JsonObject
from runner.job.actions import Cancel, Wait
from runner.job.model import StepEffect
from runner.runs.events import LogUnreadable, Trouble
from runner.runs.evidence import PauseReason
from runner.runs.process_status import UNDER_WAY
from runner.service import calls
from runner.service.calls import LogRow
from runner.service.pages import Pages

READING_SECONDS = 30.0
EXPLAINING_SECONDS = 10.0
READING_TRIES = 3
WATERMARK = 20
"""Rows that are read before a call: those that share the moment of the newest are known then, too."""
BETWEEN_TRIES = 0.5
AFTER_SILENCE = 5.0
"""Seconds for one more try where the others have had all the time: this machine may have slept, or its line was lost.
"""
MOST_MEMBERS = 20
"""Versions that one reading asks for: IIS takes a query of 2,048 characters, unless it is configured otherwise [D]."""
FIRST_LOOK = 0.5
LAST_LOOK = 5.0
"""Seconds between two looks at a running process, growing from the first to the last."""

_LOG_REFUSED = frozenset({200, 401, 403, 404})
"""Refusals that mean that the log cannot be read at all: 200 is a reply with `Message` in place of rows [M]."""
_FILTER_REFUSED = frozenset({400, 500, 501})
"""Replies that refuse this filter. That `SysSchema/Name` can be filtered by is not known for sure [?]."""


class Unread(Struct, frozen=True):
    """The log could not be read: for good (`log.refusal` is set then), or this once."""

    failure: calls.CallFailed


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
    takes its turn: theirs may have come in between.
    """
    log = row.log
    if log.refusal is not None:
        return Unread(log.refusal)
    waiting = starts.missing(log, process)
    is_known = bool(waiting) and (process in log.marks or starts.since(log, waiting[0]) is not None)
    if is_known and any(start.key != row.key for start in waiting):  # rows that have come are none of a later call
        rows = yield from new_rows(row, waiting[0], last=False)
        if isinstance(rows, list):
            yield from starts.settle_missing(row, process, rows, among=waiting)
    if process in log.marks and (row.state.run.plan.alone or not turn):
        return None
    began = row.t
    rows = yield from _rows(row, calls.ReadRows(process=process, top=WATERMARK), turn=process if turn else None)
    if isinstance(rows, Unread):
        return rows
    newest = rows[0].started if rows else None
    if len(rows) == WATERMARK and rows[-1].started == newest:
        rows = yield from all_rows(row, calls.ReadRows(process=process, since=newest))
        if isinstance(rows, Unread):
            return rows
    log.marks[process] = newest
    log.marked_at[process] = log.server_time(row.t)
    log.before[process] = (began, tuple(_earlier(rows)))
    log.note_there(process, rows)
    log.learn_owners(rows)
    return None


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
    if not log.owner_asked:
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
    if starts.has_grown_since(log, start) and (why := starts.why_less(log, start)) is not None:
        return _too_little(why)
    call = calls.ReadRows(process=start.process, since=starts.since(log, start))
    rows = yield from all_rows(row, call, since=starts.span_of(log, start).since)
    if isinstance(rows, Unread):
        return rows
    log.learn_owners(rows)
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
    if log.library_refusal is not None:
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
            return _versions_unread(row, before, found)
        if found is None:
            found = yield from read(row, calls.FindHiddenFamily(process=before.process, fresh=fresh))
        if not isinstance(found, str):
            return before.not_listed(t=row.t)
        root = found
    members = yield from read(row, calls.ReadFamily(root=root, fresh=fresh))
    if isinstance(members, Unread):
        return _versions_unread(row, before, members)
    return before.read(members, root=root, t=row.t, marked=marked)


def _versions_unread(row: OpenRow, before: Versions, unread: Unread) -> Versions | Unread:
    is_reached = unread.failure.kind is not calls.FailureKind.NOT_SENT
    return before.not_read(unread.failure, t=row.t) if is_reached else unread


def row_of(row: OpenRow, process_id: str) -> Running[LogRow | Unread | None]:
    """The row of one process by its id; None where there is none."""
    value = yield from read(row, calls.ReadRow(process_id=process_id))
    return value if isinstance(value, Unread) else None if value is None else convert(value, LogRow)


def follow(
    row: OpenRow, process_id: str, looks: Backoff, *, until: Callable[[LogRow], bool]
) -> Running[LogRow | Unread | None]:
    """Read the row of a process until `until` holds for it, or the time is over; the last row that was read.

    Gives None where the log never showed a row of that id, and `Unread` where the log refused for good, or the last
    look at it failed and none before has shown the row. Meanwhile other runs may start the same process: what is
    followed has been found.
    """
    last: LogRow | None = None
    while True:
        found = yield from row_of(row, process_id)
        if isinstance(found, Unread) and row.log.refusal is not None:
            return found
        row.unread = found.failure.trouble if isinstance(found, Unread) else None
        last = found if isinstance(found, LogRow) else last
        if (last is not None and until(last)) or looks.is_over(row):
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
    last = yield from follow(row, found.id, looks or step_looks(row), until=has_ended)
    return last if isinstance(last, LogRow) else found


def has_ended(found: LogRow) -> bool:
    return found.status not in UNDER_WAY


def elements_in(row: OpenRow, call: calls.ReadElements | calls.ReadElementData) -> Running["list[JsonObject] | Unread"]:
    """What the log of elements, or the engine's own store of them, shows of a process."""
    value = yield from read(row, call)
    return value if isinstance(value, Unread) else _records(value)


def elements_once(row: OpenRow, process_id: str) -> Running[list[JsonObject]]:
    """What the log of elements shows, only to explain a failure: asked once, and waited for a little."""
    call = calls.ReadElements(process_id=process_id)
    outcome = yield from perform(row, _reading(row, call, seconds=EXPLAINING_SECONDS))
    return _records(outcome.value) if isinstance(outcome, Done) else []


def read_records(row: OpenRow, call: calls.QueryCall) -> Running[list[JsonObject] | calls.CallFailed]:
    """The records that `call` asks for on all pages, no more than its `top`; or why they cannot be read."""
    pages, ends = Pages(call=call, most=call.top), row.t + READING_SECONDS
    while pages.call is not None:
        answer = yield from read(row, pages.call)
        if isinstance(answer, Unread):
            return answer.failure
        pages.take(answer, is_late=row.t >= ends)
    if pages.trouble is not None:
        return calls.CallFailed(kind=calls.FailureKind.UNANSWERED, trouble=pages.trouble)
    return pages.records[: call.top]


def _records(value: Json) -> list[JsonObject]:
    return [record for record in items(value) if isinstance(record, dict)]


def all_rows(row: OpenRow, call: calls.ReadRows, *, since: float | None = None) -> Running[list[LogRow] | Unread]:
    """All rows that `call` asks for. As many as were asked for at most may be the start of more: that is no answer,
    as the row in question could be among those that are left out, unless the oldest is from before `since`.
    """
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
    """As many of their newest rows as `call` asks for."""
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


def ask_owner(row: OpenRow) -> Running[None]:
    """Learn our own contact id. Where it cannot be read, rows of all owners are candidates."""
    for call in (calls.WhoAmI(), calls.WhoIsUser()):
        outcome = yield from perform(row, _reading(row, call))
        row.log.owner_asked = isinstance(outcome, Done) or is_for_good(outcome.failure)
        value = outcome.value if isinstance(outcome, Done) else None
        since, owner = (row.log.breaks, value.get(calls.NOW)) if isinstance(value, dict) else (0, value)
        if isinstance(owner, str):
            row.log.owner, row.log.owner_since = owner, since
            break


def is_shut_out(row: OpenRow, unread: Unread) -> Running[bool]:
    """Whether the site accepts our session nowhere: not for its log, never read for this, nor to say who we are."""
    if unread.failure.trouble.code != calls.SESSION_REFUSED or row.log.marks:
        return False
    outcome = yield from perform(row, _reading(row, calls.WhoAmI()))
    return isinstance(outcome, Failed) and outcome.failure.trouble.code == calls.SESSION_REFUSED


def read(row: OpenRow, call: calls.Call, *, turn: str | None = None) -> Running["Json | Unread"]:
    """One reading, tried again where it was not answered: reads just after a rebuild may fail [M].

    All its tries together have the time of a single try, before a call no more than the call's own: a site that accepts
    nobody would otherwise hold a step up for many times its `timeout`. After a call, whose verdict depends on it, a
    short try follows that time. The first has no longer than a call of the step: one reading may hang.
    """
    is_last_time = row.ready_by is not None
    ready_by = math.inf if row.ready_by is None else max(row.ready_by, row.t + BETWEEN_TRIES)
    ends = row.t + min(READING_SECONDS, ready_by - row.t)
    for number in range(1, READING_TRIES + 1):
        longest = max(row.attempt_seconds, AFTER_SILENCE) if number == 1 else READING_SECONDS
        outcome = yield from perform(row, _reading(row, call, turn=turn, seconds=min(ends - row.t, longest)))
        if isinstance(outcome, Done):
            return outcome.value
        failure = outcome.failure
        if is_for_good(failure) and isinstance(call, calls.ReadRows | calls.ReadRow) and row.log.refusal is None:
            row.log.refusal = failure
            yield from note(LogUnreadable(error=failure.trouble))
        is_over = row.t + BETWEEN_TRIES >= ends
        if number == READING_TRIES or not _may_pass(failure) or (is_over and is_last_time):
            break
        if is_over:
            is_last_time, ends = True, row.t + BETWEEN_TRIES + AFTER_SILENCE
        yield from pause(row, BETWEEN_TRIES, why=PauseReason.RETRY)
    return Unread(failure)


def _reading(row: OpenRow, call: calls.Call, *, turn: str | None = None, seconds: float = READING_SECONDS) -> Send:
    action = row.step.action  # of these steps the result is what is read
    is_result = isinstance(call, calls.QueryCall) or (
        isinstance(call, calls.ReadRow) and isinstance(action, Wait | Cancel)
    )
    secret = row.step.secret and is_result
    return Send(key=row.key, call=call, effect=StepEffect.READ, seconds=seconds, turn=turn, secret=secret)


def is_for_good(failure: calls.CallFailed) -> bool:
    """A refusal, or a session that is not accepted for the log. A refused sign-in is not the log's doing."""
    if failure.trouble.code == calls.SESSION_REFUSED:
        return True
    return failure.kind is calls.FailureKind.REFUSED and failure.status in _LOG_REFUSED


def _may_pass(failure: calls.CallFailed) -> bool:
    """Whether the same reading may be answered a moment later; a 500 may be `Collection was modified` [M]."""
    if failure.final or is_for_good(failure):
        return False
    return failure.kind is not calls.FailureKind.REFUSED or failure.status == HTTPStatus.INTERNAL_SERVER_ERROR

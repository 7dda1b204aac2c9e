"""Reading the process log: the watermark before a call, the rows that may be ours after it, one row to its end.

Whose a row is, `runner.engine.starts` knows. The log is the only witness of how a process ended. A reading is a call
like any other, so that it is journaled and replayed like any other; it may be repeated freely. A log that refuses to be
read is not asked again in this run. Server time is compared with server time only: this machine's clock plays no part.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from runner.engine import families, starts
from runner.engine.effects import Done, Pause, Running, Send
from runner.engine.families import Family
from runner.engine.perform import go_on, note, perform
from runner.engine.state import Start, State
from runner.foundation import server_time
from runner.foundation.values import Json, JsonObject
from runner.job.model import StepEffect
from runner.runs.events import LogUnreadable, Trouble
from runner.service.calls import (
    SESSION_REFUSED,
    Call,
    CallFailed,
    FailureKind,
    FindFamily,
    FindProcess,
    ReadElementData,
    ReadElements,
    ReadFamily,
    ReadRow,
    ReadRows,
    WhoAmI,
    WhoIsUser,
)

READING_SECONDS = 30.0
EXPLAINING_SECONDS = 10.0
READING_TRIES = 3
WATERMARK = 20
"""Rows that are read before a call: those that share the newest one's moment are known then, too."""
BETWEEN_TRIES = 0.5
MOST_MEMBERS = 20
"""Versions that one reading asks for: IIS takes a query of 2,048 characters, unless it was told otherwise [D]."""

_NOT_TO_BE_HAD = frozenset({200, 401, 403, 404})
"""Refusals that say the log is not to be had at all: 200 is a reply with `Message` in place of rows [M]."""
_FILTER_REFUSED = frozenset({400, 500, 501})
"""Replies that say this filter is not to be had. That `SysSchema/Name` can be filtered by is not known for sure [?]."""


@dataclass(frozen=True, slots=True)
class Unread:
    """The log could not be read: for good (`state.log.refusal` says so then), or this once."""

    failure: CallFailed


def mark(state: State, key: str, process: str, *, turn: bool) -> Running[Unread | None]:
    """Make sure that the newest row of `process` is known, and is when the next call is sent."""
    while True:
        unread = yield from _mark(state, key, process, turn=turn)
        resumed = yield from go_on(state)
        if not resumed:
            return unread


def _mark(state: State, key: str, process: str, *, turn: bool) -> Running[Unread | None]:
    """Read it once per run and process, and again where a start has no row yet, which may have come.

    Where other runs of this program start the same process (`Plan.alone` is false), it is read before every call that
    takes its turn: theirs may have come in between.
    """
    if state.log.refusal is not None:
        return Unread(state.log.refusal)
    waiting = starts.missing(state, process)
    is_known = bool(waiting) and (process in state.log.marks or starts.since(state, waiting[0]) is not None)
    if is_known and any(start.key != key for start in waiting):
        yield from _look_for_missing(state, key, process)
    if process in state.log.marks and (state.run.plan.alone or not turn):
        return None
    rows = yield from _rows(state, key, ReadRows(process=process, top=WATERMARK), turn=process if turn else None)
    if isinstance(rows, Unread):
        return rows
    newest = text(rows[0], "started") if rows else None
    if len(rows) == WATERMARK and text(rows[-1], "started") == newest:
        rows = yield from _whole(state, key, ReadRows(process=process, since=newest))
        if isinstance(rows, Unread):
            return rows
    state.log.marks[process] = newest
    state.log.marked_at[process] = state.log.server_time(state.t)
    state.log.seen.update(text(row, "id") or "" for row in rows)
    return None


def _look_for_missing(state: State, key: str, process: str) -> Running[None]:
    """Rows that have come by now are none of a later call."""
    waiting = starts.missing(state, process)
    rows = yield from new_rows(state, key, waiting[0], last=False)
    if isinstance(rows, list):
        yield from starts.settle_missing(state, key, process, rows, among=waiting)


def watermark(state: State, process: str) -> JsonObject | None:
    """What `call.sent` says of the log before the call."""
    return {"started": state.log.marks[process]} if process in state.log.marks else None


def new_rows(
    state: State, key: str, start: Start, *, last: bool, of_anybody: bool = False
) -> Running[list[JsonObject] | Unread]:
    """The rows since the watermark of `start`, or since the oldest of the starts that lack theirs, that may be ours and
    are not known yet, newest first. Whose we are is read once per run.

    `last`: that there is none will count for something. So it is asked of versions, too, that have come since.
    `of_anybody`: the process may run as another user.
    """
    if not state.log.owner_asked:
        yield from _ask_owner(state, key)
    rows = yield from _new(state, key, start, of_anybody=of_anybody)
    if not last or isinstance(rows, Unread) or any(starts.may_be_of(state.log, start, row) for row in rows):
        return rows
    known = state.log.families.get(start.process)
    if known is not None and start.sent < known.read_at and state.t < known.read_at + families.AGAIN:
        return rows
    family = yield from family_of(state, key, start.process, fresh=True)
    if isinstance(family, Unread):
        return family
    if not starts.has_grown_since(state.log, start):
        return rows
    return (yield from _new(state, key, start, of_anybody=of_anybody))


def _new(state: State, key: str, start: Start, *, of_anybody: bool) -> Running[list[JsonObject] | Unread]:
    if starts.has_grown_since(state.log, start) and (why := starts.why_less(state.log, start)) is not None:
        return Unread(CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E208", message=why)))
    call = ReadRows(process=start.process, since=starts.since(state, start))
    rows = yield from _whole(state, key, call, since=starts.span_of(state.log, start).since)
    if isinstance(rows, Unread):
        return rows
    rows = list({str(row["id"]): row for row in rows}.values())  # an answer may show a row twice
    new = [row for row in rows if row["id"] not in state.log.seen]
    new = [row for row in new if _is_ours(state, row) or (of_anybody and row.get("parent") is None)]
    starts.compare_clocks(state, start, new)
    return new


def family_of(state: State, key: str, process: str, *, fresh: bool = False) -> Running[Family | Unread]:
    """The versions of a process, read once per run; `fresh`: now, whatever is known. `Unread`: nobody was reached."""
    log = state.log
    before = log.families.get(process) or Family(process=process, read_at=state.t, due=state.t)
    family: Family | Unread
    if log.library_refusal is not None:
        family = families.not_read(before, log.library_refusal, t=before.read_at)
    elif before.final or not (fresh or before.due <= state.t):
        return before
    else:
        family = yield from _family(state, key, before, fresh=fresh)
    if isinstance(family, Unread):
        return family
    log.families[process] = family
    if family.grown_at != before.grown_at:
        for code in family.codes:
            log.marks.pop(code, None)
    return family


def _family(state: State, key: str, before: Family, *, fresh: bool) -> Running[Family | Unread]:
    marked, root = before.process in state.log.marks, before.root
    if root is None:
        found = yield from read(state, key, FindFamily(process=before.process, fresh=fresh))
        if isinstance(found, Unread):
            state.log.library_refusal = found.failure if is_for_good(found.failure) else None
            return _not_read(state, before, found)
        if not isinstance(found, str):
            return families.not_listed(before, t=state.t)
        root = found
    members = yield from read(state, key, ReadFamily(root=root, fresh=fresh))
    if isinstance(members, Unread):
        return _not_read(state, before, members)
    return families.read(before, members, root=root, t=state.t, marked=marked)


def _not_read(state: State, before: Family, unread: Unread) -> Family | Unread:
    is_reached = unread.failure.kind is not FailureKind.NOT_SENT
    return families.not_read(before, unread.failure, t=state.t) if is_reached else unread


def row_of(state: State, key: str, process_id: str) -> Running[JsonObject | Unread | None]:
    """The row of one process by its id; None where there is none."""
    value = yield from read(state, key, ReadRow(process_id=process_id))
    return value if isinstance(value, Unread | dict) else None


def elements_in(state: State, key: str, call: ReadElements | ReadElementData) -> Running["list[JsonObject] | Unread"]:
    """What the log of elements, or the engine's own store of them, shows of a process."""
    value = yield from read(state, key, call)
    if isinstance(value, Unread):
        return value
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def elements_of(state: State, key: str, process_id: str) -> Running[list[JsonObject]]:
    """What the log of elements shows of a process; nothing where it cannot be read, or tracing is off."""
    found = yield from elements_in(state, key, ReadElements(process_id=process_id))
    return [] if isinstance(found, Unread) else found


def elements_once(state: State, key: str, process_id: str) -> Running[list[JsonObject]]:
    """As `elements_of`, for who only wants to explain: asked once, and waited for a little."""
    outcome = yield from perform(state, _reading(key, ReadElements(process_id=process_id), seconds=EXPLAINING_SECONDS))
    value = outcome.value if isinstance(outcome, Done) else None
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def _whole(state: State, key: str, call: ReadRows, *, since: float | None = None) -> Running[list[JsonObject] | Unread]:
    """All rows that `call` asks for. As many as were asked for at most may be the beginning of more: that is no answer,
    as the one in question could be among those that are left out, unless the oldest is from before `since`.
    """
    rows = yield from _rows(state, key, call)
    if isinstance(rows, list) and len(rows) >= call.top and not _is_before(rows[-1], since):
        trouble = Trouble(code="E208", message=f"it shows {len(rows)} starts since, or more: too many to tell apart")
        return Unread(CallFailed(kind=FailureKind.UNANSWERED, trouble=trouble))
    return rows


def _is_before(row: JsonObject, since: float | None) -> bool:
    began = server_time.of_record(text(row, "started") or "")
    return since is not None and began is not None and began < since


def _rows(state: State, key: str, call: ReadRows, *, turn: str | None = None) -> Running[list[JsonObject] | Unread]:
    """The rows of all versions; where these are not known, those of the code."""
    family = yield from family_of(state, key, call.process)
    if isinstance(family, Unread):
        return family
    if not family.members:
        return (yield from _rows_by_code(state, key, call, turn=turn))
    rows = yield from _rows_of_members(state, key, call, family.schema_ids, turn=turn)
    if isinstance(rows, list) or state.log.refusal is not None or rows.failure.status not in _FILTER_REFUSED:
        return rows
    state.log.families[call.process] = families.unusable(family, rows.failure)
    return (yield from _rows_by_code(state, key, call, turn=turn))


def _rows_of_members(
    state: State, key: str, call: ReadRows, schema_ids: Sequence[str], *, turn: str | None
) -> Running[list[JsonObject] | Unread]:
    """As many of their newest rows as `call` asks for."""
    rows: list[JsonObject] = []
    for first in range(0, len(schema_ids), MOST_MEMBERS):
        some = tuple(schema_ids[first : first + MOST_MEMBERS])
        value = yield from read(state, key, replace(call, schema_ids=some), turn=turn)
        if isinstance(value, Unread):
            return value
        rows += [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    if len(schema_ids) > MOST_MEMBERS:
        rows.sort(key=lambda row: text(row, "started") or "", reverse=True)
    return rows[: call.top]


def _rows_by_code(
    state: State, key: str, call: ReadRows, *, turn: str | None = None
) -> Running[list[JsonObject] | Unread]:
    known = state.log.schema_ids.get(call.process)
    value = yield from read(state, key, _by_schema(call, known) if known else call, turn=turn)
    if (
        isinstance(value, Unread)
        and not known
        and state.log.refusal is None
        and value.failure.status in _FILTER_REFUSED
    ):
        value = yield from _rows_by_schema(state, key, call, refused=value)
    if isinstance(value, Unread):
        return value
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _rows_by_schema(state: State, key: str, call: ReadRows, *, refused: Unread) -> Running["Json | Unread"]:
    """The longer way where the code cannot be filtered by: its schema's id first, then the rows with that id."""
    schema_id = yield from read(state, key, FindProcess(process=call.process))
    if not isinstance(schema_id, str):
        return refused
    state.log.schema_ids[call.process] = schema_id
    value = yield from read(state, key, _by_schema(call, schema_id))
    return value


def _by_schema(call: ReadRows, schema_id: str) -> ReadRows:
    return replace(call, schema_ids=(schema_id,))


def _ask_owner(state: State, key: str) -> Running[None]:
    """Learn our own contact id. Where it cannot be had, rows of all owners are candidates."""
    for call in (WhoAmI(), WhoIsUser()):
        outcome = yield from perform(state, _reading(key, call))
        state.log.owner_asked = isinstance(outcome, Done) or is_for_good(outcome.failure)
        if isinstance(outcome, Done) and isinstance(outcome.value, str):
            state.log.owner = outcome.value
            break


def read(state: State, key: str, call: Call, *, turn: str | None = None) -> Running["Json | Unread"]:
    """One reading, tried again where it was not answered: reads just after a rebuild may fail [M].

    All its tries together have the time of one, before a call no more than the call's own: a site that accepts nobody
    would else hold a step up for many times its `timeout`.
    """
    begun = state.t
    ends = begun + min(READING_SECONDS, _until_ready(state) - begun)
    for number in range(1, READING_TRIES + 1):
        outcome = yield from perform(state, _reading(key, call, turn=turn, seconds=ends - state.t))
        if isinstance(outcome, Done):
            return outcome.value
        failure = outcome.failure
        if is_for_good(failure) and isinstance(call, ReadRows | ReadRow):
            yield from _switch_off(state, failure)
        if number == READING_TRIES or not _may_pass(failure) or state.t + BETWEEN_TRIES >= ends:
            break
        yield from perform(state, Pause(key=key, seconds=BETWEEN_TRIES))
    return Unread(failure)


def _until_ready(state: State) -> float:
    """By when what has to be known before a call must be."""
    row = state.run.open_rows[-1] if state.run.open_rows else None
    return math.inf if row is None or row.ready_by is None else max(row.ready_by, state.t + BETWEEN_TRIES)


def _reading(key: str, call: Call, *, turn: str | None = None, seconds: float = READING_SECONDS) -> Send:
    return Send(key=key, call=call, effect=StepEffect.READ, seconds=seconds, turn=turn)


def is_for_good(failure: CallFailed) -> bool:
    """A refusal, or a session that is not accepted for the log. A refused sign-in is not the log's doing."""
    if failure.trouble.code == SESSION_REFUSED:
        return True
    return failure.kind is FailureKind.REFUSED and failure.status in _NOT_TO_BE_HAD


def _may_pass(failure: CallFailed) -> bool:
    """Whether the same reading may be answered a moment later; a 500 may be `Collection was modified` [M]."""
    if failure.final or is_for_good(failure):
        return False
    return failure.kind is not FailureKind.REFUSED or failure.status == HTTPStatus.INTERNAL_SERVER_ERROR


def _switch_off(state: State, failure: CallFailed) -> Running[None]:
    if state.log.refusal is None:
        state.log.refusal = failure
        yield from note(LogUnreadable(error=failure.trouble))


def _is_ours(state: State, row: JsonObject) -> bool:
    """Whether it may be a start of ours: of our owner, where both are known, and no part of another process."""
    is_of_owner = state.log.owner is None or row.get("owner") in (None, state.log.owner)
    return row.get("parent") is None and is_of_owner


def text(row: JsonObject, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None

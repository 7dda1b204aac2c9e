"""Reading the process log: the watermark before a call, the rows that may be ours after it, one row to its end.

The log is the only witness of how a process ended. A reading is a call like any other, so that it is journaled and
replayed like any other; it may be repeated freely. A log that refuses to be read is not asked again in this run.
Server time is compared with server time only: this machine's clock plays no part.
"""

import math
from dataclasses import dataclass
from http import HTTPStatus

from runner.engine.effects import Done, Pause, Running, Send
from runner.engine.perform import go_on, note, perform
from runner.engine.state import Sought, Start, State
from runner.events import LogUnreadable, Trouble
from runner.job.model import StepEffect
from runner.service.calls import (
    Call,
    CallFailed,
    FailureKind,
    FindProcess,
    ReadElementData,
    ReadElements,
    ReadRow,
    ReadRows,
    WhoAmI,
    WhoIsUser,
)
from runner.values import Json, JsonObject

READING_SECONDS = 30.0
EXPLAINING_SECONDS = 10.0
READING_TRIES = 3
WATERMARK = 20
"""Rows that are read before a call: those that share the newest one's moment are known then, too."""
BETWEEN_TRIES = 0.5
LATE = 15.0
"""Seconds after a call in which its row may come: one that shows up then may be that of any call of these seconds."""

_NOT_TO_BE_HAD = frozenset({200, 401, 403, 404})
"""Refusals that say the log is not to be had at all: 200 is a reply with `Message` in place of rows [M]."""
_SESSION_REFUSED = "E304"
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
    """Read it once per run and process, and again where a start of another step has no row yet, which may have come.

    Where other runs of this program start the same process (`Plan.alone` is false), it is read before every call that
    takes its turn: theirs may have come in between.
    """
    if state.log.refusal is not None:
        return Unread(state.log.refusal)
    if process in state.log.marks and (state.run.plan.alone or not turn):
        yield from _look_for_missing(state, key, process)
        return None
    rows = yield from _rows(state, key, ReadRows(process=process, top=WATERMARK), turn=process if turn else None)
    if isinstance(rows, Unread):
        return rows
    newest = _text(rows[0], "started") if rows else None
    if len(rows) == WATERMARK and _text(rows[-1], "started") == newest:
        rows = yield from _whole(state, key, ReadRows(process=process, since=newest))
        if isinstance(rows, Unread):
            return rows
    state.log.marks[process] = newest
    state.log.seen.update(_text(row, "id") or "" for row in rows)
    return None


def _look_for_missing(state: State, key: str, process: str) -> Running[None]:
    if awaited(state, process, besides=key):
        rows = yield from new_rows(state, key, process)
        if isinstance(rows, list) and rows:
            settle(state, process, rows)


def watermark(state: State, process: str) -> JsonObject | None:
    """What `call.sent` says of the log before the call."""
    return {"started": state.log.marks[process]} if process in state.log.marks else None


def new_rows(
    state: State, key: str, process: str, *, since: Sought | None = None
) -> Running[list[JsonObject] | Unread]:
    """The rows of `process` since its watermark that may be ours, newest first. Whose we are is read once per run.

    `since`: the watermark before an earlier call, which is looked for after others were made.
    """
    if not state.log.owner_asked:
        yield from _ask_owner(state, key)
    call = ReadRows(process=process, since=since.mark if since else state.log.marks[process])
    rows = yield from _whole(state, key, call)
    if isinstance(rows, Unread):
        return rows
    return [row for row in rows if row["id"] not in state.log.seen and _is_ours(state, row)]


def settle(
    state: State, process: str, rows: list[JsonObject], *, since: Sought | None = None, of: str | None = None
) -> None:
    """Take `rows` (newest first) for ours: they are no candidates again, and the newest is the next watermark.

    Not so where they were looked for `since` an earlier one: newer rows are known by now. They are of the starts that
    were missing longest, or of the row whose key is given by `of`.
    """
    if since is None or since.mark == state.log.marks.get(process):
        state.log.marks[process] = _text(rows[0], "started")
    state.log.seen.update(_text(row, "id") or "" for row in rows)
    _found(state, process, len(rows), of=of)


def begun(state: State, process: str, key: str, *, refused: bool = False) -> None:
    """A call of the row `key` may have started `process`; its row in the log is not known yet."""
    state.log.missing.setdefault(process, []).append(Start(key, state.t, refused))


def known(state: State, process: str, key: str, process_id: str) -> None:
    """The row of such a start is known by its id."""
    state.log.seen.add(process_id)
    _found(state, process, 1, of=key)


def never_began(state: State, process: str, key: str) -> None:
    """Somebody who has looked says that nothing of the row `key` has started `process`."""
    state.log.missing[process] = [start for start in state.log.missing.get(process, []) if start.key != key]


def earlier(state: State, process: str, key: str) -> int:
    """How many starts of other steps have no row yet: one that is found may be theirs, however late."""
    return sum(start.key != key for start in state.log.missing.get(process, []))


def awaited(state: State, process: str, *, besides: str | None = None) -> int:
    """How many starts may still get their row, as they were answered just now, or cut off; but for those of a step."""
    since = state.t - max(LATE, state.run.plan.settle)
    missing = state.log.missing.get(process, [])
    return sum(start.key != besides and start.t >= since and not start.refused for start in missing)


def _found(state: State, process: str, count: int, *, of: str | None) -> None:
    """So many of the missing starts have their row. Nobody knows which; those that stay are as old as the oldest, so
    that what never began is not waited for again and again.
    """
    missing = state.log.missing.get(process, [])
    for start in [start for start in reversed(missing) if of is None or start.key == of][:count]:
        missing.remove(start)


def row_of(state: State, key: str, process_id: str) -> Running[JsonObject | Unread | None]:
    """The row of one process by its id; None where there is none."""
    value = yield from _read(state, key, ReadRow(process_id=process_id))
    return value if isinstance(value, Unread | dict) else None


def elements_in(state: State, key: str, call: ReadElements | ReadElementData) -> Running["list[JsonObject] | Unread"]:
    """What the log of elements, or the engine's own store of them, shows of a process."""
    value = yield from _read(state, key, call)
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


def _whole(state: State, key: str, call: ReadRows) -> Running[list[JsonObject] | Unread]:
    """All rows that `call` asks for. As many as were asked for at most may be the beginning of more: that is no answer,
    as the one in question could be among those that are left out.
    """
    rows = yield from _rows(state, key, call)
    if isinstance(rows, list) and len(rows) >= call.top:
        trouble = Trouble(code="E208", message=f"it shows {len(rows)} starts since, or more: too many to tell apart")
        return Unread(CallFailed(kind=FailureKind.UNANSWERED, trouble=trouble))
    return rows


def _rows(state: State, key: str, call: ReadRows, *, turn: str | None = None) -> Running[list[JsonObject] | Unread]:
    known = state.log.schema_ids.get(call.process)
    value = yield from _read(state, key, _by_schema(call, known) if known else call, turn=turn)
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
    schema_id = yield from _read(state, key, FindProcess(process=call.process))
    if not isinstance(schema_id, str):
        return refused
    state.log.schema_ids[call.process] = schema_id
    value = yield from _read(state, key, _by_schema(call, schema_id))
    return value


def _by_schema(call: ReadRows, schema_id: str) -> ReadRows:
    return ReadRows(process=call.process, schema_id=schema_id, since=call.since, top=call.top)


def _ask_owner(state: State, key: str) -> Running[None]:
    """Learn our own contact id. Where it cannot be had, rows of all owners are candidates."""
    for call in (WhoAmI(), WhoIsUser()):
        outcome = yield from perform(state, _reading(key, call))
        state.log.owner_asked = isinstance(outcome, Done) or is_for_good(outcome.failure)
        if isinstance(outcome, Done) and isinstance(outcome.value, str):
            state.log.owner = outcome.value
            break


def _read(state: State, key: str, call: Call, *, turn: str | None = None) -> Running["Json | Unread"]:
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
    if failure.trouble.code == _SESSION_REFUSED:
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
    return state.log.owner is None or row.get("owner") == state.log.owner


def _text(row: JsonObject, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None

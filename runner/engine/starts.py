"""Whose a row of the process log is: the one place that knows which starts of this run still lack their row.

A row belongs to at most one call. A start that lacks its row stays counted until it has one, whatever its `verify` is;
a row that several starts may have made is told apart by the server's own time alone: the `Date` of its answers says
when a call was under way, and what began outside of that time is none of it. That `Date` and the `StartDate` of rows
are of one clock is a choice [?]: where they differ a little, nothing is verified, and nothing wrongly; where a row
proves that they are two clocks, no time of the server is used in this run.
Which rows other runs own is asked of the host (`QueryPeers`), which also writes down what belongs to this one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runner.engine.effects import Running
from runner.engine.perform import inquire
from runner.engine.state import Log, OpenRow, Span, Start, State
from runner.foundation import server_time
from runner.foundation.values import JsonObject
from runner.service.calls import CallFailed, FailureKind

EARLIER = 1.0
"""Seconds before a call from which a row may be its own: clocks of one site differ a little."""
LATER = 2.0
"""Seconds after its time: `Date` counts whole seconds, and some servers write it once a second."""
AHEAD = 5.0
"""Seconds after the server's own time in which nothing can have begun by the same clock."""
LONG_AGO = 600.0
"""Seconds before the watermark was read from which on a row that appears since is by another clock: the row of a start
of another machine may come late, when its call returns [S], but none is waited for so long.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The new rows that may be those of one call, newest first. `contested` are the earlier starts of this run that may
    have made one of them; `rival`: another run may have. `outside` are new rows that by the server's own time began at
    another time, and that nobody is known to have made.
    """

    rows: tuple[JsonObject, ...] = ()
    outside: tuple[JsonObject, ...] = ()
    contested: tuple[Start, ...] = ()
    rival: bool = False

    @property
    def starts(self) -> int:
        return 1 + len(self.contested)

    @property
    def is_clear(self) -> bool:
        return len(self.rows) >= self.starts and not self.rival


def prepared(state: State, process: str, key: str, *, seconds: float, marked: bool) -> Start:
    """The start of `process` that is about to be sent, with `seconds` for its answer."""
    log, settle = state.log, state.run.plan.settle
    span = Span()
    if (now := log.server_time(state.t)) is not None:
        span = Span(since=now - EARLIER, until=now + seconds + settle + LATER)
    return Start(
        process=process,
        key=key,
        marked=marked,
        mark=log.marks.get(process) if marked else None,
        marked_at=log.marked_at.get(process) if marked else None,
        span=span,
        sent=state.t,
        ends=state.t + seconds + settle,
        breaks=log.breaks,
    )


def begun(state: State, start: Start, *, failure: CallFailed | None = None) -> Start:
    """The call was made, and may have started its process: as what it counts from now on.

    An answer tells that it began before the answer came, or is queued; of one without, only its time bounds it.
    """
    span, settle = start.span, state.run.plan.settle
    sent, now = state.log.server_time(start.sent), state.log.server_time(state.t)
    if start.breaks == state.log.breaks and sent is not None and now is not None:
        is_over = failure is None or failure.kind is not FailureKind.UNANSWERED
        until = now + settle + LATER if is_over else start.ends - start.sent + sent + LATER
        span = Span(since=sent - EARLIER if span.since is None else span.since, until=until)
    counted = replace(start, span=span)
    state.log.missing.setdefault(start.process, []).append(counted)
    return counted


def bounded(state: State, start: Start) -> Start:
    """The start whose call was turned away just now: where it has happened all the same, it did before."""
    sent, now = state.log.server_time(start.sent), state.log.server_time(state.t)
    if sent is None or now is None:
        return start
    since = sent - EARLIER if start.span.since is None else start.span.since
    return replace(start, span=Span(since=since, until=now + LATER))


def queued(state: State, start: Start, *, seconds: float) -> Start:
    """The start that was answered as waiting in the background: it may begin within `seconds` from now."""
    now = state.log.server_time(state.t)
    until = None if now is None else now + seconds + LATER
    later = replace(start, span=replace(start.span, until=until), ends=state.t + seconds)
    waiting = state.log.missing.get(start.process, [])
    state.log.missing[start.process] = [later if one is start else one for one in waiting]
    return later


def may_have_begun(failure: CallFailed) -> bool:
    """Whether a call that failed so may have started its process.

    Not so where it never left or was turned away (a row that may be its own is looked for at once), and where the
    service said no before it began anything: no right, no such process, a call that it cannot read.
    """
    if failure.kind in (FailureKind.NOT_SENT, FailureKind.TURNED_AWAY):
        return False
    is_no = 400 <= (failure.status or 0) < 500  # noqa: PLR2004  the caller's mistakes
    return not (failure.kind is FailureKind.REFUSED and is_no)


def has_begun_nothing(failure: CallFailed) -> bool:
    """Whether no other run need count the call as one that may have made a row: it never left, or the answer proves it.

    One that was turned away may have happened all the same: a proxy repeats a call, and hands on its second answer.
    """
    if failure.kind is FailureKind.TURNED_AWAY:
        return failure.nothing_ran
    return not may_have_begun(failure)


def never_began(state: State, key: str) -> None:
    """Somebody who has looked says that nothing of the row `key` has started a process."""
    for process, starts in state.log.missing.items():
        state.log.missing[process] = [start for start in starts if start.key != key]


def missing(state: State, process: str, *, besides: Start | None = None) -> tuple[Start, ...]:
    """The starts that lack their row, the oldest first; of all versions of the process."""
    codes = state.log.codes_of(process)
    starts = [start for code in codes for start in state.log.missing.get(code, ()) if start is not besides]
    return tuple(sorted(starts, key=lambda start: start.sent))


def since(state: State, start: Start) -> str | None:
    """Since when the log is to be read for the rows of `start`, and of those that lack theirs for longer."""
    first = next(iter(missing(state, start.process)), start)
    if first.marked:
        return first.mark
    begins = span_of(state.log, first).since
    return None if begins is None else server_time.written(begins)


def span_of(log: Log, start: Start) -> Span:
    """The time of `start`; without bounds where the server's own time is not that of its rows."""
    return Span() if log.clocks_differ else start.span


def compare_clocks(state: State, start: Start, rows: Sequence[JsonObject]) -> None:
    """Find out from `rows`, which have just been read for `start` and are not known yet, whether the server's `Date`
    and the times of its rows are of two clocks.

    What appeared since the watermark has begun before now, and not long before: where its time says otherwise, it is
    none of the clock that `Date` is of. An hour more or less is a log in local time, or a proxy that writes `Date`.
    """
    log = state.log
    first = next(iter(missing(state, start.process)), start)
    if not first.marked or log.clock is None or log.clock[1] != state.t or first.breaks != log.breaks:
        return
    is_newer = not has_grown_since(log, first)
    for row in rows:
        started = str(row.get("started"))
        began = server_time.of_record(started)
        if began is None or (first.mark is not None and started <= first.mark):
            continue
        is_old = is_newer and first.marked_at is not None and began < first.marked_at - LONG_AGO
        log.clocks_differ = log.clocks_differ or is_old or began > log.clock[0] + AHEAD


def has_grown_since(log: Log, start: Start) -> bool:
    """Whether the process has a version that was not asked for when the watermark of `start` was read."""
    family = log.families.get(start.process)
    return family is not None and family.grown_at is not None and family.grown_at >= start.sent


def why_less(log: Log, start: Start) -> str | None:
    """Why the absence of a row of `start` says less than it does where all versions of its process are known."""
    family = log.families.get(start.process)
    if family is not None and family.unread is not None:
        return family.why_unread
    if has_grown_since(log, start) and span_of(log, start).since is None:
        return f"`{start.process}` has got a new version, and the site tells no time by which its rows are told apart"
    return None


def may_be_of(log: Log, start: Start, row: JsonObject) -> bool:
    """Whether nothing says that `row` is none of `start`."""
    began = server_time.of_record(str(row.get("started")))
    span = span_of(log, start)
    if began is None:
        return True
    return (span.since is None or began >= span.since) and (span.until is None or began <= span.until)


def can_be_inferred(log: Log, start: Start, row: JsonObject, *, t: float) -> bool:
    """Whether the time of `row` speaks for `start`, which nobody answered.

    Where the server told no time, a row that is seen while the call may still be under way began in that time, too; of
    one that is seen later nobody knows.
    """
    if not may_be_of(log, start, row):
        return False
    is_timed = span_of(log, start).until is not None and server_time.of_record(str(row.get("started"))) is not None
    return is_timed or (log.breaks == start.breaks and t <= start.ends)


def assigned(state: State, row: OpenRow, start: Start, rows: Sequence[JsonObject]) -> Running[Found]:
    """Of `rows` those that may be made by the answered call `start`: they belong to it, and to earlier starts that may
    have made them, from now on. What can only be made by earlier ones is theirs.
    """
    others = missing(state, start.process, besides=start)
    own = [one for one in rows if may_be_of(state.log, start, one)]
    rest = [one for one in rows if not may_be_of(state.log, start, one)]
    yield from settle_missing(state, row.key, start.process, rest, among=others)
    others = missing(state, start.process, besides=start)
    contested = tuple(other for other in others if any(may_be_of(state.log, other, one) for one in own))
    outside = tuple(one for one in rest if one["id"] not in state.log.seen)
    if not own:
        return Found(outside=outside)
    is_whole = len(own) > len(contested)
    keys = tuple(other.key for other in (*contested, start)) if is_whole else ()
    own, rival = yield from of_no_other(state, row.key, start.process, own, keys=keys)
    contested = tuple(other for other in contested if any(may_be_of(state.log, other, one) for one in own))
    return Found(rows=tuple(own), outside=outside, contested=contested, rival=rival)


def of_no_other(
    state: State,
    key: str,
    process: str,
    rows: Sequence[JsonObject],
    *,
    keys: tuple[str, ...] | None,
    certain: bool = False,
) -> Running[tuple[list[JsonObject], bool]]:
    """The rows without those that other calls own, and whether another run may have made one of the rest.

    What is left belongs to the calls of `keys` from now on, unless another run may have made it and it is not `certain`
    by its id; with None nothing does.
    """
    ids = tuple(str(one["id"]) for one in rows)
    timed = _are_timed(state, rows)
    answer = yield from inquire(state, key, process, rows=ids, keys=keys, certain=certain, timed=timed)
    taken = answer.get("taken")
    state.log.seen.update(str(process_id) for process_id in (taken if isinstance(taken, list) else ()))
    return [one for one in rows if one["id"] not in state.log.seen], answer.get("rival") is True


def _are_timed(state: State, rows: Sequence[JsonObject]) -> bool:
    """Whether the server's own time could tell these rows apart."""
    if state.log.clocks_differ or state.log.server_time(state.t) is None:
        return False
    return all(server_time.of_record(str(row.get("started"))) is not None for row in rows)


def settle_missing(
    state: State, key: str, process: str, rows: Sequence[JsonObject], *, among: Sequence[Start]
) -> Running[None]:
    """Give `rows` to the starts `among` those that lack theirs, as far as these can have made them."""
    theirs = [
        one for one in rows if any(span_of(state.log, other).since is not None or other.marked for other in among)
    ]
    theirs = [one for one in theirs if any(may_be_of(state.log, other, one) for other in among)]
    makers = [other for other in among if any(may_be_of(state.log, other, one) for one in theirs)]
    if not theirs:
        return
    keys = tuple(maker.key for maker in makers) if len(theirs) >= len(makers) else ()
    theirs, rival = yield from of_no_other(state, key, process, theirs, keys=keys)
    if theirs and not rival:
        take(state, process, theirs, makers=makers)


def take(state: State, process: str, rows: Sequence[JsonObject], *, makers: Sequence[Start]) -> None:
    """`rows` (newest first) are those of `makers`, and no candidates again; the newest is the next watermark.

    Where there are fewer than makers nobody knows whose they are: any of them may be the one that lacks its row still.
    """
    state.log.seen.update(str(one["id"]) for one in rows)
    newest, marks = rows[0].get("started"), state.log.marks
    for code in state.log.codes_of(process):
        if isinstance(newest, str) and code in marks and ((known := marks[code]) is None or newest > known):
            marks[code] = newest
    count = min(len(rows), len(makers))
    whole = Span.around([maker.span for maker in makers])
    left = {id(maker): replace(maker, span=whole) for maker in makers[count:]}
    gone = {id(maker) for maker in makers[:count]}
    for code in state.log.codes_of(process):
        waiting = state.log.missing.get(code, [])
        state.log.missing[code] = [left.get(id(one), one) for one in waiting if id(one) not in gone]

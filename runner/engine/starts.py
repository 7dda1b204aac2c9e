"""Which call a row of the process log belongs to, and which starts of this run still lack their row.

A row belongs to a single call, and a start counts until it has its row. The server's own time distinguishes rows that
several starts may have made: the `Date` of answers bounds each call. That `Date` and `StartDate` are of the same clock
is a choice [?]: where a row proves otherwise, this run uses no server time. The host knows which rows other runs own
(`QueryPeers`).
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from runner.engine import start_bounds
from runner.engine.attempt import Attempt, not_passed
from runner.engine.effects import QueryPeers, Running
from runner.engine.perform import query_peers
from runner.engine.state import LogState, OpenRow, Start, StartTime
from runner.engine.versions import CHECK_CODE
from runner.foundation import server_time
from runner.foundation.values import Json
from runner.job.actions import Execute
from runner.job.model import Verify
from runner.runs.process_status import ENDED_BADLY
from runner.runs.status import Status
from runner.runs.store import SET_ASIDE, Others
from runner.service.calls import LogRow

AHEAD = 5.0  # seconds after the server's own time in which nothing can have begun by the same clock
LONG_AGO = 600.0
"""Seconds: a row may show late, when its call returns [S], but never this late: older rows are by another clock."""


class OtherRun(Struct, frozen=True, kw_only=True):
    """A run that may have made a row, and what to do about it. `is_lost`: only a person can say whose the row is."""

    name: str = "another run"
    advice: str = ""
    is_lost: bool = False


class OwnRows(Struct, frozen=True, kw_only=True):
    """The new rows that may be a call's, newest first."""

    rows: tuple[LogRow, ...] = ()
    outside: tuple[LogRow, ...] = ()  # rows of another time that no call has made, or failed rows
    contested: tuple[Start, ...] = ()  # earlier starts of this run that may have made them
    rival: OtherRun | None = None  # another run that may have

    @property
    def starts(self) -> int:
        return 1 + len(self.contested)

    @property
    def scarce(self) -> tuple[LogRow, ...]:
        """The rows, unless there are more than calls: then each call has its own."""
        return () if len(self.rows) > self.starts else self.rows

    @property
    def is_clear(self) -> bool:
        return len(self.rows) >= self.starts and not self.rival


def by_refused_call(row: OpenRow, process: str, rows: Sequence[LogRow], *, first: Start | None) -> str | None:
    """Which refused call, the `first` of this row or another's with a time, may have made a late row, in words."""
    log = row.log
    known = [] if log.clocks_differ else log.refused.get(process, [])
    others = [each for each in known if each.key != row.key and each.span.until is not None]
    for start in filter(None, (first, *others)):
        if late := next((found for found in rows if _may_be_late(log, start, found)), None):
            called = "it was turned away and sent again, and the first"
            which = called if start is first else f"the call of `{start.key}`, which was refused,"
            return f"{which} may have started {named(late)}"
    return None


def _may_be_late(log: LogState, start: Start, found: LogRow) -> bool:
    return may_be_of(log, start, found) and (found.began is None or found.began != span_of(log, start).until)


def missing(log: LogState, process: str, *, besides: Start | None = None) -> tuple[Start, ...]:
    """The starts that lack their row, the oldest first; of all versions of the process."""
    codes = log.codes_of(process)
    waiting = [start for code in codes for start in log.missing.get(code, ()) if start is not besides]
    return tuple(sorted(waiting, key=lambda start: start.sent) if len(waiting) > 1 else waiting)


def is_late(log: LogState, start: Start) -> bool:
    """Whether a row of `start` is late where the log shows none: it has shown rows of this process, of which no other
    start of the run lacks its own. A process that failed is not to pass as its row comes after the answer.
    """
    return start.mark is not None and not missing(log, start.process, besides=start)


def since(log: LogState, start: Start) -> str | None:
    """The time since which the log is read for the rows of `start`, and of older starts that lack theirs.

    Where some have a watermark and others a time, it is the earlier of both: the log may have another clock.
    """
    bounds = [_since(log, each) for each in (next(iter(missing(log, start.process)), start), start)]
    return None if None in bounds else min(filter(None, bounds))


def _since(log: LogState, start: Start) -> str | None:
    if start.marked:
        return start.mark
    begins = span_of(log, start).since
    return None if begins is None else server_time.odata_time(begins)


def span_of(log: LogState, start: Start) -> StartTime:
    """The time of `start`; without bounds where the server's own time is not that of its rows."""
    return StartTime() if log.clocks_differ else start.span


def compare_clocks(row: OpenRow, start: Start, rows: Sequence[LogRow]) -> None:
    """Find out whether `Date` and the times of the new `rows` are of two clocks, as with a log in local time.

    A row that came since the watermark must have begun before now, and not long before.
    """
    log = row.log
    first = next(iter(missing(log, start.process)), start)
    if not first.marked or log.clock is None or log.clock[1] != row.t or first.breaks != log.breaks:
        return
    is_newer = not has_grown_since(log, first)
    for found in rows:
        began = found.began
        if began is None or (first.mark is not None and str(found.started) <= first.mark):
            continue
        is_old = is_newer and first.marked_at is not None and began < first.marked_at - LONG_AGO
        log.clocks_differ = log.clocks_differ or is_old or began > log.clock[0] + AHEAD


def compare_clocks_by_id(log: LogState, rows: Iterable[LogRow]) -> None:
    """The same from rows of processes that a call has certainly started: they began after the call had left."""
    for found in rows:
        began, since = found.began, log.called_at.get(found.id)
        log.clocks_differ = log.clocks_differ or (began is not None and since is not None and began < since)


def has_grown_since(log: LogState, start: Start) -> bool:
    """Whether the process has a version that was not asked for when the watermark of `start` was read."""
    known = log.versions.get(start.process)
    return known is not None and known.grown_at is not None and known.grown_at >= start.sent


def weak_absence(log: LogState, start: Start) -> str | None:
    """Why the absence of a row of `start` proves less than where all versions of its process are known."""
    known = log.versions.get(start.process)
    if known is not None and known.unread is not None:
        return known.why_unread
    if has_grown_since(log, start) and span_of(log, start).since is None:
        return (
            f"`{start.process}` has got a new version, and the site gives no time by which its rows are distinguished"
        )
    return None


def why_unknown(log: LogState, process: str) -> str | None:
    """That the site lists no process of this code, where it was asked and said so."""
    known = log.versions.get(process)
    return None if known is None else known.why_unknown


def unknown_process(row: OpenRow, process: str) -> Attempt | None:
    """How a call ends that nothing shows to have happened, where the site lists no process of this code."""
    if (why := why_unknown(row.log, process)) is None:
        return None
    status = Status.UNKNOWN if row.is_once else Status.ERROR
    return not_passed("E208", f"{why}, and its process log shows no start of it", CHECK_CODE, status=status)


def may_be_of(log: LogState, start: Start, found: LogRow) -> bool:
    """Whether nothing proves that the row `found` is not of `start`."""
    began = found.began
    span = span_of(log, start)
    if began is None:
        return True
    return (span.since is None or began >= span.since) and (span.until is None or began <= span.until)


def began_by(found: LogRow, *, since: float) -> bool:
    """Whether the row `found` may have begun at `since` of the server's time, or later: at any time after it."""
    began = found.began
    return began is None or began >= since


def is_of_another_clock(row: OpenRow, start: Start, found: LogRow) -> bool:
    """Whether a new row says that it began before the call, or after now: by a clock that is not that of `Date`."""
    began, since, now = found.began, span_of(row.log, start).since, row.log.server_time(row.t)
    is_early = began is not None and since is not None and began < since
    return is_early or (began is not None and now is not None and began > now + AHEAD)


def at_another_time(rows: Sequence[LogRow]) -> str | None:
    """Name a row that is near, since the clocks of a site may differ."""
    if not rows:
        return None
    clocks = "if it is this call's, the process log and the `Date` of answers are of two clocks"
    return f"a start at another time by the server's clock: {named(rows[0])}; {clocks}"


def named(found: LogRow) -> str:
    """A row in words: its id, how it ended, and when it began."""
    return f"{found.id} ({found.status}, {found.started})"


def can_be_inferred(row: OpenRow, start: Start, found: LogRow) -> bool:
    """Whether the time of a row speaks for an unanswered start: it is in its bounds, or the call was under way."""
    log = row.log
    if not may_be_of(log, start, found):
        return False
    is_timed = span_of(log, start).since is not None and found.began is not None
    return is_timed or (log.breaks == start.breaks and row.t <= start.ends)


def assigned(row: OpenRow, start: Start, rows: Sequence[LogRow], *, late: bool = False) -> Running[OwnRows]:
    """The `rows` that the answered call `start` may have made, given to it and to earlier ones; `late`: not at once."""
    log = row.log
    own = [found for found in rows if may_be_of(log, start, found)]
    rest = [found for found in rows if not may_be_of(log, start, found)]
    given = yield from settle_missing(row, start.process, rest, among=missing(log, start.process, besides=start))
    others = missing(log, start.process, besides=start)
    contested = tuple(other for other in others if any(may_be_of(log, other, found) for found in own))
    outside = tuple(
        found for found in rest if found.id not in log.seen or (found in given and found.status in ENDED_BADLY)
    )
    if not own:
        return OwnRows(outside=outside)
    is_whole = len(own) > len(contested)
    keys = tuple(other.key for other in (*contested, start)) if is_whole else ()
    own, rival = yield from not_of_others(row, start.process, own, keys=keys, late=late)
    contested = tuple(other for other in contested if any(may_be_of(log, other, found) for found in own))
    return OwnRows(rows=tuple(own), outside=outside, contested=contested, rival=rival)


def not_of_others(
    row: OpenRow,
    process: str,
    rows: Sequence[LogRow],
    *,
    keys: tuple[str, ...] | None,
    certain: bool = False,
    late: bool = False,
) -> Running[tuple[list[LogRow], OtherRun | None]]:
    """The rows that no other call owns, and a rival of some; without a rival the calls of `keys` own them now.

    Refused calls of other runs are rivals where no answer came, or rows come late: of those the log showed none before.
    """
    log, codes = row.log, row.log.codes_of(process)
    has_time = not log.clocks_differ and log.server_time(row.t) is not None
    if (late and has_time) or row.unanswered or row.turned_away is not None:
        codes = (*codes, *(f"{SET_ASIDE}{code}" for code in codes))
    before, before_read = _before(log, process, row.t) if has_time and not (certain or log.slack) else ((), 0.0)
    own = [start for start in (row.start, row.sought) if start is not None]
    query = QueryPeers(
        key=row.key,
        rows=tuple(found.id for found in rows),
        keys=keys,
        certain=certain,
        codes=codes,
        timed=has_time and all(found.began is not None for found in rows),
        slack=max([start.slack for start in (*own, *missing(log, process))], default=0.0),
        before=before,
        before_read=before_read,
    )
    others = yield from query_peers(row.state, query)
    log.seen.update(set(others.taken).difference(others.of_nobody))
    return [found for found in rows if found.id not in log.seen and found.id not in others.taken], _rival(row, others)


def _rival(row: OpenRow, others: Others) -> OtherRun | None:
    """The run that may have made a row. An unsettled call of that time counts until somebody settles it."""
    by, lost = others.by, others.lost
    if by is not None:
        step = f", step `{by.key}`" if by.key else ""
        folder, where = (f", in {by.folder}", " there") if by.folder is not None else ("", "")
        name = f"another run ({by.run}{step}, begun at {by.began}{folder})"
        if not row.is_once and row.step.verify is Verify.AUTO and isinstance(row.step.action, Execute):
            return OtherRun(
                name=name, advice="; with `verify: log` executes of a process take turns, and each finds its own row"
            )
        return OtherRun(
            name=name,
            advice=f"; if `runner show {by.run}`{where} prints a command, settle that run first; "
            "else compare this row on the site with both calls; "
            f"calls that begin after {by.until} do not depend on it",
        )
    if lost is not None:
        advice = (
            f"; {lost.file} was deleted or replaced, so that it is not known what other folders started before "
            f"{lost.since}; compare the row with the call on the site: its time and its parameters"
        )
        return OtherRun(name="a run of another folder", advice=advice, is_lost=True)
    return OtherRun() if others.rival else None


def _before(log: LogState, process: str, t: float) -> tuple[tuple[tuple[str, float], ...], float]:
    """`before` and `before_read` of a query. Waits and breaks are no active time; `Date` has whole seconds."""
    now, marked = log.server_time(t), log.marked_at.get(process)
    read, rows = log.before.get(process, (t, ()))
    assert now is not None
    ages = tuple([(row.id, max(0.0, now - row.began)) for row in rows if row.owner == log.owner is not None])
    return ages, max(t - read, 0.0 if marked is None else now - marked - start_bounds.EARLIER)


def settle_missing(
    row: OpenRow, process: str, rows: Sequence[LogRow], *, among: Sequence[Start]
) -> Running[Sequence[LogRow]]:
    """Give `rows` to the starts `among` those that lack theirs, as far as these can have made them: those given."""
    log = row.log
    if not any(span_of(log, other).since is not None or other.marked for other in among):
        return ()
    theirs = [found for found in rows if any(may_be_of(log, other, found) for other in among)]
    makers = [other for other in among if any(may_be_of(log, other, found) for found in theirs)]
    if not theirs:
        return ()
    keys = tuple(maker.key for maker in makers) if len(theirs) >= len(makers) else ()
    theirs, rival = yield from not_of_others(row, process, theirs, keys=keys)
    if rival or not theirs:
        return ()
    take(row, process, theirs, makers=makers)
    return theirs


def take(row: OpenRow, process: str, rows: Sequence[LogRow], *, makers: Sequence[Start]) -> None:
    """Give `rows` (newest first) to `makers`; the newest is the next watermark.

    With fewer rows than makers any of them may still lack its row. Steps in doubt are settled when they are judged.
    """
    log = row.log
    if len(rows) == len(makers):
        doubtful = {found.row.key for found in row.state.run.doubts}
        log.given.update({maker.key: tuple(rows) for maker in makers if maker.key in doubtful})
    log.seen.update(found.id for found in rows)
    move_watermark(log, process, rows[0].started)
    whole = StartTime.around([maker.span for maker in makers])
    left = {id(maker): replace(maker, span=whole) for maker in makers[len(rows) :]}
    gone = {id(maker) for maker in makers[: len(rows)]}
    for code in log.codes_of(process):
        waiting = log.missing.get(code, [])
        log.missing[code] = [left.get(id(start), start) for start in waiting if id(start) not in gone]


def move_watermark(log: LogState, process: str, newest: Json) -> None:
    """Make the `newest` row of a known call the next watermark, by its time as the server wrote it."""
    for code in log.codes_of(process):
        if isinstance(newest, str) and code in log.marks and ((known := log.marks[code]) is None or newest > known):
            log.marks[code] = newest

"""The time in which a start may have begun its process, by the server's own time: the `Date` of its answers.

`runner.engine.starts` knows whose the rows are.
"""

import math

from msgspec.structs import replace

from runner.engine.effects import QueryPeers, Running, SendDelay
from runner.engine.perform import query_peers
from runner.engine.state import LogState, OpenRow, Start, StartTime
from runner.job.actions import Execute, Run
from runner.runs.refused_starts import RefusedStart
from runner.service.calls import CallFailed, FailureKind, LogRow

EARLIER = 1.0  # seconds before a call from which a row may be its own: clocks of a site differ a little
LATER = 2.0  # seconds after its time: `Date` counts whole seconds, and some servers write it once a second


def prepared(row: OpenRow, process: str, *, seconds: float, marked: bool) -> Start:
    log, settle = row.log, row.state.run.plan.times.settle
    span = StartTime()
    if (now := log.server_time(row.t)) is not None:
        span = StartTime(since=now - EARLIER, until=now + seconds + settle + LATER)
    return Start(
        process=process,
        key=row.key,
        marked=marked,
        mark=log.marks.get(process) if marked else None,
        marked_at=log.marked_at.get(process) if marked else None,
        span=span,
        sent=row.t,
        ends=row.t + seconds + settle,
        breaks=log.breaks,
        slack=log.slack,
    )


def earlier_start(row: OpenRow, found: RefusedStart) -> Start:
    """A start of another run, to be searched for now."""
    span, began = StartTime(), None
    if found.at is not None:
        began = found.at - found.seconds
        span = StartTime(since=began - EARLIER, until=found.at + LATER)
    return Start(
        process=found.process,
        key=row.key,
        marked=found.marked,
        mark=found.mark,
        marked_at=began,
        span=span,
        sent=row.t,
        ends=row.t,
        breaks=row.log.breaks,
    )


def left(start: Start, delay: SendDelay | None) -> Start:
    """The start as it left: where that was later than it was made ready, nothing that began before is its own."""
    if delay is None:
        return start
    span, late = start.span, delay.seconds
    since, until = (None if bound is None else bound + late for bound in (span.since, span.until))
    ends = delay.t + start.ends - start.sent
    return replace(start, span=StartTime(since=since, until=until), sent=delay.t, ends=ends)


def begun(row: OpenRow, start: Start, *, failure: CallFailed | None = None) -> Start:
    """The call was sent, and may have started its process: what it counts as from now on.

    A result proves that it began before the answer; without a result it may wait in the background for any time.
    """
    log = row.log
    span = start.span
    sent, now = log.server_time(start.sent), log.server_time(row.t)
    if start.breaks == log.breaks and sent is not None and now is not None:
        is_over = failure is None or failure.kind is not FailureKind.UNANSWERED
        until = now + row.state.run.plan.times.settle if is_over else start.ends - start.sent + sent
        may_wait = failure is None and _may_wait(row)
        span = StartTime(since=_since(span, sent), until=None if may_wait else until + LATER)
    answered = now if failure is None else None
    return counted(log, replace(start, span=span, answered=answered, is_resumed=start.breaks != log.breaks))


def began_after_answer(start: Start, found: LogRow) -> bool:
    """Whether a row began after the answer to its call, so that it may be that of another."""
    return start.answered is not None and found.began is not None and found.began > start.answered + LATER


def _may_wait(row: OpenRow) -> bool:
    """Whether the process of an answered call may wait in the background: it gave neither a result nor its id."""
    action = row.step.action
    return not isinstance(action, Run) and (not isinstance(action, Execute) or action.result is None)


def still_waits(row: OpenRow) -> Running[None]:
    """Let other runs know that the last call of the row, which was answered, has shown no row so far."""
    if _may_wait(row):
        yield from query_peers(row.state, QueryPeers(key=row.key, codes=(), still_waits=True))


def counted(log: LogState, start: Start) -> Start:
    """The start, which from now on lacks its row."""
    log.missing.setdefault(start.process, []).append(start)
    return start


def bounded(row: OpenRow, start: Start) -> Start:
    """The start whose call was turned away just now: if it happened, it did so before now."""
    sent, now = row.log.server_time(start.sent), row.log.server_time(row.t)
    if sent is None or now is None:
        return start
    return replace(start, span=StartTime(since=_since(start.span, sent), until=now + LATER))


def with_first(row: OpenRow, start: Start) -> Start:
    """The start with the time of the call that was turned away and made again as it: a row may be of either."""
    first = row.first
    return start if first is None else replace(start, span=replace(start.span, since=first.span.since))


def _since(span: StartTime, sent: float) -> float:
    return sent - EARLIER if span.since is None else span.since


def queued(log: LogState, start: Start) -> Start:
    """The start that was answered as waiting in the background: nobody knows when it begins."""
    later = replace(start, span=replace(start.span, until=None), ends=math.inf)
    log.missing[start.process] = [later if other is start else other for other in log.missing[start.process]]
    return later


def may_have_begun(failure: CallFailed) -> bool:
    """Whether a failed call may have started its process: not if it never left, or was surely refused.

    A call that was turned away is none here, as its row is searched for at once.
    """
    return failure.kind is FailureKind.UNANSWERED or (failure.kind is FailureKind.REFUSED and failure.unproved)


def has_begun_nothing(failure: CallFailed) -> bool:
    """Whether other runs may ignore the call: it never left, or the service surely refused it.

    A call that was turned away may have happened: a proxy may repeat it.
    """
    return failure.kind is not FailureKind.TURNED_AWAY and not may_have_begun(failure)


def set_aside(row: OpenRow, start: Start) -> Running[None]:
    """The log shows no start of a refused call, which may be made again: only a row that comes late may be its own."""
    row.first = start
    row.log.refused.setdefault(start.process, []).append(start)
    yield from nothing_began(row)


def nothing_began(row: OpenRow) -> Running[None]:
    """Let other runs know that the log shows no start of the last call of the row, which was refused."""
    yield from query_peers(row.state, QueryPeers(key=row.key, codes=(), nothing_began=True))


def never_began(log: LogState, key: str) -> None:
    """A person who has checked says that nothing of the row `key` has started a process."""
    log.given.pop(key, None)
    for process, waiting in log.missing.items():
        log.missing[process] = [start for start in waiting if start.key != key]

"""Starts of an earlier run that this run repeats: a refused call may have started its process all the same."""

from runner.engine import doubt, process_log, readings, start_bounds, starts
from runner.engine.attempt import Attempt, in_doubt
from runner.engine.effects import QueryPeers, Running
from runner.engine.perform import pause, query_peers
from runner.engine.readings import Unread
from runner.engine.state import OpenRow, Start
from runner.foundation import server_time
from runner.runs.events import Trouble
from runner.runs.evidence import PauseReason
from runner.runs.refused_starts import RefusedStart
from runner.service.calls import LogRow, ReadRows


def began_in_earlier_run(row: OpenRow, process: str) -> Running[Attempt | None]:
    """How the attempt ends where an earlier run's refused start may have happened; None where the log shows none."""
    before = row.state.run.refused.pop(row.key, None)
    if before is None or before.process != process:
        return None
    sent_by = f"run {before.run} made the call, which was refused{f' with {before.status}' if before.status else ''}"
    start = start_bounds.earlier_start(row, before)
    rows = yield from _rows_of_nobody(row, start)
    if rows == [] and (seconds := _until_settled(row, before)) > 0:
        yield from pause(row, seconds, why=PauseReason.SETTLE)
        rows = yield from _rows_of_nobody(row, start)
    if isinstance(rows, Unread):
        why = f"{sent_by}; whether it started the process is not known: {rows.failure.trouble.message}"
        row.warnings = (*row.warnings, why)
        return None
    if not rows:
        return None
    row.in_doubt = True
    row.shown = tuple(each.id for each in rows)
    why = f"the process log shows a start that may be it: {starts.named(rows[0])}; so it was not made again"
    return in_doubt(Trouble(code="E401", message=sent_by), why=why, by_log=False)


def _until_settled(row: OpenRow, before: RefusedStart) -> float:
    """Seconds until the row of a short process has come: a row may appear when the process ends [S]."""
    now, settle = row.log.server_time(row.t), row.state.run.plan.times.settle
    is_fault = before.status is not None and before.status // 100 in (2, 5)
    return 0.0 if is_fault or before.at is None or now is None else min(settle, before.at + settle - now)


def _rows_of_nobody(row: OpenRow, start: Start) -> Running[list[LogRow] | Unread]:
    """The rows that may be made by a `start` of an earlier run, and belong to no call."""
    log, since = row.log, start.span.since
    if not start.marked and since is None:
        return Unread(doubt.UNBOUNDED)
    if log.owner_due <= row.t:
        yield from readings.ask_owner(row)
    mark = start.mark if start.marked or since is None else server_time.written(since)
    rows = yield from process_log.all_rows(row, ReadRows(process=start.process, since=mark), since=since)
    if isinstance(rows, Unread):
        return rows
    own, owner = log.seen - log.there.get(start.process, frozenset()), log.owner_of(start)
    found = {
        each.id: each
        for each in rows
        if each.id not in own and each.parent is None and starts.may_be_of(log, start, each)
        if owner is None or each.owner in (None, owner)
    }
    codes = log.codes_of(start.process)
    others = yield from query_peers(row.state, QueryPeers(key=row.key, rows=tuple(found), codes=codes))
    return [each for key, each in found.items() if key not in others.taken]

"""Versions go into the queue of a fleet, ledger, run and item in a transaction; and where their runs are by now.

An outdated version that has not begun is taken back; if it has begun, the next version waits for its end.
Of open and doubtful runs all rows are read at once, events only of doubtful runs.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runner.fleet import queue
from runner.fleet.database import FleetConnection
from runner.fleet.queue import NewRun
from runner.fleet.store import FleetStore
from runner.foundation.problems import ExitCode
from runner.ledger.database import FleetLedger, moment
from runner.ledger.model import AppliedVersion, AttemptEnd, LedgerEntry, VersionClaim
from runner.ledger.observing import ObservedEntry, Whereabouts, may_have_changed, no_call_left
from runner.runs.events import Line, RunStarted, RunStatus
from runner.runs.journal import parse_line
from runner.runs.stored_runs import RunName, StoredRun, load_if_readable

LATER: Final = "a later version of the job was applied before this began"
GONE: Final = "the job was gone before this began"

_REPLACED: Final = """
select a.run::text
from unnest(%(digests)s::text[], %(titles)s::text[], %(keys)s::text[]) m (digest, title, key)
join ledger v on v.fleet = %(fleet)s and v.title = m.title and v.key is not distinct from m.key
join attempts a on a.fleet = v.fleet and a.digest = v.digest and a.status is null
where v.digest <> all (%(digests)s::text[])
"""
_LAST: Final = """
select digest, (array_agg(run::text order by n desc))[1], (array_agg(status order by n desc))[1] from attempts
where fleet = %(fleet)s and digest = any (%(digests)s::text[]) group by digest
"""
_OLDER: Final = """
select m.digest, a.run::text
from (
  select w.digest, w.title, max(b.n) as n from ledger w
  join attempts b on b.fleet = w.fleet and b.digest = w.digest
  where w.fleet = %(fleet)s and w.digest = any (%(digests)s::text[]) group by w.digest, w.title
) m
join ledger v on v.fleet = %(fleet)s and v.title = m.title and v.digest <> m.digest
join attempts a on a.fleet = v.fleet and a.digest = v.digest and a.n < m.n
  and (a.status is null or a.status = 'unknown')
join runs r on r.id = a.run and not lets_begin(r, true)
"""
_FOLLOW: Final = """
update needs n set needed = m.run
from unnest(%(runs)s::uuid[], %(titles)s::text[], %(keys)s::text[]) m (run, title, key)
join ledger v on v.fleet = %(fleet)s and v.title = m.title and v.key is not distinct from m.key
join attempts a on a.fleet = v.fleet and a.digest = v.digest and a.run <> m.run
where n.needed = a.run and not n.after and exists (select from runs w where w.id = n.run and w.state = 'waiting')
"""


_MET: Final = """
with met as (
  delete from needs n
  using unnest(%(titles)s::text[], %(keys)s::text[]) m (title, key)
  join ledger v on v.fleet = %(fleet)s and v.title = m.title and v.key is not distinct from m.key
  join attempts a on a.fleet = v.fleet and a.digest = v.digest
  where n.needed = a.run and not n.after and exists (select from runs w where w.id = n.run and w.state = 'waiting')
  returning n.run
)
select distinct run::text from met
"""


class QueuedVersion(Struct, frozen=True, kw_only=True):
    """A version to carry out, and the text of its `plan`. `needs` are digests of versions that must have passed."""

    claim: VersionClaim
    plan: str
    lock: str | None
    needs: frozenset[str]


def queue_versions(
    ledger: FleetLedger,
    fresh: Sequence[QueuedVersion],
    *,
    current: Sequence[AppliedVersion],
    waiting: Mapping[str, frozenset[str]],
    passing: Collection[str],
) -> frozenset[str]:
    """Queue new versions within `ledger.alone()`; gives the digests of those that were.

    `current` are all versions of the files. `waiting` has what waiting runs need by now; runs of `passing` may be open.
    """
    withdraw(ledger, replaced_runs(ledger, current), note=LATER)
    with ledger.alone() as connection, ledger.begin([each.claim for each in fresh], passing=passing) as ours:
        chosen = {each.claim.version.digest: each for each in fresh if each.claim.version.digest in ours}
        needs = {digest: each.needs for digest, each in chosen.items()} | dict(waiting)
        last = _last_runs(connection, ledger, {*waiting, *(each for needed in needs.values() for each in needed)})
        older = _older_runs(connection, ledger, needs)
        needed = {digest: _open(found, last) for digest, found in needs.items()}
        queue.put_runs(
            connection,
            [_new_run(each, ledger.fleet, needed[digest], older.get(digest, ())) for digest, each in chosen.items()],
        )
        _follow(connection, ledger, [each.claim for each in chosen.values()])
        known = {str(last[digest][0]): (needed[digest], older.get(digest, ())) for digest in waiting if digest in last}
        queue.let_wait(connection, known)
    return ours


def replaced_runs(ledger: FleetLedger, current: Sequence[AppliedVersion]) -> list[str]:
    """The open runs of versions that the files do not hold any more."""
    values = {"fleet": ledger.fleet, "digests": [version.digest for version in current], **_titles(current)}
    with ledger.alone() as connection:
        return [run for (run,) in connection.execute(_REPLACED, values)]


def withdraw(ledger: FleetLedger, runs: Iterable[str], *, note: str) -> list[str]:
    """Cancel those of the runs that have not begun, and forget their attempts; those runs."""
    with ledger.alone() as connection:
        cancelled = queue.cancel_runs(connection, runs, note=note)
        ledger.release(*cancelled)
    return cancelled


def queue_unblocked(ledger: FleetLedger, adopted: Sequence[AppliedVersion]) -> list[str]:
    """Queue what waited for these versions, or others of their titles and keys, within `ledger.alone()`."""
    values = {"fleet": ledger.fleet, **_titles(adopted)}
    with ledger.alone() as connection:
        waited = [run for (run,) in connection.execute(_MET, values)]
        return queue.queue_ready(connection, waited)


def _titles(versions: Sequence[AppliedVersion]) -> dict[str, list[str] | list[str | None]]:
    return {"titles": [version.title for version in versions], "keys": [version.key for version in versions]}


def _new_run(version: QueuedVersion, fleet: str, needs: tuple[str, ...], after: tuple[str, ...]) -> NewRun:
    about, attempt = version.claim.version, version.claim.attempt
    assert attempt.run is not None
    return NewRun(
        id=attempt.run,
        title=about.title,
        job=about.job,
        target=about.target,
        plan=version.plan,
        fleet=fleet,
        lock=version.lock,
        commit=attempt.commit,
        needs=needs,
        after=after,
    )


def _last_runs(
    connection: FleetConnection, ledger: FleetLedger, digests: Collection[str]
) -> dict[str, tuple[str | None, str | None]]:
    """The run of the last attempt at each version, and how it ended."""
    found = connection.execute(_LAST, {"fleet": ledger.fleet, "digests": [*digests]})
    return {digest: (run, status) for digest, run, status in found}


def _open(needed: Iterable[str], last: Mapping[str, tuple[str | None, str | None]]) -> tuple[str, ...]:
    found = (last[digest] for digest in needed if digest in last)
    return tuple(run for run, status in found if run is not None and status != "passed")


def _older_runs(connection: FleetConnection, ledger: FleetLedger, digests: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The runs of older versions that have to end or be settled first, by version."""
    found: dict[str, tuple[str, ...]] = {}
    for digest, run in connection.execute(_OLDER, {"fleet": ledger.fleet, "digests": [*digests]}):
        found[digest] = (*found.get(digest, ()), run)
    return found


def _follow(connection: FleetConnection, ledger: FleetLedger, claims: Sequence[VersionClaim]) -> None:
    values = {
        "fleet": ledger.fleet,
        "runs": [claim.attempt.run for claim in claims],
        **_titles([claim.version for claim in claims]),
    }
    connection.execute(_FOLLOW, values)


_ROWS: Final = """
select id::text as id, state, seq as lines, coalesce(note, '') as note, status, exit_code, updated_at from runs
where id = any (%(runs)s::uuid[])
"""
_CALLS: Final = """
select run::text, line from events
where run = any (%(runs)s::uuid[]) and kind in ('call.sent', 'attempt.failed') order by run, seq
"""
_MAY_NOT_HAVE_BEGUN: Final = frozenset({RunStatus.CANCELLED, RunStatus.REFUSED})
"""Ends whose cause is in the row of the run."""


class FleetRow(Struct, frozen=True, kw_only=True):
    """A run as its row has it. Of a run that has begun `lines` are stored."""

    id: str
    state: str
    lines: int
    note: str
    status: str | None
    exit_code: int | None
    updated_at: datetime

    @property
    def end(self) -> AttemptEnd:
        """The end of a run; the ledger has it from the same transaction."""
        status = RunStatus(self.status or self.state)
        code = ExitCode.REFUSED if status is RunStatus.REFUSED else ExitCode.NO_ANSWER
        code = code if self.exit_code is None else ExitCode(self.exit_code)
        return AttemptEnd(status=status, exit_code=code, at=moment(self.updated_at))


class ObservedFleet:
    """The runs of a fleet, for its ledger: a `runner.ledger.observing.RunObserver`."""

    def __init__(self, store: FleetStore) -> None:
        self._store = store

    def observe(self, entries: Sequence[LedgerEntry]) -> list[ObservedEntry]:
        open_runs = {entry.last.run for entry in entries if _is_read(entry)}
        rows = self._rows([str(run) for run in open_runs])
        errors = [run for run, row in rows.items() if row.state == "ended" and row.status == RunStatus.ERROR]
        sent_nothing = self._sent_nothing(errors)
        found = (self._observed(entry, rows, sent_nothing) for entry in entries)
        return [replace(each, store=self._store.name) for each in found]

    def strays(
        self, names: Collection[RunName], *, known: Collection[str], is_own: Callable[[RunName, RunStarted], bool]
    ) -> Mapping[RunName, StoredRun]:
        """None: ledger and runs are in the same database, and are written together."""
        del names, known, is_own
        return {}

    def _observed(
        self, entry: LedgerEntry, rows: Mapping[str, FleetRow], sent_nothing: Collection[str]
    ) -> ObservedEntry:
        run = entry.last.run
        if run is None or not _is_read(entry):
            return ObservedEntry(entry=entry)
        row = rows.get(run)
        if row is None:
            return ObservedEntry(entry=entry, where=Whereabouts.LOST if entry.last.end is None else Whereabouts.ENDED)
        where = Whereabouts.SENT_NOTHING if run in sent_nothing else _where(row)
        if entry.last.end is None and where in (Whereabouts.ENDED, Whereabouts.SENT_NOTHING):  # since it was read
            entry = replace(entry, last=replace(entry.last, end=row.end))
        is_in_doubt = where is Whereabouts.HELD or (where is Whereabouts.ENDED and row.status == RunStatus.UNKNOWN)
        return ObservedEntry(
            entry=entry,
            where=where,
            run=load_if_readable(self._store, run) if is_in_doubt else None,
            note=row.note,
            is_unbegun=where is Whereabouts.ENDED and not row.lines,
        )

    def _rows(self, runs: Sequence[str]) -> dict[str, FleetRow]:
        found = self._store.link.records(FleetRow, _ROWS, {"runs": [*runs]}) if runs else []
        return {row.id: row for row in found}

    def _sent_nothing(self, runs: Sequence[str]) -> frozenset[str]:
        """The runs that have sent no call."""
        lines: dict[str, list[Line]] = {run: [] for run in runs}
        for run, written in self._store.link.run(_CALLS, {"runs": [*runs]}) if runs else ():
            if (line := parse_line(written.encode())) is not None:
                lines[run].append(line)
        return frozenset(run for run, found in lines.items() if no_call_left(found))


def _is_read(entry: LedgerEntry) -> bool:
    """Whether the row of the run says more than the ledger."""
    end = entry.last.end
    return may_have_changed(entry) or (end is not None and end.status in _MAY_NOT_HAVE_BEGUN)


def _where(row: FleetRow) -> Whereabouts:
    match row.state:
        case "waiting":
            return Whereabouts.WAITING
        case "queued" | "parked" if not row.lines:
            return Whereabouts.QUEUED
        case "queued" | "parked" | "running":
            return Whereabouts.UNDER_WAY
        case "held":
            return Whereabouts.HELD
        case _:
            return Whereabouts.ENDED

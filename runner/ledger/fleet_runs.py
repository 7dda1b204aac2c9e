"""Where the open and doubtful runs of a ledger are in a fleet: all rows at once, events only of doubtful runs."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runner.fleet.store import FleetStore
from runner.foundation.problems import ExitCode
from runner.ledger.database import moment
from runner.ledger.model import AttemptEnd, LedgerEntry
from runner.ledger.observing import ObservedEntry, Whereabouts, may_have_changed, no_call_left
from runner.runs.events import Line, RunStarted, RunStatus
from runner.runs.journal import parse_line
from runner.runs.stored_runs import RunName, StoredRun, readable

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
        return [self._observed(entry, rows, sent_nothing) for entry in entries]

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
            run=readable(self._store, run) if is_in_doubt else None,
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

"""Reruns of applied runs: each is one more attempt at the version that the run was of.

`rerun` knows no ledger, and needs none: that it carries out a run once more is in its first event.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from runner.ledger.model import AttemptEnd, LedgerEntry, VersionAttempt
from runner.runs.events import RunStarted
from runner.runs.store import RunStore
from runner.runs.stored_runs import StoredRun, end_lines, readable


class Reruns:
    """The reruns in a store. Of a version that has passed nobody asks: it stays applied."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._first: dict[str, RunStarted] = {}

    def followed(self, entries: Iterable[LedgerEntry], stored: Iterable[str]) -> dict[str, tuple[VersionAttempt, ...]]:
        """The attempts after those that the ledger knows, by digest. `stored` are the ids of all stored runs."""
        runs = {entry.version.digest: entry.last.run for entry in entries if not entry.has_passed}
        known = [run for run in runs.values() if run is not None]
        if not known:
            return {}
        first = min(known)
        origins = {run: began for run in stored if run > first and (began := self._began(run)) is not None}
        return {
            digest: attempts
            for digest, run in runs.items()
            if run is not None and (attempts := self._attempts(run, origins))
        }

    def _began(self, run: str) -> RunStarted | None:
        """The first event of a run, if it is a rerun."""
        if run not in self._first:
            lines = end_lines(self._store, run)
            if not lines or not isinstance(lines[0].event, RunStarted):
                return None
            self._first[run] = lines[0].event
        event = self._first[run]
        return event if isinstance(event.rerun_of, str) else None

    def _attempts(self, run: str, origins: Mapping[str, RunStarted]) -> tuple[VersionAttempt, ...]:
        """All reruns of `run`, and of these, in their order. The end of the last is left out: it may be under way."""
        family = {run}
        found: list[str] = []
        for later in sorted(origins):
            if origins[later].rerun_of in family:
                family.add(later)
                found.append(later)
        return tuple(
            VersionAttempt(
                run=each,
                began_at=origins[each].started_at,
                place=str(Path(self._store.place(each)).absolute()),
                commit=origins[each].commit,
                end=None if each == found[-1] else self._end(each),
            )
            for each in found
        )

    def _end(self, run: str) -> AttemptEnd | None:
        found = readable(self._store, run)
        return None if found is None else end_of(found)


def end_of(run: StoredRun) -> AttemptEnd:
    return AttemptEnd(status=run.result.status, exit_code=run.result.exit_code, at=run.lines[-1].at)

"""Where an attempt is that has no end in the ledger yet, or whose outcome is in doubt: what the stored runs say of it.

Whoever carried it out may have been killed before it wrote the end down, and a person may have settled it since.
"""

from collections.abc import Collection
from enum import Enum, auto

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.problems import UsageError
from runner.ledger.model import AttemptEnd, LedgerEntry
from runner.runs.events import RunStatus
from runner.runs.store import RunStore
from runner.runs.stored_runs import StoredRun, load


class Whereabouts(Enum):
    """`LOST`: nobody can say any more what the run did. `NEVER_BEGAN`: nothing of it was sent."""

    ENDED = auto()
    UNDER_WAY = auto()
    BROKE_OFF = auto()
    NEVER_BEGAN = auto()
    LOST = auto()


class ObservedEntry(Struct, frozen=True, kw_only=True):
    """An entry as it is by now: its last attempt has an end where its run has. `run` is the stored run, if it was
    needed and is there. `has_changed`: the ledger does not have that end yet.
    """

    entry: LedgerEntry
    where: Whereabouts = Whereabouts.ENDED
    run: StoredRun | None = None
    has_changed: bool = False


def observed(entry: LedgerEntry, store: RunStore, *, stored: Collection[str]) -> ObservedEntry:
    """`stored` are the ids of all stored runs."""
    last, end = entry.last, entry.last.end
    if last.run is None or (end is not None and end.status is not RunStatus.UNKNOWN):
        return ObservedEntry(entry=entry)
    if last.run not in stored:
        return ObservedEntry(entry=entry, where=Whereabouts.ENDED if end else Whereabouts.LOST)
    try:
        run = load(store, last.run)
    except UsageError:
        return ObservedEntry(entry=entry, where=Whereabouts.ENDED if end else Whereabouts.LOST)
    return _by_its_run(entry, run)


def _by_its_run(entry: LedgerEntry, run: StoredRun) -> ObservedEntry:
    if run.is_running:
        return ObservedEntry(entry=entry, where=Whereabouts.UNDER_WAY, run=run)
    if run.flaw is not None:
        return ObservedEntry(entry=entry, where=Whereabouts.LOST, run=run)
    if not run.lines:
        return ObservedEntry(entry=entry, where=Whereabouts.NEVER_BEGAN, run=run)
    if not run.result.finished:
        return ObservedEntry(entry=entry, where=Whereabouts.BROKE_OFF, run=run)
    end = end_of(run)
    has_changed = entry.last.end is None or entry.last.end.status is not end.status
    entry = replace(entry, last=replace(entry.last, end=end))
    return ObservedEntry(entry=entry, run=run, has_changed=has_changed)


def end_of(run: StoredRun) -> AttemptEnd:
    """The end of a run that has ended."""
    return AttemptEnd(status=run.result.status, exit_code=run.result.exit_code, at=run.lines[-1].at)

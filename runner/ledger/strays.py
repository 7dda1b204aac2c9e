"""Runs under way that a ledger does not know, since it was lost meanwhile: their versions must not begin once more."""

from collections.abc import Collection

from runner.foundation.problems import UsageError
from runner.runs.events import RunFinished, RunStarted
from runner.runs.store import RunStore
from runner.runs.stored_runs import RunName, StoredRun, end_lines, load


def stray_runs(store: RunStore, names: Collection[RunName], *, known: Collection[str]) -> dict[RunName, StoredRun]:
    """The newest run of each name that has not ended, and is not known. Of each run only the ends are read."""
    found: dict[RunName, StoredRun] = {}
    for run in reversed(store.runs() if names else []):
        events = [line.event for line in end_lines(store, run)]
        first = events[0] if events else None
        if run in known or not isinstance(first, RunStarted) or isinstance(events[-1], RunFinished):
            continue
        name = first.job, first.case, first.target.name
        if name in names and name not in found:
            try:
                found[name] = load(store, run)
            except UsageError:
                continue
    return found

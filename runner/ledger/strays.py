"""Runs under way that a ledger does not know, since it was lost while they were carried out: a version that such a run
is of must not begin a second time.
"""

from collections.abc import Collection

from runner.foundation.problems import UsageError
from runner.runs.events import Event, RunFinished, RunStarted
from runner.runs.journal import parse_line
from runner.runs.store import RunStore, StoreError
from runner.runs.stored_runs import RunName, StoredRun, load


def stray_runs(store: RunStore, names: Collection[RunName], *, known: Collection[str]) -> dict[RunName, StoredRun]:
    """The newest run of each name that has not ended, and is not known. Of each run only the ends are read."""
    found: dict[RunName, StoredRun] = {}
    for run in reversed(store.runs() if names else []):
        first, last = _ends(store, run)
        if run in known or not isinstance(first, RunStarted) or isinstance(last, RunFinished):
            continue
        name = first.job, first.case, first.target.name
        if name in names and name not in found:
            try:
                found[name] = load(store, run)
            except UsageError:
                continue
    return found


def _ends(store: RunStore, run: str) -> tuple[Event | None, Event | None]:
    try:
        lines = [parse_line(line) for line in store.ends(run)]
    except StoreError:
        return None, None
    events = [line.event for line in lines if line is not None]
    return (events[0], events[-1]) if events else (None, None)

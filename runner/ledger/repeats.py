"""What a version that did not pass starts a second time when it is carried out again: what its last run says of it."""

from runner.foundation.problems import UsageError
from runner.ledger.decisions import NOT_REPEATED, Decision, VersionState
from runner.ledger.observing import Whereabouts
from runner.reports.run_again import repeated_keys
from runner.reports.spans import timed
from runner.runs.store import RunStore, StoreError
from runner.runs.stored_runs import load


def repeated_steps(decision: Decision, store: RunStore) -> tuple[str, ...]:
    """The keys of the steps that must happen only once, and that the last run has started; of a run that is not stored
    any more, or cannot be read, nothing is known.
    """
    known = decision.known
    if known is None or known.where is not Whereabouts.ENDED or known.entry.last.run is None:
        return ()
    if decision.state not in {*NOT_REPEATED, VersionState.AGAIN}:
        return ()
    try:
        run = known.run or load(store, known.entry.last.run)
    except (UsageError, StoreError):
        return ()
    return repeated_keys(timed(run.lines, number=1, result=run.result))

"""What a version starts a second time, by all runs of its title that did not pass."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from msgspec import Struct

from runner.foundation.sentences import first_few
from runner.job.actions import Execute, IncludedJob, Run, Signal
from runner.job.model import Job, StepEffect
from runner.ledger.decisions import NOT_REPEATED, Decision, VersionState
from runner.ledger.model import Ledger, LedgerEntry, LedgerError
from runner.planning.snapshot import refused_in
from runner.reports.run_again import repeated_keys, starts_again
from runner.reports.safe import clean
from runner.reports.spans import timed
from runner.runs.events import CallSent, RunStatus, StepStarted
from runner.runs.refused_starts import RefusedStart
from runner.runs.store import RunStore, StoreError
from runner.runs.stored_runs import StoredRun, load_if_readable

_MAY_REPEAT = NOT_REPEATED | {VersionState.AGAIN, VersionState.CHANGED, VersionState.BLOCKED}


class RepeatedSteps(Struct, frozen=True, kw_only=True):
    """What a version starts a second time."""

    keys: tuple[str, ...] = ()  # of `once` steps that an attempt has started
    unread: tuple[str, ...] = ()  # runs that are not stored any more
    refused: tuple[RefusedStart, ...] = ()  # starts of earlier attempts
    note: str = ""  # on what has done the same under another name

    def warnings(self) -> tuple[str, ...]:
        """A sentence for each; none where nothing starts twice."""
        again = starts_again(self.keys) if self.keys else ""
        lost = first_few([clean(run) for run in self.unread], 1)
        unread = f"careful, nobody knows what run {lost} has started: it is not stored" if self.unread else ""
        return tuple(filter(None, (again, unread, self.note)))


NOTHING_REPEATED = RepeatedSteps()


def repeated_steps(decision: Decision, job: Job, *, ledger: Ledger, store: RunStore) -> RepeatedSteps:
    """What `job`, which is what the version carries out, starts again. What the job does not hold any more is not."""
    observed = decision.before if decision.state in (VersionState.CHANGED, VersionState.BLOCKED) else decision.known
    if decision.state not in _MAY_REPEAT or observed is None or observed.entry.has_passed:
        return NOTHING_REPEATED
    last = observed.entry.last
    ends: dict[str, RunStatus | None] = {}
    with suppress(LedgerError, StoreError):  # at the end of a command an outage changes neither its code nor the rest
        ends = {run: end for run, end in ledger.not_passed(decision.version) if run != last.run}
    if last.run is not None and observed.entry.version.key == decision.version.key:
        ends[last.run] = None if last.end is None else last.end.status
    keys, unread, refused = dict[str, None](), list[str](), tuple[RefusedStart, ...]()
    for run, status in sorted(ends.items()):
        found = observed.run if observed.run is not None and run == last.run else _loaded(store, run)
        if found is not None:
            keys |= dict.fromkeys(repeated_by(job, found))
            refused = refused_in(found)  # with those of the attempts before, which it had in its plan
        elif status is not RunStatus.REFUSED:
            unread.append(run)
    return RepeatedSteps(keys=tuple(keys), unread=tuple(unread), refused=refused)


def repeated_under_another_name(before: LedgerEntry, job: Job, *, store: RunStore, adopting: str) -> RepeatedSteps:
    """What `job` repeats of a version under another name. The command `adopting` marks it as done."""
    run = None if before.last.run is None else _loaded(store, before.last.run)
    keys = () if run is None else tuple(repeated_by(job, run))
    if run is not None and not keys:
        return NOTHING_REPEATED
    passed = "was adopted" if before.last.run is None else "passed"
    note = f"it does what {clean(before.version.title)} did, which {passed}: if it is only renamed, `{adopting}`"
    return RepeatedSteps(keys=keys, note=f"{note} marks it as done")


def _loaded(store: RunStore, run: str) -> StoredRun | None:
    with suppress(StoreError):
        return load_if_readable(store, run)
    return None


def repeated_by(job: Job, run: StoredRun) -> Iterator[str]:
    """The keys of steps that the run has started and the job would start, by id or process."""
    started = set(repeated_keys(timed(run.lines, result=run.result)))
    names = {name for name in _once(job) if name is not None}
    events = [line.event for line in run.lines]
    ids = {event.row.key for event in events if isinstance(event, StepStarted) and event.row.id in names}
    ids |= {event.key for event in events if isinstance(event, CallSent) and _called(event) in names}
    order = dict.fromkeys(event.row.key for event in events if isinstance(event, StepStarted))
    return (key for key in order if key in started & ids)


def _once(job: Job) -> Iterator[str | None]:
    """The ids of all steps that must happen only once, in included jobs, too, and what they start."""
    for step in (*job.steps, *job.final_steps):
        if isinstance(step.action, IncludedJob):
            yield from _once(step.action.job)
        elif step.effect is StepEffect.ONCE:
            yield step.id
            match step.action:
                case Execute(process=started) | Run(process=started) | Signal(entity=started):
                    yield started
                case _:
                    pass


def _called(sent: CallSent) -> str | None:
    called = sent.call.get("process") or sent.call.get("entity")
    return called if isinstance(called, str) and sent.effect == StepEffect.ONCE.value else None


def warnings_of(repeated: Sequence[RepeatedSteps]) -> tuple[str, ...]:
    """The same of several versions together."""
    keys = dict.fromkeys(key for each in repeated for key in each.keys)
    unread = dict.fromkeys(run for each in repeated for run in each.unread)
    return RepeatedSteps(keys=tuple(keys), unread=tuple(unread)).warnings()

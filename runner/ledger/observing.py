"""Where an open or doubtful attempt of the ledger is by now, as the stored runs say."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import Protocol, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from runner.job.model import StepEffect
from runner.ledger.model import AppliedVersion, AttemptEnd, LedgerEntry, VersionAttempt
from runner.reports.next_steps import cannot_be_resumed, verb_command
from runner.runs import StoreName
from runner.runs.events import (
    EXIT_CODES,
    AttemptFailed,
    CallSent,
    Event,
    Line,
    RunFinished,
    RunStarted,
    RunStatus,
    TargetName,
)
from runner.runs.history import PastRun, past_runs
from runner.runs.missing_starts import missing_starts
from runner.runs.store import LocalRunStore, RunStore, StoreError
from runner.runs.stored_runs import FirstEvents, RunName, StoredRun, end_lines, load_if_readable


class Whereabouts(Enum):
    """Where an attempt is."""

    ENDED = auto()
    UNDER_WAY = auto()
    BROKE_OFF = auto()
    NEVER_BEGAN = auto()  # it broke off before anything was sent
    LOST = auto()  # nobody knows what an open or doubtful run did
    SENT_NOTHING = auto()  # it ended, and nothing left but readings
    QUEUED = auto()  # in a fleet, and has not begun
    WAITING = auto()  # others have to end first
    HELD = auto()  # a person has to settle it


class ObservedEntry(Struct, frozen=True, kw_only=True):
    """An entry as it is by now."""

    entry: LedgerEntry
    where: Whereabouts = Whereabouts.ENDED
    run: StoredRun | None = None  # the stored run, if needed
    has_changed: bool = False  # the ledger does not have its end yet
    note: str = ""  # why it waits for a person, or `is_unbegun`; the command that shows it in another folder
    is_unbegun: bool = False
    reruns: tuple[VersionAttempt, ...] = ()  # attempts that the ledger does not have yet
    store: StoreName | None = None  # that has the run of the last attempt

    @property
    def has_sent(self) -> bool:
        """Whether the last attempt may have sent anything, or still may."""
        return not self.is_unbegun and self.where not in (Whereabouts.SENT_NOTHING, Whereabouts.NEVER_BEGAN)

    @property
    def is_in_doubt(self) -> bool:
        """Whether what its last run has done is in doubt, and nobody can settle that."""
        return self.where is Whereabouts.LOST and self.run is not None and self.run.flaw is None


class RunObserver(Protocol):
    def observe(self, entries: Sequence[LedgerEntry]) -> list[ObservedEntry]:
        """Where the last attempt of each is."""

    def strays(
        self, names: Collection[RunName], *, known: Collection[str], is_own: Callable[[RunName, RunStarted], bool]
    ) -> Mapping[RunName, StoredRun]:
        """The newest run of each name that has not ended, is in doubt, or `is_own`; none of `known`."""


class StoredRuns:
    """The runs of a local store, each read from its events; of a deleted run, from its line in the history."""

    def __init__(self, store: LocalRunStore) -> None:
        self._store = store
        self._later = LaterAttempts(store)

    def observe(self, entries: Sequence[LedgerEntry]) -> list[ObservedEntry]:
        stored = frozenset(self._store.runs()) if entries else frozenset()
        reruns = self._later.followed(entries, stored)
        found = []
        for entry in entries:
            more = reruns.get(entry.version.digest, ())
            last = replace(entry, attempts=entry.attempts + len(more), last=(entry.last, *more)[-1])
            observed = _observed(last, self._store, stored=stored)
            store = self._store if observed.run is None else observed.run.store
            found.append(replace(observed, reruns=more, store=store.name))
        if not any(each.where is Whereabouts.LOST and each.run is None for each in found):
            return found
        past = {run.run: run for run in past_runs(self._store.history())}
        return [_by_history(each, past) for each in found]

    def strays(
        self, names: Collection[RunName], *, known: Collection[str], is_own: Callable[[RunName, RunStarted], bool]
    ) -> Mapping[RunName, StoredRun]:
        """Unknown runs that are open, in doubt, or `is_own`, by their ends alone."""
        found: dict[RunName, StoredRun] = {}
        seen: set[RunName] = set()
        for run in reversed(self._store.runs() if names else []):
            events = [line.event for line in end_lines(self._store, run)]
            first = events[0] if events else None
            if run in known or not isinstance(first, RunStarted):
                continue
            name = first.job, first.case, first.target.name
            is_followed = first.applied is None and name in seen  # whoever began the next one was warned of it
            seen.add(name)
            if name not in names or name in found or is_followed:
                continue
            if _is_settled(events[-1]) and not is_own(name, first):
                continue
            if (stray := load_if_readable(self._store, run)) is not None:
                found[name] = stray
        return found


def _is_settled(last: Event) -> bool:
    """Whether a run has ended, and nothing in it is in doubt."""
    return isinstance(last, RunFinished) and last.status is not RunStatus.UNKNOWN


_VersionName: TypeAlias = tuple[str | TargetName | None, ...]


class LaterAttempts:
    """Runs that a ledger does not know, as attempts at their versions: reruns, or all since it was copied."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._first_events = FirstEvents(store)

    def followed(self, entries: Iterable[LedgerEntry], stored: Iterable[str]) -> dict[str, tuple[VersionAttempt, ...]]:
        """The attempts after those that the ledger knows, by digest. `stored` are the ids of all stored runs."""
        runs = {entry.version.digest: entry.last.run for entry in entries if not entry.has_passed}
        known = [run for run in runs.values() if run is not None]
        if not known:
            return {}
        first = min(known)
        later: dict[_VersionName, list[str]] = {}
        for each in sorted(each for each in stored if each > first and self._first_events.of(each) is not None):
            later.setdefault(self._version_of(each), []).append(each)
        found = {
            digest: [each for each in later.get(self._version_of(run), ()) if each > run]
            for digest, run in runs.items()
            if run is not None
        }
        return {digest: self._attempts(attempts) for digest, attempts in found.items() if attempts}

    def _version_of(self, run: str) -> _VersionName:
        """What the run, or the first run that it repeats, was an attempt at: a ledger's version, or its own doing."""
        origin, began = self._first_events.origin(run)
        if began is None or began.applied is None:
            return (origin,)
        return began.digest, began.case, began.target, began.applied.ledger, began.applied.for_key

    def _attempts(self, runs: Sequence[str]) -> tuple[VersionAttempt, ...]:
        """The attempts of runs, in order. The last has no end: it may be under way."""
        return tuple(
            VersionAttempt(
                run=run,
                began_at=began.started_at,
                place=str(Path(self._store.place(run)).absolute()),
                commit=began.commit,
                end=None if run == runs[-1] else self._end(run),
            )
            for run in runs
            if (began := self._first_events.of(run)) is not None
        )

    def _end(self, run: str) -> AttemptEnd | None:
        found = load_if_readable(self._store, run)
        return None if found is None else end_of(found)


def end_of(run: StoredRun) -> AttemptEnd:
    return AttemptEnd(status=run.result.status, exit_code=run.result.exit_code, at=run.lines[-1].at)


def as_attempt(run: StoredRun, version: AppliedVersion) -> ObservedEntry:
    result = run.result
    place = str(Path(run.store.place(run.id)).absolute())
    attempt = VersionAttempt(run=run.id, began_at=result.started_at, place=place, commit=result.commit)
    entry = LedgerEntry(version=version, attempts=1, last=attempt)
    return replace(_by_its_run(entry, run), reruns=(attempt,), store=run.store.name)


_MAY_CHANGE = frozenset({RunStatus.UNKNOWN, RunStatus.ERROR, RunStatus.CANCELLED})
"""Ends about which the run itself says more: somebody may have settled it, or nothing of it was sent."""


def may_have_changed(entry: LedgerEntry) -> bool:
    """Whether the run of the last attempt may know more of its end than the ledger."""
    end = entry.last.end
    return entry.last.run is not None and (end is None or end.status in _MAY_CHANGE)


def _observed(entry: LedgerEntry, store: LocalRunStore, *, stored: Collection[str]) -> ObservedEntry:
    """`stored` are the ids of all stored runs. A run of another folder is left to that folder until it has ended."""
    last, end = entry.last, entry.last.end
    if last.run is None or not may_have_changed(entry):
        return ObservedEntry(entry=entry)
    is_lost = end is None or end.status is RunStatus.UNKNOWN
    if last.run in stored and (run := load_if_readable(store, last.run)) is not None:
        return _by_its_run(entry, run)
    note = ""
    if (run := load_if_readable(store.beside(str(Path(last.place).parent)), last.run)) is not None:
        found = _by_its_run(entry, run)
        is_over = found.where in (Whereabouts.ENDED, Whereabouts.SENT_NOTHING)
        if found.where is Whereabouts.UNDER_WAY or (is_over and run.result.status is not RunStatus.UNKNOWN):
            return found
        note = verb_command("show", run.id, run.store.name)
    return ObservedEntry(entry=entry, where=Whereabouts.LOST if is_lost else Whereabouts.ENDED, note=note)


def _by_history(found: ObservedEntry, past: Mapping[str, PastRun]) -> ObservedEntry:
    """The end of a run that was deleted before the ledger learnt it; what was open or unknown then stays so."""
    run = past.get(found.entry.last.run or "")
    if found.where is not Whereabouts.LOST or found.run is not None or run is None:
        return found
    if run.status not in EXIT_CODES or run.status in _MAY_CHANGE:
        return found
    end = AttemptEnd(status=RunStatus(run.status), exit_code=EXIT_CODES[RunStatus(run.status)], at=run.at)
    entry = replace(found.entry, last=replace(found.entry.last, end=end))
    return ObservedEntry(entry=entry, has_changed=True, store=found.store)


def _by_its_run(entry: LedgerEntry, run: StoredRun) -> ObservedEntry:
    end = entry.last.end
    is_over = end is not None and end.status is not RunStatus.UNKNOWN
    if is_over and (run.flaw is not None or not run.result.finished):
        return ObservedEntry(entry=entry, run=run)
    if run.is_running:
        return ObservedEntry(entry=entry, where=Whereabouts.UNDER_WAY, run=run)
    if run.flaw is not None or cannot_be_resumed(run.result) or _is_older_copy(run):
        return ObservedEntry(entry=entry, where=Whereabouts.LOST, run=run)
    if not run.lines:
        return ObservedEntry(entry=entry, where=Whereabouts.NEVER_BEGAN, run=run)
    if not run.result.finished:
        return ObservedEntry(entry=entry, where=Whereabouts.BROKE_OFF, run=run)
    end = end_of(run)
    has_changed = entry.last.end is None or entry.last.end.status is not end.status
    entry = replace(entry, last=replace(entry.last, end=end))
    where = Whereabouts.SENT_NOTHING if has_sent_nothing(end.status, run.lines) else Whereabouts.ENDED
    return ObservedEntry(entry=entry, where=where, run=run, has_changed=has_changed)


def _is_older_copy(run: StoredRun) -> bool:
    """Whether a run that is to be resumed, or settled, has sent more than its events hold, which were put back."""
    if run.result.finished and run.result.status is not RunStatus.UNKNOWN:
        return False
    with suppress(StoreError):
        return bool(missing_starts(run.store.owned_rows(run.id, site="", settle=0.0), run.lines).certain)
    return False


def has_sent_nothing(status: RunStatus, lines: Iterable[Line]) -> bool:
    """Whether a run that ended so has sent nothing but readings, so that its version begins again by itself."""
    is_stopped = status is RunStatus.CANCELLED
    return (is_stopped or status is RunStatus.ERROR) and no_call_left(lines, tried=not is_stopped)


def no_call_left(lines: Iterable[Line], *, tried: bool = True) -> bool:
    """Whether the run `tried` calls, and only readings left: `call.sent` is written before a connection is made."""
    effects, open_acts = dict[str, str](), set[str]()  # the effect of the last call of each row
    for event in (line.event for line in lines):
        match event:
            case CallSent(key=key, effect=effect):
                if effect != StepEffect.READ and key in open_acts:
                    return False
                effects[key] = effect
                if effect != StepEffect.READ:
                    open_acts.add(key)
            case AttemptFailed(key=key, kind="not_sent") if effects.get(key) != StepEffect.READ:
                open_acts.discard(key)
            case _:
                pass
    return not open_acts and (bool(effects) or not tried)

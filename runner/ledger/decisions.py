"""What `apply` does about each version, by what the ledger and the stored runs know. Pure: nothing is read or sent."""

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct

from runner.foundation.problems import ExitCode
from runner.foundation.site_key import site_key
from runner.ledger.model import AppliedVersion
from runner.ledger.observing import ObservedEntry, Whereabouts
from runner.runs.events import RunStatus


class VersionState(StrEnum):
    """The word that a person sees. Those in `BEGINS` begin, those in `RESUMED` go on, nothing else is sent."""

    NEW = "new"
    CHANGED = "changed"
    MOVED = "moved"
    AGAIN = "again"
    RESUMED = "resumed"
    PASSED = "passed"
    ADOPTED = "adopted"
    FAILED = "failed"
    ERROR = "error"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    LOST = "lost"
    RUNNING = "running"
    QUEUED = "queued"
    WAITING = "waiting"
    HELD = "held"
    BLOCKED = "blocked"


BEGINS = frozenset({VersionState.NEW, VersionState.CHANGED, VersionState.MOVED, VersionState.AGAIN})
SENT = BEGINS | {VersionState.RESUMED}
OPEN = frozenset({VersionState.RUNNING, VersionState.QUEUED, VersionState.WAITING})
"""What ends by itself, and needs nobody."""
DONE = frozenset({VersionState.PASSED, VersionState.ADOPTED})
NOT_REPEATED = frozenset({VersionState.FAILED, VersionState.ERROR, VersionState.CANCELLED, VersionState.REFUSED})


class Decision(Struct, frozen=True, kw_only=True):
    """`known`: this version in the ledger; `before`: the last that was attempted; `is_older`: that came after."""

    version: AppliedVersion
    state: VersionState
    known: ObservedEntry | None = None
    before: ObservedEntry | None = None
    is_older: bool = False

    @property
    def digest(self) -> str:
        return self.version.digest

    @property
    def title(self) -> str:
        return self.version.title

    @property
    def attempts(self) -> int:
        return self.known.entry.attempts if self.known is not None else 0

    @property
    def exit_code(self) -> ExitCode:
        """What the version adds to the exit code of a command that does not carry it out."""
        match self.state:
            case VersionState.UNKNOWN | VersionState.LOST:
                return ExitCode.UNKNOWN
            case VersionState.RUNNING | VersionState.QUEUED | VersionState.WAITING:
                return ExitCode.NO_ANSWER
            case VersionState.BLOCKED | VersionState.RESUMED | VersionState.HELD:
                return _code_of_run(self.before if self.state is VersionState.BLOCKED else self.known)
            case VersionState.FAILED | VersionState.REFUSED | VersionState.ERROR | VersionState.CANCELLED:
                assert self.known is not None
                assert self.known.entry.last.end is not None
                return self.known.entry.last.end.exit_code  # the run's own, such as 130 where a signal stopped it
            case VersionState.AGAIN if self.known is not None and self.known.where is Whereabouts.SENT_NOTHING:
                return ExitCode.NO_ANSWER
            case _:
                return ExitCode.PASSED


def _code_of_run(observed: ObservedEntry | None) -> ExitCode:
    """The code of a run that has not ended or is in doubt: never 0. Calls that are under way are not in doubt."""
    if observed is not None and observed.where is Whereabouts.LOST:
        return ExitCode.UNKNOWN
    run = observed.run if observed is not None and observed.where is not Whereabouts.UNDER_WAY else None
    is_in_doubt = run is not None and run.result.status is RunStatus.UNKNOWN
    return ExitCode.UNKNOWN if is_in_doubt else ExitCode.NO_ANSWER


def decide(
    version: AppliedVersion,
    *,
    known: ObservedEntry | None,
    before: ObservedEntry | None,
    retry: Collection[VersionState],
    queues: bool,
) -> Decision:
    """What is done about a version; versions in the states `retry` again. `queues`: blocked versions are queued.

    A changed job does what a lost run may have done; but a doubt that nobody can settle holds up all that would begin.
    """
    if before is not None and before.entry.version.digest == version.digest:
        before = None
    state = _first_state(version, before) if known is None else known_state(known)
    if state in retry:
        state = VersionState.AGAIN
    if before is not None:
        is_held_up = state in BEGINS and not queues and holds_up(before)
        if before.where is Whereabouts.LOST:
            is_changed = state is VersionState.CHANGED and VersionState.FAILED not in retry
            is_held_up = state in BEGINS if before.is_in_doubt else is_changed
        if is_held_up or (state is VersionState.WAITING and needs_a_person(before)):
            state = VersionState.BLOCKED
    return Decision(version=version, state=state, known=known, before=before)


def holds_up(before: ObservedEntry) -> bool:
    """Whether a run of another version, which may do the same, must end or be settled first."""
    return before.where in (Whereabouts.UNDER_WAY, Whereabouts.BROKE_OFF) or needs_a_person(before)


def needs_a_person(before: ObservedEntry) -> bool:
    """Whether the run of the entry ends, or is settled, by a person alone."""
    if before.where is Whereabouts.ENDED:
        return before.run is not None and before.run.result.status is RunStatus.UNKNOWN
    return before.where is Whereabouts.HELD


def _first_state(version: AppliedVersion, before: ObservedEntry | None) -> VersionState:
    if before is None:
        return VersionState.NEW
    if site_key(before.entry.version.url) != site_key(version.url):
        return VersionState.MOVED
    return VersionState.CHANGED if before.entry.version.key == version.key else VersionState.NEW


def known_state(known: ObservedEntry) -> VersionState:
    """The state of a version by its own entry in the ledger."""
    last = known.entry.last
    match known.where:
        case Whereabouts.UNDER_WAY:
            return VersionState.RUNNING
        case Whereabouts.BROKE_OFF:
            is_held = known.run is not None and known.run.result.held
            return VersionState.UNKNOWN if is_held else VersionState.RESUMED
        case Whereabouts.NEVER_BEGAN:
            return VersionState.NEW if known.entry.attempts == 1 else VersionState.AGAIN
        case Whereabouts.SENT_NOTHING:
            return VersionState.AGAIN
        case Whereabouts.QUEUED | Whereabouts.WAITING | Whereabouts.HELD:
            return VersionState(known.where.name.lower())
        case Whereabouts.LOST:
            return VersionState.LOST
        case Whereabouts.ENDED:
            assert last.end is not None
            is_adopted = last.run is None and last.end.status is RunStatus.PASSED
            return VersionState.ADOPTED if is_adopted else VersionState(last.end.status.value)


def can_be_adopted(decision: Decision) -> bool:
    """A run that may still end, or that a person can settle, is not taken for applied."""
    is_lost = decision.before is not None and decision.before.where is Whereabouts.LOST
    if decision.state is VersionState.BLOCKED:
        return is_lost
    if decision.is_older:
        return decision.before is None or not holds_up(decision.before)
    return decision.state in {*BEGINS, *NOT_REPEATED, VersionState.LOST}

"""How far one run has come: the one mutable record of the engine, and the only way to have an effect performed.

Everything here follows from the outcomes alone, so that a fresh engine fed with the same outcomes stands where the
first one stood.
"""

from dataclasses import dataclass, field

from runner.engine.effects import Done, Effect, Failed, Note, Running, Stopped
from runner.engine.scope import Names
from runner.events import AnyEvent, RunStatus, Status
from runner.plan import Plan
from runner.service.calls import CallFailed


class HostStopped(Exception):  # noqa: N818  no error: it unwinds to the one place that turns to `finally`
    """The host was told to stop while an effect was asked of it. Caught in `carry_out` alone."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True, kw_only=True)
class OpenRow:
    """A row that has begun. `in_doubt`: a `once` call of it was sent and its outcome is not known for certain."""

    key: str
    started: float
    attempts: int = 0
    in_doubt: bool = False


@dataclass(slots=True, kw_only=True)
class Log:
    """What is known of the target's process log.

    `marks` holds, for a process, the `started` of its newest known row (None: it had none); `seen` the ids of rows
    that are no candidates any more; `schema_ids` the ids by which a process is filtered where its code is refused.
    `refusal`: the log refused to be read, and is not asked again.
    """

    refusal: CallFailed | None = None
    owner_asked: bool = False
    owner: str | None = None
    marks: dict[str, str | None] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    schema_ids: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class State:
    """`t` is the run's active seconds as the last outcome told them. `halted`: a step has stopped the run;
    `closing`: the turning point is behind us.

    `counted` holds the statuses that count for the run; `stopped_by` what told the host to stop.
    """

    plan: Plan
    names: Names
    log: Log = field(default_factory=Log)
    t: float = 0.0
    halted: bool = False
    closing: bool = False
    stopped_by: str | None = None
    counted: set[Status] = field(default_factory=set)
    open_rows: list[OpenRow] = field(default_factory=list)

    def run_status(self) -> RunStatus:
        """How the run ends, were it to end now: the first that applies."""
        if Status.UNKNOWN in self.counted:
            return RunStatus.UNKNOWN
        if self.stopped_by is not None:
            return RunStatus.CANCELLED
        if Status.ERROR in self.counted:
            return RunStatus.ERROR
        return RunStatus.FAILED if Status.FAILED in self.counted else RunStatus.PASSED


def perform(state: State, effect: Effect) -> Running[Done | Failed]:
    """Have the host perform `effect`. Raises `HostStopped` where it was told to stop instead."""
    outcome = yield effect
    assert outcome is not None, "only a Note is answered with None"
    state.t = outcome.t
    if isinstance(outcome, Stopped):
        raise HostStopped(outcome.why)
    return outcome


def note(event: AnyEvent) -> Running[None]:
    yield Note(event)

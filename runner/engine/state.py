"""How far one run has come: the only mutable records of the engine, and the only way to have an effect performed.

Everything here follows from the outcomes alone, so that a fresh engine fed with the same outcomes stands where the
first one stood.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from runner.engine.effects import Done, Effect, Failed, Note, Running, Stopped
from runner.engine.scope import Names
from runner.events import AnyEvent, RunStatus, Status
from runner.job.model import Job, Step
from runner.plan import Plan
from runner.service.calls import CallFailed
from runner.values import Json


class HostStopped(Exception):  # noqa: N818  no error: it unwinds to the one place that turns to `finally`
    """The host was told to stop while an effect was asked of it. Caught where the steps of a job are carried out."""

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
    warnings: tuple[str, ...] = ()


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
class RunState:
    """What is known of the whole run. `t` is its active seconds as the last outcome told them.

    `stopped_by` is what told the host to stop; `open_rows` are the rows under way, the innermost last.
    """

    plan: Plan
    log: Log = field(default_factory=Log)
    t: float = 0.0
    stopped_by: str | None = None
    open_rows: list[OpenRow] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class State:
    """What is known of one job of the run: the run's own, or one that a step includes.

    `prefix` stands before the keys of its rows. `halted`: a step has stopped it; `closing`: its steps are behind us.
    `counted` holds the statuses that count for it.
    """

    run: RunState
    job: Job
    names: Names
    prefix: str = ""
    halted: bool = False
    closing: bool = False
    counted: set[Status] = field(default_factory=set)

    @property
    def t(self) -> float:
        return self.run.t

    @property
    def log(self) -> Log:
        return self.run.log

    @property
    def is_failing(self) -> bool:
        """Whether `failure()` is true: in the steps since one has stopped them, in `finally` as soon as one counts."""
        if not self.closing:
            return self.halted
        return bool(self.counted) or self.run.stopped_by is not None

    def attempt_seconds(self, step: Step) -> float:
        """The time of one attempt of a step."""
        return step.timeout if step.timeout is not None else self.run.plan.timeout

    def status(self) -> RunStatus:
        """How the job ends, were it to end now: the first that applies."""
        if Status.UNKNOWN in self.counted:
            return RunStatus.UNKNOWN
        if self.run.stopped_by is not None:
            return RunStatus.CANCELLED
        if Status.ERROR in self.counted:
            return RunStatus.ERROR
        return RunStatus.FAILED if Status.FAILED in self.counted else RunStatus.PASSED


def conditions_of(state: State) -> dict[str, Callable[..., Json]]:
    """What `if` can ask of a job: how it has gone so far."""
    return {
        "success": lambda: not state.is_failing,
        "failure": lambda: state.is_failing,
        "always": lambda: True,
    }


def perform(state: State, effect: Effect) -> Running[Done | Failed]:
    """Have the host perform `effect`. Raises `HostStopped` where it was told to stop instead."""
    outcome = yield effect
    assert outcome is not None, "only a Note is answered with None"
    state.run.t = outcome.t
    if isinstance(outcome, Stopped):
        raise HostStopped(outcome.why)
    return outcome


def note(event: AnyEvent) -> Running[None]:
    yield Note(event)

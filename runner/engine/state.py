"""How far one run has come: the only mutable records of the engine.

Everything here follows from the outcomes alone, so that a fresh engine fed with the same outcomes stands where the
first one stood.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.families import Family
from runner.engine.instance import Instance
from runner.engine.scope import Names
from runner.foundation.values import Json, JsonObject
from runner.job.model import Job, Step, Undo
from runner.planning.plan import Plan
from runner.runs.events import RunStatus, Status, Trouble
from runner.service.calls import CallFailed

WORST_FIRST = (Status.UNKNOWN, Status.ERROR, Status.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time in which a call may have started its process, in seconds of the server's own time; None: no bound."""

    since: float | None = None
    until: float | None = None

    @staticmethod
    def around(spans: Sequence["Span"]) -> "Span":
        """The time in which any of several may have done so."""
        starts, ends = [span.since for span in spans], [span.until for span in spans]
        first = None if None in starts else min((one for one in starts if one is not None), default=None)
        last = None if None in ends else max((one for one in ends if one is not None), default=None)
        return Span(since=first, until=last)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Start:
    """A call of the row `key` that may have started `process`, as it can be looked for in the process log.

    `mark` is the newest row before it (None: no row), where the log was read before (`marked`), at `marked_at` by the
    server's own time. It was `sent` then, and its time and that of settling are over at `ends`, both in active seconds,
    after so many `breaks` of the run.
    """

    process: str
    key: str
    marked: bool
    mark: str | None
    marked_at: float | None
    span: Span
    sent: float
    ends: float
    breaks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An element that a call was made for, as it stood `before`, in the process of that id."""

    process_id: str
    before: Instance


@dataclass(slots=True, kw_only=True, eq=False)
class OpenRow:
    """A row that has begun.

    `state` and `step` are what it was begun with; `whole` is the step that it is a part of, if it is one of several,
    and `index` its place among them, or that of its turn. `has_parts`: it holds rows of its own, and is as they are.
    `in_doubt`: a `once` call of it was sent and its outcome is not known for certain. `unanswered`: its call was not
    answered, so that a start is taken for its own by inference only. `process_id` is that of the start that is known as
    its own.
    `start` is the call of it that was made last and may have started a process, `sought` the same as long as its row in
    the log may be looked for; `shown` are ids of rows that may be
    its own, and could not be told apart; `turned_away` one that the service says it did not act upon, and why.
    `late`: the process log was read although the job's time was over; that is done once, until `late_ends`. `known`:
    how the row ends, whatever stops what is still asked about it. `ready_by`: when what its next call needs has to be
    read. `not_sent_seconds`: what calls that never left have taken of the attempt's time, over all its tries.
    `replies`: those of a chain before its element in
    doubt, None where one was lost. `element` is the one that it has called last; `look_again` looks once more whether
    a call in doubt happened, where that is not told by the start of a process. `doubt` is what is said of a row that
    has ended in doubt, `cause` what put it there.
    """

    key: str
    started: float
    state: "State"
    step: Step
    index: int | None
    has_parts: bool
    attempts: int = 0
    in_doubt: bool = False
    sought: Start | None = None
    start: Start | None = None
    shown: tuple[str, ...] = ()
    turned_away: tuple[Start, CallFailed] | None = None
    whole: Step | None = None
    unanswered: bool = False
    process_id: str | None = None
    late: bool = False
    late_ends: float | None = None
    ready_by: float | None = None
    not_sent_seconds: float = 0.0
    known: Attempt | None = None
    element: Sent | None = None
    look_again: "LookAgain | None" = None
    doubt: Trouble | None = None
    cause: Trouble | None = None
    replies: list[Json] | None = None
    warnings: tuple[str, ...] = ()

    @contextmanager
    def reading_until(self, t: float) -> Iterator[None]:
        """What is read within this context has to be there by the active second `t`."""
        self.ready_by = t
        try:
            yield
        finally:
            self.ready_by = None


LookAgain: TypeAlias = Callable[["State", OpenRow, Step, Attempt], Running[Attempt]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Doubt:
    """A row that has ended and is in doubt, and the rows it is a part of, the outermost first."""

    row: OpenRow
    within: tuple[OpenRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """A row that has passed and can be undone. `own` is what expressions see of it."""

    undo: Undo
    key: str
    id: str | None
    state: "State"
    own: JsonObject


@dataclass(slots=True, kw_only=True)
class Log:
    """What is known of the target's process log.

    `marks` holds, for a process, the `started` of its newest known row (None: it had none); `seen` the ids of rows
    that are no candidates any more; `missing` the starts of this run that no row has been found for yet, oldest first:
    a row that comes late may be that of any of them; `schema_ids` the ids by which a process is filtered where its
    code is refused; `families` its versions.
    `refusal`: the log refused to be read, and is not asked again; `library_refusal` the same of the library of
    processes. `clock` is the server's own time and the active second at which an answer told it, since the run broke
    off last; `breaks` is how often it did. `marked_at` is its time when a watermark was read; `clocks_differ`: the
    times of rows are of another clock than it.
    """

    refusal: CallFailed | None = None
    library_refusal: CallFailed | None = None
    owner_asked: bool = False
    owner: str | None = None
    marks: dict[str, str | None] = field(default_factory=dict)
    marked_at: dict[str, float | None] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    missing: dict[str, list[Start]] = field(default_factory=dict)
    schema_ids: dict[str, str] = field(default_factory=dict)
    families: dict[str, Family] = field(default_factory=dict)
    clock: tuple[float, float] | None = None
    breaks: int = 0
    clocks_differ: bool = False

    def codes_of(self, process: str) -> tuple[str, ...]:
        """The codes under which the process of this code may have been started: those of its versions."""
        return self.families[process].codes if process in self.families else (process,)

    def server_time(self, t: float) -> float | None:
        """The server's time at the active second `t`, or a little before it; None where it has not told it."""
        return None if self.clock is None else self.clock[0] + t - self.clock[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment of the server's clock, as it writes it; None is before all rows. `seen`: what had failed by then."""

    since: str | None
    seen: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True, eq=False)
class RunState:
    """What is known of the whole run. `t` is its active seconds as the last outcome told them.

    `stopped_by` is what told the host to stop; `open_rows` are the rows under way, the innermost last; `undoable` those
    that passed and can be undone, `doubts` those whose outcome nobody knows, `undoing` the states in which they
    were undone. `executed` are the ids of elements that calls were made for.
    `settled_incomplete`: nothing failed, but something had been left out; `settled_too_late`: the rows
    that turned out to have passed when undo was over. `cleanup_ends`: when undo and `finally` have to be done;
    `timed_out`: the time of the steps was over before they were.
    `began`: the moment at which the run did, or why it is not known, where a step asks for it.
    """

    plan: Plan
    log: Log = field(default_factory=Log)
    t: float = 0.0
    stopped_by: str | None = None
    timed_out: bool = False
    settled_incomplete: bool = False
    settled_too_late: list[str] = field(default_factory=list)
    cleanup_ends: float | None = None
    open_rows: list[OpenRow] = field(default_factory=list)
    undoable: list[Undoable] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    undoing: "list[State]" = field(default_factory=list)
    began: Moment | CallFailed | None = None
    executed: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True, eq=False)
class State:
    """What is known of one job of the run: the run's own, or one that a step includes.

    `prefix` stands before the keys of its rows. `halted`: a step has stopped it, the one with the key
    `halted_by`, or something else has; `closing`: its steps are behind us.
    `ends` is the active second at which its time is over. `counted` holds the statuses that count for it, `left_out`
    the keys of what a stop has left out. `moments` are those at which steps began, by id, where a step asks for them.
    """

    run: RunState
    job: Job
    names: Names
    prefix: str = ""
    halted: bool = False
    halted_by: str | None = None
    closing: bool = False
    ends: float | None = None
    counted: set[Status] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    moments: dict[str, Moment | CallFailed] = field(default_factory=dict)

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
        return bool(self.counted) or self.run.stopped_by is not None or self.run.timed_out

    def attempt_seconds(self, row: OpenRow, step: Step) -> float:
        """The time of one attempt of a step. All tries that never left this machine have it together."""
        whole = step.timeout if step.timeout is not None else self.run.plan.timeout
        return max(0.0, whole - row.not_sent_seconds)

    def status(self) -> RunStatus:
        """How the run ends, were it to end now: the first that applies."""
        worst = self.worst()
        if worst is not Status.UNKNOWN and self.run.stopped_by is not None:
            return RunStatus.CANCELLED
        if worst is Status.PASSED and self.run.timed_out:
            return RunStatus.FAILED
        return RunStatus(worst.value)

    def worst(self) -> Status:
        """The worst that counts for this job, whatever became of the rest of the run."""
        return next((status for status in WORST_FIRST if status in self.counted), Status.PASSED)


def conditions_of(state: State) -> dict[str, Callable[..., Json]]:
    """What `if` can ask of a job: how it has gone so far."""
    return {
        "success": lambda: not state.is_failing,
        "failure": lambda: state.is_failing,
        "always": lambda: True,
    }

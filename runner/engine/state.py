"""How far a run has come: mutable records, all made from the outcomes alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from msgspec import Struct, field

from runner.engine.attempt import Attempt
from runner.engine.effects import Done, Running
from runner.engine.scope import Names
from runner.engine.versions import Versions
from runner.foundation.values import Json, JsonObject
from runner.job.model import Job, Step, StepEffect, Undo, Verify
from runner.planning.plan import Plan
from runner.runs.events import RunStatus, Trouble
from runner.runs.evidence import Person
from runner.runs.refused_starts import RefusedStart
from runner.runs.status import RED, Status
from runner.service.calls import CallFailed, LogRow


class StartTime(Struct, frozen=True, kw_only=True):
    """When a call may have started its process, in seconds of the server's own time; None: no bound."""

    since: float | None = None
    until: float | None = None

    @staticmethod
    def around(spans: Sequence["StartTime"]) -> "StartTime":
        """The time that spans all of `spans`."""
        starts = [span.since for span in spans if span.since is not None]
        ends = [span.until for span in spans if span.until is not None]
        since = min(starts) if len(starts) == len(spans) > 0 else None
        return StartTime(since=since, until=max(ends) if len(ends) == len(spans) > 0 else None)


class Start(Struct, frozen=True, kw_only=True, eq=False):
    """A call that may have started `process`, as the log can be searched for it."""

    process: str
    key: str  # of its row
    marked: bool  # the log was read before the call
    mark: str | None  # the newest row then; None: there was none
    marked_at: float | None  # by the server's own time
    span: StartTime
    sent: float  # in active seconds, as is `ends`
    ends: float  # when its time and that of settling are over
    breaks: int  # how often the run had broken off
    slack: float = 0.0  # as in `LogState`
    answered: float | None = None  # by the server's own time
    is_resumed: bool = False  # the run broke off at the call: it may have been sent twice


class ElementInstance(Struct, frozen=True, kw_only=True):
    """An element of a running process, as the site shows it."""

    id: str
    uid: str | None  # of its design
    status: str | None
    kind: str | None = None
    caption: str | None = None
    error: str | None = None
    stored: bool = False  # it comes from the engine's own store


class CalledElement(Struct, frozen=True, kw_only=True):
    """An element of a process that was called, as it was `before`, and the call's `answer`."""

    process_id: str
    before: ElementInstance
    answer: Done | None = None


class OpenRow(Struct, kw_only=True, eq=False):
    """A row that has begun."""

    key: str
    started: float
    state: "State"
    step: Step
    index: int | None  # its place in `whole`, or that of its turn
    has_parts: bool  # it holds rows of its own, and ends as they do
    attempts: int = 0
    in_doubt: bool = False  # a `once` call was sent, and its outcome is not certain
    sought: Start | None = None  # `start`, as long as its row may be searched for
    start: Start | None = None  # the last call that may have started a process
    shown: tuple[str, ...] = ()  # ids of rows that may be its own
    turned_away: tuple[Start, CallFailed] | None = None  # a call that was refused, and may have happened, and why
    first: Start | None = None  # such a call that was made again, as the log showed no start
    whole: Step | None = None  # the step that it is a part of
    unanswered: bool = False  # a start is its own by inference only
    process_id: str | None = None
    answer: tuple[Json, ...] = ()  # what the call of this attempt gave, once it was answered
    late: bool = False  # the log was read after the job's time, once, until `late_ends`
    late_ends: float | None = None
    ready_by: float | None = None  # when what its next call needs has to be read
    not_sent_seconds: float = 0.0  # what calls that never left took of the attempt's time
    known: Attempt | None = None  # how the row ends, if its last questions are stopped
    element: CalledElement | None = None  # that was called last
    look_again: "LookAgain | None" = None  # whether that call happened
    doubt: Trouble | None = None  # the message on a row that ended in doubt
    cause: Trouble | None = None  # what put it in doubt first
    replies: list[Json] | None = None  # of a chain, before its element in doubt; None where lost
    unread: Trouble | None = None  # why the last look at its process failed
    warnings: tuple[str, ...] = ()

    @property
    def t(self) -> float:
        """The run's active seconds."""
        return self.state.run.t

    @property
    def log(self) -> "LogState":
        return self.state.run.log

    @property
    def is_once(self) -> bool:
        return self.step.effect is StepEffect.ONCE

    @property
    def reads_log(self) -> bool:
        """Whether the step wants the process log to be read, and it may be."""
        return self.step.verify is not Verify.NONE and self.log.refusal is None

    @property
    def attempt_seconds(self) -> float:
        """The time of an attempt. All tries that never left this machine have it together."""
        whole = self.step.timeout if self.step.timeout is not None else self.state.run.plan.times.timeout
        return max(0.0, whole - self.not_sent_seconds)

    @contextmanager
    def reading_until(self, t: float) -> Iterator[None]:
        """What is read within this context has to be there by the active second `t`."""
        self.ready_by = t
        try:
            yield
        finally:
            self.ready_by = None

    def text(self, template: str, name: str) -> str:
        """A template of the step, worked out as a text. Raises `EvaluationError`."""
        return self.state.names.text(template, f"{self.key}.{name}")


LookAgain: TypeAlias = Callable[[OpenRow, Attempt], Running[Attempt]]


class DoubtfulRow(Struct, frozen=True, kw_only=True, eq=False):
    """A row that has ended and is in doubt, and the rows it is a part of, the outermost first."""

    row: OpenRow
    within: tuple[OpenRow, ...]


class Undoable(Struct, frozen=True, kw_only=True):
    """A row that has passed and can be undone. `own` is what expressions see of it."""

    undo: Undo
    key: str
    id: str | None
    state: "State"
    own: JsonObject


class EarlierRow(Struct, frozen=True, kw_only=True):
    """A row that was in the log before a call; it `began` then, by the time that is written in it."""

    id: str
    began: float
    owner: str | None


class LogState(Struct, kw_only=True):
    """What is known of the target's process log. `…_due` are active seconds; most dicts are by process."""

    refusal: CallFailed | None = None  # the log refused, and is not asked again
    library_refusal: CallFailed | None = None  # of the library of processes, until `library_due`
    library_due: float = 0.0
    is_away: bool = False  # it could not be read after the last call
    owner_due: float = 0.0
    owner: str | None = None  # our own user
    owner_since: int = 0  # calls before so many breaks had another account
    shows_owners: bool = False  # a row without an owner is not ours
    marks: dict[str, str | None] = field(default_factory=dict)  # `started` of the newest known row; None: no row
    newest: dict[str, LogRow | None] = field(default_factory=dict)  # the newest row that answers have named
    marked_at: dict[str, float | None] = field(default_factory=dict)  # the server's time of the watermark
    before: dict[str, tuple[float, tuple[EarlierRow, ...]]] = field(default_factory=dict)  # when read, newest rows
    known_since: dict[str, float] = field(default_factory=dict)  # all rows that had begun later were read then
    seen: set[str] = field(default_factory=set)  # ids of rows that are no candidates any more
    there: dict[str, frozenset[str]] = field(default_factory=dict)  # ids before the first call
    called_at: dict[str, float | None] = field(default_factory=dict)  # by id of a process: it began then or later
    missing: dict[str, list[Start]] = field(default_factory=dict)  # starts without their row, oldest first
    refused: dict[str, list[Start]] = field(default_factory=dict)  # refused ones, of which the log showed no row so far
    given: dict[str, tuple[LogRow, ...]] = field(default_factory=dict)  # rows found for doubtful rows, by key
    failed: dict[str, str] = field(default_factory=dict)  # processes by ids that failed by an answer, without a row
    schema_ids: dict[str, str] = field(default_factory=dict)  # to filter by where the code is refused
    versions: dict[str, Versions] = field(default_factory=dict)
    clock: tuple[float, float] | None = None  # the server's time, and the active second of that answer
    slack: float = 0.0  # seconds that this answer took, if many: `Date` may be older
    breaks: int = 0  # how often the run broke off
    clocks_differ: bool = False  # rows are dated by another clock than `Date`

    def owner_of(self, start: Start) -> str | None:
        """The user who owns the row of `start`, if known."""
        return self.owner if start.breaks >= self.owner_since else None

    def note_there(self, process: str, rows: Sequence[LogRow]) -> None:
        """Remember rows that were there before a call: they belong to no later call."""
        ids = frozenset(found.id for found in rows)
        self.seen |= ids
        self.there.setdefault(process, ids)

    def learn_owners(self, rows: Sequence[LogRow]) -> None:
        self.shows_owners = self.shows_owners or any(found.owner is not None for found in rows)

    def codes_of(self, process: str) -> tuple[str, ...]:
        """The codes under which the process of this code may have been started: those of its versions."""
        return self.versions[process].codes if process in self.versions else (process,)

    def server_time(self, t: float) -> float | None:
        """The server's time at the active second `t`, or a little before it, if known."""
        return None if self.clock is None else self.clock[0] + t - self.clock[1]


class Moment(Struct, frozen=True, kw_only=True):
    """What of `seen` had failed at a moment: `since` in the server's time as it writes it, None before all rows."""

    since: str | None
    seen: frozenset[str] = frozenset()


class RunState(Struct, kw_only=True, eq=False):
    """What is known of the whole run."""

    plan: Plan
    refused: dict[str, RefusedStart]  # of `Plan.refused`, by key, that were not searched for yet
    log: LogState = field(default_factory=LogState)
    t: float = 0.0  # active seconds at the last outcome
    stopped_by: str | None = None  # the signal that stopped the host
    has_done_steps: bool = False  # none is left out, failed, or is to be undone
    ordered_by: Person | None = None  # who had a run of a fleet stopped
    timed_out: bool = False  # the steps, or undo and `finally`, did not end in time
    settled_incomplete: bool = False  # nothing failed, but a step had been left out
    owes_undo: bool = False  # not undone, as an outcome was unknown
    may_have_changed_site: bool = False  # a failed step may have changed the site, and is not undone
    cleanup_ends: float | None = None  # when undo and `finally` have to be done
    open_rows: list[OpenRow] = field(default_factory=list)  # the innermost last
    undoable: list[Undoable] = field(default_factory=list)
    doubts: list[DoubtfulRow] = field(default_factory=list)  # whose outcome nobody knows
    undoing: "list[State]" = field(default_factory=list)  # the states in which they were undone
    undecided: "list[Undecided]" = field(default_factory=list)  # decided about while an outcome was unknown
    wrongly_decided: set[str] = field(default_factory=set)  # keys of those that would be decided otherwise now
    began: Moment | CallFailed | None = None  # when the run did, if a step asks
    executed: dict[str, str] = field(default_factory=dict)  # keys of rows, by the id of their element
    used_results: dict[int, frozenset[str]] = field(default_factory=dict)  # ids of steps, by the identity of the job

    @property
    def was_cut_short(self) -> bool:
        """Whether a signal left something out, or lets something be undone: later it takes nothing but time."""
        return self.stopped_by is not None and not self.has_done_steps


class Undecided(Struct, frozen=True, kw_only=True):
    """A step decided about while an outcome was unknown; `has_changed`: it would be decided otherwise now."""

    state: "State"
    key: str
    has_changed: Callable[[], bool]
    is_done: bool


class State(Struct, kw_only=True, eq=False):
    """What is known of a job of the run: the run's own, or an included job."""

    run: RunState
    job: Job
    names: Names
    prefix: str = ""  # of the keys of its rows
    halted: bool = False  # a step has stopped it, or something else
    halted_by: str | None = None
    closing: bool = False  # its steps are over
    is_inside_cleanup: bool = False  # undo or `finally` includes it
    ends: float | None = None  # the active second at which its time is over
    counted: set[Status] = field(default_factory=set)  # the statuses that count for it
    left_out: set[str] = field(default_factory=set)  # keys of what would be carried out by what is known now
    running: set[str] = field(default_factory=set)  # processes that had not ended, by id or the key of their row
    moments: dict[str, Moment | CallFailed] = field(default_factory=dict)  # when steps began, by id, if a step asks

    @property
    def t(self) -> float:
        return self.run.t

    @property
    def cleans_up(self) -> bool:
        """Whether a signal, or the end of the time of the run's steps, does not end what is carried out now."""
        return self.closing or self.is_inside_cleanup

    @property
    def is_failing(self) -> bool:
        """Whether `failure()` is true: in the steps once a step has stopped them, in `finally` if a failure counts."""
        if not self.closing:
            return self.halted
        return bool(self.counted) or self.run.was_cut_short or self.run.timed_out

    def conditions(self) -> dict[str, Callable[..., Json]]:
        """The functions by which an `if` asks how the job has gone."""
        return {
            "success": lambda: not self.is_failing,
            "failure": lambda: self.is_failing,
            "always": lambda: True,
        }

    def status(self) -> RunStatus:
        """How the run ends, were it to end now: the first that applies."""
        worst = self.worst()
        is_whole = worst is Status.PASSED and not self.left_out and not self.run.was_cut_short
        if worst is not Status.UNKNOWN and self.run.stopped_by is not None and not is_whole:
            return RunStatus.CANCELLED
        if worst is Status.PASSED and self.run.timed_out:
            return RunStatus.FAILED
        return RunStatus(worst.value)

    def worst(self) -> Status:
        """The worst status that counts for this job alone."""
        return worst_of(self.counted)


def worst_of(statuses: set[Status]) -> Status:
    return next((status for status in RED if status in statuses), Status.PASSED)

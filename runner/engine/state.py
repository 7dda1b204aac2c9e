"""How far a run has come: the only mutable records of the engine.

All follows from the outcomes alone: a fresh engine fed with the same outcomes gets to the same state.
"""

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
from runner.runs.status import Status
from runner.service.calls import CallFailed, LogRow

WORST_FIRST = (Status.UNKNOWN, Status.ERROR, Status.FAILED)


class StartTime(Struct, frozen=True, kw_only=True):
    """The time in which a call may have started its process, in seconds of the server's own time; None: no bound."""

    since: float | None = None
    until: float | None = None

    @staticmethod
    def around(spans: Sequence["StartTime"]) -> "StartTime":
        """The time in which any of several calls may have done so."""
        starts = [span.since for span in spans if span.since is not None]
        ends = [span.until for span in spans if span.until is not None]
        since = min(starts) if len(starts) == len(spans) > 0 else None
        return StartTime(since=since, until=max(ends) if len(ends) == len(spans) > 0 else None)


class Start(Struct, frozen=True, kw_only=True, eq=False):
    """A call of the row `key` that may have started `process`, as it can be searched for in the process log.

    `mark` is the newest row before it (None: no row), where the log was read before (`marked`), at `marked_at` by the
    server's own time. It was `sent` then, and its time and that of settling are over at `ends`, both in active seconds,
    after so many `breaks` of the run. `slack` is that of the server's time then. It was `answered` then, by that time.
    `is_resumed`: the run broke off at the call, so that it may have been sent twice.
    """

    process: str
    key: str
    marked: bool
    mark: str | None
    marked_at: float | None
    span: StartTime
    sent: float
    ends: float
    breaks: int
    slack: float = 0.0
    answered: float | None = None
    is_resumed: bool = False


class ElementInstance(Struct, frozen=True, kw_only=True):
    """An element of a running process, as the site shows it. `uid` is that of its design; what is not known is None.

    `stored`: it comes from the engine's own store.
    """

    id: str
    uid: str | None
    status: str | None
    kind: str | None = None
    caption: str | None = None
    error: str | None = None
    stored: bool = False


class CalledElement(Struct, frozen=True, kw_only=True):
    """An element that a call was made for, as it was `before`, in the process of that id, with the call's `answer`."""

    process_id: str
    before: ElementInstance
    answer: Done | None = None


class OpenRow(Struct, kw_only=True, eq=False):
    """A row that has begun, with the `state` and `step` it began with.

    `whole` is the step that it is a part of, if it is a part, and `index` its place among them, or that of its
    turn. `has_parts`: it holds rows of its own, and ends as they do. `ready_by`: when what its next call needs has to
    be read. `not_sent_seconds`: what calls that never left have taken of the attempt's time, over all its tries.

    `start` is its last call that may have started a process; `sought` the same as long as its row in the log may be
    searched for; `shown` are ids of rows that may be its own, and were not distinguished; `process_id` is the id known
    as its own. `turned_away` is a call that the service says it did not act upon, and why; `first` is such
    a call that was made again, as the log showed no start of it. `element` is what it has called last; `look_again`
    looks once more whether that call happened.

    `in_doubt`: a `once` call was sent and its outcome is not certain. `unanswered`: its call was not answered, so that
    a start is taken for its own by inference only. `doubt` is the sentence on a row that has ended in doubt, `cause`
    what put it there. `late`: the process log was read although the job's time was over; that is done once, until
    `late_ends`. `known`: how the row ends, whatever stops what is still asked about it. `replies`: those of a chain
    before its element in doubt, None where a result was lost. `unread`: why the last look at its process failed.
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
    first: Start | None = None
    whole: Step | None = None
    unanswered: bool = False
    process_id: str | None = None
    late: bool = False
    late_ends: float | None = None
    ready_by: float | None = None
    not_sent_seconds: float = 0.0
    known: Attempt | None = None
    element: CalledElement | None = None
    look_again: "LookAgain | None" = None
    doubt: Trouble | None = None
    cause: Trouble | None = None
    replies: list[Json] | None = None
    unread: Trouble | None = None
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
    """What is known of the target's process log.

    `marks` holds, for a process, the `started` of its newest known row (None: it had none); `seen` the ids of rows
    that are no candidates any more; `missing` the starts of this run that no row has been found for yet, oldest
    first: a row that comes late may be that of any of them; `given` the rows that were found for the starts of rows
    in doubt meanwhile, by the keys of these: as many as starts that may have made them; `schema_ids` the ids by
    which a process is filtered where its code is refused. `refusal`: the log refused to be read, and is not asked
    again; `library_refusal` the same of the library of processes until `library_due`; our own user is asked for at
    `owner_due`, all of these active seconds; `is_away`: the log could not be read after the last call. `clock` is the
    server's own time and the active second at which an answer brought it, since the run broke off last, `slack` the
    seconds that this answer took, where it was long: the server may have written its time at their beginning; `breaks`
    is how often the run broke off. `owner` is our own user, of calls since so many breaks as `owner_since` says:
    another account made those before. `shows_owners`: the log shows whose rows are, so that a row without an owner is
    not ours. `marked_at` is the server's time when a watermark was read; `clocks_differ`: the times of rows are of
    another clock than it. `before` are the newest rows at the watermark, with the active second before they were read;
    `there` those before the first call of the process, by their ids.
    `called_at` is since when, by the server's time, processes may have begun whose id a call was answered with.
    """

    refusal: CallFailed | None = None
    library_refusal: CallFailed | None = None
    library_due: float = 0.0
    is_away: bool = False
    owner_due: float = 0.0
    owner: str | None = None
    owner_since: int = 0
    shows_owners: bool = False
    marks: dict[str, str | None] = field(default_factory=dict)
    marked_at: dict[str, float | None] = field(default_factory=dict)
    before: dict[str, tuple[float, tuple[EarlierRow, ...]]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    there: dict[str, frozenset[str]] = field(default_factory=dict)
    called_at: dict[str, float | None] = field(default_factory=dict)
    missing: dict[str, list[Start]] = field(default_factory=dict)
    given: dict[str, tuple[LogRow, ...]] = field(default_factory=dict)
    schema_ids: dict[str, str] = field(default_factory=dict)
    versions: dict[str, Versions] = field(default_factory=dict)
    clock: tuple[float, float] | None = None
    slack: float = 0.0
    breaks: int = 0
    clocks_differ: bool = False

    def owner_of(self, start: Start) -> str | None:
        """The user whose row that of `start` is, where that is known."""
        return self.owner if start.breaks >= self.owner_since else None

    def note_there(self, process: str, rows: Sequence[LogRow]) -> None:
        """These rows were there before a call: they are none of its own, nor of a later call's."""
        ids = frozenset(found.id for found in rows)
        self.seen |= ids
        self.there.setdefault(process, ids)

    def learn_owners(self, rows: Sequence[LogRow]) -> None:
        self.shows_owners = self.shows_owners or any(found.owner is not None for found in rows)

    def codes_of(self, process: str) -> tuple[str, ...]:
        """The codes under which the process of this code may have been started: those of its versions."""
        return self.versions[process].codes if process in self.versions else (process,)

    def server_time(self, t: float) -> float | None:
        """The server's time at the active second `t`, or a little before it; None where it is not known."""
        return None if self.clock is None else self.clock[0] + t - self.clock[1]


class Moment(Struct, frozen=True, kw_only=True):
    """A moment: what had failed by then of what was `seen`, looking from `since` on, a time of the server's clock as it
    writes it; None is before all rows.
    """

    since: str | None
    seen: frozenset[str] = frozenset()


class RunState(Struct, kw_only=True, eq=False):
    """What is known of the whole run. `t` is its active seconds at the last outcome.

    `stopped_by` is the signal that stopped the host, `ordered_by` who ordered that of a fleet; `open_rows` are the
    rows under way, the innermost last; `undoable` those that passed and can be undone, `doubts` those whose outcome
    nobody knows, `undoing` the states in which they were undone. `executed` are the elements that were executed, by
    their ids, each with the key of the only row for which it counts. `settled_incomplete`: nothing failed, but
    something had been left out; `left_as_it_is`: something failed that may have changed the site, and is not
    undone; `owes_undo`: what passed was not undone, as an outcome was unknown; `undecided` are the steps that were
    decided about meanwhile, `misled` the keys of those that were carried out, and would not be as they were by what
    is known now. `cleanup_ends`: when undo and `finally` have to be done; `timed_out`: the time of the steps, or
    that, was over before they were. `began`: the moment at which the run did, or why it is not known, where a step
    asks for it. `used_results`: by the identity of a job, the ids of its steps whose results it names. `refused`
    are those of `Plan.refused`, by their keys, that were not searched for yet.
    """

    plan: Plan
    refused: dict[str, RefusedStart]
    log: LogState = field(default_factory=LogState)
    t: float = 0.0
    stopped_by: str | None = None
    ordered_by: Person | None = None
    timed_out: bool = False
    settled_incomplete: bool = False
    owes_undo: bool = False
    left_as_it_is: bool = False
    cleanup_ends: float | None = None
    open_rows: list[OpenRow] = field(default_factory=list)
    undoable: list[Undoable] = field(default_factory=list)
    doubts: list[DoubtfulRow] = field(default_factory=list)
    undoing: "list[State]" = field(default_factory=list)
    undecided: "list[Undecided]" = field(default_factory=list)
    misled: set[str] = field(default_factory=set)
    began: Moment | CallFailed | None = None
    executed: dict[str, str] = field(default_factory=dict)
    used_results: dict[int, frozenset[str]] = field(default_factory=dict)


class Undecided(Struct, frozen=True, kw_only=True):
    """A step decided about while an outcome was unknown; `has_changed`: it would be decided otherwise now."""

    state: "State"
    key: str
    has_changed: Callable[[], bool]
    is_done: bool


class State(Struct, kw_only=True, eq=False):
    """What is known of a job of the run: the run's own, or a job that a step includes.

    `prefix` comes before the keys of its rows. `halted`: a step has stopped it, with the key `halted_by`, or
    something else has; `closing`: its steps are over; `is_inside_cleanup`: undo or `finally` includes it. `ends` is
    the active second at which its time is over. `counted` holds the statuses that count for it, `left_out` the keys
    of what was not carried out as it would be by what is known now, `running` the processes (by id, else the key of
    their row) that rows have started and that had not ended at the last look. `moments` are those at which steps
    began, by id, where a step asks for them.
    """

    run: RunState
    job: Job
    names: Names
    prefix: str = ""
    halted: bool = False
    halted_by: str | None = None
    closing: bool = False
    is_inside_cleanup: bool = False
    ends: float | None = None
    counted: set[Status] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    moments: dict[str, Moment | CallFailed] = field(default_factory=dict)

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
        return bool(self.counted) or self.run.stopped_by is not None or self.run.timed_out

    def conditions(self) -> dict[str, Callable[..., Json]]:
        """What `if` can ask of a job: how it has gone so far."""
        return {
            "success": lambda: not self.is_failing,
            "failure": lambda: self.is_failing,
            "always": lambda: True,
        }

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
        return worst_of(self.counted)


def worst_of(statuses: set[Status]) -> Status:
    return next((status for status in WORST_FIRST if status in statuses), Status.PASSED)

"""What became of a run, from its events: `fold` makes a `RunResult` of a journal, whole or broken off.

It is a pure function, and takes the events as they are. Of missing lines it never concludes that something passed.
Values keep their holes of secrets.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any, TypeAlias, assert_never

import msgspec
from msgspec import Struct

from runner.foundation.problems import STOPPED, ExitCode
from runner.foundation.values import Json, JsonObject
from runner.runs import StoreName
from runner.runs.begun_row import BegunRow
from runner.runs.events import (
    FIRST_PREV,
    GIVEN_UP,
    Asked,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Check,
    Line,
    LogUnreadable,
    Paused,
    Row,
    RunClosing,
    RunFinished,
    RunResumed,
    RunStarted,
    RunStatus,
    Section,
    SignedIn,
    StepFinished,
    StepSkipped,
    StepStarted,
    TargetName,
    Trouble,
    UndoFinished,
    UndoStarted,
    Waited,
    time_of,
)
from runner.runs.evidence import ApplyOrigin, Person, Starter, Unverified, VerdictBy
from runner.runs.hidden_answers import BY_HAND, HiddenAnswer, hidden_answer
from runner.runs.status import Status


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A person's answer about a row: `passed`, `failed`, `retry`, `yes` or `no`; who gave it, and when, in UTC."""

    verdict: str
    by: VerdictBy
    at: str


class StepResult(Row, frozen=True, kw_only=True):
    """A row, and its end as in `StepFinished`. `skipped_by` is `StepSkipped.by`, `judged` a person's last answer."""

    status: Status
    reason: str | None = None
    skipped_by: str | None = None
    flaky: bool = False
    verified: bool | str | None = None
    attempts: int = 0
    seconds: float = 0.0
    process_id: str | None = None
    result: Json = None
    outputs: JsonObject = msgspec.field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()
    error: Trouble | None = None
    unverified: Unverified | None = None
    running: bool = False
    item: Json = None
    judged: Judged | None = None


class RunResult(Struct, frozen=True, kw_only=True):
    """A run, as far as its events go. Without any event every text but `id` and `events` is empty."""

    id: str
    job: str
    file: str
    case: str | None
    target: TargetName
    status: RunStatus
    exit_code: ExitCode
    started_at: str
    seconds: float
    inputs: JsonObject
    outputs: JsonObject
    undo: str
    commit: str | None
    digest: str
    events: str  # the hash of the last line
    steps: tuple[StepResult, ...]
    error: Trouble | None
    finished: bool  # false where the events end before the run did
    help: str | None
    log_unreadable: Trouble | None  # why calls were not verified
    closing: bool = False  # its steps are over, and no resume returns to them
    resumed: int = 0  # how often
    resumed_by: Person | None = None
    held: bool = False  # it was left for a person to settle a doubt
    stop_ordered_by: Person | None = None  # who had a run of a fleet stopped
    applied: ApplyOrigin | None = None  # the `apply` that ordered it
    begun_by: Starter | None = None  # who gave the command
    rerun_of: str | None = None
    targets_file: str | None = None  # as the command named it that began the run
    given: Mapping[str, str] = {}  # by that command, as `-i` takes them
    variables: Mapping[str, str] = {}  # of the environment, by the secret inputs that they gave
    case_secrets: tuple[str, ...] = ()  # secret inputs that the case gave, which is read again
    unchecked: bool = False  # nothing said what its processes take
    hidden: HiddenAnswer | None = None  # an answer without which it is not resumed
    owes_undo: bool = False  # its last doubt was settled after its end, and it is not undone
    store: StoreName | None = None  # that it was read from


def fold(lines: Iterable[Line], *, run: str = "", store: StoreName | None = None) -> RunResult:
    """The result of a run from any prefix of its journal. A run under way looks like a run that broke off."""
    progress = Progress(run=run, store=store)
    for line in lines:
        progress.take(line)
    return progress.result()


def tally(steps: Iterable[StepResult]) -> dict[Status, int]:
    """How many rows ended in each status; every status is there."""
    counts = dict.fromkeys(Status, 0)
    for step in steps:
        counts[step.status] += 1
    return counts


NOT_UNDONE_YET = "what was in doubt is settled, and what passed is not undone yet"


def worst(results: Iterable[RunResult]) -> RunStatus | None:
    """The status that speaks for several runs together; None of no runs."""
    found = {result.status for result in results}
    return next((status for status in reversed(RunStatus) if status in found), None)


_FROM_THE_START = (
    *("job", "file", "case", "target", "started_at", "inputs", "commit", "digest", "help", "rerun_of"),
    *("applied", "begun_by", "targets_file", "given", "variables", "case_secrets", "unchecked"),
)
_OfRun: TypeAlias = RunStarted | RunResumed | LogUnreadable | RunClosing | UndoStarted | UndoFinished | RunFinished


class Progress:
    """A run of `store` as far as its lines go; `head` is the last line's hash."""

    def __init__(self, *, run: str = "", store: StoreName | None = None) -> None:
        self.store = store
        self._started = _before_first_line(run)
        self._finished: RunFinished | None = None
        self._settled = False
        self._ended: dict[str, StepResult] = {}
        self._open: dict[str, BegunRow] = {}
        self._log_unreadable: Trouble | None = None
        self._closing = False
        self._stopped_by: str | None = None
        self._stop_ordered_by: Person | None = None
        self._undo = "none"
        self._hidden: HiddenAnswer | None = None
        self._resumed = 0
        self._resumed_by: Person | None = None
        self._rows: dict[str, Row] = {}
        self._judged: dict[str, Judged] = {}
        self._answers: set[str] = set()  # keys of rows whose result is known by the answer to a `once` call
        self._t = 0.0
        self.head = FIRST_PREV

    def take(self, line: Line) -> StepResult | None:
        """Add a line; the row that ended with it, if any did."""
        ended = self._take(line)
        self.head = line.sha256  # last: where it is that of the journal, nothing is left to add
        return ended

    def _take(self, line: Line) -> StepResult | None:
        event = line.event
        self._t = max(self._t, time_of(event))
        match event:
            case CallSent() | CallAnswered():  # the most frequent first
                self._call(event)
            case StepStarted(row=row):
                self._rows[row.key] = row
                self._ended.pop(row.key, None)
                self._open[row.key] = BegunRow(row, event.t)
            case StepFinished():
                self._settled = self._finished is not None
                return self._end(_step(self._row(event.key).row, event))
            case Asked():
                self._ask(event, line.at)
            case StepSkipped():
                return self._end(_skipped(event))
            case AttemptFailed(kind=kind) if kind == GIVEN_UP:
                self._stopped_by = event.stopped_by
            case AttemptFailed():
                self._call(event)
            case Paused() | SignedIn() | Waited():
                pass
            case _:
                self._take_run_event(event)
        return None

    def _ask(self, event: Asked, at: str) -> None:
        """Remember which answer a person gave about a row."""
        if event.by is None:
            return
        key, verdict = event.key, event.value
        if isinstance(verdict, dict):
            key, verdict = str(verdict.get("key", key)), verdict.get("as")
        word = {True: "yes", False: "no"}.get(verdict, verdict) if isinstance(verdict, bool) else verdict
        self._judged[key] = Judged(verdict=str(word), by=event.by, at=at)

    def running(self) -> Row | None:
        """The row that is being carried out, the innermost where a row holds others."""
        return next((row.row for row in reversed(self._open.values())), None)

    def cut_off(self) -> tuple[StepResult, ...]:
        """The rows without an end, the innermost first, as they ended were this the last line."""
        return tuple(self._cut_off(row) for row in reversed(self._open.values()))

    def result(self) -> RunResult:
        """The result, if this were the last line. Rows are in the order of their ends, open rows last."""
        steps = tuple((self._ended | {step.key: step for step in self.cut_off()}).values())
        started, ended, doubt = self._started, self._finished, any(step.status is Status.UNKNOWN for step in steps)
        if ended is not None and ended.status is RunStatus.UNKNOWN and self._settled and not doubt:
            ended = None  # what the run does then is not done, or not written down
        ending = ended or self._without_end(doubt=doubt)
        return RunResult(
            id=started.run,
            **{name: getattr(started, name) for name in _FROM_THE_START},
            status=ending.status,
            exit_code=_exit_code(ending.exit_code),
            seconds=ending.t,
            outputs=ending.outputs,
            undo=ending.undo,
            events="sha256:" + self.head,
            steps=steps,
            error=ending.error,
            finished=ended is not None,
            owes_undo=self._finished is not None and ended is None,
            log_unreadable=self._log_unreadable,
            closing=self._closing,
            resumed=self._resumed,
            resumed_by=self._resumed_by,
            stop_ordered_by=self._stop_ordered_by,
            hidden=self._hidden,
            store=self.store,
            held=ended is None and any(row.in_doubt and row.doubt is not None for row in self._open.values()),
        )

    def _without_end(self, *, doubt: bool) -> RunFinished:
        """How a run ended that broke off: never well, and in doubt where a row of it is."""
        status, code = (RunStatus.UNKNOWN, ExitCode.UNKNOWN) if doubt else (RunStatus.ERROR, ExitCode.NO_ANSWER)
        trouble = Trouble(code="E312", message="the run broke off", hint="a run that is still under way looks the same")
        if self._finished is not None:
            status, code = RunStatus.FAILED, ExitCode.FAILED
            trouble = Trouble(code="E312", message=NOT_UNDONE_YET, hint="`runner resume` undoes it")
        elif self._stopped_by is not None:
            status = status if doubt else RunStatus.CANCELLED
            code = STOPPED.get(self._stopped_by, ExitCode.INTERRUPTED)
            by = self._stopped_by if self._stop_ordered_by is None else self._stop_ordered_by.called
            trouble = Trouble(code="E312", message=f"{by} stopped the run, and its end was not waited for")
        return RunFinished(t=self._t, status=status, exit_code=code, undo=self._undo, error=trouble)

    def _call(self, event: CallSent | CallAnswered | AttemptFailed) -> None:
        row = self._row(event.key)
        match event:
            case CallSent():
                row.send(event)
                if event.effect == "once":
                    self._answers.discard(event.key)
                if row.in_doubt:
                    self._open[event.key] = row
            case CallAnswered():
                row.answer()
                if row.answered and _holds_result(event.value):
                    self._answers.add(event.key)
                if self._hidden is None or not self._hidden.is_certain:
                    self._hidden = hidden_answer(event, row.row) or self._hidden
            case AttemptFailed():
                row.fail(event)
                if event.ordered_by is not None:
                    self._stop_ordered_by = event.ordered_by

    def _take_run_event(self, event: _OfRun) -> None:
        match event:
            case RunStarted():
                self._started = event
            case RunResumed():
                self._stopped_by = None
                self._resumed += 1
                self._resumed_by = event.resumed_by
            case LogUnreadable():
                self._log_unreadable = event.error
            case RunClosing():
                self._closing = True
            case UndoStarted():
                self._undo, self._finished = "incomplete", None
            case UndoFinished(undo=undo):
                self._undo = undo
            case RunFinished():
                self._finished = event
            case _:
                assert_never(event)

    def _row(self, key: str) -> BegunRow:
        """The row of `key`, open or ended, to be settled; an empty row where no line began it."""
        return self._open.get(key) or BegunRow(self._rows.get(key) or _row_called(key), self._t)

    def _end(self, step: StepResult) -> StepResult:
        if judged := self._judged.get(step.key):
            step = msgspec.structs.replace(step, judged=judged)
        step = self._with_answer(step)
        self._open.pop(step.key, None)
        self._ended[step.key] = step
        return step

    def _cut_off(self, row: BegunRow) -> StepResult:
        """A row without an end, as it ended were this the last line."""
        trouble = row.trouble()
        if self._hidden is not None and self._hidden.is_certain:
            trouble = msgspec.structs.replace(trouble, hint=BY_HAND)
        ending = StepFinished(
            key=row.row.key,
            t=self._t,
            status=Status.UNKNOWN if row.in_doubt else Status.ERROR,
            seconds=self._t - row.started,
            attempts=row.attempts(),
            error=trouble,
            unverified=Unverified.BY_HAND if row.in_doubt and row.by_hand else None,
        )
        return self._with_answer(_step(row.row, ending))

    def _with_answer(self, step: StepResult) -> StepResult:
        is_known = step.needs_result and step.key in self._answers
        return msgspec.structs.replace(step, needs_result=False) if is_known else step


_ROW_FIELDS = Row.__struct_fields__
_END_FIELDS = tuple(name for name in StepFinished.__struct_fields__ if name not in ("key", "t"))
_row_values = attrgetter(*_ROW_FIELDS)
_end_values = attrgetter(*_END_FIELDS)


def _step(row: Row, event: StepFinished) -> StepResult:
    fields: dict[str, Any] = dict(zip(_ROW_FIELDS, _row_values(row), strict=True))
    fields.update(zip(_END_FIELDS, _end_values(event), strict=True))
    return StepResult(**fields)


def _holds_result(answer: Json) -> bool:
    """Whether an answer has a value, that of a `run` a value for each of its results."""
    if not isinstance(answer, dict) or "results" not in answer:
        return answer is not None
    results = answer["results"]
    return isinstance(results, dict) and bool(results) and None not in results.values()


def _skipped(event: StepSkipped) -> StepResult:
    row = msgspec.structs.asdict(event.row)
    return StepResult(**row, status=Status.SKIPPED, reason=event.reason, skipped_by=event.by, item=event.item)


def _row_called(key: str) -> Row:
    return Row(key=key, id=None, name=key, kind="execute", section=Section.STEPS, index=None, line=0)


def _before_first_line(run: str) -> RunStarted:
    return RunStarted(
        run=run,
        engine="",
        replay=0,
        job="",
        file="",
        case=None,
        target=TargetName(name="", url="", sandbox=False),
        inputs={},
        digest="",
        commit=None,
        started_at="",
    )


_EXIT_CODES = frozenset(ExitCode)


def _exit_code(code: int) -> ExitCode:
    """A code that this program never gives can only come of a fault."""
    return ExitCode(code) if code in _EXIT_CODES else ExitCode.FAULT

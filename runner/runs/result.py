"""A run as its events tell it: `fold` makes one `RunResult` of a journal, whole or broken off anywhere.

It is a pure function: no file is read, no clock asked, no chain of hashes checked. What the engine wrote down is
taken as it stands; only where lines are missing is anything concluded, and never that something passed.
Texts and values keep their holes: who prints them fills in the `***`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from runner.foundation.problems import STOPPED, ExitCode
from runner.foundation.values import Json, JsonObject
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
    Status,
    StepFinished,
    StepSkipped,
    StepStarted,
    TargetName,
    Trouble,
    UndoFinished,
    UndoStarted,
    Waited,
)
from runner.runs.open_rows import OpenRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """One row of a run: its `Row`, and how it ended as in `StepFinished`. `skipped_by` is `StepSkipped.by`."""

    key: str
    id: str | None
    name: str
    kind: str
    section: Section
    index: int | None
    line: int
    help: str | None
    status: Status
    reason: str | None = None
    skipped_by: str | None = None
    flaky: bool = False
    verified: bool | str | None = None
    attempts: int = 0
    seconds: float = 0.0
    process_id: str | None = None
    result: Json = None
    outputs: JsonObject = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()
    error: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A run, as far as its events go. `finished` is false where they end before the run did.

    Where not even the first line is left, every text but `id` and `events` is empty.
    `events` is the hash of the last line: with it a later edit of the journal shows.
    `log_unreadable` says why calls of this run were not verified, None where the process log could be read.
    `closing`: its steps are over, and no resume returns to them. `resumed`: how often it was. `held`: it was left where
    a call is in doubt, for a person to settle.
    """

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
    events: str
    steps: tuple[StepResult, ...]
    error: Trouble | None
    finished: bool
    help: str | None
    log_unreadable: Trouble | None
    closing: bool = False
    resumed: int = 0
    held: bool = False


def fold(lines: Iterable[Line], *, run: str = "") -> RunResult:
    """The result of a run from any beginning of its journal; `run` is its id where no line is left to tell it.

    A run that is still going on looks the same as one that broke off.
    """
    progress = Progress(run=run)
    for line in lines:
        progress.take(line)
    return progress.result()


def tally(steps: Iterable[StepResult]) -> dict[Status, int]:
    """How many rows ended in each status; every status is there."""
    counts = dict.fromkeys(Status, 0)
    for step in steps:
        counts[step.status] += 1
    return counts


_WORST_FIRST = (
    RunStatus.REFUSED,
    RunStatus.UNKNOWN,
    RunStatus.CANCELLED,
    RunStatus.ERROR,
    RunStatus.FAILED,
    RunStatus.PASSED,
)


def worst(results: Iterable[RunResult]) -> RunStatus | None:
    """The status that speaks for several runs together; None of no runs."""
    found = {result.status for result in results}
    return next((status for status in _WORST_FIRST if status in found), None)


_OfRun: TypeAlias = RunStarted | RunResumed | LogUnreadable | RunClosing | UndoStarted | UndoFinished | RunFinished


class Progress:
    """A run as far as it has been told. It takes lines in their order, and gives a result after any of them."""

    def __init__(self, *, run: str = "") -> None:
        self._started = _nothing_told(run)
        self._finished: RunFinished | None = None
        self._ended: dict[str, StepResult] = {}
        self._open: dict[str, OpenRow] = {}
        self._log_unreadable: Trouble | None = None
        self._closing = False
        self._stopped_by: str | None = None
        self._undo = "none"
        self._resumed = 0
        self._rows: dict[str, Row] = {}
        self._t = 0.0
        self._head = FIRST_PREV

    def take(self, line: Line) -> StepResult | None:
        """Add what one line tells; the row that ended with it, if one did."""
        event = line.event
        self._head = line.sha256
        if not isinstance(event, _WITHOUT_TIME):
            self._t = max(self._t, event.t)
        match event:
            case StepStarted(row=row):
                self._rows[row.key] = row
                self._ended.pop(row.key, None)
                self._open[row.key] = OpenRow(row, event.t)
            case StepFinished():
                return self._end(_step(self._row(event.key).row, event))
            case StepSkipped(row=row):
                return self._end(replace(_step(row, _skipped(event)), skipped_by=event.by))
            case AttemptFailed(kind=kind) if kind == GIVEN_UP:
                self._stopped_by = event.signal
            case CallSent() | CallAnswered() | AttemptFailed():
                self._call(event)
            case Paused() | Waited() | Asked():
                pass
            case _:
                self._of_run(event)
        return None

    def running(self) -> Row | None:
        """The row that is being carried out, the innermost where one holds others."""
        return next((row.row for row in reversed(self._open.values())), None)

    def cut_off(self) -> tuple[StepResult, ...]:
        """The rows without an end, the innermost first, as they are told were this the last line."""
        return tuple(self._cut_off(row) for row in reversed(self._open.values()))

    def result(self) -> RunResult:
        """The run, were this its last line. Rows stand in the order in which they ended, those without an end last."""
        steps = tuple((self._ended | {step.key: step for step in self.cut_off()}).values())
        ending = self._finished or _without_end(self._t, steps, undo=self._undo, stopped_by=self._stopped_by)
        started = self._started
        return RunResult(
            id=started.run,
            job=started.job,
            file=started.file,
            case=started.case,
            target=started.target,
            status=ending.status,
            exit_code=_exit_code(ending.exit_code),
            started_at=started.started_at,
            seconds=ending.t,
            inputs=started.inputs,
            outputs=ending.outputs,
            undo=ending.undo,
            commit=started.commit,
            digest=started.digest,
            events="sha256:" + self._head,
            steps=steps,
            error=ending.error,
            finished=self._finished is not None,
            help=started.help,
            log_unreadable=self._log_unreadable,
            closing=self._closing,
            resumed=self._resumed,
            held=self._finished is None and any(row.in_doubt and row.doubt is not None for row in self._open.values()),
        )

    def _call(self, event: CallSent | CallAnswered | AttemptFailed) -> None:
        row = self._row(event.key)
        match event:
            case CallSent():
                row.send(event)
                if row.in_doubt:
                    self._open[event.key] = row
            case CallAnswered():
                row.answer()
            case AttemptFailed():
                row.fail(event)

    def _of_run(self, event: _OfRun) -> None:
        match event:
            case RunStarted():
                self._started = event
            case RunResumed():
                self._stopped_by = None
                self._resumed += 1
            case LogUnreadable():
                self._log_unreadable = event.error
            case RunClosing():
                self._closing = True
            case UndoStarted():
                self._undo = "incomplete"
            case UndoFinished(undo=undo):
                self._undo = undo
            case RunFinished():
                self._finished = event
            case _:
                assert_never(event)

    def _row(self, key: str) -> OpenRow:
        """The open row of `key`; one that has ended, to be settled; or an empty one where no line began it.

        A journal is never so, its reader may be.
        """
        return self._open.get(key) or OpenRow(self._rows.get(key) or _row_called(key), self._t)

    def _end(self, step: StepResult) -> StepResult:
        self._open.pop(step.key, None)
        self._ended[step.key] = step
        return step

    def _cut_off(self, row: OpenRow) -> StepResult:
        """What is to be said of a row without an end."""
        ending = StepFinished(
            key=row.row.key,
            t=self._t,
            status=Status.UNKNOWN if row.in_doubt else Status.ERROR,
            seconds=self._t - row.started,
            attempts=row.attempts(),
            error=row.trouble(),
        )
        return _step(row.row, ending)


_WITHOUT_TIME = (RunStarted, CallSent, LogUnreadable, StepSkipped)


def _step(row: Row, event: StepFinished) -> StepResult:
    return StepResult(
        key=row.key,
        id=row.id,
        name=row.name,
        kind=row.kind,
        section=row.section,
        index=row.index,
        line=row.line,
        help=row.help,
        status=event.status,
        reason=event.reason,
        flaky=event.flaky,
        verified=event.verified,
        attempts=event.attempts,
        seconds=event.seconds,
        process_id=event.process_id,
        result=event.result,
        outputs=event.outputs,
        checks=event.checks,
        warnings=event.warnings,
        error=event.error,
    )


def _skipped(event: StepSkipped) -> StepFinished:
    return StepFinished(key=event.row.key, t=0.0, status=Status.SKIPPED, seconds=0.0, attempts=0, reason=event.reason)


def _row_called(key: str) -> Row:
    return Row(key=key, id=None, name=key, kind="execute", section=Section.STEPS, index=None, line=0)


def _nothing_told(run: str) -> RunStarted:
    return RunStarted(
        run=run,
        engine="",
        job="",
        file="",
        case=None,
        target=TargetName(name="", url="", sandbox=False),
        inputs={},
        digest="",
        commit=None,
        started_at="",
    )


def _without_end(t: float, steps: Iterable[StepResult], *, undo: str, stopped_by: str | None) -> RunFinished:
    """How a run ended that broke off: never well, and in doubt where one of its rows is."""
    doubt = any(step.status is Status.UNKNOWN for step in steps)
    status, code = (RunStatus.UNKNOWN, ExitCode.UNKNOWN) if doubt else (RunStatus.ERROR, ExitCode.NO_ANSWER)
    if stopped_by is not None:
        status = status if doubt else RunStatus.CANCELLED
        code = STOPPED.get(stopped_by, ExitCode.INTERRUPTED)
        trouble = Trouble(code="E312", message=f"{stopped_by} stopped the run, and its end was not waited for")
        return RunFinished(t=t, status=status, exit_code=code, undo=undo, error=trouble)
    trouble = Trouble(code="E312", message="the run broke off", hint="a run that is still going on looks the same")
    return RunFinished(t=t, status=status, exit_code=code, undo=undo, error=trouble)


_EXIT_CODES = frozenset(ExitCode)


def _exit_code(code: int) -> ExitCode:
    """A code that this program never gives can only come of a fault."""
    return ExitCode(code) if code in _EXIT_CODES else ExitCode.FAULT

"""The events of a run, as frozen records, and the lines of the journal.

Reports, `show` and a resumed run know of an earlier run by these alone. The journal adds `v`, `seq`, `at` and `prev`;
`Line` has both. `t` and `seconds` are active time; a row is identified by its `key`.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from runner.foundation.problems import ExitCode
from runner.runs import evidence
from runner.runs.status import Status

VERSION = 2
FIRST_PREV = "0" * 64


class RunStatus(StrEnum):
    """The worst is the last: it speaks for several runs together."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    REFUSED = "refused"


EXIT_CODES: Final = {
    RunStatus.PASSED: ExitCode.PASSED,
    RunStatus.FAILED: ExitCode.FAILED,
    RunStatus.ERROR: ExitCode.NO_ANSWER,
    RunStatus.CANCELLED: ExitCode.INTERRUPTED,  # where nobody knows the signal
    RunStatus.UNKNOWN: ExitCode.UNKNOWN,
    RunStatus.REFUSED: ExitCode.REFUSED,
}


class Section(StrEnum):
    STEPS = "steps"
    UNDO = "undo"
    FINALLY = "finally"


class Trouble(evidence.Record, frozen=True):
    """Why something did not pass: a code of `runner.foundation.problems.CODES`, a sentence, and what to try."""

    code: str
    message: str
    hint: str | None = None


class Row(evidence.Record, frozen=True, omit_defaults=True):
    """What a report knows of a step before it began, as the job has it. What has a default only proves."""

    key: str
    id: str | None
    name: str
    kind: str  # the action's key
    section: Section
    index: int | None
    line: int
    help: str | None = None  # for people
    effect: str | None = None
    on_failure: str | None = None
    condition: str | None = msgspec.field(default=None, name="if")
    process: str | None = None  # its code, perhaps with a template
    max_attempts: int | None = None
    needs_result: bool = False  # `once`, and the job needs its result, which no log has


class Check(evidence.Record, frozen=True, omit_defaults=True):
    """An expectation as it was evaluated; `message` says why it is not met, None where it is."""

    that: str
    passed: bool
    message: str | None = None
    differences: tuple[evidence.Difference, ...] = ()


class TargetName(evidence.Record, frozen=True):
    name: str
    url: str
    sandbox: bool


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", gc=False, omit_defaults=True):
    """What happened. A field that has its default is left out of the line."""


class RowEvent(Event, frozen=True):
    """What happened to the row `key`, at the active second `t`."""

    key: str
    t: float


class RunFacts(Event, frozen=True, kw_only=True):
    """What a run knows about itself, beside its plan."""

    run: str  # its id, a UUIDv7
    engine: str  # the version of the program
    started_at: str  # UTC, `…Z`
    commit: str | None  # of the checkout
    dirty: bool | None = None  # files differ from the commit
    command: str | None = None  # an id that the runs of a command share
    ci: evidence.CiRun | None = None
    access: evidence.SiteAccess | None = None
    traceparent: str | None = None  # the span of OpenTelemetry around the command, as W3C writes it
    rerun_of: str | None = None  # the run that it repeats
    applied: evidence.ApplyOrigin | None = None  # the `apply` that ordered it
    begun_by: evidence.Starter | None = None  # who gave the command
    variables: dict[str, str] = {}
    case_secrets: tuple[str, ...] = ()  # secret inputs that the case gave
    targets_file: str | None = None  # as the command named it
    given: dict[str, str] = {}  # inputs by the command, as `-i` takes them; `@FILE` for what no command can hold


class RunStarted(RunFacts, frozen=True, kw_only=True, tag="run.started"):
    """The run began."""

    replay: int  # a program with this number resumes it
    job: str
    file: str  # as the user named it
    case: str | None
    target: TargetName
    inputs: dict[str, evidence.StoredValue]
    digest: str
    help: str | None = None
    rows: int | None = None  # how many are planned, if that is known
    tags: tuple[str, ...] = ()
    description: str | None = None
    source: str | None = None  # a hash of the texts of the job's files
    unchecked: bool = False  # nothing said what its processes take


class RunResumed(Event, frozen=True, tag="run.resumed"):
    """The run had broken off, or somebody came to settle a doubt."""

    t: float  # where its active time goes on
    resumed_by: evidence.Person | None = None  # who gave the command; no worker says it
    ci: evidence.CiRun | None = None


class StepStarted(Event, frozen=True, tag="step.started"):
    row: Row
    t: float


class CallSent(RowEvent, frozen=True, tag="call.sent"):
    """Written before the call leaves."""

    effect: str
    call: dict[str, evidence.StoredValue]
    watermark: dict[str, evidence.StoredValue] | None = None  # the newest known row of its process
    request: evidence.SentRequest | None = None
    delayed: float | None = None  # by so many seconds of the wall clock, if it leaves late


class CallAnswered(RowEvent, frozen=True, tag="call.answered"):
    """`date` is the server's own time, by its header; `bytes` the size of the answer's body, `status` that of HTTP."""

    value: evidence.StoredValue
    date: str | None = None
    status: int | None = None
    bytes: int | None = None


class AttemptFailed(RowEvent, frozen=True, tag="attempt.failed"):
    """An attempt failed.

    `kind` is of a call `not_sent`, `turned_away`, `refused` or `unanswered`; else `expectation`, `in_doubt` (a person
    is asked), or `stopped` (the effect was not performed).
    """

    kind: str
    error: Trouble
    status: int | None = None
    retry_after: float | None = None
    final: bool = False  # repeating cannot help; of `stopped`: nothing more is performed
    date: str | None = None  # as in `CallAnswered`
    body: str | None = None  # the start of the answer
    stopped_by: str = ""  # the signal that stopped the run
    ordered_by: evidence.Person | None = None  # who had a run of a fleet stopped
    bytes: int | None = None
    unproved: bool = False  # of `refused`: it may be a proxy's, and proves nothing
    by_hand: bool = False  # of `in_doubt`: only a person can settle it


GIVEN_UP = "given_up"  # `AttemptFailed.kind`, without a key: the run had to stop, and its end was not waited for


def stopped(
    signal: str, *, key: str, t: float, kind: str = "stopped", final: bool, ordered_by: evidence.Person | None = None
) -> AttemptFailed:
    """A signal stopped the run, at the row `key` where it is known."""
    error = Trouble(code="E312", message=f"stopped: {signal}")
    return AttemptFailed(key=key, t=t, kind=kind, error=error, final=final, stopped_by=signal, ordered_by=ordered_by)


class Paused(RowEvent, frozen=True, tag="paused"):
    seconds: float
    why: evidence.PauseReason | None = None


class SignedIn(RowEvent, frozen=True, tag="signed.in"):
    """A session was opened for a call of the row. `kind` says how: `password` or `client_credentials`."""

    seconds: float
    kind: str


class WaitsFor(StrEnum):
    """What a run waits for that is nobody's work."""

    TURN = "turn"
    RATE = "rate"
    LOCK = "lock"


class Waited(RowEvent, frozen=True, tag="waited"):
    """A call waits before it is sent, or with an empty key the run for its lock. That is no active time."""

    what: WaitsFor
    seconds: float | None = None  # None where the wait begins
    name: str | None = None  # of the lock or the process
    held_by: evidence.LockHolder | None = None


class Asked(RowEvent, frozen=True, tag="asked"):
    """The answer to a question.

    A person grants a `confirm` (a boolean), or gives a verdict: `{"as": …}` with `passed` (perhaps `result`), `failed`,
    `retry` (perhaps `even_though`), `log` (look again) or `unknown` (go on). Of other runs: `{"taken": […], "rival":
    …}`, as `Others` of `runner.runs.store`.
    """

    value: evidence.StoredValue
    by: evidence.VerdictBy | None = None  # the person who answered


class LogUnreadable(Event, frozen=True, tag="log.unreadable"):
    """The process log of this target cannot be read; calls of this run are not verified from here on."""

    error: Trouble


class StepFinished(RowEvent, frozen=True, tag="step.finished"):
    """The row of `key` has ended."""

    status: Status
    seconds: float
    attempts: int
    flaky: bool = False
    verified: bool | str | None = None  # False: the log contradicts; "inferred"; None: see `unverified`
    process_id: str | None = None
    result: evidence.StoredValue = None
    outputs: dict[str, evidence.StoredValue] = {}
    checks: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str | None = None  # of a special end: `stopped`, by the host
    error: Trouble | None = None
    unverified: evidence.Unverified | None = None
    running: bool = False  # it passed, and its process ran at the last look
    item: evidence.StoredValue = None  # of `for_each`, where its turn did not pass


class StepSkipped(Event, frozen=True, tag="step.skipped"):
    """`reason`: `condition` (of `if`), `nothing` (of `for_each`) or `stopped`, perhaps `by` the step of this key."""

    row: Row
    reason: str
    by: str | None = None
    item: evidence.StoredValue = None  # of a turn


class RunClosing(Event, frozen=True, tag="run.closing"):
    """The steps have ended: `why` is `done`, `stopped` (by a step), or what stopped the host."""

    t: float
    why: str


class UndoStarted(Event, frozen=True, tag="undo.started"):
    """Passed steps are undone from here on, the last first."""

    t: float


class UndoFinished(Event, frozen=True, tag="undo.finished"):
    """`undo` is `complete` or `incomplete`: it is also that where a process had not ended at the last look."""

    t: float
    undo: str


class RunFinished(Event, frozen=True, tag="run.finished"):
    t: float
    status: RunStatus
    exit_code: int
    outputs: dict[str, evidence.StoredValue] = {}
    undo: str = "none"
    error: Trouble | None = None


AnyEvent: TypeAlias = (
    RunStarted
    | RunResumed
    | StepStarted
    | CallSent
    | CallAnswered
    | AttemptFailed
    | Paused
    | SignedIn
    | Waited
    | Asked
    | LogUnreadable
    | StepFinished
    | StepSkipped
    | RunClosing
    | UndoStarted
    | UndoFinished
    | RunFinished
)


class Line(evidence.Record, frozen=True):
    """A line of a journal. `sha256` is of the line's bytes, without its line end: the next line's `prev`."""

    seq: int
    at: str
    prev: str
    event: AnyEvent
    sha256: str


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def run_started(lines: Sequence[Line]) -> RunStarted | None:
    """What a run says of itself in its first event; None where that is lost."""
    first = lines[0].event if lines else None
    return first if isinstance(first, RunStarted) else None


def lock_waits(lines: Iterable[Line]) -> tuple[Waited, ...]:
    """The waits for locks, each before the run began or was resumed."""
    return tuple(line.event for line in lines if isinstance(line.event, Waited) and not line.event.key)


def time_of(event: AnyEvent) -> float:
    """The run's active seconds at which the event happened; 0 of an event that does not say."""
    t = getattr(event, "t", None)
    return t if isinstance(t, (float, int)) else 0.0


def encode(event: AnyEvent) -> bytes:
    """Write `event` as a JSON object, on a line, without the journal's own fields."""
    return _encoder.encode(event)


def decode(body: bytes) -> AnyEvent:
    """Read what `encode` wrote, but for unknown fields. Raises `ValueError`, as msgspec's errors are."""
    return _decoder.decode(body)

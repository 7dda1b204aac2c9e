"""What happened in a run, as frozen records, and the line of the journal that each of them is.

These records are the only thing that reports, `show` and a resumed run know of an earlier run.
The journal puts `v`, `seq`, `at` and `prev` around a record; `Line` is both together, read back.
`t` and `seconds` count the run's active time; a step's rows are identified by `key` alone.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeAlias

import msgspec

from runner.runs import evidence
from runner.runs.status import Status

VERSION = 2
FIRST_PREV = "0" * 64


class RunStatus(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    REFUSED = "refused"


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
    """What a report knows of a step before it began. `kind` is the action's key; `help` is for people.

    The rest is evidence, as the job has it: `condition` is its `if`, `process` the code, perhaps with a template.
    `needs_result`: it must not happen twice, and the job needs its result, which no process log has.
    """

    key: str
    id: str | None
    name: str
    kind: str
    section: Section
    index: int | None
    line: int
    help: str | None = None
    effect: str | None = None
    on_failure: str | None = None
    condition: str | None = msgspec.field(default=None, name="if")
    process: str | None = None
    max_attempts: int | None = None
    needs_result: bool = False


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
    """What a run knows about itself, beside its plan. `run` is its id, a UUIDv7; `engine` the version of the program;
    `started_at` is UTC, `…Z`; `commit` that of the checkout, `dirty`: files there differ from it.

    `command` is an id that the runs of a command share. `traceparent` is the span of OpenTelemetry that the command was
    started in, as W3C writes it. `rerun_of` is the run that it carries out once more, `applied` where an `apply`
    ordered it, `begun_by` who gave the command. `variables` gave secret inputs, by the names of these.
    """

    run: str
    engine: str
    started_at: str
    commit: str | None
    dirty: bool | None = None
    command: str | None = None
    ci: evidence.CiRun | None = None
    access: evidence.SiteAccess | None = None
    traceparent: str | None = None
    rerun_of: str | None = None
    applied: evidence.ApplyOrigin | None = None
    begun_by: evidence.Starter | None = None
    variables: dict[str, str] = {}


class RunStarted(RunFacts, frozen=True, kw_only=True, tag="run.started"):
    """`file` is as the user named it. `rows` is how many are planned, None where nobody can know; `source` a hash of
    the texts of the job's files; a program with the number `replay` resumes the run.
    """

    replay: int
    job: str
    file: str
    case: str | None
    target: TargetName
    inputs: dict[str, evidence.Value]
    digest: str
    help: str | None = None
    rows: int | None = None
    tags: tuple[str, ...] = ()
    description: str | None = None
    source: str | None = None


class RunResumed(Event, frozen=True, tag="run.resumed"):
    """The run had broken off, or somebody came to settle what was in doubt. `t` is where its active time goes on,
    `resumed_by` who gave the command, `ci` the CI job that did; a worker of a fleet does not say.
    """

    t: float
    resumed_by: evidence.Person | None = None
    ci: evidence.CiRun | None = None


class StepStarted(Event, frozen=True, tag="step.started"):
    row: Row
    t: float


class CallSent(RowEvent, frozen=True, tag="call.sent"):
    """Written before the call leaves. `call` is its record; `watermark` the newest known row of its process.
    `delayed`: where it leaves later than it was made ready, by so many seconds of the clock on the wall.
    """

    effect: str
    call: dict[str, evidence.Value]
    watermark: dict[str, evidence.Value] | None = None
    request: evidence.SentRequest | None = None
    delayed: float | None = None


class CallAnswered(RowEvent, frozen=True, tag="call.answered"):
    """`date` is the server's own time, by its header; `bytes` the size of the answer's body, `status` that of HTTP."""

    value: evidence.Value
    date: str | None = None
    status: int | None = None
    bytes: int | None = None


class AttemptFailed(RowEvent, frozen=True, tag="attempt.failed"):
    """`kind` is `not_sent`, `turned_away`, `refused`, `unanswered` (a call), `expectation` (the attempt was not what
    was expected), `in_doubt` (nobody knows how it ended, and a person is asked) or `stopped` (the host had to
    stop; the effect was not performed). `final`: repeating cannot help; of `stopped`: nothing will be performed any
    more. `date` is as in `CallAnswered`; `nothing_ran`: of `turned_away`, the answer proves that nothing was started;
    `unproved`: of `refused`, that it may be a proxy's, so that it does not prove that. `body` is the start of what the
    service answered. `stopped_by` is the signal that stopped the run, and `ordered_by` who ordered that of a fleet.
    `by_hand`: of `in_doubt`, that only a person can settle it.
    """

    kind: str
    error: Trouble
    status: int | None = None
    retry_after: float | None = None
    final: bool = False
    date: str | None = None
    nothing_ran: bool = False
    body: str | None = None
    stopped_by: str = ""
    ordered_by: evidence.Person | None = None
    bytes: int | None = None
    unproved: bool = False
    by_hand: bool = False


GIVEN_UP = "given_up"
"""`AttemptFailed.kind`, without a key: the run had to stop, and its end was not waited for."""


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
    """A call waits before it is sent: for the end of another start of its process (`turn`), or for the target's `rate`.
    Or the run, before its first step, with an empty key: for the `lock` that its job names.

    That is no active time of the run. `seconds` is None where it begins to wait, else how long it has waited. `name` is
    that of the lock or the process, and `held_by` who had it.
    """

    what: WaitsFor
    seconds: float | None = None
    name: str | None = None
    held_by: evidence.LockHolder | None = None


class Asked(RowEvent, frozen=True, tag="asked"):
    """Somebody was asked: a person, whether a `confirm` is granted (a boolean), or how a call in doubt is to be taken;
    or what other runs know of starts of its process.

    To the second the answer is `{"as": …}` with `passed` (and perhaps `result`), `failed`, `retry` (perhaps
    `even_though` the process log shows a start), `log` (look again) or `unknown` (go on without knowing); to the third
    `{"taken": […], "rival": …}`, as `Others` of `runner.runs.store` has it: ids of processes that other runs have
    started, and whether they may have started a process without knowing which. `by` is the person who answered.
    """

    value: evidence.Value
    by: evidence.VerdictBy | None = None


class LogUnreadable(Event, frozen=True, tag="log.unreadable"):
    """The process log of this target cannot be read; calls of this run are not verified from here on."""

    error: Trouble


class StepFinished(RowEvent, frozen=True, tag="step.finished"):
    """The row of `key`, begun by its `step.started`, has ended.

    `verified`: True, False (the log contradicts), "inferred", or None: `unverified` says why. `reason` is None but for
    rows that ended in a way of their own (`stopped`: the host had to stop while it was under way). `running`: it passed
    as the process that it has started runs, which had not ended at the last look.
    """

    status: Status
    seconds: float
    attempts: int
    flaky: bool = False
    verified: bool | str | None = None
    process_id: str | None = None
    result: evidence.Value = None
    outputs: dict[str, evidence.Value] = {}
    checks: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str | None = None
    error: Trouble | None = None
    unverified: evidence.Unverified | None = None
    running: bool = False


class StepSkipped(Event, frozen=True, tag="step.skipped"):
    """`reason`: `condition` (of `if`), `nothing` (of `for_each`) or `stopped`, perhaps `by` the step of this key."""

    row: Row
    reason: str
    by: str | None = None


class RunClosing(Event, frozen=True, tag="run.closing"):
    """The steps have ended, for whatever reason: `done`, `stopped` (a step), or what stopped the host."""

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
    outputs: dict[str, evidence.Value] = {}
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
    """Write `event` as a JSON object, on one line, without the journal's own fields."""
    return _encoder.encode(event)


def decode(body: bytes) -> AnyEvent:
    """Read what `encode` wrote, but for unknown fields. Raises `ValueError`, as msgspec's errors are."""
    return _decoder.decode(body)

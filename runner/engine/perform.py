"""The only way of the engine to have an effect performed: within the time of its job, and until the host is stopped."""

from collections.abc import Sequence

from msgspec import Struct, convert
from msgspec.structs import replace

from runner.engine.effects import (
    Ask,
    Done,
    Effect,
    Failed,
    Note,
    Outcome,
    PollStop,
    QueryPeers,
    ResolveDoubt,
    Running,
    Send,
    Sleep,
    Stopped,
)
from runner.engine.state import OpenRow, RunState, State
from runner.foundation import server_time
from runner.foundation.values import JsonObject
from runner.runs.events import AnyEvent, StepSkipped
from runner.runs.evidence import PauseReason
from runner.runs.store import Others
from runner.service.calls import Call, FailureKind, FindFamily, ReadFamily, ReadRow, ReadRows, WhoAmI, WhoIsUser

TIMEOUT = "timeout"  # why a run closes whose time is over
LATE_SECONDS = 10.0
"""The time of the only look at the process log for a call in doubt when the time of the job is over."""


SLOW = 2.0  # seconds from which on an answer took long: a machine may have slept since the server wrote its time


class Interrupted(Exception):  # noqa: N818  no error: it unwinds to the only place that turns to undo and `finally`
    """A signal came, or the job's time is over, while an effect was asked for.

    Caught where the steps of a job are carried out. `over`: nothing is performed from here on. `turns` is what
    expressions see of the turns before the turn that was under way, where it was a turn; `left_out` are those after it,
    and the rest of a chain.
    """

    def __init__(self, why: str, *, over: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.over = over
        self.turns: list[JsonObject] | None = None
        self.left_out: Sequence[StepSkipped] = ()


def perform(row: OpenRow, effect: Send | Sleep | Ask) -> Running[Done | Failed]:
    """Have the host perform `effect` of `row` within what is left of the job's time.

    Raises `Interrupted` where the time is over, or a signal came.
    """
    before = row.t
    outcome = yield _within(row, effect)
    assert outcome is not None, "only a Note, or a PollStop, is answered with None"
    _take(row.state, outcome)
    if isinstance(outcome, Stopped):
        raise Interrupted(outcome.why, over=outcome.over)
    if isinstance(outcome, Failed) and outcome.failure.kind is FailureKind.NOT_SENT:
        row.not_sent_seconds += row.t - before
    return outcome


def send(
    row: OpenRow,
    call: Call,
    *,
    seconds: float | None = None,
    watermark: JsonObject | None = None,
    turn: str | None = None,
) -> Running[Done | Failed]:
    """Send a call of the step within `seconds`, or the time of an attempt."""
    step, seconds = row.step, row.attempt_seconds if seconds is None else seconds
    effect = Send(
        key=row.key, call=call, effect=step.effect, seconds=seconds, watermark=watermark, secret=step.secret, turn=turn
    )
    return (yield from perform(row, effect))


def pause(
    row: OpenRow, seconds: float, *, why: PauseReason = PauseReason.POLL, frees_turn: bool = False
) -> Running[None]:
    yield from perform(row, Sleep(key=row.key, seconds=seconds, why=why, frees_turn=frees_turn))


class Backoff(Struct, kw_only=True):
    """Pauses between looks. They grow from `next` to `longest` seconds, up to `deadline` in the run's active time."""

    next: float
    longest: float
    deadline: float
    growth: float = 1.5

    def is_over(self, row: OpenRow) -> bool:
        return row.t >= self.deadline

    def wait(self, row: OpenRow, *, frees_turn: bool = False) -> Running[None]:
        seconds = min(self.next, max(0.0, self.deadline - row.t))
        self.next = min(self.next * self.growth, self.longest)
        yield from pause(row, seconds, frees_turn=frees_turn)


def ask_verdict(state: State, rows: Sequence[OpenRow], *, ended: bool, refused: bool = False) -> Running[JsonObject]:
    """Ask for a verdict on rows in doubt. That takes no time of the job's, and no signal keeps it from being asked."""
    secret = frozenset(row.key for row in rows if row.step.secret)
    outcome = yield ResolveDoubt(keys=tuple(row.key for row in rows), ended=ended, refused=refused, secret=secret)
    return _answer(state, outcome)


def query_peers(state: State, query: QueryPeers) -> Running[Others]:
    """What other runs know of rows of the log. No signal keeps it from being asked."""
    return convert(_answer(state, (yield query)), Others)


def _answer(state: State, outcome: Outcome | None) -> JsonObject:
    assert isinstance(outcome, Done), "a question about doubts or peers is answered, or the run is left where it is"
    _take(state, outcome)
    return outcome.value if isinstance(outcome.value, dict) else {}


def check_stop(state: State) -> Running[bool]:
    """Called before anything of `steps` begins, and before a start is sent. Whether the run had broken off here.

    Raises `Interrupted` where a signal came, unless undo and `finally` are under way, which continue.
    """
    resumed = yield from poll_stop(state)
    if state.run.stopped_by is not None:
        if not state.cleans_up:
            raise Interrupted(state.run.stopped_by)
        if state.run.cleanup_ends is None:
            close_by(state.run)
            state.ends = state.run.cleanup_ends
    return resumed


def poll_stop(state: State) -> Running[bool]:
    """Learn of a signal that no effect was refused for, and of a break. Whether there was a break."""
    outcome = yield PollStop()
    if outcome is None:
        return False
    _take(state, outcome)
    if isinstance(outcome, Stopped):
        state.run.stopped_by = state.run.stopped_by or outcome.why
    return outcome.resumed


def close_by(run: RunState) -> None:
    """Let the time for undo and `finally` begin, if it has not: of included jobs and of the run together."""
    if run.cleanup_ends is None:
        run.cleanup_ends = run.t + run.plan.job.cleanup_timeout


def note(event: AnyEvent) -> Running[None]:
    yield Note(event)


def _take(state: State, outcome: Outcome) -> None:
    """Advance the time. What was known of the log before a run broke off is old, but for a call in doubt."""
    before, state.run.t = state.run.t, outcome.t
    if isinstance(outcome, Stopped):
        state.run.ordered_by = state.run.ordered_by or outcome.ordered_by
    log = state.run.log
    if outcome.resumed:
        log.breaks += 1
        log.clock = None
    date = outcome.date if isinstance(outcome, Done) else outcome.failure.date if isinstance(outcome, Failed) else None
    if date is not None and (now := server_time.parse_header(date)) is not None:
        log.clock = (now, outcome.t)
        log.slack = took if (took := outcome.t - before) > SLOW else 0.0
    if not outcome.resumed:
        return
    sent = {row.sought.process for row in state.run.open_rows if row.sought is not None}
    log.marks = {process: mark for process, mark in log.marks.items() if process in sent}
    log.versions = {process: replace(old, due=outcome.t, final=False) for process, old in log.versions.items()}
    log.refusal = log.library_refusal = None


def _within(row: OpenRow, effect: Send | Sleep | Ask) -> Effect:
    """The effect with no more time than the job has left. Raises `Interrupted` where it has none."""
    if row.state.ends is None:
        return effect
    left = row.state.ends - row.t
    if left <= 0:
        left = _left_for_last_look(row, effect)
    if left <= 0:
        raise Interrupted(TIMEOUT, over=True)
    if isinstance(effect, Sleep) and effect.seconds > 0:  # the host may make it longer by its jitter
        longer = min(effect.jitter, max(0.0, left / effect.seconds - 1))
        return replace(effect, seconds=min(effect.seconds, left), jitter=longer)
    return effect if effect.seconds is not None and effect.seconds <= left else replace(effect, seconds=left)


def _left_for_last_look(row: OpenRow, effect: Send | Sleep | Ask) -> float:
    """Seconds left for a look into the log for a start in doubt.

    The log is read once for each row; reading whose rows are ours, and of which versions, shares that time.
    """
    if not row.in_doubt or row.late or not isinstance(effect, Send):
        return 0.0
    if isinstance(effect.call, ReadRows | ReadRow):
        row.late = True
    elif not isinstance(effect.call, WhoAmI | WhoIsUser | FindFamily | ReadFamily):
        return 0.0
    if row.late_ends is None:
        row.late_ends = row.t + LATE_SECONDS
    return row.late_ends - row.t

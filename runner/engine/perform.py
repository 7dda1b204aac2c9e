"""The only way of the engine to have an effect performed: within the time of its job, and until the host is stopped."""

from collections.abc import Sequence
from dataclasses import replace

from runner.engine.effects import (
    Ask,
    Done,
    Effect,
    Failed,
    Note,
    Outcome,
    Pause,
    PollStop,
    QueryPeers,
    ResolveDoubt,
    Running,
    Send,
    Stopped,
)
from runner.engine.state import OpenRow, RunState, State
from runner.foundation import server_time
from runner.foundation.values import JsonObject
from runner.runs.events import AnyEvent
from runner.service.calls import FailureKind, FindFamily, ReadFamily, ReadRow, ReadRows, WhoAmI, WhoIsUser

TIMEOUT = "timeout"
"""Why a run closes whose time is over."""
LATE_SECONDS = 10.0
"""The time of the one look at the process log that is taken of a call in doubt when the time of the job is over."""


class Interrupted(Exception):  # noqa: N818  no error: it unwinds to the one place that turns to undo and `finally`
    """The host was told to stop, or the job's time is over, while an effect was asked for.

    Caught where the steps of a job are carried out. `over`: nothing is performed from here on. `turns` is what
    expressions see of the turns before the one that was under way, where it was one.
    """

    def __init__(self, why: str, *, over: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.over = over
        self.turns: list[JsonObject] | None = None


def perform(state: State, effect: Send | Pause | Ask) -> Running[Done | Failed]:
    """Have the host perform `effect` within what is left of the job's time.

    Raises `Interrupted` where the time is over, or the host was told to stop.
    """
    before = state.t
    outcome = yield _within(state, effect)
    assert outcome is not None, "only a Note, or a PollStop, is answered with None"
    _take(state, outcome)
    if isinstance(outcome, Stopped):
        raise Interrupted(outcome.why, over=outcome.over)
    if isinstance(outcome, Failed) and outcome.failure.kind is FailureKind.NOT_SENT and state.run.open_rows:
        state.run.open_rows[-1].not_sent_seconds += state.t - before
    return outcome


def judge(state: State, rows: Sequence[OpenRow], *, ended: bool, refused: bool = False) -> Running[JsonObject]:
    """Ask how rows in doubt are to be taken. That takes no time of the job's, and no stop keeps it from being asked."""
    secret = frozenset(row.key for row in rows if row.step.secret)
    outcome = yield ResolveDoubt(keys=tuple(row.key for row in rows), ended=ended, refused=refused, secret=secret)
    assert isinstance(outcome, Done), "a doubt is judged, or the run is left where it is"
    _take(state, outcome)
    return outcome.value if isinstance(outcome.value, dict) else {}


def inquire(
    state: State,
    key: str,
    process: str,
    *,
    rows: tuple[str, ...],
    keys: tuple[str, ...] | None,
    certain: bool,
    timed: bool,
) -> Running[JsonObject]:
    """What other runs know of these rows of `process`. No stop keeps it from being asked."""
    codes = state.log.codes_of(process)
    asked = QueryPeers(key=key, process=process, rows=rows, keys=keys, certain=certain, codes=codes, timed=timed)
    outcome = yield asked
    assert isinstance(outcome, Done), "what others know is answered, if only that they know nothing"
    _take(state, outcome)
    return outcome.value if isinstance(outcome.value, dict) else {}


def go_on(state: State) -> Running[bool]:
    """To be asked before anything of `steps` begins, and before a start is sent. Whether the run had broken off here.

    Raises `Interrupted` where the host was told to stop, unless undo and `finally` are under way, which go on.
    """
    resumed = yield from listen(state)
    if state.run.stopped_by is not None and not state.closing:
        raise Interrupted(state.run.stopped_by)
    return resumed


def listen(state: State) -> Running[bool]:
    """Hear of a stop that no effect was refused for, and of a break. Whether there was one."""
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
    """Let time go on. What was known of the process log before a run broke off is old: others have started processes
    since. Only a call in doubt is still looked for since its own watermark.
    """
    state.run.t = outcome.t
    log = state.log
    if outcome.resumed:
        log.breaks += 1
        log.clock = None
    date = outcome.date if isinstance(outcome, Done) else outcome.failure.date if isinstance(outcome, Failed) else None
    if date is not None and (now := server_time.of_header(date)) is not None:
        log.clock = (now, outcome.t)
    if not outcome.resumed:
        return
    sent = {row.sought.process for row in state.run.open_rows if row.sought is not None}
    log.marks = {process: mark for process, mark in log.marks.items() if process in sent}
    log.families = {process: replace(one, due=outcome.t, final=False) for process, one in log.families.items()}
    log.refusal = log.library_refusal = None


def _within(state: State, effect: Send | Pause | Ask) -> Effect:
    """The effect with no more time than the job has left. Raises `Interrupted` where it has none."""
    if state.ends is None:
        return effect
    left = state.ends - state.t
    if left <= 0:
        left = _left_for_last_look(state, effect)
    if left <= 0:
        raise Interrupted(TIMEOUT, over=True)
    if isinstance(effect, Pause) and effect.seconds > 0:  # the host may make it longer by its jitter
        longer = min(effect.jitter, max(0.0, left / effect.seconds - 1))
        return replace(effect, seconds=min(effect.seconds, left), jitter=longer)
    return effect if effect.seconds is not None and effect.seconds <= left else replace(effect, seconds=left)


def _left_for_last_look(state: State, effect: Send | Pause | Ask) -> float:
    """Seconds left for looking in the log for a start in doubt, for which nobody would look any more.

    The log is read once for each row; learning whose rows are ours, and of which versions, takes of the same time.
    """
    row = state.run.open_rows[-1] if state.run.open_rows else None
    if row is None or not row.in_doubt or row.late or not isinstance(effect, Send):
        return 0.0
    if isinstance(effect.call, ReadRows | ReadRow):
        row.late = True
    elif not isinstance(effect.call, WhoAmI | WhoIsUser | FindFamily | ReadFamily):
        return 0.0
    if row.late_ends is None:
        row.late_ends = state.t + LATE_SECONDS
    return row.late_ends - state.t

"""The local host: performs the engine's effects on this machine, and journals every outcome before handing it back.

It decides nothing about the run. A call that must not happen twice is on disk before it leaves. A journal that holds
a beginning of the run is played back first, and nothing of it is done again.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import assert_never

from runner.engine.carry_out import carry_out
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
    Send,
    Stopped,
)
from runner.engine.scope import RunFacts
from runner.engine.starts import has_begun_nothing
from runner.foundation.values import Json
from runner.hosts.families import Caller
from runner.hosts.judgement import Judgement, Judging
from runner.hosts.replay import OF_THE_RUN, SECRET_VALUE, Beyond, Replay
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn
from runner.job.model import StepEffect
from runner.planning.plan import Plan
from runner.runs.events import (
    AnyEvent,
    Asked,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    Paused,
    RunClosing,
    RunFinished,
    RunResumed,
    RunStarted,
    StepFinished,
    StepStarted,
    Trouble,
    UndoStarted,
    Waited,
    WaitsFor,
    stopped,
)
from runner.runs.journal import Journal
from runner.runs.store import NoOtherRuns, OwnedRows
from runner.service.calls import (
    Answered,
    CallFailed,
    Ending,
    FailureKind,
    process_started,
    record,
)

_WORTH_A_WORD = 1.0
"""Seconds of waiting for the rate from which on it is written down."""


@dataclass(slots=True, kw_only=True)
class _Leaving:
    """The gate of one call: it is written down as sent when it may leave, and nothing else is waited for by then."""

    host: "LocalHost"
    send: Send
    is_noted: bool = False

    def is_wanted(self) -> bool:
        return self.host.is_wanted(self.send)

    def may_leave(self) -> bool:
        if not self.is_wanted():
            return False
        self.note()
        return True

    def wait(self, seconds: float) -> None:
        self.host.wait_for_rate(self.send.key, seconds)

    def note(self) -> None:
        """Write down, once, that the call is sent."""
        if not self.is_noted:
            self.is_noted = True
            self.host.note_sent(self.send)


class _LeftError(Exception):
    """The run is left as it is: somebody has to settle what is in doubt, or it was not to be carried on."""


@dataclass(slots=True, kw_only=True)
class LocalHost:
    """Carries one run out. `draw` gives a number from -1 to 1, for jitter; `ask` puts a question to a person, within
    seconds, and gives None where the stop was told, or the time passed, before an answer came. `owned`
    knows which rows of the process log belong to which calls of all runs. `lets_in` is asked once before a run that
    broke off goes on; where it says no, the run is left as it is.
    """

    caller: Caller
    journal: Journal
    stop: Stop
    turn: Turn
    ask: Callable[[Ask, Stop, float | None], bool | None]
    judgement: Judgement = field(default_factory=Judgement)
    owned: OwnedRows = field(default_factory=NoOtherRuns)
    lets_in: Callable[[], bool] = lambda: True
    clock: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = lambda: random.uniform(-1.0, 1.0)  # noqa: S311  spreads pauses, guards nothing
    _judging: Judging = field(init=False)
    _started: float = 0.0
    _replayed: bool = False
    _resumed: bool = False
    _resumed_at: float = 0.0
    _turned: bool = False
    _closing: bool = False
    _in_doubt: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._judging = Judging(self.judgement)

    @property
    def unused_verdicts(self) -> tuple[str, ...]:
        """The keys of verdicts that were not needed: the rows were settled without them."""
        return self._judging.unused

    def carry(self, plan: Plan, run: RunFacts, *, earlier: Sequence[Line] = ()) -> None:
        """Carry the plan out to its end, or to where it is left; from where the `earlier` lines of its journal end.

        Raises `StoreError` where the journal, or what is owned, cannot be written any more; `MisfitError` and
        `ForgottenError` of `runner.hosts.replay`, when nothing has been sent yet.
        """
        replay = Replay(self.journal, earlier)
        self._started = self.clock() - replay.t
        self._replayed = bool(earlier)
        running = carry_out(plan, run)
        outcome: Outcome | None = None
        try:
            while True:
                effect = running.send(outcome)
                told = replay.outcome(effect)
                outcome = self._perform(effect, told) if isinstance(told, Beyond) else told
                self._learn(effect, outcome)
                if outcome is not None:
                    told_before, told_now = replay.was_resumed(), self._was_resumed()
                    if told_before or told_now:
                        outcome = replace(outcome, resumed=True)
        except (StopIteration, _LeftError):
            return
        finally:
            self.turn.give_back()

    def _learn(self, effect: Effect, outcome: Outcome | None) -> None:
        """What has to be known of the past when a stop is told: whether the steps are over, and what is in doubt."""
        match effect:
            case Note(event=StepFinished(key=key)):
                self._in_doubt.discard(key)
                self.turn.give_back()
            case Note(event=RunClosing()):
                self._closing = True
            case Note(event=RunFinished()):
                self._closing = self._turned = False  # what is settled from here on is not waited for
            case Send(effect=StepEffect.ONCE) if isinstance(outcome, Done) or _may_have_happened(outcome):
                self._in_doubt.add(effect.key)
            case ResolveDoubt(keys=keys):
                self._in_doubt.update(keys)
            case _:
                pass

    def _perform(self, effect: Effect, beyond: Beyond) -> Outcome | None:
        if isinstance(effect, Note):
            if self._judging.only_settles and isinstance(effect.event, StepStarted | UndoStarted):
                raise _LeftError
            self._append(effect.event, durable=isinstance(effect.event, RunStarted))
            return None
        if isinstance(effect, PollStop):
            return self._heard()
        if isinstance(effect, ResolveDoubt):
            return self._judge(effect)
        if isinstance(effect, QueryPeers):
            return self._inquire(effect)
        if beyond.sent and isinstance(effect, Send) and effect.effect is StepEffect.ONCE:
            return self._broken_off(effect)
        if self._judging.only_settles and not self._settles(effect):
            raise _LeftError
        if (refusal := self._refusal(effect)) is not None:
            return refusal
        self._go_on()  # before the effect, however long it takes: its time is none that had passed before
        match effect:
            case Send():
                return self._send(effect)
            case Pause():
                return self._pause(effect)
            case Ask():
                return self._ask(effect)
            case _:
                assert_never(effect)

    def _send(self, send: Send) -> Outcome:
        if send.turn is not None and not self._take_turn(send.key, send.turn):
            self._turned = True
            return self._refuse(send, str(self.stop.why))
        leaving = _Leaving(host=self, send=send)
        ending = self.caller.perform(send.call, send.seconds, gate=leaving)
        if isinstance(ending, CallFailed) and ending.unwanted:
            return self._refusal(send) or self._refuse(send, str(self.stop.why))
        leaving.note()  # of a call that could not leave, too: its failure belongs to it
        self._end(send, ending)
        t = self._t()
        match ending:
            case Answered(value=value, date=date):
                self._append(CallAnswered(key=send.key, t=t, value=SECRET_VALUE if send.secret else value, date=date))
                return Done(t=t, value=value, date=date)
            case CallFailed():
                self._append(_attempt_failed(send.key, t, ending, body=None if send.secret else ending.body))
                return Failed(t=t, failure=ending)
            case _:
                assert_never(ending)

    def _take_turn(self, key: str, process: str) -> bool:
        """Have the turn of `process`. False where the stop was told meanwhile."""
        with self._waiting(key, WaitsFor.TURN) as begin:
            return self.turn.take(process, self.stop, held_up=begin)

    def wait_for_rate(self, key: str, seconds: float) -> None:
        """Wait for the pace of the site. A stop ends it."""
        with self._waiting(key, WaitsFor.RATE) as begin:
            if seconds >= _WORTH_A_WORD:
                begin()
            self.stop.wait(seconds)

    @contextmanager
    def _waiting(self, key: str, what: WaitsFor) -> Iterator[Callable[[], None]]:
        """A wait for what is nobody's work: as long as it lasts, the run's active time does not go on. What it gives
        writes it down, where it takes a while.
        """
        begun, t, is_noted = self.clock(), self._t(), False

        def begin() -> None:
            nonlocal is_noted
            is_noted = True
            self._append(Waited(key=key, t=t, what=what))

        yield begin
        seconds = self.clock() - begun
        self._started += seconds
        if is_noted:
            self._append(Waited(key=key, t=t, what=what, seconds=round(seconds, 3)))

    def _begin(self, send: Send) -> None:
        """A start is written down before it leaves: until it has its row, a row that it may have made is nobody's."""
        if (process := process_started(send.call)) is not None:
            self.owned.begin(send.key, process, seconds=send.seconds)

    def _end(self, send: Send, ending: Ending) -> None:
        if process_started(send.call) is None:
            return
        if isinstance(ending, CallFailed) and has_begun_nothing(ending):
            self.owned.never_began(send.key)
        elif isinstance(ending, Answered) or ending.kind is not FailureKind.UNANSWERED:
            self.owned.answer(send.key)

    def _broken_off(self, send: Send) -> Failed:
        """The call had left when the run broke off, and must not happen twice: it may have happened, or not."""
        message = "the run broke off before the call was answered"
        failure = CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E312", message=message))
        t = self._t()
        self._append(_attempt_failed(send.key, t, failure))
        return Failed(t=t, failure=failure)

    def _pause(self, pause: Pause) -> Outcome:
        seconds = max(0.0, pause.seconds * (1 + pause.jitter * self.draw()))
        if pause.between_attempts:
            self.turn.give_back()
        self.stop.wait(seconds)
        if (refusal := self._refusal(pause)) is not None:
            return refusal
        t = self._t()
        self._append(Paused(key=pause.key, t=t, seconds=round(seconds, 3)))
        return Done(t=t)

    def _ask(self, ask: Ask) -> Outcome:
        value = self.ask(ask, self.stop, ask.seconds)
        if value is None and self.stop.why is not None:
            self._turned = True
            return self._refuse(ask, self.stop.why)
        t = self._t()
        self._append(Asked(key=ask.key, t=t, value=value))
        return Done(t=t, value=value)

    def _judge(self, judge: ResolveDoubt) -> Outcome:
        answer = self._judging.answer(judge)
        if answer is None:
            raise _LeftError
        t = self._t()
        is_secret = answer.get("key") in judge.secret and "result" in answer
        written = {**answer, "result": SECRET_VALUE} if is_secret else answer
        self._append(Asked(key=",".join(judge.keys), t=t, value=written))
        return Done(t=t, value=answer)

    def _inquire(self, inquire: QueryPeers) -> Outcome:
        known = self.owned.ask(
            inquire.key,
            inquire.codes or (inquire.process,),
            rows=inquire.rows,
            keys=inquire.keys,
            certain=inquire.certain,
            timed=inquire.timed,
        )
        value: Json = {"taken": list(known.taken), "rival": known.rival}
        t = self._t()
        self._append(Asked(key=inquire.key, t=t, value=value))
        return Done(t=t, value=value)

    def _settles(self, effect: Send | Pause | Ask) -> bool:
        """Whether the process log is read, or waited for, about a call that may have happened."""
        reads = not isinstance(effect, Send) or effect.effect is StepEffect.READ
        return reads and not isinstance(effect, Ask) and effect.key in self._in_doubt

    def _refusal(self, effect: Send | Pause | Ask) -> Stopped | None:
        """Why the effect is not performed. The engine is told once, and turns to undo and `finally` within the grace.

        A call that may have happened is still looked for once: a reading is performed, a pause before another is not.
        """
        if self.stop.why is None:
            return None
        if self.stop.is_over():
            return self._refuse(effect, self.stop.why, over=True)
        if self._turned or self._closing or (isinstance(effect, Send) and self._settles(effect)):
            return None
        self._turned = True
        return self._refuse(effect, self.stop.why)

    def _heard(self) -> Outcome | None:
        """That the run goes on after a break, or the stop that was told, if the engine does not know of it yet."""
        if self._judging.only_settles:
            return None
        self._go_on()
        if self._resumed:
            return Done(t=self._resumed_at)
        if self.stop.why is None or self._turned:
            return None
        self._turned = True
        return self._stopped(OF_THE_RUN, self.stop.why, over=self.stop.is_over())

    def note_sent(self, send: Send) -> None:
        """Write down that a call is sent, before it is."""
        self._begin(send)
        sent = CallSent(key=send.key, effect=send.effect.value, call=record(send.call), watermark=send.watermark)
        self._append(sent, durable=send.effect is StepEffect.ONCE)

    def is_wanted(self, send: Send) -> bool:
        """Whether a call that is made ready may still be sent."""
        if self.stop.why is None:
            return True
        return not self.stop.is_over() and (self._turned or self._closing or self._settles(send))

    def _refuse(self, effect: Send | Pause | Ask, why: str, *, over: bool = False) -> Stopped:
        return self._stopped(effect.key, why, over=over)

    def _stopped(self, key: str, why: str, *, over: bool) -> Stopped:
        t = self._t()
        self._append(stopped(why, key=key, t=t, final=over))
        return Stopped(t=t, why=why, over=over)

    def _append(self, event: AnyEvent, *, durable: bool = False) -> None:
        self._go_on()
        self.journal.append(event, durable=durable)

    def _go_on(self) -> None:
        """Mark where a run that broke off goes on, once."""
        if self._replayed:
            if not self.lets_in():
                raise _LeftError
            self._replayed, self._resumed, self._resumed_at = False, True, self._t()
            self.journal.append(RunResumed(t=self._resumed_at))

    def _was_resumed(self) -> bool:
        resumed, self._resumed = self._resumed, False
        return resumed

    def _t(self) -> float:
        return round(self.clock() - self._started, 6)


def _may_have_happened(outcome: Outcome | None) -> bool:
    if not isinstance(outcome, Failed):
        return False
    failure = outcome.failure
    return failure.kind is FailureKind.UNANSWERED or (
        failure.kind is FailureKind.TURNED_AWAY and not failure.nothing_ran
    )


def _attempt_failed(key: str, t: float, failure: CallFailed, *, body: str | None = None) -> AttemptFailed:
    return AttemptFailed(
        key=key,
        t=t,
        kind=failure.kind.value,
        error=failure.trouble,
        status=failure.status,
        retry_after=failure.retry_after,
        final=failure.final,
        date=failure.date,
        nothing_ran=failure.nothing_ran,
        body=body,
    )

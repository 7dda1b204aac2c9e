"""The local host: performs the engine's effects on this machine, and journals every outcome before handing it back.

It decides nothing about the run. A call that must not happen twice is on disk before it leaves.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never

from runner.engine.carry_out import carry_out
from runner.engine.effects import Ask, Done, Effect, Failed, Note, Outcome, Pause, Send, Stopped
from runner.engine.scope import RunFacts
from runner.events import Asked, AttemptFailed, CallAnswered, CallSent, Paused, StepFinished, Trouble
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn
from runner.job.model import StepEffect
from runner.journal import Journal
from runner.plan import Plan
from runner.service.calls import Answered, Call, CallFailed, Ending, record
from runner.values import Json

SECRET_VALUE: Json = {"$secret": True}
"""What stands in the journal for the answer of a step that is marked secret."""


class Caller(Protocol):
    """Whoever can make a call: the client of a site."""

    def perform(self, call: Call, seconds: float) -> Ending: ...


@dataclass(slots=True, kw_only=True)
class LocalHost:
    """Carries one run out. `draw` gives a number from -1 to 1, for jitter; `ask` puts a question to a person, and gives
    None where the stop was told before an answer came.
    """

    caller: Caller
    journal: Journal
    stop: Stop
    turn: Turn
    ask: Callable[[str, Stop], bool | None]
    clock: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = lambda: random.uniform(-1.0, 1.0)  # noqa: S311  spreads pauses, guards nothing
    _started: float = 0.0
    _turned: bool = False
    _answered: str | None = None

    def carry(self, plan: Plan, run: RunFacts) -> None:
        """Carry the plan out to its end. Raises `JournalError` where the journal cannot be written any more."""
        self._started = self.clock()
        running = carry_out(plan, run)
        outcome: Outcome | None = None
        try:
            while True:
                outcome = self._perform(running.send(outcome))
        except StopIteration:
            return
        finally:
            self.turn.give_back()

    def _perform(self, effect: Effect) -> Outcome | None:
        if isinstance(effect, Note):
            self.journal.append(effect.event)
            if isinstance(effect.event, StepFinished):
                self.turn.give_back()
                self._answered = None
            return None
        if not self._is_verifying(effect) and (why := self._told_to_stop()) is not None:
            return self._refuse(effect, why)
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
        if send.turn is not None and not self.turn.take(send.turn, self.stop):
            self._turned = True
            return self._refuse(send, str(self.stop.why))
        sent = CallSent(key=send.key, effect=send.effect.value, call=record(send.call), watermark=send.watermark)
        self.journal.append(sent, durable=send.effect is StepEffect.ONCE)
        ending = self.caller.perform(send.call, send.seconds)
        t = self._t()
        match ending:
            case Answered(value=value):
                self._answered = send.key if send.effect is StepEffect.ONCE else self._answered
                kept = SECRET_VALUE if send.secret else value
                self.journal.append(CallAnswered(key=send.key, t=t, value=kept))
                return Done(t=t, value=value)
            case CallFailed():
                self.journal.append(_attempt_failed(send.key, t, ending))
                return Failed(t=t, failure=ending)
            case _:
                assert_never(ending)

    def _pause(self, pause: Pause) -> Outcome:
        seconds = max(0.0, pause.seconds * (1 + pause.jitter * self.draw()))
        self.stop.wait(seconds)
        if (why := self._told_to_stop()) is not None:
            return self._refuse(pause, why)
        t = self._t()
        self.journal.append(Paused(key=pause.key, t=t, seconds=round(seconds, 3)))
        return Done(t=t)

    def _is_verifying(self, effect: Effect) -> bool:
        """Whether the process log is read for a call that was answered: that is still done after a stop, once."""
        return isinstance(effect, Send) and effect.effect is StepEffect.READ and effect.key == self._answered

    def _ask(self, ask: Ask) -> Outcome:
        value = self.ask(ask.text, self.stop)
        if value is None and (why := self._told_to_stop()) is not None:
            return self._refuse(ask, why)
        t = self._t()
        self.journal.append(Asked(key=ask.key, t=t, value=bool(value)))
        return Done(t=t, value=bool(value))

    def _told_to_stop(self) -> str | None:
        """Why the next effect is not performed: the engine is told once, and turns to `finally` within the grace."""
        if self.stop.why is None:
            return None
        if self._turned and not self.stop.is_over():
            return None
        self._turned = True
        return self.stop.why

    def _refuse(self, effect: Send | Pause | Ask, why: str) -> Stopped:
        t = self._t()
        error = Trouble(code="E312", message=f"stopped: {why}")
        self.journal.append(AttemptFailed(key=effect.key, t=t, kind="stopped", error=error))
        return Stopped(t=t, why=why)

    def _t(self) -> float:
        return round(self.clock() - self._started, 6)


def _attempt_failed(key: str, t: float, failure: CallFailed) -> AttemptFailed:
    return AttemptFailed(
        key=key,
        t=t,
        kind=failure.kind.value,
        error=failure.trouble,
        status=failure.status,
        retry_after=failure.retry_after,
        final=failure.final,
    )

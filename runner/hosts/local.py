"""The local host: performs the engine's effects on this machine, and journals every outcome first.

A `once` call is on disk before it leaves. A journal with the start of the run is played back; nothing is done again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from runner.engine import effects
from runner.engine.carry_out import carry_out
from runner.engine.lost import row_needs_result
from runner.foundation.values import Json
from runner.hosts.active_journal import ActiveJournal
from runner.hosts.judgement import Judgement, Judging
from runner.hosts.replay import WHOLE_RUN, Beyond, Replay
from runner.hosts.sent_calls import (
    BROKEN_OFF,
    CallGate,
    Delays,
    StartedCalls,
    attempt_failed,
    call_answered,
    call_sent,
    unsent,
)
from runner.hosts.stop import Stop
from runner.hosts.stop_policy import StopPolicy
from runner.hosts.turns import HeldUp, LogReading, RunLeftError, Turn
from runner.job.model import StepEffect
from runner.planning.plan import Plan
from runner.runs import events
from runner.runs.evidence import LockHolder, Person, VerdictBy, VerdictSource
from runner.runs.hidden_answers import SECRET_VALUE
from runner.runs.journal import Journal
from runner.runs.store import OwnedRows, StoreError
from runner.service.calls import Answered, Caller, CallFailed, Reading, ReadRows, process_started
from runner.service.site import Request

_WORTH_A_NOTE = 1.0  # seconds of waiting for the rate from which on it is journaled

_STALE = 0.25
"""Seconds for which what another run has read of the log is as good as a reading: `Date` counts whole seconds."""

_WORDS_OF_A_PERSON = frozenset({"passed", "failed", "retry"})
"""Answers to the question how a call in doubt is to be taken that nobody but a person gives."""


def _at_random() -> float:
    import random  # noqa: PLC0415  1 ms, for runs that pause

    return random.uniform(-1.0, 1.0)  # noqa: S311  spreads pauses, guards nothing


class LocalHost(Struct, kw_only=True, dict=True):
    """Carries a run out."""

    caller: Caller
    journal: Journal
    stop: Stop
    turn: Turn
    ask: Callable[[effects.Ask, Stop, float | None], bool | None]  # asks a person; None: no answer in time
    owned: OwnedRows  # which rows of the log belong to which calls of all runs
    judgement: Judgement = field(default_factory=Judgement)
    lets_in: Callable[[], bool] = lambda: True  # asked once before a run is resumed; at its no it is left
    passed: Callable[[], None] = lambda: None  # called before the end of a passed run is stored
    clock: Callable[[], float] = time.monotonic
    person: Person = field(default_factory=Person)  # who gives verdicts, and answers
    says_yes: bool = False  # to all questions
    resumed: events.RunResumed = field(default_factory=lambda: events.RunResumed(t=0.0))
    waits: tuple[events.Waited, ...] = ()  # for locks
    delays: Delays = field(default_factory=Delays)
    draw: Callable[[], float] = _at_random  # jitter, from -1 to 1
    _has_acted: bool = False

    @cached_property
    def _active(self) -> ActiveJournal:
        return ActiveJournal(
            journal=self.journal, clock=self.clock, lets_in=self.lets_in, resumed=self.resumed, waits=self.waits
        )

    @cached_property
    def policy(self) -> StopPolicy:
        return StopPolicy(stop=self.stop)

    @cached_property
    def judging(self) -> Judging:
        return Judging(self.judgement)

    def carry(self, plan: Plan, run: events.RunFacts, *, earlier: Sequence[events.Line] = ()) -> None:
        """Carry the plan out after the `earlier` lines. Raises `StoreError`, and as `Replay`, before a call."""
        lacked = self._starts.lacked_by(plan.job, earlier)
        replay = Replay(self.journal, earlier, needs_result=lambda key: row_needs_result(plan.job, key), lacked=lacked)
        self._active.begin_at(replay.t, is_broken_off=bool(earlier))
        running = carry_out(plan, run)
        outcome: effects.Outcome | None = None
        try:
            while True:
                effect = running.send(outcome)
                replayed = replay.outcome(effect)
                outcome = self._perform(effect, replayed) if isinstance(replayed, Beyond) else replayed
                self.policy.learn(effect, outcome)
                if outcome is not None:
                    self.delays.learn(outcome)
                    if replay.was_resumed() | self._active.was_resumed():  # both forget it
                        outcome = replace(outcome, resumed=True)
        except (StopIteration, RunLeftError):
            return
        finally:
            self.turn.leave()
            with suppress(StoreError):  # others take a start for under way until its time is over: no harm is done
                self.owned.flush()

    def _perform(self, effect: effects.Effect, beyond: Beyond) -> effects.Outcome | None:
        match effect:
            case effects.Note(event=event):
                self._note(event)
                return None
            case effects.Send(effect=StepEffect.ONCE) if beyond.sent:
                return self._broken_off(effect, beyond)
            case effects.Send() | effects.Sleep() | effects.Ask():
                return self._act(effect)
            case effects.PollStop():
                return self._poll()
            case effects.QueryPeers():
                others = self._starts.ask(effect, is_resumed=self._active.resumed_at > 0)
                self.turn.settle(clear=bool(effect.keys) and not others.rival)
                return self._asked(effect.key, others.answer(effect))
            case effects.ResolveDoubt():
                return self._judge(effect)
            case _:
                assert_never(effect)

    def _act(self, effect: effects.Send | effects.Sleep | effects.Ask) -> effects.Outcome:
        if self.judgement.only_settle and not self.policy.settles(effect):
            raise RunLeftError
        if not self.policy.allows(effect):
            return self._refuse(effect.key)
        self._check_on()
        self._active.resume()  # before the effect, however long it takes: its time is none that had passed before
        if self._active.is_due or not isinstance(effect, effects.Send):
            self._active.commit()
        if not isinstance(effect, effects.Send) or not (
            process_started(effect.call) or isinstance(effect.call, Reading)
        ):
            self.owned.flush()
        if not self.policy.allows(effect):  # the stop came meanwhile, as while a resumed run signed in
            return self._refuse(effect.key)
        if isinstance(effect, effects.Send):
            return self._send(effect)
        return self._pause(effect) if isinstance(effect, effects.Sleep) else self._ask(effect)

    def _note(self, event: events.AnyEvent) -> None:
        if self.judgement.only_settle and isinstance(event, events.StepStarted | events.UndoStarted):
            raise RunLeftError
        if isinstance(event, events.RunFinished) and event.status is events.RunStatus.PASSED:
            self.passed()
        self._active.append(event)
        if isinstance(event, events.StepFinished):
            self.turn.give_back()
        elif isinstance(event, events.RunStarted):
            self._active.note_waits()
            self._active.commit()

    def _poll(self) -> effects.Outcome | None:
        """That the run was resumed after a break, or the stop, if the engine does not know of it yet."""
        self._active.resume()  # here, as `Replay` gives the engine the time of it here
        if self._active.is_resumption_new:
            return effects.Done(t=self._active.resumed_at)
        if self.judgement.only_settle or self.stop.why is None or self.policy.is_announced:
            return None
        self.policy.is_announced = True
        return self._stopped(WHOLE_RUN, over=self.stop.is_over())

    def _send(self, send: effects.Send) -> effects.Outcome:
        if send.turn is not None and not self._take_turn(send.key, send.turn):
            return self._refuse(send.key)
        gate, begun = CallGate(host=self, send=send), self.clock()
        known = self._handed_on(send)
        ending = known.answer if known else self.caller.perform(send.call, send.seconds, gate=gate)
        if isinstance(send.call, ReadRows) and isinstance(ending, Answered):
            self.turn.read(send.call, ending, t=known.t if known else begun)
        if isinstance(ending, CallFailed) and ending.unwanted:
            if gate.is_noted:  # the server closed the connection while the start was stored
                self._starts.drop(send)
            return self._refuse(send.key)
        gate.note()  # of a call that could not leave, too: its failure belongs to it
        answered_at = self.delays.wall()
        self._starts.end(send, ending)
        self._active.is_due = send.effect is not StepEffect.READ
        t = self._active.t()
        delay = self.delays.ended(ending.date, t=t, at=answered_at)
        if isinstance(ending, Answered):
            self._active.append(call_answered(send, t, ending))
            return effects.Done(t=t, value=ending.value, date=ending.date, delay=delay)
        self._active.append(attempt_failed(send.key, t, ending, body=None if send.secret else ending.body))
        return effects.Failed(t=t, failure=ending, delay=delay)

    @property
    def _starts(self) -> StartedCalls:
        return StartedCalls(owned=self.owned, turn=self.turn)

    def is_wanted(self, send: effects.Send) -> bool:
        return self.policy.allows(send)

    def check_may_leave(self, send: effects.Send) -> None:
        """The last before a call leaves. What was stored before may have taken long, as on a disk that hangs."""
        self.journal.check_fence()
        try:
            self._starts.leave(send)
        except StoreError as error:
            self._starts.drop(send)
            self._active.append(attempt_failed(send.key, self._active.t(), unsent(error)), durable=True)
            raise

    def note_sign_in(self, key: str, kind: str, seconds: float) -> None:
        self._active.append(events.SignedIn(key=key, t=self._active.t(), seconds=round(seconds, 6), kind=kind))

    def note_sent(self, send: effects.Send, request: Request | None) -> None:
        """Journal a call before it leaves, the first that changes something durably: a lost run would be made anew."""
        self._starts.begin(send)
        t = self._active.t()
        sent = call_sent(send, t, request=request, delayed=self.delays.leaves(t))
        is_act = send.effect is not StepEffect.READ
        try:
            self._active.append(sent, durable=send.effect is StepEffect.ONCE or (is_act and not self._has_acted))
        except StoreError:
            self._starts.drop(send)
            raise
        self._has_acted = self._has_acted or is_act
        if is_act:
            self._active.commit()

    def _broken_off(self, send: effects.Send, beyond: Beyond) -> effects.Failed:
        """The call had left when the run broke off, and must not happen twice: it may have happened, or not."""
        if not beyond.noted:
            sent = call_sent(send, self._active.t())
            self.journal.append(sent, durable=True)  # before the mark that the run is resumed
        t = self._active.t()
        self._active.append(attempt_failed(send.key, t, BROKEN_OFF))
        return effects.Failed(t=t, failure=BROKEN_OFF, delay=beyond.delay)

    def _take_turn(self, key: str, process: str) -> bool:
        """Have the turn of `process`; False for a stop. A reading that is handed on was made while this run waited."""
        self.journal.sync_run()
        begun = self.clock()
        with self._waiting(key, events.WaitsFor.TURN, name=process) as begin:
            is_taken = self.turn.take(process, self.stop, held_up=begin)
        known, now = self.turn.handed_on, self.clock()
        if known is not None and begun <= known.t and now - known.t <= _STALE:
            self._active.pass_over(known.t - now)
        else:
            self.turn.handed_on = None
        return is_taken

    def _handed_on(self, send: effects.Send) -> LogReading | None:
        """The answer to a reading, which the run that had the turn before has got just now."""
        known = self.turn.handed_on if send.turn is not None else None
        return known if known is not None and known.call == send.call else None

    def wait_for_rate(self, key: str, seconds: float) -> None:
        """Wait for the pace of the site. A stop ends it."""
        self.turn.need(seconds=seconds)
        with self._waiting(key, events.WaitsFor.RATE) as begin:
            if seconds >= _WORTH_A_NOTE:
                begin(None)
            self.stop.wait(seconds)
        self._check_on()

    @contextmanager
    def _waiting(self, key: str, what: events.WaitsFor, *, name: str | None = None) -> Iterator[HeldUp]:
        """A wait outside of the active time; gives what journals who is in the way."""
        begun, t = self.clock(), self._active.t()
        noted: events.Waited | None = None

        def begin(held_by: LockHolder | None) -> None:
            nonlocal noted
            noted = events.Waited(key=key, t=t, what=what, name=name, held_by=held_by)
            self._active.append(noted)
            self.owned.flush()

        yield begin
        seconds = self.clock() - begun
        self._active.pass_over(seconds)
        if noted is not None:
            self._active.append(replace(noted, seconds=round(seconds, 3)))

    def _pause(self, pause: effects.Sleep) -> effects.Outcome:
        seconds = max(0.0, pause.seconds * (1 + pause.jitter * self.draw()))
        if pause.frees_turn:
            self.turn.give_back()
        self.stop.wait(seconds)
        self._check_on()
        if not self.policy.allows(pause):
            return self._refuse(pause.key)
        t = self._active.t()
        self._active.append(events.Paused(key=pause.key, t=t, seconds=round(seconds, 3), why=pause.why))
        return effects.Done(t=t)

    def _ask(self, ask: effects.Ask) -> effects.Outcome:
        try:
            value = self.ask(ask, self.stop, ask.seconds)
        except RunLeftError:
            self._give_up(f"{self.person.user or 'a person'}, at a question,")
            raise
        if value is None and self.stop.why is not None:
            return self._refuse(ask.key)
        how = VerdictSource.YES if self.says_yes else VerdictSource.QUESTION
        return self._asked(ask.key, value, how=None if value is None else how)

    def _judge(self, doubt: effects.ResolveDoubt) -> effects.Outcome:
        answer = self.judging.answer(doubt)
        if answer is None:
            raise RunLeftError
        is_secret = answer.get("key") in doubt.secret and "result" in answer
        written: Json = {**answer, "result": SECRET_VALUE} if is_secret else answer
        how = VerdictSource.OPTION if answer.get("as") in _WORDS_OF_A_PERSON else None
        person = self.judgement.people.get(key := str(answer.get("key")))
        if how is not None:
            self.owned.answer(key)
        return replace(self._asked(",".join(doubt.keys), written, how=how, person=person), value=answer)

    def _asked(
        self, key: str, value: Json, *, how: VerdictSource | None = None, person: Person | None = None
    ) -> effects.Done:
        """Journal an answer. `how` a person gave it; None where nobody did."""
        t, person = self._active.t(), person or self.person
        by = None if how is None else VerdictBy(how=how, user=person.user, ci_user=person.ci_user)
        self._active.append(events.Asked(key=key, t=t, value=value, by=by))
        return effects.Done(t=t, value=value)

    def _refuse(self, key: str) -> effects.Stopped:
        """The effect is not performed, since the run has to stop.

        At the end of the grace the rest of `undo` and `finally` is left to `resume`, as is a call in doubt that is to
        be held, unless a fleet's run was ordered to stop.
        """
        over = self.stop.is_over()
        is_held = self.judgement.hold and key in self.policy.in_doubt
        if (over if self.policy.is_closing else is_held) and self.stop.ordered_by is None:
            self._give_up(str(self.stop.why))
            raise RunLeftError
        self.policy.is_announced = self.policy.is_announced or not over
        return self._stopped(key, over=over)

    def _give_up(self, why: str) -> None:
        self._active.append(events.stopped(why, key="", t=self._active.t(), kind=events.GIVEN_UP, final=True))

    def _stopped(self, key: str, *, over: bool) -> effects.Stopped:
        t, why = self._active.t(), str(self.stop.why)
        self._active.append(events.stopped(why, key=key, t=t, final=over, ordered_by=self.stop.ordered_by))
        return effects.Stopped(t=t, why=why, over=over, ordered_by=self.stop.ordered_by)

    def _check_on(self) -> None:
        if not self.stop.goes_on():
            raise RunLeftError

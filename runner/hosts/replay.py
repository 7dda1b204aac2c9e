"""A journal played back: a fresh engine gets the outcomes of the first. Nothing is performed and nothing written.

The facts that it notes are compared with the journal, messages are not: a journal that does not fit is found out before
anything is sent.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from runner.engine import effects
from runner.foundation.values import Json
from runner.runs import events
from runner.runs.facts import facts
from runner.runs.hidden_answers import SECRET_VALUE, has_secret_results
from runner.runs.journal import Journal
from runner.runs.safe_events import referred_to
from runner.secrets.shown import STARS, hide
from runner.service.calls import Call, CallFailed, ExecuteCall, FailureKind, RunProcessCall, process_started, record

_KINDS = frozenset(FailureKind)
_NO_OUTCOMES = frozenset({events.RunResumed, events.SignedIn, events.Waited})
WHOLE_RUN = ""  # the key of a stop that belongs to no row


class MisfitError(Exception):
    """The engine does not do what it did by the journal. A fault of this program, or a journal of another plan."""


class ForgottenError(Exception):
    """The answer to a step is not in the journal: it was secret, and the secret is not known any more."""


class Beyond(Struct, frozen=True, kw_only=True):
    """The journal ends here. `sent`: the call was sent, with this delay, and nobody knows what became of it.

    `noted`: the journal holds that.
    """

    sent: bool = False
    noted: bool = True
    delay: effects.SendDelay | None = None


class Replay:
    """Plays back the lines of a journal; `t` is the run's active time then.

    What a process gave and nothing needs (`needs_result`) may be forgotten: stars replace a secret in it. `lacked` are
    the rows of which a call was about to be sent, or was, that the lines do not have.
    """

    def __init__(
        self,
        journal: Journal,
        lines: Sequence[events.Line],
        *,
        needs_result: Callable[[str], bool] = lambda _: True,
        lacked: frozenset[str] = frozenset(),
    ) -> None:
        self._lacked = lacked
        self._is_past = False  # something was done after the last line
        self._journal = journal
        self._needs_result = needs_result
        self._has_forgotten = False
        self._events = [line.event for line in lines]
        self._next = 0
        self._resumed = False
        self._resumed_at = 0.0
        self.t = max(map(events.time_of, self._events), default=0.0)

    def outcome(self, effect: effects.Effect) -> effects.Outcome | Beyond | None:
        """What the effect came to. Raises `MisfitError`, and `ForgottenError` where it cannot be known any more."""
        event = self._look()
        if event is None:
            return self._after_last(effect)
        match effect:
            case effects.Note(event=noted):
                if noted != event and not self._is_same(self._journal.as_written(noted), event):
                    raise MisfitError(f"line {self._next + 1} is not the `{_name(noted)}` that this plan leads to")
                self._next += 1
                return None
            case effects.Send():
                return self._sent(effect, event)
            case effects.PollStop() if getattr(event, "key", None) != WHOLE_RUN:
                return effects.Done(t=self._resumed_at) if self._resumed else None
            case effects.PollStop():
                return self._answered(WHOLE_RUN, self._take(event, WHOLE_RUN))
            case effects.ResolveDoubt() | effects.QueryPeers() if not isinstance(event, events.Asked):
                raise MisfitError(f"line {self._next + 1} is no answer to a question about `{_key(effect)}`")
            case effects.Sleep() | effects.Ask() | effects.ResolveDoubt() | effects.QueryPeers():
                return self._answered(_key(effect), self._take(event, _key(effect)))

    def _after_last(self, effect: effects.Effect) -> Beyond | None:
        """A call whose start was stored was sent; what was read before it is read again, where the lines lack that."""
        if isinstance(effect, effects.PollStop) and self._lacked and not self._is_past:
            return None  # the mark of a break comes after that call
        self._is_past = True
        if isinstance(effect, effects.Send) and effect.key in self._lacked and process_started(effect.call):
            self._lacked -= {effect.key}
            return Beyond(sent=True, noted=False)
        return Beyond()

    def was_resumed(self) -> bool:
        """Whether the run had broken off and was resumed since this was asked last."""
        resumed, self._resumed = self._resumed, False
        return resumed

    def _look(self) -> events.AnyEvent | None:
        """The next event, past the marks of earlier resumptions."""
        while self._next < len(self._events) and _is_no_outcome(event := self._events[self._next]):
            self._next += 1
            if not isinstance(event, events.RunResumed):
                continue
            self._resumed = True
            self._resumed_at = event.t
        return self._events[self._next] if self._next < len(self._events) else None

    def _take(self, event: events.AnyEvent, key: str) -> events.AnyEvent:
        """Go past an event that must be of this row."""
        if getattr(event, "key", None) != key:
            raise MisfitError(f"line {self._next + 1} is not about `{key}`")
        self._next += 1
        return event

    def _sent(self, send: effects.Send, event: events.AnyEvent) -> effects.Outcome | Beyond:
        if not isinstance(event, events.CallSent):
            return self._answered(send.key, self._take(event, send.key))
        self._compare(send, event)
        self._next += 1
        delay = None if event.delayed is None else effects.SendDelay(t=event.t, seconds=event.delayed)
        following = self._look()
        if following is None:
            return Beyond(sent=True, delay=delay)
        if isinstance(following, events.CallSent) and following.key == send.key:  # it was made anew by a resumption
            return self._sent(send, following)
        self._take(following, send.key)
        outcome = self._without_forgotten(send, following) or self._answered(send.key, following)
        return outcome if isinstance(outcome, effects.Stopped) else replace(outcome, delay=delay)

    def _compare(self, send: effects.Send, event: events.CallSent) -> None:
        effect, called, watermark = send.effect.value, record(send.call), send.watermark
        sent = replace(event, key=send.key, effect=effect, call=called, watermark=watermark)
        if sent == event or (fact := facts(sent)) == facts(event):
            return
        if not self._is_same(self._journal.as_written(fact), event):
            raise MisfitError(f"line {self._next + 1} is not the call of `{send.key}` that this plan leads to")

    def _is_same(self, written: events.AnyEvent, event: events.AnyEvent) -> bool:
        if written == event or (facts_now := facts(written)) == (facts_then := facts(event)):
            return True
        return self._has_forgotten and _shown(facts_now) == _shown(facts_then)

    def _without_forgotten(self, send: effects.Send, event: events.AnyEvent) -> effects.Done | None:
        """The answer to a call with a secret that nobody knows any more, where nothing depends on it; else None."""
        if not isinstance(event, events.CallAnswered) or not isinstance(send.call, ExecuteCall | RunProcessCall):
            return None
        value = event.value
        if referred_to(value) is not None:
            return None
        if has_secret_results(value):
            value = {**value, "results": STARS}
        elif value != SECRET_VALUE:
            try:
                self._journal.value_of(value)
            except LookupError:
                value = hide(value)
            else:
                return None
        elif isinstance(send.call, ExecuteCall):
            value = STARS
        if not _is_only_result(send.call, event.value, value) or self._needs_result(send.key):
            return None
        self._has_forgotten = True
        return effects.Done(t=event.t, value=value, date=event.date)

    def _answered(self, key: str, event: events.AnyEvent) -> effects.Outcome:
        match event:
            case events.CallAnswered(value=value):
                if value == SECRET_VALUE or has_secret_results(value):
                    raise ForgottenError(f"step `{key}` is marked `secret`, so that its answer was not stored")
                return effects.Done(t=event.t, value=self._whole(key, value), date=event.date)
            case events.Asked(value={"result": result}) if result == SECRET_VALUE:
                raise ForgottenError(f"step `{key}` is marked `secret`, so that the result handed in was not stored")
            case events.Asked():
                return effects.Done(t=event.t, value=self._whole(key, event.value))
            case events.Paused():
                return effects.Done(t=event.t)
            case events.AttemptFailed(kind="stopped"):
                return effects.Stopped(t=event.t, why=event.stopped_by, over=event.final, ordered_by=event.ordered_by)
            case events.AttemptFailed(kind=kind) if kind in _KINDS:
                return effects.Failed(t=event.t, failure=self._failure(event))
            case _:
                raise MisfitError(f"line {self._next} is not an outcome of `{key}`")

    def _failure(self, event: events.AttemptFailed) -> CallFailed:
        trouble = events.Trouble(
            code=event.error.code,
            message=self._sentence(event.error.message),
            hint=None if event.error.hint is None else self._sentence(event.error.hint),
        )
        return CallFailed(
            kind=FailureKind(event.kind),
            trouble=trouble,
            status=event.status,
            retry_after=event.retry_after,
            final=event.final,
            date=event.date,
            unproved=event.unproved,
        )

    def _sentence(self, written: str) -> str:
        """A sentence for people: nothing is sent or decided by it, so that a forgotten secret in it is no matter."""
        try:
            return str(self._journal.value_of(written))
        except LookupError:
            return str(hide(written))

    def _whole(self, key: str, value: Json) -> Json:
        try:
            return self._journal.value_of(value)
        except LookupError as error:
            raise ForgottenError(f"the answer of `{key}` cannot be read back: {error}") from error


def _is_only_result(call: Call, written: Json, shown: Json) -> bool:
    """Whether only what the process gave is hidden in an answer, and not which process it was."""
    if isinstance(call, ExecuteCall):
        return True
    if not isinstance(written, dict) or not isinstance(shown, dict):
        return False
    return {**written, "results": None} == {**shown, "results": None}


def _shown(event: events.AnyEvent) -> Json:
    return hide(msgspec.json.decode(events.encode(event)))


def _is_no_outcome(event: events.AnyEvent) -> bool:
    """Whether the event only marks that the run waits, signs in, broke off, or was resumed."""
    is_given_up = type(event) is events.AttemptFailed and event.kind == events.GIVEN_UP
    return is_given_up or type(event) in _NO_OUTCOMES


def _key(effect: effects.Sleep | effects.Ask | effects.ResolveDoubt | effects.QueryPeers) -> str:
    return ",".join(effect.keys) if isinstance(effect, effects.ResolveDoubt) else effect.key


def _name(event: events.AnyEvent) -> str:
    return str(type(event).__struct_config__.tag)

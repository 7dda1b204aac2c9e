"""The attempts of each row with their calls: what was sent, how that ended, and what it waited for, by the events.

Readings of the process log and further pages are only counted; a row that only reads has its last reading as the call.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Struct

from runner.foundation.values import Json, JsonObject
from runner.runs.events import (
    AnyEvent,
    Asked,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    Paused,
    SignedIn,
    StepFinished,
    StepStarted,
    Trouble,
    Waited,
)
from runner.runs.evidence import PauseReason, SentRequest
from runner.runs.result import StepResult

READINGS: Final = frozenset(
    {
        *("read_rows", "read_row", "read_elements", "read_element_data", "read_schema"),
        *("find_process", "find_family", "find_hidden_family", "read_family", "who_am_i", "who_is_user"),
    }
)
"""Kinds of calls that ask the process log, or what it takes to read it."""
CALL_FAILURES: Final = frozenset({"not_sent", "turned_away", "refused", "unanswered"})
"""How a call may fail; an attempt also ends where an expectation is not met."""
_OWN_KEYS = frozenset({"kind", "process", "parameters"})
_OF_AN_ATTEMPT = (CallSent, CallAnswered, AttemptFailed, Paused, Asked, SignedIn, Waited)


class _OpenCall(Struct, kw_only=True, gc=False):
    """A call whose answer is searched for. `before` are the sign-ins and waits that it needed."""

    sent: CallSent
    at: str
    before: tuple[SignedIn | Waited, ...]
    end: CallAnswered | AttemptFailed | None = None

    @property
    def is_reading(self) -> bool:
        return self.sent.call.get("kind") in READINGS


class _OpenAttempt(Struct, kw_only=True, gc=False):
    calls: list[_OpenCall]
    error: Trouble | None = None
    is_over: bool = False

    @property
    def own(self) -> _OpenCall | None:
        """The call that it is about: the first that is no reading, else the last reading."""
        own = next((call for call in self.calls if not call.is_reading), None)
        return own or (self.calls[-1] if self.calls else None)


class RowAttempts(Struct, gc=False):
    attempts: tuple[_OpenAttempt, ...] = ()
    before: tuple[SignedIn | Waited, ...] = ()
    call: _OpenCall | None = None

    def records(self) -> list[Json]:
        """The attempts as records for programs, which are made here: those of ten thousand rows take 40 MB."""
        return [_record(attempt, number) for number, attempt in enumerate(self.attempts, 1)]

    def take(self, event: AnyEvent, at: str) -> None:
        match event:
            case CallSent():
                self._send(event, at)
            case CallAnswered():
                self._end(event)
            case SignedIn() if self.call is not None:
                self.call.before = (*self.call.before, event)
            case SignedIn() | Waited(seconds=float() | int()):
                self.before = (*self.before, event)
            case AttemptFailed():
                self._fail(event)
            case Paused(why=PauseReason.RETRY) | Asked(value={"as": "retry"}):
                self._close()
            case _:
                pass

    def _send(self, event: CallSent, at: str) -> None:
        self.call, self.before = _OpenCall(sent=event, at=at, before=self.before), ()
        last = self.attempts[-1] if self.attempts else None
        if last is None or (last.is_over and not self.call.is_reading):
            self.attempts = (*self.attempts, _OpenAttempt(calls=[self.call]))
        else:
            last.calls.append(self.call)

    def _end(self, event: CallAnswered | AttemptFailed) -> None:
        if self.call is not None:
            self.call.end, self.call = event, None

    def _fail(self, event: AttemptFailed) -> None:
        call, is_of_call = self.call, event.kind in CALL_FAILURES
        if is_of_call:
            self._end(event)
        ends_attempt = event.kind == "expectation" or (is_of_call and call is not None and not call.is_reading)
        if ends_attempt and self.attempts:
            self.attempts[-1].error = event.error
            self._close()

    def _close(self) -> None:
        if self.attempts:
            self.attempts[-1].is_over = True


def attempts_by_row(lines: Iterable[Line]) -> dict[str, RowAttempts]:
    """The attempts of each row that made a call, by the row's key."""
    readers: dict[str, RowAttempts] = {}
    for line in lines:
        event = line.event
        if type(event) is StepStarted:
            readers[event.row.key] = RowAttempts()
        elif type(event) is not StepFinished and isinstance(event, _OF_AN_ATTEMPT):
            key = event.key.partition(",")[0]
            if key not in readers:
                readers[key] = RowAttempts()
            readers[key].take(event, line.at)
    return readers


def earlier_failures(steps: Iterable[StepResult], lines: Iterable[Line]) -> dict[str, list[Trouble]]:
    """By row, why its attempts before the last failed. A reading that failed within an attempt is none."""
    earlier = {step.key: step.attempts - 1 for step in steps if step.attempts > 1}
    made = attempts_by_row(lines) if earlier else {}
    return {
        key: [attempt.error for attempt in made[key].attempts[:number] if attempt.error is not None]
        for key, number in earlier.items()
        if key in made
    }


def _record(attempt: _OpenAttempt, number: int) -> JsonObject:
    own = attempt.own
    readings = sum(call.is_reading for call in attempt.calls)
    return {
        "number": number,
        "error": msgspec.to_builtins(attempt.error),
        "call": None if own is None else _call(own, [event for call in attempt.calls for event in call.before]),
        "calls": len(attempt.calls),
        "readings": readings,
    }


def _call(call: _OpenCall, before: Sequence[SignedIn | Waited]) -> JsonObject:
    """The call with all that the attempt has waited for, also before a reading of the process log."""
    sent, end = call.sent, call.end
    recorded = sent.call
    failed = end if isinstance(end, AttemptFailed) else None
    return {
        "kind": recorded.get("kind"),
        "process": recorded.get("process"),
        "parameters": recorded.get("parameters"),
        "arguments": {name: value for name, value in recorded.items() if name not in _OWN_KEYS},
        "effect": sent.effect,
        "request": None if sent.request is None else _request(sent.request),
        "at": call.at,
        "t": sent.t,
        "seconds": round(end.t - sent.t, 6) if end is not None else None,
        "ended": "answered" if isinstance(end, CallAnswered) else failed.kind if failed else None,
        "status": end.status if end is not None else None,
        "bytes": end.bytes if end is not None else None,
        "date": end.date if end is not None else None,
        "words": failed.body if failed else None,
        "retry_after": failed.retry_after if failed else None,
        "sign_ins": [{"kind": event.kind, "seconds": event.seconds} for event in before if isinstance(event, SignedIn)],
        "waits": [wait(event) for event in before if isinstance(event, Waited)],
    }


def _request(request: SentRequest) -> JsonObject:
    """A request with every key, but for `body`, as null is an empty body."""
    shown: JsonObject = {
        "method": request.method,
        "path": request.path,
        "query": [[name, value] for name, value in request.query],
        "left_out": request.left_out,
    }
    if request.body is not UNSET:
        shown["body"] = request.body
    return shown


def wait(event: Waited) -> JsonObject:
    return {
        "for": event.what,
        "seconds": event.seconds,
        "name": event.name,
        "held_by": None if event.held_by is None else msgspec.to_builtins(event.held_by),
    }

"""What belongs to a call of a run: its gate, its delay, its evidence, and its start as other runs know it."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from sys import intern
from typing import Final, Protocol

from msgspec import UNSET, Struct, UnsetType

from runner.engine.effects import Outcome, QueryPeers, Send, SendDelay
from runner.engine.lost import step_key
from runner.engine.start_bounds import has_begun_nothing
from runner.foundation.percent import decoded, encoded
from runner.foundation.values import Json, record
from runner.hosts.replay import ForgottenError
from runner.hosts.turns import Turn
from runner.job.model import Job, StepEffect
from runner.planning.guards import steps_of
from runner.runs.events import AttemptFailed, CallAnswered, CallSent, Line, Trouble
from runner.runs.evidence import SentRequest
from runner.runs.hidden_answers import SECRET_VALUE
from runner.runs.missing_starts import missing_starts
from runner.runs.store import Others, OwnedRows, StoreError
from runner.secrets.shown import STARS
from runner.service import calls
from runner.service.calls import Answered, Call, CallFailed, Ending, FailureKind, RunProcessCall, process_started
from runner.service.site import Request

_UNSENT: Final = "the call was not sent: its start could not be written down"
_HINT: Final = "make the file usable, then repeat the command"


class StartedCalls(Struct, frozen=True, kw_only=True):
    """The calls of a run that start processes."""

    owned: OwnedRows
    turn: Turn

    def lacked_by(self, job: Job, earlier: Sequence[Line]) -> frozenset[str]:
        """The rows whose stored start the `earlier` events lack: the program may have been killed in between.

        Raises `ForgottenError` where it has left for certain, as after a backup was restored.
        """
        once = {placed.key for placed in steps_of(job) if placed.step.effect is StepEffect.ONCE}
        if not earlier or not once:
            return frozenset()
        missing = missing_starts(self.owned, earlier)
        for key in sorted(missing.certain):
            if step_key(key) in once:
                raise ForgottenError(f"its events are an older copy: later it has sent `{key}`, which is not in them")
        return frozenset(key for key in missing.perhaps if step_key(key) in once)

    def begin(self, send: Send) -> None:
        """The call is about to be sent."""
        if (process := process_started(send.call)) is not None:
            self.turn.start(seconds=send.seconds)
            is_read = send.watermark is not None or send.effect is StepEffect.ONCE
            self.owned.begin(send.key, process, seconds=send.seconds, is_read=is_read)

    def leave(self, send: Send) -> None:
        """The call leaves now."""
        if process_started(send.call) is not None:
            self.owned.leave(send.key)

    def end(self, send: Send, ending: Ending) -> None:
        if process_started(send.call) is None:
            return
        if isinstance(ending, CallFailed) and has_begun_nothing(ending):
            self.owned.never_began(send.key)
        elif isinstance(ending, CallFailed) and ending.kind is FailureKind.UNANSWERED:
            self.owned.time_out(send.key)
        elif _is_queued(send, ending):
            self.owned.queue(send.key)
        else:
            self.owned.answer(send.key)

    def drop(self, send: Send) -> None:
        """The call does not leave. Where that cannot be stored, other runs count the start until its time is over."""
        if process_started(send.call) is not None:
            with suppress(StoreError):
                self.owned.never_began(send.key)

    def ask(self, query: QueryPeers, *, is_resumed: bool) -> Others:
        """What others know; or let them know that the last start of a row has begun nothing, or still waits."""
        if not (query.nothing_began or query.still_waits):
            return self.owned.ask(query)
        with suppress(StoreError):
            if query.still_waits:
                self.owned.queue(query.key)
            elif not is_resumed:
                self.owned.never_began(query.key, is_certain=False)
        return Others()


def _is_queued(send: Send, ending: Ending) -> bool:
    answer = record(ending.value) if isinstance(ending, Answered) and isinstance(send.call, RunProcessCall) else {}
    return answer.get("status") == "queued" and answer.get("process_id") is None


def unsent(why: StoreError) -> CallFailed:
    """What is known of a call that did not leave, since its start could not be stored."""
    return CallFailed(
        kind=FailureKind.NOT_SENT, trouble=Trouble(code="E311", message=f"{_UNSENT}: {why}", hint=why.hint or _HINT)
    )


class CallNotes(Protocol):
    """The host, as the gate of a call needs it."""

    def is_wanted(self, send: Send) -> bool: ...

    def note_sent(self, send: Send, request: Request | None) -> None: ...

    def note_sign_in(self, key: str, kind: str, seconds: float) -> None: ...

    def wait_for_rate(self, key: str, seconds: float) -> None: ...

    def check_may_leave(self, send: Send) -> None: ...


class CallGate(Struct, kw_only=True):
    """A `runner.service.gate.Gate`."""

    host: CallNotes
    send: Send
    is_noted: bool = False
    request: Request | None = None

    def written(self, request: Request) -> None:
        self.request = request

    def signed_in(self, kind: str, seconds: float) -> None:
        self.host.note_sign_in(self.send.key, kind, seconds)

    def is_wanted(self) -> bool:
        return self.host.is_wanted(self.send)

    def may_leave(self) -> bool:
        if not self.is_wanted():
            return False
        self.note()
        self.host.check_may_leave(self.send)
        return True

    def wait(self, seconds: float) -> None:
        self.host.wait_for_rate(self.send.key, seconds)

    def note(self) -> None:
        """Journal, once, that the call is sent."""
        if not self.is_noted:
            self.is_noted = True
            self.host.note_sent(self.send, self.request)


WORTH_A_NOTE: Final = 1.0  # seconds from which on a delay counts: the server's time is known no better


class Delays:
    """The delays of a run. `wall` is the wall clock, in seconds."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self.wall = wall
        self._t = 0.0
        self._ahead: float | None = None
        self._delay: SendDelay | None = None

    def learn(self, outcome: Outcome) -> None:
        """The outcome that the engine is handed: what it sends next was made ready then."""
        self._t = outcome.t

    def leaves(self, t: float) -> float | None:
        """A call leaves at the active second `t`, its start stored. How many seconds late, where that counts."""
        late = 0.0 if self._ahead is None else round(self.wall() - self._ahead - self._t, 3)
        self._delay = SendDelay(t=t, seconds=late) if late >= WORTH_A_NOTE else None
        return late if self._delay else None

    def ended(self, date: str | None, *, t: float, at: float) -> SendDelay | None:
        """How late a call had left that was answered `at` this moment, and ends at `t`. `date`: the server's."""
        if date is not None:
            self._ahead = at - t
        delay, self._delay = self._delay, None
        return delay


MOST_BYTES: Final = 8 << 10
"""Bytes of a request that is stored with its query and its body: the call holds the values of a larger request."""
BROKEN_OFF: Final = CallFailed(
    kind=FailureKind.UNANSWERED, trouble=Trouble(code="E312", message="the run broke off before the call was answered")
)
"""A call that had left when the run ended, without an answer."""


def sent_request(request: Request) -> SentRequest:
    """Secrets are in it still: its event is stored without them."""
    path, _, query = request.path.partition("?")
    if len(request.path) + len(request.body or b"") > MOST_BYTES:
        return SentRequest(method=request.method, path=path, left_out=len(query) + len(request.body or b""))
    pairs = _pairs(query) if query else ()
    return SentRequest(
        method=request.method,
        path=intern(request.path if pairs is None else path),
        query=pairs or (),
        body=_body(request.body),
    )


def _pairs(query: str) -> tuple[tuple[str, str], ...] | None:
    """Names and decoded values; None where encoding them again would make another query."""
    pairs = []
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        text = _exactly_decoded(value)
        if text is None or not equals:
            return None
        pairs.append((intern(name), text))
    return tuple(pairs)


@lru_cache(maxsize=64)  # most values go along with call after call
def _exactly_decoded(value: str) -> str | None:
    text = decoded(value)
    return text if encoded(text) == value else None


def _body(content: bytes | None) -> "Json | UnsetType":
    if content is None:
        return UNSET
    body: Json = json.loads(content) if content else None
    return body


def call_sent(send: Send, t: float, *, request: Request | None = None, delayed: float | None = None) -> CallSent:
    return CallSent(
        key=send.key,
        effect=send.effect.value,
        call=calls.record(send.call),
        watermark=send.watermark,
        t=t,
        request=None if request is None else sent_request(request),
        delayed=delayed,
    )


def call_answered(send: Send, t: float, ending: Answered) -> CallAnswered:
    """The event of an answer. That a secret step was answered with nothing is no secret: its verdict depends on it."""
    return CallAnswered(
        key=send.key,
        t=t,
        value=_without_result(send.call, ending.value) if send.secret else ending.value,
        date=ending.date,
        status=ending.status,
        bytes=ending.size,
    )


def _without_result(call: Call, value: Json) -> Json:
    """The answer without its secrets: of a `run` the process and its end stay, to resume it."""
    if not isinstance(call, RunProcessCall) or not isinstance(value, dict):
        return None if value is None else SECRET_VALUE
    results, error = value.get("results"), value.get("error")
    return {**value, "results": SECRET_VALUE if results else results, "error": STARS if error else error}


def attempt_failed(key: str, t: float, failure: CallFailed, *, body: str | None = None) -> AttemptFailed:
    return AttemptFailed(
        key=key,
        t=t,
        kind=failure.kind.value,
        error=failure.trouble,
        status=failure.status,
        retry_after=failure.retry_after,
        final=failure.final,
        date=failure.date,
        unproved=failure.unproved,
        body=body,
        bytes=failure.size,
    )

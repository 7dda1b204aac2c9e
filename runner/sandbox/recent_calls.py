"""The calls that came last, with their bodies, for whoever looks at the sandbox. None of this outlives it."""

from collections import deque
from collections.abc import Callable
from itertools import count
from urllib.parse import unquote

from msgspec import Struct

from runner.foundation.sentences import shortened
from runner.foundation.values import Json, JsonObject
from runner.sandbox.doubles import CallFault

_REMEMBERED = 200  # so many calls, the newest
_LONGEST_ADDRESS = 300
_LONGEST_BODY = 16 * 1024  # so many bytes of each body
_SIGN_INS = ("/AuthService.svc/Login", "/connect/token")  # ends of addresses whose bodies hold passwords and tokens


class CallBody(Struct, frozen=True, kw_only=True):
    """The first bytes of a body, and how many there are."""

    start: bytes = b""
    size: int = 0

    @property
    def shown(self) -> Json:
        return {"text": self.start.decode("utf-8", "replace"), "size": self.size, "whole": len(self.start) == self.size}


class RecentCall(Struct, kw_only=True):
    """A call that came."""

    number: int
    at: str
    came: float
    method: str
    address: str  # path and query, shortened
    hides_bodies: bool  # it is a sign-in
    sent: CallBody
    answer: CallBody = CallBody()
    fault: CallFault | None = None
    status: int | None = None  # None without an answer so far
    seconds: float | None = None


class RecentCalls:
    """`now` gives a time as the log writes it, `clock` seconds from any start."""

    def __init__(self, *, now: Callable[[], str], clock: Callable[[], float]) -> None:
        self._now = now
        self._clock = clock
        self._calls: deque[RecentCall] = deque(maxlen=_REMEMBERED)
        self._numbers = count(1)

    def came(self, method: str, address: str, body: bytes) -> RecentCall:
        hides_bodies = address.partition("?")[0].endswith(_SIGN_INS)
        call = RecentCall(
            number=next(self._numbers),
            at=self._now(),
            came=self._clock(),
            method=method,
            address=shortened(address, _LONGEST_ADDRESS),
            hides_bodies=hides_bodies,
            sent=CallBody() if hides_bodies else _body(body),
        )
        self._calls.appendleft(call)
        return call

    def went(self, call: RecentCall, status: int | None, body: bytes = b"") -> None:
        """It was answered with `status` and `body`, or cut."""
        call.status = status
        call.seconds = self._clock() - call.came
        if not call.hides_bodies:
            call.answer = _body(body)

    def listed(self) -> list[Json]:
        """Newest first, without bodies."""
        return [_listed(call) for call in self._calls]

    def opened(self, number: str) -> JsonObject | None:
        """The call of this number, with its bodies; None where it is forgotten, or never came."""
        call = next((call for call in self._calls if str(call.number) == number), None)
        if call is None:
            return None
        bodies: JsonObject = {"sent": call.sent.shown, "answer": call.answer.shown, "hides_bodies": call.hides_bodies}
        return _listed(call) | bodies


def _listed(call: RecentCall) -> JsonObject:
    return {
        "number": call.number,
        "at": call.at,
        "method": call.method,
        "address": unquote(call.address),
        "status": call.status,
        "seconds": None if call.seconds is None else round(call.seconds, 4),
        "fault": None if call.fault is None else call.fault.kind,
    }


def _body(whole: bytes) -> CallBody:
    return CallBody(start=whole[:_LONGEST_BODY], size=len(whole))

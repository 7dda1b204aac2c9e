"""When a call may leave: its deadline, the pace of its site, and the last question before the first byte."""

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from runner.service.site import Request

Clock: TypeAlias = Callable[[], float]


class Gate(Protocol):
    """The caller's side of a call that is made ready, which may take long."""

    def written(self, request: Request) -> None:
        """Given the request of the call, before anything is done for it."""

    def signed_in(self, kind: str, seconds: float) -> None:
        """Given that a session was opened for the call, how, and how long that took."""

    def is_wanted(self) -> bool: ...

    def may_leave(self) -> bool:
        """Asked when nothing is left to wait for, just before the first byte leaves. A call that may leave is noted."""

    def wait(self, seconds: float) -> None:
        """Wait before a call may leave; that is none of its time. It ends at once where the call is not wanted."""


class OpenGate:
    """Lets every call leave."""

    def written(self, request: Request) -> None: ...

    def signed_in(self, kind: str, seconds: float) -> None: ...

    def is_wanted(self) -> bool:
        return True

    def may_leave(self) -> bool:
        return True

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


OPEN: Final = OpenGate()


class Deadline(Struct, kw_only=True):
    """When the time of a call is over, without what it waits for before it may leave."""

    at: float  # on the clock
    seconds: float  # it has, for messages
    gate: Gate
    whole: "Deadline | None" = None  # of which this is a part

    def put_off(self, seconds: float) -> None:
        self.at += seconds
        if self.whole is not None:
            self.whole.put_off(seconds)

    def within(self, seconds: float | None, *, now: float) -> "Deadline":
        """A part of this time: at most so many seconds from `now` on."""
        if seconds is None or now + seconds >= self.at:
            return self
        return Deadline(at=now + seconds, seconds=seconds, gate=self.gate, whole=self)


class SitePace(Protocol):
    def wait_for_turn(self, gate: Gate) -> float:
        """Wait for the next turn, at most for as long as the call is wanted. The seconds that it took."""


class Pace:
    """At most `rate` calls a second to a site, evenly spaced over all threads; first come, first served.

    A call that gives up waiting leaves no gap: after a stop, wanted calls do not wait for others.
    """

    def __init__(self, rate: float, *, clock: Clock) -> None:
        self._gap = 1 / rate
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock()
        self._queue: list[object] = []

    def wait_for_turn(self, gate: Gate) -> float:
        """Wait for the next turn, at most for as long as the call is wanted. The seconds that it took."""
        begun, ticket = self._clock(), object()
        with self._lock:
            self._queue.append(ticket)
        try:
            while (left := self._left(ticket)) > 0 and gate.is_wanted():
                gate.wait(left)
        finally:
            with self._lock:
                if ticket in self._queue:
                    self._queue.remove(ticket)
        return self._clock() - begun

    def _left(self, ticket: object) -> float:
        """Seconds to the turn of `ticket`; where it has come, it is taken."""
        with self._lock:
            now = self._clock()
            left = self._next + self._queue.index(ticket) * self._gap - now
            if left <= 0:
                self._next = now + self._gap
                self._queue.remove(ticket)
            return left

"""The pace of calls to one site: at most so many in a second, evenly spaced, whoever makes them."""

import threading
from collections.abc import Callable

from runner.service.gate import Gate


class Pace:
    """`rate` is in calls a second. It may be shared by threads; who comes first has the earlier turn.

    Who gives up waiting leaves no gap: after a stop, what is still wanted does not wait for what is not.
    """

    def __init__(self, rate: float, *, clock: Callable[[], float]) -> None:
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
            self._leave(ticket)
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

    def _leave(self, ticket: object) -> None:
        with self._lock:
            if ticket in self._queue:
                self._queue.remove(ticket)

"""The pace of calls to one site: at most so many in a second, evenly spaced, whoever makes them."""

import threading
from collections.abc import Callable

from runner.service.gate import Gate


class Pace:
    """`rate` is in calls a second. It may be shared by threads; who comes first has the earlier turn."""

    def __init__(self, rate: float, *, clock: Callable[[], float]) -> None:
        self._gap = 1 / rate
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock()

    def wait_for_turn(self, gate: Gate) -> float:
        """Wait for the next turn, at most for as long as the call is wanted. The seconds that it took."""
        with self._lock:
            begun = self._clock()
            turn = max(begun, self._next)
            self._next = turn + self._gap
        while (left := turn - self._clock()) > 0 and gate.is_wanted():
            gate.wait(left)
        return self._clock() - begun

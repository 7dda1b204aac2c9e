"""The pace of calls to one site: at most so many in a second, evenly spaced, whoever makes them."""

import threading
from collections.abc import Callable
from typing import TypeAlias

Wait: TypeAlias = Callable[[float], object]


class Pace:
    """`rate` is in calls a second. It may be shared by threads; who comes first has the earlier turn."""

    def __init__(self, rate: float, *, clock: Callable[[], float], wait: Wait) -> None:
        self._gap = 1 / rate
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._next = clock()

    def take_turn(self, deadline: float) -> bool:
        """Wait for the next turn. False, at once and without taking it, where it comes too late."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            if turn >= deadline:
                return False
            self._next = turn + self._gap
        if turn > now:
            self._wait(turn - now)
        return True

"""Starts of one process on one site take turns within this program, so that each finds its own row in the log."""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import TypeAlias

from runner.hosts.stop import Stop
from runner.runs.evidence import LockHolder

_LOOK = 0.1
"""Seconds between two looks at the stop, while waiting for a turn."""


HeldUp: TypeAlias = Callable[[LockHolder | None], object]


class RunLeftError(Exception):
    """The run is left as it is: a person settles it, it was not to be carried on, or another process does that."""


class Turns:
    """The turns on one site, shared by all runs against it, whatever their targets are called."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self.holders: dict[str, LockHolder | None] = {}

    def lock(self, process: str) -> threading.Lock:
        return self._locks[process]  # one step of the interpreter: two threads never make two locks


class Turn:
    """The turn that one run has, at most one at a time. `holder` names the run to others that wait."""

    def __init__(self, turns: Turns, holder: LockHolder | None = None) -> None:
        self._turns = turns
        self._holder = holder
        self._process: str | None = None

    def take(self, process: str, stop: Stop, *, held_up: HeldUp = lambda _: None) -> bool:
        """Wait for the turn of `process`, or keep it; `held_up` is called with its holder if it is not free at once.
        False where the stop came meanwhile. Raises `RunLeftError` where others need this thread.
        """
        if self._process == process:
            return True
        self.give_back()
        lock = self._turns.lock(process)
        is_held_up = False
        while not lock.acquire(timeout=_LOOK):
            if stop.why is not None:
                return False
            if not is_held_up:
                held_up(self._turns.holders.get(process))
            is_held_up = True
        self._process = process
        self._turns.holders[process] = self._holder
        return True

    def leave(self) -> None:
        """The run is left, perhaps in the middle of a row."""
        self.give_back()

    def give_back(self) -> None:
        if self._process is not None:
            self._turns.holders.pop(self._process, None)
            self._turns.lock(self._process).release()
            self._process = None

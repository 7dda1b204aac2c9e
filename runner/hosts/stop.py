"""Stopping a run while it is under way: by a signal of the operating system, or from another thread."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from runner.runs.evidence import Person

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows knows no SIGHUP; what a system does not know is not listened for

_LOOK = 0.05  # seconds after which the main thread looks for a signal while it waits


class Stop:
    """Whether, why and when a run is to stop, and who ordered that of a fleet. The first reason stays."""

    def __init__(self, *, grace: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.why: str | None = None
        self.ordered_by: Person | None = None
        self.given_up = False  # nobody waits any longer; no `Event`, whose lock a signal's handler would wait for
        self._grace = grace
        self._clock = clock
        self._requested = threading.Event()
        self._ends: float | None = None

    def request(self, why: str, *, ordered_by: Person | None = None) -> None:
        """Stop, for this reason: `SIGINT`, `SIGTERM`, `SIGHUP`. From here on the grace runs."""
        if self.why is None:
            self.why, self.ordered_by = why, ordered_by
            self._ends = self._clock() + self._grace
            self._requested.set()

    def wait(self, seconds: float) -> None:
        """Wait; a wait during which the stop comes ends at once, a wait that begins after it ends with the grace."""
        if self._ends is not None:
            time.sleep(max(0.0, min(seconds, self._ends - self._clock())))
        elif threading.current_thread() is not threading.main_thread():
            self._requested.wait(seconds)
        else:  # a signal's handler would wait for ever for the lock of a wait that it interrupts
            while self.why is None and seconds > 0.0:
                time.sleep(min(seconds, _LOOK))
                seconds -= _LOOK

    def goes_on(self) -> bool:
        """Whether the run may take more time in this process: asked before and after each effect that takes any."""
        return True

    def is_over(self, *, since: float = 0.0) -> bool:
        """Whether the grace has ended, `since` seconds ago or earlier."""
        return self._ends is not None and self._clock() >= self._ends + since


@contextmanager
def listening(stop: Stop, *, heard: Callable[[str], None]) -> Iterator[None]:
    """Let the first signal request the `stop`, a second SIGINT give up. Main thread only; respects `nohup`."""

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        if stop.why is None:
            stop.request(signal.Signals(number).name)
            heard(signal.Signals(number).name)
        elif number == signal.SIGINT:
            stop.given_up = True

    known = [number for name in _SIGNALS if (number := getattr(signal, name, None)) and not _is_ignored(number)]
    before = {number: signal.signal(number, handle) for number in known}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_ignored(number: signal.Signals) -> bool:
    return number.name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN

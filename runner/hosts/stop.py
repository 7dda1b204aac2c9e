"""Being told to stop: by a signal, from another thread, while a run is under way."""

import threading
import time
from collections.abc import Callable


class Stop:
    """Whether, why and when a run was told to stop. The first reason stays."""

    def __init__(self, *, grace: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.why: str | None = None
        self._grace = grace
        self._clock = clock
        self._told = threading.Event()
        self._ends: float | None = None

    def tell(self, why: str) -> None:
        """Stop, for this reason: `SIGINT`, `SIGTERM`, `SIGHUP`. From here on the grace runs."""
        if self.why is None:
            self.why = why
            self._ends = self._clock() + self._grace
            self._told.set()

    def wait(self, seconds: float) -> None:
        """Wait; a wait during which the stop is told ends at once, one that begins after it ends with the grace."""
        if self._ends is None:
            self._told.wait(seconds)
        else:
            time.sleep(max(0.0, min(seconds, self._ends - self._clock())))

    def is_over(self, *, since: float = 0.0) -> bool:
        """Whether the grace has ended, `since` seconds ago or earlier."""
        return self._ends is not None and self._clock() >= self._ends + since

"""By how much a call leaves later than the engine knows, from which on its row may be its own.

Active time does not pass while a call waits for the pace, nor the monotonic clock while a machine sleeps. The wall
clock does; where it is set meanwhile, the delay is wrong.
"""

import time
from collections.abc import Callable
from typing import Final

from runner.engine.effects import Outcome, SendDelay

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

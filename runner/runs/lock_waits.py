"""How long the runs of one command wait for locks that others of them have, and for whom."""

import time

from msgspec import UNSET, Struct, field

from runner.runs.events import Waited, WaitsFor
from runner.runs.evidence import LockHolder
from runner.runs.store import Claim


class LockWaits(Struct):
    """`since` has, by a key of who waits, since when and for which run; `titles` names the runs."""

    since: dict[int, tuple[float, str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def hold_up(self, waiting: int, *, holder: str) -> None:
        """Somebody could begin but for the lock of the run `holder`."""
        self.since.setdefault(waiting, (time.monotonic(), holder))

    def begin(self, run: str, *, title: str) -> LockHolder:
        """The run has begun. Gives its name to whoever waits for it."""
        self.titles[run] = title
        return LockHolder(job=title, run=run)

    def ended(self, waiting: int, lock: Claim) -> tuple[Waited, ...]:
        """The wait that is over as an event; nothing where there was none."""
        if waiting not in self.since:
            return ()
        since, holder = self.since.pop(waiting)
        return (waited_for(lock, time.monotonic() - since, LockHolder(job=self.titles[holder], run=holder)),)


def waited_for(lock: Claim, seconds: float, holder: LockHolder | None) -> Waited:
    return Waited(
        key="",
        t=0.0,
        what=WaitsFor.LOCK,
        seconds=round(seconds, 3),
        name=lock.name,
        held_by=UNSET if holder is None else holder,
    )

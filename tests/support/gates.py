"""A gate of calls for tests: a clock that only waiting moves, and a stop at a time of its own."""

from dataclasses import dataclass, field


@dataclass
class Time:
    """The clock, and the gate of who waits. `stops_at`: nothing is wanted from then on. `left` counts what left."""

    now: float = 100.0
    stops_at: float = 10_000.0
    waits: list[float] = field(default_factory=list)
    left: int = 0

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now = min(self.now + seconds, self.stops_at)

    def is_wanted(self) -> bool:
        return self.now < self.stops_at

    def written(self, request: object) -> None: ...

    def signed_in(self, kind: str, seconds: float) -> None: ...

    def may_leave(self) -> bool:
        self.left += self.is_wanted()
        return self.is_wanted()

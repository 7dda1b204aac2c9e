"""The calls that came last, for whoever looks on: one that is still under way is there, too."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from runner.foundation.values import Json
from runner.sandbox.doubles import CallFault

_KEPT = 200
_LONGEST = 300


@dataclass(slots=True, kw_only=True)
class RecentCall:
    """`address` is path and query, shortened. `status` is None until there is an answer, and where there is none."""

    at: str
    came: float
    method: str
    address: str
    fault: CallFault | None = None
    status: int | None = None
    seconds: float | None = None


class RecentCalls:
    """`now` gives a time as the log writes it, `clock` seconds from any start. None of this outlives the sandbox."""

    def __init__(self, *, now: Callable[[], str], clock: Callable[[], float]) -> None:
        self._now = now
        self._clock = clock
        self._calls: deque[RecentCall] = deque(maxlen=_KEPT)

    def came(self, method: str, address: str) -> RecentCall:
        shown = address if len(address) <= _LONGEST else f"{address[:_LONGEST]}…"
        call = RecentCall(at=self._now(), came=self._clock(), method=method, address=shown)
        self._calls.appendleft(call)
        return call

    def went(self, call: RecentCall, status: int | None) -> None:
        """It was answered with `status`, or cut."""
        call.status = status
        call.seconds = self._clock() - call.came

    def listed(self) -> list[Json]:
        """Newest first."""
        return [
            {
                "at": call.at,
                "method": call.method,
                "address": unquote(call.address),
                "status": call.status,
                "seconds": None if call.seconds is None else round(call.seconds, 4),
                "fault": None if call.fault is None else call.fault.kind,
            }
            for call in self._calls
        ]

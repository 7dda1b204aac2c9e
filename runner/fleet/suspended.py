"""The targets of one worker whose sites let it not in: their runs stay in the queue for a while, and for others."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from runner.foundation.durations import written
from runner.reports.safe import clean
from runner.service.calls import CallFailed, FailureKind

_NEVER_LEFT: Final = frozenset({"E301", "E302", "E313"})
"""Codes of calls for which there was no connection: no password left this machine."""
_FIRST_PAUSES: Final = {True: 5.0, False: 60.0}
_LONGEST_PAUSES: Final = {True: 60.0, False: 900.0}
"""Seconds, by whether the site can be tried without a password: a few wrong tries lock an account."""


class Suspension(Struct, frozen=True, kw_only=True):
    """Why a target is suspended, `since` when, in seconds since the epoch, and `until` when, on the clock. `code` is of
    the failure.
    """

    reason: str
    code: str
    since: float
    until: float
    pause: float


def is_shut_out(failure: CallFailed) -> bool:
    """Whether a call failed since its site cannot be reached, or lets nobody in: other calls would fail likewise."""
    if failure.kind is not FailureKind.NOT_SENT or failure.unwanted:
        return False
    return bool(failure.no_session) or failure.trouble.code in _NEVER_LEFT


class SuspendedTargets:
    """May be used by several threads. `say` prints a line, once when a target is suspended and once when it is not any
    more. `clock` is that of this machine, `now` the time of day.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._say = say
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._suspended: dict[str, Suspension] = {}

    def suspend(self, target: str, failure: CallFailed, *, reason: str) -> None:
        """`reason` is what may be shown of the failure. Runs that fail alike at the same time count once."""
        with self._lock:
            before = self._suspended.get(target)
            if before is not None and self._clock() < before.until:
                return
            pause = _pause(failure, before)
            seconds = _seconds_of_others(failure) or pause
            self._suspended[target] = Suspension(
                reason=reason,
                code=failure.trouble.code,
                since=self._now() if before is None else before.since,
                until=self._clock() + seconds,
                pause=pause,
            )
            if before is None or before.code != failure.trouble.code:
                again = written(seconds)
                self._say(f"target `{clean(target)}` is suspended: {clean(reason)}; its runs wait, next try in {again}")

    def resume(self, target: str) -> None:
        """A call to the site was made."""
        with self._lock:
            if self._suspended.pop(target, None) is not None:
                self._say(f"target `{clean(target)}` is suspended no more")

    def waiting(self) -> frozenset[str]:
        """The targets whose runs are not to be fetched now."""
        with self._lock:
            return frozenset(target for target, each in self._suspended.items() if self._clock() < each.until)

    def all(self) -> Mapping[str, Suspension]:
        """Also those that are about to be tried."""
        with self._lock:
            return dict(self._suspended)


def _seconds_of_others(failure: CallFailed) -> float | None:
    """When a sign-in that was not tried may be tried, as another worker was refused; None of one that was."""
    return failure.retry_after if failure.status is None else None


def _pause(failure: CallFailed, before: Suspension | None) -> float:
    is_harmless = failure.trouble.code in _NEVER_LEFT
    first, longest = _FIRST_PAUSES[is_harmless], _LONGEST_PAUSES[is_harmless]
    return first if before is None else max(first, min(longest, before.pause * 2))

"""The targets of a worker whose sites let it not in: their runs stay in the queue for a while, and for others.

The calls of a run are watched for that: the run is left for later if it has changed nothing.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Final

from msgspec import Struct

from runner.fleet.sign_ins import FIRST_PAUSE, LONGEST_PAUSE
from runner.foundation.durations import format_duration
from runner.hosts.turns import RunLeftError
from runner.job.model import StepEffect
from runner.reports.safe import clean
from runner.runs.events import CallSent, Line
from runner.service.access import is_refusal
from runner.service.calls import Act, Answered, Call, Caller, CallFailed, Ending, FailureKind
from runner.service.gate import Gate

_NEVER_LEFT: Final = frozenset({"E301", "E302", "E313"})
"""Codes of calls for which there was no connection: no password left this machine."""
_FIRST_PAUSES: Final = {True: 5.0, False: FIRST_PAUSE}
_LONGEST_PAUSES: Final = {True: 60.0, False: LONGEST_PAUSE}
"""Seconds, by whether a try is harmless, as no password is checked: a few wrong tries lock an account."""


class Suspension(Struct, frozen=True, kw_only=True):
    """Why a target is suspended, `since` (seconds of the epoch) and `until` (the clock). `code` is of the failure."""

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
    """For several threads. `say` prints a line when a target is suspended, and when it is not any more."""

    def __init__(self, say: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._lock = threading.Lock()
        self._suspended: dict[str, Suspension] = {}

    def suspend(self, target: str, failure: CallFailed, *, reason: str) -> None:
        """`reason` is what may be shown of the failure. Runs that fail alike at the same time count once."""
        with self._lock:
            before = self._suspended.get(target)
            if before is not None and self._clock() < before.until:
                return
            pause = _pause(failure, before)
            # of a sign-in that was not tried, as another worker was refused: when it may be tried
            seconds = (failure.retry_after if failure.status is None else None) or pause
            self._suspended[target] = Suspension(
                reason=reason,
                code=failure.trouble.code,
                since=time.time() if before is None else before.since,
                until=self._clock() + seconds,
                pause=pause,
            )
            if before is None or before.code != failure.trouble.code:
                why, again = clean(reason).rstrip("."), format_duration(seconds)
                self._say(f"target `{clean(target)}` is suspended: {why}; its runs wait, next try in {again}")

    def of(self, target: str) -> Suspension | None:
        with self._lock:
            return self._suspended.get(target)

    def resume(self, target: str, known: Suspension | None) -> None:
        """A call that began when this was `known` was answered; earlier calls do not show that the site is open."""
        with self._lock:
            if known is not None and self._suspended.get(target) is known:
                del self._suspended[target]
                self._say(f"target `{clean(target)}` is suspended no more")

    def waiting(self) -> frozenset[str]:
        """The targets whose runs must not be fetched now."""
        with self._lock:
            return frozenset(target for target, each in self._suspended.items() if self._clock() < each.until)

    def all(self) -> Mapping[str, Suspension]:
        """All suspended targets, also those that are tried soon."""
        with self._lock:
            return dict(self._suspended)


def _pause(failure: CallFailed, before: Suspension | None) -> float:
    is_not_well = not is_refusal(failure) and failure.status not in (None, HTTPStatus.TOO_MANY_REQUESTS)
    is_harmless = failure.trouble.code in _NEVER_LEFT or is_not_well  # or it shows a page of maintenance
    first, longest = _FIRST_PAUSES[is_harmless], _LONGEST_PAUSES[is_harmless]
    return first if before is None else max(first, min(longest, before.pause * 2))


class WatchedCaller(Struct, kw_only=True):
    """The calls of a run at a `target`. `shut_out` gets why its site lets nobody in."""

    caller: Caller
    target: str
    suspended: SuspendedTargets
    shut_out: list[CallFailed]
    has_acted: bool

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        """Raises `RunLeftError` where the run is left."""
        suspension = self.suspended.of(self.target)
        ending = self.caller.perform(call, seconds, gate=gate)
        if isinstance(ending, Answered):
            self.suspended.resume(self.target, suspension)
        elif not self.has_acted and is_shut_out(ending):
            self.shut_out.append(ending)
            raise RunLeftError
        did_nothing = isinstance(ending, CallFailed) and ending.kind is FailureKind.NOT_SENT
        self.has_acted = self.has_acted or (isinstance(call, Act) and not did_nothing)
        return ending


def has_acted(lines: Iterable[Line]) -> bool:
    """Whether a run sent calls, before it broke off, that may have changed something."""
    return any(isinstance(line.event, CallSent) and line.event.effect != StepEffect.READ for line in lines)

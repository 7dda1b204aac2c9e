"""Whether a sign-in may be tried: after a refusal it is not, since a few wrong tries lock an account."""

import math
import time
from typing import Final, Protocol

from msgspec.structs import replace

from runner.foundation.durations import written
from runner.service.calls import CallFailed
from runner.service.gate import Clock, Deadline

MOST_UNCLEAR: Final = 3
"""Sign-ins in a row whose answers say neither yes nor no: a call in doubt is searched for as often."""
AGAIN_AFTER: Final = 300.0  # seconds after which another is tried, and then each time


class SignIns(Protocol):
    """What is known of sign-ins with the same credentials at a site. `begin` and `end` enclose each of them."""

    def begin(self, deadline: Deadline) -> CallFailed | None:
        """Why nobody may sign in now; None where the caller may."""

    def end(self, failure: CallFailed | None) -> None:
        """Learn how the sign-in ended that might begin."""

    def forget(self) -> None:
        """Let the next sign-in be tried, also after a refusal: for whoever counts refusals."""


class OwnSignIns:
    """The sign-ins of this program: a refusal is final. After a few unclear answers they become rare."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._refusal: CallFailed | None = None
        self._unclear: list[CallFailed] = []
        self._next = -math.inf

    def begin(self, deadline: Deadline) -> CallFailed | None:
        del deadline
        if self._refusal is not None or self._clock() >= self._next:
            return self._refusal
        trouble = self._unclear[-1].trouble
        message = f"{trouble.message}; after {len(self._unclear)} tries the next is {written(AGAIN_AFTER)} later"
        return replace(self._unclear[-1], trouble=replace(trouble, message=message), status=None)

    def end(self, failure: CallFailed | None) -> None:
        self._refusal = failure if failure is not None and is_refusal(failure) else None
        if failure is None:
            self._unclear.clear()
        elif is_unclear(failure):
            self._unclear.append(failure)
            if len(self._unclear) >= MOST_UNCLEAR:
                self._next = self._clock() + AGAIN_AFTER

    def forget(self) -> None:
        self._refusal = None
        self._unclear.clear()
        self._next = -math.inf


def is_unclear(failure: CallFailed) -> bool:
    """Whether name and password may have been checked, and the answer does not say so; a gateway in trouble did not."""
    return failure.status is not None and failure.status < 500  # noqa: PLR2004  the site's own fault


def is_refusal(failure: CallFailed) -> bool:
    """Whether to sign in again with the same credentials is no help."""
    return failure.final and not failure.unwanted

"""Whether a call may leave: asked of whoever wants it, at the last moment at which nothing has been sent."""

import time
from typing import Protocol


class Gate(Protocol):
    """What whoever wants a call has to say while it is made ready, which may take long."""

    def is_wanted(self) -> bool: ...

    def may_leave(self) -> bool:
        """Asked when there is nothing left to wait for, just before the first byte leaves. What may leave is noted."""

    def wait(self, seconds: float) -> None:
        """Wait before a call may leave; that is none of its time. It ends at once where the call is not wanted."""


class OpenGate:
    """Lets every call leave."""

    def is_wanted(self) -> bool:
        return True

    def may_leave(self) -> bool:
        return True

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

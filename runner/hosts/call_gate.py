"""The gate of a call: it is journaled as sent when it may leave, and nothing else is waited for by then."""

from typing import Protocol

from msgspec import Struct

from runner.engine.effects import Send
from runner.service.site import Request


class CallNotes(Protocol):
    """The host, as the gate of a call needs it."""

    def is_wanted(self, send: Send) -> bool: ...

    def note_sent(self, send: Send, request: Request | None) -> None: ...

    def note_sign_in(self, key: str, kind: str, seconds: float) -> None: ...

    def wait_for_rate(self, key: str, seconds: float) -> None: ...

    def check_may_leave(self, send: Send) -> None: ...


class CallGate(Struct, kw_only=True):
    """A `runner.service.gate.Gate`."""

    host: CallNotes
    send: Send
    is_noted: bool = False
    request: Request | None = None

    def written(self, request: Request) -> None:
        self.request = request

    def signed_in(self, kind: str, seconds: float) -> None:
        self.host.note_sign_in(self.send.key, kind, seconds)

    def is_wanted(self) -> bool:
        return self.host.is_wanted(self.send)

    def may_leave(self) -> bool:
        if not self.is_wanted():
            return False
        self.note()
        self.host.check_may_leave(self.send)
        return True

    def wait(self, seconds: float) -> None:
        self.host.wait_for_rate(self.send.key, seconds)

    def note(self) -> None:
        """Journal, once, that the call is sent."""
        if not self.is_noted:
            self.is_noted = True
            self.host.note_sent(self.send, self.request)

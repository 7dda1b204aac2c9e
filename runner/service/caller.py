"""What others need of the client of a site, so that something else may stand in for it."""

from typing import Protocol

from runner.service.calls import Call, CallFailed, Ending
from runner.service.gate import Gate


class Caller(Protocol):
    """Makes calls. `gate` is asked just before the first byte of a call leaves."""

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending: ...


class SessionCaller(Caller, Protocol):
    """A caller with a session that can be asked for, and given up."""

    def sign_in(self, seconds: float) -> CallFailed | None: ...

    def forget_sign_in(self) -> None: ...

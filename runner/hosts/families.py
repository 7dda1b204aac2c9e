"""What a site says of the versions of its processes, read once in a command for all runs against it.

An answer is known as long as the command lasts, and so is a refusal; a run that asks for a `fresh` answer gets a new
answer, and all that come later have it, too. An answer that was known before bears no time of the server.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from runner.service.caller import Caller
from runner.service.calls import Answered, Call, Ending, FailureKind, FindFamily, ReadFamily
from runner.service.gate import Gate


class KnownFamilies:
    """What is known of one site, whatever its targets are called."""

    def __init__(self) -> None:
        self._endings: dict[FindFamily | ReadFamily, Ending] = {}
        self._locks: defaultdict[FindFamily | ReadFamily, threading.Lock] = defaultdict(threading.Lock)

    def ending(self, call: FindFamily | ReadFamily, read: Callable[[float], Ending], *, seconds: float) -> Ending:
        """The answer to `call`, which `read` reads within the seconds it is given, unless another run has."""
        asked, begun = replace(call, fresh=False), time.monotonic()
        lock = self._locks[asked]  # one step of the interpreter: two threads never make two locks
        if not lock.acquire(timeout=max(0.0, seconds)):
            return read(0.0)
        try:
            known = self._endings.get(asked)
            if known is not None and not call.fresh:
                return replace(known, date=None)
            ending = read(seconds - (time.monotonic() - begun))
            if isinstance(ending, Answered) or ending.kind is FailureKind.REFUSED:
                self._endings[asked] = ending
            return ending
        finally:
            lock.release()


class WithFamilies(Struct, frozen=True):
    """A caller that reads versions of processes once for all who share what is `known`."""

    caller: Caller
    known: KnownFamilies

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        if not isinstance(call, FindFamily | ReadFamily):
            return self.caller.perform(call, seconds, gate=gate)
        return self.known.ending(call, lambda left: self.caller.perform(call, left, gate=gate), seconds=seconds)

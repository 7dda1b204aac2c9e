"""The versions of a site's processes, and our user, read once in a command for all its runs.

A final refusal is remembered, too. A `fresh` answer replaces the old. A known answer has no time of the server.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final, TypeAlias, get_args

from msgspec import Struct
from msgspec.structs import replace

from runner.engine.readings import is_for_good
from runner.service.calls import (
    NOW,
    Answered,
    Call,
    Caller,
    Ending,
    FailureKind,
    FindFamily,
    FindHiddenFamily,
    ReadFamily,
    WhoAmI,
    WhoIsUser,
)
from runner.service.gate import Gate

Shared: TypeAlias = FindFamily | FindHiddenFamily | ReadFamily | WhoAmI | WhoIsUser
"""Calls whose answers are the same for all runs against a site."""
_SHARED: Final = frozenset(get_args(Shared))


class SharedAnswers:
    """What is known of a site with an account, by all of its targets."""

    def __init__(self, *, is_of_other_account: bool = False) -> None:
        """`is_of_other_account`: the run began with another account: our rows now are none of its earlier calls."""
        self._is_of_other_account = is_of_other_account
        self._endings: dict[Shared, Ending] = {}
        self._locks: defaultdict[Shared, threading.Lock] = defaultdict(threading.Lock)

    def ending(self, call: Shared, read: Callable[[float], Ending], *, seconds: float) -> Ending:
        """The answer to `call`, which `read` reads within the seconds it is given, unless another run has."""
        is_fresh, begun = isinstance(call, FindFamily | ReadFamily) and call.fresh, time.monotonic()
        asked = replace(call, fresh=False) if is_fresh else call
        lock = self._locks[asked]  # a step of the interpreter: two threads never make two locks
        if not lock.acquire(timeout=max(0.0, seconds)):
            return read(0.0)
        try:
            known = self._endings.get(asked)
            if known is not None and not is_fresh:
                return replace(known, date=None)
            ending = read(seconds - (time.monotonic() - begun))
            if self._is_of_other_account and isinstance(call, WhoAmI | WhoIsUser) and isinstance(ending, Answered):
                ending = replace(ending, value={NOW: ending.value})
            if isinstance(ending, Answered) or (ending.kind is FailureKind.REFUSED and is_for_good(ending)):
                self._endings[asked] = ending
            return ending
        finally:
            lock.release()


class SharingCaller(Struct, frozen=True):
    """A caller that reads what is the same for all runs once."""

    caller: Caller
    known: SharedAnswers

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        if type(call) not in _SHARED:
            return self.caller.perform(call, seconds, gate=gate)
        assert isinstance(call, Shared)
        return self.known.ending(call, lambda left: self.caller.perform(call, left, gate=gate), seconds=seconds)

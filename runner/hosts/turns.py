"""Starts of a process on a site take turns, so that each finds its own row: in this program, and over all of this user.

Who waited gets what the last holder has just read of the log.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.values import Json, items, record
from runner.hosts.stop import Stop
from runner.runs.evidence import LockHolder
from runner.runs.store import SharedTurns
from runner.service.calls import Answered, ReadRows

_LOOK = 0.1  # seconds between two looks at the stop, while waiting for a turn; a shorter wait is not worth a note
_LOOK_AT_OTHERS = 0.02  # seconds between two looks at a turn that another program has


HeldUp: TypeAlias = Callable[[LockHolder | None], object]


class LogReading(Struct, frozen=True, kw_only=True):
    """The newest rows of a process, as many as `call` asks for, read at `t`. Rows that came late may be missing."""

    call: ReadRows
    answer: Answered
    t: float

    def extended(self, call: ReadRows, answer: Answered, *, t: float) -> "LogReading | None":
        """The reading with newer rows that `call` has read; None for another call."""
        before: list[Json] = items(self.answer.value)
        found = map(record, items(answer.value))
        rows: list[Json] = [{key: row[key] for key in row if key != "error"} for row in found]
        newest = record(before[0]).get("started") if before else None
        if call.schema_ids != self.call.schema_ids or call.since != newest or len(rows) >= call.top:
            return None
        ids = {record(row).get("id") for row in rows}
        whole: Sequence[Json] = [*rows, *(row for row in before if record(row).get("id") not in ids)]
        return LogReading(call=self.call, answer=replace(answer, value=[*whole[: self.call.top]]), t=t)


class RunLeftError(Exception):
    """The run is left as it is: a person settles it, it was not to be carried on, or another process does that."""


class Turns:
    """The turns on a site, for all its runs; `shared` gives those that other programs take, when first needed."""

    def __init__(self, shared: Callable[[], SharedTurns | None] = lambda: None) -> None:
        self._guard = threading.Lock()
        self._make: Callable[[], SharedTurns | None] | None = shared
        self._shared: SharedTurns | None = None
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self.holders: dict[str, LockHolder | None] = {}
        self.readings: dict[str, LogReading] = {}

    @property
    def shared(self) -> SharedTurns | None:
        with self._guard:
            if self._make is not None:
                self._shared, self._make = self._make(), None
            return self._shared

    def lock(self, process: str) -> threading.Lock:
        return self._locks[process]  # a step of the interpreter: two threads never make two locks


class Turn:
    """The turn that a run has, if any. `holder` names the run to others; `handed_on` is the reading before."""

    def __init__(self, turns: Turns, holder: LockHolder | None = None, *, settle: float = 0.0) -> None:
        self._turns = turns
        self._holder = holder
        self._settle = settle
        self._process: str | None = None
        self._before: LogReading | None = None
        self._after: LogReading | None = None
        self._is_clear = False
        self.handed_on: LogReading | None = None

    def take(self, process: str, stop: Stop, *, held_up: HeldUp = lambda _: None) -> bool:
        """Wait for the turn of `process`; False if the stop came. Raises `RunLeftError` if others need the thread."""
        self.handed_on = None
        if self._process == process:
            return True
        self.give_back()
        lock = self._turns.lock(process)
        is_held_up = False
        while not lock.acquire(timeout=_LOOK):
            if stop.why is not None:
                return False
            if not is_held_up:
                held_up(self._turns.holders.get(process))
            is_held_up = True
        try:
            is_taken = self._take_from_others(process, stop, None if is_held_up else held_up)
        except BaseException:
            lock.release()
            raise
        if not is_taken:
            lock.release()
            return False
        self._process = process
        self._turns.holders[process] = self._holder
        reading, shared = self._turns.readings.pop(process, None), self._turns.shared
        self.handed_on = reading if shared is None or shared.handed_on.get(process) else None
        return True

    def _take_from_others(self, process: str, stop: Stop, held_up: HeldUp | None) -> bool:
        """Wait for other programs, too, that take turns with this program. False where the stop came meanwhile."""
        if (shared := self._turns.shared) is None:
            return True
        looks = 0
        while not shared.take(process, self._holder):
            if stop.why is not None:
                return False
            looks += 1
            if held_up is not None and looks * _LOOK_AT_OTHERS >= _LOOK:
                held_up(shared.holder(process))
                held_up = None
            stop.wait(_LOOK_AT_OTHERS)
        return True

    def read(self, call: ReadRows, answer: Answered, *, t: float) -> None:
        """The log was asked at `t`, and shows these rows."""
        if call.process != self._process:
            return
        if self._before is None or call == self._before.call:
            self._before, self._after = LogReading(call=call, answer=answer, t=t), None
        else:
            self._after = self._before.extended(call, answer, t=t)

    def start(self, *, seconds: float) -> None:
        """The process is about to be started: what was read before does not show it. Its answer may take `seconds`."""
        self._after, self._is_clear = None, False
        self.need(seconds=seconds)

    def need(self, *, seconds: float) -> None:
        """The turn is needed for so long before a call is searched for, as where that waits for the pace of a site."""
        if self._process is not None and (shared := self._turns.shared) is not None:
            shared.extend(self._process, seconds=seconds + self._settle)

    def settle(self, *, clear: bool) -> None:
        """Say whether it is known who owns each row that was read."""
        self._is_clear = clear

    def leave(self) -> None:
        """The run is left, perhaps in the middle of a row."""
        self.give_back()

    def give_back(self) -> None:
        if self._process is not None:
            self._turns.holders.pop(self._process, None)
            if self._after is not None and self._is_clear:
                self._turns.readings[self._process] = self._after
            self._before = self._after = None
            if (shared := self._turns.shared) is not None:
                shared.give_back(self._process)
            self._turns.lock(self._process).release()
            self._process = None

"""What a run is doing now: its current row, since when, in which attempt, and what it waits for, by its events."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from runner.foundation.durations import format_duration
from runner.reports.safe import clean
from runner.reports.spans import READINGS
from runner.reports.transcript import waits_for
from runner.runs.events import (
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    Paused,
    Row,
    StepFinished,
    StepStarted,
    Waited,
)
from runner.runs.evidence import PauseReason

_POLLED = {
    "element": "the element to be ready",
    "elements": "an element to be ready",
    "execute": "the end of the process",
    "run": "the end of the process",
    "signal": "the end of the process",
    "wait": "the process",
}
"""What a step waits for after two readings, by its action."""


class CurrentRow(Struct, eq=False):
    """A row that has begun and not ended. `since` is a moment of the clock, `last` the last event of a call of it."""

    row: Row
    since: float
    attempt: int = 0
    pause: PauseReason | None = None  # why it paused last
    last: CallSent | Waited | CallAnswered | AttemptFailed | None = None

    @property
    def attempts(self) -> str:
        """`attempt 2 of 3`; empty of the first."""
        if self.attempt <= 1:
            return ""
        most = self.row.max_attempts
        return f"attempt {self.attempt}" + (f" of {most}" if isinstance(most, int) and most >= self.attempt else "")

    @property
    def waits_for(self) -> str:
        polled = _POLLED.get(self.row.kind, "") if self.pause == PauseReason.POLL else ""
        polled = "its row in the process log" if self.pause == PauseReason.SETTLE else polled
        match self.last:
            case CallSent(call=call):
                return (polled if call.get("kind") in READINGS else "") or _answer_of(call)
            case Waited(seconds=None) as waited:
                return waits_for(waited)
            case AttemptFailed(retry_after=float(seconds)):
                return f"the {format_duration(seconds)} that the site asks for"
            case _:
                return polled


class Alive:
    """What a run does now: `event` takes its lines in a thread, `current` may be read in another."""

    def __init__(self, clock: Callable[[], float], *, earlier: Iterable[Line] = ()) -> None:
        self._clock = clock
        self._open: tuple[CurrentRow, ...] = ()
        for line in earlier:
            self.event(line)

    def event(self, line: Line) -> None:
        event = line.event
        match event:
            case CallSent() | Waited() | CallAnswered() | AttemptFailed():  # the most frequent first
                for row in self._rows(event.key):
                    row.last = event
                    # readings of the process log and the pages of a query belong to an attempt and begin none
                    if isinstance(event, CallSent):
                        row.attempt += event.effect != "read" or event.call.get("kind") == "execute"
            case StepStarted(row=row):
                self._open = (*self._open, CurrentRow(row, self._clock()))
            case StepFinished(key=key):
                self._open = tuple([row for row in self._open if row.row.key != key])
            case Paused(key=key, why=why):
                for open_row in self._rows(key):
                    open_row.pause = why
            case _:
                pass

    def _rows(self, key: str) -> list[CurrentRow]:
        return [row for row in self._open if row.row.key == key]

    @property
    def current(self) -> CurrentRow | None:
        rows = self._open
        return rows[-1] if rows else None


def _answer_of(call: dict[str, object]) -> str:
    kind = call.get("kind")
    if kind in READINGS:
        return "the process log"
    what = call.get("process") or call.get("entity")
    return f"the answer to {clean(str(what))}" if what else "an answer"

"""What a run is doing now: its current row, since when, in which attempt, and what it waits for.

Drawn from events alone. The clock is handed in; `runner.reports.under_way` has all runs of a command.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from runner.reports.safe import clean
from runner.reports.transcript import waits_for
from runner.runs.events import AttemptFailed, CallAnswered, CallSent, Line, Row, StepFinished, StepStarted, Waited

_READINGS = frozenset({"read_elements", "read_row", "read_rows", "find_process", "read_schema"})


class CurrentRow(Struct, frozen=True, kw_only=True):
    """A row that has begun and not ended. `since` is a moment of the clock; `attempt` counts from 1."""

    row: Row
    since: float
    attempt: int = 1
    waits_for: str = ""

    @property
    def attempts(self) -> str:
        """`attempt 2 of 3`; empty of the first."""
        if self.attempt == 1:
            return ""
        most = self.row.max_attempts
        return f"attempt {self.attempt}" + (f" of {most}" if isinstance(most, int) and most >= self.attempt else "")


class Alive:
    """Of one run: `event` takes its lines, in one thread; `current` and `waits_for` may be read in another."""

    def __init__(self, clock: Callable[[], float], *, earlier: Iterable[Line] = ()) -> None:
        self._clock = clock
        self._open: tuple[CurrentRow, ...] = ()
        self._sent: dict[str, int] = {}
        for line in earlier:
            self.event(line)

    def event(self, line: Line) -> None:
        match line.event:
            case StepStarted(row=row):
                self._open = (*self._open, CurrentRow(row=row, since=self._clock()))
            case StepFinished(key=key):
                self._open = tuple(row for row in self._open if row.row.key != key)
                self._sent.pop(key, None)
            case CallSent(key=key, call=call):
                self._count(line.event)
                self._change(key, _answer_of(call))
            case Waited(key=key, seconds=None):
                self._change(key, waits_for(line.event))
            case Waited(key=key) | CallAnswered(key=key) | AttemptFailed(key=key):
                self._change(key, "")
            case _:
                pass

    @property
    def current(self) -> CurrentRow | None:
        """The innermost row."""
        rows = self._open
        return rows[-1] if rows else None

    @property
    def waits_for(self) -> str:
        """What the innermost row waits for; empty where that is not known."""
        current = self.current
        return current.waits_for if current is not None else ""

    def _count(self, event: CallSent) -> None:
        """Readings of the process log and the pages of a query belong to an attempt and begin none."""
        if event.effect != "read" or event.call.get("kind") == "execute":
            self._sent[event.key] = self._sent.get(event.key, 0) + 1

    def _change(self, key: str, what: str) -> None:
        attempt = self._sent.get(key, 1)
        self._open = tuple(
            replace(row, waits_for=what, attempt=attempt) if row.row.key == key else row for row in self._open
        )


def _answer_of(call: dict[str, object]) -> str:
    kind = call.get("kind")
    if kind in _READINGS:
        return "the process log"
    what = call.get("process") or call.get("entity")
    return f"the answer to {clean(str(what))}" if what else "an answer"

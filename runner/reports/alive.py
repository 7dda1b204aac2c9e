"""Whether a step that takes long is alive: which it is, how long it has taken so far, and what it waits for.

Drawn from events alone. The clock is handed in, and nothing here knows where the line is written.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from runner.foundation.durations import written
from runner.reports.safe import clean
from runner.reports.transcript import waits_for
from runner.runs.events import AttemptFailed, CallAnswered, CallSent, Line, Row, StepFinished, StepStarted, Waited

EVERY = 30.0
"""Seconds between two lines about one step."""
_ASKS = "confirm"
_READINGS = frozenset({"read_elements", "read_row", "read_rows", "find_process", "read_schema"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenRow:
    row: Row
    since: float
    waits_for: str = ""


class Alive:
    """Of one run: `event` takes its lines, in one thread; `line` and `waits_for` may be asked in another."""

    def __init__(self, clock: Callable[[], float], *, earlier: Iterable[Line] = ()) -> None:
        self._clock = clock
        self._open: tuple[_OpenRow, ...] = ()
        self._last = 0.0  # set by the thread that asks for the line alone, as `_open` by the one that takes events
        for line in earlier:
            self.event(line)

    def event(self, line: Line) -> None:
        match line.event:
            case StepStarted(row=row):
                self._open = (*self._open, _OpenRow(row=row, since=self._clock()))
            case StepFinished(key=key):
                self._open = tuple(one for one in self._open if one.row.key != key)
            case CallSent(key=key, call=call):
                self._change(key, _answer_of(call))
            case Waited(key=key, seconds=None):
                self._change(key, waits_for(line.event))
            case Waited(key=key) | CallAnswered(key=key) | AttemptFailed(key=key):
                self._change(key, "")
            case _:
                pass

    @property
    def waits_for(self) -> str:
        """What the innermost row waits for; empty where that is not known."""
        doing = self._open
        return doing[-1].waits_for if doing else ""

    def line(self) -> str | None:
        """The line that is due now, if one is. Nothing is due while a person is being asked."""
        doing, now = self._open, self._clock()
        if not doing or doing[-1].row.kind == _ASKS or now - max(doing[-1].since, self._last) < EVERY:
            return None
        self._last, last = now, doing[-1]
        what = f", waits for {last.waits_for}" if last.waits_for else ""
        name = "" if last.row.name == last.row.key else f"  {clean(last.row.name)}"
        return f"{clean(last.row.key)}{name}: {written(round(now - last.since))} so far{what}"

    def _change(self, key: str, what: str) -> None:
        self._open = tuple(replace(one, waits_for=what) if one.row.key == key else one for one in self._open)


def _answer_of(call: dict[str, object]) -> str:
    kind = call.get("kind")
    if kind in _READINGS:
        return "the process log"
    what = call.get("process") or call.get("entity")
    return f"the answer to {clean(str(what))}" if what else "an answer"

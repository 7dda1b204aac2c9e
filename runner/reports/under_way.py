"""The runs of a command that are under way: what each does now, how many are done, and a line after a long silence."""

from collections import Counter
from collections.abc import Callable, Iterable

from msgspec import Struct

from runner.foundation.durations import format_duration
from runner.foundation.sentences import plural
from runner.reports.safe import clean
from runner.reports.spans import READINGS
from runner.reports.transcript import waits_for
from runner.reports.words import key_and_name
from runner.runs.events import (
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    Paused,
    Row,
    RunStatus,
    StepFinished,
    StepSkipped,
    StepStarted,
    Waited,
)
from runner.runs.evidence import PauseReason

SILENCES = (60.0, 120.0, 240.0, 480.0, 600.0)
"""Seconds of silence before the first line, before the second, and so on; the last number for all that follow."""
MOST_LINES = 8  # runs under way that have a line each; the others are counted
_ASKS = "confirm"


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


class _RunUnderWay(Struct, frozen=True, kw_only=True):
    title: str
    alive: Alive
    since: float


class UnderWay:
    """The runs under way, of `total`. `prints_rows`: a row is printed as it ends, as a run is.

    A thread calls `begin`, `end` and `line`; `event` comes from the threads of the runs.
    """

    def __init__(self, clock: Callable[[], float], *, total: int, prints_rows: bool) -> None:
        self._clock = clock
        self._total = total
        self._prints_rows = prints_rows
        self._runs: dict[str, _RunUnderWay] = {}
        self._ended: tuple[RunStatus, ...] = ()
        self._locks: tuple[str, ...] = ()
        self._silent_since = clock()
        self._messages = 0

    def begin(self, run: str, title: str, *, earlier: Iterable[Line] = ()) -> None:
        alive = Alive(self._clock, earlier=earlier)
        self._runs[run] = _RunUnderWay(title=clean(title), alive=alive, since=self._clock())

    def event(self, run: str, line: Line) -> None:
        self._runs[run].alive.event(line)
        if self._prints_rows and isinstance(line.event, StepFinished | StepSkipped):
            self._break_silence()

    def end(self, run: str, status: RunStatus) -> None:
        del self._runs[run]
        self._ended = (*self._ended, status)
        self._break_silence()

    def wait_for_locks(self, names: Iterable[str]) -> None:
        """Set the locks that runs wait for before they begin."""
        self._locks = tuple(names)

    def line(self) -> str | None:
        """The line that is due now: of the row that takes longest; None also while a person is being asked."""
        now = self._clock()
        if now - self._silent_since < SILENCES[min(self._messages, len(SILENCES) - 1)]:
            return None
        rows = [(run, run.alive.current) for run in list(self._runs.values())]
        running = [(run, row) for run, row in rows if row is not None and row.row.kind != _ASKS]
        if not running:
            return None
        self._messages, self._silent_since = self._messages + 1, now
        run, row = min(running, key=lambda found: found[1].since)
        others = f", and {len(self._runs) - 1} more" if len(self._runs) > 1 else ""
        done = f"; {self.done()}" if self._total > 1 else ""
        doing = f"{run.title}  {_doing(row, now)}"
        return f"still running after {format_duration(round(now - run.since))}: {doing}{others}{done}"

    def lines(self) -> list[str]:
        """What each run under way does, and how long already, and of several how many are done."""
        runs, now = list(self._runs.values()), self._clock()
        found = []
        for run in runs[:MOST_LINES]:
            row = run.alive.current
            title = f"{run.title}  " if self._total > 1 or row is None else ""
            found.append(f"{title}{'' if row is None else _doing(row, now)}".rstrip())
        left = len(runs) - MOST_LINES
        more = [f"and {left} more"] if left > 0 else []
        return [*found, *more, *([self.done()] if self._total > 1 else [])]

    def done(self) -> str:
        """`3 of 24 runs done, 1 failed; 2 wait for lock billing`."""
        counts = Counter(self._ended)
        others = [f", {counts[status]} {status}" for status in RunStatus if status is not RunStatus.PASSED]
        named = [text for text in others if not text.startswith(", 0 ")]
        waits = "".join(
            f"; {plural(number, 'waits', 'wait')} for lock {clean(name)}"
            for name, number in Counter(self._locks).items()
        )
        return f"{len(self._ended)} of {self._total} runs done{''.join(named)}{waits}"

    def _break_silence(self) -> None:
        self._silent_since, self._messages = self._clock(), 0


def _doing(row: CurrentRow, now: float) -> str:
    """What a run does, how long already, and after a second what it waits for."""
    seconds = now - row.since
    took = [format_duration(round(seconds)), f"waits for {row.waits_for}"] if seconds >= 1 else []
    parts = [key_and_name(row.row), row.attempts, *(took if row.waits_for else took[:1])]
    return ", ".join(filter(None, parts))

"""The runs of a command that are under way: a line for each, how many are done, and a line after a long silence."""

from collections import Counter
from collections.abc import Callable, Iterable

from msgspec import Struct

from runner.foundation.durations import format_duration
from runner.foundation.sentences import plural
from runner.reports.alive import Alive, CurrentRow
from runner.reports.safe import clean
from runner.reports.words import key_and_name
from runner.runs.events import Line, RunStatus, StepFinished, StepSkipped

SILENCES = (60.0, 120.0, 240.0, 480.0, 600.0)
"""Seconds of silence before the first line, before the second, and so on; the last number for all that follow."""
MOST_LINES = 8  # runs under way that have a line each; the others are counted
_ASKS = "confirm"


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

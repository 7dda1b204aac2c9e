"""Runs side by side on a terminal: each is printed whole as it ends; below are those under way, and how many are done.

Importing this costs the time of rich. A row that did not pass is reported at once, before its run has ended.
"""

import time
from collections.abc import Callable, Sequence
from typing import TextIO

from rich.text import Text

from runner.foundation.durations import written
from runner.reports.console_live import Screen, frame_of
from runner.reports.safe import clean
from runner.reports.sentences import Detail, Sentence
from runner.reports.transcript import Transcript
from runner.reports.under_way import UnderWay
from runner.reports.words import RED
from runner.runs.events import Line, StepFinished
from runner.runs.result import Progress


class LiveRuns:
    """`event` comes from the threads of the runs; `close` gives the terminal back, and may be called again."""

    def __init__(self, out: TextIO, under_way: UnderWay, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._under_way = under_way
        self._clock = clock
        screen = Screen(out, self._now)
        self.begin, self.print, self.refresh, self.close = screen.begin, screen.print, screen.refresh, screen.close

    def page(self, options: Detail, *, progress: Progress) -> "RunPage":
        """The printer of one run."""
        return RunPage(self.print, Transcript(options, progress=progress))

    def event(self, title: str, line: Line) -> None:
        event = line.event
        if isinstance(event, StepFinished) and event.status in RED:
            text = f"{title}  {clean(event.key)}  ({event.status}, {written(event.seconds)})"
            self.print([Sentence(text=text, status=event.status)])

    def _now(self, screen: Screen) -> Text:
        """The lines that are redrawn; rich asks for them in a thread of its own."""
        frame = frame_of(self._clock(), screen.encoding)
        rows = [f"  {frame} {line}" for line in self._under_way.lines()]
        return Text("\n").join(map(screen.faint, [*rows, self._under_way.done()]))


class RunPage:
    """One run of several, printed as a whole when it ends."""

    def __init__(self, printed: Callable[[Sequence[Sentence]], None], transcript: Transcript) -> None:
        self._printed = printed
        self._transcript = transcript
        self._sentences: list[Sentence] = []

    def event(self, line: Line) -> None:
        self._sentences += self._transcript.event(line)

    def drop(self) -> None:
        self._transcript.close()

    def close(self) -> None:
        sentences, self._sentences = [*self._sentences, *self._transcript.close()], []
        self._printed(sentences)

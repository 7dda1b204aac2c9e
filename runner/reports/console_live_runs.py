"""Runs side by side on a terminal: each is printed whole as it ends; below are those under way, and how many are done.

Importing this costs the time of rich. A row that did not pass is reported at once, before its run has ended.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

from rich.console import Console
from rich.live import Live as Display
from rich.text import Text

from runner.foundation.durations import written
from runner.reports.console import encodable
from runner.reports.console_live import REDRAWS, drawn, frame_of
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
        self._console = Console(file=out, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._under_way = under_way
        self._clock = clock
        self._display = Display(
            console=self._console,
            get_renderable=self._now,
            refresh_per_second=REDRAWS,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def begin(self) -> None:
        """Begin to redraw, where nothing has begun to."""
        with suppress(RuntimeError):  # no thread that redraws: then it is drawn as something is printed
            self._display.start()

    def page(self, options: Detail, *, progress: Progress) -> "RunPage":
        """The printer of one run."""
        return RunPage(self.print, Transcript(options, progress=progress))

    def event(self, title: str, line: Line) -> None:
        event = line.event
        if isinstance(event, StepFinished) and event.status in RED:
            text = f"{title}  {clean(event.key)}  ({event.status}, {written(event.seconds)})"
            self.print([Sentence(text=text, status=event.status)])

    def print(self, sentences: Sequence[Sentence]) -> None:
        """Print sentences above what is redrawn."""
        if sentences:
            encoding = self._console.encoding
            self._console.print(Text("\n").join(drawn(sentence, encoding) for sentence in sentences))

    def refresh(self) -> None:
        """Draw what is under way now, and not only at the next redraw."""
        self._display.refresh()

    def close(self) -> None:
        self._display.stop()

    def _now(self) -> Text:
        """The lines that are redrawn; rich asks for them in a thread of its own."""
        encoding = self._console.encoding
        frame = frame_of(self._clock(), encoding)
        rows = [f"  {frame} {line}" for line in self._under_way.lines()]
        drawing = [Text(encodable(row, encoding), "dim", no_wrap=True) for row in [*rows, self._under_way.done()]]
        for row in drawing:
            row.truncate(max(self._console.width - 1, 1), overflow="crop")
        return Text("\n").join(drawing)


class RunPage:
    """One run of several, printed as a whole when it ends."""

    def __init__(self, printed: Callable[[Sequence[Sentence]], None], transcript: Transcript) -> None:
        self._printed = printed
        self._transcript = transcript
        self._sentences: list[Sentence] = []

    def event(self, line: Line) -> None:
        self._sentences += self._transcript.event(line)

    def close(self) -> None:
        sentences, self._sentences = [*self._sentences, *self._transcript.close()], []
        self._printed(sentences)

"""The transcript of runs on a terminal, coloured, with the current step below. It costs the import of rich.

Of runs side by side each is printed whole as it ends; below are those under way.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

from rich.console import Console
from rich.live import Live as Display
from rich.text import Text

from runner.foundation.durations import format_duration
from runner.reports.console import RunPage, encodable, marks_for
from runner.reports.safe import clean, safe_lines
from runner.reports.sentences import Detail, Sentence, Tone
from runner.reports.under_way import UnderWay
from runner.runs.events import Line, StepFinished
from runner.runs.result import Progress
from runner.runs.status import RED, Status

_STYLES = {
    Tone.PLAIN: "",
    Tone.FAINT: "dim",
    Tone.TITLE: "bold",
    Tone.GOOD: "green",
    Tone.BAD: "red",
    Tone.DOUBT: "magenta",
    Tone.WARNING: "yellow",
}
_MARK_STYLES = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.ERROR: "bold red",
    Status.SKIPPED: "dim",
    Status.UNKNOWN: "bold magenta",
}
REDRAWS = 8  # a second. Fewer look stuck, more take time from the run.


class Screen:
    """A terminal on which sentences are printed above what is redrawn: `now` gives that, in a thread of rich's own."""

    def __init__(self, out: TextIO, now: Callable[["Screen"], Text]) -> None:
        self._console = Console(file=out, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self.encoding = self._console.encoding
        self._display = Display(
            console=self._console,
            get_renderable=lambda: now(self),
            refresh_per_second=REDRAWS,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.refresh, self.close = self._display.refresh, self._display.stop

    def begin(self) -> None:
        with suppress(RuntimeError):  # no thread that redraws: then it is drawn as something is printed
            self._display.start()

    def print(self, sentences: Sequence[Sentence]) -> None:
        self._console.print(Text("\n").join(drawn(sentence, self.encoding) for sentence in sentences))

    def faint(self, line: str) -> Text:
        """A line that is redrawn, cut to the width."""
        text = Text(encodable(line, self.encoding), "dim", no_wrap=True)
        text.truncate(max(self._console.width - 1, 1), overflow="crop")
        return text


class LiveRuns:
    """Draws a run sentence by sentence (`alone`), or several, each whole as it ends, but for rows that did not pass.

    `event` comes from the threads of the runs; `close` gives the terminal back. `NO_COLOR` is honoured.
    """

    def __init__(
        self, out: TextIO, under_way: UnderWay, *, alone: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._under_way = under_way
        self._alone = alone
        self._clock = clock
        screen = Screen(out, self._now)
        self.begin, self.print, self.refresh, self.close = screen.begin, screen.print, screen.refresh, screen.close

    def page(self, options: Detail, *, progress: Progress) -> RunPage:
        return RunPage(self.print, options, progress=progress, at_once=self._alone)

    def event(self, title: str, line: Line) -> None:
        event = line.event
        if not self._alone and isinstance(event, StepFinished) and event.status in RED:
            text = f"{title}  {clean(event.key)}  ({event.status}, {format_duration(event.seconds)})"
            self.print([Sentence(text=text, status=event.status)])

    def _now(self, screen: Screen) -> Text:
        """The lines that are redrawn; rich asks for them in a thread of its own."""
        frame = frame_of(self._clock(), screen.encoding)
        if self._alone:
            only = self._under_way.only()
            return screen.faint(f"  {frame} {only}" if only else "")
        rows = [f"  {frame} {line}" for line in self._under_way.lines()]
        return Text("\n").join(map(screen.faint, [*rows, self._under_way.done()]))


def drawn(sentence: Sentence, encoding: str) -> Text:
    text = Text(" " * sentence.indent)
    if sentence.status is not None:
        text.append(marks_for(encoding)[sentence.status], _MARK_STYLES[sentence.status])
    return text.append(encodable(safe_lines(sentence.text), encoding), _STYLES[sentence.tone])


def frame_of(seconds: float, encoding: str) -> str:
    """The picture of the turning sign at this moment."""
    frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if encoding.startswith("utf") else "|/-\\"
    return frames[int(seconds * REDRAWS) % len(frames)]

"""The transcript of runs on a terminal: the sentences of `runner.reports.console`, coloured, and the current step. Of
runs side by side each is printed whole as it ends; below are those under way, and how many are done.

Importing this costs the time of rich, so only a command that has a terminal before it does.
It draws from events alone; the clock it is handed counts how long a row has been going on, and nothing else.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

from rich.console import Console
from rich.live import Live as Display
from rich.text import Text

from runner.foundation.durations import written
from runner.reports.alive import Alive
from runner.reports.console import encodable, marks_for
from runner.reports.safe import clean, safe_lines
from runner.reports.sentences import Detail, Sentence, Tone
from runner.reports.transcript import Transcript
from runner.reports.under_way import UnderWay
from runner.reports.words import RED
from runner.runs.events import Line, StepFinished
from runner.runs.result import Progress
from runner.runs.status import Status

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
REDRAWS = 8
"""A second. Fewer look stuck, more take time from the run."""


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
        if sentences:
            self._console.print(Text("\n").join(drawn(sentence, self.encoding) for sentence in sentences))

    def faint(self, line: str) -> Text:
        """A line that is redrawn, cut to the width."""
        text = Text(encodable(line, self.encoding), "dim", no_wrap=True)
        text.truncate(max(self._console.width - 1, 1), overflow="crop")
        return text


class Live:
    """Draws one run as its events come in, with the row that is going on and its seconds in the last line.

    `event`, `close` and `drop` are as in `console.PlainConsole`; both give the terminal back, whatever happened.
    `NO_COLOR` is honoured.
    """

    def __init__(
        self,
        out: TextIO,
        options: Detail,
        *,
        progress: Progress | None = None,
        earlier: Sequence[Line] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transcript = Transcript(options, progress=progress)
        self._alive = Alive(clock, earlier=earlier)
        self._clock = clock
        self._screen = Screen(out, self._now)
        self.refresh = self._screen.refresh

    def event(self, line: Line) -> None:
        self._screen.begin()
        sentences = self._transcript.event(line)
        self._alive.event(line)
        self._screen.print(sentences)

    def close(self) -> None:
        self._screen.close()
        self._screen.print(self._transcript.close())

    def drop(self) -> None:
        self._screen.close()

    def _now(self, screen: Screen) -> Text:
        """The last line; rich asks for it in a thread of its own, so it reads each field once."""
        now = self._alive.current
        if now is None:
            return Text("")
        seconds = self._clock() - now.since
        frame = frame_of(seconds, screen.encoding)
        elapsed = f"  {written(seconds)}" if seconds >= 1 else ""
        what = f", waits for {now.waits_for}" if now.waits_for and elapsed else ""
        attempt = f", {now.attempts}" if now.attempts else ""
        return screen.faint(f"  {frame} {clean(now.row.key)}  {clean(now.row.name)}{attempt}{elapsed}{what}")


class LiveRuns:
    """Draws runs side by side. A row that did not pass is reported at once, before its run has ended.

    `event` comes from the threads of the runs; `close` gives the terminal back, and may be called again.
    """

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


def drawn(sentence: Sentence, encoding: str) -> Text:
    """A sentence with its mark and colour."""
    text = Text(" " * sentence.indent)
    if sentence.status is not None:
        text.append(marks_for(encoding)[sentence.status], _MARK_STYLES[sentence.status])
    return text.append(encodable(safe_lines(sentence.text), encoding), _STYLES[sentence.tone])


def frame_of(seconds: float, encoding: str) -> str:
    """The picture of the turning sign at this moment."""
    frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if encoding.startswith("utf") else "|/-\\"
    return frames[int(seconds * REDRAWS) % len(frames)]

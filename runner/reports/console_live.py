"""A terminal with what is printed, in colours, above lines that are redrawn. It costs the import of rich."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

from rich.console import Console
from rich.live import Live as Display
from rich.text import Text

from runner.reports.console import encodable, marks_for
from runner.reports.safe import safe_lines
from runner.reports.sentences import Sentence, Tone
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
REDRAWS = 8  # a second. Fewer look stuck, more take time from the run.


class LiveTerminal:
    """Prints sentences above `lines`, safe texts which rich asks for and redraws in a thread of its own.

    `begin` takes the terminal, `close` gives it back, also twice. `NO_COLOR` is honoured.
    """

    def __init__(
        self, out: TextIO, lines: Callable[[], Sequence[str]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = Console(file=out, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._lines = lines
        self._clock = clock
        self._display = Display(
            console=self._console,
            get_renderable=self._now,
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
        encoding = self._console.encoding
        self._console.print(Text("\n").join(drawn(sentence, encoding) for sentence in sentences))

    def _now(self) -> Text:
        """The lines that are redrawn, each cut to the width."""
        encoding = self._console.encoding
        frame = frame_of(self._clock(), encoding)
        lines = [Text(encodable(f"  {frame} {line}", encoding), "dim") for line in self._lines()]
        for line in lines:
            line.truncate(max(self._console.width - 1, 1), overflow="crop")
        return Text("\n", no_wrap=True).join(lines)


def drawn(sentence: Sentence, encoding: str) -> Text:
    text = Text(" " * sentence.indent)
    if sentence.status is not None:
        text.append(marks_for(encoding)[sentence.status], _MARK_STYLES[sentence.status])
    return text.append(encodable(safe_lines(sentence.text), encoding), _STYLES[sentence.tone])


def frame_of(seconds: float, encoding: str) -> str:
    """The picture of the turning sign at this moment."""
    frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if encoding.startswith("utf") else "|/-\\"
    return frames[int(seconds * REDRAWS) % len(frames)]

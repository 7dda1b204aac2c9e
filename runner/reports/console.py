"""The transcript of runs as plain lines: for pipes, CI, and stored runs; `console_live` is for terminals."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TextIO, TypeAlias

from runner.reports.sentences import Detail, Sentence
from runner.reports.transcript import Transcript
from runner.runs.events import Line
from runner.runs.result import Progress
from runner.runs.status import Status

Printed: TypeAlias = Callable[[Sequence[Sentence]], None]
_MARKS: Mapping[Status | None, str] = {
    None: "",
    Status.PASSED: "✓ ",
    Status.FAILED: "✗ ",
    Status.ERROR: "! ",
    Status.SKIPPED: "- ",
    Status.UNKNOWN: "? ",
}
_WORDS: Mapping[Status | None, str] = {
    None: "",
    Status.PASSED: "ok      ",
    Status.FAILED: "FAIL    ",
    Status.ERROR: "ERROR   ",
    Status.SKIPPED: "skip    ",
    Status.UNKNOWN: "UNKNOWN ",
}


class RunPage:
    """A run, printed as its events come in (`at_once`) or as a whole when it ends, but for what `progress` has taken.

    `close` ends the transcript of a run that broke off.
    """

    def __init__(
        self, printed: Printed, options: Detail, *, progress: Progress | None = None, at_once: bool = True
    ) -> None:
        self._printed = printed
        self._transcript = Transcript(options, progress=progress)
        self._at_once = at_once
        self._sentences: list[Sentence] = []

    def event(self, line: Line) -> None:
        self._sentences += self._transcript.event(line)
        if self._at_once:
            self._print()

    def close(self) -> None:
        self._sentences += self._transcript.close()
        self._print()

    def _print(self) -> None:
        sentences, self._sentences = self._sentences, []
        if sentences:
            self._printed(sentences)


def plain(out: TextIO) -> Printed:
    """Print sentences as lines; characters that `out` cannot encode are escaped."""

    def printed(sentences: Sequence[Sentence]) -> None:
        out.write(lines(sentences, encoding=out.encoding or "utf-8"))
        out.flush()

    return printed


def lines(sentences: Iterable[Sentence], *, encoding: str) -> str:
    """The sentences as lines that a stream of this encoding can take."""
    marks = marks_for(encoding)
    text = "".join([f"{' ' * sentence.indent}{marks[sentence.status]}{sentence.text}\n" for sentence in sentences])
    return encodable(text, encoding)


def encodable(text: str, encoding: str) -> str:
    """`text` with escapes for what this encoding lacks."""
    return text if text.isascii() else text.encode(encoding, "backslashreplace").decode(encoding)


@cache
def marks_for(encoding: str) -> Mapping[Status | None, str]:
    """The mark of a row: a sign, or a word where the encoding has no such sign."""
    try:
        "".join(_MARKS.values()).encode(encoding)
    except UnicodeEncodeError:
        return _WORDS
    return _MARKS


def is_live(out: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether there is a terminal that can redraw its lines."""
    return out.isatty() and environ.get("TERM", "") != "dumb" and not environ.get("CI")

"""The transcript of runs as plain lines: for pipes, CI, and stored runs; `console_live` is for terminals."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TextIO

from runner.reports.sentences import Detail, Sentence
from runner.reports.transcript import Transcript
from runner.runs.events import Line
from runner.runs.result import Progress
from runner.runs.status import Status

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


class PlainConsole:
    """Writes the transcript of a run to `out` as its events come in, without the lines that `progress` has taken.

    `close` ends the transcript of a run that broke off; `drop` prints nothing more. Characters that `out` cannot encode
    are escaped.
    """

    def __init__(self, out: TextIO, options: Detail, *, progress: Progress | None = None) -> None:
        self._out = out
        self._encoding = out.encoding or "utf-8"
        self._transcript = Transcript(options, progress=progress)

    def event(self, line: Line) -> None:
        self._write(self._transcript.event(line))

    def close(self) -> None:
        self._write(self._transcript.close())

    def drop(self) -> None:
        self._transcript.close()

    def _write(self, sentences: Sequence[Sentence]) -> None:
        if sentences:
            self._out.write(lines(sentences, encoding=self._encoding))
            self._out.flush()


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

"""The text of a file: lines and columns of offsets, and problems with their line. Lines end as in YAML 1.2.

A complaint is what the YAML parser says of it. Nothing here knows YAML's grammar.
"""

import sys
from array import array
from bisect import bisect_right
from collections.abc import Container, Sequence
from itertools import accumulate

from msgspec import Struct, field
from msgspec.structs import force_setattr

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem, Severity, Span
from runner.foundation.values import ValuePath
from runner.secrets.shown import visible

EVERY_LINE = range(1, sys.maxsize)
WINDOW = 2_000  # so much of a line is read to either side: it may be five million characters long

_LINE_END = lazy_pattern(r"\r\n|\r|\n")


class Source(Struct, frozen=True):
    """The text of a file."""

    file: str  # as the user named it
    text: str
    hidden: Container[int] = ()  # lines that no problem shows, for secrets
    line_starts: Sequence[int] = ()  # their offsets
    _lines: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        starts = array("I", [0])
        if "\r" in self.text:
            starts.extend(found.end() for found in _LINE_END.finditer(self.text))
        else:
            starts.extend(accumulate([len(line) + 1 for line in self.text.split("\n")[:-1]]))
        force_setattr(self, "line_starts", starts)
        force_setattr(self, "_lines", {})  # a copy may hold another text

    def line_at(self, offset: int) -> int:
        """The line, counted from 1, of the character at `offset`."""
        return bisect_right(self.line_starts, offset)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both counted from 1."""
        line = self.line_at(offset)
        return line, offset - self.line_starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        return Span(*self.position(start), *self.position(end))

    def line(self, number: int) -> str:
        """Line `number` from 1, without its end; empty beyond the last. Cached for problems of a long line."""
        if number not in self._lines:
            self._lines[number] = self.text[slice(*self.line_bounds(number))]
        return self._lines[number]

    def excerpt(self, number: int) -> str | None:
        """Line `number` as a problem shows it; None where it does not."""
        return None if number in self.hidden else self.line(number)

    def line_bounds(self, number: int) -> tuple[int, int]:
        """Offsets of the first character of line `number` and of its line end."""
        if number > len(self.line_starts):
            return len(self.text), len(self.text)
        start = self.line_starts[number - 1]
        if number == len(self.line_starts):
            return start, len(self.text)
        end = self.line_starts[number]
        return start, end - (2 if self.text[end - 2 : end] == "\r\n" else 1)

    def found(self, finding: Finding, span: Span, *, path: ValuePath = ()) -> Problem:
        """What was found, at its place. `path` leads to it in the data."""
        return Problem(
            code=finding.code,
            message=finding.message,
            hint=finding.hint,
            severity=Severity.WARNING if finding.warning else Severity.ERROR,
            file=self.file,
            span=span,
            path=path,
            excerpt=self.excerpt(span.line),
            also=finding.also,
        )

    def problem(self, code: str, message: str, *, at: tuple[int, int], hint: str | None = None) -> Problem:
        """An error about the characters from `at[0]` up to, not including, `at[1]`."""
        return self.found(Finding(code=code, message=message, hint=hint), self.span(*at))

    def error(self, at: int, message: str, *, end: int | None = None, hint: str | None = None) -> Problem:
        """The text is not YAML or JSON at `at`. The message may show a character that nobody sees, or a line end."""
        start = min(at, len(self.text))
        span = (start, max(start, end or min(start + 1, len(self.text))))
        return self.problem("E101", visible(message), at=span, hint=hint)

    def rest_of_line(self, at: int) -> str:
        """The text from `at` to the end of the line, without a comment; of a very long line, its start."""
        _, end = self.line_bounds(self.line_at(at))
        return self.text[at : min(end, at + WINDOW)].partition(" #")[0].partition("\t#")[0].rstrip()

    def in_brackets(self, at: int) -> bool:
        """Whether a `[` or `{` is open at `at`, as far as its own line shows."""
        line, _ = self.line_bounds(self.line_at(at))
        before = self.text[max(line, at - WINDOW) : at]
        return before.count("[") > before.count("]") or before.count("{") > before.count("}")

    def first_in_line(self, at: int) -> int:
        """The first character that is no space, of the line of `at`."""
        begin = self.line_bounds(self.line_at(at))[0]
        before = self.text[begin : at + 1]
        return begin + len(before) - len(before.lstrip(" "))


_LONGEST_QUOTE = 60
_ITEM_END = lazy_pattern(r"[,\]}]")


class Complaint(Struct, frozen=True, kw_only=True):
    """What the parser complains of; offsets are of `source.text`."""

    source: Source
    problem: str
    context: str
    at: int
    opened: int  # where the unreadable part began
    last: tuple[int, int]  # the value before
    bracket: int | None  # the innermost open `[` or `{`

    def written(self, start: int) -> str:
        """The value that begins at `start` as its writer sees it: the rest of the line, or of the item in brackets."""
        rest = self.source.rest_of_line(start)
        if self.bracket is None and not self.source.in_brackets(start):
            return rest
        return _ITEM_END.split(rest, maxsplit=1)[0].rstrip()

    def error(self, message: str, *, at: int | None = None, end: int | None = None, hint: str | None = None) -> Problem:
        return self.source.error(self.at if at is None else at, message, end=end, hint=hint)

    def value_ends_here(self) -> bool:
        """Whether the parser stopped right after a value, on the line on which that value ended."""
        line, _ = self.source.line_bounds(self.source.line_at(self.at))
        return self.last[1] > line and not self.source.text[self.last[1] : self.at].strip(" \t")


def quote(what: str, written: str) -> str:
    """Advice to put `written` in quotes, spelled out where it is short."""
    return f"put {what} in quotes" + (f": {quoted(written)}" if len(written) <= _LONGEST_QUOTE else "")


def quoted(written: str) -> str:
    if '"' not in written and "\\" not in written:
        return f'"{written}"'
    return f"'{written.replace(chr(39), chr(39) * 2)}'"


def opens_quote(text: str) -> bool:
    return text.count('"') % 2 == 1 or text.count("'") % 2 == 1

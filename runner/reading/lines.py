"""What stands on the lines around a place, to tell what is wrong there. Nothing here knows YAML's grammar."""

from dataclasses import dataclass

from runner.foundation.problems import Problem
from runner.reading.source import Source
from runner.secrets.redact import visible

WINDOW = 2_000
"""So far on a line is looked to either side: it may be five million characters long."""
_LONGEST_QUOTE = 60
DASHES = ("\u2013 ", "\u2014 ", "\u2022 ", "\u2212 ", "\u2010 ", "\u2011 ")
"""What a word processor makes of a `-` that begins an item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """Offsets are of `Source.text`.

    `opened` is where what could not be read began, `last` bounds the value before, `bracket` is the innermost `[` or
    `{` that is still open.
    """

    problem: str
    context: str
    at: int
    opened: int
    last: tuple[int, int]
    bracket: int | None


def error(source: Source, at: int, message: str, *, end: int | None = None, hint: str | None = None) -> Problem:
    """A character of the file that a message shows may be one that nobody can see, or that ends the line."""
    start = min(at, len(source.text))
    span = (start, max(start, end or min(start + 1, len(source.text))))
    return source.problem("E101", visible(message), at=span, hint=hint)


def quote(what: str, written: str) -> str:
    """Advice to put `written` in quotes, spelled out where it is short."""
    if len(written) > _LONGEST_QUOTE:
        return f"put {what} in quotes"
    return f"put {what} in quotes: {quoted(written)}"


def quoted(written: str) -> str:
    if '"' not in written and "\\" not in written:
        return f'"{written}"'
    return f"'{written.replace(chr(39), chr(39) * 2)}'"


def opens_quote(text: str) -> bool:
    return text.count('"') % 2 == 1 or text.count("'") % 2 == 1


def rest_of_line(source: Source, at: int) -> str:
    """What stands from `at` to the end of the line, without a comment; of a very long line, its beginning."""
    _, end = source.line_bounds(source.line_at(at))
    return source.text[at : min(end, at + WINDOW)].partition(" #")[0].partition("\t#")[0].rstrip()


def in_brackets(source: Source, at: int) -> bool:
    """Whether a `[` or `{` is open at `at`, as far as its own line tells."""
    line, _ = source.line_bounds(source.line_at(at))
    before = source.text[max(line, at - WINDOW) : at]
    return before.count("[") > before.count("]") or before.count("{") > before.count("}")


def first_in_line(source: Source, at: int) -> int:
    """The first character that is no blank, of the line of `at`."""
    begin = source.line_bounds(source.line_at(at))[0]
    before = source.text[begin : at + 1]
    return begin + len(before) - len(before.lstrip(" "))

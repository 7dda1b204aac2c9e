"""What the YAML parser complains of, with what is written around that place. Nothing here knows YAML's grammar."""

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.reading.source import Source

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

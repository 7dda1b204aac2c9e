"""Blanks that are none to YAML: they come out of word processors, chats and web pages, and nobody sees them."""

import re
import unicodedata

from runner.reading.source import Source

_ODD = "\u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff"
_HELD = re.compile(f"[{_ODD}]")
_IN_THE_PLACE_OF_ONE = re.compile(rf" *(?:- +)*(?:-|[\"']?[\w.$-]+[\"']?:)?([{_ODD}])")
"""Where a blank means something to YAML: before the first word of a line, behind a dash and behind the `:` of a key."""
_LINES = 20


def odd_blank(source: Source, start: int, end: int) -> int | None:
    """Where on the lines from that of `start` to that of `end` another character stands in the place of a blank."""
    first, last = source.line_at(start), source.line_at(end)
    if not _HELD.search(source.text, source.line_bounds(first)[0], source.line_bounds(last)[1]):
        return None
    for number in range(max(first, last - _LINES), last + 1):
        begin, stop = source.line_bounds(number)
        found = _IN_THE_PLACE_OF_ONE.match(source.text, begin, stop)
        if found:
            return found.start(1)
    return None


def message(source: Source, at: int) -> str:
    """What is wrong with the character at `at`."""
    before = source.text[source.line_bounds(source.line_at(at))[0] : at].rstrip(" ")
    place = f"behind the `{before[-1]}`" if before.endswith((":", "-")) else "in the indentation"
    return f"{with_article(source.text[at])} stands {place}, which is no blank to YAML"


HINT = "write plain spaces in its place"


def begins_with_one(line: str) -> bool:
    return bool(_HELD.match(line.lstrip(" ")))


def with_article(character: str) -> str:
    """`a no-break space (U+00A0)`."""
    name = unicodedata.name(character, "control character").lower()
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name} (U+{ord(character):04X})"

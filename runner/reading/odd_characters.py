"""Characters that look like others, from word processors and chats: spaces that are none to YAML, other alphabets."""

import re
import unicodedata

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.foundation.sentences import with_article
from runner.reading.source import Source

_ODD = "\u00a0\u00ad\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff"
_ODD_SPACE = lazy_pattern(f"[{_ODD}]")
_WHERE_A_SPACE_COUNTS = lazy_pattern(rf" *(?:- +)*(?:-|[\"']?[\w.$-]+[\"']?:)?([{_ODD}])")
"""Before the first word of a line, after a dash and after the `:` of a key."""
_LINES = 20
OPENING_QUOTES, CLOSING_QUOTES = "\u201c\u201e\u2018\u201a", "\u201d\u201c\u2019\u2018"
"""Not those around names of firms and books, as in `«Ann»`: who writes them wants them."""
IN_CURLY_QUOTES = lazy_pattern(
    rf"[{OPENING_QUOTES}]([^{OPENING_QUOTES}{CLOSING_QUOTES}]*)[{CLOSING_QUOTES}]", re.DOTALL
)
_WORD = lazy_pattern(r"`([^`\s]+)`")
_ALPHABETS = {"CYRILLIC": "Cyrillic", "GREEK": "Greek", "FULLWIDTH": "wide", "ARMENIAN": "Armenian"}


def odd_space(source: Source, start: int, end: int) -> Problem | None:
    """Another character in the place of a space, on the lines from that of `start` to that of `end`."""
    first, last = source.line_at(start), source.line_at(end)
    if not _ODD_SPACE.search(source.text, source.line_bounds(first)[0], source.line_bounds(last)[1]):
        return None
    for number in range(max(first, last - _LINES), last + 1):
        begin, stop = source.line_bounds(number)
        found = _WHERE_A_SPACE_COUNTS.match(source.text, begin, stop)
        if found:
            before = source.text[begin : found.start(1)].rstrip(" ")
            place = f"after the `{before[-1]}`" if before.endswith((":", "-")) else "in the indentation"
            message = f"there is {named(found[1])} {place}: to YAML it is no space"
            return source.error(found.start(1), message, hint="write plain spaces in its place")
    return None


def begins_with_odd_space(line: str) -> bool:
    return bool(_ODD_SPACE.match(line.lstrip(" ")))


def named(character: str) -> str:
    """`a no-break space (U+00A0)`."""
    return f"{with_article(unicodedata.name(character, 'control character').lower())} (U+{ord(character):04X})"


def hint_with_letters(message: str, hint: str | None) -> str | None:
    """`hint`, with the letter of another alphabet in a word of `message`, or a space that YAML does not take."""
    if message.isascii() or hint is None or "`" not in hint:
        return hint
    if (odd := _ODD_SPACE.search(message)) and "(U+" not in hint:
        return f"{hint}{'' if hint.endswith('?') else ';'} there is {named(odd[0])} in it"
    for word in _WORD.findall(message):
        for letter in word:
            alphabet = _ALPHABETS.get(unicodedata.name(letter, "").partition(" ")[0])
            if alphabet is not None and re.search(r"[A-Za-z]", word):
                return f"{hint}{'' if hint.endswith('?') else ';'} the `{letter}` in `{word}` is a {alphabet} letter"
    return hint

"""Tabs on blank lines and before comments, which YAML 1.2 takes and the parser does not: it gets other characters."""

import re
from collections.abc import Iterable
from itertools import chain

from runner.foundation.lazy import lazy_pattern

_INDENTS_NOTHING = lazy_pattern(r"^( *)(\t[ \t]*)(?=#|[\r\n]|\Z)", re.MULTILINE)
_FIRST_OF_BLOCK = lazy_pattern(r"^( *)[^ \t\r\n]", re.MULTILINE)
_INDENTED_BY_HAND = lazy_pattern(r"[|>][+-]?[1-9]")
_QUOTED = ("'", '"')
_BLOCK = ("|", ">")


def indents_nothing(text: str, at: int) -> bool:
    """Whether the character at `at` belongs to such tabs, or to the blanks before them."""
    found = _INDENTS_NOTHING.match(text, text.rfind("\n", 0, at) + 1)
    return found is not None and at < found.end()


def masked(text: str, scalars: Iterable[tuple[int, int]] = ()) -> str:
    """`text` with blanks, or a comment, in the place of such tabs, except within `scalars`, which are in order."""
    pieces, done = [], 0
    ahead = chain(scalars, ((len(text) + 1, len(text) + 1),))
    (start, end), indentation = next(ahead), None
    for found in _INDENTS_NOTHING.finditer(text):
        while end <= found.start():
            (start, end), indentation = next(ahead), None
        if start < found.start():
            indentation = _indentation(text, start, end) if indentation is None else indentation
            if found.end(1) - found.start() >= indentation or found.end() - found.start() > indentation:
                continue
        mark = "#" if text.startswith("#", found.end()) else " "
        pieces += [text[done : found.start(2)], mark * len(found[2])]
        done = found.end()
    return "".join([*pieces, text[done:]])


def _indentation(text: str, start: int, end: int) -> int:
    """How many blanks before a line are no part of a scalar: of a block those of its first line, else all."""
    if not text.startswith(_BLOCK, start):
        return 0 if text.startswith(_QUOTED, start) else len(text)
    if _INDENTED_BY_HAND.match(text, start):
        return 0
    first = _FIRST_OF_BLOCK.search(text, text.find("\n", start) + 1, end)
    return len(first[1]) if first else 0

"""How many cells of a terminal a text takes, by the wide and combining characters of Unicode."""

import unicodedata
from collections.abc import Sequence

_WIDE = frozenset("WF")
_NO_CELL = frozenset(("Mn", "Me", "Cf"))


def width(text: str) -> int:
    """Cells of `text`, which holds no control character."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def padded(text: str, cells: int) -> str:
    return text + " " * (cells - width(text))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of equal length as lines, each column as wide as its widest cell."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(padded, row, widths)).rstrip() for row in rows]


def _cells(character: str) -> int:
    if unicodedata.category(character) in _NO_CELL:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1

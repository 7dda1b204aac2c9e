"""What was expected and what came, as HTML with the differing parts marked: texts by character, values by line of JSON.

Where much differs all is marked: the best match of 2,000 unlucky characters takes 42 s.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Final

from markupsafe import Markup, escape
from msgspec import Struct

from runner.foundation.values import Json
from runner.reports.html.texts import LONG, as_text, cut, shown_lines

_CLOSELY: Final = 200  # characters of texts, and lines of values, that are matched at most
_EQUAL_LINES: Final = 6
_AROUND: Final = 2


class BothSides(Struct, frozen=True, kw_only=True):
    """`is_wide`: the two are put side by side."""

    expected: Markup
    actual: Markup
    is_wide: bool = False


def compared(expected: Json, actual: Json, *, sign: str) -> BothSides:
    """`sign` is the comparison that failed; only what had to be equal is compared part by part."""
    is_equality = sign in ("==", "in")
    if isinstance(expected, str) and isinstance(actual, str):
        first, other = cut(shown_lines(expected), LONG), cut(shown_lines(actual), LONG)
        return _texts(first, other) if is_equality else BothSides(expected=escape(first), actual=escape(other))
    if isinstance(expected, (dict, list)) and isinstance(actual, (dict, list)):
        return _values(as_text(expected, LONG, indent=2), as_text(actual, LONG, indent=2))
    if type(expected) is not type(actual) and is_equality:  # the text "12" is not the number 12
        return BothSides(expected=escape(_as_json(expected)), actual=escape(_as_json(actual)))
    return BothSides(expected=escape(as_text(expected, LONG)), actual=escape(as_text(actual, LONG)))


def _as_json(value: Json) -> str:
    text = as_text(value, LONG, indent=2)
    return f'"{text}"' if isinstance(value, str) else text


def _texts(first: str, other: str) -> BothSides:
    empty = Markup("<i>the empty text</i>")
    if not first or not other:
        return BothSides(expected=escape(first) or empty, actual=escape(other) or empty)
    start = _common(first, other)
    end = _common(first[start:][::-1], other[start:][::-1])
    middles = first[start : len(first) - end], other[start : len(other) - end]
    rest = escape(first[len(first) - end :])
    left, right = _marked(*middles)
    before = escape(first[:start])
    return BothSides(expected=before + left + rest, actual=before + right + rest)


def _common(first: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, other, strict=False)))


def _marked(first: str, other: str) -> tuple[Markup, Markup]:
    left, right = Markup(), Markup()
    for tag, i, j, k, m in _steps(first, other):
        a, b = escape(first[i:j]), escape(other[k:m])
        left += a if tag == "equal" or not a else _inserted(a)
        right += b if tag == "equal" or not b else _deleted(b)
    return left, right


def _inserted(text: Markup | str) -> Markup:
    return Markup("<ins>{}</ins>").format(text)


def _deleted(text: Markup | str) -> Markup:
    return Markup("<del>{}</del>").format(text)


def _steps(first: Sequence[str], other: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    if max(len(first), len(other)) > _CLOSELY:
        return [("replace", 0, len(first), 0, len(other))]
    return [*SequenceMatcher(None, first, other, autojunk=False).get_opcodes()]


def _values(first: str, other: str) -> BothSides:
    """Both sides line by line; where a side has more lines the other has empty lines, so that equal lines are level."""
    a, b = first.split("\n"), other.split("\n")
    left: list[Markup] = []
    right: list[Markup] = []
    for tag, i, j, k, m in _steps(a, b):
        if tag == "equal":
            same = _folded(a[i:j], is_first=i == 0, is_last=j == len(a))
            left += same
            right += same
            continue
        height = max(j - i, m - k)
        left += _padded([_inserted(line) for line in a[i:j]], height)
        right += _padded([_deleted(line) for line in b[k:m]], height)
    newline = Markup("\n")
    return BothSides(expected=newline.join(left), actual=newline.join(right), is_wide=True)


def _padded(lines: list[Markup], height: int) -> list[Markup]:
    return lines + [Markup()] * (height - len(lines))


def _folded(lines: Sequence[str], *, is_first: bool, is_last: bool) -> list[Markup]:
    if len(lines) <= _EQUAL_LINES:
        return [escape(line) for line in lines]
    head, tail = ([] if is_first else lines[:_AROUND]), ([] if is_last else lines[-_AROUND:])
    count = len(lines) - len(head) - len(tail)
    return [*map(escape, head), Markup("<i>… {} equal lines</i>").format(count), *map(escape, tail)]

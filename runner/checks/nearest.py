"""The one of many values that comes nearest to the one that was looked for. Its cost grows with their number only."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import takewhile

from runner.values import Json, compact, is_number

_NEAR = 0.6
"""How alike two texts must be, from 0 to 1, for one to be told instead of the other."""
_LOOKED_AT = 30
"""Texts that are compared closely: those with most in common at their beginning and end."""
_LONGEST = 200


def nearest(wanted: Json, values: Sequence[Json]) -> int | None:
    """The index of the value that comes nearest to `wanted`; None where none does.

    The same written as another type comes before all others: the text `"12"` for the number 12.
    """
    alike = next((index for index, value in enumerate(values) if _is_same_but_for_its_type(value, wanted)), None)
    if alike is not None:
        return alike
    if isinstance(wanted, str):
        return _nearest_text(wanted, values)
    return _nearest_number(wanted, values) if is_number(wanted) else None


def _is_same_but_for_its_type(value: Json, wanted: Json) -> bool:
    if isinstance(wanted, str):
        return isinstance(value, (int, float)) and len(wanted) < _LONGEST and compact(value) == wanted
    return isinstance(value, str) and not isinstance(wanted, (list, dict)) and compact(wanted) == value


def _nearest_number(wanted: float, values: Sequence[Json]) -> int | None:
    numbers = [(abs(value - wanted), index) for index, value in enumerate(values) if is_number(value)]
    return min(numbers)[1] if numbers else None


def _nearest_text(wanted: str, values: Sequence[Json]) -> int | None:
    folded = _folded(wanted)
    texts = [(index, _folded(value)) for index, value in enumerate(values) if isinstance(value, str)]
    same = next((index for index, text in texts if text == folded), None)
    if same is not None or len(wanted) > _LONGEST:
        return same
    short = [(index, text) for index, text in texts if len(text) <= _LONGEST]
    best = nlargest(_LOOKED_AT, short, key=lambda pair: _ends_in_common(folded, pair[1]))
    matcher = SequenceMatcher(b=folded, autojunk=False)
    found: tuple[float, int] | None = None
    for index, text in best:
        matcher.set_seq1(text)
        ratio = matcher.ratio()
        if ratio >= _NEAR and (found is None or ratio > found[0]):
            found = ratio, index
    return found[1] if found else None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()) if len(text) <= _LONGEST else text


def _ends_in_common(one: str, other: str) -> float:
    """The share of a text that both begin and end with."""
    longest, shortest = max(len(one), len(other)), min(len(one), len(other))
    start = _same(zip(one, other, strict=False))
    end = _same(zip(reversed(one), reversed(other), strict=False))
    return min(start + end, shortest) / longest if longest else 1.0


def _same(pairs: Iterable[tuple[str, str]]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

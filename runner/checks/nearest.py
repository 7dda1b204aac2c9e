"""The value among many that comes nearest to the one that was looked for."""

from collections.abc import Sequence

from runner.foundation.near_misses import LONGEST_NAME, most_alike
from runner.foundation.values import Json, compact, is_number

_NEAR = 0.6
"""How alike two texts must be, from 0 to 1, for one to be told instead of the other."""


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
        return isinstance(value, (int, float)) and len(wanted) < LONGEST_NAME and compact(value) == wanted
    return isinstance(value, str) and not isinstance(wanted, (list, dict)) and compact(wanted) == value


def _nearest_number(wanted: float, values: Sequence[Json]) -> int | None:
    numbers = [(abs(value - wanted), index) for index, value in enumerate(values) if is_number(value)]
    return min(numbers)[1] if numbers else None


def _nearest_text(wanted: str, values: Sequence[Json]) -> int | None:
    folded = _folded(wanted)
    texts = [(index, _folded(value)) for index, value in enumerate(values) if isinstance(value, str)]
    same = next((index for index, text in texts if text == folded), None)
    if same is not None:
        return same
    found = most_alike(folded, [text for _, text in texts], least=_NEAR)
    return None if found is None else texts[found][0]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()) if len(text) <= LONGEST_NAME else text

"""Whether two JSON values are the same but for ids and moments, and where they differ.

A GUID is the same as another that replaces it everywhere; any two moments are the same.
"""

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, is_number

_GUID = lazy_pattern(r"(?<![0-9a-fA-F])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9a-fA-F])")
_MOMENT = lazy_pattern(
    r"(?<!\d)\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?|/Date\(-?\d+(?:[+-]\d{4})?\)/"
)


MaybeJson: TypeAlias = "Json | UnsetType"


class ValueDifference(Struct, frozen=True, kw_only=True):
    """`path` is as an expression has it, with the name of the whole value at its start."""

    path: str
    first: MaybeJson
    second: MaybeJson


class Sameness(Struct):
    """Which GUID of the first run is which of the second, by all values that were compared so far."""

    _there: dict[str, str] = field(default_factory=dict)
    _back: dict[str, str] = field(default_factory=dict)

    def are_same(self, first: str, second: str) -> bool:
        if _skeleton(first) != _skeleton(second):
            return False
        pairs = zip(_GUID.findall(first), _GUID.findall(second), strict=True)
        # all of them, for what is compared later
        known = [self._map(first.lower(), other.lower()) for first, other in pairs]
        return all(known)

    def differences(self, first: MaybeJson, second: MaybeJson, path: str) -> Iterator[ValueDifference]:
        match first, second:
            case dict(), dict():
                for key in dict.fromkeys([*first, *second]):
                    yield from self.differences(first.get(key, UNSET), second.get(key, UNSET), f"{path}.{key}")
            case list(), list():
                for at in range(max(len(first), len(second))):
                    before, after = (value[at] if at < len(value) else UNSET for value in (first, second))
                    yield from self.differences(before, after, f"{path}[{at}]")
            case str(), str():
                if not self.are_same(first, second):
                    yield ValueDifference(path=path, first=first, second=second)
            case _:
                are_numbers = is_number(first) and is_number(second)
                if first != second or not (are_numbers or type(first) is type(second)):
                    yield ValueDifference(path=path, first=first, second=second)

    def _map(self, first: str, other: str) -> bool:
        return self._there.setdefault(first, other) == other and self._back.setdefault(other, first) == first


def _skeleton(text: str) -> str:
    return _MOMENT.sub("T", _GUID.sub("#", text))

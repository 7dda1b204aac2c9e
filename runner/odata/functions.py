"""The functions and the arithmetic of a `$filter`: what they take and give, and how the sandbox evaluates them.

Null in, null out. What is here without `call` only a site evaluates.
"""

import operator
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from math import ceil, floor
from typing import Final, TypeAlias
from uuid import UUID

from msgspec import Struct

from runner.foundation.values import Json, is_number

FilterValue: TypeAlias = "Json | UUID | datetime"
"""A value in a filter: JSON has no type for GUIDs and moments, which are written without quotes. Moments are in UTC."""


class Edm(StrEnum):
    """Types of columns, by the names that `$metadata` gives them."""

    GUID = "Edm.Guid"
    STRING = "Edm.String"
    BOOLEAN = "Edm.Boolean"
    INTEGER = "Edm.Int32"
    LONG = "Edm.Int64"
    DECIMAL = "Edm.Decimal"
    MOMENT = "Edm.DateTimeOffset"


NUMBERS: Final = frozenset({Edm.INTEGER, Edm.LONG, Edm.DECIMAL})


class FilterFunction(Struct, frozen=True, kw_only=True):
    """`takes`: by place, None where that is not certain. `gives`: None for several types."""

    takes: tuple[Edm, ...] | None = None
    gives: Edm | None = None
    optional: int = 0
    call: Callable[..., FilterValue] | None = None

    @property
    def most(self) -> int:
        """How many values it takes at most."""
        return len(self.takes or ())

    def takes_as_many(self, count: int) -> bool:
        return self.takes is None or self.most - self.optional <= count <= self.most

    def evaluate(self, *values: FilterValue) -> FilterValue:
        """Null for values that it does not take, and for what no number holds."""
        read = [_AS[kind](value) for kind, value in zip(self.takes or (), values, strict=False)]
        with suppress(OverflowError, ValueError):
            return None if self.call is None or None in read else self.call(*read)
        return None


def moment(text: str) -> datetime | None:
    """A date or time as OData writes it; without an offset it is UTC. None for any other text."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment(value: FilterValue) -> datetime | None:
    return moment(value) if isinstance(value, str) else value if isinstance(value, datetime) else None


def _number(value: FilterValue) -> FilterValue:
    return value if is_number(value) else None


def _whole(value: FilterValue) -> FilterValue:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: FilterValue) -> str | None:
    return value if isinstance(value, str) else None


_AS: Final[Mapping[Edm, Callable[[FilterValue], FilterValue]]] = {
    Edm.STRING: _text,
    Edm.INTEGER: _whole,
    Edm.DECIMAL: _number,
    Edm.MOMENT: _moment,
}


def _part_of_text(text: str, start: int, length: int | None = None) -> str:
    return text[max(start, 0) :][: None if length is None else max(length, 0)]


def _of_texts(call: Callable[[str, str], FilterValue], gives: Edm) -> FilterFunction:
    return FilterFunction(takes=(Edm.STRING, Edm.STRING), gives=gives, call=call)


def _part_of_moment(name: str) -> FilterFunction:
    return FilterFunction(takes=(Edm.MOMENT,), gives=Edm.INTEGER, call=operator.attrgetter(name))


def _day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


FUNCTIONS: Final[Mapping[str, FilterFunction]] = {
    "contains": _of_texts(operator.contains, Edm.BOOLEAN),
    "startswith": _of_texts(str.startswith, Edm.BOOLEAN),
    "endswith": _of_texts(str.endswith, Edm.BOOLEAN),
    "indexof": _of_texts(str.find, Edm.INTEGER),
    "concat": _of_texts(operator.add, Edm.STRING),
    "length": FilterFunction(takes=(Edm.STRING,), gives=Edm.INTEGER, call=len),
    "tolower": FilterFunction(takes=(Edm.STRING,), gives=Edm.STRING, call=str.lower),
    "toupper": FilterFunction(takes=(Edm.STRING,), gives=Edm.STRING, call=str.upper),
    "trim": FilterFunction(takes=(Edm.STRING,), gives=Edm.STRING, call=str.strip),
    "substring": FilterFunction(
        takes=(Edm.STRING, Edm.INTEGER, Edm.INTEGER), gives=Edm.STRING, optional=1, call=_part_of_text
    ),
    **{name: _part_of_moment(name) for name in ("year", "month", "day", "hour", "minute", "second")},
    "date": FilterFunction(takes=(Edm.MOMENT,), gives=Edm.MOMENT, call=_day),
    "floor": FilterFunction(takes=(Edm.DECIMAL,), gives=Edm.DECIMAL, call=floor),
    "ceiling": FilterFunction(takes=(Edm.DECIMAL,), gives=Edm.DECIMAL, call=ceil),
    "round": FilterFunction(takes=(Edm.DECIMAL,), gives=Edm.DECIMAL),
    **dict.fromkeys(("now", "mindatetime", "maxdatetime"), FilterFunction(takes=(), gives=Edm.MOMENT)),
    **dict.fromkeys(("totaloffsetminutes", "fractionalseconds", "totalseconds"), FilterFunction(gives=Edm.DECIMAL)),
    **dict.fromkeys(("any", "all", "isof"), FilterFunction(gives=Edm.BOOLEAN)),
    **dict.fromkeys(("matchesPattern", "hassubset", "hassubsequence"), FilterFunction(gives=Edm.BOOLEAN)),
    **dict.fromkeys(("replace", "time", "cast", "case"), FilterFunction()),
}

_OF_NUMBERS: Final[Mapping[str, Callable[..., FilterValue] | None]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    **dict.fromkeys(("div", "divby", "mod")),  # of whole numbers a site cuts, by the type of the column
}
CALLS: Final[Mapping[str, FilterFunction]] = {
    **FUNCTIONS,
    **{
        name: FilterFunction(takes=(Edm.DECIMAL, Edm.DECIMAL), gives=Edm.DECIMAL, call=call)
        for name, call in _OF_NUMBERS.items()
    },
}
"""The functions and the arithmetic."""

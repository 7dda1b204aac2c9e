"""A raw value read as what it ought to be: leniently, by those who check; with certainty, by those who build."""

from enum import StrEnum
from typing import TypeVar

from runner.foundation.durations import seconds
from runner.foundation.values import Json, JsonObject

_Choice = TypeVar("_Choice", bound=StrEnum)


def record(value: Json) -> JsonObject:
    """`value` where it is a record, else an empty record."""
    return value if isinstance(value, dict) else {}


def items(value: Json) -> list[Json]:
    """`value` where it is a list, else an empty list."""
    return value if isinstance(value, list) else []


def text(fields: JsonObject, key: str) -> str | None:
    """The text of `key`, if any."""
    value = fields.get(key)
    return value if isinstance(value, str) else None


def flag(fields: JsonObject, key: str) -> bool | None:
    """True or false of `key`, None where there is neither."""
    value = fields.get(key)
    return value if isinstance(value, bool) else None


def whole_number(fields: JsonObject, key: str) -> int | None:
    """The integer of `key`, if any. A boolean, an integer to Python, is none."""
    value = fields.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def sure_text(value: Json) -> str:
    """A value that has been found to be a text before."""
    assert isinstance(value, str), value
    return value


def enum_member(kind: type[_Choice], value: Json, otherwise: _Choice) -> _Choice:
    """A word of `kind`, or what holds where nothing is written."""
    return kind(value) if isinstance(value, str) else otherwise


def duration(value: Json) -> float | None:
    """Seconds of a written duration, if any."""
    return seconds(value) if isinstance(value, str) else None


def number(value: Json, otherwise: int) -> int:
    """A whole number, which may be written as `5.0`."""
    return int(value) if isinstance(value, int | float) else otherwise

"""The types of parameters, and the values of parameters read by them: from text, JSON, or an activity.

What a type takes was measured for RunProcess [M]. Choices are [?]: that Execute takes the same; what is refused here;
that blanks around a number, boolean or moment do not count; that a day is its midnight. A moment without an offset is
in UTC.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runner.catalogue.model import Kind, Parameter
from runner.expressions import typed
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import (
    EMPTY_GUID,
    LARGEST_INTEGER,
    Json,
    as_text,
    compact,
    is_guid,
    is_number,
    kind_of,
    read_json,
    well_formed,
)

INTEGER: Final = lazy_pattern(r"([+-]?)0*+([0-9]*)(?<=[0-9])")
NUMBER: Final = lazy_pattern(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
DATE: Final = lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATETIME: Final = lazy_pattern(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?Z|[+-][0-9]{2}:?[0-9]{2})?"
)
TIME: Final = lazy_pattern(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,7})?)?")
_MOST_DIGITS: Final = 300
_DECIMALS: Final = 8  # the most that a column of a site can have; a product of prices has no more [?]
_LARGEST_NUMBER: Final = 1e300


class CannotReadError(ValueError):
    """A value that its parameter's type does not take; the message is for people."""


class KindFacts(Struct, frozen=True, kw_only=True):
    """What the program knows of a type."""

    called: str  # in messages
    read: Callable[[Json], Json]  # the value of a parameter or a column; raises `CannotReadError`
    empty: Json = ""  # of a parameter that was given none
    type: typed.Type = typed.UNKNOWN  # of its value in its process
    takes: int | None = None  # kinds of JSON that it may be given [M]
    schema: tuple[str, ...] = ()  # types of JSON for an editor, beside a text and null
    forms: tuple[str, ...] = ()  # a text of these may be of the type
    signs: str | None = None  # a text with others is not of the type
    example: str | None = None  # for who writes a value


def read(value: Json, parameter: Parameter) -> Json:
    """What `parameter` holds for `value`; for null and `""` its type's empty value. Raises `CannotReadError`."""
    return _records(value, parameter) if parameter.kind is Kind.RECORDS else read_scalar(value, parameter.kind)


def read_scalar(value: Json, kind: Kind) -> Json:
    """Read a single value, as `read` does, and raise as it does."""
    return KINDS[kind].empty if value is None or value == "" else KINDS[kind].read(value)


def fits(value: Json, parameter: Parameter) -> bool:
    try:
        read(value, parameter)
    except CannotReadError:
        return False
    return True


def held_type(parameter: Parameter) -> typed.Type:
    """The type of its value within its process: a value that was not given is empty, never null."""
    if parameter.kind is Kind.RECORDS:
        return typed.list_of(_record_type(parameter, lambda kind: KINDS[kind].type))
    return KINDS[parameter.kind].type


def answered_type(parameter: Parameter, *, decoded: bool) -> typed.Type:
    """The type of a site's answer. `decoded`: a text that holds JSON is read."""
    match parameter.kind:
        case Kind.RECORDS if decoded:
            return typed.Type(kinds=typed.LIST | typed.NULL, item=_record_type(parameter, _answered))
        case Kind.RECORDS:
            return _answered(Kind.TEXT)
        case Kind.TEXT if decoded:  # a text that begins like JSON is decoded [D]
            return typed.or_null(typed.Type(kinds=typed.TEXT | typed.LIST | typed.RECORD))
        case kind:
            return _answered(kind)


def _answered(kind: Kind) -> typed.Type:
    """A lookup is its id [M]; some answers of the platform hold `{value, displayValue}` [?]."""
    found = KINDS[kind].type
    return typed.or_null(replace(found, kinds=typed.TEXT | typed.RECORD) if kind is Kind.LOOKUP else found)


def _record_type(parameter: Parameter, column: Callable[[Kind], typed.Type]) -> typed.Type:
    fields = {name: column(kind) for name, kind in parameter.items.items()}
    return typed.record_of(fields, closed=True) if fields else typed.Type(kinds=typed.RECORD)


def _text(value: Json) -> str:
    return well_formed(as_text(value))


def _bare(value: Json) -> Json:
    return value.strip() if isinstance(value, str) else value


def _integer(written: Json) -> int:
    value = _bare(written)
    found = INTEGER.fullmatch(value) if isinstance(value, str) else None
    if found is not None and len(found[2]) <= len(str(LARGEST_INTEGER)):
        value = int(f"{found[1]}0{found[2]}")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return value
    raise _refused(value, "an integer")


def _number(written: Json) -> int | float:
    value = number = _bare(written)
    if isinstance(value, str) and NUMBER.fullmatch(value) and len(value) <= _MOST_DIGITS:
        number = float(value) if set(value) & set(".eE") else int(value)
    if is_number(number) and abs(number) <= _LARGEST_NUMBER:
        return round(number, _DECIMALS)
    raise _refused(value, "a number")


def _boolean(written: Json) -> bool:
    value = _bare(written)
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if isinstance(value, bool):
        return value
    raise _refused(value, "true or false")


def _guid(value: Json) -> str:
    if isinstance(value, str) and is_guid(value):
        return value.lower()
    raise _refused(value, "a GUID")


def _moment(written: Json, kind: Kind) -> str:
    value = _bare(written)
    text = value if isinstance(value, str) else ""
    try:
        if kind is Kind.DATE and DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
        if kind is Kind.TIME and TIME.fullmatch(text):
            return time.fromisoformat(text).isoformat()
        if kind is Kind.DATETIME and (DATETIME.fullmatch(text) or DATE.fullmatch(text)):
            moment = datetime.fromisoformat(text.replace(" Z", "Z"))
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            return moment.isoformat().removesuffix("+00:00") + "Z"
    except (ValueError, OverflowError):
        pass
    raise _refused(value, f"a {kind}, as ISO 8601 writes it")


def _records(value: Json, parameter: Parameter) -> Json:
    """A list of records, or its JSON text. With `items`, other columns are dropped as unknown codes are [M]."""
    if isinstance(value, str) and value:
        try:
            value = read_json(value)
        except ValueError:
            raise _refused(value, "a JSON list of records") from None
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise _refused(value, "a JSON list of records")
    return [_record(row, parameter) for row in value]


def _record(row: Json, parameter: Parameter) -> Json:
    if not isinstance(row, dict):
        raise _refused(row, "a record")
    if not parameter.items:
        return row
    return {code: read_scalar(row.get(code), kind) for code, kind in parameter.items.items()}


def _refused(value: Json, wanted: str) -> CannotReadError:
    shown = compact(value)[:100] if isinstance(value, str | int) else kind_of(value)
    return CannotReadError(f"{shown} is not {wanted}")


_DECIMAL: Final = KindFacts(
    called="a decimal",
    read=_number,
    empty=0,
    type=typed.A_NUMBER,
    takes=typed.NUMBER | typed.TEXT,
    schema=("number",),
    signs=r"0-9eE+.,'\s-",
    example="for example `99.99`",
)
_GUID: Final = KindFacts(
    called="a GUID",
    read=_guid,
    empty=EMPTY_GUID,
    type=typed.A_GUID,
    takes=typed.TEXT,
    forms=("guid",),
    signs=r"0-9a-fA-F{}()\s-",
    example="write 8-4-4-4-12 hexadecimal digits; a `query` finds the Id of a record by its name",
)
_DATETIME: Final = KindFacts(
    called="a datetime",
    read=partial(_moment, kind=Kind.DATETIME),
    empty="0001-01-01T00:00:00Z",
    type=typed.Type(kinds=typed.TEXT, form="datetime"),
    takes=typed.TEXT,
    forms=("datetime", "date", "time"),
    example="for example `2026-12-31T23:59:59`",
)
KINDS: Final[Mapping[Kind, KindFacts]] = {
    Kind.TEXT: KindFacts(called="a text", read=_text, type=typed.A_TEXT),
    Kind.INTEGER: KindFacts(
        called="an integer",
        read=_integer,
        empty=0,
        type=typed.A_NUMBER,
        takes=typed.NUMBER | typed.TEXT,
        schema=("integer",),
        signs=r"0-9+\s-",
        example="write a whole number, as in `12`",
    ),
    Kind.DECIMAL: _DECIMAL,
    Kind.MONEY: replace(_DECIMAL, called="an amount of money"),
    Kind.BOOLEAN: KindFacts(
        called="a boolean",
        read=_boolean,
        empty=False,
        type=typed.A_BOOLEAN,
        takes=typed.BOOLEAN | typed.NUMBER | typed.TEXT,
        schema=("boolean",),
        signs=r"01truefalsTRUEFALS\s",
        example="write `true` or `false`",
    ),
    Kind.GUID: _GUID,
    Kind.LOOKUP: replace(
        _GUID,
        called="a lookup",
        example="a lookup is given by the GUID of its record, which a `query` finds by its name",
    ),
    Kind.DATETIME: _DATETIME,
    Kind.DATE: replace(
        _DATETIME,
        called="a date",
        read=partial(_moment, kind=Kind.DATE),
        empty="0001-01-01",
        type=typed.Type(kinds=typed.TEXT, form="date"),
        forms=("datetime", "date"),
        example="for example `2026-12-31`",
    ),
    Kind.TIME: replace(
        _DATETIME,
        called="a time",
        read=partial(_moment, kind=Kind.TIME),
        empty="00:00:00",
        type=typed.Type(kinds=typed.TEXT, form="time"),
        forms=("datetime", "time"),
        example="for example `18:45:00`",
    ),
    Kind.RECORDS: KindFacts(
        called="a list of records",
        read=_text,  # records within records are a text
        empty=[],
        takes=typed.LIST | typed.TEXT,
        schema=("array",),
        example="write a list: `- {CODE: VALUE}`",
    ),
    Kind.UNKNOWN: KindFacts(called="a value of an unknown type", read=_text),
}
"""All types."""

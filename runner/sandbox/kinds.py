"""Values of parameters, read by the parameter's type: from the text of a query, from JSON, from an activity.

What a type takes follows SERVICE.md section 4 [M, measured for RunProcess]; that Execute takes the same texts is a
choice [?], and so is every text below that is refused, that blanks around a number, a boolean or a moment are no part
of it, and that a day alone is its midnight. The sandbox's server time is UTC.
"""

import re
from datetime import UTC, date, datetime, time

from runner.foundation.guids import is_guid
from runner.foundation.values import LARGEST_INTEGER, Json, compact, is_number, kind_of, well_formed
from runner.sandbox.doubles import Kind, Parameter
from runner.sandbox.json_text import read_json

EMPTY_GUID = "00000000-0000-0000-0000-000000000000"
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?")
_LARGEST_NUMBER = 1e300
_DATETIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,7})?)?")


_WITHOUT_BLANKS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.MONEY, Kind.BOOLEAN, Kind.DATETIME, Kind.DATE, Kind.TIME})


class CannotReadError(ValueError):
    """A value that its parameter's type does not take; the message is for people."""


_EMPTY: dict[Kind, Json] = {
    Kind.TEXT: "",
    Kind.INTEGER: 0,
    Kind.DECIMAL: 0,
    Kind.MONEY: 0,
    Kind.BOOLEAN: False,
    Kind.GUID: EMPTY_GUID,
    Kind.LOOKUP: EMPTY_GUID,
    Kind.DATETIME: "0001-01-01T00:00:00Z",
    Kind.DATE: "0001-01-01",
    Kind.TIME: "00:00:00",
    Kind.RECORDS: [],
}


def empty(kind: Kind) -> Json:
    """The value of a parameter that was not given one."""
    return _EMPTY[kind]


def read(value: Json, parameter: Parameter) -> Json:
    """Make `value` what `parameter` holds; null and an empty text are the type's empty value.

    Raises `CannotReadError`.
    """
    if parameter.kind is Kind.RECORDS:
        return _records(value, parameter)
    return _scalar(value, parameter.kind)


def takes(value: Json, kind: str) -> bool:
    """Whether a parameter of this type, or a column of its records, is given `value` without a refusal."""
    try:
        _scalar(value, Kind(kind))
    except CannotReadError:
        return False
    return True


def _scalar(value: Json, kind: Kind) -> Json:
    if value is None or value == "":
        return empty(kind)
    if isinstance(value, str) and kind in _WITHOUT_BLANKS:
        value = value.strip()
    match kind:
        case Kind.TEXT:
            return well_formed(value if isinstance(value, str) else compact(value))
        case Kind.INTEGER:
            return _integer(value)
        case Kind.DECIMAL | Kind.MONEY:
            return _number(value)
        case Kind.BOOLEAN:
            return _boolean(value)
        case Kind.GUID | Kind.LOOKUP:
            return _guid(value)
        case Kind.DATETIME | Kind.DATE | Kind.TIME:
            return _moment(value, kind)
        case Kind.RECORDS:
            raise CannotReadError("a record holds no records")


def _integer(value: Json) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return value
    raise _refused(value, "an integer")


def _number(value: Json) -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        number: Json = float(value) if set(value) & set(".eE") else int(value)
    else:
        number = value
    if is_number(number) and abs(number) <= _LARGEST_NUMBER:
        return number
    raise _refused(value, "a number")


def _boolean(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise _refused(value, "true or false")


def _guid(value: Json) -> str:
    if isinstance(value, str) and is_guid(value):
        return value.lower()
    raise _refused(value, "a GUID")


def _moment(value: Json, kind: Kind) -> str:
    if isinstance(value, str):
        try:
            return _MOMENTS[kind](value)
        except (ValueError, OverflowError):
            pass
    raise _refused(value, f"a {kind}, as ISO 8601 writes it")


def _datetime(text: str) -> str:
    """UTC with a `Z`. A text without an offset is taken as the server's local time, which here is UTC."""
    if not _DATETIME.fullmatch(text) and not _DATE.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat().removesuffix("+00:00") + "Z"


def _date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text).isoformat()


def _time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    return time.fromisoformat(text).isoformat()


_MOMENTS = {Kind.DATETIME: _datetime, Kind.DATE: _date, Kind.TIME: _time}


def _records(value: Json, parameter: Parameter) -> Json:
    """A list of records, or the JSON text of one. With `items`, other columns are dropped as unknown codes are [M]."""
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
    return {code: _scalar(row.get(code), kind) for code, kind in parameter.items.items()}


def _refused(value: Json, wanted: str) -> CannotReadError:
    shown = compact(value)[:100] if isinstance(value, str | int) else kind_of(value)
    return CannotReadError(f"{shown} is not {wanted}")

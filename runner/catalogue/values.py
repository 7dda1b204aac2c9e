"""Values of parameters, read by the parameter's type, whether they come as text, in JSON, or from an activity.

What a type takes was measured for RunProcess [M]. That Execute takes the same texts is a choice [?], and so are: every
text that is refused here; that blanks around a number, a boolean or a moment do not count; that a day alone is its
midnight. A moment without an offset is in UTC, which is the sandbox's time.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Final, assert_never

from runner.catalogue.model import Kind, Parameter
from runner.foundation.guids import is_guid
from runner.foundation.json_text import read_json
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import LARGEST_INTEGER, Json, compact, is_number, kind_of, well_formed

EMPTY_GUID: Final = "00000000-0000-0000-0000-000000000000"
INTEGER: Final = lazy_pattern(r"([+-]?)0*+([0-9]*)(?<=[0-9])")
NUMBER: Final = lazy_pattern(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
DATE: Final = lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATETIME: Final = lazy_pattern(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?Z|[+-][0-9]{2}:?[0-9]{2})?"
)
TIME: Final = lazy_pattern(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,7})?)?")
_MOST_DIGITS: Final = 300
_LARGEST_NUMBER: Final = 1e300
_WITHOUT_BLANKS: Final = frozenset(
    {Kind.INTEGER, Kind.DECIMAL, Kind.MONEY, Kind.BOOLEAN, Kind.DATETIME, Kind.DATE, Kind.TIME}
)
EMPTY: Final[Mapping[Kind, Json]] = {
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
    Kind.UNKNOWN: "",
}
"""The value of a parameter that was given none."""


class CannotReadError(ValueError):
    """A value that its parameter's type does not take; the message is for people."""


def read(value: Json, parameter: Parameter) -> Json:
    """Make `value` what `parameter` holds; null and an empty text are the type's empty value.

    Raises `CannotReadError`.
    """
    if parameter.kind is Kind.RECORDS:
        return _records(value, parameter)
    return read_scalar(value, parameter.kind)


def fits(value: Json, parameter: Parameter) -> bool:
    """Whether the parameter takes `value`."""
    try:
        read(value, parameter)
    except CannotReadError:
        return False
    return True


def read_scalar(value: Json, kind: Kind) -> Json:
    """As `read`, for a parameter or a column that holds one value."""
    if value is None or value == "":
        return EMPTY[kind]
    if isinstance(value, str) and kind in _WITHOUT_BLANKS:
        value = value.strip()
    match kind:
        case Kind.TEXT | Kind.RECORDS | Kind.UNKNOWN:  # records within records are a text
            return well_formed(value if isinstance(value, str) else compact(value))
        case Kind.INTEGER:
            return _integer(value)
        case Kind.DECIMAL | Kind.MONEY:
            return _number(value)
        case Kind.BOOLEAN:
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value.lower() in {"true", "false"}:
                return value.lower() == "true"
            raise _refused(value, "true or false")
        case Kind.GUID | Kind.LOOKUP:
            if isinstance(value, str) and is_guid(value):
                return value.lower()
            raise _refused(value, "a GUID")
        case Kind.DATETIME | Kind.DATE | Kind.TIME:
            return _moment(value, kind)
        case _:
            assert_never(kind)


def _integer(value: Json) -> int:
    found = INTEGER.fullmatch(value) if isinstance(value, str) else None
    if found is not None and len(found[2]) <= len(str(LARGEST_INTEGER)):
        value = int(f"{found[1]}0{found[2]}")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return value
    raise _refused(value, "an integer")


def _number(value: Json) -> int | float:
    number = value
    if isinstance(value, str) and NUMBER.fullmatch(value) and len(value) <= _MOST_DIGITS:
        number = float(value) if set(value) & set(".eE") else int(value)
    if is_number(number) and abs(number) <= _LARGEST_NUMBER:
        return number
    raise _refused(value, "a number")


def _moment(value: Json, kind: Kind) -> str:
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
    """A list of records, or the JSON text of such a list. With `items`, other columns are dropped as unknown codes are
    [M].
    """
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

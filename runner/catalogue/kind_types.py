"""What expressions see of a parameter: the type of its value inside its process, and of what a site answers of it."""

from collections.abc import Callable, Mapping
from typing import Final

from runner.catalogue.model import Kind, Parameter
from runner.expressions.typed import (
    A_BOOLEAN,
    A_GUID,
    A_NUMBER,
    A_TEXT,
    BOOLEAN,
    LIST,
    NULL,
    NUMBER,
    RECORD,
    TEXT,
    UNKNOWN,
    Type,
    list_of,
    or_null,
    record_of,
)

_TYPES: Final[Mapping[Kind, Type]] = {
    Kind.TEXT: A_TEXT,
    Kind.INTEGER: A_NUMBER,
    Kind.DECIMAL: A_NUMBER,
    Kind.MONEY: A_NUMBER,
    Kind.BOOLEAN: A_BOOLEAN,
    Kind.GUID: A_GUID,
    Kind.LOOKUP: A_GUID,
    Kind.DATETIME: Type(kinds=TEXT, form="datetime"),
    Kind.DATE: Type(kinds=TEXT, form="date"),
    Kind.TIME: Type(kinds=TEXT, form="time"),
}
_ANSWERED_LOOKUP: Final = or_null(Type(kinds=TEXT | RECORD))
"""By its id [M]; some answers of the platform hold `{value, displayValue}` [?]."""
_TEXT_OR_DECODED: Final = or_null(Type(kinds=TEXT | LIST | RECORD))
"""A text that begins like JSON is decoded [D], so a result of the type text may come as what it holds."""
TAKES: Final[Mapping[Kind, int]] = {
    **dict.fromkeys((Kind.INTEGER, Kind.DECIMAL, Kind.MONEY), NUMBER | TEXT),
    Kind.BOOLEAN: BOOLEAN | NUMBER | TEXT,
    **dict.fromkeys((Kind.GUID, Kind.LOOKUP, Kind.DATETIME, Kind.DATE, Kind.TIME), TEXT),
    Kind.RECORDS: LIST | TEXT,
}
"""The kinds that a parameter may be given [M]. What a text, or a number for a boolean, holds is another matter."""


def held_type(parameter: Parameter) -> Type:
    """Of its value within its process: what was not given is the type's empty value, never null."""
    if parameter.kind is Kind.RECORDS:
        return list_of(_record(parameter, _held))
    return _held(parameter.kind)


def answered_type(parameter: Parameter, *, decoded: bool) -> Type:
    """Of what a site answers. `decoded`: a text that holds JSON is given as what it holds."""
    match parameter.kind:
        case Kind.RECORDS if decoded:
            return Type(kinds=LIST | NULL, item=_record(parameter, _answered))
        case Kind.RECORDS:
            return _answered(Kind.TEXT)
        case Kind.TEXT if decoded:
            return _TEXT_OR_DECODED
        case kind:
            return _answered(kind)


def _held(kind: Kind) -> Type:
    return _TYPES.get(kind, UNKNOWN)


def _answered(kind: Kind) -> Type:
    if kind is Kind.LOOKUP:
        return _ANSWERED_LOOKUP
    return or_null(_TYPES[kind]) if kind in _TYPES else UNKNOWN


def _record(parameter: Parameter, column: Callable[[Kind], Type]) -> Type:
    fields = {name: column(kind) for name, kind in parameter.items.items()}
    return record_of(fields, closed=True) if fields else Type(kinds=RECORD)

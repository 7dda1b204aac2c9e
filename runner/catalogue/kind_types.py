"""What expressions see of a parameter: the type of its value inside its process, and of what a site answers of it."""

from collections.abc import Callable, Mapping
from typing import Final

from runner.catalogue.model import Kind, Parameter
from runner.expressions import typed

_TYPES: Final[Mapping[Kind, typed.Type]] = {
    Kind.TEXT: typed.A_TEXT,
    Kind.INTEGER: typed.A_NUMBER,
    Kind.DECIMAL: typed.A_NUMBER,
    Kind.MONEY: typed.A_NUMBER,
    Kind.BOOLEAN: typed.A_BOOLEAN,
    Kind.GUID: typed.A_GUID,
    Kind.LOOKUP: typed.A_GUID,
    Kind.DATETIME: typed.Type(kinds=typed.TEXT, form="datetime"),
    Kind.DATE: typed.Type(kinds=typed.TEXT, form="date"),
    Kind.TIME: typed.Type(kinds=typed.TEXT, form="time"),
}
_ANSWERED_LOOKUP: Final = typed.or_null(typed.Type(kinds=typed.TEXT | typed.RECORD))
"""By its id [M]; some answers of the platform hold `{value, displayValue}` [?]."""
_TEXT_OR_DECODED: Final = typed.or_null(typed.Type(kinds=typed.TEXT | typed.LIST | typed.RECORD))
"""A text that begins like JSON is decoded [D], so a result of the type text may come as what it holds."""
TAKES: Final[Mapping[Kind, int]] = {
    **dict.fromkeys((Kind.INTEGER, Kind.DECIMAL, Kind.MONEY), typed.NUMBER | typed.TEXT),
    Kind.BOOLEAN: typed.BOOLEAN | typed.NUMBER | typed.TEXT,
    **dict.fromkeys((Kind.GUID, Kind.LOOKUP, Kind.DATETIME, Kind.DATE, Kind.TIME), typed.TEXT),
    Kind.RECORDS: typed.LIST | typed.TEXT,
}
"""The kinds that a parameter may be given [M]. What a text, or a number for a boolean, holds is another matter."""


def held_type(parameter: Parameter) -> typed.Type:
    """Of its value within its process: what was not given is the type's empty value, never null."""
    if parameter.kind is Kind.RECORDS:
        return typed.list_of(_record(parameter, _held))
    return _held(parameter.kind)


def answered_type(parameter: Parameter, *, decoded: bool) -> typed.Type:
    """Of what a site answers. `decoded`: a text that holds JSON is given as what it holds."""
    match parameter.kind:
        case Kind.RECORDS if decoded:
            return typed.Type(kinds=typed.LIST | typed.NULL, item=_record(parameter, _answered))
        case Kind.RECORDS:
            return _answered(Kind.TEXT)
        case Kind.TEXT if decoded:
            return _TEXT_OR_DECODED
        case kind:
            return _answered(kind)


def _held(kind: Kind) -> typed.Type:
    return _TYPES.get(kind, typed.UNKNOWN)


def _answered(kind: Kind) -> typed.Type:
    if kind is Kind.LOOKUP:
        return _ANSWERED_LOOKUP
    return typed.or_null(_TYPES[kind]) if kind in _TYPES else typed.UNKNOWN


def _record(parameter: Parameter, column: Callable[[Kind], typed.Type]) -> typed.Type:
    fields = {name: column(kind) for name, kind in parameter.items.items()}
    return typed.record_of(fields, closed=True) if fields else typed.Type(kinds=typed.RECORD)

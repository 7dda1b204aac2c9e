"""A document without problems → the records of a double. Nothing is checked here: `rules` and the schema have."""

from collections.abc import Iterator

from runner.catalogue.model import Direction, Kind, Parameter
from runner.expressions.parse import expression, expressions_in
from runner.foundation.durations import seconds
from runner.foundation.raw import number
from runner.foundation.values import Json, JsonObject, compact
from runner.reading.load import Document
from runner.sandbox.doubles import (
    Activity,
    Background,
    Change,
    Deed,
    Delay,
    Delete,
    Double,
    Fail,
    Fault,
    Insert,
    Park,
    Select,
    Set,
    StartsOn,
    Update,
)
from runner.sandbox.fault_kinds import FAULT_KINDS


def double(document: Document) -> Double:
    fields = _record(document.data)
    code = str(fields["process"])
    activities = _list(fields.get("activities", []))
    lines = document.lines_of_items(("activities",))
    return Double(
        code=code,
        caption=str(fields.get("caption", code)),
        file=document.file,
        parameters={name: _parameter(_record(each)) for name, each in _record(fields.get("parameters", {})).items()},
        activities=tuple(_activity(_record(each), line) for each, line in zip(activities, lines, strict=True)),
        version=number(fields.get("version"), 1),
        of=_text(fields.get("of")),
        active=fields.get("active", "of" not in fields) is True,
        starts_on=_starts_on(_record(fields["starts_on"])) if "starts_on" in fields else None,
        faults=tuple(fault(_record(each)) for each in _list(fields.get("faults", []))),
    )


def fault(fields: JsonObject) -> Fault:
    """A fault of a double's file, or of `POST /sandbox/faults`."""
    kind = str(fields["fault"])
    times, taking = fields.get("times"), fields.get("seconds", FAULT_KINDS[kind].seconds or 0)
    assert times is None or isinstance(times, int | float)
    assert isinstance(taking, int | float)
    return Fault(kind=kind, times=None if times is None else int(times), seconds=float(taking))


def columns_of(double: Double) -> Iterator[tuple[str, str]]:
    """Each entity that the double works on, with each column that it names."""
    if (start := double.starts_on) is not None:
        yield from ((start.entity, column) for column in ("Id", *_of_row(start.where)))
    for activity in double.activities:
        match activity.deed:
            case Insert(entity=entity, values=values):
                yield from ((entity, column) for column in ("Id", *values))
            case Select(entity=entity, where=where, into=into):
                items = double.parameters[into].items
                yield from ((entity, column) for column in ("Id", *items, *_of_row(where)))
            case Update(entity=entity, where=where, values=values):
                used = _of_row(where, *values.values())
                yield from ((entity, column) for column in ("Id", *values, *used))
            case Delete(entity=entity, where=where):
                yield from ((entity, column) for column in ("Id", *_of_row(where)))
            case _:
                pass


def columns_in(where: str | None, *values: Json) -> Iterator[tuple[str, int]]:
    """The columns of `row` that a condition and values use, with the line of the text on which each stands."""
    names = [] if where is None else list(expression(where).names)
    for value in values:
        for _, template in expressions_in(value):
            names.extend(template.names)
    for name in names:
        match name.path:
            case "row", str(column), *_:
                yield column, name.line
            case _:
                pass


def _of_row(where: str | None, *values: Json) -> Iterator[str]:
    return (column for column, _ in columns_in(where, *values))


def _starts_on(fields: JsonObject) -> StartsOn:
    return StartsOn(
        entity=str(fields["entity"]),
        change=Change(str(fields["change"])),
        where=_expression(fields.get("where")),
        into=_text(fields.get("into")),
    )


def _parameter(fields: JsonObject) -> Parameter:
    return Parameter(
        kind=Kind(str(fields["type"])),
        direction=Direction(str(fields.get("direction", Direction.IN))),
        items={column: Kind(str(kind)) for column, kind in _record(fields.get("items", {})).items()},
        is_exact=True,
    )


def _activity(fields: JsonObject, line: int) -> Activity:
    kind = next(key for key in fields if key != "if")
    return Activity(deed=_deed(kind, fields[kind]), condition=_expression(fields.get("if")), line=line)


def _deed(kind: str, value: Json) -> Deed:
    match kind:
        case "set":
            return Set(values=_record(value))
        case "delay":
            return Delay(seconds=seconds(str(value)) or 0)
        case "background":
            return Background()
        case "fail":
            said = value if isinstance(value, dict) else {"text": value}
            return Fail(text=str(said["text"]), uid=_uid(said.get("uid")), caption=_text(said.get("caption")))
        case "element":
            fields = _record(value)
            return Park(
                uid=_uid(fields.get("uid")),
                into=_text(fields.get("into")),
                caption=_text(fields.get("caption")),
                waits=fields.get("waits") is not False,
            )
        case _:
            return _on_records(kind, _record(value))


def _on_records(kind: str, fields: JsonObject) -> Insert | Select | Update | Delete:
    entity = str(fields["entity"])
    where = _expression(fields.get("where"))
    match kind:
        case "insert":
            return Insert(entity=entity, values=_record(fields.get("values", {})), into=_text(fields.get("into")))
        case "select":
            return Select(entity=entity, where=where, into=str(fields["into"]))
        case "update":
            return Update(entity=entity, where=where, values=_record(fields["values"]))
        case _:
            return Delete(entity=entity, where=where)


def _expression(value: Json) -> str | None:
    """A YAML boolean stands for itself."""
    return value if value is None or isinstance(value, str) else compact(value)


def _uid(value: Json) -> str | None:
    return None if value is None else str(value).lower()


def _text(value: Json) -> str | None:
    return None if value is None else str(value)


def _record(value: Json) -> JsonObject:
    assert isinstance(value, dict)
    return value


def _list(value: Json) -> list[Json]:
    assert isinstance(value, list)
    return value

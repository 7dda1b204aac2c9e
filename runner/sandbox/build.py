"""A document without problems → the records of a double. Nothing is checked here: `rules` and the schema have."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from msgspec import Struct

from runner.catalogue.model import Direction, Kind, Parameter
from runner.expressions.parse import expression, expressions_in
from runner.foundation.durations import seconds
from runner.foundation.values import Json, JsonObject, ValuePath, compact, items, number, record, text
from runner.job.actions.signal import Change
from runner.reading.load import Document
from runner.sandbox import doubles
from runner.sandbox.fault_kinds import FAULT_KINDS

_DEEDS: Final[Mapping[str, Callable[..., doubles.Deed]]] = {
    "fail": doubles.Fail,
    "element": doubles.Park,
    "insert": doubles.Insert,
    "select": doubles.Select,
    "update": doubles.Update,
    "delete": doubles.Delete,
}
"""Those whose fields have the names of the keys."""


def double(document: Document) -> doubles.Double:
    """The double that `document` describes, which must fit its schema."""
    fields = record(document.data)
    code = str(fields["process"])
    activities = items(fields.get("activities"))
    lines = document.lines_of_items(("activities",))
    return doubles.Double(
        code=code,
        caption=str(fields.get("caption", code)),
        file=document.file,
        parameters={name: _parameter(record(each)) for name, each in record(fields.get("parameters")).items()},
        activities=tuple(_activity(record(each), line) for each, line in zip(activities, lines, strict=True)),
        version=number(fields.get("version"), 1),
        of=text(fields, "of"),
        active=fields.get("active", "of" not in fields) is True,
        starts_on=_starts_on(record(fields["starts_on"])) if "starts_on" in fields else None,
        faults=tuple(fault(record(each)) for each in items(fields.get("faults"))),
    )


def fault(fields: JsonObject) -> doubles.CallFault:
    """A fault of a double's file, or of `POST /sandbox/faults`."""
    kind = str(fields["fault"])
    times, taking = fields.get("times"), fields.get("seconds", FAULT_KINDS[kind].seconds or 0)
    assert times is None or isinstance(times, int | float)
    assert isinstance(taking, int | float)
    return doubles.CallFault(kind=kind, times=None if times is None else int(times), seconds=float(taking))


class ColumnUse(Struct, frozen=True, kw_only=True):
    """A column that a double names at `path`, at `line` of that text. `filled_beside`: with these; None if read."""

    entity: str
    column: str = "Id"
    path: ValuePath
    line: int = 0
    at_key: bool = False
    names_entity: bool = False
    filled_beside: Collection[str] | None = None


def column_uses(double: doubles.Double) -> Iterator[ColumnUse]:
    """Every entity that the double works on, each followed by the columns that it names there."""
    if (start := double.starts_on) is not None:
        yield ColumnUse(entity=start.entity, path=("starts_on", "entity"), names_entity=True)
        yield from _columns_in(start.where, start.entity, ("starts_on", "where"))
    for index, activity in enumerate(double.activities):
        deed, at = activity.deed, ("activities", index, type(activity.deed).__name__.lower())
        if not isinstance(deed, doubles.Insert | doubles.Select | doubles.Update | doubles.Delete):
            continue
        yield ColumnUse(entity=deed.entity, path=(*at, "entity"), names_entity=True)
        values = deed.values if isinstance(deed, doubles.Insert | doubles.Update) else {}
        for column in values:
            yield ColumnUse(entity=deed.entity, column=column, path=(*at, "values", column), filled_beside=values)
        if isinstance(deed, doubles.Select):
            for column in double.parameters[deed.into].items:
                path = ("parameters", deed.into, "items", column)
                yield ColumnUse(entity=deed.entity, column=column, path=path, at_key=True)
        if not isinstance(deed, doubles.Insert):
            yield from _columns_in(deed.where, deed.entity, (*at, "where"))
        if isinstance(deed, doubles.Update):
            for column, value in values.items():
                yield from _columns_in(value, deed.entity, (*at, "values", column))


def _columns_in(value: Json, entity: str, path: ValuePath) -> Iterator[ColumnUse]:
    """The columns of `row` that a condition, or a value with templates, uses."""
    if path[-1] == "where":
        names = [] if value is None else [*expression(str(value)).names]
    else:
        names = [name for _, template in expressions_in(value) for name in template.names]
    for name in names:
        match name.path:
            case "row", str(column), *_:
                yield ColumnUse(entity=entity, column=column, path=path, line=name.line)


def _starts_on(fields: JsonObject) -> doubles.StartsOn:
    return doubles.StartsOn(
        entity=str(fields["entity"]),
        change=Change(str(fields["change"])),
        where=_expression(fields.get("where")),
        into=text(fields, "into"),
    )


def _parameter(fields: JsonObject) -> Parameter:
    return Parameter(
        kind=Kind(str(fields["type"])),
        direction=Direction(str(fields.get("direction", Direction.IN))),
        items={column: Kind(str(kind)) for column, kind in record(fields.get("items")).items()},
        is_exact=True,
    )


def _activity(fields: JsonObject, line: int) -> doubles.Activity:
    kind = next(key for key in fields if key != "if")
    return doubles.Activity(deed=_deed(kind, fields[kind]), condition=_expression(fields.get("if")), line=line)


def _deed(kind: str, value: Json) -> doubles.Deed:
    match kind:
        case "set":
            return doubles.Set(values=record(value))
        case "delay":
            return doubles.Delay(seconds=seconds(str(value)) or 0)
        case "background":
            return doubles.Background()
    fields: JsonObject = {"text": value} if isinstance(value, str) else {**record(value)}
    if "where" in fields:
        fields["where"] = _expression(fields["where"])
    if "uid" in fields:
        fields["uid"] = str(fields["uid"]).lower()
    return _DEEDS[kind](**fields)


def _expression(value: Json) -> str | None:
    """A YAML boolean is an expression, too."""
    return value if value is None or isinstance(value, str) else compact(value)

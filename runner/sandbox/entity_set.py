"""An entity as OData sees it, with the types of its columns, which doubles show before there is any record."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias, TypeVar

from msgspec import Struct

from runner.catalogue.kinds import KINDS
from runner.catalogue.model import Kind, Parameter
from runner.expressions.parse import Expression, template
from runner.foundation.lazy import lazy_pattern
from runner.foundation.server_time import parse_value
from runner.foundation.values import Json, JsonObject, is_guid, is_number
from runner.odata.functions import Edm
from runner.odata.match import Bounds
from runner.sandbox.doubles import STAMPS, Double, Insert, Update

_MOMENT = lazy_pattern(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)

_Entry = TypeVar("_Entry")
EntityTable: TypeAlias = Mapping[str, tuple[Edm, Callable[[_Entry], Json]]]
"""Columns with their types, and what each shows of an entry."""


EMPTY: Mapping[Edm | None, Json] = {
    Edm.GUID: KINDS[Kind.GUID].empty,
    Edm.STRING: "",
    Edm.BOOLEAN: False,
    Edm.INTEGER: 0,
    Edm.LONG: 0,
    Edm.DECIMAL: 0,
    Edm.MOMENT: KINDS[Kind.DATETIME].empty,
}
"""How a site shows a column that holds nothing, by its type [D]. That of a column of no type is null."""


class EntitySet(Struct, frozen=True, kw_only=True):
    """An entity."""

    name: str
    columns: tuple[str, ...]  # in order
    type_of: Callable[[str], Edm | None]  # may look at every row
    paths: tuple[str, ...]  # that filters name
    rows: Callable[[Bounds, Iterable[str]], Iterable[JsonObject]]  # keyed by columns, and by wanted `paths`
    lookups: frozenset[str] = frozenset()  # where they hold GUIDs, filtered by paths alone
    is_own: bool = False  # of the folder; an empty column has its type's empty value

    def type_of_path(self, path: str) -> Edm | None:
        """The type of a column, or of the Id of a lookup; None for other columns of other entities."""
        return Edm.GUID if path.endswith("/Id") else self.type_of(path) if path in self.columns else None


def system_entity(
    name: str,
    columns: EntityTable[_Entry],
    entries: Callable[[Bounds], Iterable[_Entry]],
    *,
    lookups: Iterable[str] = (),
    paths: Mapping[str, Callable[[_Entry], Json]] | None = None,
) -> EntitySet:
    """An entity that every site has. A lookup is filtered by its path alone [M]: `Status/Id`, never `StatusId`."""
    values = {column: value for column, (_, value) in columns.items()}
    of_lookups = {f"{lookup}/Id": values[f"{lookup}Id"] for lookup in lookups}
    by_path = {**of_lookups, **(paths or {})}
    types = {column: kind for column, (kind, _) in columns.items()}

    def rows(bounds: Bounds, _: Iterable[str]) -> Iterator[JsonObject]:
        for entry in entries(bounds):
            yield {key: value(entry) for key, value in (values | by_path).items()}

    return EntitySet(
        name=name,
        columns=tuple(columns),
        type_of=types.__getitem__,
        paths=(*(column for column in columns if f"{column.removesuffix('Id')}/Id" not in of_lookups), *by_path),
        rows=rows,
    )


def type_of(values: Iterable[Json], declared: Iterable[Edm] = ()) -> Edm | None:
    """The type of a column by its values and what is declared; null says nothing, several types are texts."""
    found = {*declared, *(_type(value) for value in values if value is not None)}
    for wider in (Edm.LONG, Edm.DECIMAL):
        if wider in found and found <= {Edm.INTEGER, Edm.LONG, Edm.DECIMAL}:
            found = {Edm.DECIMAL if Edm.DECIMAL in found else wider}
    if not found:
        return None
    return found.pop() if len(found) == 1 else Edm.STRING


def column_type(column: str, rows: Iterable[JsonObject], declared: Iterable[Edm]) -> Edm | None:
    """The type of a column of an entity of the folder."""
    if column in ("Id", *STAMPS):
        return Edm.MOMENT if column.endswith("On") else Edm.GUID
    return type_of((row.get(column) for row in rows), declared)


def fits(value: Json, kind: Edm | None) -> bool:
    """Whether a column of the type takes the value: null always, a text column any."""
    match kind:
        case None | Edm.STRING:
            return True
        case _ if value is None:
            return True
        case Edm.BOOLEAN:
            return isinstance(value, bool)
        case Edm.GUID:
            return isinstance(value, str) and is_guid(value)
        case Edm.MOMENT:
            return isinstance(value, str) and parse_value(value) is not None
        case Edm.INTEGER | Edm.LONG | Edm.DECIMAL:
            return is_number(value)


def _type(value: Json) -> Edm:
    match value:
        case bool():
            return Edm.BOOLEAN
        case int():
            return Edm.INTEGER if -(2**31) <= value < 2**31 else Edm.LONG
        case float():
            return Edm.DECIMAL
        case str() if is_guid(value):
            return Edm.GUID
        case str() if _MOMENT.fullmatch(value):
            return Edm.MOMENT
        case _:
            return Edm.STRING


def declared_types(doubles: Iterable[Double]) -> dict[tuple[str, str], set[Edm]]:
    """The types of what doubles put into columns, by entity and column."""
    found: dict[tuple[str, str], set[Edm]] = {}
    for double in doubles:
        for activity in double.activities:
            match activity.deed:
                case Insert(entity=entity, values=values) | Update(entity=entity, values=values):
                    for column, value in values.items():
                        found.setdefault((entity, column), set()).update(_declared(value, double.parameters))
    return found


def _declared(value: Json, parameters: Mapping[str, Parameter]) -> Iterator[Edm]:
    if value is None:
        return
    found = template(value) if isinstance(value, str) else None
    if found is None or found.is_plain:
        yield _type(value)
        return
    match found.parts:
        case (Expression(path=("parameters", str(code))),) if code in parameters:
            kind = parameters[code].kind
            yield Edm.DECIMAL if kind in (Kind.DECIMAL, Kind.MONEY) else _type(KINDS[kind].empty)

"""An entity as OData sees it, and the types of its columns."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from runner.foundation.guids import is_guid
from runner.foundation.values import Json, JsonObject
from runner.odata.match import Bounds

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


class Edm(StrEnum):
    """Types of columns, by the names that `$metadata` gives them."""

    GUID = "Edm.Guid"
    STRING = "Edm.String"
    BOOLEAN = "Edm.Boolean"
    INTEGER = "Edm.Int32"
    LONG = "Edm.Int64"
    DECIMAL = "Edm.Decimal"
    MOMENT = "Edm.DateTimeOffset"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySet:
    """`columns` are those of the payload, in order; rows are keyed by `paths`, which filters name, and by columns.

    `types` gives the columns with their types, which may take a look at every row.
    """

    name: str
    columns: tuple[str, ...]
    types: Callable[[], Mapping[str, Edm]]
    paths: tuple[str, ...]
    rows: Callable[[Bounds], Iterable[JsonObject]]


def type_of(values: Iterable[Json], declared: Iterable[Edm] = ()) -> Edm:
    """The type of a column that holds these values, and may hold what is declared.

    Null says nothing, and values of several types are texts.
    """
    found = {*declared, *(_type(value) for value in values if value is not None)}
    for wider in (Edm.LONG, Edm.DECIMAL):
        if wider in found and found <= {Edm.INTEGER, Edm.LONG, Edm.DECIMAL}:
            found = {Edm.DECIMAL if Edm.DECIMAL in found else wider}
    return found.pop() if len(found) == 1 else Edm.STRING


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

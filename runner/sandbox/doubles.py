"""The records of a sandbox, in place of dicts: doubles of processes, and their entities. `rules` has checked them."""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct, field

from runner.catalogue.model import Parameter
from runner.foundation.values import Json, JsonObject
from runner.job.actions.signal import Change

OWN_ENTITIES = frozenset(
    {"SysAdminUnit", "SysProcessElementData", "SysProcessElementLog", "SysProcessLog", "VwProcessLib"}
)
"""Entities that the sandbox keeps itself: no file of a folder may name them."""


class Set(Struct, frozen=True, kw_only=True):
    """Parameters and their new values, worked out in order: a later parameter sees those before it."""

    values: Mapping[str, Json]


class Insert(Struct, frozen=True, kw_only=True):
    entity: str
    values: Mapping[str, Json] = field(default_factory=dict)
    into: str | None = None


class Select(Struct, frozen=True, kw_only=True):
    entity: str
    where: str | None = None
    into: str


class Update(Struct, frozen=True, kw_only=True):
    entity: str
    where: str | None = None
    values: Mapping[str, Json]


class Delete(Struct, frozen=True, kw_only=True):
    entity: str
    where: str | None = None


class Park(Struct, frozen=True, kw_only=True):
    """The process waits here for an element to be executed, or passes it."""

    uid: str | None = None  # of the design, as in the file
    into: str | None = None  # a parameter that gets the element's own id
    caption: str | None = None
    waits: bool = True


class Delay(Struct, frozen=True, kw_only=True):
    seconds: float


class Background(Struct, frozen=True, kw_only=True):
    """The caller is answered here."""


class Fail(Struct, frozen=True, kw_only=True):
    """The process ends in error. `uid` and `caption` are those of the element at which it does."""

    text: str
    uid: str | None = None
    caption: str | None = None


Deed: TypeAlias = Set | Insert | Select | Update | Delete | Park | Delay | Background | Fail


class Activity(Struct, frozen=True, kw_only=True):
    """A deed, done where `condition` is true or absent. `line` is where it begins in its file."""

    deed: Deed
    condition: str | None = None
    line: int


class CallFault(Struct, frozen=True, kw_only=True):
    """Befalls the next `times` calls, or all if that is None. `kind` is of `FAULT_KINDS`, `seconds` its length."""

    kind: str
    times: int | None = None
    seconds: float = 0.0


class ChangedRecord(Struct, frozen=True, kw_only=True):
    """A record after its change; a deleted record, before it."""

    entity: str
    change: Change
    record: JsonObject


class StartsOn(Struct, frozen=True, kw_only=True):
    """A change of a record through OData starts the process."""

    entity: str
    change: Change
    where: str | None = None  # true of the record, if given
    into: str | None = None  # a parameter that takes its Id


class Double(Struct, frozen=True, kw_only=True):
    """The double of a process, or of a version of it."""

    code: str
    caption: str  # in the process log
    file: str
    parameters: Mapping[str, Parameter]
    activities: tuple[Activity, ...]
    faults: tuple[CallFault, ...] = ()
    version: int = 1
    of: str | None = None  # the root that callers name; the active version runs
    active: bool = True
    starts_on: StartsOn | None = None

    @property
    def root(self) -> str:
        """The code that callers name it by."""
        return self.of or self.code


STAMPS = ("CreatedOn", "CreatedById", "ModifiedOn", "ModifiedById")
"""Columns that every entity of a site has, and that the site fills in [C]."""


class Doubles(Struct, frozen=True, kw_only=True):
    """A folder of doubles. `columns`: `Id`, those any file mentions, `STAMPS`; `records`: the first of each entity."""

    processes: Mapping[str, Double] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    records: Mapping[str, tuple[JsonObject, ...]] = field(default_factory=dict)


class LookupPath(Struct, frozen=True):
    """Where a path over a lookup leads: from `column` to the column `shown` of a record of `entity`."""

    column: str
    entity: str
    shown: str


def lookup_paths(columns: Iterable[str], entities: Mapping[str, Collection[str]]) -> dict[str, LookupPath]:
    """The paths over columns that may be lookups: of `AccountId` `Account/Id`, and `Account/Name` if it has records."""
    found: dict[str, LookupPath] = {}
    for column in columns:
        entity = column.removesuffix("Id")
        for shown in dict.fromkeys(("Id", *entities.get(entity, ("Name",)))) if entity not in ("", column) else ():
            found[f"{entity}/{shown}"] = LookupPath(column, entity, shown)
    return found


def flat_lookups(paths: Mapping[str, LookupPath]) -> frozenset[str]:
    """The columns that are lookups where they hold GUIDs, and then are filtered by their paths alone [M]."""
    return frozenset(path.column for path in paths.values() if not path.column.endswith("UId"))

"""The entities of a sandbox: those of its folder, and those of every site.

Of its own a `…Id` column with GUIDs is a lookup, filtered by its path alone [M]: `Owner/Id`, never `OwnerId`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, partial

from runner.foundation.values import Json, JsonObject
from runner.odata.functions import Edm
from runner.odata.match import Bounds
from runner.sandbox import process_log, process_schemas
from runner.sandbox.doubles import Double, LookupPath, flat_lookups, lookup_paths
from runner.sandbox.entity_set import EntitySet, EntityTable, column_type, declared_types, system_entity
from runner.sandbox.sign_in import USERS, User
from runner.sandbox.store import Store


class Entities:
    def __init__(self, store: Store, doubles: Collection[Double]) -> None:
        self._store = store
        self._declared = declared_types(doubles)
        system = (*process_log.entity_sets(store), process_schemas.entity_set(doubles), _users())
        self._system = {entity_set.name: entity_set for entity_set in system}

    def names(self) -> list[str]:
        return sorted({*self._store.entities, *self._system})

    def find(self, name: str) -> EntitySet | None:
        return self._system.get(name) or (self._own(name) if name in self._store.entities else None)

    def all(self) -> list[EntitySet]:
        return [found for found in map(self.find, self.names()) if found is not None]

    def _own(self, name: str) -> EntitySet:
        columns = self._store.columns(name)
        paths = lookup_paths(columns, {other: self._store.columns(other) for other in self._store.entities})
        records = cache(partial(self._store.records, name))

        def kind(column: str) -> Edm | None:
            return column_type(column, records(), self._declared.get((name, column), ()))

        def rows(_: Bounds, named: Iterable[str]) -> Iterator[JsonObject]:
            wanted = {key: paths[key] for key in named if key in paths}
            entities = {path.entity for path in wanted.values() if path.shown != "Id"}
            others = {entity: self._by_id(entity) for entity in entities}
            for row in records():
                yield row | {key: _at(path, row, others) for key, path in wanted.items()}

        flat = flat_lookups(paths)
        known = (*columns, *paths)
        return EntitySet(name=name, columns=columns, type_of=kind, paths=known, rows=rows, lookups=flat, is_own=True)

    def _by_id(self, entity: str) -> Mapping[Json, JsonObject]:
        """The records of an entity, or of all where nothing has its name; and users, who have created records."""
        names = [entity] if entity in self._store.entities else self._store.entities
        users: dict[Json, JsonObject] = {user.contact_id: {"Id": user.contact_id, "Name": user.name} for user in USERS}
        return users | {row["Id"]: row for name in names for row in self._store.records(name)}


def _at(path: LookupPath, row: JsonObject, others: Mapping[str, Mapping[Json, JsonObject]]) -> Json:
    key = row[path.column]
    return key if path.shown == "Id" else others[path.entity].get(key, {}).get(path.shown)


def _users() -> EntitySet:
    """SysAdminUnit, with the contacts of users."""
    columns: EntityTable[User] = {
        "Id": (Edm.GUID, lambda user: user.id),
        "Name": (Edm.STRING, lambda user: user.name),
        "ContactId": (Edm.GUID, lambda user: user.contact_id),
    }
    return system_entity("SysAdminUnit", columns, lambda _: USERS, lookups=("Contact",))

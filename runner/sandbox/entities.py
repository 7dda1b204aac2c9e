"""The entities of a sandbox: those that its folder mentions, and those that every site has.

Of the folder's own entities any `…Id` column may be a lookup or none, so both `OwnerId` and `Owner/Id` are known.
"""

from collections.abc import Collection

from runner.foundation.values import JsonObject
from runner.odata.match import Bounds
from runner.sandbox import process_log, process_schemas
from runner.sandbox.doubles import Double, lookups
from runner.sandbox.entity_set import Edm, EntitySet, EntityTable, declared_types, system_entity, type_of
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
        paths = lookups(columns)

        def types() -> dict[str, Edm]:
            records = self._store.records(name)
            held = {
                column: type_of((row[column] for row in records), self._declared.get((name, column), ()))
                for column in columns
            }
            return held | {"Id": Edm.GUID}

        def rows(_: Bounds) -> list[JsonObject]:
            return [row | {path: row[column] for path, column in paths.items()} for row in self._store.records(name)]

        return EntitySet(name=name, columns=columns, types=types, paths=(*columns, *paths), rows=rows)


def _users() -> EntitySet:
    """SysAdminUnit, as far as it shows whose contact a user is."""
    columns: EntityTable[User] = {
        "Id": (Edm.GUID, lambda user: user.id),
        "Name": (Edm.STRING, lambda user: user.name),
        "ContactId": (Edm.GUID, lambda user: user.contact_id),
    }
    return system_entity("SysAdminUnit", columns, lambda _: USERS, lookups=("Contact",))

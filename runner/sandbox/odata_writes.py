"""OData writes: records inserted by POST, updated by PATCH, deleted by DELETE (`service/README.md`, OData).

A new record answers 201 and is shown; the Id that a client gives is kept, else one is made. The others answer 204, an
unknown key 404. Choices [?]: an Id that is there already answers 409; a body that is no record, a column that no file
mentions, or a value that is no scalar 400; the sandbox's own entities 405.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from runner.foundation.guids import is_guid
from runner.foundation.values import Json, JsonObject
from runner.sandbox.doubles import Change
from runner.sandbox.entities import Entities
from runner.sandbox.odata import ADDRESS, context_of, odata_error, odata_reply, payload, refuse
from runner.sandbox.replies import nothing, plain_json, record_or_none
from runner.sandbox.store import Store

CHANGES: Mapping[str, Change] = {"POST": Change.INSERT, "PATCH": Change.UPDATE, "DELETE": Change.DELETE}
"""What a method does to a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A record after its change; one that was deleted, before it."""

    entity: str
    change: Change
    record: JsonObject


class ODataWrites:
    """`new_id` makes a GUID. What a write starts is its caller's business."""

    def __init__(self, store: Store, entities: Entities, *, new_id: Callable[[], str]) -> None:
        self._store = store
        self._entities = entities
        self._new_id = new_id

    def write(
        self, change: Change, address: tuple[str, ...], body: bytes, *, root: str
    ) -> tuple[Response, Changed | None]:
        """The answer, and what was changed, None where nothing was."""
        found = ADDRESS.fullmatch(address[0]) if len(address) == 1 else None
        if found is None:
            return refuse(), None
        entity = found[1]
        if self._entities.find(entity) is None:
            uri = root + "/".join(address)
            return plain_json({"Message": f"No HTTP resource was found that matches the request URI '{uri}'."}), None
        if entity not in self._store.entities:
            return odata_error(405, f"{entity} is kept by the sandbox itself.", headers={"Allow": "GET"}), None
        if (found[2] is None) is not (change is Change.INSERT):
            return nothing(404), None
        if change is Change.INSERT:
            return self._insert(entity, body, root=root)
        return self._on_record(change, entity, str(found[2]).lower(), body)

    def _insert(self, entity: str, body: bytes, *, root: str) -> tuple[Response, Changed | None]:
        values = record_or_none(body)
        if (wrong := self._wrong(entity, values)) is not None or values is None:
            return wrong or nothing(400), None
        key = values.get("Id") or self._new_id()
        if not isinstance(key, str) or not is_guid(key):
            return odata_error(400, "The Id of a record is a GUID."), None
        record: JsonObject = {"Id": key.lower()} | values | {"Id": key.lower()}
        if not self._store.insert(entity, record):
            return odata_error(409, f"{entity} holds a record with the key '{key}' already."), None
        row = self._row(entity, key.lower())
        found = self._entities.find(entity)
        assert found is not None
        assert row is not None
        shown = {"@odata.context": f"{context_of(found, None, root)}/$entity", **payload(row, found.columns)}
        return odata_reply(shown, status=201), Changed(entity=entity, change=Change.INSERT, record=row)

    def _on_record(self, change: Change, entity: str, key: str, body: bytes) -> tuple[Response, Changed | None]:
        row = self._row(entity, key)
        if row is None:
            return odata_error(404, f"{entity} holds no record with the key '{key}'."), None
        if change is Change.DELETE:
            self._store.delete(entity, key)
            return nothing(204), Changed(entity=entity, change=change, record=row)
        values = record_or_none(body)
        if (wrong := self._wrong(entity, values)) is not None or values is None:
            return wrong or nothing(400), None
        record = row | values | {"Id": key}
        self._store.replace(entity, record)
        return nothing(204), Changed(entity=entity, change=change, record=record)

    def _wrong(self, entity: str, values: JsonObject | None) -> Response | None:
        if values is None:
            return odata_error(400, "The body of the request is no record.")
        columns = self._store.columns(entity)
        unknown = next((name for name in values if name not in columns), None)
        if unknown is not None:
            return odata_error(400, f"The property '{unknown}' does not exist on {entity}.")
        if any(isinstance(value, list | dict) for value in values.values()):
            return odata_error(400, "A column holds a text, a number, a boolean or null.")
        return None

    def _row(self, entity: str, key: Json) -> JsonObject | None:
        return next((row for row in self._store.records(entity) if row["Id"] == key), None)

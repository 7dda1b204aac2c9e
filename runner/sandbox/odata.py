"""OData of the sandbox's entities (`service/README.md`, OData): GET reads, POST inserts, PATCH updates, DELETE deletes.

An unknown entity answers 200 with a `Message` [M], an unknown key 404; options on a read by key are ignored [C]. A new
record answers 201 and is shown, with the client's Id if any; other writes answer 204. An empty column has its type's
empty value [D]. Choices [?]: a wrong option or body answers 400 in OData's shape, a known Id 409, a write to an entity
of the sandbox and other methods 405. `@odata.nextLink` leads to the next page by `$skip` and `$top`.

Some clients read `$metadata` by regular expressions: the prefix is `edmx`, `Schema` has none, `Name` is the first
attribute [C]. A lookup leads to an entity in the sandbox, too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from starlette.responses import Response

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, JsonObject, compact, is_guid, well_formed, write_json
from runner.job.actions.signal import Change
from runner.odata.functions import Edm
from runner.odata.match import Bounds, bounds
from runner.sandbox.doubles import ChangedRecord
from runner.sandbox.entities import Entities
from runner.sandbox.entity_set import EMPTY, EntitySet, fits
from runner.sandbox.odata_options import OptionError, Options, matching, page, read_options, selected
from runner.sandbox.replies import nothing, plain_json, record_or_none
from runner.sandbox.store import Store

PAGE_SIZE = 20_000  # as many as a site gives at most, where nobody has set another limit [?]
CHANGES: Mapping[str, Change] = {
    "POST": Change.INSERT,
    "PATCH": Change.UPDATE,
    "DELETE": Change.DELETE,
}
"""What a method does to a record."""
_ADDRESS = lazy_pattern(r"(\w+)(?:\((?:Id=)?'?([0-9A-Fa-f-]{36})'?\))?")
_SHOWN = 50
_METHODS = "records are read by GET, inserted by POST, updated by PATCH and deleted by DELETE"


class OData:
    """`new_id` makes a GUID. `address` is the path after `odata` in parts, `root` the service's, with a slash."""

    def __init__(self, store: Store, entities: Entities, *, new_id: Callable[[], str], page_size: int) -> None:
        self._store = store
        self._entities = entities
        self._new_id = new_id
        self._page_size = page_size

    def read(self, address: tuple[str, ...], query: Mapping[str, str], *, root: str) -> Response:
        match address:
            case () | ("",):
                value: list[Json] = [
                    {"name": name, "kind": "EntitySet", "url": name} for name in self._entities.names()
                ]
                return _reply({"@odata.context": f"{root}$metadata", "value": value})
            case ("$metadata",):
                return Response(metadata(self._entities.all()), media_type="application/xml; charset=utf-8")
        found = _ADDRESS.fullmatch(address[0])
        entities = self._entities.find(found[1]) if found else None
        if found is None or entities is None:
            return _no_resource(root, address)
        try:
            if found[2] is not None:
                select = selected(query.get("$select", ""), entities.columns)
                return _record(entities, found[2].lower(), address[1:], select=select, root=root)
            options = read_options(query, entities)
        except OptionError as error:
            return _error(400, f"The query specified in the URI is not valid. {error}")
        matches = matching(options, entities.rows(bounds(options.filter), options.paths))
        if address[1:] == ("$count",):
            return Response(str(len(matches)), media_type="text/plain")
        return nothing(404) if address[1:] else self._page(entities, options, matches, query=query, root=root)

    def _page(
        self, entities: EntitySet, options: Options, matches: list[JsonObject], *, query: Mapping[str, str], root: str
    ) -> Response:
        reply: JsonObject = {"@odata.context": _context(entities, options.select, root)}
        if options.count:
            reply["@odata.count"] = len(matches)
        rows = page(options, matches)
        reply["value"] = [*_payloads(entities, rows[: self._page_size], options.select or entities.columns)]
        if len(rows) > self._page_size:
            reply["@odata.nextLink"] = f"{root}{entities.name}?{_next(query, options, self._page_size)}"
        return _reply(reply)

    def write(
        self, change: Change, address: tuple[str, ...], body: bytes, *, root: str
    ) -> tuple[Response, ChangedRecord | None]:
        """The answer, and what was changed, None where nothing was. What that starts is the caller's business."""
        found = _ADDRESS.fullmatch(address[0]) if len(address) == 1 else None
        if found is None:
            return refuse(), None
        entities, key = self._entities.find(found[1]), found[2]
        if entities is None:
            return _no_resource(root, address), None
        if entities.name not in self._store.entities:
            return _error(405, f"{entities.name} belongs to the sandbox itself.", headers={"Allow": "GET"}), None
        if (key is None) is not (change is Change.INSERT):
            return nothing(404), None
        values = {} if change is Change.DELETE else record_or_none(body)
        if values is not None:  # names with `@` control how a body is read, as `@odata.type` does
            values = {name: value for name, value in values.items() if "@odata.type" not in name}
        before = None if key is None else self._row(entities.name, key.lower())
        if key is not None and before is None:
            return _error(404, f"{entities.name} holds no record with the key '{key.lower()}'."), None
        if values is None:
            return _error(400, "The body of the request is no record."), None
        if (wrong := _mistake(entities, values)) is not None:
            return _error(400, wrong), None
        if before is None:
            return self._insert(entities, values, root=root)
        return nothing(204), self._change(change, entities.name, before, values)

    def _insert(self, entities: EntitySet, values: JsonObject, *, root: str) -> tuple[Response, ChangedRecord | None]:
        key = values.get("Id") or self._new_id()
        if not isinstance(key, str) or not is_guid(key):
            return _error(400, "The Id of a record is a GUID."), None
        if not self._store.insert(entities.name, {"Id": key.lower()} | values | {"Id": key.lower()}):
            return _error(409, f"{entities.name} holds a record with the key '{key}' already."), None
        row = self._row(entities.name, key.lower())
        assert row is not None
        shown = {"@odata.context": f"{_context(entities, None, root)}/$entity", **_payload(entities, row)}
        response = _reply(shown, status=201)
        response.headers["Location"] = f"{root}{entities.name}({row['Id']})"
        return response, ChangedRecord(entity=entities.name, change=Change.INSERT, record=row)

    def _change(self, change: Change, entity: str, before: JsonObject, values: JsonObject) -> ChangedRecord:
        record = before | values | {"Id": before["Id"]}
        if change is Change.DELETE:
            self._store.delete(entity, before["Id"])
        else:
            self._store.replace(entity, record)
        return ChangedRecord(entity=entity, change=change, record=record)

    def _row(self, entity: str, key: Json) -> JsonObject | None:
        return next((row for row in self._store.records(entity) if row["Id"] == key), None)


def _mistake(entities: EntitySet, values: JsonObject) -> str | None:
    for name, value in values.items():
        if name not in entities.columns:
            return f"The property '{name}' does not exist on {entities.name}."
        if isinstance(value, list | dict):
            return "A column holds a text, a number, a boolean or null."
        if not fits(value, kind := entities.type_of(name)):
            return f"Cannot convert the value {compact(value)[:_SHOWN]} of '{name}' to the expected type '{kind}'."
    return None


def refuse() -> Response:
    """Answer any other method, and a write to what is no entity."""
    return _error(405, _METHODS, headers={"Allow": "GET, POST, PATCH, DELETE"})


def _record(
    entities: EntitySet, key: str, rest: tuple[str, ...], *, select: tuple[str, ...] | None, root: str
) -> Response:
    row = next((row for row in entities.rows(Bounds(equal={"Id": key}), ()) if row["Id"] == key), None)
    if row is None:
        return _error(404, f"{entities.name} holds no record with the key '{key}'.")
    context = _context(entities, select, root)
    match rest:
        case ():
            return _reply({"@odata.context": f"{context}/$entity", **_payload(entities, row, select)})
        case (column,) if column in entities.columns:
            return _reply({"@odata.context": f"{context}({key})/{column}", "value": _payload(entities, row)[column]})
        case (column, "$value") if column in entities.columns and row[column] is None:
            return nothing(204)
        case (column, "$value") if column in entities.columns:
            value = row[column]
            shown = well_formed(value) if isinstance(value, str) else write_json(value)
            return Response(shown, media_type="text/plain")
        case _:
            return nothing(404)


def _next(query: Mapping[str, str], options: Options, passed: int) -> str:
    """The query of the page after `passed` records: the same, with other numbers."""
    numbers = {"$skip": options.skip + passed} | ({} if options.top is None else {"$top": options.top - passed})
    texts = {name: text for name, text in query.items() if name not in {"$skip", "$top"}}
    return "&".join(
        f"{quote(name, safe='$')}={quote(str(value), safe='')}" for name, value in (texts | numbers).items()
    )


def _context(entities: EntitySet, select: tuple[str, ...] | None, root: str) -> str:
    columns = f"({','.join(select)})" if select else ""
    return f"{root}$metadata#{entities.name}{columns}"


def _payload(entities: EntitySet, row: JsonObject, select: Iterable[str] | None = None) -> JsonObject:
    return next(iter(_payloads(entities, [row], select or entities.columns)))


def _payloads(entities: EntitySet, rows: Sequence[JsonObject], columns: Iterable[str]) -> Iterator[JsonObject]:
    """What is shown of the rows."""
    bare = [column for column in columns if any(row[column] is None for row in rows)] if entities.is_own else []
    empty = {column: EMPTY.get(entities.type_of(column)) for column in bare}
    for row in rows:
        yield {column: empty.get(column) if row[column] is None else row[column] for column in columns}


def _no_resource(root: str, address: tuple[str, ...]) -> Response:
    uri = root + "/".join(address)
    return plain_json({"Message": f"No HTTP resource was found that matches the request URI '{uri}'."})


def _reply(value: JsonObject, *, status: int = 200) -> Response:
    media_type = "application/json; odata.metadata=minimal; charset=utf-8"
    return Response(write_json(value), status_code=status, headers={"OData-Version": "4.0"}, media_type=media_type)


def _error(status: int, message: str, *, headers: Mapping[str, str] | None = None) -> Response:
    return plain_json({"error": {"code": "", "message": message}}, status=status, headers=headers)


_NAMESPACE = "Terrasoft.Configuration.OData"
_LOOKUPS = {"SysProcess": "SysProcessLog"}  # lookups that are not called as their entity is


def metadata(entity_sets: Iterable[EntitySet]) -> str:
    """Names of entities and columns are plain words, so nothing in them needs an escape."""
    known = {entity_set.name: entity_set for entity_set in entity_sets}
    return "".join(_metadata_lines(known))


def _metadata_lines(known: Mapping[str, EntitySet]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
    yield f'<Schema Namespace="{_NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
    for entity_set in known.values():
        yield from _entity_type(entity_set, known)
    yield '<EntityContainer Name="Container">'
    for name in known:
        yield f'<EntitySet Name="{name}" EntityType="{_NAMESPACE}.{name}"/>'
    yield "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"


def _entity_type(entity_set: EntitySet, known: Mapping[str, EntitySet]) -> Iterator[str]:
    yield f'<EntityType Name="{entity_set.name}"><Key><PropertyRef Name="Id"/></Key>'
    for column in entity_set.columns:
        kind = entity_set.type_of(column) or Edm.STRING
        may_be_null = ' Nullable="false"' if column == "Id" else ""
        yield f'<Property Name="{column}" Type="{kind}"{may_be_null}/>'
    for column in entity_set.columns:
        lookup = column.removesuffix("Id")
        entity = _LOOKUPS.get(lookup, lookup)
        if lookup not in {"", column} and entity in known:
            yield f'<NavigationProperty Name="{lookup}" Type="{_NAMESPACE}.{entity}"/>'
    yield "</EntityType>"

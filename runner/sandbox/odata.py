"""OData reads of the sandbox's entities and of SysProcessLog (SERVICE.md sections 6 and 10).

An unknown entity answers 200 with a `Message` [M], an unknown key 404, options on a read by key are ignored [C].
An option that cannot be read, or names a column that no file mentions, answers 400 in OData's own shape [?].
Nothing can be written. The entities of a double are its own: any of their `…Id` columns may be a lookup or none.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from runner.sandbox import process_log
from runner.sandbox.json_text import write_json
from runner.sandbox.odata_match import Bounds, bounds
from runner.sandbox.odata_options import OptionError, Options, matching, page, read_options, selected
from runner.sandbox.replies import nothing, plain_json
from runner.sandbox.store import Store
from runner.values import Json, JsonObject, well_formed

_ADDRESS = re.compile(r"(\w+)(?:\((?:Id=)?'?([0-9A-Fa-f-]{36})'?\))?")
_LOG = "SysProcessLog"


@dataclass(frozen=True, slots=True, kw_only=True)
class _EntitySet:
    """`columns` are those of the payload, in order; rows are keyed by `paths`, which filters name, and by columns."""

    name: str
    columns: tuple[str, ...]
    paths: tuple[str, ...]
    rows: Callable[[Bounds], Iterable[JsonObject]]


class OData:
    """`root` in its calls is the address of the service itself, with a slash at its end."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, address: tuple[str, ...], query: Mapping[str, str], *, root: str) -> Response:
        """Answer a GET of `address`, the parts of the path behind `odata`."""
        if not address:
            return self._listed(root)
        found = _ADDRESS.fullmatch(address[0])
        entities = self._entities(found[1]) if found else None
        if found is None or entities is None:
            uri = root + "/".join(address)
            return plain_json({"Message": f"No HTTP resource was found that matches the request URI '{uri}'."})
        try:
            if found[2] is not None:
                select = selected(query.get("$select", ""), entities.columns)
                return _one(entities, found[2].lower(), address[1:], select=select, root=root)
            options = read_options(query, columns=entities.columns, paths=entities.paths)
            return _many(entities, options, address[1:], root=root)
        except OptionError as error:
            return _error(400, f"The query specified in the URI is not valid. {error}")

    def _entities(self, name: str) -> _EntitySet | None:
        if name == _LOG:
            return _EntitySet(
                name=name,
                columns=process_log.PLAIN_COLUMNS + process_log.LOOKUP_COLUMNS,
                paths=process_log.PLAIN_COLUMNS + process_log.PATHS,
                rows=lambda within: process_log.rows(self._store, within),
            )
        if name not in self._store.entities:
            return None
        columns = self._store.columns(name)
        lookups = {f"{column[:-2]}/Id": column for column in columns if column.endswith("Id") and column != "Id"}
        return _EntitySet(
            name=name,
            columns=columns,
            paths=(*columns, *lookups),
            rows=lambda _: [
                row | {path: row[column] for path, column in lookups.items()} for row in self._store.records(name)
            ],
        )

    def _listed(self, root: str) -> Response:
        names = sorted({*self._store.entities, _LOG})
        value: list[Json] = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
        return _reply({"@odata.context": f"{root}$metadata", "value": value})


def _many(entities: _EntitySet, options: Options, rest: tuple[str, ...], *, root: str) -> Response:
    found = matching(options, entities.rows(bounds(options.filter)))
    if rest == ("$count",):
        return Response(str(len(found)), media_type="text/plain")
    if rest:
        return nothing(404)
    columns = options.select or entities.columns
    reply: JsonObject = {"@odata.context": _context(entities, options.select, root)}
    if options.count:
        reply["@odata.count"] = len(found)
    reply["value"] = [_payload(row, columns) for row in page(options, found)]
    return _reply(reply)


def _one(
    entities: _EntitySet, key: str, rest: tuple[str, ...], *, select: tuple[str, ...] | None, root: str
) -> Response:
    row = next((row for row in entities.rows(Bounds(equal={"Id": key})) if row["Id"] == key), None)
    if row is None:
        return _error(404, f"{entities.name} holds no record with the key '{key}'.")
    context = _context(entities, select, root)
    match rest:
        case ():
            return _reply({"@odata.context": f"{context}/$entity", **_payload(row, select or entities.columns)})
        case (column,) if column in entities.columns:
            return _reply({"@odata.context": f"{context}({key})/{column}", "value": row[column]})
        case (column, "$value") if column in entities.columns:
            return _bare(row[column])
        case _:
            return nothing(404)


def _context(entities: _EntitySet, select: tuple[str, ...] | None, root: str) -> str:
    columns = f"({','.join(select)})" if select else ""
    return f"{root}$metadata#{entities.name}{columns}"


def _payload(row: JsonObject, columns: Iterable[str]) -> JsonObject:
    return {column: row[column] for column in columns}


def _bare(value: Json) -> Response:
    if value is None:
        return nothing(204)
    return Response(well_formed(value) if isinstance(value, str) else write_json(value), media_type="text/plain")


def _reply(value: JsonObject) -> Response:
    headers = {"OData-Version": "4.0"}
    return Response(
        write_json(value), headers=headers, media_type="application/json; odata.metadata=minimal; charset=utf-8"
    )


def _error(status: int, message: str) -> Response:
    return plain_json({"error": {"code": "", "message": message}}, status=status)

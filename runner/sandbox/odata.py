"""OData reads of the sandbox's entities (`service/README.md`, Process log and OData).

An unknown entity answers 200 with a `Message` [M], an unknown key 404, options on a read by key are ignored [C].
An option that cannot be read, or names a column that no file mentions, answers 400 in OData's own shape [?].
A page holds so many records; where there are more, `@odata.nextLink` leads on, in `$skip` and `$top` [?].
Writes are the business of `odata_writes`; any other method answers 405 in OData's shape, too [?].
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from starlette.responses import Response

from runner.foundation.json_text import write_json
from runner.foundation.values import Json, JsonObject, well_formed
from runner.odata.match import Bounds, bounds
from runner.sandbox.entities import Entities
from runner.sandbox.entity_set import EntitySet
from runner.sandbox.metadata import document
from runner.sandbox.odata_options import OptionError, Options, matching, page, read_options, selected
from runner.sandbox.replies import nothing, plain_json

PAGE_SIZE = 20_000
"""As many as a site gives at most, where nobody has set another limit [?]."""
ADDRESS = re.compile(r"(\w+)(?:\((?:Id=)?'?([0-9A-Fa-f-]{36})'?\))?")


_METHODS = "records are read by GET, inserted by POST, updated by PATCH and deleted by DELETE"


class OData:
    """`root` in its calls is the address of the service itself, with a slash at its end."""

    def __init__(self, entities: Entities, *, page_size: int) -> None:
        self._entities = entities
        self._page_size = page_size

    def read(self, address: tuple[str, ...], query: Mapping[str, str], *, root: str) -> Response:
        """Answer a GET of `address`, the parts of the path behind `odata`."""
        match address:
            case () | ("",):
                return self._listed(root)
            case ("$metadata",):
                return Response(document(self._entities.all()), media_type="application/xml; charset=utf-8")
            case first, *rest:
                return self._read_of(first, tuple(rest), query, root=root)
            case _:
                return nothing(404)

    def _read_of(self, first: str, rest: tuple[str, ...], query: Mapping[str, str], *, root: str) -> Response:
        found = ADDRESS.fullmatch(first)
        entities = self._entities.find(found[1]) if found else None
        if found is None or entities is None:
            uri = root + "/".join((first, *rest))
            return plain_json({"Message": f"No HTTP resource was found that matches the request URI '{uri}'."})
        try:
            if found[2] is not None:
                select = selected(query.get("$select", ""), entities.columns)
                return _one(entities, found[2].lower(), rest, select=select, root=root)
            options = read_options(query, columns=entities.columns, paths=entities.paths)
            return self._many(entities, options, rest, query=query, root=root)
        except OptionError as error:
            return odata_error(400, f"The query specified in the URI is not valid. {error}")

    def _listed(self, root: str) -> Response:
        value: list[Json] = [{"name": name, "kind": "EntitySet", "url": name} for name in self._entities.names()]
        return odata_reply({"@odata.context": f"{root}$metadata", "value": value})

    def _many(
        self, entities: EntitySet, options: Options, rest: tuple[str, ...], *, query: Mapping[str, str], root: str
    ) -> Response:
        found = matching(options, entities.rows(bounds(options.filter)))
        if rest == ("$count",):
            return Response(str(len(found)), media_type="text/plain")
        if rest:
            return nothing(404)
        columns = options.select or entities.columns
        reply: JsonObject = {"@odata.context": context_of(entities, options.select, root)}
        if options.count:
            reply["@odata.count"] = len(found)
        rows = page(options, found)
        reply["value"] = [payload(row, columns) for row in rows[: self._page_size]]
        if len(rows) > self._page_size:
            reply["@odata.nextLink"] = f"{root}{entities.name}?{_next(query, options, self._page_size)}"
        return odata_reply(reply)


def refuse() -> Response:
    """Answer any other method, and a write to what is no entity."""
    return odata_error(405, _METHODS, headers={"Allow": "GET, POST, PATCH, DELETE"})


def _next(query: Mapping[str, str], options: Options, passed: int) -> str:
    """The query of the page behind one with `passed` records: the same, with other numbers."""
    numbers = {"$skip": options.skip + passed} | ({} if options.top is None else {"$top": options.top - passed})
    texts = {name: text for name, text in query.items() if name not in {"$skip", "$top"}}
    return "&".join(
        f"{quote(name, safe='$')}={quote(str(value), safe='')}" for name, value in (texts | numbers).items()
    )


def _one(
    entities: EntitySet, key: str, rest: tuple[str, ...], *, select: tuple[str, ...] | None, root: str
) -> Response:
    row = next((row for row in entities.rows(Bounds(equal={"Id": key})) if row["Id"] == key), None)
    if row is None:
        return odata_error(404, f"{entities.name} holds no record with the key '{key}'.")
    context = context_of(entities, select, root)
    match rest:
        case ():
            return odata_reply({"@odata.context": f"{context}/$entity", **payload(row, select or entities.columns)})
        case (column,) if column in entities.columns:
            return odata_reply({"@odata.context": f"{context}({key})/{column}", "value": row[column]})
        case (column, "$value") if column in entities.columns:
            return _bare(row[column])
        case _:
            return nothing(404)


def context_of(entities: EntitySet, select: tuple[str, ...] | None, root: str) -> str:
    columns = f"({','.join(select)})" if select else ""
    return f"{root}$metadata#{entities.name}{columns}"


def payload(row: JsonObject, columns: Iterable[str]) -> JsonObject:
    return {column: row[column] for column in columns}


def _bare(value: Json) -> Response:
    if value is None:
        return nothing(204)
    return Response(well_formed(value) if isinstance(value, str) else write_json(value), media_type="text/plain")


def odata_reply(value: JsonObject, *, status: int = 200) -> Response:
    headers = {"OData-Version": "4.0"}
    return Response(
        write_json(value),
        status_code=status,
        headers=headers,
        media_type="application/json; odata.metadata=minimal; charset=utf-8",
    )


def odata_error(status: int, message: str, *, headers: Mapping[str, str] | None = None) -> Response:
    return plain_json({"error": {"code": "", "message": message}}, status=status, headers=headers)

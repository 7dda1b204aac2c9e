"""The process log and what is read beside it: queries of OData, and the values in their answers, by code or id."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

from msgspec import Struct

from runner.foundation.values import Json, JsonObject, canonical, guid
from runner.runs.process_status import BY_NUMBER, PROCESS_STATUSES
from runner.service import calls, odata
from runner.service.bodies import NonsenseError

_STATUSES: Final = {status.id: status.word for status in PROCESS_STATUSES.values() if status.id is not None}
_MOST_ELEMENTS: Final = 100  # an element that waits is among the newest; a process with loops has thousands


class TableReading(Struct, frozen=True, kw_only=True):
    """What a call reads below `odata/`; `most` records are enough."""

    entity: str
    options: Mapping[str, str]
    most: int
    value: Callable[[Sequence[JsonObject]], Json]


def reading(call: calls.TableCall, *, username: str | None = None) -> TableReading:
    """`username` is the name we sign in with; only `WhoIsUser` asks for it."""
    match call:
        case calls.ReadRows(top=top):
            options = {"$filter": _process_filter(call), "$orderby": "StartDate desc", "$top": str(top)}
            return _log_reading(_ROWS if call.reasons else _ROWS_BEFORE, options, most=top, of=_of_schemas(call))
        case calls.ReadRow(process_id=process_id):
            # By a filter, not by key: a key that is missing answers 404, as does a site without OData.
            options = {"$filter": f"Id eq {process_id}", "$top": "1"}
            return _log_reading(_ROWS, options, most=1, single=True, of=("Id", {guid(process_id)}))
        case calls.ReadElements(process_id=process_id):
            # Lookups are filtered by a path [M]. That its rows have a StartDate, as those of processes do, is [?].
            options = {"$filter": f"SysProcess/Id eq {process_id}", "$orderby": "StartDate desc"}
            options |= {"$top": str(_MOST_ELEMENTS)}
            return _log_reading(_ELEMENTS, options, most=_MOST_ELEMENTS, of=("SysProcessId", {guid(process_id)}))
        case calls.ReadElementData(process_id=process_id):
            options = {"$filter": f"SysProcess/Id eq {process_id}", "$top": str(_MOST_ELEMENTS)}
            return _log_reading(_ELEMENT_DATA, options, most=_MOST_ELEMENTS, of=("SysProcessId", {guid(process_id)}))
        case calls.WhoIsUser():
            options = {"$filter": f"Name eq {odata.literal(username or '')}", "$select": "Id,Name,ContactId"}
            return TableReading(entity="SysAdminUnit", options=options, most=calls.MOST_ROWS, value=_contact)
        case _:
            return _library_reading(call)


def _library_reading(call: calls.TableCall) -> TableReading:
    """What a call reads of the processes that a site has."""
    match call:
        case calls.FindHiddenFamily(process=process):
            options = {"$filter": f"Name eq {odata.literal(process)}", "$select": "UId"}
            return TableReading(entity="SysSchema", options=options, most=calls.MOST_ROWS, value=_root)
        case calls.FindProcess(process=process) | calls.FindFamily(process=process):
            found = _schema_id if isinstance(call, calls.FindProcess) else _root
            options = {"$filter": f"Name eq {odata.literal(process)}"}
            of_code = partial(_of_code, process, found)
            return TableReading(entity=_LIBRARY, options=options, most=calls.MOST_ROWS, value=of_code)
        case calls.ReadFamily(root=root):
            # A root's own parent is empty, or itself [C]. No `$select`: a library may lack a column that others have.
            options = {"$filter": f"VersionParentUId eq {root} or UId eq {root}", "$orderby": "Name"}
            return TableReading(entity=_LIBRARY, options=options, most=calls.MOST_ROWS, value=partial(_members, root))
        case _:
            raise TypeError(f"nothing says what {call} reads")


def value(call: calls.TableCall, records: Sequence[JsonObject]) -> Json:
    return reading(call).value(records)


def contact(answer: Json) -> str | None:
    """Our own contact, in an answer to `WhoAmI`."""
    return guid(answer.get("contactId")) if isinstance(answer, dict) else None


def text(found: Json) -> str | None:
    return found if isinstance(found, str) and found else None


def _moment(found: Json) -> str | None:
    """A moment as the server writes it; the first day of all times means none [?]."""
    written = text(found)
    return None if written is None or written.startswith("0001-01-01") else written


def _status(found: Json) -> str | None:
    status = guid(found)
    return None if status is None else _STATUSES.get(status, status)


def _number(found: Json) -> str | None:
    """The word for a counted status, or its number.

    That SysProcessElementData counts as RunProcess does, whose numbers are [M], is a choice [?].
    """
    known = BY_NUMBER.get(found) if isinstance(found, int) and not isinstance(found, bool) else None
    return known or (None if found is None else str(found))


def _flag(found: Json) -> bool | None:
    return found if isinstance(found, bool) else None


def _count(found: Json) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) else None


_Columns: TypeAlias = Mapping[str, tuple[str, Callable[[Json], Json]]]
"""What an answer calls a column, the column, and how its value is read."""
_LIBRARY: Final = "VwProcessLib"
_ROWS: Final[tuple[str, _Columns]] = (
    "SysProcessLog",
    {
        "id": ("Id", guid),
        "name": ("Name", text),
        "started": ("StartDate", _moment),
        "completed": ("CompleteDate", _moment),
        "status": ("StatusId", _status),
        "owner": ("OwnerId", guid),
        "parent": ("ParentId", guid),
        "error": ("ErrorDescription", text),
    },
)
_ROWS_BEFORE: Final = (_ROWS[0], {key: column for key, column in _ROWS[1].items() if key != "error"})
_ELEMENTS: Final[tuple[str, _Columns]] = (
    "SysProcessElementLog",
    {
        "id": ("Id", guid),
        "uid": ("SchemaElementUId", guid),
        "kind": ("Type", text),
        "caption": ("Caption", text),
        "status": ("StatusId", _status),
        "error": ("ErrorDescription", text),
    },
)
_ELEMENT_DATA: Final[tuple[str, _Columns]] = (
    "SysProcessElementData",
    {"id": ("Id", guid), "uid": ("SchemaElementUId", guid), "status": ("Status", _number)},
)
_MEMBER: Final[_Columns] = {
    "code": ("Name", text),
    "uid": ("UId", guid),
    "schema_id": ("SysSchemaId", guid),
    "version": ("Version", _count),
    "active": ("IsActiveVersion", _flag),
    "enabled": ("Enabled", _flag),
    "traced": ("IsProcessTracing", _flag),
}


_Owner: TypeAlias = tuple[str, Collection[str | None]]
"""The column that says what a record belongs to, and the ids in it that were asked for."""


def _of_schemas(call: calls.ReadRows) -> _Owner | None:
    return ("SysSchemaId", {guid(schema_id) for schema_id in call.schema_ids}) if call.schema_ids else None


def _check_asked_for(entity: str, records: Sequence[JsonObject], of: _Owner) -> None:
    """A record of another process would decide about ours: a gateway may leave out what it does not know."""
    column, wanted = of
    if any((found := guid(record.get(column))) is not None and found not in wanted for record in records):
        raise _not_asked_for(entity)


def _not_asked_for(entity: str) -> NonsenseError:
    return NonsenseError(f"it holds records of {entity} that were not asked for: `$filter` did not reach the site")


def _log_reading(
    table: tuple[str, _Columns],
    options: Mapping[str, str],
    *,
    most: int,
    single: bool = False,
    of: _Owner | None,
) -> TableReading:
    entity, columns = table

    def value(records: Sequence[JsonObject]) -> Json:
        if of is not None:
            _check_asked_for(entity, records, of)
        rows: list[Json] = [_shaped(record, columns) for record in records]
        if entity == _ROWS[0] and not all(isinstance(row, dict) and row["id"] for row in rows):
            raise NonsenseError(f"a record of {entity} in it has no `Id`")
        return next(iter(rows), None) if single else rows if entity == _ROWS[0] else _once(rows)

    own = () if of is None else (of[0],)
    select = ",".join(dict.fromkeys([*(column for column, _ in columns.values()), *own]))
    return TableReading(entity=entity, options={**options, "$select": select}, most=most, value=value)


def _shaped(record: JsonObject, columns: _Columns) -> JsonObject:
    return {key: read(record.get(column)) for key, (column, read) in columns.items()}


def _process_filter(call: calls.ReadRows) -> str:
    """Lookups are filtered by a path [M], which leads to the code [C]; whether it can be filtered is [?].

    Whoever reads the answer leaves sub-processes out: how an empty lookup is filtered is not known [?].
    """
    by_id = " or ".join(f"SysSchema/Id eq {schema_id}" for schema_id in call.schema_ids)
    condition = f"({by_id})" if len(call.schema_ids) > 1 else by_id
    condition = condition or f"SysSchema/Name eq {odata.literal(call.process)}"
    return condition if call.since is None else f"{condition} and StartDate ge {call.since}"


def _contact(records: Sequence[JsonObject]) -> str | None:
    return next((guid(record.get("ContactId")) for record in records), None)


def schema_of(record: JsonObject) -> str | None:
    """A library that has no `SysSchemaId` names itself by it [?]."""
    return guid(record.get("SysSchemaId")) or guid(record.get("Id"))


def _of_code(process: str, found: Callable[[Sequence[JsonObject]], Json], records: Sequence[JsonObject]) -> Json:
    """What is found of the process: a database that compares without case gives others beside it [?]."""
    return found([record for record in records if record.get("Name") == process] or records)


def _schema_id(records: Sequence[JsonObject]) -> str | None:
    """The active version's, where several bear the name."""
    active = [record for record in records if record.get("IsActiveVersion") is True]
    return next((schema_of(record) for record in active or records), None)


def _root(records: Sequence[JsonObject]) -> str | None:
    """The id of the root's design, which every version names as its parent, but for the root itself [C]."""
    roots = (guid(record.get("VersionParentUId")) or guid(record.get("UId")) for record in records)
    return next(filter(None, roots), None)


def _members(root: str, records: Sequence[JsonObject]) -> Json:
    ids = [{guid(record.get("VersionParentUId")), guid(record.get("UId"))} - {None} for record in records]
    if any(own and guid(root) not in own for own in ids):
        raise _not_asked_for(_LIBRARY)
    return _once({**_shaped(record, _MEMBER), "schema_id": schema_of(record)} for record in records)


def _once(rows: Iterable[Json]) -> list[Json]:
    """Each row once: an answer may show a row again, as pages do where others come meanwhile."""
    return [*{canonical(row): row for row in rows}.values()]

"""The process log and what is read beside it: queries of OData, and the values in their answers.

Read by code or by id, never by caption. Whose rows they are, and what they mean for a call, is the engine's business.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias, assert_never

from runner.foundation.values import Json, JsonObject
from runner.service import odata
from runner.service.calls import (
    MOST_ROWS,
    FindFamily,
    FindProcess,
    ReadElementData,
    ReadElements,
    ReadFamily,
    ReadRow,
    ReadRows,
    WhoIsUser,
)

Query: TypeAlias = (
    ReadRows | ReadRow | ReadElements | ReadElementData | FindProcess | FindFamily | ReadFamily | WhoIsUser
)

# Ids of the lookup `SysProcessStatus` [M].
FAILED: Final = "f942c08d-b6e2-df11-971b-001d60e938c6"
_STATUSES: Final = {
    "ed2ae277-b6e2-df11-971b-001d60e938c6": "running",
    "815c9586-b6e2-df11-971b-001d60e938c6": "done",
    FAILED: "error",
    "1be78f3e-234d-4d6a-869a-dc07253fd2f3": "cancelled",
}
# `Status` in SysProcessElementData is taken to count as `processStatus` of RunProcess does [M]; whether it does is [?].
_NUMBERS: Final = {0: "inactive", 1: "running", 2: "done", 3: "error", 4: "cancelled", 5: "cancelled"}
_COLUMNS: Final = "Id,Name,StartDate,CompleteDate,StatusId,OwnerId,ParentId,ErrorDescription"
_COLUMNS_OF_ELEMENTS: Final = "Id,SchemaElementUId,Type,Caption,StatusId,ErrorDescription"
_COLUMNS_OF_DATA: Final = "Id,SchemaElementUId,Status"
_MOST_ELEMENTS: Final = 100
"""An element that waits is among the newest; a process with loops has thousands."""
_NO_GUID: Final = "00000000-0000-0000-0000-000000000000"


def query(call: Query, *, username: str | None) -> str:
    """Entity and options below `odata/`, encoded."""
    match call:
        case ReadRows():
            options = {"$filter": _of_process(call), "$select": _COLUMNS, "$orderby": "StartDate desc"}
            return odata.query("SysProcessLog", options | {"$top": str(call.top)})
        case ReadRow():
            # By a filter, not by key: a key that is missing answers 404, as does a site without OData.
            return odata.query(
                "SysProcessLog", {"$filter": f"Id eq {call.process_id}", "$select": _COLUMNS, "$top": "1"}
            )
        case ReadElements():
            # Lookups are filtered by a path [M]. That its rows have a StartDate, as those of processes do, is [?].
            options = {"$filter": f"SysProcess/Id eq {call.process_id}", "$select": _COLUMNS_OF_ELEMENTS}
            newest_first = {"$orderby": "StartDate desc", "$top": str(_MOST_ELEMENTS)}
            return odata.query("SysProcessElementLog", options | newest_first)
        case ReadElementData():
            # Whether its process is filtered by this column, or by a path as in the log [M], is not known [?].
            options = {"$filter": f"SysProcessId eq {call.process_id}", "$select": _COLUMNS_OF_DATA}
            return odata.query("SysProcessElementData", options | {"$top": str(_MOST_ELEMENTS)})
        case FindProcess() | FindFamily():
            return odata.query("VwProcessLib", {"$filter": f"Name eq {odata.literal(call.process)}"})
        case ReadFamily():
            # A root's own parent is empty, or itself [C]. No `$select`: a library may lack a column that others have.
            of_root = f"VersionParentUId eq {call.root} or UId eq {call.root}"
            return odata.query("VwProcessLib", {"$filter": of_root, "$orderby": "Name"})
        case WhoIsUser():
            options = {"$filter": f"Name eq {odata.literal(username or '')}", "$select": "Id,Name,ContactId"}
            return odata.query("SysAdminUnit", options)
        case _:
            assert_never(call)


def entity(call: Query) -> str:
    return query(call, username=None).partition("?")[0]


def most(call: Query) -> int:
    """The records that are enough for `call`, however many there are."""
    match call:
        case ReadRows():
            return call.top
        case ReadRow():
            return 1
        case ReadElements() | ReadElementData():
            return _MOST_ELEMENTS
        case FindProcess() | FindFamily() | ReadFamily() | WhoIsUser():
            return MOST_ROWS
        case _:
            assert_never(call)


def value(call: Query, records: Sequence[JsonObject]) -> Json:
    """Take from `records` what `call` asks for."""
    match call:
        case ReadRows():
            return [_row(record) for record in records]
        case ReadRow():
            return next((_row(record) for record in records), None)
        case ReadElements():
            return [_element(record) for record in records]
        case ReadElementData():
            return [_element_data(record) for record in records]
        case FindProcess():
            return _schema_id(records)
        case FindFamily():
            return _root(records)
        case ReadFamily():
            return [_member(record) for record in records]
        case WhoIsUser():
            return next((_guid(record.get("ContactId")) for record in records), None)
        case _:
            assert_never(call)


def contact(answer: Json) -> str | None:
    """Our own contact, in an answer to `WhoAmI`."""
    return _guid(answer.get("contactId")) if isinstance(answer, dict) else None


def _of_process(call: ReadRows) -> str:
    """Lookups are filtered by a path [M]; this one leads to a process's code [C], whether it can be filtered is [?].

    Sub-processes are left out by who reads the answer: how a lookup is filtered by being empty is not known [?], and a
    server that took it otherwise would hide our own rows.
    """
    by_id = " or ".join(f"SysSchema/Id eq {schema_id}" for schema_id in call.schema_ids)
    condition = f"({by_id})" if len(call.schema_ids) > 1 else by_id
    condition = condition or f"SysSchema/Name eq {odata.literal(call.process)}"
    return condition if call.since is None else f"{condition} and StartDate ge {call.since}"


def _row(record: JsonObject) -> JsonObject:
    return {
        "id": _guid(record.get("Id")),
        "name": _text(record.get("Name")),
        "started": _moment(record.get("StartDate")),
        "completed": _moment(record.get("CompleteDate")),
        "status": _status(record),
        "owner": _guid(record.get("OwnerId")),
        "parent": _guid(record.get("ParentId")),
        "error": _text(record.get("ErrorDescription")),
    }


def _element(record: JsonObject) -> JsonObject:
    return {
        "id": _guid(record.get("Id")),
        "uid": _guid(record.get("SchemaElementUId")),
        "kind": _text(record.get("Type")),
        "caption": _text(record.get("Caption")),
        "status": _status(record),
        "error": _text(record.get("ErrorDescription")),
    }


def _element_data(record: JsonObject) -> JsonObject:
    number = record.get("Status")
    known = _NUMBERS.get(number) if isinstance(number, int) and not isinstance(number, bool) else None
    return {
        "id": _guid(record.get("Id")),
        "uid": _guid(record.get("SchemaElementUId")),
        "status": known or (None if number is None else str(number)),
    }


def _status(record: JsonObject) -> str | None:
    status = _guid(record.get("StatusId"))
    return None if status is None else _STATUSES.get(status, status)


def _schema_id(records: Sequence[JsonObject]) -> str | None:
    """The active version's, where several bear the name. A library that has no `SysSchemaId` names itself by it [?]."""
    active = [record for record in records if record.get("IsActiveVersion") is True]
    return next((_guid(record.get("SysSchemaId")) or _guid(record.get("Id")) for record in active or records), None)


def _root(records: Sequence[JsonObject]) -> str | None:
    """The id of the root's design, which every version names as its parent, but for the root itself [C]."""
    roots = (_guid(one.get("VersionParentUId")) or _guid(one.get("UId")) for one in records)
    return next(filter(None, roots), None)


def _member(record: JsonObject) -> JsonObject:
    version = record.get("Version")
    return {
        "code": _text(record.get("Name")),
        "uid": _guid(record.get("UId")),
        "schema_id": _guid(record.get("SysSchemaId")) or _guid(record.get("Id")),
        "version": version if isinstance(version, int) and not isinstance(version, bool) else None,
        "active": _flag(record.get("IsActiveVersion")),
        "enabled": _flag(record.get("Enabled")),
        "traced": _flag(record.get("IsProcessTracing")),
    }


def _flag(found: Json) -> bool | None:
    return found if isinstance(found, bool) else None


def _text(found: Json) -> str | None:
    return found if isinstance(found, str) and found else None


def _guid(found: Json) -> str | None:
    """In lower case, so that ids of different answers compare; an empty one is none."""
    text = _text(found)
    return None if text is None or text == _NO_GUID else text.lower()


def _moment(found: Json) -> str | None:
    """As the server writes it; the first day of all times stands for none [?]."""
    text = _text(found)
    return None if text is None or text.startswith("0001-01-01") else text

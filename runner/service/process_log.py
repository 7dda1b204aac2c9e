"""The process log and what is read beside it: OData queries, and the values in their answers.

Read by code or by id, never by caption. Whose rows they are, and what they mean for a call, is the engine's business.
"""

from typing import Final, TypeAlias, assert_never
from urllib.parse import quote

from runner.service.bodies import NonsenseError
from runner.service.calls import FindProcess, ReadRow, ReadRows, WhoAmI, WhoIsUser
from runner.values import Json, JsonObject, kind_of, well_formed

Query: TypeAlias = ReadRows | ReadRow | FindProcess | WhoIsUser

# Ids of the lookup `SysProcessStatus` [M].
_STATUSES: Final = {
    "ed2ae277-b6e2-df11-971b-001d60e938c6": "running",
    "815c9586-b6e2-df11-971b-001d60e938c6": "done",
    "f942c08d-b6e2-df11-971b-001d60e938c6": "error",
    "1be78f3e-234d-4d6a-869a-dc07253fd2f3": "cancelled",
}
_COLUMNS: Final = "Id,Name,StartDate,CompleteDate,StatusId,OwnerId,ErrorDescription"
_NO_GUID: Final = "00000000-0000-0000-0000-000000000000"


def query(call: Query, *, username: str | None) -> str:
    """Entity and options below `odata/`, encoded."""
    match call:
        case ReadRows():
            options = {"$filter": _of_process(call), "$select": _COLUMNS, "$orderby": "StartDate desc"}
            return _query("SysProcessLog", options | {"$top": str(call.top)})
        case ReadRow():
            # By a filter, not by key: a key that is missing answers 404, as does a site without OData.
            return _query("SysProcessLog", {"$filter": f"Id eq {call.process_id}", "$select": _COLUMNS, "$top": "1"})
        case FindProcess():
            return _query("VwProcessLib", {"$filter": f"Name eq {_literal(call.process)}"})
        case WhoIsUser():
            options = {"$filter": f"Name eq {_literal(username or '')}", "$select": "Id,Name,ContactId"}
            return _query("SysAdminUnit", options)
        case _:
            assert_never(call)


def value(call: Query | WhoAmI, answer: Json) -> Json:
    """Take from `answer` what `call` asks for. Raises `NonsenseError` where it has another shape."""
    match call:
        case ReadRows():
            return [_row(record) for record in _records(answer)]
        case ReadRow():
            return next((_row(record) for record in _records(answer)), None)
        case FindProcess():
            return _schema_id(_records(answer))
        case WhoIsUser():
            return next((_guid(record.get("ContactId")) for record in _records(answer)), None)
        case WhoAmI():
            return _guid(answer.get("contactId")) if isinstance(answer, dict) else None
        case _:
            assert_never(call)


def _of_process(call: ReadRows) -> str:
    """Lookups are filtered by a path [M]; this one leads to a process's code [C], whether it can be filtered is [?]."""
    by_code = f"SysSchema/Name eq {_literal(call.process)}"
    condition = by_code if call.schema_id is None else f"SysSchema/Id eq {call.schema_id}"
    return condition if call.since is None else f"{condition} and StartDate ge {call.since}"


def _query(entity: str, options: dict[str, str]) -> str:
    return f"{entity}?" + "&".join([f"{name}={quote(well_formed(text), safe='')}" for name, text in options.items()])


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _records(answer: Json) -> list[JsonObject]:
    records = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(records, list):
        raise NonsenseError(f"it is no collection of OData, but {kind_of(answer)}")
    found = [record for record in records if isinstance(record, dict)]
    if len(found) < len(records):
        raise NonsenseError("its rows are no records")
    return found


def _row(record: JsonObject) -> JsonObject:
    status = _guid(record.get("StatusId"))
    return {
        "id": _guid(record.get("Id")),
        "name": _text(record.get("Name")),
        "started": _moment(record.get("StartDate")),
        "completed": _moment(record.get("CompleteDate")),
        "status": None if status is None else _STATUSES.get(status, status),
        "owner": _guid(record.get("OwnerId")),
        "error": _text(record.get("ErrorDescription")),
    }


def _schema_id(records: list[JsonObject]) -> str | None:
    """The active version's, where several bear the name. A library that has no `SysSchemaId` names itself by it [?]."""
    active = [record for record in records if record.get("IsActiveVersion") is True]
    return next((_guid(record.get("SysSchemaId")) or _guid(record.get("Id")) for record in active or records), None)


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

"""SysProcessLog and SysProcessElementLog as OData shows them (`service/README.md`, Process log): views over the store.

Lookups are filtered by path alone [M]: `Status/Id`, never `StatusId`. Choices [?]: `Name` holds the caption; a row
appears when its process starts, or reaches an element; what is absent is null, `ParentId` and `RootId` always, as no
process here calls another. No two processes start within one millisecond, so that the newest is always one.
"""

from datetime import UTC, datetime, timedelta

from runner.foundation.values import JsonObject
from runner.odata.match import Bounds
from runner.sandbox.entity_set import Edm, EntitySet
from runner.sandbox.process_schemas import schema_uid
from runner.sandbox.store import Element, Process, Status, Store

_STATUS_IDS = {
    Status.RUNNING: "ed2ae277-b6e2-df11-971b-001d60e938c6",
    Status.DONE: "815c9586-b6e2-df11-971b-001d60e938c6",
    Status.ERROR: "f942c08d-b6e2-df11-971b-001d60e938c6",
    Status.CANCELLED: "1be78f3e-234d-4d6a-869a-dc07253fd2f3",
}
_COLUMNS = {
    "Id": Edm.GUID,
    "Name": Edm.STRING,
    "StartDate": Edm.MOMENT,
    "CompleteDate": Edm.MOMENT,
    "DurationInMilliseconds": Edm.DECIMAL,
    "ErrorDescription": Edm.STRING,
}
_LOOKUPS = dict.fromkeys(("SysSchemaId", "ParentId", "RootId", "StatusId", "OwnerId"), Edm.GUID)
_PATHS = ("SysSchema/Id", "SysSchema/Name", "Parent/Id", "Root/Id", "Status/Id", "Owner/Id")
_OF_ELEMENTS = {
    "Id": Edm.GUID,
    "SchemaElementUId": Edm.GUID,
    "Caption": Edm.STRING,
    "Type": Edm.STRING,
    "StartDate": Edm.MOMENT,
    "CompleteDate": Edm.MOMENT,
    "ErrorDescription": Edm.STRING,
}
_LOOKUPS_OF_ELEMENTS = dict.fromkeys(("SysProcessId", "StatusId"), Edm.GUID)
_PATHS_OF_ELEMENTS = ("SysProcess/Id", "Status/Id")
_OF_DATA = {
    **dict.fromkeys(("Id", "SchemaElementUId", "SysProcessId", "SchemaUId", "OwnerId"), Edm.GUID),
    "Status": Edm.INTEGER,
}
_RUNNING = 1
"""Counted as `processStatus` of RunProcess [?]."""
_USER_TASK = "ProcessSchemaUserTask"


def entity_sets(store: Store) -> tuple[EntitySet, ...]:
    """SysProcessLog, SysProcessElementLog and SysProcessElementData."""
    return (
        EntitySet(
            name="SysProcessLog",
            columns=(*_COLUMNS, *_LOOKUPS),
            types=lambda: _COLUMNS | _LOOKUPS,
            paths=(*_COLUMNS, *_PATHS),
            rows=lambda within: _rows(store, within),
        ),
        EntitySet(
            name="SysProcessElementLog",
            columns=(*_OF_ELEMENTS, *_LOOKUPS_OF_ELEMENTS),
            types=lambda: _OF_ELEMENTS | _LOOKUPS_OF_ELEMENTS,
            paths=(*_OF_ELEMENTS, *_PATHS_OF_ELEMENTS),
            rows=lambda within: [_element_row(each) for each in store.elements(within.equal.get("SysProcess/Id"))],
        ),
        EntitySet(
            name="SysProcessElementData",
            columns=tuple(_OF_DATA),
            types=lambda: _OF_DATA,
            paths=(*_OF_DATA, "SysProcess/Id"),
            rows=lambda within: _waiting(store, within),
        ),
    )


def written(at: datetime) -> str:
    """UTC as the log writes it, in whole milliseconds. Texts of this form sort as their times do."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "0000Z"


def next_start(now: str, newest: str | None) -> str:
    """`now`, or the millisecond after `newest` where that is later."""
    if newest is None or now > newest:
        return now
    return written(_read(newest) + timedelta(milliseconds=1))


def _rows(store: Store, bounds: Bounds) -> list[JsonObject]:
    """The rows within `bounds`, oldest first, keyed by column and by path."""
    key = bounds.equal.get("Id")
    if key is not None:
        process = store.process(key.lower())
        return [] if process is None else [_row(process)]
    since = bounds.since.get("StartDate")
    schema_ids = bounds.among.get("SysSchema/Id")
    found = store.processes(
        code=bounds.equal.get("SysSchema/Name"),
        schema_ids=None if schema_ids is None else [one.lower() for one in schema_ids],
        since=None if since is None else written(since),
    )
    return [_row(process) for process in found]


def _row(process: Process) -> JsonObject:
    status = _STATUS_IDS[process.status]
    return {
        "Id": process.id,
        "Name": process.caption,
        "StartDate": process.started,
        "CompleteDate": process.completed,
        "DurationInMilliseconds": _milliseconds(process),
        "ErrorDescription": process.error,
        "SysSchemaId": process.schema_id,
        "ParentId": None,
        "RootId": None,
        "StatusId": status,
        "OwnerId": process.owner,
        "SysSchema/Id": process.schema_id,
        "SysSchema/Name": process.code,
        "Parent/Id": None,
        "Root/Id": None,
        "Status/Id": status,
        "Owner/Id": process.owner,
    }


def _element_row(element: Element) -> JsonObject:
    status = _STATUS_IDS[element.status]
    return {
        "Id": element.id,
        "SchemaElementUId": element.uid,
        "Caption": element.caption,
        "Type": _USER_TASK,
        "StartDate": element.started,
        "CompleteDate": element.completed,
        "ErrorDescription": element.error,
        "SysProcessId": element.process_id,
        "StatusId": status,
        "SysProcess/Id": element.process_id,
        "Status/Id": status,
    }


def _waiting(store: Store, bounds: Bounds) -> list[JsonObject]:
    """What the engine itself keeps: the elements that wait, and no others, a choice [?]."""
    process_id = bounds.equal.get("SysProcessId") or bounds.equal.get("SysProcess/Id")
    waiting = [each for each in store.elements(process_id) if each.status is Status.RUNNING]
    return [_data_row(each, store.process(each.process_id)) for each in waiting]


def _data_row(element: Element, process: Process | None) -> JsonObject:
    return {
        "Id": element.id,
        "SchemaElementUId": element.uid,
        "SysProcessId": element.process_id,
        "SchemaUId": None if process is None else schema_uid(process.code),
        "OwnerId": None if process is None else process.owner,
        "Status": _RUNNING,
        "SysProcess/Id": element.process_id,
    }


def _milliseconds(process: Process) -> int | None:
    if process.completed is None:
        return None
    return max(0, round((_read(process.completed) - _read(process.started)) / timedelta(milliseconds=1)))


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)

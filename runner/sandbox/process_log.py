"""SysProcessLog, SysProcessElementLog and SysProcessElementData as OData shows them: views over the store.

What a site shows is in `service/README.md`, Process log.
Choices [?]: `Name` holds the caption; a row appears when its process starts, or reaches an element; what is absent is
null, `ParentId` and `RootId` always, as no process here calls another. No two processes start within one millisecond,
so that there is always one newest.
"""

from datetime import UTC, datetime, timedelta

from runner.foundation.values import JsonObject
from runner.odata.match import Bounds
from runner.sandbox.entity_set import Edm, EntitySet, system_entity
from runner.sandbox.process_schemas import schema_uid
from runner.sandbox.store import Instance, InstanceStatus, ReachedElement, Store

_STATUS_IDS = {
    InstanceStatus.RUNNING: "ed2ae277-b6e2-df11-971b-001d60e938c6",
    InstanceStatus.DONE: "815c9586-b6e2-df11-971b-001d60e938c6",
    InstanceStatus.ERROR: "f942c08d-b6e2-df11-971b-001d60e938c6",
    InstanceStatus.CANCELLED: "1be78f3e-234d-4d6a-869a-dc07253fd2f3",
}
_LOG = {
    "Id": Edm.GUID,
    "Name": Edm.STRING,
    "StartDate": Edm.MOMENT,
    "CompleteDate": Edm.MOMENT,
    "DurationInMilliseconds": Edm.DECIMAL,
    "ErrorDescription": Edm.STRING,
}
_ELEMENT_LOG = {
    "Id": Edm.GUID,
    "SchemaElementUId": Edm.GUID,
    "Caption": Edm.STRING,
    "Type": Edm.STRING,
    "StartDate": Edm.MOMENT,
    "CompleteDate": Edm.MOMENT,
    "ErrorDescription": Edm.STRING,
}
_ELEMENT_DATA = {
    **dict.fromkeys(("Id", "SchemaElementUId", "SysProcessId", "SchemaUId", "OwnerId"), Edm.GUID),
    "Status": Edm.INTEGER,
}
_RUNNING = 1
"""Counted as `processStatus` of RunProcess [?]."""


def entity_sets(store: Store) -> tuple[EntitySet, ...]:
    return (
        system_entity(
            "SysProcessLog",
            _LOG,
            lambda bounds: [_log_row(process) for process in _processes(store, bounds)],
            lookups=("SysSchema", "Parent", "Root", "Status", "Owner"),
            paths=("SysSchema/Name",),
        ),
        system_entity(
            "SysProcessElementLog",
            _ELEMENT_LOG,
            lambda bounds: [_element_row(each) for each in store.elements(bounds.equal.get("SysProcess/Id"))],
            lookups=("SysProcess", "Status"),
        ),
        system_entity(
            "SysProcessElementData", _ELEMENT_DATA, lambda bounds: _data_rows(store, bounds), paths=("SysProcess/Id",)
        ),
    )


def written(at: datetime) -> str:
    """UTC as the log writes it, in whole milliseconds. Texts of this form sort as their times do."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "0000Z"


def next_start(now: str, newest: str | None) -> str:
    """`now`, or the millisecond after `newest` where that is later."""
    if newest is None or now > newest:
        return now
    return written(datetime.fromisoformat(newest) + timedelta(milliseconds=1))


def _processes(store: Store, bounds: Bounds) -> list[Instance]:
    """Those within `bounds`, oldest first."""
    key = bounds.equal.get("Id")
    if key is not None:
        process = store.process(key.lower())
        return [] if process is None else [process]
    since = bounds.since.get("StartDate")
    schema_ids = bounds.among.get("SysSchema/Id")
    return store.processes(
        code=bounds.equal.get("SysSchema/Name"),
        schema_ids=None if schema_ids is None else [key.lower() for key in schema_ids],
        since=None if since is None else written(since),
    )


def _log_row(process: Instance) -> JsonObject:
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
        "StatusId": _STATUS_IDS[process.status],
        "OwnerId": process.owner,
        "SysSchema/Name": process.code,
    }


def _element_row(element: ReachedElement) -> JsonObject:
    return {
        "Id": element.id,
        "SchemaElementUId": element.uid,
        "Caption": element.caption,
        "Type": "ProcessSchemaUserTask",
        "StartDate": element.started,
        "CompleteDate": element.completed,
        "ErrorDescription": element.error,
        "SysProcessId": element.process_id,
        "StatusId": _STATUS_IDS[element.status],
    }


def _data_rows(store: Store, bounds: Bounds) -> list[JsonObject]:
    """What the engine itself keeps: the elements that wait, and no others, a choice [?]."""
    process_id = bounds.equal.get("SysProcessId") or bounds.equal.get("SysProcess/Id")
    waiting = [each for each in store.elements(process_id) if each.status is InstanceStatus.RUNNING]
    return [_data_row(each, store.process(each.process_id)) for each in waiting]


def _data_row(element: ReachedElement, process: Instance | None) -> JsonObject:
    return {
        "Id": element.id,
        "SchemaElementUId": element.uid,
        "SysProcessId": element.process_id,
        "SchemaUId": None if process is None else schema_uid(process.code),
        "OwnerId": None if process is None else process.owner,
        "Status": _RUNNING,
        "SysProcess/Id": element.process_id,
    }


def _milliseconds(process: Instance) -> int | None:
    if process.completed is None:
        return None
    took = datetime.fromisoformat(process.completed) - datetime.fromisoformat(process.started)
    return max(0, round(took / timedelta(milliseconds=1)))

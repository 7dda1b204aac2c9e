"""SysProcessLog, SysProcessElementLog and SysProcessElementData in OData, over the store.

`service/README.md`, Process log, has what a site shows. Choices [?]: `Name` is the caption; a row appears with its
process or element; `ParentId` and `RootId` are null. No two processes start within a millisecond.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from runner.odata.functions import Edm
from runner.odata.match import Bounds
from runner.sandbox.entity_set import EntitySet, EntityTable, system_entity
from runner.sandbox.process_schemas import schema_uid
from runner.sandbox.store import Instance, InstanceStatus, ReachedElement, Store

_STATUS_IDS = {
    InstanceStatus.RUNNING: "ed2ae277-b6e2-df11-971b-001d60e938c6",
    InstanceStatus.DONE: "815c9586-b6e2-df11-971b-001d60e938c6",
    InstanceStatus.ERROR: "f942c08d-b6e2-df11-971b-001d60e938c6",
    InstanceStatus.CANCELLED: "1be78f3e-234d-4d6a-869a-dc07253fd2f3",
}
_RUNNING = 1  # counted as `processStatus` of RunProcess [?]


_LOG: EntityTable[Instance] = {
    "Id": (Edm.GUID, lambda process: process.id),
    "Name": (Edm.STRING, lambda process: process.caption),
    "StartDate": (Edm.MOMENT, lambda process: process.started),
    "CompleteDate": (Edm.MOMENT, lambda process: process.completed),
    "DurationInMilliseconds": (Edm.DECIMAL, lambda process: _milliseconds(process)),  # noqa: PLW0108  it is defined below
    "ErrorDescription": (Edm.STRING, lambda process: process.error),
    "SysSchemaId": (Edm.GUID, lambda process: process.schema_id),
    "ParentId": (Edm.GUID, lambda _: None),
    "RootId": (Edm.GUID, lambda _: None),
    "StatusId": (Edm.GUID, lambda process: _STATUS_IDS[process.status]),
    "OwnerId": (Edm.GUID, lambda process: process.owner),
    "CreatedOn": (Edm.MOMENT, lambda process: process.started),
    "CreatedById": (Edm.GUID, lambda process: process.owner),
    "ModifiedOn": (Edm.MOMENT, lambda process: process.completed or process.started),
    "ModifiedById": (Edm.GUID, lambda process: process.owner),
}
_ELEMENT_LOG: EntityTable[ReachedElement] = {
    "Id": (Edm.GUID, lambda element: element.id),
    "SchemaElementUId": (Edm.GUID, lambda element: element.uid),
    "Caption": (Edm.STRING, lambda element: element.caption),
    "Type": (Edm.STRING, lambda _: "ProcessSchemaUserTask"),
    "StartDate": (Edm.MOMENT, lambda element: element.started),
    "CompleteDate": (Edm.MOMENT, lambda element: element.completed),
    "ErrorDescription": (Edm.STRING, lambda element: element.error),
    "SysProcessId": (Edm.GUID, lambda element: element.process_id),
    "StatusId": (Edm.GUID, lambda element: _STATUS_IDS[element.status]),
}
_ELEMENT_DATA: EntityTable[tuple[ReachedElement, Instance]] = {
    "Id": (Edm.GUID, lambda waiting: waiting[0].id),
    "SchemaElementUId": (Edm.GUID, lambda waiting: waiting[0].uid),
    "SysProcessId": (Edm.GUID, lambda waiting: waiting[1].id),
    "SchemaUId": (Edm.GUID, lambda waiting: schema_uid(waiting[1].code)),
    "OwnerId": (Edm.GUID, lambda waiting: waiting[1].owner),
    "Status": (Edm.INTEGER, lambda _: _RUNNING),
}


def entity_sets(store: Store) -> tuple[EntitySet, ...]:
    """The tables that show what processes did, as OData serves them."""
    return (
        system_entity(
            "SysProcessLog",
            _LOG,
            lambda bounds: _processes(store, bounds),
            lookups=("SysSchema", "Parent", "Root", "Status", "Owner"),
            paths={"SysSchema/Name": lambda process: process.code},
        ),
        system_entity(
            "SysProcessElementLog",
            _ELEMENT_LOG,
            lambda bounds: store.elements(bounds.equal.get("SysProcess/Id")),
            lookups=("SysProcess", "Status"),
        ),
        system_entity(
            "SysProcessElementData",
            _ELEMENT_DATA,
            lambda bounds: _waiting(store, bounds),
            lookups=("SysProcess", "Owner"),
        ),
    )


def log_time(at: datetime) -> str:
    """UTC as the log writes it, in whole milliseconds. Texts of this form sort as their times do."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "0000Z"


def next_start(now: str, newest: str | None) -> str:
    """`now`, or the millisecond after `newest` where that is later."""
    if newest is None or now > newest:
        return now
    return log_time(datetime.fromisoformat(newest) + timedelta(milliseconds=1))


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
        since=None if since is None else log_time(since),
    )


def _waiting(store: Store, bounds: Bounds) -> Iterator[tuple[ReachedElement, Instance]]:
    """What the engine itself keeps: the elements that wait, and no others, a choice [?]."""
    for element in store.elements(bounds.equal.get("SysProcess/Id")):
        process = store.process(element.process_id) if element.status is InstanceStatus.RUNNING else None
        if process is not None:
            yield element, process


def _milliseconds(process: Instance) -> int | None:
    if process.completed is None:
        return None
    took = datetime.fromisoformat(process.completed) - datetime.fromisoformat(process.started)
    return max(0, round(took / timedelta(milliseconds=1)))

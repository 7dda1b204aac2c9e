"""SysProcessLog as OData shows it (SERVICE.md section 6): a view over the store's processes.

Lookups are filtered by path alone [M]: `Status/Id`, never `StatusId`. Choices [?]: `Name` holds the caption; a row
appears when its process starts; what is absent is null, `ParentId` and `RootId` always, as no process here calls
another. No two processes start within one millisecond, so that the newest is always one.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from runner.sandbox.odata_match import Bounds
from runner.sandbox.store import Process, Status, Store
from runner.values import JsonObject

_SCHEMAS = UUID("5f9c1f5e-6c1d-4c0b-8a53-0c1d3f0e7b61")
_STATUS_IDS = {
    Status.RUNNING: "ed2ae277-b6e2-df11-971b-001d60e938c6",
    Status.DONE: "815c9586-b6e2-df11-971b-001d60e938c6",
    Status.ERROR: "f942c08d-b6e2-df11-971b-001d60e938c6",
    Status.CANCELLED: "1be78f3e-234d-4d6a-869a-dc07253fd2f3",
}
PLAIN_COLUMNS = ("Id", "Name", "StartDate", "CompleteDate", "DurationInMilliseconds", "ErrorDescription")
LOOKUP_COLUMNS = ("SysSchemaId", "ParentId", "RootId", "StatusId", "OwnerId")
PATHS = ("SysSchema/Id", "SysSchema/Name", "Parent/Id", "Root/Id", "Status/Id", "Owner/Id")


def schema_id(code: str) -> str:
    """The id of a process's schema: the same in every sandbox, as a site keeps its own."""
    return str(uuid5(_SCHEMAS, code))


def written(at: datetime) -> str:
    """UTC as the log writes it, in whole milliseconds. Texts of this form sort as their times do."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "0000Z"


def next_start(now: str, newest: str | None) -> str:
    """`now`, or the millisecond after `newest` where that is later."""
    if newest is None or now > newest:
        return now
    return written(_read(newest) + timedelta(milliseconds=1))


def rows(store: Store, bounds: Bounds) -> list[JsonObject]:
    """The rows within `bounds`, oldest first, keyed by column and by path."""
    key = bounds.equal.get("Id")
    if key is not None:
        process = store.process(key.lower())
        return [] if process is None else [_row(process)]
    since = bounds.since.get("StartDate")
    found = store.processes(code=bounds.equal.get("SysSchema/Name"), since=None if since is None else written(since))
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


def _milliseconds(process: Process) -> int | None:
    if process.completed is None:
        return None
    return max(0, round((_read(process.completed) - _read(process.started)) / timedelta(milliseconds=1)))


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)

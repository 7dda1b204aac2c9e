"""Failed instances in the process log: what to ask for, and what an answer means. Pure; times are the server's own.

A version of a process is a schema; all versions point at their root [C], and rows have the schema that ran.
"""

from collections.abc import Iterable
from typing import Final

from runner.foundation import server_time
from runner.foundation.values import JsonObject, guid
from runner.runs.process_status import PROCESS_STATUSES
from runner.service.calls import QueryCall
from runner.service.process_log import text

MOST: Final = 10_000
_LOOK_BACK: Final = 3600.0
"""Seconds by which clocks of nodes may differ [?], or that a process may have run that failed without an end [C]."""

NEWEST: Final = QueryCall(entity="SysProcessLog", select=("Id", "StartDate"), orderby=("StartDate desc",), top=1)
LIBRARY: Final = QueryCall(
    entity="VwProcessLib", select=("Id", "UId", "Name", "SysSchemaId", "VersionParentUId"), orderby=("Name",), top=MOST
)
"""A site may lack the last two columns [?]: then all that it has are asked for."""


def failed_since(moment: str | None) -> QueryCall:
    """Instances that have failed and began or ended since `moment`; all for None."""
    condition = f"Status/Id eq {PROCESS_STATUSES['error'].id}"
    if moment is not None:
        condition += f" and (StartDate ge {moment} or CompleteDate ge {moment})"
    select = ("Id", "Name", "StartDate", "CompleteDate", "SysSchemaId", "ErrorDescription")
    return QueryCall(entity="SysProcessLog", filter=condition, select=select, orderby=("StartDate desc",), top=MOST)


def look_from(newest: Iterable[JsonObject], *, now: float | None) -> str | None:
    """The time since which failures count: well before the newest row and `now`, as a clock may have been set back.

    None, since ever, where no row has a time that a filter could hold, as `/Date(…)/` is none.
    """
    moment = next((moment for row in newest if (moment := text(row.get("StartDate")))), None)
    seconds = server_time.parse_record(moment or "")
    if seconds is None:
        return moment if moment is not None and server_time.parse_value(moment) is not None else None
    return server_time.odata_time((seconds if now is None else min(seconds, now)) - _LOOK_BACK)


def roots(library: Iterable[JsonObject]) -> dict[str, str]:
    """The code of the family's root by the id of a schema."""
    rows = [row for row in library if text(row.get("Name"))]
    codes = {uid: str(row["Name"]) for row in rows if (uid := guid(row.get("UId")))}
    found: dict[str, str] = {}
    for row in rows:
        code = codes.get(guid(row.get("VersionParentUId")) or "", str(row["Name"]))
        found.update({key: code for column in ("SysSchemaId", "Id") if (key := guid(row.get(column)))})
    return found


def key(row: JsonObject) -> str:
    return guid(row.get("Id")) or ""


def failure(row: JsonObject) -> str:
    """What distinguishes a failure: an instance may be continued from the log, and fail again with another end [D]."""
    return f"{key(row)} {text(row.get('CompleteDate'))}"


def schema(row: JsonObject) -> str:
    return guid(row.get("SysSchemaId")) or ""


def shown(row: JsonObject, code: str) -> JsonObject:
    """A failed instance as reports show it; `code` is that of its process."""
    return {
        "id": key(row),
        "process": code or None,
        "name": text(row.get("Name")),
        "started": text(row.get("StartDate")),
        "error": text(row.get("ErrorDescription")),
    }

"""Asks a site about a run of a process: its row, its elements, and the design; at most seven questions and pages.

What is refused goes into `unseen`; a site that does not answer ends it.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct, convert, field
from msgspec.structs import replace

from runner.catalogue import design
from runner.catalogue.doubles import is_end
from runner.catalogue.families import families, process_of
from runner.catalogue.model import Process, ProcessElement
from runner.foundation import server_time
from runner.foundation.problems import Problem
from runner.foundation.values import JsonObject, guid, items, record, text
from runner.project.pulling import NoAnswerError, PatientReader, read_pages, read_signature, trouble_of, version_of
from runner.recording.model import Passed, Recorded
from runner.recording.stored_calls import StoredCalls
from runner.service import process_log
from runner.service.calls import CallFailed, FailureKind, FindFamily, LogRow, QueryCall, ReadElements, ReadRow

_LOG: Final = "the process log (SysProcessLog)"
_COLUMNS: Final = (
    *("Id", "Name", "StartDate", "CompleteDate", "StatusId", "OwnerId", "ParentId", "ErrorDescription"),
    "SysSchemaId",
)
_COLUMNS_OF_ELEMENTS: Final = (
    *("Id", "SchemaElementUId", "Caption", "Type", "StatusId", "StartDate", "CompleteDate", "ErrorDescription"),
)
_MOST_ELEMENTS: Final = 1000
_MOST_VERSIONS: Final = 200
_RUNNING: Final = 1


class _Asked(Struct, frozen=True, kw_only=True):
    """The site that is asked; `unseen` collects what it does not show."""

    site: PatientReader
    unseen: list[str] = field(default_factory=list)

    def records(self, call: QueryCall) -> list[JsonObject] | CallFailed:
        """All pages of it, up to its `top`; the failure where it is refused. Raises `NoAnswerError` for any other."""
        found = read_pages(self.site, call, most=call.top)
        if isinstance(found, CallFailed) and found.kind is not FailureKind.REFUSED:
            raise NoAnswerError(trouble_of(found, f"`{call.entity}`"))
        return found


def read_run(site: PatientReader, process_id: str) -> Recorded | Problem | None:
    """What the site shows of the run with this id, in lower case, if its log has it, or why not of which process it is.

    Raises `NoAnswerError`.
    """
    asked = _Asked(site=site)
    found = asked.records(QueryCall(entity="SysProcessLog", filter=f"Id eq {process_id}", select=_COLUMNS))
    if isinstance(found, CallFailed):
        raise NoAnswerError(trouble_of(found, _LOG))
    if not found:
        return None
    row = convert(process_log.value(ReadRow(process_id=process_id), found), LogRow)
    process = _process(asked, guid(found[0].get("SysSchemaId")))
    way = tuple(_way(asked, process_id, process))
    if row.status == "running" and not any(passed.is_open for passed in way):
        way += tuple(_parked(asked, process_id, process))
    if row.parent is not None:
        asked.unseen.append(f"another process has started it, as a part of itself: {row.parent}")
    if process is None:
        hint = "; ".join(asked.unseen) or "give the user the right to read VwProcessLib"
        return Problem(code="E225", message=f"the site does not show which process {process_id} is of", hint=hint)
    return Recorded(
        id=process_id,
        process=process,
        status=row.status,
        error=row.error,
        seconds=_between(row.started, row.completed),
        way=way,
        unseen=tuple(asked.unseen),
    )


def with_calls(run: Recorded, known: StoredCalls) -> Recorded:
    """The run with what the stored runs know of it."""
    start, unseen, error = known.start, [*run.unseen], run.error
    if start is None:
        unseen.append("what it was given and what it gave: no stored run has started it, and a site does not show it")
    elif start.hidden:
        unseen.append(f"secret, or too large to be stored: {', '.join(start.hidden)}")
        if (run.error or "") not in start.failure:
            unseen.append("why it failed: the text may hold a value that is secret")
            error = None
    return replace(
        run,
        error=error,
        way=tuple(_with_call(passed, known) for passed in run.way),
        given=None if start is None else start.given,
        results=None if start is None else start.results,
        in_background=start is not None and start.status == "running",
        unseen=tuple(unseen),
    )


def _with_call(passed: Passed, known: StoredCalls) -> Passed:
    key = next((key for key in (passed.id, passed.uid) if key in known.executed), None)
    return passed if key is None else replace(passed, executed=True, given=known.executed[key])


def _process(asked: _Asked, schema_id: str | None) -> Process | None:
    """The process with the signature of the version that ran; of its versions that counts as active."""
    rows = _family(asked, schema_id) if schema_id is not None else []
    versions = {version_of(row): row for row in rows if text(row, "Name")}
    ran = next((given for given, row in versions.items() if process_log.schema_of(row) == schema_id), None)
    if ran is None:
        return None
    signature = read_signature(asked.site, versions[ran])
    asked.unseen.extend(signature.odd)
    family = next(each for each in families(versions).values() if ran in each.versions)
    if family.acting is not ran and family.acting.active:
        asked.unseen.append(f"a call runs another version now: {family.acting.code}")
    marked = tuple(replace(version, active=version is ran) for version in family.versions)
    return process_of(
        replace(family, acting=next(version for version in marked if version.code == ran.code), versions=marked),
        parameters=signature.parameters,
        elements=signature.elements,
        unread=None,
    )


def _family(asked: _Asked, schema_id: str) -> list[JsonObject]:
    """The library's rows of the process with this schema: all its versions, where the library knows versions."""
    own: list[JsonObject] | CallFailed = []
    for condition in (f"SysSchema/Id eq {schema_id}", f"Id eq {schema_id}"):  # lookups are filtered by a path [M]
        own = asked.records(QueryCall(entity="VwProcessLib", filter=condition, top=_MOST_VERSIONS))
        if own and not isinstance(own, CallFailed):
            break
    if isinstance(own, CallFailed):
        asked.unseen.append(f"which process it is of: the library (VwProcessLib) is refused: {own.trouble.message}")
        return []
    root = process_log.value(FindFamily(process=""), own)
    if not isinstance(root, str):
        return own
    of_root = f"VersionParentUId eq {root} or UId eq {root}"
    every = asked.records(QueryCall(entity="VwProcessLib", filter=of_root, top=_MOST_VERSIONS))
    if isinstance(every, CallFailed):
        asked.unseen.append(f"its versions: {every.trouble.message}")
        return own
    return every if any(process_log.schema_of(row) == schema_id for row in every) else own


def _way(asked: _Asked, process_id: str, process: Process | None) -> Iterator[Passed]:
    """The elements in their order, by the element log."""
    call = QueryCall(
        entity="SysProcessElementLog",
        filter=f"SysProcess/Id eq {process_id}",
        select=_COLUMNS_OF_ELEMENTS,
        orderby=("StartDate",),
        top=_MOST_ELEMENTS,
    )
    found = asked.records(call)
    if isinstance(found, CallFailed):  # a log may lack a column that others have [?]
        found = asked.records(replace(call, select=(), orderby=()))
    if isinstance(found, CallFailed):
        asked.unseen.append(f"its elements: the element log is refused: {found.trouble.message}")
        return
    designed = _designed(process)
    is_bare = (
        process is not None
        and process.elements is not None
        and all(is_end(element.kind) for element in process.elements)
    )
    if not found and not is_bare:
        asked.unseen.append("its elements: the element log has none of it; perhaps the process is not traced")
    if len(found) >= _MOST_ELEMENTS:
        asked.unseen.append(f"its elements after the first {_MOST_ELEMENTS}")
    in_order = sorted(found[:_MOST_ELEMENTS], key=lambda row: text(row, "StartDate") or "")
    for row in in_order:
        (each,) = map(record, items(process_log.value(ReadElements(process_id=process_id), [row])))
        yield _passed(row, each, designed.get(text(each, "uid") or ""))


def _parked(asked: _Asked, process_id: str, process: Process | None) -> Iterator[Passed]:
    """The elements at which it waits, by the engine's own store [S]; that `Status` counts as a process's is [?]."""
    try:
        found = asked.records(QueryCall(entity="SysProcessElementData", filter=f"SysProcess/Id eq {process_id}"))
    except NoAnswerError:
        return
    for row in () if isinstance(found, CallFailed) else found:
        uid = guid(row.get("SchemaElementUId"))
        if row.get("Status") == _RUNNING and uid is not None:
            element = _designed(process).get(uid)
            shown, kind = (element.shown, element.kind) if element else ("", "")
            yield Passed(id=guid(row.get("Id")), uid=uid, caption=shown, kind=kind, status="running")


def _designed(process: Process | None) -> dict[str, ProcessElement]:
    return {element.uid: element for element in (process.elements if process else None) or ()}


def _passed(row: JsonObject, answer: JsonObject, designed: ProcessElement | None) -> Passed:
    return Passed(
        id=guid(row.get("Id")),
        uid=text(answer, "uid"),
        caption=text(answer, "caption") or (designed.shown if designed else ""),
        kind=designed.kind if designed else design.kind_of_element(f".{text(row, 'Type') or ''}"),
        status=text(answer, "status"),
        error=text(answer, "error"),
        seconds=_between(text(row, "StartDate"), text(row, "CompleteDate")),
    )


def _between(started: str | None, completed: str | None) -> float | None:
    """Seconds between two moments of the server."""
    first, last = (None if each is None else server_time.parse_record(each) for each in (started, completed))
    return None if first is None or last is None else max(0.0, last - first)

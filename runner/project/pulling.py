"""Asks a site what its processes take and give: the library's list, then each. Reads only.

An odd answer is reported; a site that does not answer ends it, since half a catalogue would fail right jobs.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from runner.catalogue.design import Signature
from runner.catalogue.families import DesignVersion, ProcessFamily, families, process_of
from runner.catalogue.model import Process
from runner.foundation import threads
from runner.foundation.values import JsonObject, flag, guid, text, whole_number
from runner.runs.events import Trouble
from runner.service.calls import Answered, Call, Caller, CallFailed, Ending, FailureKind, QueryCall, ReadSchema
from runner.service.gate import OPEN
from runner.service.odata import Pages
from runner.service.process_schema import signature

SECONDS: Final = 60.0  # for each call
_AT_ONCE: Final = 4
_ATTEMPTS: Final = 3
_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
_MOST: Final = 20_000  # as many rows as a site gives in a reply at most; more come page by page
_ROOTS: Final = 20  # ids in a question: IIS takes a query of 2,048 characters, unless it is configured otherwise [D]
_COLUMN_REFUSED: Final = frozenset({400, 500, 501})
"""A library may lack a column that others have [?]: then all that it has are asked for."""
_COLUMNS: Final = (
    *("Id", "UId", "Name", "Caption", "Enabled", "IsActiveVersion", "HasStartEvent", "Version"),
    *("VersionParentUId", "IsProcessTracing"),
)


_EMPTY: Final = Trouble(
    code="E307",
    message="the library of processes (VwProcessLib) shows none at all",
    hint="check that the user may read it: a list without what a user may not see is empty, and no error",
)
_WITHOUT_LIBRARY: Final = "jobs run without a catalogue, too; `runner catalog build` makes one of packages in git"


class NoAnswerError(Exception):
    """A site that does not answer."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


class PatientReader(Struct, frozen=True, kw_only=True):
    """Reads from a site, and asks again where a call was not answered: reading may be repeated. `wait` pauses."""

    caller: Caller
    wait: Callable[[float], object]

    def read(self, call: Call) -> Ending:
        for attempt in range(1, _ATTEMPTS + 1):
            ending = self.caller.perform(call, SECONDS, gate=OPEN)
            if isinstance(ending, Answered) or ending.final or ending.kind is FailureKind.REFUSED:
                break
            if attempt < _ATTEMPTS:
                self.wait(min(ending.retry_after or _PAUSE * attempt, _LONGEST_PAUSE))
        return ending


class Found(Struct, frozen=True, kw_only=True):
    """`odd` are sentences about what the site answered and nobody could read, by the process."""

    processes: dict[str, Process] = field(default_factory=dict)
    odd: tuple[tuple[str, str], ...] = ()


class Library(Struct, frozen=True, kw_only=True):
    """What a site lists: families of versions by their roots' codes, and each version's row. `odd`: as in `Found`."""

    families: dict[str, ProcessFamily]
    rows: dict[DesignVersion, JsonObject]
    odd: tuple[tuple[str, str], ...] = ()

    def listed(self, code: str) -> Process:
        """What the list alone says about a process: its versions, not what it takes and gives."""
        return process_of(self.families[code], parameters=None, elements=None, unread="it was not asked for")


def pull(site: PatientReader, *, listed: Callable[[int], None]) -> Found:
    """All that the site has, of the versions that act; `listed` gets their number. Raises `NoAnswerError`."""
    library = read_library(site)
    found = library.families
    listed(len(found))
    asking = ThreadPoolExecutor(_AT_ONCE)
    try:
        acting = [library.rows[family.acting] for family in found.values()]
        read = list(_asked(asking, partial(read_signature, site), acting))
    finally:
        asking.shutdown(cancel_futures=True)
    processes = {code: _process(family, answer) for (code, family), answer in zip(found.items(), read, strict=True)}
    odd = [(code, sentence) for code, answer in zip(found, read, strict=True) for sentence in answer.odd]
    return Found(processes=processes, odd=(*library.odd, *odd))


def read_library(site: PatientReader) -> Library:
    """The list of all that the site has. Raises `NoAnswerError`."""
    rows = {version_of(row): row for row in _rows(site) if text(row, "Name")}
    roots = _hidden_roots(site, rows)
    found = families([*(roots if isinstance(roots, list) else ()), *rows])
    if not found:
        raise NoAnswerError(_EMPTY)
    if isinstance(roots, list):
        return Library(families=found, rows=rows)
    why = f"it is a version of a process that the library hides, whose code could not be read: {roots.trouble.message}"
    known = {version.uid for version in rows}
    versions = [version.code for version in rows if version.parent is not None and version.parent not in known]
    return Library(families=found, rows=rows, odd=tuple((code, why) for code in versions))


def read_process(site: PatientReader, library: Library, code: str) -> Process:
    """A process of the list, with what it takes and gives. Raises `NoAnswerError`."""
    family = library.families[code]
    return _process(family, read_signature(site, library.rows[family.acting]))


def _asked(
    asking: ThreadPoolExecutor, ask: Callable[[JsonObject], Signature], rows: Iterable[JsonObject]
) -> Iterator[Signature]:
    try:
        return asking.map(ask, rows)
    except RuntimeError as error:
        raise threads.none_left() from error


def _rows(site: PatientReader) -> list[JsonObject]:
    call = QueryCall(entity="VwProcessLib", select=_COLUMNS, orderby=("Name", "Id"), top=_MOST)
    found = read_pages(site, call)
    if isinstance(found, CallFailed) and found.status in _COLUMN_REFUSED:
        found = read_pages(site, replace(call, select=()))
    if isinstance(found, CallFailed):
        trouble = trouble_of(found, "the library of processes (VwProcessLib)")
        if found.kind is FailureKind.REFUSED:
            trouble = replace(trouble, hint="; ".join(filter(None, (trouble.hint, _WITHOUT_LIBRARY))))
        raise NoAnswerError(trouble)
    return found


def _hidden_roots(site: PatientReader, versions: Iterable[DesignVersion]) -> list[DesignVersion] | CallFailed:
    """Roots that the library hides, but not their versions, if the site gives them [?]. None runs."""
    roots: list[DesignVersion] = []
    known = {version.uid for version in versions}
    lacking = sorted({version.parent for version in versions if version.parent is not None} - known)
    for at in range(0, len(lacking), _ROOTS):
        condition = " or ".join(f"UId eq {uid}" for uid in lacking[at : at + _ROOTS])
        call = QueryCall(entity="SysSchema", filter=condition, select=("UId", "Name"), top=_MOST)
        found = read_pages(site, call)
        if isinstance(found, CallFailed):
            return found
        named = ((text(row, "Name"), guid(row.get("UId"))) for row in found)
        roots += [DesignVersion(code=code, uid=uid, active=False) for code, uid in named if code]
    return roots


def read_pages(site: PatientReader, call: QueryCall, *, most: int | None = None) -> list[JsonObject] | CallFailed:
    """The records of all pages, or of so many that there are at least `most`. Raises `NoAnswerError` for a circle."""
    pages = Pages(call=call, most=most)
    while pages.call is not None:
        ending = site.read(pages.call)
        if isinstance(ending, CallFailed):
            return ending
        pages.take(ending.value)
    if pages.trouble is not None:
        raise NoAnswerError(pages.trouble)
    return pages.records


def version_of(row: JsonObject) -> DesignVersion:
    """A row of the library. A root's own parent is empty, or itself [C]."""
    return DesignVersion(
        code=text(row, "Name") or "",
        uid=guid(row.get("UId")),
        parent=guid(row.get("VersionParentUId")),
        caption=text(row, "Caption") or "",
        number=whole_number(row, "Version"),
        active=flag(row, "IsActiveVersion"),
        enabled=flag(row, "Enabled"),
        traced=flag(row, "IsProcessTracing"),
        has_start=flag(row, "HasStartEvent"),
    )


def read_signature(site: PatientReader, row: JsonObject) -> Signature:
    """What the site says about the process in `row`, by its Id [C], else by its UId [?]. Raises `NoAnswerError`."""
    keys = dict.fromkeys(key for name in ("Id", "UId") if (key := text(row, name)))
    refused: CallFailed | None = None
    for key in keys:
        ending = site.read(ReadSchema(schema_id=key))
        if isinstance(ending, Answered):
            return signature(ending.value)
        if ending.kind is not FailureKind.REFUSED and ending.status != HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NoAnswerError(trouble_of(ending, f"process `{text(row, 'Name')}`"))
        refused = refused or ending
    why = f"the site does not give it: {refused.trouble.message}" if refused else "the library does not give its id"
    return Signature(odd=(why,))


def trouble_of(failed: CallFailed, what: str) -> Trouble:
    """Why a question got no answer. Where nothing could be asked, it matters little what it was."""
    trouble = failed.trouble
    if failed.kind is FailureKind.NOT_SENT:
        return trouble
    return Trouble(code=trouble.code, message=f"{what} cannot be read: {trouble.message}", hint=trouble.hint)


def _process(family: ProcessFamily, found: Signature) -> Process:
    is_whole = found.parameters is not None and found.elements is not None
    return process_of(
        family,
        parameters=found.parameters,
        elements=found.elements,
        unread=None if is_whole else "the site did not give it in full",
    )

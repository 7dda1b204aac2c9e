"""The calls a run can make, as records, and the ways in which a call ends.

A call is a request and its reply. What it looks like on the wire is `runner.service.wire`'s business;
whether it is repeated, and what its failure means for a step, is the engine's.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import ClassVar, Final, TypeAlias

from msgspec import Struct

from runner.foundation import server_time
from runner.foundation.discreet import Discreet
from runner.foundation.values import Json, JsonObject
from runner.job.actions import Change, Decode
from runner.runs.events import Trouble

MOST_ROWS: Final = 200
"""Rows of the log that a reading asks for: those of a process that many start, since a watermark."""


class CallRecord(Struct, frozen=True, kw_only=True):
    """A call. The journal holds it under its tag, with its fields but for those of `NOT_JOURNALED`."""

    NOT_JOURNALED: ClassVar = frozenset[str]()


class Act(CallRecord, frozen=True, kw_only=True):
    """A call that may change something; others read."""


class ExecuteCall(Act, frozen=True, kw_only=True, tag="execute"):
    """Execute(): `parameters` in the job's order, null ones left out. Answers the decoded result, or None."""

    NOT_JOURNALED: ClassVar = frozenset({"decode"})

    process: str
    parameters: Mapping[str, Json]
    result: str | None = None
    decode: Decode = Decode.AUTO


class ElementCall(Act, frozen=True, kw_only=True, tag="element"):
    """ExecProcElByUId(). Answers the decoded reply, or None."""

    uid: str


class CompleteCall(Act, frozen=True, kw_only=True, tag="complete"):
    """CompleteExecuting() with values. Answers `executionData`, or None."""

    uid: str
    parameters: Mapping[str, Json]


class Version(Struct, frozen=True, kw_only=True):
    """A version of a process: its number, the code of its own, and the id of its design where that is known."""

    number: int
    code: str
    uid: str | None = None


class RunProcessCall(Act, frozen=True, kw_only=True, tag="run"):
    """RunProcess(). Answers `{"process_id", "status", "results", "error"}`.

    `process_id` is a GUID, or None where the process is queued (an empty GUID with success) [M]; `status` is `done`,
    `running`, `error`, `cancelled`, `queued`, or a number that is not known, as text; `results` the values by code;
    `error` the reply's own words, generic where an element threw [M], None where it has none. `success: false` is a
    refusal, but for a process with an id that ended in error or was cancelled: there the status is the verdict.
    With `version` it is RunSpecifiedProcessVersion(): this version runs, active or not [S].
    """

    NOT_JOURNALED: ClassVar = frozenset({"version"})

    process: str
    parameters: Mapping[str, Json]
    results: tuple[str, ...] = ()
    version: Version | None = None


class CancelCall(Act, frozen=True, kw_only=True, tag="cancel"):
    """CancelExecution() of an instance, root and all that it has started. Answers None."""

    process_id: str


class ChangeCall(Act, frozen=True, kw_only=True, tag="change"):
    """A record changed through OData. Answers the record of an insert, else None.

    `starts` is the process that the change is to start, which is not sent.
    """

    NOT_JOURNALED: ClassVar = frozenset({"starts"})

    change: Change
    entity: str
    id: str
    values: Mapping[str, Json]
    starts: str | None = None


class QueryCall(CallRecord, frozen=True, kw_only=True, tag="query"):
    """A page of an OData collection. Answers `{"records": [...], "next": …}`.

    `next` is what to hand in for the following page (path and query on the same site), None at the end. Keys that
    begin with `@odata.` are dropped from the records. With `next` the other fields do not matter.
    """

    NOT_JOURNALED: ClassVar = frozenset({"orderby", "top"})

    entity: str
    filter: str | None = None
    select: tuple[str, ...] = ()
    orderby: tuple[str, ...] = ()
    top: int = 100
    next: str | None = None


class ReadElements(CallRecord, frozen=True, kw_only=True, tag="read_elements"):
    """SysProcessElementLog of a process. Answers a list of `{"id", "uid", "kind", "caption", "status", "error"}`,
    newest first.

    `id` is the element's own in this instance, `uid` that of its design.
    `status` is in the words of `ReadRows`. It may be empty where process tracing is off (the sources conflict).
    """

    process_id: str


class ReadElementData(CallRecord, frozen=True, kw_only=True, tag="read_element_data"):
    """SysProcessElementData of a process: the engine's own store, which holds what waits, whatever is logged.

    Answers a list of `{"id", "uid", "status"}`: `status` in the words of `ReadRows`, or the server's own number.
    """

    process_id: str


class LogRow(Struct, frozen=True, kw_only=True):
    """A row of SysProcessLog: `status` is `running`, `done`, `error`, `cancelled` or the server's own id; `started` as
    the server writes it; `parent` is the id of the process that has started this process as a part of itself.
    """

    id: str
    name: str | None = None
    started: str | None = None
    completed: str | None = None
    status: str | None = None
    owner: str | None = None
    parent: str | None = None
    error: str | None = None

    @property
    def began(self) -> float | None:
        """When it began, by the time that is written in it; None where that is none."""
        return None if self.started is None else server_time.parse_record(self.started)


class ReadRows(CallRecord, frozen=True, kw_only=True, tag="read_rows"):
    """Rows of a process in SysProcessLog, newest first. Answers a list of rows, as in `LogRow`.

    The process is named by `schema_ids`, those of its versions, whose rows bear them; where these are not known, by its
    code (filtered by `SysSchema/Name`).
    `since` is a `started` of an earlier row; rows of that very instant are included.
    As many rows as `top` may be the first of more; with fewer these are all, also where the log answers in pages.
    `reasons`: with why processes failed, which may be secret, and is not needed of what was there before a call.
    """

    NOT_JOURNALED: ClassVar = frozenset({"schema_ids", "top", "reasons"})

    process: str
    schema_ids: tuple[str, ...] = ()
    since: str | None = None
    top: int = MOST_ROWS
    reasons: bool = True


class ReadRow(CallRecord, frozen=True, kw_only=True, tag="read_row"):
    """A row of SysProcessLog by the process's id. Answers a row, as in `LogRow`, or None for no such row."""

    process_id: str


class FindProcess(CallRecord, frozen=True, kw_only=True, tag="find_process"):
    """VwProcessLib by the process's code. Answers the schema id as text, or None."""

    process: str


class FindFamily(CallRecord, frozen=True, kw_only=True, tag="find_family"):
    """VwProcessLib by the process's code, for the family of its versions.

    Answers the id of the root's design, which `ReadFamily` takes; None where the library has no such process. `fresh`:
    what was answered to another run of the command is not enough.
    """

    process: str
    fresh: bool = False


class FindHiddenFamily(FindFamily, frozen=True, kw_only=True, tag="find_hidden_family"):
    """The same by SysSchema, where every schema is [?]: a library may show versions of a process and hide its root."""


class ReadFamily(CallRecord, frozen=True, kw_only=True, tag="read_family"):
    """VwProcessLib by the id of the root's design: every version of the process, the root among them.

    Answers a list of `{"code", "uid", "schema_id", "version", "active", "enabled", "traced"}`, null for what the
    library does not have; `schema_id` is what rows of the log bear. A library without versions refuses it [?]. `fresh`
    as in `FindFamily`.
    """

    root: str
    fresh: bool = False


class ReadSchema(CallRecord, frozen=True, kw_only=True, tag="read_schema"):
    """ProcessSchemaRequest: the signature of a process by the id of its row in VwProcessLib.

    Answers `{"parameters", "elements", "odd"}`, in the words of the language. `parameters` is a list of `{"code",
    "type", "direction", "items", "lookup"}` with items `{"code", "type"}`, `elements` one of `{"uid", "name", "type"}`,
    both with a `caption` where they have any; each is null where the reply does not say. `odd` are sentences about what
    could not be read.
    """

    schema_id: str


NOW: Final = "now"
"""The key of who is signed in, where another account made the calls of the run before it broke off."""


class WhoAmI(CallRecord, frozen=True, kw_only=True, tag="who_am_i"):
    """GetCurrentUserInfo: answers our own contact id as text, or None where the reply holds none."""


class WhoIsUser(CallRecord, frozen=True, kw_only=True, tag="who_is_user"):
    """SysAdminUnit by the name we signed in with: answers the contact id as text, or None."""


OfLibrary: TypeAlias = FindProcess | FindFamily | FindHiddenFamily | ReadFamily | ReadSchema
Reading: TypeAlias = ReadRows | ReadRow | ReadElements | ReadElementData | OfLibrary | WhoAmI | WhoIsUser
"""Calls that the engine makes of its own accord, to learn something."""
Call: TypeAlias = (
    ExecuteCall | ElementCall | CompleteCall | RunProcessCall | CancelCall | ChangeCall | QueryCall | Reading
)


def process_started(call: Call) -> str | None:
    if not isinstance(call, Act):
        return None
    match call:
        case ExecuteCall(process=process) | RunProcessCall(process=process) | ChangeCall(starts=process):
            return process
        case _:
            return None


@cache
def _journaled(call: type[CallRecord]) -> tuple[str, ...]:
    return tuple(name for name in call.__struct_fields__ if name not in call.NOT_JOURNALED)


def record(call: Call) -> JsonObject:
    """The call as the journal holds it: `kind`, and what it asks for. Secrets are the journal's business."""
    fields: JsonObject = {name: _as_json(getattr(call, name)) for name in _journaled(type(call))}
    match call:
        case RunProcessCall(version=Version(number=number)):
            fields["version"] = number
        case ChangeCall(starts=process):
            fields["process"] = process
        case _:
            pass
    return {"kind": type(call).__struct_config__.tag, **fields}


def _as_json(value: "Json | tuple[str, ...] | Mapping[str, Json]") -> Json:
    if value is None or isinstance(value, (str, dict)):  # most are, and to ask whether it is a Mapping takes long
        return value
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


SESSION_REFUSED: Final = "E304"
"""The code of a call that was answered with a demand to sign in."""


class FailureKind(StrEnum):
    """What a failed call may have done to the site."""

    NOT_SENT = "not_sent"
    """Nothing left this machine: no connection, no session."""
    TURNED_AWAY = "turned_away"
    """It says that it did not act: 401, a login page, 429. A proxy that repeats a call hands on its second answer."""
    REFUSED = "refused"
    """The service refused. Something may have happened before it did."""
    UNANSWERED = "unanswered"
    """It may have happened."""


class Answered(Discreet, frozen=True, kw_only=True):
    """`date` is the server's own time, as the header of its answer says it.

    `status` is of HTTP; `size` the bytes of the answer's body, over all its pages.
    """

    NOT_COMPARED: ClassVar = frozenset({"date", "status", "size"})

    value: Json
    date: str | None = None
    status: int | None = None
    size: int | None = None


class CallFailed(Discreet, frozen=True, kw_only=True):
    """`status` is of HTTP, None without a reply; `retry_after` is seconds; `final`: repeating cannot help.

    `unwanted`: when it could have been sent, after a sign-in perhaps, nobody wanted it any more, and it was not.
    `date` is as in `Answered`. `nothing_ran`: of a call that was turned away, the answer alone proves it.
    `unproved`: a refusal is not known to be the service's own: a proxy may refuse what it has handed on.
    `refused_sign_in`: name and password, or the OAuth client, were checked and refused. A few of that lock an account.
    `body` is the start of what the service answered, as text; `size` the bytes of all that it answered.
    `no_session` says why there is no session, for whoever asks for nothing else; empty of what failed after a sign-in.
    """

    NOT_SHOWN: ClassVar = frozenset({"body"})
    NOT_COMPARED: ClassVar = frozenset({"size", "no_session"})

    kind: FailureKind
    trouble: Trouble
    status: int | None = None
    retry_after: float | None = None
    final: bool = False
    unwanted: bool = False
    date: str | None = None
    nothing_ran: bool = False
    unproved: bool = False
    refused_sign_in: bool = False
    body: str | None = None
    size: int | None = None
    no_session: str = ""


Ending: TypeAlias = Answered | CallFailed

"""The calls that a run can make, as records, the ways in which a call ends, and what makes calls.

`runner.service.wire` writes them for the wire. Whether a call is repeated, and what a failure means, the engine
decides.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Final, Protocol, TypeAlias

from msgspec import Struct, to_builtins

from runner.foundation import server_time
from runner.foundation.discreet import Discreet
from runner.foundation.values import Json, JsonObject
from runner.job.actions import Change, Decode
from runner.runs.events import Trouble
from runner.service.gate import Gate

MOST_ROWS: Final = 200
"""Rows of the log that a reading asks for: those of a process that many start, since a watermark."""


class CallRecord(Struct, frozen=True, kw_only=True, tag_field="kind"):
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
    """RunProcess(). Answers `{"process_id", "status", "results", "error"}`; `results` are the values by code.

    `process_id` is None for a queued process (an empty GUID with success) [M]. `status` is `done`, `running`, `error`,
    `cancelled`, `queued`, or an unknown number. `error` is the reply's own text, generic where an element threw [M].
    `success: false` is a refusal, unless an id shows that the process ended badly. With `version` it is
    RunSpecifiedProcessVersion(): this version runs, active or not [S].
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
    """A record changed through OData. Answers the record of an insert, else None."""

    NOT_JOURNALED: ClassVar = frozenset({"starts"})

    change: Change
    entity: str
    id: str
    values: Mapping[str, Json]
    starts: str | None = None  # the process that it starts; it is not sent


class QueryCall(CallRecord, frozen=True, kw_only=True, tag="query"):
    """A page of an OData collection. Answers `{"records": […], "next": …}`, without `@odata.` keys.

    `next` of the answer is null at the end.
    """

    NOT_JOURNALED: ClassVar = frozenset({"orderby", "top"})

    entity: str
    filter: str | None = None
    select: tuple[str, ...] = ()
    orderby: tuple[str, ...] = ()
    top: int = 100
    next: str | None = None  # from the page before: path and query; the other fields do not matter then


class TableCall(CallRecord, frozen=True, kw_only=True):
    """A reading of rows that the engine makes of its own accord: `runner.service.process_log` asks OData for them."""


class ReadElements(TableCall, frozen=True, kw_only=True, tag="read_elements"):
    """SysProcessElementLog of a process, newest first: `{"id", "uid", "kind", "caption", "status", "error"}` each.

    `id` is of this instance, `uid` of the design; `status` as in `ReadRows`. It may be empty where process tracing is
    off (the sources conflict).
    """

    process_id: str


class ReadElementData(TableCall, frozen=True, kw_only=True, tag="read_element_data"):
    """SysProcessElementData of a process, the engine's own store of what waits: a list of `{"id", "uid", "status"}`."""

    process_id: str


class LogRow(Struct, frozen=True, kw_only=True):
    """A row of SysProcessLog."""

    id: str
    name: str | None = None
    started: str | None = None  # as the server writes it
    completed: str | None = None
    status: str | None = None  # `running`, `done`, `error`, `cancelled`, or the server's own id
    owner: str | None = None
    parent: str | None = None  # id of the process that has started it as a part
    error: str | None = None

    @property
    def began(self) -> float | None:
        """When it began, by the time that is written in it; None where that is none."""
        return None if self.started is None else server_time.parse_record(self.started)


class ReadRows(TableCall, frozen=True, kw_only=True, tag="read_rows"):
    """Rows of a process in SysProcessLog, newest first, as `LogRow`."""

    NOT_JOURNALED: ClassVar = frozenset({"schema_ids", "top", "reasons"})

    process: str
    schema_ids: tuple[str, ...] = ()  # of its versions, which rows have; else its code counts (`SysSchema/Name`)
    since: str | None = None  # `started` of an earlier row, included
    top: int = MOST_ROWS  # so many rows may be the first of more
    reasons: bool = True  # with why processes failed, which may be secret


class ReadRow(TableCall, frozen=True, kw_only=True, tag="read_row"):
    """A row of SysProcessLog by the process's id. Answers a row, as in `LogRow`, or None for no such row."""

    process_id: str


class FindProcess(TableCall, frozen=True, kw_only=True, tag="find_process"):
    """VwProcessLib by the process's code. Answers the schema id as text, or None."""

    process: str


class FindFamily(TableCall, frozen=True, kw_only=True, tag="find_family"):
    """VwProcessLib by the process's code. Answers the id of the root's design, or None."""

    process: str
    fresh: bool = False  # an answer to another run of the command is not enough


class FindHiddenFamily(FindFamily, frozen=True, kw_only=True, tag="find_hidden_family"):
    """The same by SysSchema, where every schema is [?]: a library may show versions of a process and hide its root."""


class ReadFamily(TableCall, frozen=True, kw_only=True, tag="read_family"):
    """VwProcessLib by the id of the root's design: every version, as `{"code", "uid", "schema_id", "version", "active",
    "enabled", "traced"}`, null for what the library does not have.

    `schema_id` is what rows of the log have. A library without versions refuses it [?]. `fresh` as in `FindFamily`.
    """

    root: str
    fresh: bool = False


class ReadSchema(CallRecord, frozen=True, kw_only=True, tag="read_schema"):
    """ProcessSchemaRequest: the signature of a process by the id of its row in VwProcessLib.

    Answers `{"parameters", "elements", "odd"}` in the words of the language, null where the reply does not say:
    parameters `{"code", "type", "direction", "items", "lookup"}`, elements `{"uid", "name", "type"}`, perhaps with a
    `caption`. `odd` are messages on what could not be read.
    """

    schema_id: str


NOW: Final = "now"  # the key of who is signed in, where another account made the calls of the run before it broke off


class WhoAmI(CallRecord, frozen=True, kw_only=True, tag="who_am_i"):
    """GetCurrentUserInfo: answers our own contact id as text, or None where the reply holds none."""


class WhoIsUser(TableCall, frozen=True, kw_only=True, tag="who_is_user"):
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


def record(call: Call) -> JsonObject:
    """The call as the journal holds it: `kind`, and what it asks for. Secrets are the journal's business."""
    fields: JsonObject = to_builtins(call)
    for name in call.NOT_JOURNALED:
        del fields[name]
    match call:
        case RunProcessCall(version=Version(number=number)):
            fields["version"] = number
        case ChangeCall(starts=process):
            fields["process"] = process
        case _:
            pass
    return fields


SESSION_REFUSED: Final = "E304"  # the code of a call that was answered with a demand to sign in


class FailureKind(StrEnum):
    """What a failed call may have done to the site."""

    NOT_SENT = "not_sent"  # nothing left this machine: no connection, no session
    TURNED_AWAY = "turned_away"
    """It says that it did not act: 401, a login page, 429. A proxy that repeats a call hands on its second answer."""
    REFUSED = "refused"  # the service refused. Something may have happened before it did.
    UNANSWERED = "unanswered"  # it may have happened


class Answered(Discreet, frozen=True, kw_only=True):
    """A call was answered."""

    NOT_COMPARED: ClassVar = frozenset({"date", "status", "size"})

    value: Json
    date: str | None = None  # the server's own time, from the header
    status: int | None = None
    size: int | None = None  # bytes of the body, over all pages


class CallFailed(Discreet, frozen=True, kw_only=True):
    """A call failed."""

    NOT_SHOWN: ClassVar = frozenset({"body"})
    NOT_COMPARED: ClassVar = frozenset({"size", "no_session"})

    kind: FailureKind
    trouble: Trouble
    status: int | None = None  # of HTTP
    retry_after: float | None = None  # seconds
    final: bool = False  # repeating cannot help
    unwanted: bool = False  # nobody wanted it any more when it could be sent
    date: str | None = None  # as in `Answered`
    unproved: bool = False  # a refusal that may be a proxy's
    refused_sign_in: bool = False  # credentials were refused; a few such tries lock an account
    body: str | None = None  # the start of the answer
    size: int | None = None  # bytes of the answer
    no_session: str = ""  # why there is none; empty after a sign-in


Ending: TypeAlias = Answered | CallFailed


class Caller(Protocol):
    """Makes calls. `gate` is asked just before the first byte of a call leaves."""

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending: ...


class SessionCaller(Caller, Protocol):
    """A caller with a session that can be asked for, and given up."""

    def sign_in(self, seconds: float) -> CallFailed | None: ...

    def forget_sign_in(self) -> None: ...

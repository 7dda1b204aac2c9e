"""ProcessEngineService: its methods make a request a call that is ready, or refuse it; `answering` carries it out.

Choices [?]: an unknown process or element, or a value of a wrong type, answers 500 with a fault, or `success: false`
from the JSON methods; a wrong body of RunProcess 400. Execute answers an empty string at the first wait, or with
`ResultParameterName` waits for the end of a background process, as RunProcess does [S]. RunProcess gives no execution
data, and `{}` without results.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto

from msgspec import Struct
from starlette.responses import Response

from runner.catalogue.kinds import CannotReadError
from runner.catalogue.model import Direction, Kind
from runner.foundation.values import EMPTY_GUID, Json, JsonObject, items, record, text, write_json
from runner.sandbox.doubles import Double
from runner.sandbox.engine import Begun, Engine
from runner.sandbox.process_schemas import error_of
from runner.sandbox.replies import fault, nothing, plain_json, record_in, record_or_none, string
from runner.sandbox.sign_in import User
from runner.sandbox.store import InstanceStatus, ReachedElement

_RESULT = "ResultParameterName"
_THREW = "An error has occurred during the process execution. Please check the process log for details"
_STATUSES = {InstanceStatus.RUNNING: 1, InstanceStatus.DONE: 2, InstanceStatus.ERROR: 3, InstanceStatus.CANCELLED: 4}
"""`processStatus` [M]. 0 is inactive: queued, or never started."""
_NOT_STARTED: JsonObject = {
    "processId": EMPTY_GUID,
    "processStatus": 0,
    "resultParameterValues": {},
    "executionData": None,
    "success": True,
    "errorInfo": None,
}
"""The reply of RunProcess for a process that is queued [M]."""


class CallerWait(Enum):
    NOT_AT_ALL = auto()
    FOR_THE_BACKGROUND = auto()
    FOR_THE_END = auto()


class PreparedCall(Struct, frozen=True, kw_only=True):
    """A call of a process that is ready, and has done nothing yet."""

    process: str  # the version that runs, by its own code
    root: str
    wait: CallerWait = CallerWait.FOR_THE_END
    begin: Callable[[str | None], Begun]  # gets the text with which it is to fail at its end
    reply: Callable[[Begun], Response]  # when `wait` is over
    queued: Callable[[], Response] | None = None  # answers a start that is put off


_ElementReply = Callable[[str | None, str | None], Response]  # takes the process's id, and what went wrong


class ProcessEngineService:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def execute(self, code: str, query: Mapping[str, str], user: User) -> PreparedCall | Response:
        """Run a process. Also when it fails, the answer is 200 and the value that the parameter holds [M]."""
        double = self._engine.double(code=code)
        if double is None:
            return fault(f"Process {code} is not found")
        try:
            values = self._engine.read(double, query)
        except CannotReadError as error:
            return fault(str(error))
        result = query.get(_RESULT)
        return PreparedCall(
            process=double.code,
            root=double.root,
            wait=CallerWait.NOT_AT_ALL if result is None else CallerWait.FOR_THE_END,
            begin=lambda failing: self._engine.begin(double, values, user, failing=failing),
            reply=lambda begun: string() if result is None else string(self._held(double, begun.process_id, result)),
            queued=lambda: string() if result is None else string("null"),
        )

    def run_process(self, body: bytes, user: User, *, as_version: bool = False) -> PreparedCall | Response:
        """RunProcess [C]. A failed process has `success`, too, with status 3 [M]. `as_version`: this version runs [S].

        Which of `schemaName` and `schemaUId` names it is [?]: the id if any.
        """
        request = record_or_none(body)
        if request is None:
            return fault("The body of the request is not a JSON object", status=400)
        code, uid = text(request, "schemaName") or "", text(request, "schemaUId") or ""
        find = self._engine.version if as_version else self._engine.double
        double = find(uid=uid) if as_version and uid else find(code=code, uid=uid)
        results = [str(name) for name in items(request.get("resultParameterNames"))]
        if double is None:
            return _not_found(code or uid)
        for name in results:
            if not _gives(double, name):  # before anything starts [S]
                return _not_found(name)
        try:
            values = self._engine.read(double, _named(request.get("parameterValues")))
        except CannotReadError as error:
            return plain_json({**_NOT_STARTED, "success": False, "errorInfo": error_of(str(error))})
        return PreparedCall(
            process=double.code,
            root=double.root,
            wait=CallerWait.FOR_THE_END if results else CallerWait.FOR_THE_BACKGROUND,
            begin=lambda failing: self._engine.begin(double, values, user, failing=failing),
            reply=lambda begun: plain_json(self._ran(double, begun.process_id, results)),
            queued=lambda: plain_json(_NOT_STARTED),
        )

    def execute_element(self, uid: str) -> PreparedCall | Response:
        """ExecProcElByUId. What the reply holds is unknown [?]: an empty string."""
        return self._on_element(uid, {}, reply=_executed_in_xml)

    def execute_element_in_json(self, body: bytes) -> PreparedCall | Response:
        """ExecProcElementByUId, the newer spelling of ExecProcElByUId [C]."""
        return self._on_element(str(record_in(body).get("processElementUId", "")), {}, reply=_executed_in_json)

    def complete_element(self, body: bytes) -> PreparedCall | Response:
        """CompleteExecuting, which puts values into the process first [C]; a second time it is refused [?]."""
        request = record_in(body)
        uid = str(request.get("processElementUId", ""))
        element = self._engine.element(uid)
        if element is not None and element.status is InstanceStatus.DONE:
            return self._completed(element.process_id, "The element is completed already")
        return self._on_element(uid, _named(request.get("parameterValues")), reply=self._completed)

    def cancel(self, body: bytes) -> Response:
        """CancelExecution, which answers nothing [C]."""
        self._engine.cancel((text(record_in(body), "processDataIds") or "").split(";"))
        return nothing(200)

    def _on_element(self, uid: str, given: Mapping[str, Json], *, reply: _ElementReply) -> PreparedCall | Response:
        element = self._engine.element(uid)
        double = None if element is None else self._engine.double_of(element)
        if element is None or double is None or element.status is InstanceStatus.CANCELLED:
            return reply(None if element is None else element.process_id, _not_waiting(uid, element))
        try:
            values = self._engine.read(double, given)
        except CannotReadError as error:
            return reply(element.process_id, str(error))
        return PreparedCall(
            process=double.code,
            root=double.root,
            begin=lambda _: self._engine.execute_element(double, element, values),
            reply=lambda begun: reply(begun.process_id, self._failure(begun.process_id)),
        )

    def _failure(self, process_id: str) -> str | None:
        """That the process failed after the element is reported in the generic text alone, a choice [?]."""
        process = self._engine.store.process(process_id)
        return _THREW if process is not None and process.status is InstanceStatus.ERROR else None

    def _completed(self, process_id: str | None, problem: str | None) -> Response:
        waiting = 0 if process_id is None else self._engine.store.waiting(process_id)
        info = error_of(problem)
        reply: JsonObject = {"success": problem is None, "errorInfo": info, "waitingUserTaskCount": waiting}
        return plain_json({**reply, "executionData": None})

    def _held(self, double: Double, process_id: str, code: str) -> str:
        """A parameter's value as Execute writes it: records are JSON in JSON, an unknown code is null [D]."""
        process = self._engine.store.process(process_id)
        if process is None or not _gives(double, code):
            return "null"
        return write_json(_typed(double, code, process.parameters[code]))

    def _ran(self, double: Double, process_id: str, results: list[str]) -> JsonObject:
        process = self._engine.store.process(process_id)
        assert process is not None
        return {
            **_NOT_STARTED,
            "processId": process_id,
            "processStatus": _STATUSES[process.status],
            "resultParameterValues": {code: _typed(double, code, process.parameters[code]) for code in results},
            "errorInfo": error_of(_THREW if process.status is InstanceStatus.ERROR else None),
        }


def _not_found(name: str) -> Response:
    error = error_of(f'Item with name "{name}" not found', code="ItemNotFoundException")
    return plain_json({**_NOT_STARTED, "success": False, "errorInfo": error})


def _executed_in_xml(_: str | None, problem: str | None) -> Response:
    return string() if problem in (None, _THREW) else fault(str(problem))


def _executed_in_json(_: str | None, problem: str | None) -> Response:
    return plain_json({"success": problem is None, "executionData": None, "errorInfo": error_of(problem)})


def _not_waiting(uid: str, element: ReachedElement | None) -> str:
    if element is not None and element.status is InstanceStatus.CANCELLED:
        return f"The process of element {uid} is not running"
    return f"Element {uid} is not found" if element is None else f"The process of element {uid} is not found"


def _gives(double: Double, code: str) -> bool:
    """Whether a caller may ask for `code`; for that of an input parameter it may, too [S]."""
    parameter = double.parameters.get(code)
    return parameter is not None and parameter.direction is not Direction.INTERNAL


def _typed(double: Double, code: str, value: Json) -> Json:
    """A result: a collection is the JSON *text* of its records, everything else is itself."""
    return write_json(value) if double.parameters[code].kind is Kind.RECORDS else value


def _named(values: Json) -> dict[str, Json]:
    """A list of `{name, value}` as a record; what has no such shape is passed over."""
    pairs = map(record, items(values))
    return {str(pair["name"]): pair.get("value") for pair in pairs if "name" in pair}

"""ProcessEngineService: starting processes and executing their elements (SERVICE.md sections 2 and 3).

Where the contract is silent [?], these are our choices: an unknown process or element, and a value that its parameter's
type does not take, answer 500 with a fault; a value for an `out` or `internal` parameter is dropped like an unknown
code; without `ResultParameterName` the reply is an empty string, sent at the double's first `delay`; what a caller
completes an element with is put into the process's parameters of the same names.
"""

import asyncio
from collections.abc import Mapping

from starlette.responses import Response

from runner.sandbox.activities import Running, Surroundings, carry_out
from runner.sandbox.doubles import Direction, Double, Kind
from runner.sandbox.json_text import read_json, write_json
from runner.sandbox.kinds import GUID, CannotReadError, empty, read
from runner.sandbox.process_log import next_start, schema_id
from runner.sandbox.replies import error_of, fault, plain_json, string
from runner.sandbox.sign_in import User
from runner.sandbox.store import Element, Process, Status
from runner.values import Json, JsonObject

_RESULT = "ResultParameterName"
_GIVEN = frozenset({Direction.IN, Direction.BOTH})
_THREW = "An error has occurred during the process execution. Please check the process log for details"


class _NotWaitingError(Exception):
    """No process waits at the element."""


class ProcessEngine:
    def __init__(self, doubles: Mapping[str, Double], surroundings: Surroundings) -> None:
        self._doubles = doubles
        self._surroundings = surroundings
        self._store = surroundings.store
        self._newest_start = self._store.newest_start()
        self._going_on: set[asyncio.Task[None]] = set()

    async def execute(self, code: str, query: Mapping[str, str], user: User) -> Response:
        """Run a process. Also when it fails, the answer is 200 and the value that the parameter holds [M]."""
        double = self._doubles.get(code)
        if double is None:
            return fault(f"Process {code} is not found")
        try:
            process = self._begin(double, query, user)
        except CannotReadError as error:
            return fault(str(error))
        running = carry_out(double, self._surroundings, process_id=process.id)
        if _RESULT not in query:
            self._let_go_on(running)
            return string()
        await _to_the_end(running)
        return string(self._held(double, process.id, query[_RESULT]))

    async def execute_element(self, uid: str) -> Response:
        """ExecProcElByUId. What the reply holds is unknown [?]: an empty string."""
        try:
            await self._go_on(self._found(uid), {})
        except _NotWaitingError as error:
            return fault(str(error))
        return string()

    async def complete_element(self, body: bytes) -> Response:
        """CompleteExecuting, which puts values into the element first [C]; a second time it is refused [?]."""
        request = _request(body)
        element = self._element(_uid(request))
        if element is not None and element.executed:
            problem: str | None = "The element is completed already"
        else:
            problem = await self._completed(request, _named(request.get("parameterValues")))
        waiting = 0 if element is None else self._store.waiting(element.process_id)
        info = error_of(problem)
        reply: JsonObject = {"success": problem is None, "errorInfo": info, "waitingUserTaskCount": waiting}
        return plain_json({**reply, "executionData": None})

    async def execute_element_of(self, body: bytes) -> Response:
        """ExecProcElementByUId, the newer spelling of ExecProcElByUId [C]."""
        problem = await self._completed(_request(body), {})
        return plain_json({"success": problem is None, "executionData": None, "errorInfo": error_of(problem)})

    def _begin(self, double: Double, given: Mapping[str, str], user: User) -> Process:
        parameters: JsonObject = {code: empty(parameter.kind) for code, parameter in double.parameters.items()}
        parameters |= self._read(double, given)
        self._newest_start = next_start(self._surroundings.now(), self._newest_start)
        process = Process(
            id=self._surroundings.new_id(),
            code=double.code,
            caption=double.caption,
            schema_id=schema_id(double.code),
            owner=user.contact_id,
            started=self._newest_start,
            parameters=parameters,
        )
        self._store.begin(process)
        return process

    def _read(self, double: Double, given: Mapping[str, Json]) -> JsonObject:
        """The values of those codes that the process takes; others are dropped in silence [M]."""
        values: JsonObject = {}
        for code, value in given.items():
            parameter = double.parameters.get(code)
            if parameter is None or parameter.direction not in _GIVEN:
                continue
            try:
                values[code] = read(value, parameter)
            except CannotReadError as error:
                raise CannotReadError(f'Parameter "{code}": {error}') from None
        return values

    def _element(self, uid: str) -> Element | None:
        return self._store.element(uid.lower()) if GUID.fullmatch(uid) else None

    def _found(self, uid: str) -> Element:
        element = self._element(uid)
        if element is None:
            raise _NotWaitingError(f"Element {uid} is not found")
        return element

    async def _go_on(self, element: Element, given: Mapping[str, Json]) -> None:
        """Execute the element once, and what follows it; an element executed before is left alone [D]."""
        process = self._store.process(element.process_id)
        double = None if process is None else self._doubles.get(process.code)
        if process is None or double is None:
            raise _NotWaitingError(f"The process of element {element.id} is not found")
        values = self._read(double, given)
        if not self._store.take(element):
            return
        self._store.keep(process.id, process.parameters | values)
        following = element.position + 1
        await _to_the_end(carry_out(double, self._surroundings, process_id=process.id, start=following))

    async def _completed(self, request: JsonObject, given: Mapping[str, Json]) -> str | None:
        """What both JSON methods complain of; also that the process failed behind the element, a choice [?]."""
        try:
            element = self._found(_uid(request))
            await self._go_on(element, given)
        except (_NotWaitingError, CannotReadError) as error:
            return str(error)
        process = self._store.process(element.process_id)
        return _THREW if process is not None and process.status is Status.ERROR else None

    def _held(self, double: Double, process_id: str, code: str) -> str:
        """A parameter's value as Execute writes it: records are JSON in JSON, an unknown code is null [D]."""
        process = self._store.process(process_id)
        parameter = double.parameters.get(code)
        if process is None or parameter is None or parameter.direction is Direction.INTERNAL:
            return "null"
        value = write_json(process.parameters[code])
        return write_json(value) if parameter.kind is Kind.RECORDS else value

    def _let_go_on(self, running: Running) -> None:
        """Carry out what happens before the first wait; the rest goes on behind the answer."""
        seconds = next(running, None)
        if seconds is not None:
            task = asyncio.create_task(_to_the_end(running, first=seconds))
            self._going_on.add(task)
            task.add_done_callback(self._going_on.discard)


async def _to_the_end(running: Running, *, first: float = 0) -> None:
    if first:
        await asyncio.sleep(first)
    for seconds in running:
        await asyncio.sleep(seconds)


def _request(body: bytes) -> JsonObject:
    """The JSON record of a body; of any other body, none with nothing in it: what is missing is told then."""
    try:
        said = read_json(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _uid(request: JsonObject) -> str:
    return str(request.get("processElementUId", ""))


def _named(values: Json) -> dict[str, Json]:
    """A list of `{name, value}` as a record; what has no such shape is passed over."""
    pairs = values if isinstance(values, list) else []
    return {str(pair["name"]): pair.get("value") for pair in pairs if isinstance(pair, dict) and "name" in pair}

"""What the sandbox offers beside the service: a page, the same as JSON, faults, and starts by hand.

Only this machine is answered, and no page of another site (`origins`). What a person does there as Supervisor is no
call of the service: it is not among the calls, and takes no fault.
"""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from runner.catalogue.kinds import CannotReadError
from runner.foundation.values import Json, JsonObject, compact
from runner.sandbox.doubles import Double
from runner.sandbox.engine import GIVEN, Engine
from runner.sandbox.entities import Entities
from runner.sandbox.faults import Faults, near_miss, read_fault
from runner.sandbox.origins import may_use_page
from runner.sandbox.page import live, page
from runner.sandbox.recent_calls import RecentCalls
from runner.sandbox.replies import UnfitRequestError, nothing, plain_json, sent_record
from runner.sandbox.sign_in import SUPERVISOR
from runner.sandbox.store import InstanceStatus
from runner.sandbox.views import Views, opened_by

_REFUSED = "only this machine and the sandbox's own page may ask: use the address that the sandbox printed"
_PRIVATE = {"Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}
"""Headers by which a browser gives an answer to our own page alone."""


class Control:
    def __init__(
        self, doubles: Mapping[str, Double], engine: Engine, *, entities: Entities, calls: RecentCalls
    ) -> None:
        store = engine.store
        self.faults = Faults(doubles.values(), taken=store.taken_faults(), on_taken=store.take_fault)
        self._engine = engine
        self._views = Views(doubles, store, entities=entities, calls=calls, faults=self.faults)

    def answer(self, request: Request, parts: tuple[str, ...], body: bytes) -> Response:
        """Answer a request for `/`, which is no parts at all, or for `/sandbox/…`, which is the parts after it."""
        if not may_use_page(request):
            return _shown({"error": _REFUSED}, status=403) if parts else nothing(200)
        match request.method, parts:
            case (("GET" | "HEAD"), ()):
                return page(self._views.page(opened_by(request.query_params)))
            case (("GET" | "HEAD"), ("live",)):
                return live(self._views.page(opened_by(request.query_params)))
            case (("GET" | "HEAD"), _):
                seen = self._views.view(parts, request.query_params)
                return nothing(404) if seen is None else _shown(seen)
            case "POST", ("faults",):
                return _done(lambda: self._set(body))
            case "DELETE", ("faults",):
                self.faults.clear()
                return _shown(self.faults.listed())
            case "POST", ("instances",):
                return _done(lambda: start_by_hand(self._engine, body))
            case "POST", ("elements",):
                return _done(lambda: execute_element(self._engine, body))
        return nothing(404)

    def _set(self, body: bytes) -> Json:
        fault, process = read_fault(body, self.faults.processes)
        self.faults.add(fault, process)
        return self.faults.listed()


def _done(deed: Callable[[], Json]) -> Response:
    """The answer to what a person does, or why it cannot be done."""
    try:
        return _shown(deed())
    except UnfitRequestError as error:
        return _shown({"error": str(error)}, status=400)


def _shown(value: Json, *, status: int = 200) -> Response:
    return plain_json(value, status=status, headers=_PRIVATE)


def start_by_hand(engine: Engine, body: bytes) -> JsonObject:
    """Start a version by `{"process": "UsrX", "parameters": {"Name": "Anna"}}`; values may be texts of any type.

    Gives the id of the new instance. Raises `UnfitRequestError`.
    """
    sent = sent_record(body, example='{"process": "UsrGreet", "parameters": {"Name": "Anna"}}')
    code = _text(sent, "process")
    double = engine.version(code=code)
    if double is None:
        raise UnfitRequestError(f"there is no process `{code}`{near_miss(code, engine.codes)}")
    begun = engine.begin(double, _values(engine, double, sent), SUPERVISOR)
    engine.run_in_background(begun)
    return {"id": begun.process_id}


def execute_element(engine: Engine, body: bytes) -> JsonObject:
    """Execute `{"element": ID}`, or with `parameters` complete it.

    Gives the id of its instance. Raises `UnfitRequestError`.
    """
    sent = sent_record(body, example='{"element": "0b2f…", "parameters": {"Name": "Anna"}}')
    key = _text(sent, "element")
    element = engine.element(key)
    double = None if element is None else engine.double_of(element)
    if element is None or double is None:
        raise UnfitRequestError(f"there is no element `{key}`")
    if element.status is not InstanceStatus.RUNNING:
        raise UnfitRequestError(f"the element does not wait any more: it is {element.status}")
    engine.run_in_background(engine.execute_element(double, element, _values(engine, double, sent)))
    return {"id": element.process_id}


def _text(sent: JsonObject, key: str) -> str:
    value = sent.get(key)
    if not isinstance(value, str) or not value:
        raise UnfitRequestError(f"`{key}` is a text" if key in sent else f"`{key}` is missing")
    return value


def _values(engine: Engine, double: Double, sent: JsonObject) -> JsonObject:
    given: Json = sent.get("parameters", {})
    if not isinstance(given, dict):
        raise UnfitRequestError(f"`parameters` is a record of values by name, not {compact(given)[:100]}")
    takes = [code for code, parameter in double.parameters.items() if parameter.direction in GIVEN]
    for code in given:
        if code not in takes:
            raise UnfitRequestError(f"{double.code} takes no parameter `{code}`{near_miss(code, takes)}")
    try:
        return engine.read(double, given)
    except CannotReadError as error:
        raise UnfitRequestError(str(error)) from None

"""What a person does on the sandbox's page, as Supervisor: start a process, execute or complete an element.

It is no call of the service: it is not among the calls, and takes no fault.
"""

from runner.catalogue.kinds import CannotReadError
from runner.foundation.values import Json, JsonObject, compact
from runner.sandbox.doubles import Double
from runner.sandbox.engine import GIVEN, Engine
from runner.sandbox.faults import near_miss
from runner.sandbox.replies import UnfitRequestError, sent_record
from runner.sandbox.sign_in import SUPERVISOR
from runner.sandbox.store import InstanceStatus


def start(engine: Engine, body: bytes) -> JsonObject:
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

"""What an answer is worth: the step's expectations and outputs, evaluated over it; and why a process failed.

Of a process that failed the log has a text, whole with its stack trace, and the element at which it happened.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from runner.checks.check import Seen, check
from runner.engine import readings
from runner.engine.attempt import Attempt, not_passed
from runner.engine.effects import Running
from runner.engine.state import OpenRow
from runner.expressions.evaluate import EvaluationError, Room
from runner.expressions.parse import expression
from runner.foundation.values import EMPTY_GUID, Json, JsonObject
from runner.job.actions import Execute
from runner.job.model import RetryOn, Verify
from runner.runs.events import Check, Trouble
from runner.runs.process_status import PROCESS_STATUSES
from runner.runs.status import Status
from runner.service.calls import LogRow

NOT_READ = Attempt()  # what is known of the process where the log was not read


def parameters_of(row: OpenRow, written: Mapping[str, Json]) -> JsonObject:
    """The parameters of a call by their codes, without nulls. Raises `EvaluationError`.

    A literal null is on purpose; a template that gives null, or no id, may be a mistake, so the row warns of it.
    """
    values = worked_out(row, written, Room("the parameters of this call"))
    empty = {None: "left out: its template gives null", EMPTY_GUID: "the empty GUID, which its template gives"}
    row.warnings = tuple(
        f"parameter `{name}` is {why}"
        for value, why in empty.items()
        for name in values
        if values[name] == value != written[name]
    )
    return {name: value for name, value in values.items() if value is not None}


def worked_out(row: OpenRow, written: Mapping[str, Json], room: Room) -> JsonObject:
    """Values by name. Raises `EvaluationError`, also where they come to more than there is room for."""
    return {name: row.state.names.value(value, f"{row.key}.{name}", room) for name, value in written.items()}


def judged(row: OpenRow, value: Json, found: Attempt = NOT_READ, *, null_matters: Execute | None = None) -> Attempt:
    """The attempt that was answered with `value`; `found` is what the log says of its process."""
    warning = None
    if null_matters is not None and null_matters.result and value in (None, EMPTY_GUID):
        if null_matters.required:
            return _missing_result(null_matters.result, is_empty=value is not None, still_ran=found.still_ran)
        why = f"null; {_CAME_EARLY if found.still_ran else _NO_SUCH_CODE}" if value is None else WHY_EMPTY
        warning = f"`{null_matters.result}` is {why}"
    seconds = row.t - row.started if found.seconds is None else found.seconds
    more: JsonObject = {
        "result": value,
        "seconds": round(seconds, 3),
        "process_status": found.process_status,
        "process_id": found.process_id,
    }
    checks, trouble = _expectations(row, more)
    attempt = Attempt(result=value, checks=checks, warnings=() if warning is None else (warning,))
    if trouble is not None:
        return replace(attempt, status=Status.FAILED, trouble=trouble, again=RetryOn.EXPECTATION)
    try:
        return replace(attempt, outputs=_outputs(row, more))
    except EvaluationError as error:
        return replace(broken(error), result=value, checks=checks)


def broken(error: EvaluationError) -> Attempt:
    """An expression broke where the step needed its value."""
    return not_passed("E207", str(error), error.hint)


WHY_EMPTY = "the empty GUID: the process has ended without a value for it, or still runs"
_NO_SUCH_CODE = "a code that the process does not have gives null as well"
_CAME_EARLY = "the process still ran when it answered: `run` with `results` waits for the value"


def _missing_result(name: str, *, is_empty: bool, still_ran: bool) -> Attempt:
    gave = "the empty GUID for" if is_empty else "no"
    message = f"the process gave {gave} `{name}`, which `required: true` asks for"
    unset = "check the way that the process took: it has set no value"
    unknown = f"check its spelling and case, and the way that the process took: {_NO_SUCH_CODE}"
    hint = _CAME_EARLY if still_ran else unset if is_empty else unknown
    return replace(not_passed("E206", message, hint), again=RetryOn.EXPECTATION)


def _expectations(row: OpenRow, more: JsonObject) -> tuple[tuple[Check, ...], Trouble | None]:
    """Every expectation of the step, and what to say of the first that is not met."""
    if not row.step.expect:
        return (), None
    names = row.state.names
    seen = Seen(
        scope=names.scope(more),
        secret=row.step.secret,
        is_secret=names.is_tainted,
        holds_secret=names.secrets.appears_in,
    )
    found = [check(expected, seen) for expected in row.step.expect]
    first = next((trouble for _, trouble in found if trouble is not None), None)
    return tuple(done for done, _ in found), first


def _outputs(row: OpenRow, more: JsonObject) -> JsonObject:
    """The step's outputs. Raises `EvaluationError` of the first that breaks."""
    outputs: JsonObject = {}
    step, names = row.step, row.state.names
    for name, written in step.outputs.items():
        label = f"{row.key}.outputs.{name}"
        outputs[name] = names.result_of(written, label, more)
        names.room_for_outputs.take(outputs[name])
        if names.is_tainted(expression(written)) or step.secret:
            names.keep_secret(outputs[name], label)
            if step.id is not None:
                names.tainted.update({("steps", step.id, "outputs", name), ("steps", step.id, "turns")})
    return outputs


def process_failed(
    found: LogRow, *, verified: bool | str = False, known: bool = True, why: str | None = None
) -> Attempt:
    """The log says that a process failed or was cancelled. `known`: the row `found` certainly belongs to the call.

    `why`: what the message says in place of a reason.
    """
    return Attempt(
        status=Status.FAILED,
        trouble=_why_failed(found, why=why),
        verified=verified,
        process_id=found.id if known else None,
        process_status=str(found.status),
        failed_row=found if known else None,
    )


def _why_failed(found: LogRow, element: JsonObject | None = None, *, why: str | None = None) -> Trouble:
    status = PROCESS_STATUSES[str(found.status)]
    message = f"the process {status.what}, and {why}" if why else sentence(status.what, found.error, element)
    return Trouble(code=status.code or "", message=message)


def with_failed_element(row: OpenRow, last: Attempt) -> Running[Attempt]:
    """`last`, with the element at which its process failed, if the log of elements names it at the first reading."""
    if last.failed_row is None or row.step.verify is Verify.NONE or row.log.refusal is not None:
        return last
    row.known = last
    elements = yield from readings.elements_once(row, last.failed_row.id)
    row.known = None
    element = failed_element(elements)
    return last if element is None else replace(last, trouble=_why_failed(last.failed_row, element))


_SAYS_NOTHING = "An error has occurred during the process execution"
"""How the text begins that is the same for every error of an element [M]; the element's own text says more."""
_LONGEST_CAPTION = 120


def failed_element(elements: Sequence[JsonObject]) -> JsonObject | None:
    """The newest row of SysProcessElementLog whose status is error, if any: tracing may be off."""
    return next((element for element in elements if element.get("status") == "error"), None)


def sentence(word: str, text: str | None, element: JsonObject | None) -> str:
    """`the process failed at the element "Approve": …`; `word` is `failed` or `was cancelled`."""
    own = _text(element, "error")
    text = own if own and (not text or text.startswith(_SAYS_NOTHING)) else text
    more = f"; the element says: {own}" if own and text and own not in text and text not in own else ""
    reason = f": {text}{more}" if text else ", and the process log gives no reason"
    return f"the process {word}{_place(element)}{reason}"


def _place(element: JsonObject | None) -> str:
    """A caption that is very long is no name, and half of it could be half a secret."""
    caption = _text(element, "caption")
    if caption and len(caption) <= _LONGEST_CAPTION:
        return f' at the element "{caption}"'
    uid = _text(element, "uid")
    return f" at the element {uid}" if uid else ""


def _text(element: JsonObject | None, name: str) -> str:
    value = None if element is None else element.get(name)
    return value.strip() if isinstance(value, str) else ""

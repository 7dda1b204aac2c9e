"""What an answer is worth: the step's expectations and outputs, evaluated over it."""

from runner.checks.check import check
from runner.engine.attempt import Attempt
from runner.engine.state import OpenRow, State
from runner.expressions.evaluate import EvaluationError
from runner.expressions.parse import expression
from runner.foundation.values import Json, JsonObject
from runner.job.actions import Execute
from runner.job.model import Expectation, Expected, RetryOn, Step
from runner.runs.events import Check, Status, Trouble

NOT_READ: JsonObject = {"process_status": None, "process_id": None}
"""What expressions see of the process where the log was not read."""


def judged(
    state: State,
    row: OpenRow,
    step: Step,
    value: Json,
    *,
    seen: JsonObject = NOT_READ,
    null_matters: Execute | None = None,
) -> Attempt:
    """The attempt that was answered with `value`. `seen` holds the names that the log gave."""
    if null_matters and null_matters.result and null_matters.required and value is None:
        return _missing_result(null_matters.result)
    more: JsonObject = {"result": value, "seconds": round(state.t - row.started, 3), **seen}
    checks, trouble = expectations(state, step, more)
    warnings = _null_warning(null_matters, value)
    if trouble is not None:
        return Attempt(
            status=Status.FAILED,
            result=value,
            trouble=trouble,
            again=RetryOn.EXPECTATION,
            checks=checks,
            warnings=warnings,
        )
    try:
        outputs = outputs_of(state, row, step, more)
    except EvaluationError as error:
        return broken(error, checks=checks, result=value)
    return Attempt(status=Status.PASSED, result=value, checks=checks, outputs=outputs, warnings=warnings)


def expectations(state: State, step: Step, more: JsonObject) -> tuple[tuple[Check, ...], Trouble | None]:
    """Every expectation of the step, and what to say of the first that is not met."""
    if not step.expect:
        return (), None
    scope = state.names.scope(more)
    known = state.names.secrets.appears_in
    found = [
        check(expected, scope, secret=step.secret or _is_tainted(state, expected), holds_secret=known)
        for expected in step.expect
    ]
    first = next((trouble for _, trouble in found if trouble is not None), None)
    return tuple(done for done, _ in found), first


def _is_tainted(state: State, expected: Expected) -> bool:
    """Whether what an expectation shows of its values could show a secret, also one too short to be found in a text."""
    return isinstance(expected, Expectation) and state.names.is_tainted(expression(expected.that))


def outputs_of(state: State, row: OpenRow, step: Step, more: JsonObject) -> JsonObject:
    """The step's outputs. Raises `EvaluationError` of the first that breaks."""
    outputs: JsonObject = {}
    for name, text in step.outputs.items():
        label = f"{row.key}.outputs.{name}"
        outputs[name] = state.names.result_of(text, label, more)
        state.names.room_for_outputs.take(outputs[name])
        if state.names.is_tainted(expression(text)) or step.secret:
            state.names.keep_secret(outputs[name], label)
            if step.id is not None:
                state.names.tainted.add(("steps", step.id, "outputs", name))
                state.names.tainted.add(("steps", step.id, "turns"))
    return outputs


def broken(error: EvaluationError, *, checks: tuple[Check, ...] = (), result: Json = None) -> Attempt:
    """An expression broke where the step needed its value."""
    trouble = Trouble(code="E207", message=str(error), hint=error.hint)
    return Attempt(status=Status.FAILED, result=result, trouble=trouble, checks=checks)


def _missing_result(name: str) -> Attempt:
    message = f"the process gave no `{name}`, which `required: true` asks for"
    hint = "a code that the process does not have gives null as well: check its spelling and case"
    trouble = Trouble(code="E206", message=message, hint=hint)
    return Attempt(status=Status.FAILED, trouble=trouble, again=RetryOn.EXPECTATION)


def _null_warning(action: Execute | None, value: Json) -> tuple[str, ...]:
    if action is None or action.result is None or value is not None:
        return ()
    return (f"`{action.result}` is null; a code that the process does not have gives null as well",)

"""A job in the place of a step: its inputs in, its outputs out, its own `vars`, steps and `finally`."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from runner.engine.answer import broken, judged
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.parameters import within
from runner.engine.perform import TIMEOUT, Interrupted
from runner.engine.scope import tainted_inputs, work_out_vars
from runner.engine.state import OpenRow, State, conditions_of
from runner.expressions.evaluate import EvaluationError, Room
from runner.expressions.parse import expression
from runner.foundation.values import JsonObject
from runner.job.actions import IncludedJob
from runner.job.model import Step
from runner.json_schema import schemas
from runner.planning.plan import PlannedStep, planned_steps
from runner.runs.events import Status, Trouble

CarrySteps: TypeAlias = Callable[[State, tuple[PlannedStep, ...]], Running[None]]

_CODES = {Status.FAILED: "E211", Status.ERROR: "E312", Status.UNKNOWN: "E401"}


def attempt_included(
    state: State, row: OpenRow, planned: PlannedStep, *, action: IncludedJob, carry_steps: CarrySteps
) -> Running[Attempt]:
    """Carry the job out once. A stop of the host still carries out its `finally`, and then goes on upwards."""
    row.attempts = 1
    try:
        inner = _state(state, row, action)
        inputs_trouble = _inputs_trouble(inner)
        if inputs_trouble is not None:
            return Attempt(status=Status.FAILED, trouble=inputs_trouble)
        work_out_vars(action.job, inner.names)
    except EvaluationError as error:
        return broken(error)
    inner.ends = _ends(state, planned.step.timeout)
    yield from carry_steps(inner, planned_steps(action.job.steps, planned.section, first=1))
    is_over = state.run.stopped_by is not None or state.run.timed_out
    inner.closing = True
    inner.ends = state.run.cleanup_ends if is_over and not state.closing else state.ends
    first_final = len(action.job.steps) + 1
    yield from carry_steps(inner, planned_steps(action.job.final_steps, planned.section, first=first_final))
    if state.run.stopped_by is not None and not state.closing:
        raise Interrupted(state.run.stopped_by)
    if state.run.timed_out and not state.closing:
        raise Interrupted(TIMEOUT, over=True)
    return outcome_of(state, row, planned.step, inner)


def _outputs(inner: State, row: OpenRow) -> JsonObject:
    """Raises `EvaluationError`."""
    outputs: JsonObject = {}
    for name, text in inner.job.outputs.items():
        outputs[name] = inner.names.result_of(text, f"{row.key}.{name}")
        inner.names.room_for_outputs.take(outputs[name])
    return outputs


def _ends(state: State, timeout: float | None) -> float | None:
    """When the time of the included job is over: its step's own, within that of the including job."""
    ends = [end for end in (state.ends, state.t + timeout if timeout is not None else None) if end is not None]
    return min(ends, default=None)


def _state(state: State, row: OpenRow, action: IncludedJob) -> State:
    """The state of the included job. Nothing of the including one is visible in it. Raises `EvaluationError`."""
    given = within(state, row, action.inputs, Room("the inputs of this job"))
    inputs: JsonObject = {
        declared.name: given.get(declared.name, declared.default)
        for declared in action.job.inputs
        if declared.name in given or not declared.required
    }
    names = replace(
        state.names,
        known={**state.names.outside, "inputs": inputs, "case": None, "vars": {}, "steps": {}},
        functions=dict(state.names.functions),
        missing={},
        tainted=tainted_inputs(action.job),
    )
    inner = State(run=state.run, job=action.job, names=names, prefix=f"{row.key}/")
    names.functions.update(conditions_of(inner))
    for declared in action.job.inputs:
        if declared.secret and declared.name in inputs:
            names.keep_secret(inputs[declared.name], f"{row.key}.inputs.{declared.name}")
    return inner


def _inputs_trouble(inner: State) -> Trouble | None:
    """What is wrong with an input that only the run could work out."""
    values = inner.names.known["inputs"]
    assert isinstance(values, dict)
    for declared in inner.job.inputs:
        if declared.name not in values:
            return Trouble(code="E130", message=f"job `{inner.job.name}`: input `{declared.name}` is required")
        wrong = schemas.from_job(declared.schema).violations(values[declared.name])
        if wrong:
            why = f"it does not fit `{wrong[0].keyword}`" if declared.secret else wrong[0].message
            return Trouble(code="E132", message=f"job `{inner.job.name}`: input `{declared.name}`: {why}")
    return None


def outcome_of(state: State, row: OpenRow, step: Step, inner: State) -> Attempt:
    """How the included job of the step ended; its outputs are the step's result."""
    status = inner.worst()
    if status is not Status.PASSED:
        code = _CODES[status]
        message = f"the job `{inner.job.name}` ended as `{status}`; its rows say why"
        return Attempt(status=status, trouble=Trouble(code=code, message=message))
    try:
        outputs = _outputs(inner, row)
    except EvaluationError as error:
        return broken(error)
    for name, text in inner.job.outputs.items():
        if step.id is not None and inner.names.is_tainted(expression(text)):
            state.names.tainted.add(("steps", step.id, "result", name))
    return judged(state, row, step, outputs)

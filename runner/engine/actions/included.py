"""A job in the place of a step: its inputs in, its outputs out, its own `vars`, steps and `finally`."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from runner.engine.answer import broken, judged, worked_out
from runner.engine.attempt import Attempt, not_passed
from runner.engine.effects import Running
from runner.engine.perform import TIMEOUT, Interrupted
from runner.engine.scope import makes_secret, tainted_inputs, work_out_vars
from runner.engine.state import OpenRow, State, Undecided
from runner.expressions.evaluate import EvaluationError, Room
from runner.expressions.parse import expression
from runner.foundation.values import JsonObject
from runner.job.actions import IncludedJob
from runner.job.model import Step
from runner.json_schema import schemas
from runner.planning.plan import PlannedStep, planned_steps
from runner.runs.status import Status

CarrySteps: TypeAlias = Callable[[State, tuple[PlannedStep, ...]], Running[None]]

_CODES = {Status.FAILED: "E211", Status.ERROR: "E211", Status.UNKNOWN: "E401"}


def attempt_included(
    row: OpenRow, planned: PlannedStep, action: IncludedJob, carry_steps: CarrySteps
) -> Running[Attempt]:
    """Carry the job out once. A signal still lets its `finally` be carried out, and then interrupts the steps above."""
    row.attempts = 1
    state, run, job = row.state, row.state.run, action.job
    closed_before = run.cleanup_ends
    try:
        inner = _state(row, action)
        if (wrong := _wrong_input(inner)) is not None:
            return wrong
        work_out_vars(job, inner.names)
    except EvaluationError as error:
        return broken(error)
    timeout = planned.step.timeout
    ends = [end for end in (state.ends, None if timeout is None else row.t + timeout) if end is not None]
    inner.ends = min(ends, default=None)
    steps, final_steps = _steps(job.steps, planned.step), _steps(job.final_steps, planned.step)
    yield from carry_steps(inner, planned_steps(steps, planned.section, first=1))
    is_over = run.stopped_by is not None or run.timed_out
    inner.closing = True
    inner.ends = run.cleanup_ends if is_over and not state.cleans_up else state.ends
    yield from carry_steps(inner, planned_steps(final_steps, planned.section, first=len(steps) + 1))
    if run.stopped_by is not None and not state.cleans_up:
        raise Interrupted(run.stopped_by)
    if run.timed_out and not state.cleans_up:
        raise Interrupted(TIMEOUT, over=True)
    if run.cleanup_ends != closed_before:  # what follows in the `finally` around it has the time for that, too
        state.ends = run.cleanup_ends
    return outcome_of(row, inner)


def _steps(steps: tuple[Step, ...], within: Step) -> tuple[Step, ...]:
    """The steps, with secret results where the job's own result is secret."""
    return tuple(replace(step, secret=True) for step in steps) if within.secret else steps


def _state(row: OpenRow, action: IncludedJob) -> State:
    """The state of the included job. Nothing of the including job is visible in it. Raises `EvaluationError`."""
    state, job = row.state, action.job
    given_secret = {("inputs", name) for name, written in action.inputs.items() if makes_secret(written, state.names)}
    given = worked_out(row, action.inputs, Room("the inputs of this job"))
    if state.run.doubts:  # it may have been handed a status that nobody knew
        again = partial(worked_out, row, action.inputs, Room("the inputs of this job"))
        state.run.undecided.append(
            Undecided(state=state, key=row.key, has_changed=lambda: again() != given, is_done=True)
        )
    inputs: JsonObject = {
        declared.name: given.get(declared.name, declared.default)
        for declared in job.inputs
        if declared.name in given or not declared.required
    }
    names = replace(
        state.names,
        known={**state.names.outside, "inputs": inputs, "case": None, "vars": {}, "steps": {}},
        functions=dict(state.names.functions),
        missing={},
        tainted=tainted_inputs(job) | given_secret,
    )
    inner = State(run=state.run, job=job, names=names, prefix=f"{row.key}/", is_inside_cleanup=state.cleans_up)
    names.functions.update(inner.conditions())
    for declared in job.inputs:
        if declared.secret and declared.name in inputs:
            names.keep_secret(inputs[declared.name], f"{row.key}.inputs.{declared.name}")
    return inner


def _wrong_input(inner: State) -> Attempt | None:
    """What is wrong with an input that only the run could work out."""
    values = inner.names.known["inputs"]
    assert isinstance(values, dict)
    for declared in inner.job.inputs:
        about = f"job `{inner.job.name}`: input `{declared.name}`"
        if declared.name not in values:
            return not_passed("E130", f"{about} is required")
        wrong = schemas.from_job(declared.schema).violations(values[declared.name])
        if wrong:
            why = f"it does not fit `{wrong[0].keyword}`" if declared.secret else wrong[0].message
            return not_passed("E132", f"{about}: {why}")
    return None


def outcome_of(row: OpenRow, inner: State) -> Attempt:
    """How the included job of the step ended; its outputs are the step's result."""
    status = inner.worst()
    if status is not Status.PASSED:
        message = f"the job `{inner.job.name}` ended as `{status}`; its rows say why"
        return not_passed(_CODES[status], message, status=status)
    outputs: JsonObject = {}
    try:
        for name, text in inner.job.outputs.items():
            outputs[name] = inner.names.result_of(text, f"{row.key}.{name}")
            inner.names.room_for_outputs.take(outputs[name])
    except EvaluationError as error:
        return broken(error)
    _taint(row, inner)
    return judged(row, outputs)


def _taint(row: OpenRow, inner: State) -> None:
    """Mark outputs that are made from a secret as secret, also in lists of turns."""
    tainted, step = row.state.names.tainted, row.step.id or ""
    secret = [name for name, text in inner.job.outputs.items() if inner.names.is_tainted(expression(text))]
    for name in secret:
        tainted.update({("steps", step, "turns"), ("steps", step, "result", *((name,) if row.index is None else ()))})

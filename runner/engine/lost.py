"""Whether the result of a step is needed: the process log gives a status, never the result of a call in doubt."""

from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec import to_builtins
from msgspec.structs import replace

from runner.engine.state import State
from runner.expressions.parse import Expression, expression, expressions_in
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, ValuePath
from runner.job.actions import Execute, IncludedJob
from runner.job.model import Expectation, Job, SchemaExpectation, Step
from runner.planning.guards import steps_of

_INDEX = lazy_pattern(r"\[\d+\]")


def needs_result(job: Job, step: Step) -> bool:
    """Whether the result decides a verdict, or what is sent: here, in `undo`, or anywhere later."""
    return _needs_it_itself(step) or step.id in steps_with_used_results(job)


def is_only_an_output(job: Job, key: str) -> bool:
    """Whether nothing but the `outputs` of the job itself needs the result of its step `key`."""
    own = replace(job, outputs={})
    placed = (found.step for found in steps_of(job) if found.key == key and found.job is job)
    return any(not needs_result(own, step) for step in placed)


def step_key(key: str) -> str:
    """The key of the step that a row is of, since turns of a step, and parts of it, belong to it."""
    return _INDEX.sub("", key)


def row_needs_result(job: Job, key: str) -> bool:
    """The same for the row of `key`; true where there is no such step."""
    wanted = step_key(key)
    step = next((placed for placed in steps_of(job) if placed.key == wanted), None)
    return step is None or needs_result(step.job, step.step)


def is_needed(state: State, step: Step) -> bool:
    """Whether the result of a step of the job that is carried out is needed."""
    if _needs_it_itself(step):
        return True
    used = state.run.used_results.get(id(state.job))
    if used is None:
        used = state.run.used_results[id(state.job)] = steps_with_used_results(state.job)
    return step.id in used


def steps_with_used_results(job: Job) -> frozenset[str]:
    """The ids of the steps whose results the job names, directly, in a whole step, or in its turns."""
    names = (name.path for found in _expressions_of(job) for name in found.names)
    return frozenset(path[1] for path in names if _is_of_a_result(path) and isinstance(path[1], str))


def not_in_result(job: Job, key: str, result: Json) -> str | None:
    """What the job takes out of the result of the row `key`, and `result` does not hold; None where it holds all."""
    step = next((placed for placed in steps_of(job) if placed.key == step_key(key)), None)
    if step is None:
        return None
    undo = step.step.undo.steps if step.step.undo else ()
    own = [*_after(step.step), *(found for undone in undo for found in _before(undone))]
    others = [] if step.key != key else [*_expressions_of(step.job)]
    for whole, expressions in (("result",), own), (("steps", step.step.id, "result"), others):
        for found in expressions:
            path = found.path or ()
            if path[: len(whole)] == whole and not _holds(result, path[len(whole) :]):
                return found.text.strip()
    return None


def _holds(value: Json, path: ValuePath) -> bool:
    for part in path:
        match value, part:
            case dict(), str() if part in value:
                value = value[part]
            case list(), int() if -len(value) <= part < len(value):
                value = value[part]
            case _:
                return False
    return True


def _needs_it_itself(step: Step) -> bool:
    if any(isinstance(expected, SchemaExpectation) for expected in step.expect):
        return True
    if isinstance(step.action, Execute) and step.action.required:
        return True
    undo = step.undo.steps if step.undo else ()
    own = chain(_after(step), *map(_before, undo))
    return any(name.path[0] == "result" for found in own for name in found.names)


def _is_of_a_result(name: ValuePath) -> bool:
    whole = 2  # steps.ID
    return name[0] == "steps" and (len(name) == whole or name[2:3] in (("result",), ("turns",)))


def _expressions_of(job: Job) -> Iterator[Expression]:
    yield from map(expression, job.outputs.values())
    for step in (*job.steps, *job.final_steps):
        yield from _expressions_in(step)


def _expressions_in(step: Step) -> Iterator[Expression]:
    """Every expression of a step, in its undo, too."""
    yield from _before(step)
    yield from _after(step)
    for undone in step.undo.steps if step.undo else ():
        yield from _expressions_in(undone)


def _before(step: Step) -> Iterator[Expression]:
    """What has to be known for the step to be carried out."""
    loop = [step.for_each] if isinstance(step.for_each, str) else []
    yield from map(expression, [step.condition, *loop])
    items: list[Json] = step.for_each if isinstance(step.for_each, list) else []
    action = step.action
    sent: Json = dict(action.inputs) if isinstance(action, IncludedJob) else to_builtins(action)
    yield from _in_templates([*items, sent])


def _after(step: Step) -> Iterator[Expression]:
    """The expressions that judge its answer: expectations and outputs, where `result` is the step's own."""
    yield from map(expression, step.outputs.values())
    expected = [found for found in step.expect if isinstance(found, Expectation)]
    yield from (expression(found.that) for found in expected)
    yield from _in_templates([found.message for found in expected if found.message])


def _in_templates(written: Iterable[Json]) -> Iterator[Expression]:
    found = (part for _, template in expressions_in([*written]) for part in template.parts)
    return (part for part in found if isinstance(part, Expression))

"""Whether the result of a step is needed: the process log gives a status, never the result of a call in doubt."""

from collections.abc import Iterable, Iterator

from msgspec import to_builtins

from runner.engine.state import State
from runner.expressions.parse import expression, expressions_in
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, Path
from runner.job.actions import Execute, IncludedJob
from runner.job.model import Expectation, Job, SchemaExpectation, Step
from runner.planning.guards import steps_of

_OF_ALL_TURNS = "turns"
_INDEX = lazy_pattern(r"\[\d+\]")


def needs_result(job: Job, step: Step) -> bool:
    """Whether the result decides a verdict, or something that is sent: an expectation or an output of the step's own
    that names it, its `undo`, or anything later in the job that uses it.
    """
    return _needs_it_itself(step) or step.id in steps_with_used_results(job)


def step_key(key: str) -> str:
    """The key of the step that a row is of, since turns of a step, and parts of it, belong to it."""
    return _INDEX.sub("", key)


def row_needs_result(job: Job, key: str, *, unknown: bool = True) -> bool:
    """The same for the row of `key`; `unknown` where there is no such step."""
    wanted = step_key(key)
    step = next((placed for placed in steps_of(job) if placed.key == wanted), None)
    return unknown if step is None else needs_result(step.job, step.step)


def is_needed(state: State, step: Step) -> bool:
    """Whether the result of a step of the job that is carried out is needed."""
    if _needs_it_itself(step):
        return True
    used = state.run.used_results.get(id(state.job))
    if used is None:
        used = state.run.used_results[id(state.job)] = steps_with_used_results(state.job)
    return step.id in used


def steps_with_used_results(job: Job) -> frozenset[str]:
    """The ids of the steps whose results the job names; a step as a whole, or all of its turns, hold its result."""
    return frozenset(name[1] for name in _names_of(job) if _is_of_a_result(name) and isinstance(name[1], str))


def _needs_it_itself(step: Step) -> bool:
    if any(isinstance(expected, SchemaExpectation) for expected in step.expect):
        return True
    if isinstance(step.action, Execute) and step.action.required:
        return True
    if any(name[0] == "result" for name in _names_after(step)):
        return True
    undo = step.undo.steps if step.undo else ()
    return any(name[0] == "result" for undone in undo for name in _names_before(undone))


def _is_of_a_result(name: Path) -> bool:
    whole = 2  # steps.ID
    return name[0] == "steps" and (len(name) == whole or name[2:3] in (("result",), (_OF_ALL_TURNS,)))


def _names_of(job: Job) -> Iterator[Path]:
    yield from _paths(job.outputs.values())
    for step in (*job.steps, *job.final_steps):
        yield from _names_in(step)


def _names_in(step: Step) -> Iterator[Path]:
    """Every name that a step uses, in its undo, too."""
    yield from _names_before(step)
    yield from _names_after(step)
    for undone in step.undo.steps if step.undo else ():
        yield from _names_in(undone)


def _names_before(step: Step) -> Iterator[Path]:
    """The names that have to be known for the step to be carried out."""
    loop = [step.for_each] if isinstance(step.for_each, str) else []
    yield from _paths([step.condition, *loop])
    items: list[Json] = step.for_each if isinstance(step.for_each, list) else []
    action = step.action
    sent: Json = dict(action.inputs) if isinstance(action, IncludedJob) else to_builtins(action)
    yield from _paths_in([*items, sent])


def _names_after(step: Step) -> Iterator[Path]:
    """The names by which its answer is judged: in its own expectations and outputs, `result` is the step's own."""
    yield from _paths(step.outputs.values())
    expected = [found for found in step.expect if isinstance(found, Expectation)]
    yield from _paths(found.that for found in expected)
    yield from _paths_in([found.message for found in expected if found.message])


def _paths(texts: Iterable[str]) -> Iterator[Path]:
    return (name.path for text in texts for name in expression(text).names)


def _paths_in(written: Iterable[Json]) -> Iterator[Path]:
    return (name.path for _, found in expressions_in([*written]) for name in found.names)

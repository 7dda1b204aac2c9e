"""Whether the result of a step is needed: the process log gives a status, never the result of a call in doubt."""

from collections.abc import Iterable, Iterator

from runner.job.model import (
    Action,
    Confirm,
    Element,
    Elements,
    Execute,
    Expectation,
    IncludedJob,
    Job,
    Pause,
    Query,
    Run,
    SchemaExpectation,
    Step,
    Wait,
)
from runner.template.parse import expression, expressions_in
from runner.values import Json, Path

_OF_ALL_TURNS = "turns"


def needs_result(job: Job, step: Step) -> bool:
    """Whether something would be said, or sent, that the result decides: an expectation or an output of the step's own
    that names it, its `undo`, or anything later in the job that uses it.
    """
    if any(isinstance(expected, SchemaExpectation) for expected in step.expect):
        return True
    if isinstance(step.action, Execute) and step.action.required:
        return True
    own = [expected.that for expected in step.expect if isinstance(expected, Expectation)]
    undo = [name for undone in (step.undo.steps if step.undo else ()) for name in _names_in(undone)]
    if any(name[0] == "result" for name in [*_paths([*own, *step.outputs.values()]), *undo]):
        return True
    return step.id is not None and any(_uses(name, step.id) for name in _names_of(job))


def _uses(name: Path, step: str) -> bool:
    """Whether a name leads to the result of a step; the step as a whole, or all of its turns, hold it."""
    return name[:2] == ("steps", step) and (len(name) == 2 or name[2] in ("result", _OF_ALL_TURNS))  # noqa: PLR2004


def _names_of(job: Job) -> Iterator[Path]:
    yield from _paths(job.outputs.values())
    for step in (*job.steps, *job.final_steps):
        yield from _names_in(step)


def _names_in(step: Step) -> Iterator[Path]:
    """Every name that a step uses, in its undo, too."""
    that = [expected.that for expected in step.expect if isinstance(expected, Expectation)]
    loop = [step.for_each] if isinstance(step.for_each, str) else []
    yield from _paths([step.condition, *that, *step.outputs.values(), *loop])
    messages: list[Json] = [expected.message for expected in step.expect if expected.message]
    items: list[Json] = step.for_each if isinstance(step.for_each, list) else []
    for _, found in expressions_in([*messages, *items, *_templates(step.action)]):
        yield from (name.path for name in found.names)
    for undone in step.undo.steps if step.undo else ():
        yield from _names_in(undone)


def _paths(texts: Iterable[str]) -> Iterator[Path]:
    return (name.path for text in texts for name in expression(text).names)


def _templates(action: Action) -> list[Json]:
    match action:
        case Execute() | Run():
            return [dict(action.parameters)]
        case Element():
            return [action.uid, dict(action.parameters or {})]
        case Elements(items=items):
            return [part for item in items for part in _templates(item)]
        case Wait(process_id=process_id):
            return [process_id]
        case Query(filter=condition):
            return [condition]
        case IncludedJob(inputs=inputs):
            return [dict(inputs)]
        case Confirm(text=text):
            return [text]
        case Pause():
            return []

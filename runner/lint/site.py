"""A job against what its target has: processes, elements, entities, and the types of all values."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from msgspec.structs import replace

from runner.catalogue.model import Catalogue
from runner.expressions.evaluate import EvaluationError, Scope, boolean
from runner.expressions.parse import TemplateProblem, expression
from runner.foundation.problems import Finding, Problem
from runner.job.outline import Outline, RawStep
from runner.lint.addresses import check_codes
from runner.lint.elements import check_elements
from runner.lint.flow import Flow
from runner.reading.document import Document


def check(
    document: Document,
    job: Outline,
    catalogue: Catalogue | None,
    *,
    called: Mapping[str, frozenset[str]] | None = None,
    target: str | None = None,
) -> tuple[Problem, ...]:
    """Types need no catalogue. `called` are the names of targets and cases, `target` is that of the catalogue."""
    away = frozenset(step.path for step in job.steps if _is_elsewhere(step.undone or step, target))
    here = replace(job, steps=tuple(step for step in job.steps if step.path not in away))
    problems = [document.found(each, ()) for each in _not_there(here, catalogue)]
    flow = Flow(document=document, job=job, catalogue=catalogue, called=called or {}, problems=problems, elsewhere=away)
    flow.through()
    return tuple(problems)


def reached(job: Outline, target: str | None) -> Iterator[Outline]:
    """The job, and what it includes but for other targets."""
    yield job
    for step in job.steps:
        if step.path in job.included and not _is_elsewhere(step.undone or step, target):
            yield from reached(job.included[step.path], target)


def _is_elsewhere(step: RawStep, target: str | None) -> bool:
    """Whether the `if` of a step asks for the target's name alone, and is false."""
    written = str(step.fields.get("if"))
    if target is None or "target.name" not in written:
        return False
    with suppress(TemplateProblem, EvaluationError):
        condition = expression(written)
        is_of_target = not condition.functions and all(name.path == ("target", "name") for name in condition.names)
        return is_of_target and not boolean(condition, Scope(names={"target": {"name": target}}))
    return False


def _not_there(job: Outline, catalogue: Catalogue | None) -> Iterator[Finding]:
    if catalogue is not None:
        from runner.lint.entities import check_entities  # noqa: PLC0415  1 ms, where there is a catalogue
        from runner.lint.processes import check_element_values, check_processes  # noqa: PLC0415  as above

        for step in job.steps:
            yield from check_processes(step, catalogue)
            yield from check_element_values(step, job, catalogue)
            yield from check_entities(step, catalogue)
    for step in job.steps if catalogue is None else ():
        yield from check_codes(step)
    yield from check_elements(job, catalogue)

"""A job against what its target has: processes, elements, entities, and the types of all values."""

from collections.abc import Iterator, Mapping

from runner.catalogue.model import Catalogue
from runner.foundation.problems import Finding, Problem
from runner.job.outline import Outline
from runner.lint.addresses import check_codes
from runner.lint.elements import check_elements
from runner.lint.flow import Flow
from runner.reading.document import Document


def check(
    document: Document, job: Outline, catalogue: Catalogue | None, *, called: Mapping[str, frozenset[str]] | None = None
) -> tuple[Problem, ...]:
    """Types need no catalogue. `called` are the names that targets and cases have."""
    problems = [document.found(each, ()) for each in _not_there(job, catalogue)]
    Flow(document=document, job=job, catalogue=catalogue, called=called or {}, problems=problems).through()
    return tuple(problems)


def _not_there(job: Outline, catalogue: Catalogue | None) -> Iterator[Finding]:
    if catalogue is not None:
        from runner.lint.entities import check_entities  # noqa: PLC0415  1 ms, where there is a catalogue
        from runner.lint.processes import check_processes  # noqa: PLC0415  as above

        for step in job.steps:
            yield from check_processes(step, catalogue)
            yield from check_entities(step, catalogue)
    for step in job.steps if catalogue is None else ():
        yield from check_codes(step)
    yield from check_elements(job, catalogue)

"""A job against what its target has: processes, elements, entities, and the types of all values."""

from runner.catalogue.model import Catalogue
from runner.foundation.problems import Problem
from runner.job.outline import Outline
from runner.lint.elements import check_elements
from runner.lint.flow import Flow
from runner.reading.collector import ProblemCollector
from runner.reading.document import Document


def check(document: Document, job: Outline, catalogue: Catalogue | None) -> tuple[Problem, ...]:
    """Types need no catalogue."""
    problems = ProblemCollector(document=document)
    if catalogue is not None:
        from runner.lint.entities import check_entities  # noqa: PLC0415  1 ms, where there is a catalogue
        from runner.lint.processes import check_processes  # noqa: PLC0415  as above

        for step in job.steps:
            for found in (*check_processes(step, catalogue), *check_entities(step, catalogue)):
                problems.add(found, ())
    check_elements(job, catalogue, problems)
    Flow(document=document, job=job, catalogue=catalogue, problems=problems.problems).through()
    return tuple(problems.problems)

"""Whether anything in a job depends on what the process of a row gave."""

from runner.engine.lost import needs_result
from runner.foundation.lazy import lazy_pattern
from runner.job.model import Job
from runner.planning.guards import steps_of

_INDEX = lazy_pattern(r"\[\d+\]")


def step_key(key: str) -> str:
    """The key of the step that a row is of, since turns of a step, and parts of it, belong to it."""
    return _INDEX.sub("", key)


def row_needs_result(job: Job, key: str, *, unknown: bool = True) -> bool:
    """The same as for its step; `unknown` where there is none."""
    wanted = step_key(key)
    step = next((placed for placed in steps_of(job) if placed.key == wanted), None)
    return unknown if step is None else needs_result(step.job, step.step)

"""The id of a process that a template gives, which the step that started the process may not know."""

from collections.abc import Iterator

from runner.engine.attempt import Attempt, not_passed
from runner.engine.elements import no_guid
from runner.engine.state import OpenRow
from runner.expressions.parse import expressions_in
from runner.foundation.values import JsonObject, record
from runner.job.actions import Run
from runner.runs.status import Status

_NOT_KNOWN = "the process's id is not known"
_RUN = "start the process with `run` in place of `execute`: its answer has the id"
RESULTS = "ask for a result with `results`: then the service does not queue the process, and its answer has the id"


def no_process_id(row: OpenRow, template: str, given: str) -> Attempt:
    """The mistake of a text that is no process id; it names the step that started the process."""
    if given != "null":
        return no_guid("the process's id", given)
    for key, starter in _steps_in(row, template):
        if starter.get("process_id") is None and starter.get("status") == Status.PASSED:
            why = f"since `{key}` is not verified; that process may still run at the site"
            return not_passed("E113", f"{_NOT_KNOWN}, {why}", RESULTS if _is_run(row, key) else _RUN)
    return not_passed("E113", f"{_NOT_KNOWN}: it is null", _RUN)


def _is_run(row: OpenRow, key: str) -> bool:
    """Whether a `run` has started it: the answer of a queued start has no id [M]."""
    job = row.state.job
    return any(step.id == key and isinstance(step.action, Run) for step in (*job.steps, *job.final_steps))


def _steps_in(row: OpenRow, template: str) -> Iterator[tuple[str, JsonObject]]:
    """The steps that the template names, as expressions see them."""
    steps = record(row.state.names.known.get("steps"))
    for _, found in expressions_in(template):
        for name in found.names:
            if name.path[0] == "steps" and len(name.path) > 1 and isinstance(name.path[1], str):
                yield name.path[1], record(steps.get(name.path[1]))

"""A person's word on a row in doubt: `--step KEY --as VERDICT [--result JSON]`, checked before it counts."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

import click

from runner.engine.lost import needs_result
from runner.foundation.problems import Problem, UsageError
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject
from runner.job.actions import IncludedJob
from runner.job.model import Job, Step
from runner.planning.plan import PlannedStep, planned_steps, steps_within, undo_of
from runner.reports.safe import clean
from runner.reports.words import doubtful
from runner.runs.events import Section
from runner.runs.result import RunResult

PASSED, FAILED, RETRY = "passed", "failed", "retry"
_INDEX = re.compile(r"\[\d+\]")
_NAMED = 5


def given(context: click.Context, result: RunResult) -> dict[str, JsonObject]:
    """The verdict of the command line by its row's key, or none. Raises `UsageError` for one that cannot be given."""
    key, said, written = (context.params[name] for name in ("step", "verdict", "result"))
    if context.params["even_though"] and said != RETRY:
        _refuse("`--even-though` goes with `--as retry` only", "it sends a call again although the log shows a start")
    if key is None and said is None and written is None:
        return {}
    if key is None or said is None:
        hint = "`--step KEY --as passed` says that the row of this key has passed"
        raise UsageError(Problem(code="E150", message="a verdict needs both `--step` and `--as`", hint=hint))
    _check_row(key, result)
    if said == RETRY and result.closing:
        _refuse(
            "`retry` comes too late: the run's steps are over, and `finally` may have deleted what they use",
            "`--as passed` or `--as failed` settles it; `runner run` begins a new run",
        )
    if context.params["even_though"]:
        return {key: {"as": said, "even_though": True}}
    if written is None:
        return {key: {"as": said}}
    if said != PASSED:
        _refuse(f"`--result` does not go with `--as {said}`", "only a row that has passed gives a result")
    return {key: {"as": said, "result": _value(written)}}


def check_results(verdicts: dict[str, JsonObject], job: Job) -> None:
    """Refuse a `passed` without a result where the job needs one: a verdict alone does not tell it."""
    for key, verdict in verdicts.items():
        found = _step_of(key, job)
        if verdict == {"as": PASSED} and found is not None and needs_result(*found):
            hint = "`--result JSON` hands it in, as the process gave it; `--as failed` lets the run end"
            _refuse(f"the job needs what `{key}` gave, and a verdict alone does not tell it", hint)


def _check_row(key: str, result: RunResult) -> None:
    keys = [step.key for step in doubtful(result.steps)]
    if key in keys:
        return
    near = suggest(key, keys)
    listed = ", ".join(f"`{clean(one)}`" for one in keys[:_NAMED]) + (" and others" if len(keys) > _NAMED else "")
    others = f"in doubt: {listed}" if keys else "nothing of this run is in doubt"
    status = next((f": it is {step.status}" for step in result.steps if step.key == key), "")
    if any(one.startswith((f"{key}/", f"{key}[")) for one in keys):
        status = " itself: a part of it is"
    hint = f"did you mean `{near}`? {others}" if near and not status else others
    _refuse(f"no row `{clean(key)}` is in doubt{status}", hint)


def _value(written: str) -> Json:
    try:
        value: Json = json.loads(written, parse_constant=_no_number)
    except (ValueError, RecursionError):
        _refuse("`--result` is no JSON", "a text stands in quotes of its own: `--result '\"text\"'`")
    return value


def _no_number(written: str) -> NoReturn:
    raise ValueError(written)


def _refuse(message: str, hint: str) -> NoReturn:
    raise UsageError(Problem(code="E158", message=message, hint=hint))


def _step_of(key: str, job: Job) -> tuple[Job, Step] | None:
    """The step that a row belongs to, with the job that it stands in. Turns and parts belong to their step."""
    wanted = _INDEX.sub("", key)
    return next(((owner, planned.step) for planned, owner in _all_steps(job) if planned.key == wanted), None)


def _all_steps(job: Job) -> Iterator[tuple[PlannedStep, Job]]:
    first_final = len(job.steps) + 1
    yield from _with_parts(planned_steps(job.steps, Section.STEPS, first=1), job)
    yield from _with_parts(planned_steps(job.final_steps, Section.FINALLY, first=first_final), job)


def _with_parts(steps: Iterable[PlannedStep], job: Job) -> Iterator[tuple[PlannedStep, Job]]:
    for planned in steps:
        yield planned, job
        if isinstance(planned.step.action, IncludedJob):
            yield from _with_parts(steps_within(planned, planned.step.action.job), planned.step.action.job)
        yield from _with_parts(undo_of(planned), job)

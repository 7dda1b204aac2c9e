"""The secret inputs of a stored run: given anew or, where its case gave them, read again from that.

What a case gave must be as it was: with one value for all, each case would send what only one case is about.
"""

import os
from collections import ChainMap
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from runner.execution.run_spec import GivenAnew
from runner.foundation.fingerprints import differing
from runner.foundation.problems import Problem, UsageError
from runner.foundation.sentences import job_and_case
from runner.foundation.values import Json, canonical_text
from runner.job.inputs import VARIABLE, Given, Origin
from runner.planning import snapshot
from runner.planning.plan_file import StoredPlan
from runner.project.job_files import JobFiles
from runner.reports.next_steps import file_command
from runner.reports.safe import clean
from runner.runs.result import RunResult
from runner.runs.store import RunStore

INPUT = "inputs."  # begins the names of their fingerprints


def given_text(name: str, given: Mapping[str, Given]) -> str | None:
    """An input as it is given anew, in text; what becomes of it is the job's business."""
    if name not in given:
        return os.environ.get(VARIABLE + name.upper())
    return canonical_text(given[name].value)


def had_other_secrets(run: str, store: RunStore, names: Iterable[str], given: Mapping[str, Given]) -> bool | None:
    """Whether a stored run had other values of these secret inputs; None: that is not known."""
    if not (names := [*names]):
        return False
    found = snapshot.read(store, run)
    texts = {f"{INPUT}{name}": given_text(name, given) for name in names}
    known = {name: text for name, text in texts.items() if text is not None}
    if isinstance(found, Problem) or known.keys() != texts.keys():
        return None
    return bool(differing(found.fingerprints, known))


def with_those_of_case(result: RunResult, found: snapshot.PlanSnapshot, anew: GivenAnew) -> GivenAnew:
    """`anew` and what the case of the run gives, as it did then. Raises `UsageError` where a value is another."""
    if not result.case_secrets:
        return anew
    written = _of_case(found.plan, anew.job_files)
    others = differing(found.fingerprints, {INPUT + name: canonical_text(value) for name, value in written.items()})
    own = {
        name: Given(value=written[name], origin=Origin.CASE, is_text=False)
        for name in result.case_secrets
        if name in written and INPUT + name not in others
    }
    texts = {name: given_text(name, ChainMap(anew.inputs, own)) for name in result.case_secrets}
    differ = differing(found.fingerprints, {INPUT + name: text for name, text in texts.items() if text is not None})
    wrong = [name for name, text in texts.items() if text is None or INPUT + name in differ]
    if wrong:
        raise UsageError(*(_not_as_then(name, result, is_there=name in own) for name in wrong))
    return replace(anew, inputs=ChainMap(anew.inputs, own))


def _of_case(plan: StoredPlan, files: JobFiles) -> Mapping[str, Json]:
    """The inputs of the plan's case, as its file has them now."""
    file = files.open(Path(plan.file))
    cases = file.job.cases if file is not None and file.job is not None and file.job.cases is not None else ()
    if plan.case is None:
        return {}
    at_its_place = cases[plan.case.index : plan.case.index + 1]
    return next((each.inputs for each in (*at_its_place, *cases) if each.name == plan.case.name), {})


def _not_as_then(name: str, result: RunResult, *, is_there: bool) -> Problem:
    run = clean(job_and_case(result.job, result.case))
    message = f"secret `{INPUT}{clean(name)}` of `{run}` came from its case, and what is given now is another value"
    hint = f"nothing was sent; leave `-i {clean(name)}` out: the case still has its value"
    if not is_there:
        message = (
            f"secret `{INPUT}{clean(name)}` of `{run}` came from its case, which does not have that value any more"
        )
        hint = f"nothing was sent; this carries out what the case says now, as a new run: `{file_command(result)}`"
    return Problem(code="E157", message=message, hint=hint)

"""Kept plans, opened so that exactly they can be carried out: their own texts, inputs and cases, whatever the files on
disk say by now.

Three things come anew: the secrets, the target of the same name, and with it the credentials. Where the target is
another place by now, or the plan was changed after it was kept, nothing is carried out.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from runner.cli import inputs
from runner.cli.opening import PlanLoader, not_secret
from runner.cli.prepared import RunSet, RunSpec, Wanted
from runner.cli.targets import name_of
from runner.foundation.problems import Problem, Severity, UsageError
from runner.job.inputs import Given, Origin
from runner.planning import plan_file
from runner.planning.plan import plan
from runner.planning.plan_file import PlanFile, StoredPlan
from runner.project.project import called
from runner.reading import files
from runner.secrets.redact import Secrets
from runner.version import VERSION


def is_plan(spec: Path) -> bool:
    """Whether a SPEC is a kept plan, by its name or by how it begins; one that cannot be read is so by its name."""
    return plan_file.is_plan(spec.name, files.beginning(spec).decode(errors="replace"))


def prepare(wanted: Wanted) -> RunSet:
    """Prepare the runs of kept plans. Raises `UsageError` with all that is in their way."""
    _refuse_what_a_plan_says(wanted)
    known = inputs.given(wanted.given, file=wanted.inputs_file)
    problems: list[Problem] = []
    runs: list[RunSpec] = []
    for spec in wanted.specs:
        plans = _read(spec, problems)
        if plans is not None:
            opening = PlanLoader(
                plans=plans.plans,
                targets_file=wanted.targets_file,
                known=known,
                changes=partial(_changes, called(spec)),
                base=_base(spec, plans),
            )
            runs.extend(replace(run, plan_key=plans.key) for run in opening.runs(problems))
    hint = "make a new plan for another value"
    typed = {name: one for name, one in known.items() if not _is_for_all_commands(one, wanted)}
    problems.extend(not_secret(typed, [run.job for run in runs], by="the plan", hint=hint))
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise UsageError(*dict.fromkeys(problems))
    told = tuple(f"the plan of {run.title} is as it was kept, {run.digest}" for run in runs)
    return RunSet(runs=tuple(runs), warnings=tuple(dict.fromkeys(problems)), told=told)


def _refuse_what_a_plan_says(wanted: Wanted) -> None:
    """A kept plan is carried out as it is, and by itself. What is set once for all commands gives way to it."""
    said = {
        "--target": wanted.targets,
        "--tags": wanted.tags,
        "--keyword": wanted.keywords,
        "--last-failed": wanted.last_failed,
    }
    found = [
        Problem(code="E150", message=f"`{option}` cannot go with a kept plan, which is carried out as it is")
        for option, value in said.items()
        if value and option not in wanted.from_environment
    ]
    if not all(map(is_plan, wanted.specs)):
        found.append(Problem(code="E150", message="kept plans and job files cannot be carried out in one command"))
    if found:
        raise UsageError(*found)


def _is_for_all_commands(one: Given, wanted: Wanted) -> bool:
    return one.origin is Origin.INPUTS_FILE and "--inputs" in wanted.from_environment


def _read(spec: Path, problems: list[Problem]) -> PlanFile | None:
    name = called(spec)
    content = files.content(spec, name=name)
    found = content if isinstance(content, Problem) else plan_file.read(name, content.decode(errors="replace"))
    if isinstance(found, Problem):
        problems.append(found)
        return None
    if found.version != VERSION:
        message = f"version {found.version or 'unknown'} made this plan, and version {VERSION} is to carry it out"
        problems.append(Problem(code="E154", message=message, file=name, severity=Severity.WARNING))
    return found


def _base(spec: Path, plans: PlanFile) -> Path:
    """The folder from which the names in a plan lead: the current one, or where their files are not there, the one in
    which the plan was made.
    """
    here, made_in = Path(), Path(os.path.realpath(spec)).parent / plans.base
    names = {one.file for one in plans.plans}
    return next((folder for folder in (here, made_in) if any((folder / name).is_file() for name in names)), here)


def _changes(name: str, prepared: RunSpec, one: StoredPlan) -> Iterator[Problem]:
    """What is not as it was when the plan in the file called `name` was kept."""
    now = name_of(prepared.target)
    if now != one.target:
        then = "a sandbox" if one.target.sandbox else one.target.url
        message = f"target `{now.name}` was {then} when the plan was kept, and is another place now"
        yield Problem(code="E154", message=message, hint="make a new plan", file=name)
    again = plan(
        prepared.job,
        sources=one.sources,
        inputs=prepared.inputs,
        target=one.target,
        secrets=Secrets(),
        case=one.case,
    )
    if again.digest != one.digest:
        message = f"`{one.job}` cannot be carried out as it was planned: its digest does not fit"
        yield Problem(code="E154", message=message, hint="make a new plan", file=name)

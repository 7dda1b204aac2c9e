"""Kept plans, opened so that exactly they can be carried out: their own texts, inputs and cases, whatever the files on
disk say by now.

Three things come anew: the secrets, the target of the same name, and with it the credentials. Where the target is
another place by now, or the plan was changed after it was kept, nothing is carried out.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from runner import kept_plan
from runner.cli import inputs
from runner.cli.prepared import Preparation, Prepared, Wanted
from runner.cli.targets import Targets, name_of
from runner.documents import files
from runner.documents.document import Document
from runner.documents.load import load
from runner.job.inputs import Given, supplied, unknown
from runner.job.model import Case, Job
from runner.job_files import JobFiles
from runner.kept_plan import KeptPlan, PlanFile
from runner.plan import plan
from runner.problems import Problem, Severity, UsageError
from runner.project import Project, called, open_project
from runner.secrets.redact import Secrets
from runner.targets.model import Target
from runner.values import Json
from runner.version import VERSION

_BEGINNING = 1024
"""Bytes of a file that are looked at to see what it is."""


def is_plan(spec: Path) -> bool:
    """Whether a SPEC is a kept plan, by its name or by how it begins; one that cannot be read is so by its name."""
    try:
        with spec.open("rb") as file:
            beginning = file.read(_BEGINNING).decode(errors="replace")
    except (OSError, ValueError):
        beginning = ""
    return kept_plan.is_plan(spec.name, beginning)


def prepare(wanted: Wanted) -> Preparation:
    """Prepare the runs of kept plans. Raises `UsageError` with all that is in their way."""
    _refuse_what_a_plan_says(wanted)
    known = inputs.given(wanted.given, file=wanted.inputs_file)
    problems: list[Problem] = []
    runs: list[Prepared] = []
    for spec in wanted.specs:
        plans = _read(spec, problems)
        if plans is not None:
            opening = _Opening(name=called(spec), plans=plans, targets_file=wanted.targets_file, known=known)
            runs.extend(opening.runs(problems))
    problems.extend(_not_secret(known, [run.job for run in runs]))
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise UsageError(*dict.fromkeys(problems))
    told = tuple(f"the plan of {run.title} is as it was kept, {run.digest}" for run in runs)
    return Preparation(runs=tuple(runs), warnings=tuple(dict.fromkeys(problems)), told=told)


def _refuse_what_a_plan_says(wanted: Wanted) -> None:
    """A kept plan is carried out as it is, and by itself."""
    said = {
        "--target": wanted.targets,
        "--tags": wanted.tags,
        "--keyword": wanted.keyword,
        "--last-failed": wanted.last_failed,
    }
    found = [
        Problem(code="E150", message=f"`{option}` cannot go with a kept plan, which is carried out as it is")
        for option, value in said.items()
        if value
    ]
    if not all(map(is_plan, wanted.specs)):
        found.append(Problem(code="E150", message="kept plans and job files cannot be carried out in one command"))
    if found:
        raise UsageError(*found)


def _read(spec: Path, problems: list[Problem]) -> PlanFile | None:
    name = called(spec)
    content = files.content(spec, name=name)
    found = content if isinstance(content, Problem) else kept_plan.read(name, content.decode(errors="replace"))
    if isinstance(found, Problem):
        problems.append(found)
        return None
    if found.version != VERSION:
        message = f"version {found.version or 'unknown'} made this plan, and version {VERSION} is to carry it out"
        problems.append(Problem(code="E154", message=message, file=name, severity=Severity.WARNING))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """One plan file, called `name`, while its runs are prepared. `known` are the inputs that were given."""

    name: str
    plans: PlanFile
    targets_file: Path | None
    known: Mapping[str, Given]

    def runs(self, problems: list[Problem]) -> list[Prepared]:
        """Its runs, as far as nothing is in their way; what is goes into `problems`."""
        project = open_project(
            [Path(file) for file in dict.fromkeys(one.file for one in self.plans.plans)],
            targets=self.targets_file,
            environment=os.environ,
            job_files=self._job_files,
        )
        targets = Targets(project=project, environment=os.environ)
        found = [self._run(one, project, targets) for one in self.plans.plans]
        problems.extend(project.problems)
        return [run for run in found if run is not None]

    def _job_files(self, problems: list[Problem]) -> JobFiles:
        """The plan's own texts in the place of files. They were inside their project when it was kept."""
        texts = {Path(name).resolve(): (name, text) for one in self.plans.plans for name, text in one.sources.items()}

        def name_of_file(path: Path) -> str:
            return texts[path.resolve()][0] if path.resolve() in texts else called(path)

        def read(path: Path, name: str) -> Document | tuple[Problem, ...]:
            if path not in texts:
                return (Problem(code="E154", message=f"the plan does not hold `{name}`", file=name),)
            kept, text = texts[path]
            return load(kept, text.encode())

        return JobFiles(called=name_of_file, problems=problems, read=read, root=Path(Path.cwd().anchor), cases=False)

    def _run(self, one: KeptPlan, project: Project, targets: Targets) -> Prepared | None:
        file = next((file for file in project.files if file.document.file == one.file), None)
        if file is None or file.job is None:
            return None
        target = targets.named(file, one.target.name)
        values, wrong = _inputs(file.job, one, self.known)
        project.problems.extend(wrong)
        if target is None or wrong:
            return None
        project.problems.extend(self._changes(file.job, one, values, target))
        return Prepared(
            job=file.job,
            source=one.sources[one.file],
            sources=one.sources,
            target=target,
            inputs=values,
            case=Case(name=one.case.name, inputs=one.inputs) if one.case else None,
            case_index=one.case.index if one.case else None,
            digest=one.digest,
        )

    def _changes(self, job: Job, one: KeptPlan, values: Mapping[str, Json], target: Target) -> Iterator[Problem]:
        """What is not as it was when the plan was kept."""
        now = name_of(target)
        if now != one.target:
            then = "a sandbox" if one.target.sandbox else one.target.url
            message = f"target `{now.name}` was {then} when the plan was kept, and is another place now"
            yield Problem(code="E154", message=message, hint="make a new plan", file=self.name)
        again = plan(
            job, sources=one.sources, inputs=values, target=one.target, secrets=Secrets(), case=one.case
        ).digest
        if again != one.digest:
            message = f"`{one.job}` cannot be carried out as it was planned: its digest does not fit"
            yield Problem(code="E154", message=message, hint="make a new plan", file=self.name)


def _inputs(job: Job, one: KeptPlan, known: Mapping[str, Given]) -> tuple[dict[str, Json], tuple[Problem, ...]]:
    """The values of the plan, with secrets that come anew."""
    secret = replace(job, inputs=tuple(declared for declared in job.inputs if declared.secret))
    fresh, wrong = supplied(secret, given=known, environment=os.environ)
    values = {**one.inputs, **fresh}
    return {declared.name: values[declared.name] for declared in job.inputs if declared.name in values}, wrong


def _not_secret(known: Mapping[str, Given], jobs: list[Job]) -> Iterator[Problem]:
    """Given values that a plan has fixed, and those that it knows nothing of."""
    declared = {one.name: one for job in jobs for one in job.inputs}
    yield from unknown(known, jobs)
    for name in known:
        if name in declared and not declared[name].secret:
            message = f"input `{name}` is fixed by the plan: only secrets are given anew"
            yield Problem(code="E150", message=message, hint="make a new plan for another value")

"""Plans opened again without their files: from the texts that they keep, with secrets, targets and credentials anew."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from runner.cli.prepared import RunSpec
from runner.cli.targets import Targets
from runner.foundation.problems import Problem
from runner.foundation.values import Json
from runner.job.inputs import Given, supplied, unknown
from runner.job.model import Case, Job
from runner.planning.plan_file import StoredPlan
from runner.project.job_files import JobFiles
from runner.project.project import Project, called, open_project
from runner.reading.document import Document
from runner.reading.load import load
from runner.targets.model import Target

_OF_NO_TARGET = ("E100", "E141")
_ELSEWHERE = "it was planned in another folder: go there, or name its targets file with `--targets FILE`"

Changes: TypeAlias = Callable[[RunSpec, StoredPlan], Iterable[Problem]]
"""What is not as it was when the plan was made, and stands in the way of its run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLoader:
    """Plans, while their runs are prepared. `known` are the inputs that were given; `code` is that of a text that is
    missing; `base` is the folder from which the names of their files lead.
    """

    plans: Sequence[StoredPlan]
    targets_file: Path | None
    known: Mapping[str, Given]
    changes: Changes
    code: str = "E154"
    base: Path = Path()

    def runs(self, problems: list[Problem]) -> list[RunSpec]:
        """Their runs, as far as nothing is in their way; what is goes into `problems`."""
        project = open_project(
            [self.base / file for file in dict.fromkeys(one.file for one in self.plans)],
            targets=self.targets_file,
            environment=os.environ,
            job_files=self._job_files,
            against=tuple(dict.fromkeys(one.target.name for one in self.plans)),
        )
        targets = Targets(project=project, environment=os.environ)
        found = [self._run(one, project, targets) for one in self.plans]
        problems.extend(map(self._with_a_way_out, project.problems))
        return [run for run in found if run is not None]

    def _with_a_way_out(self, problem: Problem) -> Problem:
        """A target that is missing because the command is given elsewhere than where the plan was made."""
        is_elsewhere = self.targets_file is None and not any((self.base / one.file).is_file() for one in self.plans)
        return replace(problem, hint=_ELSEWHERE) if is_elsewhere and problem.code in _OF_NO_TARGET else problem

    def _job_files(self, problems: list[Problem]) -> JobFiles:
        """The plan's own texts in the place of files. They were inside their project when it was kept."""
        texts = {(self.base / name).resolve(): (name, text) for one in self.plans for name, text in one.sources.items()}

        def name_of_file(path: Path) -> str:
            return texts[path.resolve()][0] if path.resolve() in texts else called(path)

        def read(path: Path, name: str) -> Document | tuple[Problem, ...]:
            if path not in texts:
                return (Problem(code=self.code, message=f"the plan does not hold `{name}`", file=name),)
            kept, text = texts[path]
            return load(kept, text.encode())

        return JobFiles(called=name_of_file, problems=problems, read=read, root=Path(Path.cwd().anchor), cases=False)

    def _run(self, one: StoredPlan, project: Project, targets: Targets) -> RunSpec | None:
        file = next((file for file in project.files if file.document.file == one.file), None)
        if file is None or file.job is None:
            return None
        target = targets.named(file, one.target.name)
        values, wrong = _inputs(file.job, one, self.known)
        project.problems.extend(wrong)
        if target is None or wrong:
            return None
        prepared = _prepared(file.job, one, target, values)
        project.problems.extend(self.changes(prepared, one))
        return prepared


def _prepared(job: Job, one: StoredPlan, target: Target, values: dict[str, Json]) -> RunSpec:
    return RunSpec(
        job=job,
        source=one.sources[one.file],
        sources=one.sources,
        target=target,
        inputs=values,
        case=Case(name=one.case.name, inputs=one.inputs) if one.case else None,
        case_index=one.case.index if one.case else None,
        digest=one.digest,
        elements=one.elements,
    )


def _inputs(job: Job, one: StoredPlan, known: Mapping[str, Given]) -> tuple[dict[str, Json], tuple[Problem, ...]]:
    """The values of the plan, with secrets that come anew."""
    secret = replace(job, inputs=tuple(declared for declared in job.inputs if declared.secret))
    fresh, wrong = supplied(secret, given=known, environment=os.environ)
    values = {**one.inputs, **fresh}
    return {declared.name: values[declared.name] for declared in job.inputs if declared.name in values}, wrong


def not_secret(known: Mapping[str, Given], jobs: Sequence[Job], *, by: str, hint: str) -> Iterator[Problem]:
    """Given values that are fixed by a plan (`by`), and those that it knows nothing of."""
    declared = {one.name: one for job in jobs for one in job.inputs}
    yield from unknown(known, jobs)
    for name in known:
        if name in declared and not declared[name].secret:
            message = f"input `{name}` is fixed by {by}: only secrets are given anew"
            yield Problem(code="E150", message=message, hint=hint)

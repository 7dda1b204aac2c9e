"""From the words of a command to runs that could begin: files opened, jobs and cases selected, inputs checked, targets
found.

Every mistake in all of it is told at once, and then nothing has been sent. A run is made for each job, case and target,
in this order: jobs as they were named, cases as they were written, targets as they were given.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.cli import inputs, kept, kept_plans, left_out, meant, nothing, slips
from runner.cli.prepared import NOTHING, Preparation, Prepared, Wanted
from runner.cli.selection import by_tags, is_chosen
from runner.cli.targets import Targets
from runner.job.model import Case, Job
from runner.problems import Problem, Severity, UsageError
from runner.project import JobFile, Project, open_project
from runner.targets.model import Target
from runner.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """A job's case that was selected, or its only run."""

    file: JobFile
    job: Job
    case: Case | None = None
    index: int | None = None


def prepare(wanted: Wanted) -> Preparation:
    """Prepare every selected run. Raises `UsageError` with all mistakes of all files, inputs and targets."""
    if any(map(kept_plans.is_plan, wanted.specs)):
        return kept_plans.prepare(wanted)
    chooses = _selection(wanted)
    meant.check(wanted.specs, of_targets=False)
    known = inputs.given(wanted.given, file=wanted.inputs_file)
    project = open_project(
        wanted.specs,
        targets=wanted.targets_file,
        environment=os.environ,
        catalogue=wanted.catalogue,
        against=wanted.targets,
    )
    left_out.tell(wanted.specs, project, targets=wanted.targets_file)
    sound = [(file, file.job) for file in project.files if file.job is not None]
    chosen = [one for file, job in sound for one in _runs_of(file, job) if chooses(job, one.case)]
    values, wrong = inputs.values([(one.job, one.case, one.file.lacking) for one in chosen], known)
    if chosen or not project.errors:
        project.problems.extend(wrong)
    targets = Targets(project=project, environment=os.environ)
    found = [[targets.named(one.file, name) for name in wanted.targets or (None,)] for one in chosen]
    project.problems.extend(_slips(wanted, project))
    if project.errors:
        raise UsageError(*project.problems)
    warnings = tuple(problem for problem in project.problems if problem.severity is Severity.WARNING)
    preparation = Preparation(runs=tuple(_prepared(chosen, values, found)), warnings=warnings)
    if not chosen:
        return replace(preparation, nothing=nothing.why(wanted, [job for _, job in sound]))
    return _last_failed(preparation, wanted.last_failed)


def _slips(wanted: Wanted, project: Project) -> Iterator[Problem]:
    """What was probably mistyped, and is no reason to refuse the command."""
    jobs = [file.job for file in project.files if file.job is not None]
    yield from slips.in_tags(wanted.tags, jobs)
    yield from slips.in_variables(os.environ, jobs)
    yield from slips.in_confirmed(wanted.confirmed, {name for file in project.files for name in file.targets})


def _selection(wanted: Wanted) -> Callable[[Job, Case | None], bool]:
    tags = by_tags(wanted.tags) if wanted.tags is not None else None
    return lambda job, case: is_chosen(job, case, tags=tags, keyword=wanted.keyword)


def _runs_of(file: JobFile, job: Job) -> Iterator[_Chosen]:
    if job.cases is None:
        yield _Chosen(file=file, job=job)
    for index, case in enumerate(job.cases or ()):
        yield _Chosen(file=file, job=job, case=case, index=index)


def _prepared(
    chosen: Iterable[_Chosen], values: Iterable[dict[str, Json]], targets: Iterable[Sequence[Target | None]]
) -> Iterator[Prepared]:
    for one, of_run, found in zip(chosen, values, targets, strict=True):
        for target in found:
            if target is not None:
                yield Prepared(
                    job=one.job,
                    source=one.file.document.text,
                    sources=one.file.sources,
                    target=target,
                    inputs=of_run,
                    case=one.case,
                    case_index=one.index,
                )


def _last_failed(preparation: Preparation, root: Path | None) -> Preparation:
    """Of the runs those that did not pass when they were carried out last."""
    if root is None:
        return preparation
    names = kept.not_passed(root)
    runs = tuple(run for run in preparation.runs if run.name in names)
    why = f"nothing of this has failed, as far as {root} tells: {NOTHING}"
    return replace(preparation, runs=runs, nothing=why)

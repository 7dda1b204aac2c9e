"""From the words of a command to runs that could begin: files opened, jobs and cases selected, inputs checked, targets
found.

Every mistake in all of it is told at once, and then nothing has been sent. A run is made for each job, case and target,
in this order: jobs as they were named, cases as they were written, targets as they were given.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from runner.cli import ignored_files, inputs, meant, missing_inputs, nothing, stored_plans, typos
from runner.cli.prepared import NOTHING, RunSet, RunSpec, Wanted
from runner.cli.selection import by_tags, is_chosen
from runner.cli.stored_runs import not_passed
from runner.cli.targets import Targets, is_outside
from runner.foundation.problems import Problem, Severity, UsageError
from runner.foundation.values import Json
from runner.job.model import Case, Job
from runner.project.job_files import JobFile
from runner.project.project import Project, elements_of, open_project
from runner.reports.safe import clean
from runner.runs.store import RunStore
from runner.targets.model import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """A job's case that was selected, or its only run."""

    file: JobFile
    job: Job
    case: Case | None = None
    index: int | None = None


def prepare(wanted: Wanted) -> RunSet:
    """Prepare every selected run. Raises `UsageError` with all mistakes of all files, inputs and targets."""
    if any(map(stored_plans.is_plan, wanted.specs)):
        return stored_plans.prepare(wanted)
    chooses = _selection(wanted)
    meant.check(wanted.specs, of_targets=False)
    known = inputs.given(wanted.given, file=wanted.inputs_file)
    project = open_project(
        wanted.specs,
        targets=wanted.targets_file,
        environment=os.environ,
        catalogue=wanted.catalogue,
        against=wanted.targets,
        recursive=wanted.recursive,
    )
    ignored_files.tell(wanted.specs, project, targets=wanted.targets_file)
    sound = [(file, file.job) for file in project.files if file.job is not None]
    selected = [one for file, job in sound for one in _runs_of(file, job) if chooses(job, one.case)]
    goes_to = _goes_to(wanted, project)
    chosen = [one for one in selected if goes_to(one)]
    cases, told = [(one.job, one.case, one.file.lacking) for one in chosen], len(project.problems)
    values, wrong = inputs.values(cases, known)
    wrong = wrong if chosen or not project.errors else []
    targets = Targets(project=project, environment=os.environ)
    found = [[targets.named(one.file, name) for name in goes_to(one)] for one in chosen]
    if not project.errors and {one.code for one in wrong} == {"E130"}:
        answers = missing_inputs.asked_for([(one.job, one.case) for one in chosen], known, os.environ)
        values, wrong = inputs.values(cases, known | answers)
    project.problems[told:told] = wrong
    project.problems.extend(_slips(wanted, project))
    if project.errors:
        raise UsageError(*project.problems)
    preparation = RunSet(
        runs=tuple(_prepared(chosen, values, found, project)),
        warnings=tuple(dict.fromkeys(one for one in project.problems if one.severity is Severity.WARNING)),
        left_below=ignored_files.in_folders_below(wanted.specs, project),
    )
    if not selected:
        return replace(preparation, nothing=nothing.why(wanted, [job for _, job in sound]))
    return _last_failed(preparation, wanted.last_failed)


def _goes_to(wanted: Wanted, project: Project) -> Callable[[_Chosen], Sequence[str | None]]:
    """The targets of a run by their names, None for the job's own: those of the command line, else with
    `--last-failed` those at which it did not pass. One of these that is not there any more is a warning.
    """
    if wanted.targets or wanted.last_failed is None:
        return lambda _one: wanted.targets or (None,)
    failed = sorted(not_passed(wanted.last_failed), key=str)

    def remembered(one: _Chosen) -> Sequence[str | None]:
        case = one.case.name if one.case else None
        names = [target for job, of_case, target in failed if (job, of_case) == (one.job.name, case)]
        there = [name for name in names if is_outside(name) or name in one.file.targets]
        project.problems.extend(_gone(one.job.name, name) for name in names if name not in there)
        return there

    return remembered


def _gone(job: str, target: str) -> Problem:
    message = f"`{clean(job)}` did not pass at target `{clean(target)}`, which is not there any more"
    return Problem(code="E141", message=message, severity=Severity.WARNING)


def _slips(wanted: Wanted, project: Project) -> Iterator[Problem]:
    """What was probably mistyped, and is no reason to refuse the command."""
    jobs = [file.job for file in project.files if file.job is not None]
    yield from typos.in_tags(wanted.tags, jobs)
    yield from typos.in_variables(os.environ, jobs)
    yield from typos.in_confirmed(wanted.confirmed, {name for file in project.files for name in file.targets})


def _selection(wanted: Wanted) -> Callable[[Job, Case | None], bool]:
    tags = by_tags(wanted.tags) if wanted.tags is not None else None
    return lambda job, case: is_chosen(job, case, tags=tags, keywords=wanted.keywords)


def _runs_of(file: JobFile, job: Job) -> Iterator[_Chosen]:
    if job.cases is None:
        yield _Chosen(file=file, job=job)
    for index, case in enumerate(job.cases or ()):
        yield _Chosen(file=file, job=job, case=case, index=index)


def _prepared(
    chosen: Iterable[_Chosen],
    values: Iterable[dict[str, Json]],
    targets: Iterable[Sequence[Target | None]],
    project: Project,
) -> Iterator[RunSpec]:
    for one, of_run, found in zip(chosen, values, targets, strict=True):
        for target in found:
            if target is not None:
                yield RunSpec(
                    job=one.job,
                    source=one.file.document.text,
                    sources=one.file.sources,
                    target=target,
                    inputs=of_run,
                    case=one.case,
                    case_index=one.index,
                    elements=elements_of(one.file, target, project),
                )


def _last_failed(preparation: RunSet, store: RunStore | None) -> RunSet:
    """Of the runs those that did not pass when they were carried out last."""
    if store is None:
        return preparation
    names = not_passed(store)
    runs = tuple(run for run in preparation.runs if run.name in names)
    why = f"nothing of this has failed, as far as {store.name} tells: {NOTHING}"
    return replace(preparation, runs=runs, nothing=why)

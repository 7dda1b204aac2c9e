"""From the words of a command to runs that could begin: files opened, jobs selected, inputs checked, targets found.

Every mistake in all of it is told at once, and then nothing has been sent.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from runner.cli import inputs
from runner.cli.selection import by_tags, is_chosen
from runner.job.model import Job
from runner.problems import Problem, Severity, UsageError
from runner.project import JobFile, Project, check_doubles, open_project, target_named
from runner.targets.model import Target
from runner.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    specs: Sequence[Path]
    target: str | None = None
    targets: Path | None = None
    given: Sequence[str] = ()
    inputs_file: Path | None = None
    tags: str | None = None
    keyword: str | None = None


def wanted(context: click.Context) -> Wanted:
    """What the options of a command ask for."""
    given = context.params
    return Wanted(
        specs=given["specs"],
        target=given["target"],
        targets=given["targets"],
        given=given["given"],
        inputs_file=given["inputs_file"],
        tags=given["tags"],
        keyword=given["keyword"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A run that could begin."""

    job: Job
    source: str
    target: Target
    inputs: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    runs: tuple[Prepared, ...]
    warnings: tuple[Problem, ...]


def prepare(wanted: Wanted) -> Preparation:
    """Prepare every selected run. Raises `UsageError` with all mistakes of all files, inputs and targets."""
    tags = by_tags(wanted.tags) if wanted.tags is not None else None
    known = inputs.given(wanted.given, file=wanted.inputs_file)
    project = open_project(wanted.specs, targets=wanted.targets, environment=os.environ)
    sound = [(file, file.job) for file in project.files if file.job is not None]
    chosen = [(file, job) for file, job in sound if is_chosen(job, tags=tags, keyword=wanted.keyword)]
    values, wrong = inputs.values([job for _, job in chosen], known)
    if chosen or not project.errors:
        project.problems.extend(wrong)
    targets = [_target(file, wanted.target, project) for file, _ in chosen]
    if project.errors:
        raise UsageError(*project.problems)
    runs = tuple(
        Prepared(job=job, source=file.document.text, target=target, inputs=of_job)
        for (file, job), target, of_job in zip(chosen, targets, values, strict=True)
        if target is not None
    )
    warnings = tuple(problem for problem in project.problems if problem.severity is Severity.WARNING)
    return Preparation(runs=runs, warnings=warnings)


def _target(file: JobFile, name: str | None, project: Project) -> Target | None:
    if not file.targets:
        return None  # the targets file has mistakes, which are told already
    target = target_named(file, name)
    if isinstance(target, Problem):
        if target not in project.problems:
            project.problems.append(target)
        return None
    check_doubles(target, project)
    return target

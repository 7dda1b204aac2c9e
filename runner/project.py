"""The files that a command names, opened: jobs, their targets, the sandboxes' doubles, and every mistake in them.

All files are read and checked in one pass; one that cannot be read is one more mistake. Nothing is sent from here, and
neither the environment's values nor any secret is looked at.
"""

import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runner.documents.document import Document
from runner.documents.load import read
from runner.job import build
from runner.job.model import Job
from runner.job.rules import job as rules
from runner.language import not_yet, schema
from runner.problems import Problem, Severity
from runner.targets import build as target_build
from runner.targets import rules as target_rules
from runner.targets.files import find_targets
from runner.targets.model import SandboxTarget, Target
from runner.words import suggest

JOB_FILES = "*.job.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """One job file. `job` is None where the file has mistakes. `targets` are those that the job can run against."""

    document: Document
    job: Job | None
    targets: Mapping[str, Target]
    targets_file: Path | None


@dataclass(slots=True, kw_only=True)
class Project:
    """What was opened. `problems` hold warnings, too; `folders` are those whose doubles have been checked."""

    files: list[JobFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity is Severity.ERROR]


def open_project(specs: Sequence[Path], *, targets: Path | None, environment: Mapping[str, str]) -> Project:
    """Open job files; a folder stands for every `*.job.yaml` in it, not in folders below.

    `targets` is the targets file to use for all of them, None to look for each job's own.
    """
    project = Project()
    opened: dict[Path | None, Mapping[str, Target]] = {}
    for path in _job_files(specs):
        document = read(path, name=called(path))
        if isinstance(document, tuple):
            project.problems.extend(document)
            continue
        found = _checked(document, project)
        file = find_targets(path, explicit=targets, environment=environment)
        if file is None:
            known: Mapping[str, Target] = target_build.without_file(path)
        else:
            known = opened[file] if file in opened else opened.setdefault(file, open_targets(file, project))
        if known:
            project.problems.extend(rules.target_known(document, known))
        project.files.append(JobFile(document=document, job=found, targets=known, targets_file=file))
        own = known.get(found.target or "") if found else None
        if own is not None:
            check_doubles(own, project)
    project.problems.extend(rules.names_unique(file.document for file in project.files))
    return project


def open_targets(file: Path, project: Project) -> Mapping[str, Target]:
    """The targets of a file; none where it has mistakes, which are added to the project."""
    document = read(file, name=called(file))
    if isinstance(document, tuple):
        project.problems.extend(document)
        return {}
    problems = [*schema.check(document, "targets"), *not_yet.check(document, "targets")]
    problems.extend(target_rules.check(document, reported=problems))
    project.problems.extend(problems)
    return {} if _are_errors(problems) else target_build.targets(document, beside=Path(called(file)).parent)


def check_doubles(target: Target, project: Project) -> None:
    """Check the doubles of a sandbox, once."""
    if isinstance(target, SandboxTarget) and target.folder not in project.folders:
        project.folders.add(target.folder)
        # a command for real sites alone does not pay for the sandbox's rooms: 14 ms
        load_doubles = importlib.import_module("runner.sandbox.processes").load_doubles
        project.problems.extend(load_doubles(target.folder)[1])


def target_named(file: JobFile, name: str | None) -> Target | Problem:
    """The target that a run of this job goes to: the one named on the command line, else the job's own."""
    wanted = name or (file.job.target if file.job else None)
    if wanted is None:
        hint = f"name one with `-t`: {_listed(file.targets)}" if file.targets else "name one with `-t`"
        message = "the job names no target, and a run is never sent to one by default"
        return file.document.problem("E140", message, path=("name",), at_key=True, hint=hint)
    if wanted in file.targets:
        return file.targets[wanted]
    near = suggest(wanted, file.targets)
    where = called(file.targets_file) if file.targets_file else "the sandbox beside the job"
    hint = f"did you mean `{near}`?" if near else f"{where} has {_listed(file.targets)}"
    return Problem(code="E141", message=f"unknown target `{wanted}`", hint=hint)


def called(path: Path) -> str:
    """A file's name in messages and reports: relative to the current folder, else absolute."""
    relative = os.path.relpath(path)
    return str(path.absolute()) if relative.startswith("..") else relative


def _job_files(specs: Sequence[Path]) -> Iterable[Path]:
    """The files that `specs` stand for, each once."""
    seen: set[Path] = set()
    for spec in specs:
        found = sorted(spec.glob(JOB_FILES)) if spec.is_dir() else [spec]
        for path in found:
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _checked(document: Document, project: Project) -> Job | None:
    problems = [*schema.check(document, "job"), *not_yet.check(document, "job")]
    problems.extend(rules.check(document, reported=problems))
    project.problems.extend(problems)
    return None if _are_errors(problems) else build.job(document)


def _are_errors(problems: Iterable[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)

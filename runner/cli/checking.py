"""The files that `validate` is given: job files and folders, and what they lean on, which may be named by itself.

A hook that runs before a commit names whatever has changed: a targets file, a catalogue, a double and the records of a
sandbox are checked as what they are, and so is a folder that holds doubles and no job.
"""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.catalogue.model import Catalogue
from runner.catalogue.read import ENDING, read_catalogue
from runner.cli import ignored_files, meant
from runner.cli.targets import Targets, is_outside
from runner.foundation.problems import Problem
from runner.project.paths import called, jobs_in
from runner.project.project import Project, check_doubles, open_project, open_targets
from runner.targets import folders
from runner.targets.files import NAME
from runner.targets.folders import RECORDS, doubles_in, holds_doubles


def checked(
    specs: Sequence[Path],
    *,
    targets: Path | None,
    environment: Mapping[str, str],
    catalogue: Path | None = None,
    against: Sequence[str] = (),
    recursive: bool = False,
) -> Project:
    """Everything wrong with `specs` and with what they lean on, each mistake once. `against`: names of targets that the
    jobs are to fit in the place of their own.
    """
    jobs = [spec for spec in specs if not _is_of_itself(spec)]
    meant.check(jobs, of_targets=False)
    project = open_project(
        jobs, targets=targets, environment=environment, catalogue=catalogue, against=against, recursive=recursive
    )
    ignored_files.tell(jobs, project, targets=targets)
    _hold_against(against, project, environment)
    for spec in dict.fromkeys(filter(_is_targets, specs)):
        for target in open_targets(spec, project).values():
            check_doubles(target, project)
    for folder in dict.fromkeys(folder for spec in specs if (folder := _folder_of_doubles(spec)) is not None):
        project.problems.extend(_wrong_doubles(folder))
    for spec in dict.fromkeys(filter(_is_catalogue, specs)):
        project.problems.extend(_wrong_catalogue(spec))
    project.problems = list(dict.fromkeys(project.problems))
    return project


def count(specs: Sequence[Path], project: Project) -> int:
    """How many files were checked that a command named, or that stand in a folder that it named."""
    named = {spec for spec in specs if _is_of_itself(spec) and not spec.is_dir()}
    doubles = {path for spec in specs if _is_folder_of_doubles(spec) for path in doubles_in(spec)}
    return len(project.files) + len(named | doubles)


def _hold_against(names: Sequence[str], project: Project, environment: Mapping[str, str]) -> None:
    """Hold the jobs against targets that are named; of those outside of the targets file nothing is known here."""
    known = Targets(project=project, environment=environment)
    for file in project.files:
        for name in names:
            if not is_outside(name):
                known.named(file, name)


def _is_of_itself(spec: Path) -> bool:
    """Whether it is checked as what it is, and not as a job."""
    return _is_targets(spec) or _is_catalogue(spec) or _folder_of_doubles(spec) is not None


def _is_targets(spec: Path) -> bool:
    return spec.name == NAME or spec.name.endswith(f".{NAME}")


def _is_catalogue(spec: Path) -> bool:
    return spec.name.endswith(ENDING)


def _folder_of_doubles(spec: Path) -> Path | None:
    if spec.name.endswith(folders.ENDING) or spec.name == RECORDS:
        return spec.parent
    return spec if _is_folder_of_doubles(spec) else None


def _is_folder_of_doubles(spec: Path) -> bool:
    return spec.is_dir() and holds_doubles(spec) and not jobs_in(spec)


def _wrong_doubles(folder: Path) -> Sequence[Problem]:
    """Doubles are checked with those beside them: two must not be of one process."""
    # the sandbox's rooms are paid for only where they are needed
    _, problems = importlib.import_module("runner.sandbox.loading").load_doubles(Path(called(folder)))
    found: Sequence[Problem] = problems
    return found


def _wrong_catalogue(file: Path) -> Sequence[Problem]:
    found = read_catalogue(file, name=called(file))
    return () if isinstance(found, Catalogue) else found

"""The files that `validate` is given: job files and folders, and what they lean on, which may be named by itself.

A hook that runs before a commit names whatever has changed: a targets file and a double are checked as what they are.
"""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.problems import Problem
from runner.project import Project, called, check_doubles, open_project, open_targets

_TARGETS = "targets.yaml"
_DOUBLE = ".process.yaml"


def checked(
    specs: Sequence[Path],
    *,
    targets: Path | None,
    environment: Mapping[str, str],
    catalogue: Path | None = None,
) -> Project:
    """Everything wrong with `specs` and with what they lean on, each mistake once."""
    jobs = [spec for spec in specs if not (_is_targets(spec) or _is_double(spec))]
    project = open_project(jobs, targets=targets, environment=environment, catalogue=catalogue)
    for spec in dict.fromkeys(filter(_is_targets, specs)):
        for target in open_targets(spec, project).values():
            check_doubles(target, project)
    for folder in dict.fromkeys(spec.parent for spec in specs if _is_double(spec)):
        project.problems.extend(_wrong_doubles(folder))
    project.problems = list(dict.fromkeys(project.problems))
    return project


def count(specs: Sequence[Path], project: Project) -> int:
    """How many files were checked that a command named, or that stand in a folder that it named."""
    return len(project.files) + len({spec for spec in specs if _is_targets(spec) or _is_double(spec)})


def _is_targets(spec: Path) -> bool:
    return spec.name == _TARGETS or spec.name.endswith(f".{_TARGETS}")


def _is_double(spec: Path) -> bool:
    return spec.name.endswith(_DOUBLE)


def _wrong_doubles(folder: Path) -> Sequence[Problem]:
    """Doubles are checked with those beside them: two must not be of one process."""
    # the sandbox's rooms are paid for only where they are needed
    _, problems = importlib.import_module("runner.sandbox.processes").load_doubles(Path(called(folder)))
    found: Sequence[Problem] = problems
    return found

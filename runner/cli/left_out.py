"""Files that a command passes over although they are meant for it: jobs and targets files under another name.

A name that looks like a job's is told where steps stand in the file; any other YAML only where it says that it is a
job, and no job includes it. Drafts and copies of editors (`a.job.yaml~`, `a.job.yaml.bak`) are left alone.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from runner.documents.files import beginning, passed_over
from runner.problems import Problem
from runner.project import JOB_FILES, JobFile, Project, called
from runner.report.safe import clean
from runner.targets.files import NAME, VARIABLE, up_to_the_root

_JOB = JOB_FILES.removeprefix("*")
_LIKE_A_JOB = (".job.yml", ".jobs.yaml", ".jobs.yml", ".job.json", ".job.yaml.txt", ".job.yml.txt", ".job")
_YAML = (".yaml", ".yml")
_LIKE_TARGETS = ("targets.yml", "target.yaml", "target.yml", "targets.yaml.txt", "targets.json", NAME)
_IS_A_JOB = re.compile(rb"(?m)^runner:[ \t]*1\b(?s:.*)^steps:")
_HAS_TARGETS = re.compile(rb"(?m)^[ \t{\"]*targets\"?:")


def tell(specs: Sequence[Path], project: Project, *, targets: Path | None) -> None:
    """Add a warning to the project for each such file beside those that it holds."""
    if not project.files:
        return
    project.problems.extend(_jobs(specs, project.files))
    if targets is None and not os.environ.get(VARIABLE):
        project.problems.extend(_targets(project.files))


def meant(path: Path) -> str | None:
    """The name that a file should have that probably is a job; None of one that is read, or is none."""
    name, folded = path.name, path.name.casefold()
    if name.endswith(_JOB):
        return None
    if folded.endswith(_JOB):
        return name[: -len(_JOB)] + _JOB
    ending = next((one for one in _LIKE_A_JOB if folded.endswith(one)), None)
    if ending is not None:
        return name[: -len(ending)] + _JOB if b"steps" in beginning(path) else None
    ending = next((one for one in _YAML if folded.endswith(one)), None)
    is_job = ending is not None and _IS_A_JOB.search(beginning(path)) is not None
    return path.name[: -len(ending)] + _JOB if ending is not None and is_job else None


def no_jobs(specs: Sequence[Path]) -> str:
    """The sentence on folders that hold no job file, with the file or folder that may be meant."""
    places = ", ".join(clean(called(spec)) for spec in specs)
    near = next((hint for spec in specs if spec.is_dir() for hint in _instead(spec)), "")
    return f"there is no {JOB_FILES} in {places}" + (f"; {near}" if near else "")


def _instead(folder: Path) -> Iterator[str]:
    """Jobs by another name, and folders below that hold some: they are not entered."""
    for path in inside(folder):
        if (name := meant(path)) is not None:
            yield f"`{clean(path.name)}` is not read, unless it is called `{clean(name)}`"
    for below in inside(folder):
        if next(below.glob(JOB_FILES), None) is not None:
            yield f"{clean(called(below))} has some, and folders below are not entered: name it"


def _jobs(specs: Iterable[Path], files: Iterable[JobFile]) -> Iterator[Problem]:
    read = {os.path.realpath(name) for file in files for name in file.documents}
    for folder in dict.fromkeys(spec for spec in specs if spec.is_dir()):
        for path in inside(folder):
            if os.path.realpath(path) not in read and (name := meant(path)) is not None:
                message = f"this job is not read: its name must end in {_JOB}"
                yield passed_over(message, name=called(path), instead=name)


def _targets(files: Iterable[JobFile]) -> Iterator[Problem]:
    """Files that look like a targets file, in the folders that were searched for one."""
    searched: dict[Path, None] = {}
    for parent, found in dict.fromkeys((Path(file.document.file).parent, file.targets_file) for file in files):
        for folder in up_to_the_root(parent):
            if found is not None and _is_same(folder, found.parent):
                break
            searched[folder.resolve()] = None
    for path in (path for folder in searched for path in inside(folder)):
        if path.name.casefold() in _LIKE_TARGETS and path.name != NAME and _HAS_TARGETS.search(beginning(path)):
            message = f"this file is not read: targets stand in {NAME}"
            yield passed_over(message, name=called(path), instead=NAME)


def inside(folder: Path) -> Sequence[Path]:
    """What stands in a folder and is not hidden."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return ()


def _is_same(folder: Path, other: Path) -> bool:
    return folder.resolve() == other.resolve()

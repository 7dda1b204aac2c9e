"""Files that a command passes over although they are meant for it: jobs and targets files under another name.

Only a file that says `runner: 1` is ours: other tools have jobs and targets, too. One whose name does not look like a
job's is told only where its folder holds no job: jobs elsewhere may include it. What somebody has put aside
(`a.draft.yaml`, `template.yaml`) and copies of editors (`a.job.yaml~`, `a.job.yaml.bak`) are left alone.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from runner.foundation.problems import Problem
from runner.foundation.sentences import begun
from runner.project.job_files import JobFile
from runner.project.paths import JOB_FILES, called, jobs_in, leads_out
from runner.project.project import Project
from runner.reading.files import beginning, below, passed_over
from runner.reports.safe import clean
from runner.targets.files import NAME, VARIABLE, searched_folders

_JOB = JOB_FILES.removeprefix("*")
_LIKE_A_JOB = (".job.yml", ".jobs.yaml", ".jobs.yml", ".job.json", ".job.yaml.txt", ".job.yml.txt", ".job")
_YAML = (".yaml", ".yml")
_LIKE_TARGETS = ("targets.yml", "target.yaml", "target.yml", "targets.yaml.txt", "targets.json", NAME)
_PUT_ASIDE = frozenset(("disabled", "draft", "example", "template", "bak", "old", "sample"))
_MOST_FOLDERS = 5_000
"""Folders that are searched for jobs which nobody has asked for."""
_WORD = re.compile(r"[a-z]+")
_IS_OURS = re.compile(rb"(?m)^[ \t{]*\"?runner\"?[ \t]*:[ \t]*1\b")
_HAS_STEPS = re.compile(rb"(?m)\bsteps\"?[ \t]*:")
_HAS_TARGETS = re.compile(rb"(?m)\btargets\"?[ \t]*:")


def tell(specs: Sequence[Path], project: Project, *, targets: Path | None) -> None:
    """Add a warning to the project for each such file beside those that it holds."""
    if not project.files:
        return
    project.problems.extend(_jobs(specs, project.files))
    if targets is None and not os.environ.get(VARIABLE):
        project.problems.extend(_targets(project.files))


def meant(path: Path, *, endings: Sequence[str] = (*_LIKE_A_JOB, *_YAML)) -> str | None:
    """The name that a file with one of these endings should have that probably is a job; None of one that is read, or
    is none.
    """
    name, folded = path.name, path.name.casefold()
    if name.endswith(_JOB):
        return None
    if folded.endswith(_JOB):
        return name[: -len(_JOB)] + _JOB
    ending = next((one for one in endings if folded.endswith(one)), None)
    if ending is None or not _PUT_ASIDE.isdisjoint(_WORD.findall(folded)):
        return None
    return name[: -len(ending)] + _JOB if _is_ours(path, _HAS_STEPS) else None


def _is_ours(path: Path, holds: re.Pattern[bytes]) -> bool:
    start = beginning(path)
    return _IS_OURS.search(start) is not None and holds.search(start) is not None


def no_jobs(specs: Sequence[Path]) -> str:
    """The sentence on folders that hold no job file, with the file or folder that may be meant."""
    places = ", ".join(clean(called(spec)) for spec in specs)
    near = next((hint for spec in specs if spec.is_dir() for hint in _instead(spec)), "")
    return f"there is no {JOB_FILES} in {places}" + (f"; {near}" if near else "")


def in_folders_below(specs: Iterable[Path], project: Project) -> str:
    """The line on jobs in folders below that were not read, nor included by one that was; empty where there is none."""
    read = {os.path.realpath(name) for file in project.files for name in file.documents}
    found: dict[str, Path] = {}
    for spec in specs:
        for inner in islice(below(spec), _MOST_FOLDERS) if spec.is_dir() else ():
            found.update((os.path.realpath(path), inner) for path in jobs_in(inner) if not leads_out(path, spec))
    left = {real: folder for real, folder in found.items() if real not in read}
    if not left:
        return ""
    places = [clean(called(folder)) for folder in dict.fromkeys(left.values())]
    jobs = f"{len(left)} more {'job lies' if len(left) == 1 else 'jobs lie'}"
    return f"{jobs} in folders below and {'was' if len(left) == 1 else 'were'} not read, `-r` does: {begun(places)}\n"


def _instead(folder: Path) -> Iterator[str]:
    """Jobs by another name, and folders below that hold some: they are not entered."""
    for path in inside(folder):
        if (name := meant(path)) is not None:
            yield f"`{clean(path.name)}` is not read, unless it is called `{clean(name)}`"
    for inner in islice(below(folder), _MOST_FOLDERS):
        if jobs_in(inner):
            yield f"{clean(called(inner))} has some, and folders below are not entered: name it, or give `-r`"


def _jobs(specs: Iterable[Path], files: Iterable[JobFile]) -> Iterator[Problem]:
    read = {os.path.realpath(name) for file in files for name in file.documents}
    for folder in dict.fromkeys(spec for spec in specs if spec.is_dir()):
        endings = _LIKE_A_JOB if jobs_in(folder) else (*_LIKE_A_JOB, *_YAML)
        for path in inside(folder):
            if os.path.realpath(path) not in read and (name := meant(path, endings=endings)) is not None:
                message = f"this job is not read: its name must end in {_JOB}"
                yield passed_over(message, name=called(path), instead=name)


def _targets(files: Iterable[JobFile]) -> Iterator[Problem]:
    """Files that look like a targets file, in the folders that were searched for one."""
    searched: dict[Path, None] = {}
    for parent, found in dict.fromkeys((Path(file.document.file).parent, file.targets_file) for file in files):
        for folder in searched_folders(parent):
            if found is not None and _is_same(folder, found.parent):
                break
            searched[folder.resolve()] = None
    for path in (path for folder in searched for path in inside(folder)):
        if path.name.casefold() in _LIKE_TARGETS and path.name != NAME and _is_ours(path, _HAS_TARGETS):
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

"""Files that look like jobs or targets and are ignored, and SPECs that are no job file. Ours say `runner: 1`.

A file with another name counts only with a `target`, as jobs may include it. Drafts and copies are left alone.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from runner.catalogue.model import ENDING, PROCESS_CODE
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, UsageError
from runner.foundation.sentences import listed
from runner.project.job_files import JobFile
from runner.project.paths import JOB_FILES, jobs_in, leads_out
from runner.project.project import Project
from runner.reading.files import below, display_path, first_bytes, is_included, is_ours, names_in, passed_over
from runner.reports.safe import clean
from runner.targets.files import NAME, VARIABLE
from runner.targets.folders import holds_doubles, searched_folders

_JOB = JOB_FILES.removeprefix("*")
_LIKE_A_JOB = (".job.yml", ".jobs.yaml", ".jobs.yml", ".job.json", ".job.yaml.txt", ".job.yml.txt", ".job", "-job.yaml")
_YAML = (".yaml", ".yml")
_LIKE_TARGETS = ("targets.yml", "target.yaml", "target.yml", "targets.yaml.txt", "targets.json", NAME)
_PUT_ASIDE = frozenset(("disabled", "draft", "example", "template", "bak", "old", "sample"))
_MOST_FOLDERS = 5_000  # folders that are searched for jobs which nobody has asked for
_MOST_FILES = 500
_WORD = lazy_pattern(r"[a-z]+")
_HAS_STEPS = lazy_pattern(rb"(?m)\bsteps\"?[ \t]*:")
_HAS_TARGET = lazy_pattern(rb"(?m)^target[ \t]*:")
_HAS_TARGETS = lazy_pattern(rb"(?m)\btargets\"?[ \t]*:")


def check_specs(specs: Iterable[Path], *, of_targets: bool) -> None:
    """Raise `UsageError` for a SPEC that names a job, a process or a target; `of_targets`: it is about these."""
    for spec in specs:
        shown, hint = clean(str(spec)), None
        if of_targets and spec.name.endswith(ENDING):
            hint = f"`--catalog {shown}` compares with it, `-t` names a target"
        elif spec.name == str(spec) and not spec.suffix and not spec.exists():
            hint = _instead_of(spec.name, of_targets=of_targets)
        if hint is not None:
            what = f"`{shown}` holds no jobs" if spec.exists() else f"there is no file `{shown}`"
            raise UsageError(Problem(code="E100", message=what, hint=hint))


def _instead_of(name: str, *, of_targets: bool) -> str | None:
    """What to write in the place of a bare name; None where a file that begins so is near enough."""
    if not of_targets and any(path.name.startswith(f"{name}.") for path in _inside(Path())):
        return None
    line = re.compile(rb"(?m)^name:[ \t]*[\"']?%s[\"']?[ \t]*(#.*)?\r?$" % re.escape(name.encode(errors="replace")))
    near = (path for pattern in (JOB_FILES, f"*/{JOB_FILES}") for path in sorted(Path().glob(pattern)))
    jobs = islice(filter(is_included, near), _MOST_FILES)
    found = next((path for path in jobs if line.search(first_bytes(path))), None)
    if found is not None:
        return f"name the file: the job `{clean(name)}` is in {clean(display_path(found))}"
    if of_targets:
        return f"`-t {clean(name)}` names a target"
    if PROCESS_CODE.fullmatch(name):
        return "a process is started by a step of a job, and a SPEC is a job file"
    if here := jobs_in(Path()):
        return f"name what is here: {listed([clean(display_path(job)) for job in here])}"
    has_project = Path(NAME).exists() or any(Path().glob(f"*/{JOB_FILES}"))
    return None if has_project else "`runner init my-project` starts a project: a job, its targets, a sandbox"


def report(
    specs: Sequence[Path], project: Project, *, targets: Path | None, recursive: bool, may_be_empty: bool
) -> None:
    """Add a warning for each ignored file beside the project's, and an error for each folder without jobs."""
    if not project.files:
        return
    if empty := [] if may_be_empty else [*empty_folders(specs, recursive=recursive, has_options=True)]:
        project.problems.extend(empty)
    else:
        project.problems.extend(_jobs(specs, project.files))
    if targets is None and not os.environ.get(VARIABLE):
        project.problems.extend(_targets(project.files))


def empty_folders(specs: Iterable[Path], *, recursive: bool, has_options: bool) -> Iterator[Problem]:
    """An error for each folder that holds no job. `has_options`: folders may be entered, and may be empty."""
    for folder in dict.fromkeys(filter(Path.is_dir, specs)):
        if not jobs_in(folder, recursive=recursive):
            near = next(_instead(folder), "leave it out, or add `--allow-empty`")
            hint = near if has_options else re.sub(", or (?:add|give) `-.*", "", near)
            yield Problem(code="E100", message=_no_jobs([folder]), hint=hint)


def no_jobs(specs: Sequence[Path]) -> str:
    """The sentence on folders that hold no job file, with a file or folder that looks like it."""
    near = next((hint for spec in specs if spec.is_dir() for hint in _instead(spec)), "")
    return _no_jobs(specs) + (f"; {near}" if near else "")


def _no_jobs(specs: Iterable[Path]) -> str:
    return f"there is no {JOB_FILES} in {', '.join(clean(display_path(spec)) for spec in specs)}"


def in_folders_below(specs: Iterable[Path], project: Project, *, recursive: bool) -> str:
    """The line on jobs in folders below that were not read, nor included by others; empty where there is none."""
    if recursive:
        return ""
    found: dict[str, Path] = {}
    for spec in specs:
        for inner in islice(below(spec), _MOST_FOLDERS) if spec.is_dir() else ():
            found.update((os.path.realpath(path), inner) for path in jobs_in(inner) if not leads_out(path, spec))
    read = _read(project.files)
    ignored = {real: folder for real, folder in found.items() if real not in read}
    if not ignored:
        return ""
    places = listed([clean(display_path(folder)) for folder in dict.fromkeys(ignored.values())])
    if len(ignored) == 1:
        return f"1 more job lies in folders below and was not read, `-r` reads it: {places}\n"
    return f"{len(ignored)} more jobs lie in folders below and were not read, `-r` reads them: {places}\n"


def _instead(folder: Path) -> Iterator[str]:
    """Jobs by another name, jobs that doubles answer, and folders below that hold some: they are not entered."""
    for path in _inside(folder):
        if (name := _right_name(path)) is not None:
            yield f"rename `{clean(path.name)}` to `{clean(name)}`: it is not read as it is"
    if holds_doubles(folder):
        near = next(iter(jobs_in(folder.parent)), None)
        example = f", such as {clean(display_path(near))}" if near is not None else ""
        yield f"it is a folder of doubles: name a job whose target is this sandbox{example}"
    for inner in islice(below(folder), _MOST_FOLDERS):
        if jobs_in(inner):
            yield f"{clean(display_path(inner))} has some, and folders below are not entered: name it, or give `-r`"


def _right_name(path: Path, *, beside_jobs: bool = False) -> str | None:
    """The name that a file should have that probably is a job; None of any other."""
    name, folded = path.name, path.name.casefold()
    if name.endswith(_JOB):
        return None
    if folded.endswith(_JOB):
        return name[: -len(_JOB)] + _JOB
    ending = next((candidate for candidate in (*_LIKE_A_JOB, *_YAML) if folded.endswith(candidate)), None)
    if ending is None or not _PUT_ASIDE.isdisjoint(_WORD.findall(folded)):
        return None
    holds = _HAS_TARGET if beside_jobs and ending in _YAML else _HAS_STEPS
    return name[: -len(ending)] + _JOB if is_ours(path, holds) else None


def _read(files: Iterable[JobFile]) -> frozenset[str]:
    return frozenset(os.path.realpath(name) for file in files for name in file.documents)


def _jobs(specs: Iterable[Path], files: Iterable[JobFile]) -> Iterator[Problem]:
    read = _read(files)
    for folder in dict.fromkeys(spec for spec in specs if spec.is_dir()):
        beside_jobs = bool(jobs_in(folder))
        for path in _inside(folder):
            if os.path.realpath(path) not in read and (name := _right_name(path, beside_jobs=beside_jobs)) is not None:
                message = f"this job is not read: its name must end in {_JOB}"
                yield passed_over(message, name=display_path(path), instead=name)


def _targets(files: Iterable[JobFile]) -> Iterator[Problem]:
    """Files that look like a targets file, in the folders that were searched for it."""
    searched: dict[Path, None] = {}
    for parent, found in dict.fromkeys((Path(file.document.file).parent, file.targets_file) for file in files):
        last = None if found is None else found.parent.resolve()
        for folder in map(Path.resolve, searched_folders(parent)):
            if folder == last:
                break
            searched[folder] = None
    like = (folder / name for folder in searched for name in names_in(folder) if name.casefold() in _LIKE_TARGETS)
    for path in like:
        if path.name != NAME and is_ours(path, _HAS_TARGETS):
            yield passed_over(f"this file is not read: targets belong in {NAME}", name=display_path(path), instead=NAME)


def _inside(folder: Path) -> Iterator[Path]:
    """The files and folders in a folder that are not hidden."""
    return (folder / name for name in names_in(folder) if not name.startswith("."))

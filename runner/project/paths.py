"""Paths of jobs: those of a command, and those in a job, relative to it, without links, and inside its project."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from runner.foundation.problems import Finding, Problem, UsageError
from runner.reading.files import below, is_included

JOB_FILES = "*.job.yaml"


def root_of(job: Path, *, beside: Path) -> Path:
    """The folder that paths of `job` must not leave; `beside` is the folder where it was named."""
    return next((folder for folder in job.parents if (folder / ".git").exists()), beside)


def inside(written: str, *, beside: Path, root: Path, shown: str) -> Path | Finding:
    """The file that a job in the folder `beside` means by `written`; `shown` is the root's name in messages."""
    if Path(written).is_absolute():
        message, inner = f"`{written}` is absolute: a path in a job is relative to its file", written.lstrip("/")
        is_there = os.path.isfile(beside / inner)  # noqa: PTH113  no error of what may not be read
        return Finding(code="E119", message=message, hint=f"write `{inner}`" if is_there else None)
    try:
        found = (beside / written).resolve()
    except (OSError, RuntimeError, ValueError):  # a circle of links, or a character that no path may hold
        return Finding(code="E100", message=f"`{written}` cannot be the path of a file")
    if found.is_relative_to(root):
        return found
    hint = "keep paths in a job within the folder that holds `.git`, or else within the job's folder"
    folder = "the current folder" if shown == "." else f"the folder `{shown}`"
    return Finding(code="E119", message=f"`{written}` leads out of {folder}", hint=hint)


@contextmanager
def refused_by_system(what: str, *, code: str = "E153") -> Iterator[None]:
    """Raise `UsageError` that says `what` cannot be done, and why, where the system refuses it."""
    try:
        yield
    except OSError as error:
        raise UsageError(Problem(code=code, message=f"{what}: {error.strerror or error}")) from error


def in_checkout(file: str) -> str:
    """The name of a file in a CI: relative to the folder of `.git`."""
    absolute, here = Path(os.path.abspath(file)), Path.cwd()  # noqa: PTH100  a link is no file of the checkout
    root = root_of(here / "any", beside=here)
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else file


def job_paths(specs: Sequence[Path], *, recursive: bool = False) -> Iterable[Path]:
    """The files that `specs` stand for, each once."""
    seen: set[str] = set()
    for spec in specs:
        for path in jobs_in(spec, recursive=recursive) if spec.is_dir() else [spec]:
            real = os.path.realpath(path)  # unlike `resolve`, it lets a circle of links be the mistake of who reads it
            if real not in seen:
                seen.add(real)
                yield path


def jobs_in(folder: Path, *, recursive: bool = False) -> list[Path]:
    """The job files of a folder; `recursive`: with those in folders below, but for links that lead out."""
    found = sorted(path for path in folder.glob(JOB_FILES) if is_included(path))
    if recursive:
        for inner in below(folder):
            found += [path for path in jobs_in(inner) if not leads_out(path, folder)]
    return found


def leads_out(path: Path, folder: Path) -> bool:
    """Whether it is a link to something that does not lie in `folder`."""
    return path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))

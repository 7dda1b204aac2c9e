"""Paths that stand in a job: relative to it, resolved through links, and inside the project.

The project is the folder of the nearest `.git`, else that of the job that was named. Paths handed in here are resolved.
"""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PathMistake:
    code: str
    message: str
    hint: str | None = None


def root_of(job: Path, *, beside: Path) -> Path:
    """The root of the project that `job` belongs to; `beside` is the folder in which it was named."""
    return next((folder for folder in job.parents if (folder / ".git").exists()), beside)


def inside(written: str, *, beside: Path, root: Path, shown: str) -> Path | PathMistake:
    """The file that a job in the folder `beside` means by `written`; `shown` is the root's name in messages."""
    if Path(written).is_absolute():
        message = f"`{written}` is absolute: a path in a job is relative to its file"
        return PathMistake(code="E119", message=message)
    try:
        found = (beside / written).resolve()
    except (OSError, RuntimeError, ValueError):  # a circle of links, or a character that no path may hold
        return PathMistake(code="E100", message=f"`{written}` cannot be the path of a file")
    if found.is_relative_to(root):
        return found
    hint = f"paths in a job stay inside the project, `{shown}`: the folder of `.git`, else that of the job"
    return PathMistake(code="E119", message=f"`{written}` leads out of the project", hint=hint)


def called(path: Path) -> str:
    """A file's name in messages and reports: relative to the current folder, else absolute."""
    relative = os.path.relpath(path)
    return str(path.absolute()) if relative.startswith("..") else relative

"""The bytes of a file that a user named, or the sentence that says why there are none; and files that nobody named."""

import stat
from itertools import islice
from pathlib import Path

from runner.documents import encoding
from runner.problems import Problem, Severity
from runner.values import is_well_formed
from runner.words import suggest

_MOST_NAMES = 1_000
_BEGINNING = 4096
"""Bytes in which a file of ours says what it is."""


def content(path: Path, *, name: str) -> bytes | Problem:
    """What the file at `path`, called `name` in messages, holds. No more of it is read than a file may hold."""
    if not is_well_formed(name):
        hint = "rename it: no journal or report could hold its name"
        return Problem(code="E159", message="the name of this file is not UTF-8", hint=hint, file=name)
    try:
        with path.open("rb") as file:
            return file.read(encoding.LARGEST_FILE + 1)
    except OSError as error:
        return _unreadable(path, name, error)
    except ValueError:
        return Problem(code="E100", message="this cannot be the name of a file", file=name)


def beginning(path: Path) -> bytes:
    """How a file begins; nothing of one that cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_BEGINNING)
    except (OSError, ValueError):
        return b""


def is_meant(path: Path) -> bool:
    """Whether a folder that is named stands for this file, too.

    It does not for what is hidden, as locks and copies of editors and systems are, nor for what is no file. A link that
    leads nowhere is meant: whoever reads it tells.
    """
    if path.name.startswith("."):
        return False
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True


def passed_over(message: str, *, name: str, instead: str) -> Problem:
    """A warning about the file `name`, which would be read were it called `instead`."""
    hint = f"rename it to `{instead}`"
    return Problem(code="E100", message=message, hint=hint, file=name, severity=Severity.WARNING)


def _unreadable(path: Path, name: str, error: OSError) -> Problem:
    match error:
        case FileNotFoundError():
            message, hint = f"there is no file `{name}`", near(path)
        case IsADirectoryError():
            message, hint = f"`{name}` is a folder, not a file", None
        case PermissionError():
            message, hint = f"`{name}` may not be read", "look at the permissions of the file and of its folders"
        case _:
            message, hint = f"`{name}` cannot be read: {error.strerror or error}", None
    return Problem(code="E100", message=message, hint=hint, file=name)


def near(path: Path) -> str | None:
    """The file that was probably meant: by its letters, or `a.job.yaml` by `a` or `a.yaml`."""
    try:
        names = sorted(other.name for other in islice(path.parent.iterdir(), _MOST_NAMES))
    except OSError:
        return None
    stem = path.name.partition(".")[0]
    same = (
        name for name in names if stem and name.startswith(f"{stem}.") and name.endswith((".yaml", ".csv", ".json"))
    )
    found = suggest(path.name, names) or next(same, None)
    return found and f"did you mean `{found}`?"

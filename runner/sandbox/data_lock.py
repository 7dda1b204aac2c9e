"""A data file has a single sandbox: a second would cancel what the first has under way.

The kernel's lock is on a file of its own, to spare SQLite's locks; an empty file may be left. Without locks nobody is
refused.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runner.foundation.private_files import open_taken
from runner.foundation.problems import Problem, UsageError

_ENDING = "-lock"  # as SQLite calls what it puts beside a file: `-wal`, `-shm`


@contextmanager
def locked(data: Path | None) -> Iterator[None]:
    """Hold the lock of `data` for as long as the context lasts. Raises `UsageError` where another sandbox has it."""
    if data is None:
        yield
        return
    real = Path(os.path.realpath(data))
    path = real.with_name(real.name + _ENDING)
    try:
        file = _taken(path)
    except OSError:  # what is wrong with its folder is reported when the data is opened
        file = None
    else:
        if file is None:
            message = f"the sandbox cannot keep its data in {data}: another sandbox keeps its own there"
            raise UsageError(Problem(code="E100", message=message, hint="end that sandbox, or name another file"))
    try:
        yield
    finally:
        if file is not None:
            _release(file, path)


def _taken(path: Path) -> int | None:
    """The open file, locked; None where somebody else has it. Raises `OSError` where there are no locks."""
    while (file := open_taken(path)) is not None and not _is_at(path, file):
        os.close(file)
    return file


def _is_at(path: Path, file: int) -> bool:
    """Whether it is still the same file: who held it before deletes it while others may have opened it already."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _release(file: int, path: Path) -> None:
    """Delete it while it is locked, so that nobody else's is deleted; Windows deletes none that anybody has open."""
    with suppress(OSError):
        path.unlink()
    os.close(file)
    if os.name == "nt":
        with suppress(OSError):
            path.unlink()

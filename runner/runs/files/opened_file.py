"""Whether the file of a database is still the file that was opened: SQLite does not notice that it was replaced."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

_BESIDE = ("-wal", "-shm")  # what SQLite makes of a file in its mode WAL
_Identity: TypeAlias = tuple[int, int]


class OpenedFile:
    """The file at `path`, with those beside it."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._identity: _Identity | None = None
        self._beside: dict[str, _Identity | None] = {}

    def note(self) -> None:
        """The file is about to be opened."""
        self._identity = _identity(self._path)

    def note_beside(self) -> None:
        """It is open, with those beside it."""
        self._beside = {path: _identity(path) for path in (self._path + end for end in _BESIDE)}

    def is_in_place(self) -> bool:
        """9 µs, before each start and each question."""
        try:
            found = os.stat(self._path)  # noqa: PTH116  a path of its own would be made each time
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._identity and found.st_size > 0

    def discard(self) -> None:
        """Delete what is left of the opened file, but nothing of another in its place: SQLite would mix them up."""
        for path, identity in (*self._beside.items(), (self._path, self._identity)):
            with suppress(OSError):
                if _identity(path) == identity:
                    os.unlink(path)  # noqa: PTH108  as above


def _identity(path: str) -> _Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116  as above
    except OSError:
        return None
    return found.st_dev, found.st_ino

"""The file of starts and rows, of a folder of runs or of all: opened when needed, anew where deleted or replaced."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from runner.foundation.private_files import PRIVATE_FILE, ensure_folder
from runner.runs.files.row_tables import PATIENCE, MadeFile, open_tables
from runner.runs.store import StoreError

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


_AGAIN = 5.0
"""Seconds after which a file that could not be opened is tried again, and then how long others are waited for."""
_BRIEFLY = 0.1

RowChange: TypeAlias = tuple[str, tuple[str | float, ...]]  # a statement with its values


class RowDatabase:
    """The file of a folder of runs, or of all folders; may be used by several threads and programs."""

    def __init__(self, file: Path, *, place: Path | None = None, now: Callable[[], float] | None = None) -> None:
        """`place` is the folder of runs of this program, for a shared file. `clock` may be the file's."""
        self.file = file
        self.place = place
        self.clock = now
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._opened_file = OpenedFile(file)
        self._openings = 0
        self._again = 0.0
        self.made: MadeFile | None = None
        self.trouble: str | None = None

    def now(self) -> float:
        if self.clock is None and self.made is None:
            self.opening()
        return self._moment()

    def as_set(self, moment: float) -> float:
        """A moment of the file by this machine's clock as it is set now."""
        return moment + (0.0 if self.clock is not None else time.time() - self._moment())

    def _moment(self) -> float:
        clock = self.clock or (time.time if self.made is None else self.made.clock)
        return clock()

    def close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def opening(self) -> int | None:
        """The number of this opening, from 1: a replaced file has lost what was written before. None: not open."""
        with self._lock:
            if self._database is not None and self._opened_file.is_in_place():
                return self._openings
            if self._database is None and 0 < self._again - self._moment() <= _AGAIN:
                return None
            try:
                self._open_anew()
            except (sqlite3.Error, OSError) as error:
                self._again = self._moment() + _AGAIN
                self.trouble = self.trouble or str(self._unusable(error))
                return None
            return self._openings

    def _open_anew(self) -> None:
        if self._database is not None:
            self._opened_file.discard()
            self._database.close()
            self._database = None
        ensure_folder(self.file.parent)
        self._opened(patience=PATIENCE if self.trouble is None else _BRIEFLY)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, alone with the file. Raises `StoreError`."""
        with self._lock:
            try:
                database = self._opened()
                database.execute("BEGIN IMMEDIATE")
                with database:
                    yield database
            except (sqlite3.Error, OSError) as error:
                raise self._unusable(error) from error

    def change(self, *changes: RowChange) -> int:
        """Some statements in a transaction; the number of the record that the last has made. Raises `StoreError`."""
        if len(changes) > 1:
            with self.changing() as database:
                for change in changes:
                    made = database.execute(*change)
                return made.lastrowid or 0
        with self._lock:
            try:
                return self._opened().execute(*changes[0]).lastrowid or 0  # a transaction by itself
            except (sqlite3.Error, OSError) as error:
                raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> StoreError:
        is_damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        hint = "move this file away, and go on: which rows are of earlier calls is not known then" if is_damaged else ""
        return StoreError(f"{self.file}: {error}", hint=hint)

    def _opened(self, *, patience: float = PATIENCE) -> sqlite3.Connection:
        if self._database is None:
            self.file.touch(PRIVATE_FILE)
            self._opened_file.note()
            self._database, self.made = open_tables(self.file, self.place, self._moment(), patience=patience)
            self._opened_file.note_beside()
            self._openings += 1
        return self._database

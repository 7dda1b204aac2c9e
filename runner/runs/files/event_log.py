"""The events of a run in its file `events.jsonl`, open for writing, and errors of the disk as errors of the store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from runner.foundation import private_files
from runner.runs.store import Part, StoreError

EVENTS = Part.EVENTS.value
RESULTS = "results"
_TAIL = 16 * 1024  # bytes at the end of a run in which its last line, or what is torn of it, is searched for first
_PIECE = 1 << 16
_PUT_BACK = "put it back, and `runner resume` goes on with the run; where it is lost, look at the site by hand"


class FileLog:
    """The open `events.jsonl` of a run, with its kernel lock. The first durable line makes the run itself durable."""

    def __init__(self, folder: Path, file: int) -> None:
        self.run = folder.name
        self._folder = folder
        self._path = str(folder / EVENTS)
        self._file = file
        self._is_run_durable = False

    def append(self, line: bytes, *, durable: bool) -> None:
        try:
            if durable and not self._is_in_place():
                raise StoreError(f"{self._path} was moved or deleted while the run was under way", hint=_PUT_BACK)
            private_files.write_all(self._file, line + b"\n")
            if durable:
                self.sync_run()
                os.fsync(self._file)
        except OSError as error:
            raise _error_of(error, self.run) from error

    def _is_in_place(self) -> bool:
        """What is written to a file that no name leads to is lost: 4 µs, before each start and at the end of a run."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return os.path.samestat(os.stat(self._path), os.fstat(self._file))  # noqa: PTH116  as in `OpenedFile`
        return False

    def sync_run(self) -> None:
        """Once: what is stored of a run does not change but for its lines."""
        if self._is_run_durable:
            return
        with stored(self._folder):
            with suppress(FileNotFoundError):
                private_files.sync_file(self._folder / Part.PLAN.value)
            private_files.sync_folder(self._folder)
            private_files.sync_folder(self._folder.parent)
        self._is_run_durable = True

    def commit(self) -> None:
        """What was written is the system's, and no kill takes it away."""

    def check_fence(self) -> None:
        """The lock on the file is this process's as long as it lives."""

    def drop_torn_line(self) -> None:
        path = self._folder / EVENTS
        with stored(path):
            with path.open("rb") as file:
                whole = _end_of_last_line(file)
            os.ftruncate(self._file, whole)
            os.fsync(self._file)

    def put_result(self, name: str, content: bytes) -> None:
        target = self._result_file(name)
        with stored(target):
            if target.exists():
                return
            if not target.parent.exists():
                target.parent.mkdir(mode=private_files.PRIVATE_FOLDER)
                private_files.sync_folder(self._folder)
            private_files.write_whole(target, content)

    def result(self, name: str) -> bytes:
        with stored(self._result_file(name)):
            return self._result_file(name).read_bytes()

    def close(self) -> None:
        os.close(self._file)

    def _result_file(self, name: str) -> Path:
        return self._folder / RESULTS / f"{name}.json"


@contextmanager
def stored(what: Path | str) -> Iterator[None]:
    """An error of the system as an error of the store; `what` names the place where the system does not."""
    try:
        yield
    except OSError as error:
        raise _error_of(error, what) from error


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _error_of(error: OSError, what: Path | str) -> StoreError:
    return StoreError(f"{error.filename or what}: {error.strerror or error}")


def _end_of_last_line(file: BinaryIO) -> int:
    """How many bytes all whole lines have, searched for from the end: a journal may be large, a torn line is not."""
    start, size = file.seek(0, os.SEEK_END), _TAIL
    while start:
        end, start = start, max(0, start - size)
        file.seek(start)
        if (found := file.read(end - start).rfind(b"\n")) >= 0:
            return start + found + 1
        size *= 8
    return 0


def last_line(file: BinaryIO, begun: int) -> bytes:
    """The last whole line after `begun`, with its line end; nothing where there is none."""
    end = file.seek(0, os.SEEK_END)
    size = _TAIL
    while True:
        start = max(begun, end - size)
        file.seek(start)
        whole, line_end, _ = file.read(end - start).rpartition(b"\n")
        _, found, last = whole.rpartition(b"\n")
        if found or start == begun:
            return last + line_end
        size *= 8

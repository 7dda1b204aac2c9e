"""The file of the history. It is appended to, or replaced as a whole, both under a lock on a file of its own."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runner.foundation.private_files import BINARY, PRIVATE_FILE, take, write_all, write_whole

_LOOKS = 500
"""Looks at the lock of another process, for over five seconds. To write a history anew takes a tenth of a second."""


class HistoryFile:
    """All methods raise `OSError`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""

    def append(self, line: bytes) -> int:
        """Add a line, given without its line end; the bytes that the file has then."""
        with self._locked():
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | BINARY, PRIVATE_FILE)
            try:
                write_all(file, _after_torn_line(file) + line + b"\n")
                return os.lseek(file, 0, os.SEEK_END)
            finally:
                os.close(file)

    def change(self, change: Callable[[bytes], bytes]) -> None:
        with self._locked():
            write_whole(self.path, change(self.read()))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """A file system without locks is no reason to store no history."""
        file = os.open(self.path.with_name(f".{self.path.stem}.lock"), os.O_RDWR | os.O_CREAT | BINARY, PRIVATE_FILE)
        is_taken = True
        try:
            with suppress(OSError):
                is_taken = take(file, looks=_LOOKS)
            if not is_taken:
                raise OSError(errno.EAGAIN, "another process is writing it", str(self.path))
            yield
        finally:
            os.close(file)


def _after_torn_line(file: int) -> bytes:
    """A line end, where a kill has left a line without its end."""
    end = os.lseek(file, 0, os.SEEK_END)
    if not end:
        return b""
    os.lseek(file, end - 1, os.SEEK_SET)
    return b"" if os.read(file, 1) == b"\n" else b"\n"

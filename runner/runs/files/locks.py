"""Locks with a name: runs of a user that ask for the same name on the same site do not overlap.

The kernel keeps them on files in the user's state folder, and releases them with the process; the file names the holder
for people. No `filelock`: its import costs 6 to 23 ms, and its version 3 empties the file that it locks.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import asdict

from runner.foundation.private_files import ensure_folder, open_taken, write_all
from runner.foundation.values import canonical, well_formed
from runner.runs.store import Claim, Holder, StoreError, Taken

_PACE = 0.25  # seconds between two looks at a lock that somebody else holds


class FileLock:
    def __init__(self, file: int) -> None:
        self._file: int | None = file

    def sign(self, holder: Holder) -> None:
        """Say in the file who holds it from now on."""
        if self._file is not None:
            _sign(self._file, holder)

    def release(self) -> None:
        """Let go. What the file says of the holder is gone before the next run takes it."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with suppress(OSError):
            os.ftruncate(file, 0)
        os.close(file)


def hold(
    claim: Claim,
    holder: Holder,
    *,
    folder: Path,
    seconds: float = 0.0,
    wait: Callable[[float], bool],
    clock: Callable[[], float] = time.monotonic,
) -> FileLock | Taken:
    """Take the lock of `claim` within `seconds`; `wait` pauses, and is false if interrupted. Raises `StoreError`."""
    name = well_formed(canonical([claim.name, claim.site_key]))
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.lock"
    ends = clock() + seconds
    try:
        ensure_folder(folder.parent)
        ensure_folder(folder)
        while (file := open_taken(path)) is None:
            left = ends - clock()
            if left <= 0 or not wait(min(left, _PACE)):
                return Taken(holder=_holder(path))
    except OSError as error:
        raise StoreError(f"{error.filename or path}: {error.strerror or error}") from error
    _sign(file, holder)
    return FileLock(file)


def _sign(file: int, holder: Holder) -> None:
    """Write into the file who holds it. On a full disk it names nobody, and is still a lock."""
    text = well_formed(json.dumps(asdict(holder), ensure_ascii=False)).encode() + b"\n"
    with suppress(OSError):
        os.lseek(file, 0, os.SEEK_SET)
        write_all(file, text)
        os.ftruncate(file, len(text))


def _holder(path: Path) -> Holder | None:
    """Who holds the lock, as the file says; asked only when it is known that somebody holds it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (OSError, ValueError, RecursionError):
        return None

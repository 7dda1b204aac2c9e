"""Turns over all folders of runs: the starts of a process on a site by this user on this machine.

A turn is a file that the kernel locks in the user's state folder, and releases with the process. It names the run, and
how long it may need the turn; after that it is not waited for. A program with several runs steps aside for others that
wait.
"""

import os
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from runner.foundation.private_files import BINARY, PRIVATE_FILE, ensure_folder, take, write_all
from runner.foundation.site_key import hashed
from runner.foundation.values import well_formed
from runner.runs.evidence import LockHolder

_MOMENTS = struct.Struct("<dd")
"""At the start of a file: when somebody has last waited for the turn, and until when its holder may need it."""
_MOMENT = struct.Struct("<d")
_NAMED = 1000  # bytes after that, which name the holder
_MARGIN = 60.0
"""Seconds for what belongs to a turn beside its call: readings of the process log before it, and after it."""
_WAITS = 0.2  # seconds after its last look for which somebody is taken to wait
_HANGS = 1.0
"""Seconds for which a turn is found that its holder should not need any more: who takes it says so a moment later."""
_UNSIGNED = 180.0  # the same where the holder could not write how long it needs the turn, as on a full disk
_ASIDE = 0.1
"""Seconds for which a program leaves a turn to others that wait for it: they look several times meanwhile."""


class TurnFiles:
    """A `runner.runs.store.SharedTurns` of a site. `place` is what others learn. A turn is a single thread's."""

    def __init__(self, folder: Path, *, site: str, place: str, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._site = hashed(site)
        self._place = well_formed(place)
        self._now = now
        self._paths: dict[str, str] = {}
        self._open: dict[str, int] = {}
        self._written: dict[str, bytes] = {}
        self._aside: dict[str, float] = {}
        self._hangs: dict[str, float] = {}
        self.handed_on: dict[str, bool] = {}

    def take(self, process: str, holder: LockHolder | None) -> bool:
        now = self._now()
        if 0 < self._aside.get(process, 0.0) - now <= _ASIDE:
            return False
        try:
            file = self._open[process] if process in self._open else self._opened(process)
            is_free = take(file, looks=1)
            before = _read(file)
            if not (is_free or self._is_hanging(process, before, now=now)):
                with suppress(OSError):
                    _write(file, _MOMENT.pack(now), at=0)
                return False
            self._hangs.pop(process, None)
            self.handed_on[process] = is_free and before[_MOMENTS.size :] == self._written.get(process)
            if is_free:
                self._sign(file, process, holder, until=now + _MARGIN)
            else:
                self._close(process)
        except OSError:
            self._close(process)
            self.handed_on[process] = True
        return True

    def extend(self, process: str, *, seconds: float) -> None:
        if process in self._open:
            with suppress(OSError):
                _write(self._open[process], _MOMENT.pack(self._now() + seconds + _MARGIN), at=_MOMENT.size)

    def holder(self, process: str) -> LockHolder | None:
        if process not in self._open:
            return None
        try:
            found = msgspec.json.decode(
                _read(self._open[process])[_MOMENTS.size :].partition(b"\n")[0], type=LockHolder
            )
        except (OSError, ValueError, RecursionError):
            return None
        if not found.job:
            return None
        return replace(found, folder=None) if found.folder == self._place else found

    def give_back(self, process: str) -> None:
        if process in self._open:
            with suppress(OSError):
                waited = _moments(_read(self._open[process]))[0]
                now = self._now()
                if 0 <= now - waited <= _WAITS:
                    self._aside[process] = now + _ASIDE
            self._close(process)

    def _opened(self, process: str) -> int:
        if (path := self._paths.get(process)) is None:
            path = self._paths[process] = str(self._folder / f"{hashed(f'{self._site} {process}')[:32]}.turn")
        try:
            file = _open(path)
        except FileNotFoundError:
            ensure_folder(self._folder.parent)
            ensure_folder(self._folder)
            file = _open(path)
        self._open[process] = file
        return file

    def _sign(self, file: int, process: str, holder: LockHolder | None, *, until: float) -> None:
        """Say in the file who has the turn. On a full disk it names nobody, and is still a turn."""
        job, run = ("", None) if holder is None else (holder.job, holder.run)
        line = msgspec.json.encode(LockHolder(job=well_formed(job), run=run, folder=self._place)) + b"\n"
        self._written[process] = line = line.ljust(_NAMED)[:_NAMED]
        with suppress(OSError):
            _write(file, _MOMENT.pack(until) + line, at=_MOMENT.size)

    def _is_hanging(self, process: str, content: bytes, *, now: float) -> bool:
        until = _moments(content)[1]
        if until >= now:
            self._hangs.pop(process, None)
            return False
        return now - self._hangs.setdefault(process, now) >= (_HANGS if until else _UNSIGNED)

    def _close(self, process: str) -> None:
        if (file := self._open.pop(process, None)) is not None:
            with suppress(OSError):
                os.close(file)


def _open(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | BINARY, PRIVATE_FILE)


def _read(file: int) -> bytes:
    os.lseek(file, 0, os.SEEK_SET)
    return os.read(file, _MOMENTS.size + _NAMED)


def _write(file: int, content: bytes, *, at: int) -> None:
    os.lseek(file, at, os.SEEK_SET)
    write_all(file, content)


def _moments(content: bytes) -> tuple[float, float]:
    if len(content) < _MOMENTS.size:
        return 0.0, 0.0
    waited, until = _MOMENTS.unpack_from(content)
    return waited, until

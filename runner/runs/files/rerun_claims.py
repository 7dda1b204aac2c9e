"""Which stored runs are being carried out once more: a locked file a command. A command that is gone claims nothing."""

import errno
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from runner.foundation import private_files
from runner.runs.store import Holder, RerunUnderWay

_LOCK = "lock"
_SECONDS = 60.0  # how long another command may take to choose. It reads the first and the last line of each run.
_PAUSE = 0.01


class _Claim(Struct, frozen=True, kw_only=True):
    claimed: list[str]
    holder: Holder


_decoder = msgspec.json.Decoder(_Claim)


class RerunClaims:
    """Methods raise `OSError`, also where the file system has no locks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def claim(self, choose: Callable[[], Collection[str]], holder: Holder) -> RerunUnderWay | Callable[[], None]:
        """What gives the claim back; else it ends with this process."""
        with self.held() as others:
            wanted = choose()
            for other in others:
                if other.claimed in wanted:
                    return other
            return self._written(_Claim(claimed=[*wanted], holder=holder))

    @contextmanager
    def held(self) -> Iterator[list[RerunUnderWay]]:
        """What commands under way have claimed; none claims anything meanwhile."""
        private_files.ensure_folder(self._folder)
        with self._alone():
            yield [
                RerunUnderWay(claimed=claimed, holder=other.holder)
                for other in self._others()
                for claimed in other.claimed
            ]

    def _written(self, claim: _Claim) -> Callable[[], None]:
        path = self._folder / f"{os.getpid()}-{time.time_ns()}"
        file = private_files.open_taken(path)
        if file is None:
            raise _busy(path)

        def release() -> None:
            os.close(file)
            with suppress(OSError):
                path.unlink()

        try:
            private_files.write_all(file, msgspec.json.encode(claim))
        except BaseException:
            release()
            raise
        return release

    @contextmanager
    def _alone(self) -> Iterator[None]:
        path = self._folder / _LOCK
        ends = time.monotonic() + _SECONDS
        while (file := private_files.open_taken(path)) is None:
            if time.monotonic() > ends:
                raise _busy(path)
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            os.close(file)

    def _others(self) -> Iterator[_Claim]:
        """What commands have claimed that are under way; the files of others are deleted."""
        for path in self._folder.iterdir():
            if path.name == _LOCK:
                continue
            with suppress(FileNotFoundError):  # its command ends just now
                if private_files.is_locked(path):
                    yield _decoder.decode(path.read_bytes())
                else:
                    path.unlink()


def _busy(path: Path) -> OSError:
    return OSError(errno.EAGAIN, "another process has its lock", str(path))

"""Which stored plans were carried out, by which runs, and which stored runs are being carried out once more.

Of a plan there are two files: in the folder of runs, with an id a line, and in the user's state folder, with the folder
and its run (null: a claim) in JSON. The first goes to other machines with the folder, as in a CI's cache.
Of reruns there is a locked file a command. A command that is gone claims nothing.
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from runner.foundation import private_files
from runner.foundation.values import well_formed
from runner.runs.store import Holder, RerunUnderWay, RunOfPlan


class PlanUses:
    """The uses of plans, `own` of a folder of runs and `shared` by all; with `trouble` only `own` can be written.

    Raises `OSError`.
    """

    def __init__(self, own: Path, shared: Path, *, place: str) -> None:
        self._own = own
        self._shared = shared
        self._place = well_formed(place)
        self.trouble: str | None = None

    def claim(self, key: str) -> bool:
        own, shared = self._files(key)
        if own.exists() or not self._is_ours(shared):
            return False
        try:
            private_files.ensure_folder(own.parent)
            if not _made(own):
                return False
            private_files.sync_folder(own.parent)
        except OSError:
            self._forget(own, shared if self.trouble is None else own)  # it may be of another folder
            raise
        return True

    def add(self, key: str, run: str) -> None:
        own, shared = self._files(key)
        with suppress(OSError):
            _append(shared, self._line(run))
        private_files.ensure_folder(own.parent)
        _append(own, f"{run}\n".encode())

    def runs(self, key: str) -> list[RunOfPlan] | None:
        """Those of this folder are known in both files, those of other folders in the shared file."""
        own, shared = self._files(key)
        here, everywhere = _content(own), _content(shared)
        if here is None and everywhere is None:
            return None
        found = {run: RunOfPlan(run=run) for run in (here or b"").decode(errors="replace").split()}
        for folder, run in map(_read, (everywhere or b"").splitlines()):
            if folder is not None:
                use = RunOfPlan(run=run, folder=None if folder == self._place else folder)
                found.setdefault(run or folder, use)
        return sorted(found.values(), key=lambda use: use.run)

    def release(self, key: str) -> None:
        if not any(use.run for use in self.runs(key) or ()):
            self._forget(*self._files(key))

    def _forget(self, own: Path, shared: Path) -> None:
        with suppress(OSError):
            shared.unlink(missing_ok=True)
        own.unlink(missing_ok=True)

    def _is_ours(self, shared: Path) -> bool:
        """Claim the plan for all folders; True, too, where that cannot be written."""
        try:
            private_files.ensure_folder(shared.parent.parent)
            private_files.ensure_folder(shared.parent)
            if not _made(shared):
                return False
            _append(shared, self._line(None))
            private_files.sync_folder(shared.parent)
        except OSError as error:
            self.trouble = f"{error.filename or shared}: {error.strerror or error}"
        return True

    def _files(self, key: str) -> tuple[Path, Path]:
        """The key is somebody's text, and no name of a file."""
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._own / name, self._shared / name

    def _line(self, run: str | None) -> bytes:
        return msgspec.json.encode((self._place, run)) + b"\n"


def _made(file: Path) -> bool:
    """Whether the file was not there, and is now."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | private_files.BINARY, private_files.PRIVATE_FILE))
    except FileExistsError:
        return False
    return True


def _append(file: Path, line: bytes) -> None:
    with file.open("ab", buffering=0) as opened:
        private_files.write_all(opened.fileno(), line)
        os.fsync(opened.fileno())


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _read(line: bytes) -> tuple[str | None, str]:
    """The folder and the run of a line; no folder where the line was stored in part."""
    try:
        folder, run = msgspec.json.decode(line, type=tuple[str, str | None])
    except (msgspec.DecodeError, ValueError):
        return None, ""
    return folder, run or ""


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

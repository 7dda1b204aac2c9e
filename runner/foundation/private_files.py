"""Files that only their owner can read, locked by the kernel while a process writes them, and safe on the disk."""

import errno
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600

BINARY = getattr(os, "O_BINARY", 0)  # Windows would write a carriage return before every line feed

_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK})
_FAR_OUT = 0x7FFF_FFFE  # Windows lets nobody read a byte that is locked: the lock is on a byte that no file reaches
_LOOKS = 10
_BETWEEN_LOOKS = 0.01
"""Who only asks whether a file is being written holds its lock for a moment: a tenth of a second outlasts many."""

_AT_ONCE = 1 << 16
"""Bytes that are written at once where a file comes in pieces: in each call of the system other threads take over."""


def make_folder(folder: Path) -> None:
    """Make a new private folder and those above it, with their entries on disk. Raises `OSError`, also if it exists."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True)
    for made in reversed(missing):
        sync_folder(made.parent)


def ensure_folder(folder: Path) -> None:
    """Make a private folder where there is none yet. Raises `OSError`."""
    try:
        make_folder(folder)
    except FileExistsError:
        if not folder.is_dir():
            raise


def state_folder(environment: Mapping[str, str], *, home: Path, windows: bool = os.name == "nt") -> Path:
    """The folder of this user's locks, and of what all folders of runs share."""
    if windows:
        state = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        given = Path(environment.get("XDG_STATE_HOME") or ".")
        state = given if given.is_absolute() else home / ".local" / "state"
    return state / "creatio-runner"


def owner_of(path: Path) -> str | None:
    """Whose `path` is, or the folder that keeps us from it: a name, or the number of a user without a name.

    None where it is not there, or the system knows no owners.
    """
    for part in (path, *path.absolute().parents):
        try:
            return part.owner()
        except PermissionError:
            continue
        except KeyError:
            return str(part.stat().st_uid)
        except (OSError, NotImplementedError):
            break
    return None


def sync_folder(folder: Path) -> None:
    """Have the entries of a folder on disk: a file that is synced itself can still lose its name."""
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows has no handle of a folder to sync
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sync_file(path: Path) -> None:
    """Have the content of a file on disk that was closed before."""
    file = os.open(path, os.O_RDWR | BINARY)  # Windows syncs no file that is open for reading
    try:
        os.fsync(file)
    finally:
        os.close(file)


def write_whole(path: Path, content: bytes | Iterator[bytes], *, durable: bool = True) -> None:
    """Replace a private file: it is whole, or not there, at any moment. `content` may come in pieces.

    If it is not `durable`, a loss of power may leave it empty until `sync_file` and `sync_folder`.
    """
    beside = path.with_name(path.name + ".part")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | BINARY, PRIVATE_FILE)
    try:
        for piece in (content,) if isinstance(content, bytes) else _joined(content):
            write_all(file, piece)
        if durable:
            os.fsync(file)
    except BaseException:
        os.close(file)
        beside.unlink(missing_ok=True)
        raise
    os.close(file)
    beside.replace(path)
    if durable:
        sync_folder(path.parent)


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    gathered, size = [], 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= _AT_ONCE:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def write_all(file: int, content: bytes) -> None:
    """Write all of it: a single write may take only a part where a disk fills up."""
    count = os.write(file, content)
    if count < len(content):
        view = memoryview(content)[count:]
        while view:
            view = view[os.write(file, view) :]


def take(file: int, *, looks: int = _LOOKS) -> bool:
    """Take the lock of an open file; False where somebody else has it. Raises `OSError` where there are no locks."""
    for look in range(looks):
        if look:
            time.sleep(_BETWEEN_LOOKS)
        if _lock(file, shared=False):
            return True
    return False


def open_taken(path: Path) -> int | None:
    """The open file, made if it is not there, with its lock; None where somebody else has that. Raises as `take`."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | BINARY, PRIVATE_FILE)
    try:
        if take(file):
            return file
    except BaseException:
        os.close(file)
        raise
    os.close(file)
    return None


def is_taken(path: Path) -> bool:
    """Whether some process holds the lock of a file; False also where that cannot be found out."""
    try:
        return is_locked(path)
    except OSError:
        return False


def is_locked(path: Path) -> bool:
    """The same; raises `OSError` where it cannot be found out."""
    file = os.open(path, os.O_RDONLY)
    try:
        return not _lock(file, shared=True)
    finally:
        os.close(file)


def _lock(file: int, *, shared: bool) -> bool:
    try:
        if sys.platform == "win32":  # which has only locks that nobody shares
            os.lseek(file, _FAR_OUT, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise
    return True

"""The bytes of a file that a user named, or why there are none: `read_bytes` reads every such file, within a bound."""

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, Severity
from runner.foundation.sentences import listed
from runner.foundation.suggestions import suggest
from runner.foundation.values import is_well_formed
from runner.reading import encoding

_MOST_NAMES = 1_000
OF_CASES = (".csv", ".json")
_JOB = ".job.yaml"
_IS_OURS = lazy_pattern(rb"(?m)^[ \t{]*\"?runner\"?[ \t]*:[ \t]*1\b")
_HEAD = 4096  # bytes in which a file of ours says what it is


class _OtherKindError(OSError):
    """A pipe, a device, a socket."""


def display_path(path: Path) -> str:
    """A file's name in messages: relative to the current folder, else absolute; without `..` but after a link."""
    relative = os.path.relpath(path)
    if not relative.startswith(".."):
        return relative
    absolute = str(path.absolute())
    tidied = os.path.normpath(absolute)
    is_same = tidied == absolute or os.path.realpath(tidied) == os.path.realpath(absolute)
    return tidied if is_same else absolute


def read_bytes(path: Path, *, most: int = encoding.LARGEST_FILE, streams: bool = False) -> bytes:
    """What the file at `path` holds, up to `most` bytes and a byte more.

    Raises `OSError`, also for what is no regular file; with `streams` a pipe is read, and waited for.
    """
    try:
        is_pipe = stat.S_ISFIFO(path.stat().st_mode)
    except ValueError:
        raise OSError(errno.EINVAL, "this cannot be the name of a file") from None
    if is_pipe and not streams:
        raise _OtherKindError(errno.EINVAL, "it is a pipe, not a file")
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | (0 if is_pipe else getattr(os, "O_NONBLOCK", 0))
    file = os.open(path, flags)
    try:
        mode = os.fstat(file).st_mode  # of what was opened, whatever has the name by now
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode) and not (is_pipe and stat.S_ISFIFO(mode)):
            raise _OtherKindError(errno.EINVAL, "it is no regular file")
        with os.fdopen(file, "rb", closefd=False) as opened:
            return opened.read(most + 1) or b""
    finally:
        os.close(file)  # `fdopen` leaves a folder open


def read_text(path: str, *, streams: bool = False) -> str:
    """A file's text without a byte-order mark. Raises `OSError`, also if it is too large, and `UnicodeDecodeError`."""
    found = read_bytes(Path(path), streams=streams)
    if len(found) > encoding.LARGEST_FILE:
        raise too_large()
    return found.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def too_large() -> OSError:
    return OSError(errno.EFBIG, f"it is larger than {encoding.LARGEST_FILE // 2**20} MiB")


def content(path: Path, *, name: str, streams: bool = False) -> bytes | Problem:
    """What the file at `path`, called `name` in messages, holds. No more of it is read than a file may hold."""
    if not is_well_formed(name):
        hint = "rename it: no journal or report could hold its name"
        return Problem(code="E159", message="the name of this file is not UTF-8", hint=hint, file=name)
    try:
        return read_bytes(path, streams=streams)
    except OSError as error:
        return _unreadable(path, name, error)


def first_bytes(path: Path, *, most: int = _HEAD) -> bytes:
    """How a file begins; nothing of a file that cannot be read."""
    try:
        return read_bytes(path, most=most)
    except OSError:
        return b""


def stray(path: Path, *, name: str) -> Problem | None:
    """Why a file is not read although it is there: it is a link out of the project."""
    folder, file = Path(os.path.realpath(path.parent)), Path(os.path.realpath(path))
    if file.parent == folder or not file.exists():
        return None
    root = next((above for above in (folder, *folder.parents) if (above / ".git").exists()), folder)
    if file.is_relative_to(root):
        return None
    hint = "put the file itself there, or name the file that the link leads to"
    return Problem(code="E119", message=f"`{name}` is a link that leads out of the project", hint=hint, file=name)


def is_included(path: Path) -> bool:
    """Whether a named folder includes this file: not what is hidden or no file, but a broken link, to be reported."""
    if path.name.startswith("."):
        return False
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True


def is_ours(path: Path, holds: re.Pattern[bytes]) -> bool:
    """Whether a file says `runner: 1`, as other tools' files do not, and holds this."""
    start = first_bytes(path)
    return _IS_OURS.search(start) is not None and holds.search(start) is not None


def names_in(folder: Path) -> Sequence[str]:
    """The names of all that is in a folder, in order; none where it cannot be read."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208  a folder above may hold thousands: a path of each takes 20 ms
    except OSError:
        return ()


def below(folder: Path) -> Iterator[Path]:
    """The folders below `folder`, each before those in it; hidden ones are not entered, and no link is followed."""
    for here, names, _ in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith("."))
        if (found := Path(here)) != folder:
            yield found


def passed_over(message: str, *, name: str, instead: str) -> Problem:
    """A warning about the file `name`, which would be read were it called `instead`."""
    hint = f"rename it to `{instead}`"
    return Problem(code="E100", message=message, hint=hint, file=name, severity=Severity.WARNING)


def _unreadable(path: Path, name: str, error: OSError) -> Problem:
    match error:
        case FileNotFoundError():
            message, hint = f"there is no file `{name}`", hint_on_missing(path, written=name)
        case IsADirectoryError():
            message, hint = f"`{name}` is a folder, not a file", None
        case PermissionError():
            message, hint = f"`{name}` may not be read", "look at the permissions of the file and of its folders"
        case _OtherKindError():
            message, hint = f"`{name}` cannot be read: {error.strerror}", "name a file that holds the text itself"
        case _ if error.errno == errno.EINVAL and error.filename is None:
            message, hint = str(error.strerror), None
        case _:
            message, hint = f"`{name}` cannot be read: {error.strerror or error}", None
    return Problem(code="E100", message=message, hint=hint, file=name)


def _deleted(path: Path) -> str | None:
    from runner.foundation.git import was_deleted  # noqa: PLC0415  5 ms with `subprocess`, for a mistake only

    hint = "it is deleted in git: name the file in its place, or leave it out, as `git diff --diff-filter=d` does"
    return hint if was_deleted(path) else None


def is_missing(path: Path) -> bool:
    """Whether there is no such file; not where that is unknown, as in a folder that may not be read."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return False


def hint_on_missing(path: Path, *, written: str) -> str | None:
    return _deleted(path) or _near(path, written)


def _near(path: Path, written: str) -> str | None:
    """The file that comes near, as it is `written`: by its letters, `a.job.yaml` by `a`, or in a folder beside."""
    if "*" in path.name and path.suffix in OF_CASES:
        return "name a single file"
    if "*" in path.name:
        return "name the folder, which means every job in it"
    names, folder = names_in(path.parent)[:_MOST_NAMES], Path(written).parent
    stem = path.name.partition(".")[0]
    known = OF_CASES if path.suffix in OF_CASES else (".yaml", *OF_CASES)
    same = (name for name in names if stem and name.startswith(f"{stem}.") and name.endswith(known))
    around = ("..", *(name for name in names if not name.startswith(".")))
    # unlike `Path.is_file`, it is false of what is in a folder that may not be read
    elsewhere = (name for name in around if os.path.isfile(path.parent / name / path.name))  # noqa: PTH113
    found = next((f"{name}/{path.name}" for name in elsewhere), None) or suggest(path.name, names) or next(same, None)
    if found is None and path.name.endswith(_JOB):
        return _job_beside(path.name.removesuffix(_JOB), [name for name in names if name.endswith(_JOB)], folder)
    return found and f"did you mean `{_in(folder, found)}`?"


def _in(folder: Path, name: str) -> str:
    return Path(os.path.normpath(folder / name)).as_posix()


def _job_beside(name: str, jobs: Sequence[str], folder: Path) -> str | None:
    """The job with a near name, or all jobs that are there."""
    known = {job.removesuffix(_JOB): _in(folder, job) for job in jobs if is_well_formed(job)}
    found = suggest(name, known) or next((other for other in known if name and name in other), None)
    if found is not None:
        return f"did you mean `{known[found]}`?"
    return f"name a job that is there: {listed(sorted(known.values()))}" if known else None

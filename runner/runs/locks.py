"""Locks with a name: two runs that ask for one name against one site do not overlap, as far as one user's runs go.

The kernel keeps them, on files in the user's own state folder, and lets go of them with the process, however it ends.
The file tells who holds the lock, for people; what it says counts only while the kernel says that it is held. Whether
to wait, and what to say, is for the caller.

The library `filelock` is not used: its import costs 6 ms beside the HTTP client's and 23 without it (it brings asyncio
along), its version 3 empties the file that it locks, and what it saves are the few lines of `private_files`.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.foundation.private_files import BINARY, PRIVATE_FILE, ensure_folder, take, write_all
from runner.foundation.values import JsonObject, canonical, well_formed

_PACE = 0.25
"""Seconds between two looks at a lock that somebody else holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is locked. `site` is the URL of a site, or the folder of a sandbox, whose URL is another each time.

    Claims on one site are equal however its host is written: who made them two would wait for himself.
    """

    name: str
    site: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "site", _in_one_spelling(self.site))


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock. `since` is UTC, `…Z`; `job` is the title of the run, `command` what was typed."""

    pid: int
    run: str
    job: str
    since: str
    command: str


class Lock:
    """A lock that is held until it is released, or the process ends."""

    def __init__(self, file: int) -> None:
        self._file: int | None = file

    def release(self) -> None:
        """Let go; once more does nothing. What the file said of the holder is gone before the next one comes."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with suppress(OSError):
            os.ftruncate(file, 0)
        os.close(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Somebody else holds the lock; `holder` is None where the file does not tell who."""

    holder: Holder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLocks:
    """There is no lock to be had here. `why` is a clause that names the file."""

    why: str


def locks_folder(environment: Mapping[str, str], *, home: Path, windows: bool = os.name == "nt") -> Path:
    """Where the locks of this user lie, from whatever folder a run is started."""
    if windows:
        state = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        said = Path(environment.get("XDG_STATE_HOME") or ".")
        state = said if said.is_absolute() else home / ".local" / "state"
    return state / "creatio-runner" / "locks"


def hold(
    claim: Claim,
    holder: Holder,
    *,
    folder: Path,
    seconds: float = 0.0,
    wait: Callable[[float], bool],
    clock: Callable[[], float] = time.monotonic,
) -> Lock | Taken | NoLocks:
    """Take the lock, and wait for it up to `seconds`.

    `wait` waits for as long as it is told, and gives False where nothing is to be waited for any more.
    """
    path = folder / _file_name(claim)
    ends = clock() + seconds
    try:
        ensure_folder(folder.parent)
        ensure_folder(folder)
        while (file := _taken(path)) is None:
            left = ends - clock()
            if left <= 0 or not wait(min(left, _PACE)):
                return Taken(holder=_holder(path))
    except OSError as error:
        return NoLocks(why=f"{error.filename or path}: {error.strerror or error}")
    _sign(file, holder)
    return Lock(file)


def _in_one_spelling(site: str) -> str:
    scheme, colon, rest = site.partition("://")
    if not colon:
        return site
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}".rstrip("/")


def _file_name(claim: Claim) -> str:
    whole = well_formed(canonical([claim.name, claim.site]))
    return hashlib.sha256(whole.encode()).hexdigest()[:32] + ".lock"


def _taken(path: Path) -> int | None:
    """The open file, locked; None where somebody else has it. Raises `OSError`."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | BINARY, PRIVATE_FILE)
    try:
        if take(file):
            return file
    except BaseException:
        os.close(file)
        raise
    os.close(file)
    return None


def _sign(file: int, holder: Holder) -> None:
    """Write into the file who holds it. A lock that cannot tell its holder, on a disk that is full, is still a lock."""
    text = well_formed(json.dumps(asdict(holder), ensure_ascii=False)).encode() + b"\n"
    with suppress(OSError):
        os.lseek(file, 0, os.SEEK_SET)
        write_all(file, text)
        os.ftruncate(file, len(text))


def _holder(path: Path) -> Holder | None:
    """Who says that the lock is his; asked only when it is known that somebody holds it."""
    try:
        said: JsonObject = json.loads(path.read_bytes())
        match said:
            case {"pid": int(pid), "run": str(run), "job": str(job), "since": str(since), "command": str(command)}:
                return Holder(pid=pid, run=run, job=job, since=since, command=command)
    except (OSError, ValueError, RecursionError):
        pass
    return None

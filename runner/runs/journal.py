"""The journal of one run: `events.jsonl` in the run's own folder, written line by line and never changed.

Each line holds the SHA-256 of the line before, so that a later edit shows. Secrets are cut out before a line is made.
Large results lie beside it in `results/`. One process writes it at a time. The journal does not know what the events
mean, but for the last: a run that has told its end must not forget it.
"""

import contextlib
import errno
import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from runner.foundation.private_files import (
    BINARY,
    PRIVATE_FILE,
    PRIVATE_FOLDER,
    make_folder,
    sync_folder,
    take,
    write_all,
    write_whole,
)
from runner.foundation.values import Json
from runner.runs.events import FIRST_PREV, VERSION, AnyEvent, Line, RunFinished, decode
from runner.runs.journal_reading import Reading, ends, is_being_written, raw_lines, read, reading_of
from runner.runs.run_folders import EVENTS, RESULTS
from runner.runs.safe_events import LARGE, Apart, referred_to, safe
from runner.secrets.redact import Secrets

__all__ = [
    "LARGE",
    "Journal",
    "JournalError",
    "LockedError",
    "Reading",
    "ends",
    "is_being_written",
    "raw_lines",
    "read",
    "utc_now",
]


class JournalError(Exception):
    """The journal cannot be written: what it was told of last may not be on disk, and no further call may be sent."""


class LockedError(Exception):
    """Another process writes this journal: the run is being carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """`file` is open for appending, and locked; `reading` is what it holds."""

    file: int
    reading: Reading


class Journal:
    """An open journal. `lines` are all that it holds so far; `listener` is told of each as soon as it is written.

    Raises `JournalError` where the folder or a line cannot be written; after that every line is refused. `flaw` is that
    of an earlier part that does not fit the chain: nothing may be appended to it.
    """

    def __init__(
        self,
        folder: Path,
        secrets: Secrets,
        *,
        now: Callable[[], str],
        _opened: _Opened | None = None,
    ) -> None:
        opened = _opened or _created(folder)
        self.folder = folder
        self.lines: list[Line] = [*opened.reading.lines]
        self.head = self.lines[-1].sha256 if self.lines else FIRST_PREV
        self.flaw = opened.reading.flaw
        self._file = opened.file
        self._secrets = secrets
        self._now = now
        self.listener: Callable[[Line], None] = lambda _line: None
        self._broken: OSError | None = None
        self._lock = Lock()

    @classmethod
    def reopened(cls, folder: Path, secrets: Secrets, *, now: Callable[[], str]) -> "Journal":
        """Go on with the journal of a run that broke off. A last line that was cut off in its middle is taken away.

        Raises `LockedError` where the run is still being carried out, and `JournalError` where nobody can tell whether
        it is, or where the journal cannot be read and written.
        """
        return cls(folder, secrets, now=now, _opened=_reopened(folder))

    def append(self, event: AnyEvent, *, durable: bool = False) -> None:
        """Write one event; `durable` waits until it is on disk, as the end of a run always does."""
        with self._lock:
            if self._broken is not None:
                raise JournalError(_told(self._broken))
            try:
                line = self._write(event, durable=durable or isinstance(event, RunFinished))
            except OSError as error:
                self._broken = error
                raise JournalError(_told(error)) from error
            self.lines.append(line)
        self.listener(line)

    def as_written(self, event: AnyEvent) -> AnyEvent:
        """`event` as it would be read back: without secrets, and a large result apart. Nothing is written."""
        return decode(safe(event, self._secrets).body)

    def value_of(self, value: Json) -> Json:
        """A value of an event as it was before it was written: read from its own file, its holes filled.

        Raises `LookupError` for a hole whose secret is not known, and for a file that is not there or was changed.
        """
        name = referred_to(value)
        return self._secrets.fill(value if name is None else _content(self.folder / RESULTS / f"{name}.json", name))

    def keep(self, name: str, text: str) -> None:
        """Write a file beside the events: the plan, a report. Raises `JournalError`."""
        try:
            write_whole(self.folder / name, text.encode())
        except OSError as error:
            raise JournalError(_told(error)) from error

    def seal(self, last: AnyEvent | None = None) -> None:
        """Take nothing more, but for `last`, if it can be written: nobody waits for what happens from here on, and the
        head that is told stays the head.
        """
        line = None
        with self._lock:
            if last is not None and self._broken is None:
                with suppress(OSError):
                    line = self._write(last, durable=True)
                    self.lines.append(line)
            self._broken = self._broken or OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
        if line is not None:
            self.listener(line)

    def close(self) -> None:
        """Let go of the file and of its lock."""
        os.close(self._file)

    def _write(self, event: AnyEvent, *, durable: bool) -> Line:
        safely = safe(event, self._secrets)
        if safely.apart is not None:
            self._put_apart(safely.apart)
        seq, at = len(self.lines) + 1, self._now()
        before = b'{"v":%d,"seq":%d,"at":"%s",' % (VERSION, seq, at.encode())
        written = before + safely.body[1:-1] + b',"prev":"%s"}' % self.head.encode()
        write_all(self._file, written + b"\n")
        if durable:
            os.fsync(self._file)
        line = Line(seq=seq, at=at, prev=self.head, event=safely.event, sha256=hashlib.sha256(written).hexdigest())
        self.head = line.sha256
        return line

    def _put_apart(self, apart: Apart) -> None:
        target = self.folder / RESULTS / f"{apart.name}.json"
        if target.exists():
            return
        if not target.parent.exists():
            target.parent.mkdir(mode=PRIVATE_FOLDER)
            sync_folder(self.folder)
        write_whole(target, apart.content)


def utc_now() -> str:
    """This moment in UTC, to the millisecond: `2026-01-31T09:00:00.000Z`."""
    seconds, rest = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03d}Z"


def _created(folder: Path) -> _Opened:
    """Make the run's folder and its journal, both private, and have their entries on disk.

    A file system without locks is no reason not to run: nobody else knows of a new run.
    """
    try:
        make_folder(folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | BINARY
        file = os.open(folder / EVENTS, flags, PRIVATE_FILE)
        with contextlib.suppress(OSError):
            take(file)
        sync_folder(folder)
    except OSError as error:
        raise JournalError(_told(error)) from error
    return _Opened(file=file, reading=Reading())


def _reopened(folder: Path) -> _Opened:
    path = folder / EVENTS
    try:
        file = os.open(path, os.O_RDWR | os.O_APPEND | BINARY)
    except OSError as error:
        raise JournalError(_told(error)) from error
    try:
        reading = _mended(file, path) if take(file) else None
    except OSError as error:
        os.close(file)
        raise JournalError(_told(error)) from error
    if reading is None:
        os.close(file)
        raise LockedError(f"another process is writing {path}")
    return _Opened(file=file, reading=reading)


def _mended(file: int, path: Path) -> Reading:
    """What the journal holds, after a torn last line was cut off. One with a flaw is left as it is, as evidence."""
    content = path.read_bytes()
    reading = reading_of(content)
    if reading.torn and reading.flaw is None:
        os.ftruncate(file, content.rfind(b"\n") + 1)
        os.fsync(file)
    return reading


def _content(path: Path, name: str) -> Json:
    """The value in a file of its own. Raises `LookupError`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LookupError(_told(error)) from error
    if hashlib.sha256(content).hexdigest() != name:
        raise LookupError(f"{path} was changed after it was written")
    value: Json = json.loads(content)
    return value


def _told(error: OSError) -> str:
    return f"{error.filename or 'the journal'}: {error.strerror or error}"

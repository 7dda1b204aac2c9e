"""The journal of one run: `events.jsonl` in the run's own folder, written line by line and never changed.

Each line holds the SHA-256 of the line before, so that a later edit shows. Secrets are cut out before a line is made.
Large results lie beside it in `results/`. The journal does not know what the events mean.
"""

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from runner.events import FIRST_PREV, VERSION, AnyEvent, CallAnswered, Line, StepFinished, decode, encode
from runner.runs import EVENTS, RESULTS
from runner.secrets.redact import Secrets
from runner.values import Json, JsonObject, compact

LARGE = 256 * 1024
"""Bytes from which a result lies in a file of its own."""

_OURS = frozenset(
    {"type", "key", "status", "section", "kind", "effect", "verified", "reason", "id", "run", "digest", "started_at"}
    | {"t", "seconds", "attempts", "retry_after", "index", "line", "exit_code", "flaky", "final"}
)
"""Fields that hold our own words and numbers; a secret that happens to be one of them must not cut it."""

_TAIL = 16 * 1024
"""Bytes in which the last line of a journal is looked for first."""

_FROM_OUTSIDE = frozenset({"value", "result", "outputs", "inputs"})
"""Fields that hold whatever a site or a job gave."""

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


class JournalError(Exception):
    """The journal cannot be written: what it was told of last may not be on disk, and no further call may be sent."""


class Journal:
    """An open journal. `lines` are all that it holds so far; `listener` is told of each as soon as it is written.

    Raises `JournalError` where the folder or a line cannot be written; after that every line is refused.
    """

    def __init__(
        self,
        folder: Path,
        secrets: Secrets,
        *,
        now: Callable[[], str],
    ) -> None:
        self.folder = folder
        self.lines: list[Line] = []
        self.head = FIRST_PREV
        self._secrets = secrets
        self._now = now
        self.listener: Callable[[Line], None] = lambda _line: None
        self._broken: OSError | None = None
        try:
            self._file = _opened(folder)
        except OSError as error:
            raise JournalError(_told(error)) from error

    def append(self, event: AnyEvent, *, durable: bool = False) -> None:
        """Write one event; `durable` waits until it is on disk."""
        if self._broken is not None:
            raise JournalError(_told(self._broken))
        try:
            line = self._write(event, durable=durable)
        except OSError as error:
            self._broken = error
            raise JournalError(_told(error)) from error
        self.lines.append(line)
        self.listener(line)

    def keep(self, name: str, text: str) -> None:
        """Write a file beside the events: the plan, a report. Raises `JournalError`."""
        try:
            _write_private(self.folder / name, text.encode())
        except OSError as error:
            raise JournalError(_told(error)) from error

    def seal(self) -> None:
        """Take nothing more: nobody waits for what happens from here on, and the head that is told stays the head."""
        self._broken = self._broken or OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))

    def close(self) -> None:
        os.close(self._file)

    def _write(self, event: AnyEvent, *, durable: bool) -> Line:
        event, body = self._safe(event)
        seq, at = len(self.lines) + 1, self._now()
        before = b'{"v":%d,"seq":%d,"at":"%s",' % (VERSION, seq, at.encode())
        written = before + body[1:-1] + b',"prev":"%s"}' % self.head.encode()
        _write_all(self._file, written + b"\n")
        if durable:
            os.fsync(self._file)
        line = Line(seq=seq, at=at, prev=self.head, event=event, sha256=hashlib.sha256(written).hexdigest())
        self.head = line.sha256
        return line

    def _safe(self, event: AnyEvent) -> tuple[AnyEvent, bytes]:
        """The event as it may lie on disk, and its bytes."""
        body = encode(event)
        if self._secrets.appears_in(body.decode()):
            event = _without_secrets(event, self._secrets)
            body = encode(event)
        if len(body) > LARGE:
            event = self._with_result_apart(event)
            body = encode(event)
        return event, body

    def _with_result_apart(self, event: AnyEvent) -> AnyEvent:
        match event:
            case CallAnswered(value=value):
                return msgspec.structs.replace(event, value=self._apart(value))
            case StepFinished(result=result):
                return msgspec.structs.replace(event, result=self._apart(result))
            case _:
                return event

    def _apart(self, value: Json) -> Json:
        content = compact(value).encode()
        if len(content) <= LARGE:
            return value
        name = hashlib.sha256(content).hexdigest()
        target = self.folder / RESULTS / f"{name}.json"
        if not target.exists():
            target.parent.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
            _write_private(target, content)
        return {"$result": f"sha256:{name}", "bytes": len(content)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A journal read back. `flaw` is the number of the first line that does not fit the chain, None where all do.

    `torn`: the last line was cut off in its middle, and is left out.
    """

    lines: tuple[Line, ...]
    flaw: int | None = None
    torn: bool = False


def read(folder: Path) -> Reading:
    """Read the journal in a run's folder. Raises `OSError` where it cannot be read."""
    content = (folder / EVENTS).read_bytes()
    whole, _, rest = content.rpartition(b"\n")
    lines: list[Line] = []
    flaw = None
    prev = FIRST_PREV
    for number, written in enumerate(whole.split(b"\n") if whole else [], start=1):
        line = _read_line(written)
        if line is not None:
            lines.append(line)
        if flaw is None and (line is None or line.prev != prev or line.seq != number):
            flaw = number
        prev = hashlib.sha256(written).hexdigest()
    return Reading(lines=tuple(lines), flaw=flaw, torn=bool(rest))


def ends(folder: Path) -> tuple[Line, ...]:
    """The first and the last whole line of a journal, as far as they can be read; what lies between is not looked at.

    Raises `OSError` where the journal cannot be read.
    """
    with (folder / EVENTS).open("rb") as file:
        first = file.readline()
        begun = file.tell()
        last = _last_line(file, begun)
    whole = [written[:-1] for written in (first, last) if written.endswith(b"\n")]
    return tuple(line for line in map(_read_line, whole) if line is not None)


def raw_lines(folder: Path) -> Iterator[str]:
    """The whole lines of a journal as they stand. Raises `OSError`."""
    content = (folder / EVENTS).read_bytes()
    whole, _, _ = content.rpartition(b"\n")
    yield from whole.decode(errors="replace").splitlines() if whole else []


def utc_now() -> str:
    """This moment in UTC, to the millisecond: `2026-01-31T09:00:00.000Z`."""
    seconds, rest = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03d}Z"


def _last_line(file: BinaryIO, begun: int) -> bytes:
    """The last whole line of what stands behind `begun`, with its line end; nothing where there is none."""
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


def _read_line(written: bytes) -> Line | None:
    try:
        around: JsonObject = json.loads(written)
        event = decode(written)
        seq, at, prev = around["seq"], around["at"], around["prev"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not (isinstance(seq, int) and isinstance(at, str) and isinstance(prev, str)) or around.get("v") != VERSION:
        return None
    return Line(seq=seq, at=at, prev=prev, event=event, sha256=hashlib.sha256(written).hexdigest())


def _without_secrets(event: AnyEvent, secrets: Secrets) -> AnyEvent:
    fields: JsonObject = msgspec.json.decode(encode(event))
    safe: JsonObject = {name: value if name in _OURS else _cut(name, value, secrets) for name, value in fields.items()}
    return decode(msgspec.json.encode(safe))


def _cut(name: str, value: Json, secrets: Secrets) -> Json:
    """A field without secrets. The keys of what came from outside are cut, too; those of our own records never."""
    if name in _FROM_OUTSIDE:
        return secrets.cut(value)
    match value:
        case dict():
            return {part: inner if part in _OURS else secrets.cut(inner) for part, inner in value.items()}
        case list():
            return [_cut(name, item, secrets) for item in value]
        case _:
            return secrets.cut(value)


def _opened(folder: Path) -> int:
    """Make the run's folder and its journal, both private, and have the folder's entry on disk."""
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
    file = os.open(folder / EVENTS, flags, _PRIVATE_FILE)
    _sync_folder(folder)
    return file


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows has no handle of a folder to sync
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_private(path: Path, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
    try:
        _write_all(file, content)
        os.fsync(file)
    finally:
        os.close(file)


def _write_all(file: int, content: bytes) -> None:
    """Write all of it: a single write may take only a part where a disk fills up."""
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _told(error: OSError) -> str:
    return f"{error.filename or 'the journal'}: {error.strerror or error}"

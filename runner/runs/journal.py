"""The journal of a run: its events, written line by line and never changed; a torn last line is cut off.

Each line holds the SHA-256 of the line before, so that a later edit shows. Secrets are cut out, and large results are
stored apart.
"""

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from threading import Lock

import msgspec
from msgspec import Struct

from runner.foundation.garbage import collector_rests
from runner.foundation.values import Json
from runner.runs.events import FIRST_PREV, VERSION, AnyEvent, Line, RunFinished, decode
from runner.runs.safe_events import referred_to, safe
from runner.runs.store import RunLog, RunStore, StoreError
from runner.secrets.holes import MARK
from runner.secrets.redact import Secrets


class StoredJournal(Struct, frozen=True, kw_only=True):
    """A journal read back."""

    lines: tuple[Line, ...] = ()
    flaw: int | None = None  # the number of the first line that does not fit the chain
    torn: bool = False  # the last line was cut off, and is left out
    may_have_holes: bool = True  # of secrets
    is_foreign: bool = False  # another version wrote it, in another format


_MARK = MARK.encode()  # what is in each hole, unless it is written as an escape


class _Around(Struct, frozen=True):
    """What the journal puts around an event."""

    v: int
    seq: int
    at: str
    prev: str


_around = msgspec.json.Decoder(_Around)


def parse(lines: Iterable[bytes], *, known: StoredJournal | None = None) -> StoredJournal:
    """Read the lines of a journal; what has not changed since an earlier reading, `known`, is taken from that."""
    earlier = known.lines if known is not None and known.flaw is None else ()
    found: list[Line] = []
    flaw, torn, is_foreign, may_have_holes = None, False, False, known is not None and known.may_have_holes
    prev = FIRST_PREV
    with collector_rests():
        for number, whole in enumerate(lines, start=1):
            if torn := not whole.endswith(b"\n"):
                break
            written = whole[:-1]
            digest = hashlib.sha256(written).hexdigest()
            line = earlier[number - 1] if number <= len(earlier) and earlier[number - 1].sha256 == digest else None
            if line is None:
                may_have_holes = may_have_holes or b"\\u" in written or (not written.isascii() and _MARK in written)
                line = parse_line(written, before=prev, digest=digest)
            if line is not None:
                found.append(line)
            elif number == 1:
                is_foreign = _is_foreign(written)
            if flaw is None and (line is None or line.prev != prev or line.seq != number):
                flaw = number
            prev = digest
    return StoredJournal(lines=tuple(found), flaw=flaw, torn=torn, may_have_holes=may_have_holes, is_foreign=is_foreign)


def _is_foreign(written: bytes) -> bool:
    try:
        return _around.decode(written).v != VERSION
    except ValueError:
        return False


def parse_line(written: bytes, *, before: str = FIRST_PREV, digest: str | None = None) -> Line | None:
    """A line without its end, or None. `before`: the hash of the line before; `digest`: its own, if known."""
    try:
        around = _around.decode(written)
        event = decode(written)
    except (ValueError, RecursionError):
        return None
    if around.v != VERSION:
        return None
    digest = digest or hashlib.sha256(written).hexdigest()
    prev = before if around.prev == before else around.prev
    return Line(seq=around.seq, at=around.at, prev=prev, event=event, sha256=digest)


class Journal:
    """An open journal. `lines` are all that it holds; `listeners` hear each that is written.

    After a line that could not be stored, or an earlier part with a `flaw`, nothing may be appended.
    """

    def __init__(
        self, log: RunLog, secrets: Secrets, *, now: Callable[[], str], earlier: StoredJournal | None = None
    ) -> None:
        earlier = earlier or StoredJournal()
        self.lines: list[Line] = [*earlier.lines]
        self.head = self.lines[-1].sha256 if self.lines else FIRST_PREV
        self.flaw = earlier.flaw
        self._may_have_holes = earlier.may_have_holes
        self.listeners: list[Callable[[Line], None]] = []
        self._log = log
        self._secrets = secrets
        self._now = now
        self._broken: StoreError | None = None
        self._lock = Lock()

    @classmethod
    def reopened(
        cls, store: RunStore, run: str, secrets: Secrets, *, now: Callable[[], str], known: StoredJournal | None = None
    ) -> "Journal":
        """Resume the journal of a run that broke off, without a torn last line. Raises `RunLockedError` and
        `StoreError`.

        `known` is an earlier reading of it. A journal with a flaw is left as it is, as evidence.
        """
        log = store.reopen(run)
        try:
            earlier = parse(store.events(run), known=known)
            if earlier.torn and earlier.flaw is None:
                log.drop_torn_line()
        except BaseException:
            log.close()
            raise
        return cls(log, secrets, now=now, earlier=earlier)

    def append(self, event: AnyEvent, *, durable: bool = False) -> None:
        """Write an event; `durable` waits for the disk. Raises `StoreError`: then no further call may be sent."""
        with self._lock:
            if self._broken is not None:
                raise type(self._broken)(*self._broken.args)
            try:
                line = self._write(event, durable=durable or type(event) is RunFinished)
            except StoreError as error:
                self._broken = error
                raise
        self._publish(line)

    def sync_run(self) -> None:
        """Have the run itself on disk: an empty journal proves that nothing was changed. Raises `StoreError`."""
        self._guarded(self._log.sync_run)

    def commit(self) -> None:
        """Make all that was written safe from a kill. Raises `StoreError`."""
        self._guarded(self._log.commit)

    def check_fence(self) -> None:
        """Raise `StoreError` where another process has opened this journal since."""
        self._guarded(self._log.check_fence)

    def as_written(self, event: AnyEvent) -> AnyEvent:
        """`event` as it would be read back: without secrets, and a large result apart. Nothing is written."""
        return decode(safe(event, self._secrets).body)

    def value_of(self, value: Json) -> Json:
        """A value of an event, read from where it is stored apart, with its secrets. Raises `LookupError`."""
        name = referred_to(value)
        if name is None and not self._may_have_holes:
            return value
        return self._secrets.fill(value if name is None else self._result(name))

    def seal(self, last: AnyEvent | None = None) -> None:
        """Take nothing more but `last`, where the run has begun, so that the reported head stays the head."""
        line = None
        with self._lock:
            if last is not None and self.lines and self._broken is None:
                with suppress(StoreError):
                    line = self._write(last, durable=True)
            self._broken = self._broken or StoreError(f"the journal: {os.strerror(errno.ECANCELED)}")
        if line is not None:
            self._publish(line)

    def close(self) -> None:
        """Let others write the run."""
        self._log.close()

    def _guarded(self, do: Callable[[], None]) -> None:
        """After an error nothing may be appended any more."""
        with self._lock:
            if self._broken is not None:
                raise type(self._broken)(*self._broken.args)
            try:
                do()
            except StoreError as error:
                self._broken = error
                raise

    def _publish(self, line: Line) -> None:
        for listener in self.listeners:
            listener(line)

    def _write(self, event: AnyEvent, *, durable: bool) -> Line:
        safely = safe(event, self._secrets)
        if safely.apart is not None:
            self._log.put_result(safely.apart.name, safely.apart.content)
        seq, at = len(self.lines) + 1, self._now()
        before = b'{"v":%d,"seq":%d,"at":"%s",' % (VERSION, seq, at.encode())
        written = before + safely.body[1:-1] + b',"prev":"%s"}' % self.head.encode()
        self._log.append(written, durable=durable)
        line = Line(seq=seq, at=at, prev=self.head, event=safely.event, sha256=hashlib.sha256(written).hexdigest())
        self.head = line.sha256
        self.lines.append(line)
        return line

    def _result(self, name: str) -> Json:
        try:
            content = self._log.result(name)
        except StoreError as error:
            raise LookupError(str(error)) from error
        if hashlib.sha256(content).hexdigest() != name:
            raise LookupError(f"result {name} was changed after it was written")
        value: Json = json.loads(content)
        return value


def utc_now() -> str:
    """This moment in UTC, to the millisecond: `2026-01-31T09:00:00.000Z`."""
    return _moment(time.time_ns() // 1_000_000)


@lru_cache(maxsize=1)  # lines of the same moment share its text
def _moment(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1)  # many lines are of the same second
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))

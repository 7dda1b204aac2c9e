"""The one door for all output: no other module writes to stdout or stderr.

*Data* is what a command exists for. It is written whole; where it cannot be, the command goes on and `lost` gives why.
*Messages* are all else: a line that cannot be written is dropped, and nothing that goes wrong here reaches a run.
While runs are under way, threads write (`in_background`), so that a reader that does not read holds nobody up.

All of it is made safe to print here, but for documents, which escape for their own readers, and drawings on a terminal.
"""

import errno
import io
import os
import queue
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal, NamedTuple, TextIO

from runner.foundation import threads
from runner.foundation.problems import Problem
from runner.reports import mistakes
from runner.reports.safe import clean, safe_lines

Name = Literal["stdout", "stderr"]

_PIECE = 4096
"""Characters that are handed to the system at once: how far a slow reader has come is seen after each."""
_MOST_WAITING = 1 << 20
"""Characters of messages that wait for a reader; more is dropped, and a line says how much."""
_IDLE = 5.0
"""Seconds at the end of a command in which a reader must have read something, or the rest is dropped."""
_IDLE_AFTER_A_SIGNAL = 1.0
_LOOK = 0.2
"""Seconds between two looks at whether a signal has come."""


def say(line: str) -> None:
    """One line of a message on stderr. Line ends in it are escaped."""
    _message("stderr", f"{clean(line)}\n")


def say_lines(text: str) -> None:
    """Lines of a message on stderr, as they are; the last may be without an end, as that of a question is."""
    _message("stderr", safe_lines(text))


def problems(*found: Problem) -> None:
    say_lines(mistakes.text(found))


def workflow_commands(text: str) -> None:
    """Lines on stderr that are commands to GitHub Actions. Whoever makes them makes the texts in them safe."""
    _message("stderr", text)


def data(text: str, *, for_programs: bool = False) -> None:
    """What the command exists for, on stdout. `for_programs`: a document that escapes for its own readers."""
    _deliver(text if for_programs else safe_lines(text))


def lost() -> OSError | None:
    """Why data could not be written, since `begin`."""
    return _state.lost


def begin() -> None:
    """Nothing has been lost yet: a command begins."""
    _state.lost = None
    _state.stuck.clear()


def encoding(name: Name = "stdout") -> str:
    stream: TextIO | None = getattr(sys, name)
    return getattr(stream, "encoding", None) or "utf-8"


def is_terminal(name: Name) -> bool:
    stream: TextIO | None = getattr(sys, name)
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # somebody has closed it
        return False


class MessageStream(io.StringIO):
    """Messages as a file, for transcripts of runs. With `is_drawing` what moves a cursor passes."""

    def __init__(self, name: Name, *, is_drawing: bool = False) -> None:
        super().__init__()
        self._name: Name = name
        self._is_drawing = is_drawing

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only there, too, but for its stub
        return encoding(self._name)

    def isatty(self) -> bool:
        return is_terminal(self._name)

    def write(self, text: str, /) -> int:
        _message(self._name, text if self._is_drawing else safe_lines(text))
        return len(text)

    def drawing(self) -> "MessageStream":
        """The same for a drawing on a terminal, which makes what comes from outside safe itself."""
        return MessageStream(self._name, is_drawing=True)


@contextmanager
def in_background(*, hurry: Callable[[], bool]) -> Iterator[None]:
    """Let threads write until the context ends. Raises `UsageError` where no thread can be started.

    `hurry` says whether a signal has come: then nobody waits long for readers, not even with data.
    """
    first = _Writer(hurry)
    both = {"stdout": first, "stderr": first if _are_one_file() else _Writer(hurry)}
    _state.writers.update(both)
    try:
        yield
    finally:
        _state.writers.clear()
        unread = [writer for writer in dict.fromkeys(both.values()) if not writer.close()]
        _state.stuck.update(name for name, writer in both.items() if writer in unread)


class _Writer:
    """A thread that writes texts in the order in which they are put. A signal's handler may put, too."""

    def __init__(self, hurry: Callable[[], bool]) -> None:
        self._hurry = hurry
        self._queue: queue.SimpleQueue[_Piece | threading.Event | None] = queue.SimpleQueue()
        self._lock = threading.RLock()  # the handler may come while its own thread holds it
        self._put = self._written = 0
        self._dropped: tuple[TextIO, int] | None = None
        threads.start(self._work, name="output")

    def put(self, stream: TextIO, text: str, *, is_data: bool = False) -> None:
        with self._lock:
            if not is_data and self._put + len(text) - self._written > _MOST_WAITING:
                self._dropped = stream, text.count("\n") + (self._dropped[1] if self._dropped else 0)
                return
            self._report_dropped()
            for start in range(0, len(text), _PIECE):
                self._hand_over(stream, text[start : start + _PIECE], is_data=is_data)

    def is_read(self, idle: float) -> bool:
        """Wait until all of it is written; False where for `idle` seconds nothing was, and for fewer after a signal."""
        passed = threading.Event()
        self._queue.put(passed)
        before, since = self._written, time.monotonic()
        while not passed.wait(_LOOK):
            if self._written != before:
                before, since = self._written, time.monotonic()
            elif time.monotonic() - since > (_IDLE_AFTER_A_SIGNAL if self._hurry() else idle):
                return False
        return True

    def close(self) -> bool:
        """End when all is written; False where it is not read. Then the thread waits, and ends with the program."""
        with self._lock:
            self._report_dropped()
        is_read = self.is_read(_IDLE)
        self._queue.put(None)
        return is_read

    def _report_dropped(self) -> None:
        if self._dropped is not None:
            (stream, lines), self._dropped = self._dropped, None
            what = "1 line was" if lines == 1 else f"{lines} lines were"
            self._hand_over(stream, f"... {what} left out here: nobody had read what came before\n", is_data=False)

    def _hand_over(self, stream: TextIO, text: str, *, is_data: bool) -> None:
        self._put += len(text)
        self._queue.put(_Piece(stream, text, is_data))

    def _work(self) -> None:
        while (found := self._queue.get()) is not None:
            if isinstance(found, threading.Event):
                found.set()
                continue
            try:
                _write(found.stream, found.text)
            except (OSError, ValueError) as error:
                if found.is_data:
                    _lose(error)
            self._written += len(found.text)


class _Piece(NamedTuple):
    stream: TextIO
    text: str
    is_data: bool


class _State:
    """What belongs to the two streams of this process. `stuck` are those that nobody reads."""

    def __init__(self) -> None:
        self.lost: OSError | None = None
        self.writers: dict[str, _Writer] = {}
        self.stuck: set[str] = set()


_state = _State()


def _message(name: Name, text: str) -> None:
    stream: TextIO | None = getattr(sys, name)
    if not text or stream is None or name in _state.stuck:
        return
    writer = _state.writers.get(name)
    if writer is not None:
        writer.put(stream, text)
        return
    with suppress(OSError, ValueError):
        _write(stream, text)


def _deliver(text: str) -> None:
    stream: TextIO | None = sys.stdout
    writer = _state.writers.get("stdout")
    if not text or _state.lost is not None:
        return
    if stream is None:
        _lose(OSError(errno.EBADF, "it is closed"))
    elif writer is not None:
        writer.put(stream, text, is_data=True)
        if not writer.is_read(float("inf")):
            _lose(TimeoutError(errno.ETIMEDOUT, "nobody reads it"))
    else:
        try:
            _write(stream, text)
        except (OSError, ValueError) as error:
            _lose(error)


def _lose(error: OSError | ValueError) -> None:
    _state.lost = error if isinstance(error, OSError) else OSError(errno.EBADF, "it is closed")


def _write(stream: TextIO, text: str) -> None:
    """Write all of it, past Python's buffers: they would try again at the end what could not be written, and wait."""
    number, code = _descriptor(stream), stream.encoding or "utf-8"
    content = text.encode(code, "backslashreplace")
    if number is None:
        stream.write(content.decode(code))
        stream.flush()
        return
    left = memoryview(content)
    while left:
        try:
            left = left[os.write(number, left[:_PIECE]) :]
        except BlockingIOError:  # another program has set the file so
            select.select([], [number], [])


def _descriptor(stream: TextIO) -> int | None:
    """None where it is no file of the system, and on Windows, whose terminals take no bytes."""
    if os.name == "nt":
        return None
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def _are_one_file() -> bool:
    """Whether stdout and stderr lead to the same place, where their lines have one order."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False

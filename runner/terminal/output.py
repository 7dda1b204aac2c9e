"""The only module that writes to stdout and stderr, safely; only documents escape for themselves.

*Data* is what a command exists for: it is written whole, or `lost` gives why. *Messages* may be dropped. While runs are
under way, threads write (`in_background`): a slow reader holds nobody up.
"""

import errno
import io
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Literal, TextIO

from runner.foundation.problems import Problem
from runner.reports import mistakes
from runner.reports.safe import clean, safe_lines

if TYPE_CHECKING:
    from runner.terminal.writer import Writer

Name = Literal["stdout", "stderr"]

_PIECE = 4096  # characters that are handed to the system at once: how far a slow reader has come is seen after each


def say(line: str) -> None:
    """A line of a message on stderr. Line ends in it are escaped."""
    _message("stderr", f"{clean(line)}\n")


def say_lines(text: str) -> None:
    """Lines of a message on stderr, as they are; the last may be without an end, as that of a question is."""
    _message("stderr", safe_lines(text))


def say_at_signal(text: str) -> None:
    """Likewise, on a line of its own: after the ^C of a terminal, or a line that is being redrawn."""
    say_lines("\n" * is_terminal("stderr") + text)


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
    """Let threads write until the context ends; after a signal (`hurry`) without waiting. Raises `UsageError`."""
    from runner.terminal.writer import Writer  # noqa: PLC0415  1 ms, for commands that carry runs out

    begun = partial(Writer, write=_write, lose=_lose, hurry=hurry, piece=_PIECE)
    first = begun()
    both = {"stdout": first, "stderr": first if _is_same_file() else begun()}
    _state.writers.update(both)
    try:
        yield
    finally:
        _state.writers.clear()
        unread = [writer for writer in dict.fromkeys(both.values()) if not writer.close()]
        _state.stuck.update(name for name, writer in both.items() if writer in unread)


class _State:
    """What belongs to the two streams of this process. `stuck` are those that nobody reads."""

    def __init__(self) -> None:
        self.lost: OSError | None = None
        self.writers: dict[str, Writer] = {}
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
    """The stream's file of the system; None without, and on Windows, where terminals take no bytes."""
    if os.name == "nt":
        return None
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def _is_same_file() -> bool:
    """Whether stdout and stderr lead to the same place, where their lines have an order."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False

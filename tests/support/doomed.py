"""`runner` commands in processes of their own, which may end at a chosen moment as `kill -9` or a power cut ends them.

Each is forked as `running` forks it. Nothing of the runner is replaced. What is wrapped are the calls of the operating
system through which it writes its journal and speaks with a site: in one of them the process kills itself, by a real
SIGKILL. No file is really forced to disk, as no power is really lost; what would not have outlived that is cut off.
"""

import os
import signal
import socket
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any
from unittest import mock

from journals import EVENTS
from msgspec import Struct
from msgspec.structs import asdict
from running import DEVNULL, STDOUT, TIME, Change, start

KILLED = -signal.SIGKILL


class Moment(StrEnum):
    """When the process ends: as its journal is about to get a line, or what comes of a line that it has got."""

    BEFORE = "before the line is written"
    HALF = "in the middle of the line"
    AFTER = "after the line is written"
    SENDING = "when half of the next request has left"
    WAITING = "when a request has left and its answer is not read"


class Doom(Struct, frozen=True, kw_only=True):
    """The end of a process at the line of this number, counted from 1 through the whole journal.

    `kept`: the power is cut, and of what was not forced to disk this share is there afterwards, cut off at any byte.
    None keeps it all, as when a process is killed and its machine goes on.
    """

    line: int
    moment: Moment
    kept: float | None = None


class Ended(Struct, frozen=True):
    """`code` is negative where a signal ended it; `said` is what it wrote on both streams."""

    code: int
    said: str


def carried_out(arguments: Sequence[str], folder: Path, doom: Doom | None = None) -> Ended:
    """Carry a command out in `folder`, to its end, whatever that is. Threads may ask for several at once."""
    env = os.environ | {"PATH": "", "XDG_STATE_HOME": str(folder)}  # no git is found, which would be started each time
    values = {"doom": None if doom is None else asdict(doom)}
    change = Change(module=__name__, function=end_at.__name__, values=values)
    with (
        (folder / _SAID).open("wb") as said,
        start(
            *arguments, stdin=DEVNULL, stdout=said.fileno(), stderr=STDOUT, env=env, folder=folder, change=change
        ) as process,
    ):
        code = process.wait(TIME)
    return Ended(code, (folder / _SAID).read_text(errors="replace"))


_SAID = "said.txt"


def end_at(doom: dict[str, Any] | None) -> None:
    """In the forked process: see to its end."""
    mock.patch.object(os, "fsync", _forced_to_nothing).start()
    if doom is not None:
        _Doomed(Doom(**doom)).begin()


def _forced_to_nothing(_file: int) -> None:
    pass


class _Doomed:
    """This process, which counts the lines of its journal and what of it is on disk."""

    def __init__(self, doom: Doom) -> None:
        self._doom = doom
        self._journal = -1
        self._lines = 0
        self._on_disk = 0

    def begin(self) -> None:
        """Wrap the calls of the operating system, in this process alone."""
        mock.patch.multiple(
            os, open=self._opening(os.open), write=self._writing(os.write), fsync=self._syncing(os.fsync)
        ).start()
        line = socket.socket
        mock.patch.multiple(line, send=self._sending(line.send), recv=self._receiving(line.recv)).start()

    def _opening(self, really: Callable[..., int]) -> Callable[..., int]:
        def opened(path: str | Path, flags: int, *more: int, **named: int) -> int:
            file = really(path, flags, *more, **named)
            if Path(path).name == EVENTS and flags & (os.O_WRONLY | os.O_RDWR):
                content = Path(path).read_bytes()
                self._journal, self._lines, self._on_disk = file, content.count(b"\n"), len(content)
            return file

        return opened

    def _writing(self, really: Callable[[int, bytes], int]) -> Callable[[int, bytes], int]:
        def write(file: int, content: bytes) -> int:
            if file != self._journal:
                return really(file, content)
            line = self._lines + 1
            self._end_at(line, Moment.BEFORE)
            if (self._doom.line, self._doom.moment) == (line, Moment.HALF):
                really(file, bytes(content)[: len(content) // 2])
                self._end()
            written = really(file, content)
            self._lines = line
            self._end_at(line, Moment.AFTER)
            return written

        return write

    def _syncing(self, really: Callable[[int], None]) -> Callable[[int], None]:
        def fsync(file: int) -> None:
            really(file)
            if file == self._journal:
                self._on_disk = os.fstat(file).st_size

        return fsync

    def _sending(self, really: Callable[[socket.socket, bytes], int]) -> Callable[[socket.socket, bytes], int]:
        def send(line: socket.socket, content: bytes) -> int:
            if (self._doom.line, self._doom.moment) == (self._lines, Moment.SENDING):
                really(line, bytes(content)[: len(content) // 2])
                self._end()
            return really(line, content)

        return send

    def _receiving(self, really: Callable[[socket.socket, int], bytes]) -> Callable[[socket.socket, int], bytes]:
        def recv(line: socket.socket, size: int) -> bytes:
            self._end_at(self._lines, Moment.WAITING)
            return really(line, size)

        return recv

    def _end_at(self, line: int, moment: Moment) -> None:
        if (self._doom.line, self._doom.moment) == (line, moment):
            self._end()

    def _end(self) -> None:
        if self._doom.kept is not None:
            lost = os.fstat(self._journal).st_size - self._on_disk
            os.ftruncate(self._journal, self._on_disk + round(lost * self._doom.kept))
        os.kill(os.getpid(), signal.SIGKILL)

"""`runner` commands in processes of their own, which may end at a chosen moment as `kill -9` or a power cut ends them.

Each is forked from a clean process that has the runner imported already, and has looked at the jobs once: that saves
the start-up of hundreds. Nothing of the runner is replaced. What is wrapped are the calls of the operating system
through which it writes its journal and speaks with a site: in one of them the process kills itself, by a real SIGKILL.
No file is really forced to disk, as no power is really lost; what would not have outlived that is cut off.
"""

import contextlib
import gc
import io
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NoReturn
from unittest import mock

from journals import EVENTS
from msgspec import Struct
from msgspec.structs import asdict

from runner.cli import resume, run
from runner.cli.main import ended, main

KILLED = -signal.SIGKILL
TOO_LONG = 300
"""Seconds after which a command that does not end is ended, by a signal that the runner does not know."""
LOADED = (run, resume)
"""The verbs that the clean process has imported; `main` finds the others by itself."""


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


class Commands:
    """The clean process, which forks the commands, also several at once that threads ask for."""

    def __init__(self, clean: "subprocess.Popen[bytes]") -> None:
        assert clean.stdin is not None
        assert clean.stdout is not None
        self._asking, self._answers = clean.stdin, clean.stdout
        self._lock = threading.Lock()
        self._ended: dict[int, SimpleQueue[int | None]] = {}
        self._numbers = itertools.count()

    def __call__(self, arguments: Sequence[str], folder: Path, doom: Doom | None = None) -> Ended:
        """Carry a command out in `folder`, to its end, whatever that is."""
        asked = {"arguments": list(arguments), "folder": str(folder), "doom": None if doom is None else asdict(doom)}
        ended: SimpleQueue[int | None] = SimpleQueue()
        with self._lock:
            number = next(self._numbers)
            self._ended[number] = ended
            self._asking.write(json.dumps(asked | {"number": number}).encode() + b"\n")
            self._asking.flush()
        code = ended.get()
        assert code is not None, "the clean process has ended"
        return Ended(code, (folder / _SAID).read_text(errors="replace"))

    def hand_out(self) -> None:
        """Give each that waits the exit code of its command, in a thread, as long as the clean process lives."""
        for answer in self._answers:
            number, code = map(int, answer.split())
            self._ended.pop(number).put(code)
        for waiting in self._ended.values():
            waiting.put(None)


@contextmanager
def commands(jobs: Path) -> Iterator[Commands]:
    """`jobs` is a folder of jobs that the commands will be about."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_MEANT_FOR_US)}
    environment["PATH"] = ""  # no git is found, which would be started for each run
    asking = [sys.executable, str(Path(__file__)), str(jobs)]
    with subprocess.Popen(asking, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as clean:
        carry = Commands(clean)
        handing_out = threading.Thread(target=carry.hand_out, daemon=True)
        handing_out.start()
        try:
            yield carry
        finally:
            assert clean.stdin is not None
            clean.stdin.close()
            handing_out.join()


_SAID = "said.txt"
_MEANT_FOR_US = ("CREATIO_", "CLIO_", "GITHUB_")


def _fork_for_ever(jobs: str) -> None:
    """The clean process: a command is forked for each line that is read, and its exit code is written when it ends."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        ended(["validate", jobs])
    gc.freeze()  # what is never looked at again stays shared with every fork
    hears, tells = os.pipe()
    os.set_blocking(tells, False)
    signal.set_wakeup_fd(tells)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    under_way: dict[int, int] = {}
    heard, is_open = b"", True
    while is_open or under_way:
        ready, _, _ = select.select([hears, *([0] if is_open else [])], [], [])
        if 0 in ready:
            content = os.read(0, 65536)
            is_open = bool(content)
            *lines, heard = (heard + content).split(b"\n")
            for line in lines:
                asked = json.loads(line)
                under_way[_forked(asked)] = asked["number"]
        if hears in ready:
            os.read(hears, 65536)
        while under_way and (over := os.waitpid(-1, os.WNOHANG))[0]:
            sys.stdout.write(f"{under_way.pop(over[0])} {os.waitstatus_to_exitcode(over[1])}\n")
            sys.stdout.flush()


def _forked(asked: "dict[str, Any]") -> int:
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _carry_out(asked["arguments"], Path(asked["folder"]), None if asked["doom"] is None else Doom(**asked["doom"]))
    return pid


def _carry_out(arguments: list[str], folder: Path, doom: Doom | None) -> NoReturn:
    """The forked process."""
    signal.alarm(TOO_LONG)
    os.chdir(folder)
    os.environ["XDG_STATE_HOME"] = str(folder)
    Path(_SAID).unlink(missing_ok=True)
    nothing, said = os.open(os.devnull, os.O_RDONLY), os.open(_SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number, file in enumerate((nothing, said, said)):
        os.dup2(file, number)
    mock.patch.object(os, "fsync", _forced_to_nothing).start()
    if doom is not None:
        _Doomed(doom).begin()
    try:
        main(arguments)
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    os._exit(1)


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


if __name__ == "__main__":
    _fork_for_ever(sys.argv[1])

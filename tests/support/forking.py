"""The clean process: it has the runner imported, and forks a process for each command that `running` asks for.

It has validated the jobs that ship, too: what is compiled or read at its first use takes a command 20 ms. A forked
command has its own streams, folder, environment, arguments and signals, and ends as any program does. Only its start is
not real: no interpreter begins, and nothing is imported.
"""

import fcntl
import gc
import io
import os
import selectors
import signal
import socket
import sys
import termios
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn, TextIO
from unittest import mock

import msgspec
from running import ENDING, RUNNER, Request

from runner.cli import entry
from runner.cli.main import ended, load
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import ExitCode
from runner.sandbox import server

IMPORTED = (server, *map(load, ("run", "apply", "resume", "plan", "validate", "report", "sandbox")))
"""What most commands need; the others import their modules by themselves."""
DATABASE = ("runner.fleet.worker", "runner.fleet.store", "runner.ledger.database")
"""What commands need that know a fleet's database, half a second: imported with the first of them."""
_SPECS = Path(__file__).parents[2] / "specs"
_STREAMS = 3
_LAZY_PATTERN = type(lazy_pattern(""))


class Clean:
    """Forks a command for each connection that arrives with three streams, until nobody can ask any more.

    A command whose connection is closed is ended: who asked for it has gone.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._under_way: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._wakeup, ended = os.pipe()
        os.set_blocking(ended, False)  # as `set_wakeup_fd` wants it
        signal.set_wakeup_fd(ended)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(control, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._reap)

    def serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _accept(self) -> None:
        _, files, _, _ = socket.recv_fds(self._control, 1, 1 + _STREAMS)
        if not files:
            for pid in self._under_way:
                os.kill(pid, signal.SIGKILL)
            sys.exit()
        connection = socket.socket(fileno=files[0])
        with connection.makefile("rb") as reading:
            request = msgspec.json.decode(reading.readline(), type=Request)
        needed = [] if request.change is None else [request.change.module]
        if "CREATIO_RUNNER_DB" in request.environment or "--db" in request.arguments:
            needed += DATABASE
        if not sys.modules.keys() >= set(needed):
            for module in needed:
                import_module(module)
            share()
        pid = os.fork()
        if pid == 0:
            self._selector.close()
            self._control.detach()
            connection.detach()
            _carry_out(request, files[1:])
        for file in files[1:]:
            os.close(file)
        connection.sendall(b"%d\n" % pid)
        self._under_way[pid] = connection
        self._selector.register(connection, selectors.EVENT_READ, partial(self._abandon, pid))

    def _abandon(self, pid: int) -> None:
        if (connection := self._under_way.get(pid)) is not None:  # else it has just ended
            self._selector.unregister(connection)
            os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        os.read(self._wakeup, 4096)
        while self._under_way and (over := os.waitpid(-1, os.WNOHANG))[0]:
            with self._under_way.pop(over[0]) as connection:
                if connection in self._selector.get_map():
                    self._selector.unregister(connection)
                    with suppress(BrokenPipeError):  # who has asked has gone
                        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(over[1]))


def _carry_out(request: Request, streams: list[int]) -> NoReturn:
    """The forked process: everything is as after the start of an interpreter, then the command begins."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for ending in ENDING:
        usual = signal.default_int_handler if ending == signal.SIGINT else signal.SIG_DFL
        signal.signal(ending, signal.SIG_IGN if ending in request.ignored else usual)
    for number, file in enumerate(streams):
        os.dup2(file, number)
    os.closerange(_STREAMS, os.sysconf("SC_OPEN_MAX"))
    if request.has_terminal:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    sys.argv = [RUNNER, *request.arguments]
    sys.stdin, sys.stdout, sys.stderr = map(_opened, range(_STREAMS), (sys.stdin, sys.stdout, sys.stderr))
    if request.change is not None:
        getattr(sys.modules[request.change.module], request.change.function)(**request.change.values)
    entry.main()


def _opened(number: int, like: TextIO) -> TextIO:
    """A standard stream as the interpreter opens it."""
    file = open(number, "rb" if number == 0 else "wb", closefd=False)  # noqa: SIM115  it has no path, and no end
    is_terminal = file.isatty()
    return io.TextIOWrapper(file, encoding=like.encoding, errors=like.errors, line_buffering=is_terminal or number == 2)


def share() -> None:
    """What is never collected again stays shared with every fork."""
    gc.collect()
    gc.freeze()


def warm_up() -> None:
    """Carry out what nearly every command does, so that what is made at its first use is there."""
    with TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        own = {"XDG_STATE_HOME": folder, "PATH": ""}
        with mock.patch.dict(os.environ, own):
            assert ended(["validate", str(_SPECS)]) == ExitCode.PASSED
            options = ["-q", "--runs", folder, "--report-json", str(Path(folder, "report.json"))]
            assert ended(["run", str(_SPECS / "contact-smoke.job.yaml"), *options]) == ExitCode.PASSED
    gc.unfreeze()  # what a command has frozen is not among the objects
    for pattern in gc.get_objects():
        if isinstance(pattern, _LAZY_PATTERN):
            for method in ("match", "fullmatch", "search", "sub", "finditer", "findall"):
                getattr(pattern, method)  # compiles it; `re` itself keeps only the last few hundred


if __name__ == "__main__":
    warm_up()
    share()
    Clean(socket.socket(fileno=int(sys.argv[1]))).serve()

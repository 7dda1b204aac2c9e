"""Commands of the runner in processes of their own, in two ways.

`start`, `ended` and `command` fork them from a clean process that has the runner imported: that saves half a second of
a processor each. Most tests want that. `RUNNER` is the program itself, for tests whose subject the start is: what is
imported, signals that come meanwhile, standard streams that are closed or full, limits of the operating system, and
`PYTHONPATH`; and for the crash tests that kill it anywhere. Those call `subprocess` with it.

What a test does next waits for a line that says how far the command is, never for a time to pass.
"""

import os
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import msgspec

RUNNER = str(Path(sys.executable).with_name("runner"))
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TIME = 300.0
"""Seconds after which a test gives up; where all is well nothing takes as long."""
PIPE, STDOUT, DEVNULL = subprocess.PIPE, subprocess.STDOUT, subprocess.DEVNULL


def is_readable(file: int | socket.socket, seconds: float | None) -> bool:
    """Whether something can be read of it, or will be. `select` takes no file of a number above 1,023, and the tests of
    one worker of pytest can have as many open.
    """
    waiting = select.poll()
    waiting.register(file, select.POLLIN)
    return bool(waiting.poll(None if seconds is None else seconds * 1000))


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is other in a command than in any: before it begins, `function` of `module` is called with `values`.

    The module is imported once, by the clean process, with all that it needs.
    """

    module: str
    function: str
    values: dict[str, Any]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A command that the clean process is asked for. `has_terminal`: its stdin is one, which may send it Ctrl-C.

    It ignores the signals that whoever begins it does, as after `nohup`.
    """

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    has_terminal: bool
    ignored: list[int]
    change: Change | None


class ForkedCommand:
    """A command under way, with the names of `subprocess.Popen`. `returncode` is negative where a signal ended it."""

    def __init__(self, connection: socket.socket, stdin: int | None, stdout: int | None, stderr: int | None) -> None:
        self._connection = connection
        self._answers = connection.makefile("rb")
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = None if stdin is None else open(stdin, "wb", buffering=0)  # noqa: PTH123, SIM115
        self.stdout: IO[bytes] | None = None if stdout is None else open(stdout, "rb")  # noqa: PTH123, SIM115
        self.stderr: IO[bytes] | None = None if stderr is None else open(stderr, "rb")  # noqa: PTH123, SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """A test that has failed waits for nothing that it began; another waits no longer than `TIME`."""
        if failure is not None:
            self.kill()
        self.close()
        try:
            self.wait(TIME)
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait()
            raise

    def close(self) -> None:
        """Close the pipes."""
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()

    def poll(self) -> int | None:
        if self.returncode is None and is_readable(self._connection, 0):
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not is_readable(self._connection, timeout):
                raise subprocess.TimeoutExpired(["runner"], timeout or 0)
            self.returncode = int(self._answers.readline())
            self._answers.close()
            self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended a moment ago
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    @property
    def out(self) -> IO[bytes]:
        """Its standard output, which is a pipe."""
        assert self.stdout is not None
        return self.stdout

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """What it writes into its pipes until it ends. It reads nothing."""
        with ThreadPoolExecutor(2) as pool:
            reading = [pool.submit(_read_all, stream) for stream in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        out, err = (each.result() for each in reading)
        return out, err


def _read_all(stream: IO[bytes] | None) -> bytes:
    return b"" if stream is None else stream.read()


class CleanProcess:
    """The process that forks, of this process of pytest. It ends when `end` is called, or this process has ended."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        program = str(Path(__file__).with_name("forking.py"))
        command = [sys.executable, program, str(theirs.fileno())]
        self._process = subprocess.Popen(command, stdin=DEVNULL, stdout=DEVNULL, pass_fds=[theirs.fileno()])
        theirs.close()

    def fork(self, request: Request, stdin: int | None, stdout: int | None, stderr: int | None) -> ForkedCommand:
        """Begin a command with these standard streams, which are as `subprocess.Popen` takes them."""
        ours, theirs = socket.socketpair()
        ends = [_ends(0, stdin), _ends(1, stdout)]
        ends.append(_Ends(ends[1].given, None) if stderr == STDOUT else _ends(2, stderr))
        ours.sendall(msgspec.json.encode(request) + b"\n")
        socket.send_fds(self._control, [b"+"], [theirs.fileno(), *(end.given for end in ends)])
        theirs.close()
        for end, number in zip(ends, (stdin, stdout, stderr), strict=True):
            if number in (PIPE, DEVNULL):
                os.close(end.given)
        return ForkedCommand(ours, *(end.ours for end in ends))

    def end(self) -> None:
        self._control.close()
        self._process.wait()


class _Ends(NamedTuple):
    """What the command is given as a stream, and our end of the pipe."""

    given: int
    ours: int | None


def _ends(number: int, asked: int | None) -> _Ends:
    if asked == PIPE:
        reading, writing = os.pipe()
        return _Ends(reading, writing) if number == 0 else _Ends(writing, reading)
    if asked == DEVNULL:
        return _Ends(os.open(os.devnull, os.O_RDWR), None)
    return _Ends(number if asked is None else asked, None)


_clean: list[CleanProcess] = []
_beginning = threading.Lock()


def _clean_process() -> CleanProcess:
    with _beginning:
        if not _clean:
            _clean.append(CleanProcess())
        return _clean[0]


def end_clean_process() -> None:
    """For the end of pytest."""
    while _clean:
        _clean.pop().end()


def start(
    *arguments: str,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    env: Mapping[str, str] | None = None,
    has_terminal: bool = False,
    folder: Path | None = None,
    change: Change | None = None,
) -> ForkedCommand:
    """Begin `runner` with these arguments, in the current folder, or another. `has_terminal`: stdin is its controlling
    terminal.
    """
    environment = dict(os.environ if env is None else env)
    request = Request(
        arguments=list(arguments),
        folder=str(folder or Path.cwd()),
        environment=environment,
        has_terminal=has_terminal,
        ignored=[int(number) for number in ENDING if signal.getsignal(number) is signal.SIG_IGN],
        change=change,
    )
    return _clean_process().fork(request, stdin, stdout, stderr)


def carried_out(*arguments: str, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """The end of `runner` with these arguments, and what it wrote."""
    with start(*arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=env) as process:
        out, err = process.communicate(TIME)
        return subprocess.CompletedProcess(arguments, process.wait(), out.decode(), err.decode())


@dataclass
class Command:
    """`said` is what was read of stderr so far, line by line."""

    process: ForkedCommand
    said: list[str] = field(default_factory=list)
    _lines: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)

    def until(self, words: str) -> None:
        """Read what it says until a line holds these words."""
        while not (self.said and words in self.said[-1]):
            try:
                self.said.append(self._lines.get(timeout=TIME))
            except queue.Empty:
                self.said.append("")
            assert self.said[-1], f"{words!r} was not said: {self.said}"

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Its exit code; `said` is whole then."""
        code = self.process.wait(TIME)
        while (line := self._lines.get(timeout=TIME)) != "":
            self.said.append(line)
        return code

    @property
    def err(self) -> str:
        return "".join(self.said)

    def listen(self) -> None:
        """Read stderr to its end, in a thread."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line.decode())
        self._lines.put("")


@contextmanager
def command(*arguments: str, out: Path | None = None, change: Change | None = None) -> Iterator[Command]:
    """Begin it, with stdout in the file `out`; it ends with the context, by force where it still goes on."""
    with open(out or "/dev/null", "w") as stdout:  # noqa: PTH123  the device is no path of ours
        process = start(*arguments, stdout=stdout.fileno(), stderr=PIPE, change=change)
    begun = Command(process)
    listening = threading.Thread(target=begun.listen, daemon=True)
    listening.start()
    try:
        yield begun
    finally:
        process.kill()
        process.wait()
        listening.join()
        process.close()

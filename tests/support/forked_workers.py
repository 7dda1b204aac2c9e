"""`runner worker` in processes of their own, which a test kills, puts to sleep and lets end.

Each is forked from a clean process that has the runner imported already: that saves the start-up of hundreds. Nothing
of the runner is replaced but numbers: after how long others are taken for dead, and which journals can be replayed.
"""

import atexit
import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NoReturn
from unittest import mock

from runner.cli import worker as worker_verb
from runner.cli.main import main
from runner.execution import fleet_run
from runner.fleet import worker


class Worker:
    """A worker that was started; `pid` is its process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None
        self._ended = threading.Event()

    def poll(self) -> int | None:
        return self._code

    def wait(self, seconds: float) -> int:
        """Its exit code, negative where a signal ended it."""
        if not self._ended.wait(seconds):
            raise subprocess.TimeoutExpired(f"worker {self.pid}", seconds)
        assert self._code is not None
        return self._code

    def send_signal(self, number: int) -> None:
        if self._code is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def has_ended(self, code: int) -> None:
        self._code = code
        self._ended.set()


class CleanProcess:
    """The process that forks the workers; it ends with this one."""

    def __init__(self) -> None:
        path = os.pathsep.join(sys.path)
        clean = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert clean.stdin is not None
        assert clean.stdout is not None
        self._clean, self._asking, self._answers = clean, clean.stdin, clean.stdout
        self._lock = threading.Lock()
        self._forked: SimpleQueue[Worker] = SimpleQueue()
        self._workers: dict[int, Worker] = {}
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()
        atexit.register(self._end)

    def start(self, arguments: Sequence[str], *, folder: Path, log: Path, setting: Mapping[str, object]) -> Worker:
        """Start a worker in `folder`, whose messages go into the file `log`."""
        asked = {"arguments": [*arguments], "folder": str(folder), "log": str(log), **setting}
        with self._lock:
            self._asking.write(json.dumps(asked).encode() + b"\n")
            self._asking.flush()
            return self._forked.get(timeout=300)

    def _hear(self) -> None:
        for line in self._answers:
            pid, _, code = line.decode().strip().partition(" ")
            if code:
                self._workers.pop(int(pid)).has_ended(int(code))
            else:
                made = self._workers[int(pid)] = Worker(int(pid))
                self._forked.put(made)

    def _end(self) -> None:
        self._asking.close()
        self._clean.wait()
        self._hearing.join()
        self._answers.close()


def _fork_for_ever() -> None:
    """The clean process: a worker is forked for each line that is read. Its number is written, and how it ended."""
    gc.freeze()  # what is never looked at again stays shared with every fork
    hears, tells = os.pipe()
    os.set_blocking(tells, False)
    signal.set_wakeup_fd(tells)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    heard = b""
    while True:
        ready, _, _ = select.select([hears, 0], [], [])
        if hears in ready:
            os.read(hears, 65536)
        _answer_for_the_ended()
        if 0 in ready:
            content = os.read(0, 65536)
            if not content:
                return
            *lines, heard = (heard + content).split(b"\n")
            for line in lines:
                _answer(f"{_forked(json.loads(line))}\n")


def _answer_for_the_ended() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _answer(f"{pid} {os.waitstatus_to_exitcode(status)}\n")


def _answer(line: str) -> None:
    os.write(1, line.encode())


def _forked(asked: "dict[str, Any]") -> int:
    pid = os.fork()
    if pid == 0:
        _work(asked)
    return pid


def _work(asked: "dict[str, Any]") -> NoReturn:
    """The forked process."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(asked["folder"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, file in enumerate((nothing, log, log)):
        os.dup2(file, number)
    os.environ["CREATIO_RUNNER_DB"] = asked["dsn"]
    dead, patience, replay = asked["dead"], asked["patience"], asked["replay"]
    mock.patch.multiple(worker, DEAD=dead, BEAT=dead / 6, PATIENCE=patience).start()
    mock.patch.multiple(fleet_run, PATIENCE=patience, REPLAY=replay).start()
    mock.patch.object(worker_verb, "REPLAY", replay).start()
    try:
        main(["worker", *asked["arguments"]])
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    os._exit(1)


if __name__ == "__main__":
    _fork_for_ever()

"""`runner` in processes that kill themselves, by a real SIGKILL, before or after the ledger's statement of a number, or
at a loss of power after it: what was not forced to disk of the runs is gone then.

Each is forked from a clean process that has the runner imported already. Statements that read do not count.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from runner.cli import apply
from runner.cli.main import ended

LOADED = apply
_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "INSERT", "UPDATE", "DELETE", "CREATE")
_STATEMENTS = "statements"
POWER_LOST = "power lost"
Doomed = Callable[[Sequence[str], str, int], int]


@contextmanager
def doomed_commands() -> Iterator[Doomed]:
    """Gives a function that carries a command out, which ends before or after a statement; its exit code."""
    with subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as clean:

        def carry_out(arguments: Sequence[str], moment: str, number: int) -> int:
            assert clean.stdin is not None
            assert clean.stdout is not None
            clean.stdin.write(json.dumps([list(arguments), moment, number, str(Path.cwd())]).encode() + b"\n")
            clean.stdin.flush()
            return int(clean.stdout.readline())

        yield carry_out


def statements(carry_out: Doomed, arguments: Sequence[str]) -> int:
    """How many statements a command comes to that nobody kills; it must pass."""
    assert carry_out(arguments, "", 0) == 0
    return int(Path(_STATEMENTS).read_text())


def _fork_for_ever() -> None:
    for line in sys.stdin.buffer:
        pid = os.fork()
        if pid == 0:
            _carry_out(*json.loads(line))
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _carry_out(arguments: list[str], moment: str, number: int, folder: str) -> None:
    """The forked process, which never returns."""
    os.chdir(folder)
    nothing = os.open(os.devnull, os.O_RDWR)
    for file in (0, 1, 2):
        os.dup2(nothing, file)
    count, synced = 0, set[int]()
    sync = os.fsync

    def fsync(file: int) -> None:
        sync(file)
        synced.add(os.fstat(file).st_ino)

    os.fsync = fsync  # type: ignore[assignment]  # whoever syncs gives a number

    class DoomedConnection(sqlite3.Connection):
        is_ledger = False

        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
            nonlocal count
            self.is_ledger = self.is_ledger or "synchronous = EXTRA" in sql
            counts = self.is_ledger and sql.lstrip().upper().startswith(_COUNTED)
            count += counts
            if counts and (count, moment) == (number, "before"):
                os.kill(os.getpid(), signal.SIGKILL)
            cursor = super().execute(sql, *values)  # type: ignore[arg-type]
            if counts and count == number and moment in ("after", POWER_LOST):
                if moment == POWER_LOST:
                    _lose_power(synced)
                os.kill(os.getpid(), signal.SIGKILL)
            return cursor

    connect = sqlite3.connect
    sqlite3.connect = lambda *one, **more: connect(*one, factory=DoomedConnection, **more)  # type: ignore[assignment]
    code = ended(arguments)
    if not number:
        Path(_STATEMENTS).write_text(str(count))
    os._exit(code)


def _lose_power(synced: set[int]) -> None:
    """Of the folder of runs: what is in a folder that was never synced is gone, and what a file held that was not."""
    runs = Path(".runner/runs")
    for folder in runs.glob("*"):
        if runs.stat().st_ino not in synced or folder.stat().st_ino not in synced:
            shutil.rmtree(folder)
            continue
        for file in folder.iterdir():
            if file.stat().st_ino not in synced:
                os.truncate(file, 0)


if __name__ == "__main__":
    _fork_for_ever()

"""`runner` in processes that kill themselves, by a real SIGKILL, before or after the ledger's statement of a number, or
at a loss of power after it: what was not forced to disk of the runs is gone then.

Each is forked as `running` forks it. Statements that read do not count.
"""

import os
import shutil
import signal
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from running import DEVNULL, TIME, Change, start

_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "INSERT", "UPDATE", "DELETE", "CREATE")
_STATEMENTS = "statements"
POWER_LOST = "power lost"


def killed(arguments: Sequence[str], moment: str, number: int) -> int:
    """Carry a command out that ends at this moment of a statement; its exit code."""
    change = Change(module=__name__, function=end_at.__name__, values={"moment": moment, "number": number})
    with start(*arguments, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, change=change) as process:
        return process.wait(TIME)


def statements(arguments: Sequence[str]) -> int:
    """How many statements a command comes to that nobody kills; it must pass."""
    assert killed(arguments, "", 0) == 0
    return int(Path(_STATEMENTS).read_text())


def end_at(moment: str, number: int) -> None:
    """In the forked process: count the statements, and end at that of the number. 0 is none: they are counted alone."""
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
            if counts and not number:
                Path(_STATEMENTS).write_text(str(count))
            return cursor

    connect = sqlite3.connect
    sqlite3.connect = lambda *one, **more: connect(*one, factory=DoomedConnection, **more)  # type: ignore[assignment]


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

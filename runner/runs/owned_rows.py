"""Which rows of process logs belong to which call, in all runs of one folder, whatever became of the runs themselves.

A row belongs to at most one call. It is given to a call in one transaction, so that two programs that look at the same
row at the same moment cannot both have it. A start is written down before it is sent, and stays until it has its row:
as long as it lacks one, a row that it may have made is given to nobody else. Whether two starts of this machine were
under way at the same time is told by this machine's clock alone; what a server's clock says is the engine's business.
"""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.foundation.private_files import PRIVATE_FILE

_TABLES = """
CREATE TABLE IF NOT EXISTS row (id TEXT PRIMARY KEY, run TEXT, key TEXT, at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS start (number INTEGER PRIMARY KEY, run TEXT, key TEXT, site TEXT, process TEXT, began REAL,
  ends REAL);
CREATE INDEX IF NOT EXISTS start_of_process ON start (site, process);
"""
_ANSWERED = (
    "UPDATE start SET ends = min(ends, ?) WHERE number = (SELECT max(number) FROM start WHERE run = ? AND key = ?)"
)
_FORGOTTEN = "DELETE FROM start WHERE number = (SELECT max(number) FROM start WHERE run = ? AND key = ?)"
KEPT = 90 * 24 * 3600.0
"""Seconds after which nothing is known any more: the platform archives finished rows after 30 days [D]."""
_PATIENCE = 10.0
"""Seconds for which another program's transaction is waited for."""


NEAR = 5.0
"""Seconds between two starts in which the server's time, which counts whole ones, may not tell their rows apart."""
LATE = 3600.0
"""Seconds for which a start that lacks its row may still get it, where no server's time tells rows apart."""


class UnwritableError(Exception):
    """What is owned cannot be written down or read; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """`taken` are the ids of rows that belong to other calls. `rival`: another run may have made one of the rest, of
    which nobody knows its row.
    """

    taken: tuple[str, ...] = ()
    rival: bool = False


class OwnedRows:
    """The file of one folder of runs; may be used by several threads and programs."""

    def __init__(self, file: Path, *, now: Callable[[], float] = time.time) -> None:
        self._file = file
        self._now = now
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def of(self, *, run: str, site: str, settle: float) -> "RowsOfRun":
        """What one run sees of it. `site` is as `runner.foundation.site_key` gives it."""
        return RowsOfRun(self, run=run, site=site, settle=settle, now=self._now)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, alone with the file. Raises `UnwritableError`."""
        with self._lock:
            try:
                database = self._opened()
                database.execute("BEGIN IMMEDIATE")
                with database:
                    yield database
            except (sqlite3.Error, OSError) as error:
                raise UnwritableError(f"{self._file}: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._file.touch(PRIVATE_FILE)
            database = sqlite3.connect(self._file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
            database.execute("PRAGMA page_size = 1024")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.executescript(_TABLES)
            before = self._now() - KEPT
            database.execute("DELETE FROM row WHERE at < ?", (before,))
            database.execute("DELETE FROM start WHERE ends < ?", (before,))
            self._database = database
        return self._database


class RowsOfRun:
    """As `OwnedRows`, for the calls of one run. All raise `UnwritableError` but `ask`."""

    def __init__(self, all_of_them: OwnedRows, *, run: str, site: str, settle: float, now: Callable[[], float]) -> None:
        self._all = all_of_them
        self._run = run
        self._site = hashlib.sha256(site.encode("utf-8", "surrogatepass")).hexdigest()  # it names the account
        self._settle = settle
        self._now = now

    def begin(self, key: str, process: str, *, seconds: float) -> None:
        """A start of the row `key` is about to be sent, and is under way for up to `seconds`."""
        now = self._now()
        values = (self._run, key, self._site, process, now, now + seconds + self._settle)
        with self._all.changing() as database:
            sql = "INSERT INTO start (run, key, site, process, began, ends) VALUES (?, ?, ?, ?, ?, ?)"
            database.execute(sql, values)

    def answer(self, key: str) -> None:
        """The last start of the row was answered: it began before, or is queued for no longer than settling takes."""
        with self._all.changing() as database:
            database.execute(_ANSWERED, (self._now() + self._settle, self._run, key))

    def never_began(self, key: str) -> None:
        """The last start of the row has begun nothing."""
        with self._all.changing() as database:
            self._forget(database, [key])

    def ask(
        self,
        key: str,
        codes: tuple[str, ...],
        *,
        rows: Sequence[str],
        keys: Sequence[str] | None,
        certain: bool = False,
        timed: bool = True,
    ) -> Others:
        """Whose `rows` are, which the call of `key` may have made, of a process that is started under `codes`; with
        `keys` they belong to these calls from now on, unless somebody else may have made one. What cannot be found out
        may be anybody's. `timed`: the server's own time has told that no start that is long over made them.
        """
        try:
            with self._all.changing() as database:
                late = NEAR if timed else LATE
                return self._asked(database, key, codes, rows=rows, keys=keys, certain=certain, late=late)
        except UnwritableError:
            return Others(rival=not certain)

    def _asked(
        self,
        database: sqlite3.Connection,
        key: str,
        codes: tuple[str, ...],
        *,
        rows: Sequence[str],
        keys: Sequence[str] | None,
        certain: bool,
        late: float,
    ) -> Others:
        taken = [one for one in rows if self._is_taken(database, one, (key, *(keys or ())), certain=certain)]
        rival = not certain and self._has_rival(database, codes, (key, *(keys or ())), late=late)
        if keys is not None and not rival:
            left = [one for one in rows if one not in taken]
            sql = "INSERT OR REPLACE INTO row (id, run, key, at) VALUES (?, ?, ?, ?)"
            database.executemany(sql, [(one, self._run, key, self._now()) for one in left])
            if len(left) >= len(keys):
                self._forget(database, keys)
        return Others(taken=tuple(taken), rival=rival)

    def _is_taken(self, database: sqlite3.Connection, row: str, keys: Sequence[str], *, certain: bool) -> bool:
        """Whether the row belongs to another call. One run's own calls are told apart by the engine, unless the row is
        `certain` to be of this one.
        """
        found = database.execute("SELECT run, key FROM row WHERE id = ?", (row,)).fetchone()
        if found is None:
            return False
        return found[0] != self._run or (certain and found[1] not in keys)

    def _has_rival(
        self, database: sqlite3.Connection, codes: tuple[str, ...], keys: Sequence[str], *, late: float
    ) -> bool:
        """Whether another run has a start without its row that was under way when one of ours was, or up to `late`
        seconds before.
        """
        of_keys, of_codes = (", ".join("?" * len(one)) for one in (keys, codes))
        ours = (
            f"SELECT min(began), max(ends) FROM start WHERE run = ? AND process IN ({of_codes}) AND key IN ({of_keys})"  # noqa: S608
        )
        began, ends = database.execute(ours, (self._run, *codes, *keys)).fetchone()
        sql = (
            f"SELECT 1 FROM start WHERE site = ? AND process IN ({of_codes}) AND run <> ? AND began <= ? AND ends >= ?"  # noqa: S608
        )
        bounds = (ends if ends is not None else self._now(), began - late if began is not None else 0.0)
        return database.execute(sql, (self._site, *codes, self._run, *bounds)).fetchone() is not None

    def _forget(self, database: sqlite3.Connection, keys: Sequence[str]) -> None:
        """One start of each row of `keys`, its last one, is not looked for any more."""
        database.executemany(_FORGOTTEN, [(self._run, key) for key in keys])

"""Which rows of process logs belong to which call, of all runs of one folder, whatever became of the runs themselves.

Two folders may have runs against one site, as two checkouts do: a second file has the runs of all folders of this user
on this machine. A folder has its own for all that, since it may be carried to another machine.

A row is given to a call in one transaction, so that two programs that ask for it at the same moment cannot both have
it. A start is stored before it is sent, and stays until it has its row: as long as it lacks its row, a row that it may
have made is given to nobody else. Whether two starts of this machine were under way at the same time is decided by this
machine's clock alone; the server's clock is the engine's business.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import TypeAlias

from msgspec.structs import replace

from runner.foundation.private_files import PRIVATE_FILE, ensure_folder
from runner.foundation.site_key import hashed
from runner.runs.pending_starts import BEFORE, LATE, MOST, NEAR, SOON, are_under_way, as_pending, recent, settled
from runner.runs.store import Others, RowQuery, StoreError

_TABLES = """
CREATE TABLE IF NOT EXISTS row (id TEXT PRIMARY KEY, run TEXT, key TEXT, at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS start (number INTEGER PRIMARY KEY, run TEXT, key TEXT, site TEXT, process TEXT, began REAL,
  ends REAL);
CREATE INDEX IF NOT EXISTS start_by_end ON start (site, process, ends);
DROP INDEX IF EXISTS start_of_process;
"""
_PRAGMAS = ("page_size = 1024", "journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 8192")
"""A checkpoint waits for the disk, and every run for it: there is one after 8 MB, and when the file is closed."""
_BEGUN = "INSERT INTO start (run, key, site, process, began, ends) VALUES (?, ?, ?, ?, ?, ?)"
_LAST = "number = (SELECT max(number) FROM start WHERE run = ? AND key = ?)"
_ANSWERED = f"UPDATE start SET ends = min(ends, ?) WHERE {_LAST}"  # noqa: S608
_LEFT = f"UPDATE start SET ends = ? WHERE {_LAST}"  # noqa: S608
_FORGOTTEN = f"DELETE FROM start WHERE {_LAST}"  # noqa: S608
_EARLIEST = "SELECT min(ends) FROM start WHERE run = ?"
_OWN = """SELECT min(began) AS began, max(ends) AS ends FROM start
WHERE site = ? AND process IN ({codes}) AND ends >= ? AND run = ? AND key IN ({keys})"""
_RIVAL = f"""SELECT 1 FROM ({_OWN}) AS own CROSS JOIN start
WHERE site = ? AND process IN ({{codes}}) AND start.ends >= coalesce(own.began - ?, 0) AND run <> ?
  AND start.began <= coalesce(own.ends, ?) LIMIT 1"""  # noqa: S608
_PENDING = f"""SELECT number, run, key, began, ends - ? FROM start
WHERE site = ? AND process IN ({{codes}}) AND ends >= ? AND began <= ?
  AND number < (SELECT number FROM start WHERE {_LAST})"""  # noqa: S608
_OVER = """SELECT number, run, key, began, ends - ? FROM start
WHERE site = ? AND process IN ({codes}) AND ends < ? AND ends >= ? LIMIT ?"""
_GIVEN = "INSERT OR REPLACE INTO row (id, run, key, at) VALUES (?, ?, ?, ?)"

KEPT = 90 * 24 * 3600.0
"""Seconds after which everything is forgotten: the platform archives finished rows after 30 days [D]."""
_PATIENCE = 10.0
"""Seconds for which another program's transaction is waited for."""

_Change: TypeAlias = tuple[str, tuple[str | float, ...]]
"""A statement with its values."""


class RowDatabase:
    """The file of one folder of runs, or of all folders; may be used by several threads and programs."""

    def __init__(self, file: Path, *, now: Callable[[], float] = time.time) -> None:
        self._file = file
        self.now = now
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def rows_of(self, run: str, site: str, settle: float) -> "RowsOfRun":
        return RowsOfRun(self, run=run, site=site, settle=settle)

    def can_be_opened(self) -> bool:
        with self._lock:
            try:
                ensure_folder(self._file.parent)
                self._opened()
            except (sqlite3.Error, OSError):
                return False
            return True

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, alone with the file. Raises `StoreError`."""
        with self._lock:
            try:
                database = self._opened()
                database.execute("BEGIN IMMEDIATE")
                with database:
                    yield database
            except (sqlite3.Error, OSError) as error:
                raise StoreError(f"{self._file}: {error}") from error

    def change(self, *changes: _Change) -> None:
        """Some statements in one transaction. Raises `StoreError`."""
        if len(changes) > 1:
            with self.changing() as database:
                for change in changes:
                    database.execute(*change)
            return
        with self._lock:
            try:
                self._opened().execute(*changes[0])  # a transaction by itself
            except (sqlite3.Error, OSError) as error:
                raise StoreError(f"{self._file}: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._file.touch(PRIVATE_FILE)
            database = sqlite3.connect(self._file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
            for pragma in _PRAGMAS:
                database.execute(f"PRAGMA {pragma}")
            database.executescript(_TABLES)
            before = self.now() - KEPT
            database.execute("DELETE FROM row WHERE at < ?", (before,))
            database.execute("DELETE FROM start WHERE ends < ?", (before,))
            self._database = database
        return self._database


class RowsOfRun:
    """The rows as one run sees them: a `runner.runs.store.OwnedRows`. It belongs to one thread.

    That starts were answered is stored soon after, many at once: with the question whose a row is, or the first start
    after a second.
    """

    def __init__(self, rows: RowDatabase, *, run: str, site: str, settle: float) -> None:
        self._rows = rows
        self._run = run
        self._site = hashed(site)
        self._settle = settle
        self._earliest: float | None = None
        self._answers: dict[str, _Change] = {}
        self._answered = 0.0
        self._begun: dict[str, tuple[float, float]] = {}

    def begin(self, key: str, process: str, *, seconds: float) -> None:
        now = self._rows.now()
        if now - self._answered >= SOON or key in self._answers:  # an answer is that of the last start of its row
            self.flush()
        self._rows.change((_BEGUN, (self._run, key, self._site, process, now, now + seconds + self._settle)))
        self._begun[key] = (now, seconds)

    def leave(self, key: str) -> None:
        begun, seconds = self._begun[key]
        while (now := self._rows.now()) - begun >= SOON:
            self._rows.change((_LEFT, (now + seconds + self._settle, self._run, key)))
            begun = now

    def answer(self, key: str) -> None:
        now = self._rows.now()
        self._answered = self._answered if self._answers else now
        self._answers[key] = (_ANSWERED, (now + self._settle, self._run, key))

    def never_began(self, key: str) -> None:
        self._rows.change(*self._answers.values(), (_FORGOTTEN, (self._run, key)))
        self._answers.clear()

    def flush(self) -> None:
        if self._answers:
            self._rows.change(*self._answers.values())
            self._answers.clear()

    def ask(self, query: RowQuery) -> Others:
        key, codes, keys, own = query.key, query.codes, query.keys, (query.key, *(query.keys or ()))
        try:
            with self._rows.changing() as database:
                for change in self._answers.values():
                    database.execute(*change)
                taken = tuple(row for row in query.rows if self._is_taken(database, row, own, certain=query.certain))
                late = NEAR + query.slack if query.timed else LATE
                rival = not query.certain and self._has_rival(database, codes, own, late=late)
                if rival and query.before:
                    self._settle_others(database, query)
                    rival = self._has_rival(database, codes, own, late=late)
                if keys is not None and not rival:
                    self._give(database, key, [row for row in query.rows if row not in taken], keys)
            self._answers.clear()
            return Others(taken=taken, rival=rival)
        except StoreError:
            return Others(rival=not query.certain)

    def _give(self, database: sqlite3.Connection, key: str, rows: Sequence[str], keys: Sequence[str]) -> None:
        """Give the rows to this run. Where each of `keys` has a row, its last start needs no row any more."""
        database.executemany(_GIVEN, [(row, self._run, key, self._rows.now()) for row in rows])
        if len(rows) >= len(keys):
            database.executemany(_FORGOTTEN, [(self._run, other) for other in keys])

    def _settle_others(self, database: sqlite3.Connection, query: RowQuery) -> None:
        """Starts whose row is among those from before the call do not lack it any more. A start that began after the
        call, or after these were read, has made none of them.
        """
        now, marks = self._rows.now(), ", ".join("?" * len(query.codes))
        started: tuple[str | float, ...] = (self._settle, self._site, *query.codes)
        values = (*started, now - NEAR, now - query.before_read, self._run, query.key)
        pending = [as_pending(columns) for columns in database.execute(_PENDING.format(codes=marks), values)]
        owned = "SELECT 1 FROM row WHERE id = ?"
        free = {row: now - age for row, age in query.before if database.execute(owned, (row,)).fetchone() is None}
        if not (free := recent(free, pending)):
            return
        values = (*started, now - NEAR, min(free.values()) - BEFORE + self._settle, MOST)
        others = database.execute(_OVER.format(codes=marks), values) if are_under_way(pending, now=now) else ()
        found = settled(pending, [as_pending(columns) for columns in others], free, now=now)
        database.executemany(_GIVEN, [(row, start.run, start.key, now) for row, start in found.items()])
        database.executemany("DELETE FROM start WHERE number = ?", {(start.number,) for start in found.values()})

    def _is_taken(self, database: sqlite3.Connection, row: str, own: Sequence[str], *, certain: bool) -> bool:
        """Whether the row is another call's: of another run, or where it is `certain`, of another row of this run."""
        found = database.execute("SELECT run, key FROM row WHERE id = ?", (row,)).fetchone()
        if found is None:
            return False
        return found[0] != self._run or (certain and found[1] not in own)

    def _has_rival(
        self, database: sqlite3.Connection, codes: Sequence[str], own: Sequence[str], *, late: float
    ) -> bool:
        """Whether another run's start without a row was under way with a start of this run, or `late` s before."""
        if self._earliest is None:
            now = self._rows.now()
            self._earliest = min(database.execute(_EARLIEST, (self._run,)).fetchone()[0] or now, now)
        ours = (self._site, *codes, self._earliest, self._run, *own)
        values = (*ours, self._site, *codes, late, self._run, self._rows.now())
        return database.execute(_rival(len(codes), len(own)), values).fetchone() is not None


class RowsOfFolders:
    """The rows as one run sees them, `own` by the file of its folder, and by `shared`, that of all folders: a
    `runner.runs.store.OwnedRows`. Where the shared file cannot be written, the runs of other folders are not known.
    """

    def __init__(self, own: RowDatabase, shared: RowDatabase, *, run: str, site: str, settle: float) -> None:
        self._shared = shared
        self._own_rows, self._shared_rows = (each.rows_of(run, site, settle) for each in (own, shared))

    def begin(self, key: str, process: str, *, seconds: float) -> None:
        for rows in self._all:
            rows.begin(key, process, seconds=seconds)

    def leave(self, key: str) -> None:
        for rows in self._all:
            rows.leave(key)

    def answer(self, key: str) -> None:
        for rows in self._all:
            rows.answer(key)

    def never_began(self, key: str) -> None:
        for rows in self._all:
            rows.never_began(key)

    def flush(self) -> None:
        for rows in (self._shared_rows, self._own_rows):  # a run that has started nothing opens neither file
            rows.flush()

    def ask(self, query: RowQuery) -> Others:
        """What one file knows of others is enough. The shared file is asked first: what it gives to nobody, the other
        does not give either.
        """
        taken: tuple[str, ...] = ()
        rival = False
        for rows in self._all:
            others = rows.ask(replace(query, keys=None) if rival else query)
            taken, rival = tuple(dict.fromkeys((*taken, *others.taken))), rival or others.rival
        return Others(taken=taken, rival=rival)

    @cached_property
    def _all(self) -> tuple[RowsOfRun, ...]:
        return (self._shared_rows, self._own_rows) if self._shared.can_be_opened() else (self._own_rows,)


@cache
def _rival(codes: int, keys: int) -> str:
    return _RIVAL.format(codes=", ".join("?" * codes), keys=", ".join("?" * keys))

"""The tables of a file of rows: rows that belong to a call, starts that lack theirs, and the folders that use it."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

from msgspec import Struct

_TABLES = """
CREATE TABLE IF NOT EXISTS row (id TEXT PRIMARY KEY, run TEXT, key TEXT, at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS start (number INTEGER PRIMARY KEY, run TEXT, key TEXT, site TEXT, process TEXT, began REAL,
  ends REAL);
CREATE INDEX IF NOT EXISTS start_by_end ON start (site, process, ends);
CREATE TABLE IF NOT EXISTS folder (place TEXT PRIMARY KEY, at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS made (file TEXT, at REAL);
CREATE TABLE IF NOT EXISTS clock (boot TEXT PRIMARY KEY, ahead REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (machine TEXT PRIMARY KEY, file TEXT, since REAL, at REAL) WITHOUT ROWID;
"""
_MADE = "INSERT INTO made SELECT lower(hex(randomblob(16))), ? WHERE NOT EXISTS (SELECT 1 FROM made)"
ANY_NUMBER = ""  # the key of a record for any number of starts of a run in its time
BEGUN = "INSERT INTO start (run, key, site, process, began, ends) VALUES (?, ?, ?, ?, ?, ?)"
_AT_ONCE = 100
"""Starts in a statement: in each, SQLite lets other threads in several times, and others wait for the file."""
_STARTS = "SELECT run, key, site, process, began, ends FROM start WHERE run = ? ORDER BY number"
_KNOWN = """SELECT id, run, key FROM row WHERE id IN ({rows}) UNION ALL SELECT *
FROM (SELECT '', run, key FROM start WHERE site = ? AND process IN ({codes}) AND run <> ? LIMIT 1)"""
_OWN = f"""SELECT min(began) AS began, max(ends) AS ends FROM start
WHERE site = ? AND process IN ({{codes}}) AND ends >= ? AND run = ? AND key IN ('{ANY_NUMBER}', {{keys}})"""  # noqa: S608
_RIVAL = f"""SELECT start.run, start.key, start.began, start.ends FROM ({_OWN}) AS own CROSS JOIN start
WHERE site = ? AND process IN ({{codes}}) AND start.ends >= coalesce(own.began - ?, 0) AND run <> ?
  AND (start.began <= coalesce(own.ends, ?) OR start.began > ?) ORDER BY start.ends DESC LIMIT 1"""  # noqa: S608
_PRAGMAS = ("page_size = 1024", "journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 8192")
"""A checkpoint waits for the disk, and every run for it: it comes after 8 MB, and when the file is closed."""

_PAUSE = 0.002  # seconds until a new file, which others open, too, is set up again

_BOOT = Path("/proc/sys/kernel/random/boot_id")  # another each time that a Linux is started
_DAY = 24 * 3600.0
KEPT = 90 * _DAY  # seconds after which everything is forgotten: the platform archives finished rows after 30 days [D]
PATIENCE = 10.0  # seconds for which another program's transaction is waited for


class StoredRows(Struct, frozen=True, kw_only=True):
    """All that a file has of a run: starts, rows by step, and when and how long each step's last start was here."""

    starts: tuple[tuple[str | float, ...], ...]
    rows: tuple[tuple[str, str, float], ...]
    begun: dict[str, tuple[float, float]]


class MadeFile(Struct, frozen=True, kw_only=True):
    """Which file it is. `is_new_here`: it did not know the folder. `clock` gives its time."""

    file: str
    is_new_here: bool
    clock: Callable[[], float]


def open_tables(file: Path, place: Path | None, now: float, *, patience: float) -> tuple[sqlite3.Connection, MadeFile]:
    """The file's tables, which learn the folder `place`. Waits up to `patience` seconds. Raises `sqlite3.Error`."""
    database = sqlite3.connect(file, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        _set_up(database, patience)
        database.executescript(_TABLES)
        _forget_old(database, now)
        database.execute(_MADE, (now,))
        (name,) = database.execute("SELECT file FROM made").fetchone()
        is_new = place is not None and _is_new(database, os.fsencode(place), now)
        clock = _steady_clock(database)
        database.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000:.0f}")
    except BaseException:
        database.close()
        raise
    return database, MadeFile(file=name, is_new_here=is_new, clock=clock)


def _set_up(database: sqlite3.Connection, patience: float) -> None:
    """SQLite does not wait for others that open a new file at the same time, when it changes the mode to WAL."""
    ends = time.monotonic() + patience
    while True:
        try:
            for pragma in _PRAGMAS:
                database.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # of its kinds, the lowest byte
            if not is_busy or time.monotonic() > ends:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _steady_clock(database: sqlite3.Connection) -> Callable[[], float]:
    """This file's time, which nobody sets: it began with the machine's clock, which serves where there is no other."""
    counter = getattr(time, "CLOCK_BOOTTIME", None)
    boot = _BOOT.read_text() if counter is not None and _BOOT.exists() else None
    if counter is None or boot is None:
        return time.time
    database.execute("INSERT OR IGNORE INTO clock VALUES (?, ?)", (boot, time.time() - time.clock_gettime(counter)))
    ahead: float = database.execute("SELECT ahead FROM clock WHERE boot = ?", (boot,)).fetchone()[0]
    return lambda: ahead + time.clock_gettime(counter)


def _forget_old(database: sqlite3.Connection, now: float) -> None:
    """Delete old starts, once a day (`user_version` is its number): 10 ms for 100,000 starts."""
    day = int(now // _DAY)
    if database.execute("PRAGMA user_version").fetchone() != (day,):
        database.execute("DELETE FROM row WHERE at < ?", (now - KEPT,))
        database.execute("DELETE FROM start WHERE ends < ?", (now - KEPT,))
        database.execute(f"PRAGMA user_version = {day}")


def _is_new(database: sqlite3.Connection, place: bytes, now: float) -> bool:
    found = database.execute("SELECT 1 FROM folder WHERE place = ?", (place,)).fetchall()
    database.execute("DELETE FROM folder WHERE at < ?", (now - KEPT,))
    database.execute("INSERT OR REPLACE INTO folder VALUES (?, ?)", (place, now))
    return not found


def begun_at_once(starts: Sequence[tuple[str | float, ...]]) -> Iterator[tuple[str, tuple[str | float, ...]]]:
    """The statements that store some starts, in their order, with their values."""
    for first in range(0, len(starts), _AT_ONCE):
        some = starts[first : first + _AT_ONCE]
        yield BEGUN + ", (?, ?, ?, ?, ?, ?)" * (len(some) - 1), tuple(chain.from_iterable(some))


def stored_rows(database: sqlite3.Connection, run: str, *, begun: dict[str, tuple[float, float]]) -> StoredRows:
    starts = database.execute(_STARTS, (run,)).fetchall()
    rows = database.execute("SELECT id, key, at FROM row WHERE run = ?", (run,)).fetchall()
    return StoredRows(starts=tuple(starts), rows=tuple(rows), begun=begun)


def folder_of(database: sqlite3.Connection, run: str, *, besides: Path | None) -> str | None:
    written = database.execute("SELECT place FROM folder ORDER BY at DESC")
    places = [Path(os.fsdecode(place)) for (place,) in written]
    found = next((place for place in places if place != besides and (place / run).is_dir()), None)
    return None if found is None else os.fsencode(found).decode("utf-8", "replace")


@cache
def known_rows(rows: int, codes: int) -> str:
    """Whose some rows are, and with an empty id a start of another run of any of the processes, if there is any."""
    return _KNOWN.format(rows=", ".join("?" * rows), codes=", ".join("?" * codes))


@cache
def rival_starts(codes: int, keys: int) -> str:
    """The start of another run that may have been under way with any of some keys of this run."""
    return _RIVAL.format(codes=", ".join("?" * codes), keys=", ".join("?" * keys))

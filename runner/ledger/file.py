"""The ledger in a private file of SQLite, shared by the programs of a machine; it can be copied.

A finished transaction survives a loss of power (`synchronous = EXTRA`): a forgotten attempt would begin again.
"""

import errno
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec.structs import astuple

from runner.foundation.private_files import PRIVATE_FILE, ensure_folder, owner_of, sync_folder
from runner.ledger import model
from runner.runs.events import RunStatus

_FORMAT: Final = 2
_MARK: Final = 0x6372_6C67  # `crlg`, the application id in the file's head
_PATIENCE: Final = 30.0  # seconds for which another program's transaction is waited for
_CLOSED: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_ANOTHER: Final = "another ledger does not know what was applied, and everything would be carried out again"
_MOST: Final = 500  # values in a statement; SQLite takes 999 in its older versions
_TABLES: Final = f"""
CREATE TABLE version (digest TEXT PRIMARY KEY, job TEXT NOT NULL, "case" TEXT, target TEXT NOT NULL, url TEXT NOT NULL,
  folder TEXT NOT NULL, title TEXT NOT NULL, pruned INTEGER NOT NULL DEFAULT 0, key TEXT);
CREATE INDEX version_by_title ON version (title);
CREATE TABLE attempt (number INTEGER PRIMARY KEY, digest TEXT NOT NULL, run TEXT UNIQUE,
  began_at TEXT NOT NULL, place TEXT NOT NULL, "commit" TEXT, status TEXT, exit_code INTEGER, ended_at TEXT);
CREATE INDEX attempt_by_version ON attempt (digest);
PRAGMA application_id = {_MARK};
PRAGMA user_version = {_FORMAT};
"""
_ENTRIES: Final = """
SELECT v.digest, v.job, v."case", v.target, v.url, v.folder, v.key,
  (SELECT count(*) FROM attempt WHERE digest = v.digest) AS attempts,
  a.run, a.began_at, a.place, a."commit", a.status, a.exit_code, a.ended_at
FROM version v JOIN attempt a ON a.number = (SELECT max(number) FROM attempt WHERE digest = v.digest)
"""
_NEWEST: Final = f"""{_ENTRIES} WHERE a.number IN (
  SELECT max(b.number) FROM attempt b JOIN version w ON w.digest = b.digest WHERE w.pruned = 0 GROUP BY w.title)
ORDER BY v.title"""  # noqa: S608  our own text
_NEWEST_WITH: Final = _NEWEST.replace("w.pruned = 0", "w.key IS ?")
_UNSETTLED: Final = f"{_ENTRIES} WHERE a.status IS NULL OR a.status = 'unknown' ORDER BY a.number"
_NOT_PASSED: Final = """
WITH same AS (SELECT a.* FROM attempt a JOIN version v ON v.digest = a.digest
  WHERE v.title = ? AND v.url = ? AND v.key IS ?)
SELECT run, status FROM same WHERE run IS NOT NULL
  AND number > coalesce((SELECT max(number) FROM same WHERE status = 'passed'), 0) ORDER BY number
"""
_RIVAL: Final = """
SELECT a.run FROM version v JOIN attempt a ON a.digest = v.digest
WHERE v.title = ? AND v.digest <> ? AND a.status IS NULL
"""
_DAMAGED: Final = "restore it from a copy; what its stored runs do not show is new then, and `--adopt` marks it as done"
_ERRORS: Final = {
    "SQLITE_BUSY": (
        " is used by another program",
        "another `runner apply` writes it, or hangs: look at it, and try again",
    ),
    "SQLITE_NOTADB": (" is no ledger, or is damaged", _DAMAGED),
    "SQLITE_CORRUPT": (" is no ledger, or is damaged", _DAMAGED),
    "SQLITE_READONLY_DBMOVED": (
        " was moved or deleted while this command used it",
        f"let no other program move or delete it; {_DAMAGED}",
    ),
    "SQLITE_READONLY": (" is read-only, or its folder is", f"make both writable: {_ANOTHER}"),
    "SQLITE_FULL": ("", "make room, and try again"),
}
"""What the errors of SQLite mean for a ledger, and what to do."""


class LedgerFile:
    """The ledger in the file at `path`; it is made when something is first written down."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._database: sqlite3.Connection | None = None

    def exists(self) -> bool:
        if not self._is_made():
            return False
        with self._stored():
            ((found,),) = self._opened().execute("SELECT EXISTS (SELECT * FROM version)")
        return bool(found)

    def _is_made(self) -> bool:
        if self._database is not None:
            return True
        with self._stored():
            return self._path.exists() and self._path.stat().st_size > 0

    def prepare(self) -> None:
        with self._changing():
            pass

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def find(self, digests: Collection[str]) -> dict[str, model.LedgerEntry]:
        wanted, found = list(digests), list[model.LedgerEntry]()
        for start in range(0, len(wanted), _MOST):
            some = wanted[start : start + _MOST]
            found += self._read(f"{_ENTRIES} WHERE v.digest IN ({','.join('?' * len(some))})", some)
        return {entry.version.digest: entry for entry in found}

    def newest(self) -> list[model.LedgerEntry]:
        return self._read(_NEWEST)

    def newest_with(self, key: str | None) -> list[model.LedgerEntry]:
        return self._read(_NEWEST_WITH, [key])

    def unsettled(self) -> list[model.LedgerEntry]:
        return self._read(_UNSETTLED)

    def not_passed(self, version: model.AppliedVersion) -> list[tuple[str, RunStatus | None]]:
        if not self._is_made():
            return []
        with self._stored():
            found = self._opened().execute(_NOT_PASSED, [version.title, version.url, version.key]).fetchall()
        return [(run, None if status is None else RunStatus(status)) for run, status in found]

    @contextmanager
    def begin(self, claims: Sequence[model.VersionClaim], *, passing: Collection[str] = ()) -> Iterator[frozenset[str]]:
        with self._changing() as database:
            ours = set()
            for claim in claims:
                if _is_free(database, claim, passing):
                    _write(database, claim.version, claim.attempt)
                    ours.add(claim.version.digest)
            yield frozenset(ours)

    def end(self, run: str, end: model.AttemptEnd) -> None:
        with self._changing() as database:
            sql = "UPDATE attempt SET status = ?, exit_code = ?, ended_at = ? WHERE run = ?"
            database.execute(sql, [end.status.value, int(end.exit_code), end.at, run])

    def release(self, run: str) -> None:
        with self._changing() as database:
            database.execute("DELETE FROM attempt WHERE run = ?", [run])
            database.execute("DELETE FROM version WHERE digest NOT IN (SELECT digest FROM attempt)")

    def adopt(self, versions: Sequence[model.AppliedVersion], attempt: model.VersionAttempt) -> None:
        with self._changing() as database:
            for version in versions:
                _write(database, version, attempt)

    def prune(self, digests: Collection[str]) -> None:
        with self._changing() as database:
            sql = "UPDATE version SET pruned = 1 WHERE title = (SELECT title FROM version WHERE digest = ?)"
            database.executemany(sql, [[digest] for digest in digests])

    def _read(self, sql: str, values: Sequence[str | None] = ()) -> list[model.LedgerEntry]:
        """A ledger that is not there is empty; it is not made by who reads it."""
        if not self._is_made():
            return []
        with self._stored():
            return [model.entry_of(dict(row)) for row in self._opened().execute(sql, values)]

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, alone with the file: it ends on disk, or with an exception it never was."""
        with self._stored():
            self._make()
            database = self._opened()
            database.execute("BEGIN IMMEDIATE")
            with database:
                yield database

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            address = f"{self._path.absolute().as_uri()}?mode=rw"
            database = sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
            try:
                database.row_factory = sqlite3.Row
                database.execute("PRAGMA synchronous = EXTRA")
                _check_format(database, self._path)
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    def _make(self) -> None:
        """Make the file, private, where there is none."""
        if self._path.is_dir():
            raise model.LedgerError(f"{self._path} is a folder", hint="name a file with `--ledger FILE`")
        if self._database is None and not self._path.exists():
            ensure_folder(self._path.absolute().parent)
            self._path.touch(PRIVATE_FILE)
            sync_folder(self._path.absolute().parent)

    @contextmanager
    def _stored(self) -> Iterator[None]:
        """What SQLite and the system raise, as an error of the ledger."""
        try:
            yield
        except sqlite3.Error as error:
            raise _ledger_error(self._path, error) from error
        except OSError as error:
            why = f"{error.filename or self._path}: {error.strerror or error}"
            hint = "name files elsewhere with `--ledger FILE` and `--runs DIR`" if error.errno in _CLOSED else None
            raise _of_another_user(self._path, why) or model.LedgerError(why, hint=hint) from error


def _is_free(database: sqlite3.Connection, claim: model.VersionClaim, passing: Collection[str]) -> bool:
    digest, title = claim.version.digest, claim.version.title
    (attempts,) = database.execute("SELECT count(*) FROM attempt WHERE digest = ?", [digest]).fetchone()
    open_runs = {run for (run,) in database.execute(_RIVAL, [title, digest])}
    return bool(attempts == claim.known and open_runs <= set(passing))


def _check_format(database: sqlite3.Connection, path: Path) -> None:
    """Make the tables in an empty file. Raises `LedgerError` for a file of somebody else, or of another format."""
    if not path.stat().st_size:
        database.execute("PRAGMA page_size = 1024")
        database.execute("BEGIN IMMEDIATE")
        if not path.stat().st_size:  # another program may have been faster
            for statement in filter(str.strip, _TABLES.split(";")):
                database.execute(statement)
        database.execute("COMMIT")
    (mark,) = database.execute("PRAGMA application_id").fetchone()
    if mark != _MARK:
        hint = "name another file with `--ledger FILE`"
        raise model.LedgerError(f"{path} is a database of another program", hint=hint)
    (number,) = database.execute("PRAGMA user_version").fetchone()
    if number != _FORMAT:
        hint = "use the version that wrote it, or name another file with `--ledger FILE`"
        raise model.LedgerError(f"{path} was written by another version of this program", hint=hint)


def _ledger_error(path: Path, error: sqlite3.Error) -> model.LedgerError:
    name = error.sqlite_errorname or ""
    why, hint = _ERRORS.get(name) or _ERRORS.get("_".join(name.split("_")[:2])) or ("", None)
    why = f"{path}{why}: {error}"
    return _of_another_user(path, why) or model.LedgerError(why, hint=hint)


def _of_another_user(path: Path, why: str) -> model.LedgerError | None:
    """The error where a ledger, or its folder, is somebody's who keeps us from it."""
    owner = owner_of(path)
    if owner is None or os.access(path, os.R_OK | os.W_OK):
        return None
    return model.LedgerError(f"{why}; it is `{owner}`'s", hint=f"give the command as that user: {_ANOTHER}")


def _write(database: sqlite3.Connection, version: model.AppliedVersion, attempt: model.VersionAttempt) -> None:
    """A run that is there already moves: an earlier program gave its version another digest."""
    database.execute(
        """INSERT INTO version (digest, job, "case", target, url, folder, key, title) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (digest) DO UPDATE SET folder = excluded.folder""",
        [*astuple(version), version.title],
    )
    database.execute("UPDATE version SET pruned = 0 WHERE title = ?", [version.title])
    database.execute(
        """INSERT INTO attempt (digest, run, began_at, place, "commit", status, exit_code, ended_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET digest = excluded.digest""",
        [version.digest, *attempt.columns.values()],
    )

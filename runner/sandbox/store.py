"""What a sandbox remembers: records, processes and elements, in SQLite; each method is a transaction, in any thread.

Time and ids are handed in. A restarted site forgets sessions.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import astuple

from runner.foundation.private_files import PRIVATE_FILE
from runner.foundation.problems import Problem, UsageError
from runner.foundation.values import Json, JsonObject, record
from runner.sandbox.veil import Veil

_OURS = 0x43525342  # SQLite's `application_id` of a file that a sandbox made
_VERSION = 4  # SQLite's `user_version` of it: that of the tables below

_TABLES = """
CREATE TABLE record (entity TEXT, id TEXT, body TEXT, UNIQUE (entity, id));
CREATE TABLE process (id TEXT UNIQUE, code TEXT, caption TEXT, schema_id TEXT, owner TEXT, status TEXT, started TEXT,
  completed TEXT, error TEXT, parameters TEXT);
CREATE INDEX process_of_code ON process (code, started);
CREATE INDEX process_of_schema ON process (schema_id, started);
CREATE TABLE element (id TEXT UNIQUE, uid TEXT, process_id TEXT, position INTEGER, caption TEXT, status TEXT,
  started TEXT, completed TEXT, error TEXT);
CREATE INDEX element_of_uid ON element (uid, status);
CREATE INDEX element_of_process ON element (process_id, status);
CREATE TABLE fault (process TEXT, position INTEGER, taken INTEGER, UNIQUE (process, position));
CREATE TABLE veil (key TEXT);
"""
_LEAVE = "UPDATE element SET status = ?, completed = ? WHERE process_id = ? AND status = 'running'"
"""Ends what a process waits for."""


class InstanceStatus(StrEnum):
    RUNNING = "running"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"


class Instance(Struct, frozen=True, kw_only=True):
    """A started process. `owner` is a contact's id; times are texts in the log's own format, which sorts."""

    id: str
    code: str
    caption: str
    schema_id: str
    owner: str
    status: InstanceStatus = InstanceStatus.RUNNING
    started: str
    completed: str | None = None
    error: str | None = None
    parameters: JsonObject


class ReachedElement(Struct, frozen=True, kw_only=True):
    """An element where a process waits, waited, or failed."""

    id: str
    uid: str  # of its design
    process_id: str
    position: int  # among its double's activities
    caption: str
    status: InstanceStatus = InstanceStatus.RUNNING
    started: str
    completed: str | None = None
    error: str | None = None


_Kept = TypeVar("_Kept", bound=Struct)


class Store:
    """`columns` has every entity with its columns, null where a record has none. `veil` hides processes' secrets.

    `stamps` gives the `STAMPS` of a record that changes now.
    """

    def __init__(
        self,
        columns: Mapping[str, tuple[str, ...]],
        *,
        file: Path | None = None,
        veil: Veil | None = None,
        stamps: Callable[[], JsonObject] = dict,
    ) -> None:
        self._columns = dict(columns)
        self._stamps = stamps
        self.veil = veil or Veil()
        self._lock = threading.RLock()
        self._database, self.is_new = _opened(file)
        self.veil.open(self._key())
        for entity, body in self._rows("SELECT entity, body FROM record"):
            known = self._columns.get(str(entity), ())
            self._columns[str(entity)] = tuple(dict.fromkeys((*known, *json.loads(str(body)))))

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @property
    def entities(self) -> tuple[str, ...]:
        return tuple(self._columns)

    def columns(self, entity: str) -> tuple[str, ...]:
        return self._columns[entity]

    def records(self, entity: str) -> list[JsonObject]:
        """All records of `entity`, oldest first, each with all its columns."""
        blank: JsonObject = dict.fromkeys(self._columns[entity])
        found = self._rows("SELECT body FROM record WHERE entity = ? ORDER BY rowid", entity)
        return [blank | record(self.veil.read(str(body))) for (body,) in found]

    def counts(self) -> dict[str, int]:
        found = self._rows("SELECT entity, count(*) FROM record GROUP BY entity")
        return dict.fromkeys(self._columns, 0) | {str(entity): int(str(records)) for entity, records in found}

    def insert(self, entity: str, record: JsonObject) -> bool:
        """Whether it was inserted: no two records of an entity share an `Id`."""
        sql = "INSERT OR IGNORE INTO record (entity, id, body) VALUES (?, ?, ?)"
        return self._change(sql, entity, self._id(record["Id"]), self.veil.written(self._stamps() | record)) == 1

    def fill(self, records: Mapping[str, Iterable[JsonObject]]) -> None:
        """Insert the first records, by entity."""
        for entity, rows in records.items():
            for row in rows:
                self.insert(entity, row)

    def replace(self, entity: str, record: JsonObject) -> None:
        sql = "UPDATE record SET body = ? WHERE entity = ? AND id = ?"
        changed = {name: value for name, value in self._stamps().items() if name.startswith("Modified")}
        self._change(sql, self.veil.written(record | changed), entity, self._id(record["Id"]))

    def delete(self, entity: str, key: Json) -> None:
        self._change("DELETE FROM record WHERE entity = ? AND id = ?", entity, self._id(key))

    def begin(self, process: Instance) -> None:
        values = (*astuple(process)[:-2], self._text(process.error), self.veil.written(process.parameters))
        self._change("INSERT INTO process VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)

    def newest_start(self) -> str | None:
        rows = self._rows("SELECT max(started) FROM process")
        return None if rows[0][0] is None else str(rows[0][0])

    def keep(self, process_id: str, parameters: JsonObject) -> None:
        self._change("UPDATE process SET parameters = ? WHERE id = ?", self.veil.written(parameters), process_id)

    def end(self, process_id: str, *, status: InstanceStatus, completed: str, error: str | None = None) -> None:
        """End a process, and what it waits for; a process that has ended already is left alone."""
        sql = "UPDATE process SET status = ?, completed = ?, error = ? WHERE id = ? AND status = 'running'"
        with self._lock:
            self._change(sql, status, completed, self._text(error), process_id)
            self._change(_LEAVE, InstanceStatus.CANCELLED, completed, process_id)

    def cancel(self, process_id: str, *, completed: str) -> None:
        """Cancel a process that runs or has failed [S]; its error stays. What has ended well is left alone."""
        sql = "UPDATE process SET status = ?, completed = ? WHERE id = ? AND status IN ('running', 'error')"
        with self._lock:
            self._change(sql, InstanceStatus.CANCELLED, completed, process_id)
            self._change(_LEAVE, InstanceStatus.CANCELLED, completed, process_id)

    def end_interrupted(self, *, completed: str, error: str) -> None:
        """Cancel the processes that were under way when the sandbox ended, and did not wait for an element."""
        sql = (
            "UPDATE process SET status = ?, completed = ?, error = ? WHERE status = 'running' AND NOT EXISTS"
            " (SELECT 1 FROM element WHERE process_id = process.id AND element.status = 'running')"
        )
        self._change(sql, InstanceStatus.CANCELLED, completed, error)

    def is_running(self, process_id: str) -> bool:
        return bool(self._rows("SELECT 1 FROM process WHERE id = ? AND status = 'running'", process_id))

    def process(self, process_id: str) -> Instance | None:
        rows = self._rows("SELECT * FROM process WHERE id = ?", process_id)
        return self._read(Instance, rows[0]) if rows else None

    def processes(
        self, *, code: str | None = None, schema_ids: Sequence[str] | None = None, since: str | None = None
    ) -> list[Instance]:
        """Those of a code and of some schemas, or of all, started at `since` or later; oldest first."""
        sql, values = "SELECT * FROM process WHERE started >= ?", [since or ""]
        if code is not None:
            sql, values = f"{sql} AND code = ?", [*values, code]
        if schema_ids is not None:
            sql, values = f"{sql} AND schema_id IN ({', '.join('?' * len(schema_ids))})", [*values, *schema_ids]
        return [self._read(Instance, row) for row in self._rows(f"{sql} ORDER BY rowid", *values)]

    def newest(self, count: int) -> list[Instance]:
        """The processes that were started last, newest first."""
        return [
            self._read(Instance, row) for row in self._rows("SELECT * FROM process ORDER BY rowid DESC LIMIT ?", count)
        ]

    def starts(self) -> dict[str, int]:
        """How often each process was started, by its code."""
        return {
            str(code): int(str(times))
            for code, times in self._rows("SELECT code, count(*) FROM process GROUP BY code ORDER BY code")
        }

    def reach(self, element: ReachedElement) -> None:
        values = (*astuple(element)[:-1], self._text(element.error))
        self._change("INSERT INTO element VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)

    def element(self, key: str) -> ReachedElement | None:
        """The element with this id of its own, not that of its design, which all instances share [C]."""
        rows = self._rows("SELECT * FROM element WHERE id = ?", key)
        return self._read(ReachedElement, rows[0]) if rows else None

    def elements(self, process_id: str | None = None) -> list[ReachedElement]:
        """Those that this process reached, or that all did; oldest first."""
        if process_id is None:
            return [self._read(ReachedElement, row) for row in self._rows("SELECT * FROM element ORDER BY rowid")]
        rows = self._rows("SELECT * FROM element WHERE process_id = ? ORDER BY rowid", process_id)
        return [self._read(ReachedElement, row) for row in rows]

    def take(self, element: ReachedElement, *, completed: str) -> bool:
        """Mark it executed; False where it waits no longer."""
        sql = "UPDATE element SET status = ?, completed = ? WHERE id = ? AND status = 'running'"
        return self._change(sql, InstanceStatus.DONE, completed, element.id) == 1

    def take_fault(self, process: str, position: int) -> None:
        """Write down that the fault at this place in the double of `process` was applied to a call."""
        sql = "INSERT INTO fault VALUES (?, ?, 1) ON CONFLICT (process, position) DO UPDATE SET taken = taken + 1"
        self._change(sql, process, position)

    def taken_faults(self) -> dict[tuple[str, int], int]:
        """How often each fault of a double was applied to a call."""
        rows = self._rows("SELECT process, position, taken FROM fault")
        return {(str(process), int(str(position))): int(str(taken)) for process, position, taken in rows}

    def waiting(self, process_id: str) -> int:
        rows = self._rows("SELECT count(*) FROM element WHERE process_id = ? AND status = 'running'", process_id)
        return int(str(rows[0][0]))

    def _key(self) -> str:
        """The key under which the file names secrets."""
        if not self._rows("SELECT key FROM veil"):
            self._change("INSERT INTO veil VALUES (?)", os.urandom(32).hex())
        return str(self._rows("SELECT key FROM veil")[0][0])

    def _id(self, key: Json) -> str:
        """The id of a record as the file holds it: most are a GUID, and stay as they are."""
        text = str(key)
        return str(json.loads(self.veil.written(text)))

    def _text(self, text: str | None) -> str | None:
        return None if text is None else str(json.loads(self.veil.written(text)))

    def _shown(self, text: object) -> str | None:
        return None if text is None else str(self.veil.read(json.dumps(text)))

    def _read(self, kind: type[_Kept], row: Iterable[object]) -> _Kept:
        """A row of the table with the fields of `kind`."""
        fields = dict(zip(kind.__struct_fields__, row, strict=True))
        fields |= {"status": InstanceStatus(str(fields["status"])), "error": self._shown(fields["error"])}
        if "parameters" in fields:
            fields["parameters"] = self.veil.read(str(fields["parameters"]))
        return kind(**fields)

    def _rows(self, sql: str, *values: Json) -> list[tuple[object, ...]]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def _change(self, sql: str, *values: Json) -> int:
        with self._lock:
            return self._database.execute(sql, values).rowcount


def _opened(file: Path | None) -> tuple[sqlite3.Connection, bool]:
    """The connection, and whether its tables were made just now. Raises `UsageError` for a file that is not ours."""
    if file is not None:
        with suppress(OSError):  # what is wrong with it SQLite says
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))  # what SQLite puts beside it is like it
    try:
        database = sqlite3.connect(":memory:" if file is None else file, check_same_thread=False, isolation_level=None)
        is_new = database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        if is_new:
            database.execute("PRAGMA journal_mode = WAL")
            marks = f"PRAGMA application_id = {_OURS}; PRAGMA user_version = {_VERSION};"
            database.executescript(f"BEGIN; {_TABLES} {marks} COMMIT;")
        database.execute("PRAGMA synchronous = NORMAL")
        wrong = _not_ours(database)
    except sqlite3.Error as error:
        raise _unreadable(file, str(error)) from error
    if wrong is not None:
        database.close()
        raise _unreadable(file, wrong)
    return database, is_new


def _not_ours(database: sqlite3.Connection) -> str | None:
    if database.execute("PRAGMA application_id").fetchone() != (_OURS,):
        return "another program's database"
    if database.execute("PRAGMA user_version").fetchone() != (_VERSION,):
        return "another version of the sandbox made it"
    return None


def _unreadable(file: Path | None, why: str) -> UsageError:
    hint = "name a file that a sandbox made, or a new file"
    return UsageError(Problem(code="E100", message=f"the sandbox cannot keep its data in {file}: {why}", hint=hint))

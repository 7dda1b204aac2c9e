"""Which rows of process logs belong to which call, of all runs of a folder; a second file has all folders of a user.

A row is given to a call in a transaction. A start is stored before it is sent, until it has its row; no other call gets
a row that it may have made. Starts whose row nobody reads are stored together, once a second; a record replaces
them until then. This machine's steady clock decides whether two starts overlapped.
"""

import math
import sqlite3
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation import server_time
from runner.foundation.site_key import hashed, local_address
from runner.runs.files import row_tables
from runner.runs.files.row_database import RowChange, RowDatabase
from runner.runs.files.row_tables import ANY_NUMBER, BEGUN, StoredRows, folder_of
from runner.runs.pending_starts import AFTER, ASIDE, LATE, MOST, NEAR, NOBODY, SOON, PendingStart, as_pending, settled
from runner.runs.store import SET_ASIDE, Others, Rival, RowQuery, StoreError

_LAST = "number = (SELECT max(number) FROM start WHERE run = ? AND key = ?)"
_ANSWERED = f"UPDATE start SET ends = min(ends, ?) WHERE {_LAST}"  # noqa: S608
_LEFT = f"UPDATE start SET ends = ? WHERE {_LAST}"  # noqa: S608
_FORGOTTEN = f"DELETE FROM start WHERE {_LAST}"  # noqa: S608
_SET_ASIDE = f"UPDATE start SET process = '{SET_ASIDE}' || process, ends = min(ends, ?) - ? WHERE {_LAST}"  # noqa: S608
_REMOVED = "DELETE FROM start WHERE number = ?"
_EARLIEST = "SELECT min(ends) FROM start WHERE run = ?"
_PENDING = f"""SELECT number, run, key, began, ends - ? FROM start
WHERE site = ? AND process IN ({{codes}}) AND ends >= ? AND began <= ? AND EXISTS (SELECT 1 FROM start AS own
  WHERE own.{_LAST} AND (start.number < own.number OR start.began < own.began))"""  # noqa: S608
_OVER = """SELECT number, run, key, began, ends - ? FROM start
WHERE site = ? AND process IN ({codes}) AND ends < ? AND ends >= ? LIMIT ?"""
_OWNER = "SELECT run, key FROM row WHERE id = ?"
_GIVEN = "INSERT OR REPLACE INTO row (id, run, key, at) VALUES (?, ?, ?, ?)"


class _LaterStart(Struct, kw_only=True):
    key: str
    process: str
    began: float
    ends: float


class _AnyNumber(Struct, frozen=True, kw_only=True):
    """The record of all starts of a process that end until `ends`, by its `number`."""

    number: int
    ends: float


class RowsOfRun:
    """The rows as a run sees them: a `runner.runs.store.OwnedRows`, of a single thread.

    Answers are stored with the next question, or with the first start after a second.
    """

    def __init__(self, rows: RowDatabase, *, run: str, site: str, settle: float, is_new: bool = False) -> None:
        """Read the file once, unless the run `is_new`: 10 ms for 50,000 starts.

        In a shared file, ids of sites on this machine have their address: stand-ins may number their processes from 1.
        """
        self._rows = rows
        self._scope = "" if rows.place is None else local_address(site)
        self._run = run
        self._site = hashed(site)
        self._settle = settle + AFTER  # as long as a row may be of a start, a later start is its rival
        self._earliest: float | None = rows.now() if is_new else None
        self._later: dict[str, list[_LaterStart]] = {}
        self._stand_ins: dict[str, _AnyNumber] = {}
        self._answers: dict[str, RowChange] = {}
        self._answered = 0.0
        self._begun: dict[str, tuple[float, float]] = {}

    def begin(self, key: str, process: str, *, seconds: float, is_read: bool = True) -> None:
        now = self._now()
        ends = now + seconds + self._settle
        self._begun[key] = (now, seconds)
        if not is_read:
            self._begin_later(_LaterStart(key=key, process=process, began=now, ends=ends))
            return
        is_due = now - self._answered >= SOON or key in self._answers  # an answer is that of the last start of its row
        before = self._changes() if is_due or self._stand_ins else ()
        self._rows.change(*before, (BEGUN, (self._run, key, self._site, process, now, ends)))
        self._forget(before)

    def _begin_later(self, start: _LaterStart) -> None:
        """A record for it is stored before it is sent, and for a second does for further starts of the process."""
        stand_in = self._stand_ins.get(start.process)
        if stand_in is None or stand_in.ends < start.ends:
            before = () if stand_in is None else self._changes()
            ends = start.ends + SOON
            values = (self._run, ANY_NUMBER, self._site, start.process, start.began, ends)
            number = self._rows.change(*before, (BEGUN, values))
            self._forget(before)
            self._stand_ins[start.process] = _AnyNumber(number=number, ends=ends)
        self._later.setdefault(start.key, []).append(start)

    def leave(self, key: str) -> None:
        begun, seconds = self._begun[key]
        while (now := self._now()) - begun >= SOON:
            self._begin_anew(key, now, seconds)
            begun = now

    def time_out(self, key: str) -> None:
        begun, seconds = self._begun[key]
        if (now := self._now()) - begun >= seconds + SOON:
            self._begin_anew(key, now, seconds)

    def _begin_anew(self, key: str, now: float, seconds: float) -> None:
        self.flush()
        self._rows.change((_LEFT, (now + seconds + self._settle, self._run, key)))
        self._begun[key] = (now, seconds)

    def _now(self) -> float:
        """No start of a new run ends before the earliest moment that was asked for here: clocks are set back."""
        now = self._rows.now()
        if self._earliest is not None:
            self._earliest = min(self._earliest, now)
        return now

    def answer(self, key: str) -> None:
        now = self._now()
        if key in self._later:
            last = self._later[key][-1]
            last.ends = min(last.ends, now + self._settle)
            return
        self._answered = self._answered if self._answers else now
        self._answers[key] = (_ANSWERED, (now + self._settle, self._run, key))

    def queue(self, key: str) -> None:
        self._begin_anew(key, self._now(), LATE)

    def never_began(self, key: str, *, is_certain: bool = True) -> None:
        if key not in self._later:
            before = self._changes()
            values = (self._now() + self._settle, self._settle + ASIDE, self._run, key)
            last = (_FORGOTTEN, (self._run, key)) if is_certain else (_SET_ASIDE, values)
            self._rows.change(*before, last)
            self._forget(before)
            return
        start = self._later[key].pop()
        if not is_certain:
            ends = min(start.ends, self._now() + self._settle) - self._settle - ASIDE
            self._later[key].append(replace(start, process=f"{SET_ASIDE}{start.process}", ends=ends))
        if not self._later[key]:
            del self._later[key]

    def flush(self) -> None:
        if before := self._changes():
            self._rows.change(*before)
            self._forget(before)

    def _changes(self) -> tuple[RowChange, ...]:
        """All that is not stored yet: answers of starts that are, before a later start of the same row is."""
        later = [
            (self._run, start.key, self._site, start.process, start.began, start.ends)
            for starts in self._later.values()
            for start in starts
        ]
        removed = ((_REMOVED, (found.number,)) for found in self._stand_ins.values())
        return (*self._answers.values(), *row_tables.begun_at_once(later), *removed)

    def _forget(self, changes: Sequence[RowChange]) -> None:
        """These were all, and are stored."""
        if changes:
            self._later.clear()
            self._stand_ins.clear()
            self._answers.clear()

    def stored(self) -> StoredRows:
        """What the file has of this run, all of it."""
        self.flush()
        with self._rows.changing() as database:
            return row_tables.stored_rows(database, self._run, begun=self._begun)

    def store_anew(self, found: StoredRows) -> None:
        """Replace this run's part of the file by that of another file."""
        rows = [(self._stored(row), self._run, key, at) for row, key, at in found.rows]
        with self._rows.changing() as database:
            database.execute("DELETE FROM start WHERE run = ?", (self._run,))
            database.executemany(BEGUN, found.starts)
            database.executemany(_GIVEN, rows)
        self._later.clear()
        self._stand_ins.clear()
        self._answers.clear()
        self._earliest = None
        self._begun = {**found.begun}

    def ask(self, query: RowQuery) -> Others:
        key, codes, keys, own = query.key, query.codes, query.keys, (query.key, *(query.keys or ()))
        try:
            with self._rows.changing() as database:
                taken, of_nobody, is_alone = self._known(database, query, own)
                free = [row for row in query.rows if row not in taken]
                if is_alone and keys is not None and len(free) >= len(keys):
                    for each in keys:
                        self._answers.pop(each, None)  # its start goes
                before = self._changes()
                for change in before:
                    database.execute(*change)
                late = NEAR + query.slack if query.timed else LATE
                rival = None if query.certain or is_alone else self._rival(database, codes, own, late=late)
                if rival is not None and query.before:
                    self._settle_others(database, query)
                    rival = self._rival(database, codes, own, late=late)
                if rival is not None and self._has_all(database, free, own):
                    rival = None
                if keys is not None and rival is None:
                    self._give(database, key, free, keys)
            self._forget(before)
            return Others(taken=taken, of_nobody=of_nobody, rival=rival is not None, by=rival)
        except StoreError:
            return Others(rival=not query.certain)

    def _give(self, database: sqlite3.Connection, key: str, rows: Sequence[str], keys: Sequence[str]) -> None:
        """Give the rows to this run. Where each of `keys` has a row, its last start needs no row any more."""
        database.executemany(_GIVEN, [(self._stored(row), self._run, key, self._rows.now()) for row in rows])
        if len(rows) >= len(keys):
            database.executemany(_FORGOTTEN, [(self._run, other) for other in keys])

    def _settle_others(self, database: sqlite3.Connection, query: RowQuery) -> None:
        """Forget starts whose row was there before the call, unless they began after it, or after it was read."""
        now, marks = self._rows.now(), ", ".join("?" * len(query.codes))
        started: tuple[str | float, ...] = (self._settle, self._site, *query.codes)
        values = (*started, now - NEAR, now - query.before_read, self._run, query.key)
        pending = [as_pending(columns) for columns in database.execute(_PENDING.format(codes=marks), values)]
        owned = "SELECT 1 FROM row WHERE id = ?"
        free = {
            row: now - age for row, age in query.before if not database.execute(owned, (self._stored(row),)).fetchall()
        }
        if any(start.key == ANY_NUMBER for start in pending):
            return

        def over(since: float) -> list[PendingStart] | None:
            values = (*started, now - NEAR, since + self._settle, MOST)
            others = [as_pending(columns) for columns in database.execute(_OVER.format(codes=marks), values)]
            return None if any(start.key == ANY_NUMBER for start in others) else others

        found = settled(pending, free, over=over, now=now)
        database.executemany(_GIVEN, [(self._stored(row), start.run, start.key, now) for row, start in found.items()])
        database.executemany(_REMOVED, {(start.number,) for start in found.values()})

    def _known(
        self, database: sqlite3.Connection, query: RowQuery, own: Sequence[str]
    ) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        """The rows that are another call's, those of nobody certain among them, and whether no other run has a start of
        the process that lacks its row.
        """
        rows = {self._stored(row): row for row in query.rows}
        values = (*rows, self._site, *query.codes, self._run)
        found = database.execute(row_tables.known_rows(len(rows), len(query.codes)), values).fetchall()
        owners = {rows[row]: (run, key) for row, run, key in found if row in rows}
        taken = tuple(row for row in query.rows if row in owners and self._is_taken(*owners[row], own, query))
        return taken, tuple(row for row in taken if owners[row][0] == NOBODY), len(found) == len(owners)

    def _has_all(self, database: sqlite3.Connection, rows: Sequence[str], own: Sequence[str]) -> bool:
        """Whether each of the rows belongs to any of these calls already, so that no other run competes for it."""
        owners = [database.execute(_OWNER, (self._stored(row),)).fetchone() for row in rows]
        return bool(rows) and all(owner in [(self._run, key) for key in own] for owner in owners)

    def _is_taken(self, run: str, key: str, own: Sequence[str], query: RowQuery) -> bool:
        """Whether a row is another call's: of another run, or of another row of this run where that is `certain`."""
        if run == NOBODY and (query.certain or query.keys is None):
            return False
        return run != self._run or (query.certain and key not in own)

    def _stored(self, row: str) -> str:
        return f"{self._scope} {row}" if self._scope else row

    def _rival(
        self, database: sqlite3.Connection, codes: Sequence[str], own: Sequence[str], *, late: float
    ) -> Rival | None:
        """Another run's start without a row that was under way with a start of this run, or `late` s before."""
        if self._earliest is None:
            now = self._rows.now()
            self._earliest = min(database.execute(_EARLIEST, (self._run,)).fetchone()[0] or now, now)
        ours = (self._site, *codes, self._earliest, self._run, *own)
        now = self._rows.now()  # what begins later is of a clock that was set back since: nobody knows when it began
        values = (*ours, self._site, *codes, late, self._run, now, now)
        found = database.execute(row_tables.rival_starts(len(codes), len(own)), values).fetchone()
        if found is None:
            return None
        run, key, began, ends = found
        began, until = map(self._rows.as_set, (began, math.ceil(ends + late)))
        return Rival(
            run=run,
            key=key,
            began=server_time.odata_time(began),
            until=server_time.odata_time(until),
            folder=folder_of(database, run, besides=self._rows.place),
        )

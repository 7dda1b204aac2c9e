"""Which rows of process logs belong to which call, by the file of the folder of runs and that of all folders.

If the file of all folders is not the file that the folder of runs has seen, nobody knows what other folders had started
until then: a row may be theirs. A folder from another machine, as in a CI's cache, loses nothing.
"""

import os
import socket
from collections import Counter
from pathlib import Path

from msgspec.structs import replace

from runner.foundation import server_time
from runner.foundation.site_key import hashed
from runner.runs.files.owned_rows import RowsOfRun
from runner.runs.files.row_database import RowDatabase
from runner.runs.files.row_tables import ANY_NUMBER, KEPT
from runner.runs.pending_starts import LATE, NEAR
from runner.runs.store import LostRows, Others, RowQuery, SentStarts, StoreError

_OWN = "SELECT min(began), max(ends) FROM start WHERE run = ? AND key IN ('', {keys})"
_DAY = 24 * 3600.0


class SharedFile:
    """The file of rows of all folders, as the folder whose own file is `own` has seen it on this machine."""

    def __init__(self, own: RowDatabase, shared: RowDatabase) -> None:
        self.own = own
        self.shared = shared
        self._since: dict[tuple[int | None, str], float | None] = {}

    def lost_at(self) -> float | None:
        """When the folder began to use the file that is open now in the place of another. Raises `StoreError`.

        The own file is asked once in each opening, not by each run: another in its place has seen no file.
        """
        made = self.shared.made
        if made is None:
            return None
        seen = self.own.opening(), made.file
        if seen not in self._since:
            self._since[seen] = self._seen(made.file)
        return self._since[seen]

    def _seen(self, file: str) -> float | None:
        now, here = self.own.now(), machine()
        with self.own.changing() as database:
            found = database.execute("SELECT file, since, at FROM seen WHERE machine = ?", (here,)).fetchone()
            since: float | None = None if found is None else found[1] if found[0] == file else now
            if found is None or found[0] != file or found[2] < now - _DAY:
                database.execute("DELETE FROM seen WHERE at < ?", (now - KEPT,))
                database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", (here, file, since, now))
        return since

    def lost(self, since: float, run: str, query: RowQuery) -> LostRows | None:
        """What is not known any more, and may have made the rows of the query. Raises `StoreError`."""
        keys = (query.key, *(query.keys or ()))
        with self.own.changing() as database:
            began, ends = database.execute(_OWN.format(keys=", ".join("?" * len(keys))), (run, *keys)).fetchone()
        late = NEAR + query.slack if query.timed else LATE
        if began is None or began - (ends - began) - late >= since:
            return None
        return LostRows(
            file=os.fsencode(self.shared.file).decode("utf-8", "replace"),
            since=server_time.odata_time(self.own.as_set(since)),
        )


def machine() -> str:
    """This machine. In CI each container, and each start of a machine, is another: names come again, homes are new."""
    parts = [socket.gethostname()]
    if os.environ.get("CI", "").lower() in ("true", "1"):
        try:
            parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
            parts.append(Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19])
        except (OSError, IndexError):
            pass
    return hashed("\n".join(parts))


class RowsOfFolders:
    """The rows as a run sees them, by the own file of its folder and the shared file: a `runner.runs.store.OwnedRows`.

    While the shared file cannot be opened, runs do not know of other folders. Into a new shared file this run's part is
    written again. Other folders may have made any row of a call from before a shared file was replaced.
    """

    def __init__(self, file: SharedFile, *, run: str, site: str, settle: float, is_new: bool = False) -> None:
        self._run = run
        self._is_new = is_new
        self._shared = file.shared
        self._file = file
        self._lost_at: float | None = None
        self._own_rows, self._shared_rows = (
            RowsOfRun(rows, run=run, site=site, settle=settle, is_new=is_new) for rows in (file.own, file.shared)
        )
        self._opening: int | None = None
        self._lacks_shared = False

    def begin(self, key: str, process: str, *, seconds: float, is_read: bool = True) -> None:
        for rows in reversed(self._current()):  # its own folder knows each start that others know: see `sent`
            rows.begin(key, process, seconds=seconds, is_read=is_read)

    def leave(self, key: str) -> None:
        for rows in self._all:
            rows.leave(key)

    def time_out(self, key: str) -> None:
        for rows in self._all:
            rows.time_out(key)

    def answer(self, key: str) -> None:
        for rows in self._all:
            rows.answer(key)

    def queue(self, key: str) -> None:
        for rows in self._all:
            rows.queue(key)

    def never_began(self, key: str, *, is_certain: bool = True) -> None:
        for rows in self._all:
            rows.never_began(key, is_certain=is_certain)

    def sent(self) -> SentStarts:
        """Starts that only the shared file has, and starts with a row, were sent for certain.

        Another start of the own file may not have left, if the program was killed then. A start that it lacks was made
        by a copy of the folder, or before an older copy was put in its place. Only the last start of a row gets a row.
        """
        own = self._own_rows.stored()
        shared = own if self._shared.opening() is None else self._shared_rows.stored()
        started, shared_starts = (Counter(str(start[1]) for start in found.starts) for found in (own, shared))
        with_row = {key for found in (own, shared) for _, key, _ in found.rows}
        calls = (started | shared_starts) + Counter(with_row)
        del calls[ANY_NUMBER]
        return SentStarts(calls=calls, certain=frozenset(shared_starts.keys() - started.keys() | with_row))

    def flush(self) -> None:
        for rows in self._current() if self._lacks_shared else self._all:  # who has started nothing opens neither file
            rows.flush()

    def ask(self, query: RowQuery) -> Others:
        """Ask the shared file, then the own for what the shared file gives to nobody."""
        taken, of_nobody, certain = dict[str, None](), set[str](), set[str]()
        by = None
        try:
            current = self._current()
            lost = None if self._lost_at is None or query.certain else self._file.lost(self._lost_at, self._run, query)
        except StoreError:
            return Others(rival=not query.certain)
        rival = lost is not None
        for rows in current:
            others = rows.ask(replace(query, keys=None) if rival else query)
            taken.update(dict.fromkeys(others.taken))
            of_nobody.update(others.of_nobody)
            certain.update(set(others.taken).difference(others.of_nobody))
            rival, by = rival or others.rival, by or others.by
        shared = tuple(row for row in taken if row in of_nobody and row not in certain)
        return Others(taken=tuple(taken), of_nobody=shared, rival=rival, by=by, lost=lost)

    @property
    def _all(self) -> tuple[RowsOfRun, ...]:
        """Those that know the last start of this run."""
        return (self._own_rows,) if self._lacks_shared else (self._shared_rows, self._own_rows)

    def _current(self) -> tuple[RowsOfRun, ...]:
        """The same, with the shared file if it can be opened: it has all of this run, also where it is another file."""
        opening = self._shared.opening()
        if opening is None:
            self._lacks_shared = True
        elif self._lacks_shared or opening != self._opening:
            if self._lacks_shared or self._opening is not None or (self._is_new_here() and not self._is_new):
                found = self._own_rows.stored()
                if found.starts or found.rows:
                    self._shared_rows.store_anew(found)
            self._lost_at = self._file.lost_at()
            self._opening, self._lacks_shared = opening, False
        return self._all

    def _is_new_here(self) -> bool:
        return self._shared.made is not None and self._shared.made.is_new_here

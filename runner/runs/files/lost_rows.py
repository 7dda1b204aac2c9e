"""Whether this machine's shared file of rows is the file that the folder of runs has seen.

If not, nobody knows what other folders had started until then: a row may be theirs. A folder from another machine, as
in a CI's cache, loses nothing.
"""

import os
import socket
from pathlib import Path

from msgspec import Struct

from runner.foundation import server_time
from runner.foundation.site_key import hashed
from runner.runs.files.row_database import RowDatabase
from runner.runs.files.row_tables import KEPT
from runner.runs.pending_starts import LATE, NEAR
from runner.runs.store import LostRows, RowQuery

_OWN = "SELECT min(began), max(ends) FROM start WHERE run = ? AND key IN ('', {keys})"
_DAY = 24 * 3600.0


class Loss(Struct, frozen=True, kw_only=True):
    """A shared file that is gone. The folder uses another `since`, which was `made` then or before."""

    since: float
    made: float

    def concerns(self, began: float, ends: float, *, late: float) -> bool:
        """Whether a forgotten start, also from before the file was made, may have made the rows of a start of then."""
        return began < self.since or began - (ends - began) - late < self.made


class SharedFile:
    """The file of rows of all folders, as the folder whose own file is `own` has seen it on this machine."""

    def __init__(self, own: RowDatabase, shared: RowDatabase) -> None:
        self._own = own
        self._shared = shared
        self._losses: dict[str, Loss | None] = {}

    def loss(self) -> Loss | None:
        """What was lost before the file that is open now, if anything was. Raises `StoreError`."""
        made = self._shared.made
        if made is None:
            return None
        if made.file not in self._losses:
            since = self._seen(made.file)
            self._losses[made.file] = Loss(since=since, made=made.at) if since else None
        return self._losses[made.file]

    def _seen(self, file: str) -> float:
        """Since when the folder uses this file in the place of another; 0 where it has used no other."""
        now, here = self._own.now(), machine()
        with self._own.changing() as database:
            found = database.execute("SELECT file, since, at FROM seen WHERE machine = ?", (here,)).fetchone()
            since: float = 0.0 if found is None else found[1] if found[0] == file else now
            if found is None or found[0] != file or found[2] < now - _DAY:
                database.execute("DELETE FROM seen WHERE at < ?", (now - KEPT,))
                database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", (here, file, since, now))
        return since

    def lost(self, loss: Loss, run: str, query: RowQuery) -> LostRows | None:
        """What is not known any more, and the rows of the query depend on. Raises `StoreError`."""
        keys = (query.key, *(query.keys or ()))
        with self._own.changing() as database:
            began, ends = database.execute(_OWN.format(keys=", ".join("?" * len(keys))), (run, *keys)).fetchone()
        late = NEAR + query.slack if query.timed else LATE
        if began is None or not loss.concerns(began, ends, late=late):
            return None
        return LostRows(
            file=os.fsencode(self._shared.file).decode("utf-8", "replace"),
            since=server_time.written(self._shared.as_set(loss.made)),
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

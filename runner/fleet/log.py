"""The events of a run in PostgreSQL, appended only by whoever has opened the run last.

Lines wait in memory until they have to be safe. The statement that stores them compares the fence and their number: of
two processes only the last to open the run can write, and so send.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Final

from runner.fleet.database import Link
from runner.foundation.lazy import lazy_pattern
from runner.runs.events import FIRST_PREV
from runner.runs.store import FencedError, StoreError

_FRESH: Final = 2.0  # seconds after a commit in which the fence is taken for granted
_MOST_SECONDS: Final = 1.0
"""Lines that wait for longer are stored with the next, so that others see how far the run is."""
_MOST_LINES: Final = 500
_KIND: Final = lazy_pattern(rb'"type":"([^"]*)"')
_FINISHED: Final = "run.finished"

_APPEND: Final = """
with mine as (
  update runs set seq = %(to)s, head = %(head)s, updated_at = now(){columns}
  where id = %(run)s and fence = %(fence)s and seq = %(from)s returning id
){changes}, written as (
  insert into events (run, seq, kind, line)
  select mine.id, %(from)s + e.n, coalesce(e.kind, ''), e.line
  from mine, unnest(string_to_array(%(kinds)s, E'\\n'), string_to_array(%(lines)s, E'\\n'))
    with ordinality as e (kind, line, n)
)
select count(*) from mine
"""
_ENDED: Final = """,
  state = 'ended', worker = null, note = null, status = %(status)s, exit_code = %(exit_code)s, seconds = %(seconds)s"""
_RESULTS: Final = """, stored_results as (
  insert into results (run, sha256, content)
  select mine.id, r.name, r.content from mine, unnest(%(names)s::text[], %(contents)s::bytea[]) as r (name, content)
  on conflict do nothing
)"""


class FencedLog:
    """A `runner.runs.store.RunLog`. `fence` is the run's since it was opened for this log."""

    def __init__(self, link: Link, run: str, *, fence: int, seq: int = 0, head: str = FIRST_PREV) -> None:
        self.run = run
        self.link = link
        self.commits = 0
        self.is_open = True
        self._fence = fence
        self._stored = seq
        self._head = head
        self._lines: list[bytes] = []
        self._results: dict[str, bytes] = {}
        self._changes: list[tuple[str, Mapping[str, object]]] = []
        self._is_due = False
        self._safe_at = time.monotonic()

    def append(self, line: bytes, *, durable: bool) -> None:
        self._lines.append(line)
        self._head = hashlib.sha256(line).hexdigest()
        is_late = time.monotonic() - self._safe_at > _MOST_SECONDS or len(self._lines) >= _MOST_LINES
        if durable or self._is_due or is_late:
            self.commit()

    def with_next_line(self, sql: str, values: Mapping[str, object], *, due: bool = False) -> None:
        """Store a change in the transaction of the next lines; with `due` the next line is stored at once.

        `sql` is a part of a statement with `{n}` in its names. It reads from `mine`, which is empty for a lost fence.
        """
        self._changes.append((sql, values))
        self._is_due = self._is_due or due

    def commit(self) -> None:
        if not self._lines:
            return
        began = time.monotonic()
        row = self.link.run(*self._statement()).fetchone()
        whole = self._fence, self._stored + len(self._lines), self._head
        # nothing was stored: all of it was before, and the answer was lost on its way, or the run is not ours now
        if (row is None or row[0] != 1) and self.state() != whole:
            raise self.fenced()
        self.commits += 1
        self._stored += len(self._lines)
        self._lines, self._results, self._changes, self._is_due = [], {}, [], False
        self._safe_at = began

    @property
    def waits(self) -> bool:
        return bool(self._lines)

    def check_fence(self) -> None:
        if time.monotonic() - self._safe_at <= _FRESH:
            return
        began = time.monotonic()
        if self.state()[0] != self._fence:
            raise self.fenced()
        self._safe_at = began

    def change(self, sql: str, values: Mapping[str, object]) -> bool:
        """Change something else of the run at once; whether it was done. The fence is `%(fence)s` in `sql`."""
        return self.link.run(sql, {**values, "run": self.run, "fence": self._fence}).rowcount > 0

    def query(self, sql: str, values: Mapping[str, object]) -> tuple[object, ...] | None:
        """Do the same, and read a row."""
        return self.link.run(sql, {**values, "run": self.run, "fence": self._fence}).fetchone()

    def state(self) -> tuple[int, int, str]:
        """The fence of the run as it is now, the number of its lines, and the SHA-256 of the last."""
        row = self.link.run("select fence, seq, head from runs where id = %(run)s", {"run": self.run}).fetchone()
        if row is None:
            raise StoreError(f"run {self.run} was deleted")
        return row[0], row[1], row[2]

    def sync_run(self) -> None:
        """The run is in the database before its log is opened."""

    def drop_torn_line(self) -> None:
        """There is none: lines are stored whole."""

    def put_result(self, name: str, content: bytes) -> None:
        self._results[name] = content

    def result(self, name: str) -> bytes:
        if name in self._results:
            return self._results[name]
        sql = "select content from results where run = %(run)s and sha256 = %(name)s"
        row = self.link.run(sql, {"run": self.run, "name": name}).fetchone()
        if row is None:
            raise StoreError(f"result {name} of run {self.run} is not there")
        return bytes(row[0])

    def close(self) -> None:
        """Store what still waits, and end the connection."""
        self.is_open = False
        try:
            self.commit()
        finally:
            self.link.close()

    def _statement(self) -> tuple[str, Mapping[str, object]]:
        kinds = [_kind(line) for line in self._lines]
        values: dict[str, object] = {
            "run": self.run,
            "fence": self._fence,
            "from": self._stored,
            "to": self._stored + len(self._lines),
            "head": self._head,
            "kinds": "\n".join(kinds),  # not as lists: psycopg takes 1 ms to write a list of four lines
            "lines": b"\n".join(self._lines).decode(),
        }
        columns, changes = "", ""
        if _FINISHED in kinds:
            columns = _ENDED
            values |= _ended(self._lines[kinds.index(_FINISHED)])
        if self._results:
            changes = _RESULTS
            values |= {"names": [*self._results], "contents": [*self._results.values()]}
        for number, (sql, own) in enumerate(self._changes):
            changes += ", " + sql.replace("{n}", str(number))
            values |= {f"{name}{number}": value for name, value in own.items()}
        return _APPEND.format(columns=columns, changes=changes), values

    def fenced(self) -> FencedError:
        return FencedError(f"another process has opened run {self.run} since")


def _kind(line: bytes) -> str:
    found = _KIND.search(line)
    return "" if found is None else found[1].decode()


def _ended(line: bytes) -> dict[str, object]:
    event = json.loads(line)
    return {"status": event["status"], "exit_code": event["exit_code"], "seconds": event["t"]}

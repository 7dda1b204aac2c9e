"""The runs of a fleet in PostgreSQL: a `runner.runs.store.RunStore`.

The queue has their locks. A queued run has no events yet.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from runner.fleet import database
from runner.fleet.database import FleetConnection, Link
from runner.fleet.log import FencedLog
from runner.fleet.overview import ALIVE
from runner.fleet.rows import AtOnce, FleetRows, forget
from runner.runs import StoreName
from runner.runs.store import Part, StoreError

_OPEN: Final = """
update runs set fence = fence + 1, state = 'running', worker = %(worker)s, note = null, updated_at = now(),
  server = server()
where id = %(run)s and state in ('queued', 'running', 'parked') returning fence, seq, head
"""
_CREATE: Final = """
insert into runs (id, state, fence, worker) values (%(run)s, 'running', 1, %(worker)s)
on conflict (id) do update set fence = runs.fence + 1, state = 'running', worker = excluded.worker, note = null,
  updated_at = now(), server = server()
where runs.seq = 0 and runs.state in ('queued', 'parked', 'running')
returning fence
"""
_ENDS: Final = """
select line from events where run = %(run)s and (seq = 1 or seq = (select seq from runs where id = %(run)s))
order by seq
"""
_SILENT: Final = """
select extract(epoch from now() - coalesce(max(q.last_heartbeat), r.updated_at))::float8 as seconds
from runs r left join workers w on w.name = r.worker left join procrastinate_workers q on q.id = w.id
where r.id = %(run)s and r.state = 'running' group by r.updated_at
"""
_NOT_BEGUN: Final = """
select id::text, state, note from runs where seq = 0 and (%(name)s = 'last' or id::text like lower(%(name)s) || '%%')
order by id desc limit case when %(name)s = 'last' then 1 else 2 end
"""
_WHY: Final = {
    "refused": "was refused before it began",
    "cancelled": "was cancelled before it began",
    "queued": "has not begun: it is queued",
    "waiting": "has not begun: it is waiting for others",
}
_REMEMBER: Final = """
with added as (insert into history (line) values (%(line)s) returning line)
update meta set history_bytes = history_bytes + (select length(line) + 1 from added) returning history_bytes
"""

_BATCH: Final = 1000
_PRUNE: Final = """
with old as (
  select id from runs
  where (state in ('refused', 'cancelled') or (state = 'ended' and status <> 'unknown' and in_doubt = 0))
    and updated_at < now() - make_interval(secs => %(age)s)
    and not exists (select from needs n join runs w on w.id = n.run where n.needed = runs.id and w.state = 'waiting')
  limit %(batch)s for update skip locked
)
delete from runs using old where runs.id = old.id
"""
_KEPT: Final = 90 * 24 * 3600.0
"""Seconds after which rows of process logs are forgotten: the platform archives finished rows after 30 days [D]."""


def check(dsn: str, *, writes: bool = False) -> None:
    """Raise `SchemaError` for other tables, or where they refuse who `writes`; `StoreError` for no database."""
    with database.connect(dsn) as connection:
        database.check(connection)
        if writes:
            database.check_rights(connection)


class BegunError(StoreError):
    """Somebody else has begun the run meanwhile."""


class FleetStore:
    """The runs in a database; `worker` opens them. Waits `patience` seconds in an outage. `now` replaces its clock."""

    def __init__(
        self,
        dsn: str,
        *,
        worker: str | None = None,
        patience: float = 0.0,
        now: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.name = StoreName(database.shown(dsn), is_fleet=True)
        self._dsn = dsn
        self._worker = worker
        self._patience = patience
        self._now = now
        self.link = self._new_link()
        self._open: dict[str, FencedLog] = {}

    def prepare(self) -> None:
        """Check that the tables are those of this program. Raises `SchemaError`, too."""
        check(self._dsn)

    def close(self) -> None:
        """End all connections. What a log still has to store is not stored."""
        for log in self._open.values():
            log.link.close()
        self.link.close()

    def runs(self, *, since: str = "") -> list[str]:
        begun = "select id from runs where seq > 0 or (fence > 0 and state = 'running') order by id"
        return [name for (run,) in self.link.run(begun) if (name := str(run)) >= since]

    def newest(self) -> Iterator[str]:
        return reversed(self.runs())

    def place(self, run: str, part: Part | None = None) -> str:
        return f"{run} in {self.name}" if part is None else f"{part.value} of {run} in {self.name}"

    def create(self, run: str) -> FencedLog:
        """Raises `BegunError`, too."""
        link, row = self._taken(_CREATE, run)
        if row is None:
            link.close()
            raise BegunError(f"run {run} has begun before")
        return self._opened(FencedLog(link, run, fence=row[0]))

    def reopen(self, run: str) -> FencedLog:
        link, row = self._taken(_OPEN, run)
        if row is None:
            link.close()
            raise self._closed(run)
        return self._opened(FencedLog(link, run, fence=row[0], seq=row[1], head=row[2]))

    def events(self, run: str) -> Iterator[bytes]:
        is_there = False
        for (line,) in self.link.run("select line from events where run = %(run)s order by seq", {"run": run}):
            is_there = True
            yield f"{line}\n".encode()
        if not is_there and not self.link.run("select from runs where id = %(run)s", {"run": run}).rowcount:
            raise self._missing(run)

    def ends(self, run: str) -> list[bytes]:
        return [line.encode() for (line,) in self.link.run(_ENDS, {"run": run})]

    def is_being_written(self, run: str) -> bool:
        found = self.link.run("select state = 'running' from runs where id = %(run)s", {"run": run}).fetchone()
        return found is not None and bool(found[0])

    def seconds_silent(self, run: str) -> float | None:
        row = self.link.run(_SILENT, {"run": run}).fetchone()
        return float(row[0]) if row is not None and row[0] > ALIVE else None

    def is_command_under_way(self, run: str) -> bool:
        del run
        return False

    def not_begun(self, name: str) -> Sequence[tuple[str, str]]:
        return [
            (run, f"{_WHY.get(state, f'is {state}, and has no event yet')}{f': {note}' if note else ''}")
            for run, state, note in self.link.run(_NOT_BEGUN, {"name": name})
        ]

    def get(self, run: str, part: Part) -> bytes:
        if part is Part.EVENTS:
            return b"".join(self.events(run))
        kept = "select kept from runs where id = %(run)s and kept is not null"
        row = self.link.run(kept, {"run": run}).fetchone() if part is Part.PLAN else None
        if row is None:
            raise StoreError(f"{self.place(run, part)} is not there")
        return str(row[0]).encode()

    def pieces(self, run: str, part: Part) -> Iterator[bytes]:
        return iter((self.get(run, part),))

    def results(self, run: str) -> Iterator[tuple[str, bytes]]:
        sql = "select sha256, content from results where run = %(run)s order by sha256"
        return ((name, bytes(content)) for name, content in self.link.run(sql, {"run": run}))

    def prune(self, age: float) -> int:
        """Delete settled runs that ended over `age` seconds ago; how many. Ledger and history know them still."""
        deleted, found = 0, _BATCH
        while found == _BATCH:
            found = self.link.run(_PRUNE, {"age": age, "batch": _BATCH}).rowcount
            deleted += found
        forget(self.link, before=_KEPT)
        return deleted

    def history(self) -> bytes:
        return b"".join(bytes(line) + b"\n" for (line,) in self.link.run("select line from history order by n"))

    def append_history(self, line: bytes) -> int:
        row = self.link.run(_REMEMBER, {"line": line}).fetchone()
        return 0 if row is None else int(row[0])

    def change_history(self, change: Callable[[bytes], bytes]) -> None:
        def done(connection: FleetConnection) -> None:
            with connection.transaction():
                connection.execute("select from meta for update")  # whoever appends waits
                lines = connection.execute("select line from history order by n").fetchall()
                new = change(b"".join(bytes(line) + b"\n" for (line,) in lines))
                connection.execute("delete from history")
                values = {"lines": new.splitlines(), "size": len(new)}
                connection.execute("insert into history (line) select unnest(%(lines)s::bytea[])", values)
                connection.execute("update meta set history_bytes = %(size)s", values)

        self.link.attempt(done)

    def owned_rows(self, run: str, *, site: str, settle: float, is_new: bool = False) -> FleetRows:
        del is_new  # it has an index
        log = self.log_of(run)
        link = self.link if log is None else log.link
        return FleetRows(link, log or AtOnce(link, run), run=run, site=site, settle=settle, now=self._now)

    def log_of(self, run: str) -> FencedLog | None:
        log = self._open.get(run)
        return log if log is not None and log.is_open else None

    def _taken(self, sql: str, run: str) -> tuple[Link, tuple[Any, ...] | None]:
        """A connection of its own for the events of the run, and what `sql`, which takes the run, has given."""
        link = self._new_link()
        try:
            return link, link.run(sql, {"run": run, "worker": self._worker}).fetchone()
        except StoreError:
            link.close()
            raise

    def _opened(self, log: FencedLog) -> FencedLog:
        self._open[log.run] = log
        return log

    def _new_link(self) -> Link:
        return Link(self._dsn, patience=self._patience)

    def _closed(self, run: str) -> StoreError:
        row = self.link.run("select state from runs where id = %(run)s", {"run": run}).fetchone()
        return self._missing(run) if row is None else StoreError(f"run {run} is {row[0]}: it is not to be carried on")

    def _missing(self, run: str) -> StoreError:
        return StoreError(f"there is no run {run} in {self.name}")

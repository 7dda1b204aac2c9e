"""The ledger of a fleet, in its database: a transaction writes a version, its run and the item in the queue.

Each `fleet` has a ledger. After a `NoDatabaseError` nobody knows whether it was written.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from runner.fleet import database
from runner.fleet.database import FleetConnection, Link, NoDatabaseError
from runner.ledger import model
from runner.runs.events import RunStatus
from runner.runs.store import StoreError

_ENTRIES: Final = """
select v.digest, v.job, v."case", v.target, v.url, v.folder, v.key,
  (select count(*) from attempts c where c.fleet = a.fleet and c.digest = a.digest) as attempts,
  a.run::text as run, a.began_at, a.place, a."commit", a.status, a.exit_code, a.ended_at
from attempts a join ledger v on v.fleet = a.fleet and v.digest = a.digest
where a.fleet = %(fleet)s and """
_KNOWN: Final = f"""{_ENTRIES} a.n in (
  select max(n) from attempts where fleet = %(fleet)s and digest = any (%(digests)s) group by digest)"""  # noqa: S608  our own text
_NEWEST: Final = f"""{_ENTRIES} a.n in (
  select max(b.n) from attempts b join ledger w on w.fleet = b.fleet and w.digest = b.digest
  where w.fleet = %(fleet)s and not w.pruned group by w.title)"""  # noqa: S608  likewise
_NEWEST_WITH: Final = _NEWEST.replace("not w.pruned", "w.key is not distinct from %(key)s::text")
_UNSETTLED: Final = f"""{_ENTRIES} (a.status is null or a.status = 'unknown')
  and not exists (select from attempts l where l.fleet = a.fleet and l.digest = a.digest and l.n > a.n) order by a.n"""
_NOT_PASSED: Final = """
with same as (
  select a.* from attempts a join ledger v on v.fleet = a.fleet and v.digest = a.digest
  where v.fleet = %(fleet)s and v.title = %(title)s and v.url = %(url)s and v.key is not distinct from %(key)s::text)
select run::text, status from same where run is not null
  and n > coalesce((select max(n) from same where status = 'passed'), 0) order by n"""
_FREE: Final = """
select c.digest from unnest(%(digests)s::text[], %(titles)s::text[], %(known)s::int[]) c (digest, title, known)
where c.known = (select count(*) from attempts a where a.fleet = %(fleet)s and a.digest = c.digest)
  and not exists (
    select from ledger v join attempts a on a.fleet = v.fleet and a.digest = v.digest
    where v.fleet = %(fleet)s and v.title = c.title and v.digest <> c.digest and a.status is null
      and a.run <> all (%(passing)s::uuid[]))
"""
_VERSION: Final = """
insert into ledger (fleet, digest, job, "case", target, url, folder, key, title)
select %(fleet)s, * from unnest(%(digest)s::text[], %(job)s::text[], %(case)s::text[], %(target)s::text[],
  %(url)s::text[], %(folder)s::text[], %(key)s::text[], %(title)s::text[])
on conflict (fleet, digest) do update set folder = excluded.folder
"""
_RETURNED: Final = "update ledger set pruned = false where fleet = %(fleet)s and title = any (%(title)s) and pruned"
_ATTEMPT: Final = """
insert into attempts (fleet, digest, run, began_at, place, "commit", status, exit_code, ended_at)
select %(fleet)s, a.digest, a.run, a.began_at, a.place, a."commit", a.status, a.exit_code, a.ended_at
from unnest(%(digest)s::text[], %(run)s::uuid[], %(began_at)s::timestamptz[], %(place)s::text[], %(commit)s::text[],
  %(status)s::text[], %(exit_code)s::int[], %(ended_at)s::timestamptz[]) with ordinality
  as a (digest, run, began_at, place, "commit", status, exit_code, ended_at, number) order by number
"""
_END: Final = """
update attempts set status = %(status)s, exit_code = %(exit_code)s, ended_at = %(at)s
where fleet = %(fleet)s and run = %(run)s
"""
_RELEASE: Final = """
with gone as (delete from attempts where fleet = %(fleet)s and run = any (%(runs)s::uuid[]) returning n, digest)
delete from ledger v where v.fleet = %(fleet)s and v.digest in (select digest from gone)
  and not exists (
    select from attempts a where a.fleet = v.fleet and a.digest = v.digest and a.n not in (select n from gone))
"""
_PRUNE: Final = """
update ledger set pruned = true where fleet = %(fleet)s
  and title in (select title from ledger where fleet = %(fleet)s and digest = any (%(digests)s))
"""
_ACKNOWLEDGED: Final = """
update runs set server = server()
where id = (select id from runs where fleet = %(fleet)s and state = 'ended' order by id desc limit 1)
"""


class FleetLedger:
    """The ledger of `fleet` in the database `dsn`, for a single thread. Its tables were checked."""

    def __init__(self, dsn: str, *, fleet: str = "") -> None:
        place = database.shown(dsn)
        self.name = f"`{fleet}` in {place}" if fleet else place
        self.fleet = fleet
        self._link = Link(dsn)

    def exists(self) -> bool:
        ((found,),) = self._read("select exists (select from ledger where fleet = %(fleet)s)")
        return bool(found)

    def may_have_forgotten(self) -> bool:
        """Whether the database was restored, or another server took over, since the last run was put into it."""
        ((found,),) = self._read("select bool_and(server <> server()) from runs where fleet = %(fleet)s")
        return bool(found)

    def prepare(self) -> None:
        """A fleet's tables are made by `fleet migrate` alone."""

    def close(self) -> None:
        self._link.close()

    def find(self, digests: Collection[str]) -> dict[str, model.LedgerEntry]:
        return {entry.version.digest: entry for entry in self._entries(_KNOWN, digests=[*digests])}

    def newest(self) -> list[model.LedgerEntry]:
        return sorted(self._entries(_NEWEST), key=lambda entry: entry.version.title)

    def newest_with(self, key: str | None) -> list[model.LedgerEntry]:
        return self._entries(_NEWEST_WITH, key=key)

    def unsettled(self) -> list[model.LedgerEntry]:
        return self._entries(_UNSETTLED)

    def not_passed(self, version: model.AppliedVersion) -> list[tuple[str, RunStatus | None]]:
        found = self._read(_NOT_PASSED, title=version.title, url=version.url, key=version.key)
        return [(run, None if status is None else RunStatus(status)) for run, status in found]

    @contextmanager
    def alone(self) -> Iterator[FleetConnection]:
        """A transaction, alone with the ledger and the runs of this fleet; calls of this ledger are part of it."""
        with _stored(), (connection := self._link.opened()).transaction():
            connection.execute("select own_fleet(%(fleet)s)", {"fleet": self.fleet})
            yield connection

    @contextmanager
    def begin(self, claims: Sequence[model.VersionClaim], *, passing: Collection[str] = ()) -> Iterator[frozenset[str]]:
        first = {claim.version.title: claim for claim in reversed(claims)}
        with self.alone() as connection:
            values = {
                "fleet": self.fleet,
                "digests": [claim.version.digest for claim in first.values()],
                "titles": [*first],
                "known": [claim.known for claim in first.values()],
                "passing": [*passing],
            }
            free = frozenset(digest for (digest,) in connection.execute(_FREE, values))
            ours = [claim for claim in claims if claim.version.digest in free and first[claim.version.title] is claim]
            self._write(connection, [(claim.version, claim.attempt) for claim in ours])
            yield frozenset(claim.version.digest for claim in ours)

    def end(self, run: str, end: model.AttemptEnd) -> None:
        with self.alone() as connection:
            values = {"status": end.status.value, "exit_code": int(end.exit_code), "at": end.at, "run": run}
            connection.execute(_END, {**values, "fleet": self.fleet})

    def release(self, *runs: str) -> None:
        with self.alone() as connection:
            connection.execute(_RELEASE, {"fleet": self.fleet, "runs": [*runs]})

    def adopt(self, versions: Sequence[model.AppliedVersion], attempt: model.VersionAttempt) -> None:
        """After a restore the person who adopts has looked at the site: what is new from now on may begin."""
        with self.alone() as connection:
            connection.execute(_ACKNOWLEDGED, {"fleet": self.fleet})
            self._write(connection, [(version, attempt) for version in versions])

    def prune(self, digests: Collection[str]) -> None:
        with self.alone() as connection:
            connection.execute(_PRUNE, {"fleet": self.fleet, "digests": [*digests]})

    def _write(
        self, connection: FleetConnection, written: Sequence[tuple[model.AppliedVersion, model.VersionAttempt]]
    ) -> None:
        versions = {version.digest: version for version, _ in written}.values()
        names = (*model.AppliedVersion.__struct_fields__, "title")
        columns = {name: [getattr(version, name) for version in versions] for name in names}
        connection.execute(_VERSION, {**columns, "fleet": self.fleet})
        connection.execute(_RETURNED, {"fleet": self.fleet, "title": columns["title"]})
        rows = [{"digest": version.digest, **attempt.columns} for version, attempt in written]
        if rows:
            values = {name: [row[name] for row in rows] for name in rows[0]}
            connection.execute(_ATTEMPT, {**values, "fleet": self.fleet})

    def _entries(self, sql: str, **values: object) -> list[model.LedgerEntry]:
        with _stored():
            return self._link.records(_entry, sql, {**values, "fleet": self.fleet})

    def _read(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        with _stored():
            return self._link.run(sql, {**values, "fleet": self.fleet}).fetchall()


@contextmanager
def _stored() -> Iterator[None]:
    """What the database refuses, as an error of the ledger; an outage stays what it is."""
    try:
        with database.stored():
            yield
    except NoDatabaseError:
        raise
    except StoreError as error:
        raise model.LedgerError(str(error)) from error


def _entry(**row: object) -> model.LedgerEntry:
    return model.entry_of(
        {name: moment(value) if isinstance(value, datetime) else value for name, value in row.items()}
    )


def moment(at: datetime) -> str:
    """A moment of the database as the ledger has it: UTC, `…Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

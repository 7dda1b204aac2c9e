"""Versions go into the queue of a fleet: ledger, run and item in a transaction.

An outdated version that has not begun is taken back; if it has begun, the next version waits for its end.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from runner.fleet import queue
from runner.fleet.database import Connection
from runner.fleet.queue import NewRun
from runner.ledger.database import FleetLedger
from runner.ledger.model import AppliedVersion, VersionClaim

LATER: Final = "a later version of the job was applied before this began"
GONE: Final = "the job was gone before this began"

_REPLACED: Final = """
select a.run::text
from unnest(%(digests)s::text[], %(titles)s::text[], %(keys)s::text[]) m (digest, title, key)
join ledger v on v.fleet = %(fleet)s and v.title = m.title and v.key is not distinct from m.key
join attempts a on a.fleet = v.fleet and a.digest = v.digest and a.status is null
where v.digest <> all (%(digests)s::text[])
"""
_LAST: Final = """
select digest, (array_agg(run::text order by n desc))[1], (array_agg(status order by n desc))[1] from attempts
where fleet = %(fleet)s and digest = any (%(digests)s::text[]) group by digest
"""
_OLDER: Final = """
select m.digest, a.run::text
from (
  select w.digest, w.title, max(b.n) as n from ledger w
  join attempts b on b.fleet = w.fleet and b.digest = w.digest
  where w.fleet = %(fleet)s and w.digest = any (%(digests)s::text[]) group by w.digest, w.title
) m
join ledger v on v.fleet = %(fleet)s and v.title = m.title and v.digest <> m.digest
join attempts a on a.fleet = v.fleet and a.digest = v.digest and a.n < m.n
  and (a.status is null or a.status = 'unknown')
join runs r on r.id = a.run and not lets_begin(r, true)
"""
_FOLLOW: Final = """
update needs n set needed = m.run
from unnest(%(runs)s::uuid[], %(titles)s::text[], %(keys)s::text[]) m (run, title, key)
join ledger v on v.fleet = %(fleet)s and v.title = m.title and v.key is not distinct from m.key
join attempts a on a.fleet = v.fleet and a.digest = v.digest and a.run <> m.run
where n.needed = a.run and not n.after and exists (select from runs w where w.id = n.run and w.state = 'waiting')
"""


_MET: Final = """
with met as (
  delete from needs n
  using unnest(%(titles)s::text[], %(keys)s::text[]) m (title, key)
  join ledger v on v.fleet = %(fleet)s and v.title = m.title and v.key is not distinct from m.key
  join attempts a on a.fleet = v.fleet and a.digest = v.digest
  where n.needed = a.run and not n.after and exists (select from runs w where w.id = n.run and w.state = 'waiting')
  returning n.run
)
select distinct run::text from met
"""


class QueuedVersion(Struct, frozen=True, kw_only=True):
    """A version to carry out, and the text of its `plan`. `needs` are digests of versions that must have passed."""

    claim: VersionClaim
    plan: str
    lock: str | None
    needs: frozenset[str]


def queue_versions(
    ledger: FleetLedger,
    fresh: Sequence[QueuedVersion],
    *,
    current: Sequence[AppliedVersion],
    waiting: Mapping[str, frozenset[str]],
    passing: Collection[str],
) -> frozenset[str]:
    """Queue new versions within `ledger.alone()`; gives the digests of those that were.

    `current` are all versions of the files. `waiting` has what waiting runs need by now; runs of `passing` may be open.
    """
    withdraw(ledger, replaced_runs(ledger, current), note=LATER)
    with ledger.alone() as connection, ledger.begin([each.claim for each in fresh], passing=passing) as ours:
        chosen = {each.claim.version.digest: each for each in fresh if each.claim.version.digest in ours}
        needs = {digest: each.needs for digest, each in chosen.items()} | dict(waiting)
        last = _last_runs(connection, ledger, {*waiting, *(each for needed in needs.values() for each in needed)})
        older = _older_runs(connection, ledger, needs)
        needed = {digest: _open(found, last) for digest, found in needs.items()}
        queue.put_runs(
            connection,
            [_new_run(each, ledger.fleet, needed[digest], older.get(digest, ())) for digest, each in chosen.items()],
        )
        _follow(connection, ledger, [each.claim for each in chosen.values()])
        known = {str(last[digest][0]): (needed[digest], older.get(digest, ())) for digest in waiting if digest in last}
        queue.let_wait(connection, known)
    return ours


def replaced_runs(ledger: FleetLedger, current: Sequence[AppliedVersion]) -> list[str]:
    """The open runs of versions that the files do not hold any more."""
    values = {"fleet": ledger.fleet, "digests": [version.digest for version in current], **_titles(current)}
    with ledger.alone() as connection:
        return [run for (run,) in connection.execute(_REPLACED, values)]


def withdraw(ledger: FleetLedger, runs: Iterable[str], *, note: str) -> list[str]:
    """Cancel those of the runs that have not begun, and forget their attempts; those runs."""
    with ledger.alone() as connection:
        cancelled = queue.cancel_runs(connection, runs, note=note)
        ledger.release(*cancelled)
    return cancelled


def queue_unblocked(ledger: FleetLedger, adopted: Sequence[AppliedVersion]) -> list[str]:
    """Queue what waited for these versions, or others of their titles and keys, within `ledger.alone()`."""
    values = {"fleet": ledger.fleet, **_titles(adopted)}
    with ledger.alone() as connection:
        waited = [run for (run,) in connection.execute(_MET, values)]
        return queue.queue_ready(connection, waited)


def _titles(versions: Sequence[AppliedVersion]) -> dict[str, list[str] | list[str | None]]:
    return {"titles": [version.title for version in versions], "keys": [version.key for version in versions]}


def _new_run(version: QueuedVersion, fleet: str, needs: tuple[str, ...], after: tuple[str, ...]) -> NewRun:
    about, attempt = version.claim.version, version.claim.attempt
    assert attempt.run is not None
    return NewRun(
        id=attempt.run,
        title=about.title,
        job=about.job,
        target=about.target,
        plan=version.plan,
        fleet=fleet,
        lock=version.lock,
        commit=attempt.commit,
        needs=needs,
        after=after,
    )


def _last_runs(
    connection: Connection, ledger: FleetLedger, digests: Collection[str]
) -> dict[str, tuple[str | None, str | None]]:
    """The run of the last attempt at each version, and how it ended."""
    found = connection.execute(_LAST, {"fleet": ledger.fleet, "digests": [*digests]})
    return {digest: (run, status) for digest, run, status in found}


def _open(needed: Iterable[str], last: Mapping[str, tuple[str | None, str | None]]) -> tuple[str, ...]:
    found = (last[digest] for digest in needed if digest in last)
    return tuple(run for run, status in found if run is not None and status != "passed")


def _older_runs(connection: Connection, ledger: FleetLedger, digests: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The runs of older versions that have to end or be settled first, by version."""
    found: dict[str, tuple[str, ...]] = {}
    for digest, run in connection.execute(_OLDER, {"fleet": ledger.fleet, "digests": [*digests]}):
        found[digest] = (*found.get(digest, ()), run)
    return found


def _follow(connection: Connection, ledger: FleetLedger, claims: Sequence[VersionClaim]) -> None:
    values = {
        "fleet": ledger.fleet,
        "runs": [claim.attempt.run for claim in claims],
        **_titles([claim.version for claim in claims]),
    }
    connection.execute(_FOLLOW, values)

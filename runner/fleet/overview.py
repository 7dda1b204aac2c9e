"""What a fleet does: counts by target, its workers, and the runs that need a person."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from runner.fleet.database import Link

ALIVE: Final = 30.0  # seconds without a heartbeat after which a worker is taken for dead
SILENT: Final = 10.0  # seconds without a heartbeat that are worth a word

_COUNTS: Final = """
select target, case when state = 'ended' then coalesce(status, state) else state end as word, count(*)
from runs where (%(targets)s::text[] is null or target = any (%(targets)s)) group by 1, 2 order by 1, 2
"""
_WORKERS: Final = """
select w.name, w.targets, w.jobs, w.replay, greatest(0, extract(epoch from now() - q.last_heartbeat))::float8 as silent
from workers w join procrastinate_workers q on q.id = w.id order by w.name
"""
_RUNS: Final = """
select id::text, title, target, state, status, exit_code, in_doubt, coalesce(note, 'blocked by ' || blocking) as note,
  worker, seq as events, age as seconds_since_last, case when needs_worker then engine end as needs_version
from (
  select r.*, b.title as blocking, greatest(0, extract(epoch from now() - r.updated_at))::float8 as age,
    r.state in ('queued', 'parked', 'running') and r.replay is not null and not exists (
      select from workers w join procrastinate_workers q on q.id = w.id
      where r.target = any (w.targets) and w.replay = r.replay
        and q.last_heartbeat > now() - make_interval(secs => %(alive)s)) as needs_worker
  from runs r left join blocked b on b.run = r.id
  where (%(targets)s::text[] is null or r.target = any (%(targets)s))
) r where {condition} order by r.id desc limit %(limit)s
"""
_OPEN: Final = """(
  r.state in ('waiting', 'running', 'held', 'refused') or (r.state in ('queued', 'parked') and r.replay is not null)
  or (r.state = 'ended' and (r.status <> 'passed' or r.in_doubt > 0))
) and (r.state <> 'waiting' or r.blocking is not null) and (r.state not in ('queued', 'parked') or r.needs_worker)
and (
  r.state not in ('refused', 'ended') or r.in_doubt > 0 or r.status = 'unknown'
  or not exists (
    select from attempts a join attempts newer on newer.fleet = a.fleet and newer.digest = a.digest and newer.n > a.n
    where a.run = r.id)
)"""
"""A doubt needs a person; a failure does not after a newer attempt. The first condition is that of the index
`runs_listed`, word for word: else it is not used.
"""
_UNSERVED: Final = """
with alive as (
  select w.* from workers w join procrastinate_workers q on q.id = w.id
  where q.last_heartbeat > now() - make_interval(secs => %(alive)s)
), open_runs as (
  select target, replay, count(*) as count from runs
  where state in ('queued', 'parked', 'running') and (%(targets)s::text[] is null or target = any (%(targets)s))
  group by target, replay
)
select r.target, r.replay, r.count, array(
    select distinct e.engine from runs e
    where e.target = r.target and e.replay = r.replay and e.state in ('queued', 'parked', 'running')
      and e.engine is not null order by 1) as engines,
  exists (select from alive w where r.target = any (w.targets)) as has_workers,
  exists (select from alive w where r.target = any (w.targets) and coalesce(r.replay, w.replay) = w.replay)
    as is_suspended
from open_runs r
where not exists (
  select from alive w
  where r.target = any (w.targets) and coalesce(r.replay, w.replay) = w.replay
    and not jsonb_exists(w.suspended, r.target))
order by r.target, r.replay nulls first
"""
_SUSPENDED: Final = """
select s.key as target, s.value ->> 'reason' as reason, min((s.value ->> 'since')::float8) as since,
  bool_or(coalesce((s.value ->> 'waits')::boolean, true)) as waits,
  array_agg(w.name order by w.name) as workers
from workers w join procrastinate_workers q on q.id = w.id cross join jsonb_each(w.suspended) s
where q.last_heartbeat > now() - make_interval(secs => %(alive)s)
  and (%(targets)s::text[] is null or s.key = any (%(targets)s))
group by 1, 2 order by 1, 3
"""

STATEMENTS: Final = {
    "counts": _COUNTS,
    "workers": _WORKERS,
    "runs": _RUNS.format(condition=_OPEN),
    "unserved": _UNSERVED,
    "suspended": _SUSPENDED,
}
"""All that the status asks, by what it gives."""


class FleetWorker(Struct, frozen=True, kw_only=True):
    """`silent` are the seconds since its last heartbeat."""

    name: str
    targets: Sequence[str]
    jobs: int
    replay: int
    silent: float


class FleetRun(Struct, frozen=True, kw_only=True):
    """A run as `status --format json` has it. `needs_version`: no worker of the version that can resume it is alive."""

    id: str
    title: str
    target: str
    state: str
    status: str | None
    exit_code: int | None
    in_doubt: int
    note: str | None
    worker: str | None
    events: int
    seconds_since_last: float
    needs_version: str | None


class UnservedRuns(Struct, frozen=True, kw_only=True):
    """Runs that no living worker takes."""

    target: str
    replay: int | None  # the version that they need, if they have begun
    count: int
    engines: Sequence[str]  # versions of the program that began them
    has_workers: bool  # a worker of the target is alive
    is_suspended: bool  # their site lets no worker in


class SuspendedTarget(Struct, frozen=True, kw_only=True):
    """A target whose site lets these workers not in, `since` a time of the epoch. `waits`: it is not tried now."""

    target: str
    reason: str
    since: float
    waits: bool
    workers: Sequence[str]


class Overview(Struct, frozen=True, kw_only=True):
    """`counts` are by target and word: a state, or how runs ended. `unserved` are queued, and no worker takes them."""

    counts: Mapping[str, Mapping[str, int]]
    workers: Sequence[FleetWorker]
    runs: Sequence[FleetRun]
    unserved: Sequence[UnservedRuns]
    suspended: Sequence[SuspendedTarget]


def overview(link: Link, *, targets: Sequence[str] = (), limit: int = 20) -> Overview:
    values = {"targets": [*targets] or None, "limit": limit, "alive": ALIVE}
    counts: dict[str, dict[str, int]] = {}
    for target, word, count in link.run(STATEMENTS["counts"], values):
        counts.setdefault(target, {})[word] = count
    return Overview(
        counts=counts,
        workers=link.records(FleetWorker, _WORKERS),
        runs=link.records(FleetRun, STATEMENTS["runs"], values),
        unserved=unserved_runs(link, targets=targets),
        suspended=suspended_targets(link, targets=targets),
    )


def unserved_runs(link: Link, *, targets: Sequence[str]) -> Sequence[UnservedRuns]:
    """The runs in the queue that no living worker takes; without `targets` those of all."""
    return link.records(UnservedRuns, _UNSERVED, {"targets": [*targets] or None, "alive": ALIVE})


def suspended_targets(link: Link, *, targets: Sequence[str]) -> Sequence[SuspendedTarget]:
    """The targets whose sites let living workers not in, of these or of all."""
    return link.records(SuspendedTarget, _SUSPENDED, {"targets": [*targets] or None, "alive": ALIVE})


def runs_named(link: Link, name: str) -> Sequence[FleetRun]:
    """The two newest runs whose ids begin with `name`, or the newest for `last`."""
    condition = "true" if name == "last" else "r.id::text like %(name)s"
    limit = 1 if name == "last" else 2
    values = {"targets": None, "limit": limit, "alive": ALIVE, "name": f"{name.lower()}%"}
    return link.records(FleetRun, _RUNS.format(condition=condition), values)

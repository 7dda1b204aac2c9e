"""What a fleet does: counts by target, its workers, and the runs that need a person."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from runner.fleet.link import Link

ALIVE: Final = 30.0
"""Seconds without a heartbeat after which a worker is taken for dead."""
SILENT: Final = 10.0
"""Seconds without a heartbeat that are worth a word."""

_COUNTS: Final = """
select target, case when state = 'ended' then coalesce(status, state) else state end as word, count(*)
from runs where (%(targets)s::text[] is null or target = any (%(targets)s)) group by 1, 2 order by 1, 2
"""
_WORKERS: Final = """
select w.name, w.targets, w.jobs, w.replay, extract(epoch from now() - q.last_heartbeat)::float8
from workers w join procrastinate_workers q on q.id = w.id order by w.name
"""
_RUNS: Final = """
select id::text, title, target, state, status, exit_code, in_doubt, coalesce(note, 'blocked by ' || blocking), worker,
  seq, attempt_seconds, age from (
  select r.*, b.title as blocking, extract(epoch from now() - r.updated_at)::float8 as age,
    extract(epoch from now() - r.created_at)::float8 as attempt_seconds
  from runs r left join blocked b on b.run = r.id
  where {condition} and (%(targets)s::text[] is null or r.target = any (%(targets)s))
) r order by id desc limit %(limit)s
"""
_OPEN: Final = """(
  r.state in ('running', 'held', 'refused') or (r.state = 'waiting' and b.run is not null)
  or (r.state = 'ended' and (r.status <> 'passed' or r.in_doubt > 0))
) and (
  r.state in ('running', 'held', 'waiting') or r.in_doubt > 0 or r.status = 'unknown'
  or not exists (
    select from attempts a join attempts newer on newer.fleet = a.fleet and newer.digest = a.digest and newer.n > a.n
    where a.run = r.id)
)"""
"""What is in doubt needs a person whatever came later; a failed attempt does not where a newer one was made."""
_UNSERVED: Final = """
with alive as (
  select w.* from workers w join procrastinate_workers q on q.id = w.id
  where q.last_heartbeat > now() - make_interval(secs => %(alive)s)
), open_runs as (
  select target, replay, count(*) as count, array_agg(distinct engine) filter (where engine is not null) as engines
  from runs
  where state in ('queued', 'parked', 'running') and (%(targets)s::text[] is null or target = any (%(targets)s))
  group by target, replay
)
select r.target, r.replay, r.count, coalesce(r.engines, '{}'),
  exists (select from alive w where r.target = any (w.targets)),
  exists (select from alive w where r.target = any (w.targets) and coalesce(r.replay, w.replay) = w.replay)
from open_runs r
where not exists (
  select from alive w
  where r.target = any (w.targets) and coalesce(r.replay, w.replay) = w.replay
    and not jsonb_exists(w.suspended, r.target))
order by r.target, r.replay nulls first
"""
_SUSPENDED: Final = """
select s.key, s.value ->> 'reason', min((s.value ->> 'since')::float8), array_agg(w.name order by w.name)
from workers w join procrastinate_workers q on q.id = w.id cross join jsonb_each(w.suspended) s
where q.last_heartbeat > now() - make_interval(secs => %(alive)s)
  and (%(targets)s::text[] is null or s.key = any (%(targets)s))
group by 1, 2 order by 1, 3
"""


class FleetWorker(Struct, frozen=True, kw_only=True):
    """`silent` are the seconds since its last heartbeat."""

    name: str
    targets: tuple[str, ...]
    jobs: int
    replay: int
    silent: float


class FleetRun(Struct, frozen=True, kw_only=True):
    """A run as its row has it. `age` are the seconds since it was written last."""

    id: str
    title: str
    target: str
    state: str
    status: str | None
    exit_code: int | None
    in_doubt: int
    note: str | None
    worker: str | None
    lines: int
    age: float


class UnservedRuns(Struct, frozen=True, kw_only=True):
    """Runs that no living worker takes. Those that have begun need a worker with their `replay` version; `engines` are
    the versions of the program that began them. `has_workers`: some worker of the target is alive, whatever its
    version. `is_suspended`: some worker could take them, but its site lets it not in.
    """

    target: str
    replay: int | None
    count: int
    engines: tuple[str, ...]
    has_workers: bool
    is_suspended: bool


class SuspendedTarget(Struct, frozen=True, kw_only=True):
    """A target whose site lets these workers not in; `since` when, in seconds since the epoch."""

    target: str
    reason: str
    since: float
    workers: tuple[str, ...]


class Overview(Struct, frozen=True, kw_only=True):
    """`counts` are by target and word: a state, or how runs ended. `unserved` are runs in the queue that no living
    worker takes; `suspended` are targets whose sites let living workers not in.
    """

    counts: Mapping[str, Mapping[str, int]]
    workers: Sequence[FleetWorker]
    runs: Sequence[FleetRun]
    unserved: Sequence[UnservedRuns]
    suspended: Sequence[SuspendedTarget]


def overview(link: Link, *, targets: Sequence[str] = (), limit: int = 20) -> Overview:
    values = {"targets": [*targets] or None, "limit": limit, "alive": ALIVE}
    counts: dict[str, dict[str, int]] = {}
    for target, word, count in link.run(_COUNTS, values):
        counts.setdefault(target, {})[word] = count
    workers = [
        FleetWorker(name=name, targets=tuple(served), jobs=jobs, replay=replay, silent=silent)
        for name, served, jobs, replay, silent in link.run(_WORKERS)
    ]
    return Overview(
        counts=counts,
        workers=workers,
        runs=_runs(link, _OPEN, values),
        unserved=unserved_runs(link, targets=targets),
        suspended=suspended_targets(link, targets=targets),
    )


def unserved_runs(link: Link, *, targets: Sequence[str]) -> Sequence[UnservedRuns]:
    """The runs in the queue that no living worker takes; without `targets` those of all."""
    return [
        UnservedRuns(
            target=target,
            replay=replay,
            count=count,
            engines=tuple(engines),
            has_workers=has_workers,
            is_suspended=is_suspended,
        )
        for target, replay, count, engines, has_workers, is_suspended in link.run(
            _UNSERVED, {"targets": [*targets] or None, "alive": ALIVE}
        )
    ]


def suspended_targets(link: Link, *, targets: Sequence[str]) -> Sequence[SuspendedTarget]:
    """Those of these targets, or of all, whose sites let living workers not in."""
    return [
        SuspendedTarget(target=target, reason=reason, since=since, workers=tuple(workers))
        for target, reason, since, workers in link.run(_SUSPENDED, {"targets": [*targets] or None, "alive": ALIVE})
    ]


def runs_named(link: Link, name: str) -> Sequence[FleetRun]:
    """The runs whose ids begin with `name`, the newest first, two at most; of `last` the newest."""
    condition = "true" if name == "last" else "r.id::text like %(name)s"
    limit = 1 if name == "last" else 2
    return _runs(link, condition, {"targets": None, "limit": limit, "name": f"{name.lower()}%"})


def _runs(link: Link, condition: str, values: Mapping[str, object]) -> Sequence[FleetRun]:
    return [
        FleetRun(
            id=run,
            title=title,
            target=target,
            state=state,
            status=status,
            exit_code=exit_code,
            in_doubt=in_doubt,
            note=note,
            worker=worker,
            lines=lines,
            age=age,
        )
        for run, title, target, state, status, exit_code, in_doubt, note, worker, lines, _, age in link.run(
            _RUNS.format(condition=condition), values
        )
    ]

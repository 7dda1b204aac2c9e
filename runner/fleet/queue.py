"""The queue of a fleet, as statements for Procrastinate: an item names a run.

A queue is a target's, and of a run that has begun also its replay version's. A lost queue is made again of the runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from runner.fleet.database import FleetConnection, Link

TASK: Final = "carry"

_RUN: Final = """
select state, seq as lines, target, lock, plan, replay, "commit", server <> server() as may_have_forgotten
from runs where id = %(run)s
"""
_ENQUEUE: Final = """
insert into procrastinate_jobs (queue_name, task_name, lock, args)
select queue_name(target, replay), 'carry', lock, jsonb_build_object('run', id)
from runs where id = any (%(runs)s::uuid[]) order by id
"""
_PUT: Final = """
insert into runs (id, fleet, title, job, target, plan, lock, "commit", state, server)
select each.*, (select server()) from unnest(
  %(ids)s::uuid[], %(fleets)s::text[], %(titles)s::text[], %(jobs)s::text[], %(targets)s::text[], %(plans)b::text[],
  %(locks)s::text[], %(commits)s::text[], %(states)s::text[]) each
"""
_OWN: Final = "select own_fleet(f) from unnest(%(fleets)s::text[]) f group by f order by f"
_NEED: Final = """
insert into needs (run, needed, after)
select * from unnest(%(waiting)s::uuid[], %(needed)s::uuid[], %(after)s::boolean[])
"""
_READY: Final = "select queue_ready(%(runs)s::uuid[])"
_QUEUED: Final = "select title from runs where id = any (%(runs)s::uuid[]) and state = 'queued' order by title"
_REQUEUE: Final = """
with dead as (
  select j.id, r.target, r.replay from procrastinate_jobs j
  left join procrastinate_workers w on w.id = j.worker_id
  left join runs r on r.id = (j.args ->> 'run')::uuid
  where j.status = 'doing' and (w.id is null or w.last_heartbeat < now() - make_interval(secs => %(dead)s))
  for update of j skip locked
)
update procrastinate_jobs j set status = 'todo', worker_id = null, attempts = attempts + 1, scheduled_at = null,
  queue_name = coalesce(queue_name(dead.target, dead.replay), j.queue_name)
from dead where j.id = dead.id returning j.args ->> 'run'
"""
_FORGET: Final = """
with gone as (
  delete from procrastinate_workers w where w.last_heartbeat < now() - make_interval(secs => 10 * %(dead)s)
  returning id
) delete from workers where not exists (select from procrastinate_workers p where p.id = workers.id)
  or id in (select id from gone)
"""
_SWEEP: Final = """
with lost as (
  select r.id from runs r
  where r.state in ('queued', 'running', 'parked') and r.updated_at < now() - make_interval(secs => 2 * %(dead)s)
    and not exists (
      select from procrastinate_jobs j where j.args ->> 'run' = r.id::text and j.status in ('todo', 'doing'))
  for update skip locked
), touched as (update runs set updated_at = now() from lost where runs.id = lost.id returning runs.*)
insert into procrastinate_jobs (queue_name, task_name, lock, args)
select queue_name(target, replay), 'carry', lock, jsonb_build_object('run', id) from touched order by id
returning args ->> 'run'
"""
_UP: Final = "select extract(epoch from now() - pg_postmaster_start_time())::float8"
_REGISTER: Final = """
insert into workers as w (id, name, targets, jobs, replay, suspended)
values (%(id)s, %(name)s, %(targets)s, %(jobs)s, %(replay)s, %(suspended)s::jsonb)
on conflict (id) do update set suspended = excluded.suspended where w.suspended <> excluded.suspended
"""
_QUEUES: Final = """
select t, queue_name(t), queue_name(t, %(replay)s) from unnest(%(targets)s::text[]) t
"""
_WAITING: Final = """
select args ->> 'run' from procrastinate_jobs where status = 'todo' and queue_name = any (%(queues)s) limit 100
"""
_UNHEARD: Final = """
select r.id::text from procrastinate_jobs j
join runs r on r.id = (j.args ->> 'run')::uuid
left join procrastinate_workers w on w.id = j.worker_id
where j.status = 'doing' and r.state in ('queued', 'running', 'parked') and r.target = any (%(targets)s)
  and coalesce(r.replay, %(replay)s) = %(replay)s
  and (w.id is null or w.last_heartbeat < now() - make_interval(secs => %(seconds)s))
order by 1
"""
_CANCEL: Final = """
with cancelled as (
  update runs set state = 'cancelled', note = %(note)s, updated_at = now()
  where id = any (%(runs)s::uuid[]) and state in ('waiting', 'queued', 'parked', 'held') and seq = 0 returning id::text
), dropped as (
  delete from procrastinate_jobs where args ->> 'run' in (select id from cancelled) and status = 'todo'
)
select id from cancelled
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRun:
    """A run before it is opened. `may_have_forgotten`: the database was restored since, or another server took over."""

    state: str
    lines: int
    target: str
    lock: str | None
    plan: str
    replay: int | None
    commit: str | None
    may_have_forgotten: bool

    @property
    def is_open(self) -> bool:
        return self.state in ("queued", "running", "parked")


def queued_run(link: Link, run: str) -> QueuedRun | None:
    return next(iter(link.records(QueuedRun, _RUN, {"run": run})), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run to be queued."""

    id: str
    title: str
    job: str
    target: str
    plan: str  # as `runner.planning.plan.stored` writes it, without secrets
    fleet: str = ""
    lock: str | None = None  # runs with the same lock are carried out in turn
    commit: str | None = None
    needs: tuple[str, ...] = ()  # runs that must have passed
    after: tuple[str, ...] = ()  # runs that must have ended, and not in doubt

    @property
    def waits(self) -> bool:
        return bool(self.needs or self.after)


def put_runs(connection: FleetConnection, runs: Sequence[NewRun]) -> None:
    """Store new runs, and queue those that need not wait, for a caller that has their fleets alone."""
    names = ("id", "fleet", "title", "job", "target", "plan", "lock", "commit")
    columns = {f"{name}s": [getattr(run, name) for run in runs] for name in names}
    columns["states"] = ["waiting" if run.waits else "queued" for run in runs]
    connection.execute(_OWN, columns)
    connection.execute(_PUT, columns)
    connection.execute(_ENQUEUE, {"runs": [run.id for run in runs if not run.waits]})
    let_wait(connection, {run.id: (run.needs, run.after) for run in runs if run.waits})


def let_wait(connection: FleetConnection, runs: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> None:
    """Set what `waiting` runs need and come after; queue those that need not wait. In the caller's transaction."""
    if not runs:
        return
    needs = [(run, each, False) for run, (needed, after) in runs.items() for each in needed]
    needs += [(run, each, True) for run, (_, after) in runs.items() for each in after]
    connection.execute("delete from needs where run = any (%(runs)s::uuid[])", {"runs": [*runs]})
    columns = {
        "waiting": [run for run, _, _ in needs],
        "needed": [needed for _, needed, _ in needs],
        "after": [after for _, _, after in needs],
    }
    connection.execute(_NEED, columns)
    connection.execute(_READY, {"runs": [*runs]})


def queue_ready(connection: FleetConnection, runs: Sequence[str]) -> list[str]:
    """Queue the `waiting` runs that need not wait any more; gives their titles."""
    connection.execute(_READY, {"runs": [*runs]})
    return [title for (title,) in connection.execute(_QUEUED, {"runs": [*runs]})]


def cancel_runs(connection: FleetConnection, runs: Iterable[str], *, note: str) -> list[str]:
    """Cancel, in the caller's transaction, those of the runs that have not begun; those runs."""
    return [run for (run,) in connection.execute(_CANCEL, {"runs": [*runs], "note": note})]


def requeue_of_the_dead(link: Link, *, dead: float) -> list[str]:
    """Give the items of workers without a heartbeat for `dead` seconds to others; the runs."""
    return link.column(_REQUEUE, {"dead": dead})


def forget_workers(link: Link, *, dead: float) -> None:
    link.run(_FORGET, {"dead": dead})


def sweep(link: Link, *, dead: float) -> list[str]:
    """Queue open runs again that have no item; the runs."""
    return link.column(_SWEEP, {"dead": dead})


def seconds_up(link: Link) -> float:
    row = link.run(_UP).fetchone()
    return 0.0 if row is None else float(row[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredWorker:
    """A worker as others know it. `suspended`: targets whose sites let it not in, as JSON."""

    name: str
    targets: Sequence[str]
    jobs: int
    replay: int
    suspended: str = "{}"


def register(link: Link, worker: int, known: RegisteredWorker) -> None:
    """`worker` is the id that the queue gave it."""
    link.run(_REGISTER, {**asdict(known), "targets": [*known.targets], "id": worker})


def queues_of(link: Link, targets: Sequence[str], *, replay: int) -> dict[str, tuple[str, str]]:
    """The queues of each target, for runs that have not begun, and for those that have."""
    rows = link.run(_QUEUES, {"targets": [*targets], "replay": replay})
    return {target: (fresh, begun) for target, fresh, begun in rows}


def waiting(link: Link, queues: Sequence[str]) -> list[str]:
    """The runs that wait in these queues, a hundred at most."""
    return link.column(_WAITING, {"queues": [*queues]})


def unheard(link: Link, targets: Sequence[str], *, replay: int, seconds: float) -> list[str]:
    """Open runs without a heartbeat for `seconds` that this version can resume."""
    return link.column(_UNHEARD, {"targets": [*targets], "replay": replay, "seconds": seconds})


def queue_of(link: Link, target: str, *, replay: int) -> str:
    """The queue of runs against a target that have begun."""
    row = link.run("select queue_name(%(target)s, %(replay)s)", {"target": target, "replay": replay}).fetchone()
    assert row is not None
    return str(row[0])

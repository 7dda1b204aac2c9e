"""What people want of runs, as orders that a worker carries out: it alone has the secrets of the site."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runner.fleet import queue
from runner.fleet.database import FleetConnection, Link
from runner.foundation.values import JsonObject, canonical
from runner.runs.evidence import Person


class OrderKind(StrEnum):
    """What is ordered, in the words of the check of `orders.kind` in `schema.sql`."""

    RESUME = "resume"
    RECONCILE = "reconcile"
    STOP = "stop"


AT_ONCE: Final = (OrderKind.STOP,)
"""What a run that is under way does. Every other order is read when the run is opened."""
_ORDER: Final = """
with found as (
  update runs set state = 'queued', note = null, updated_at = now() where id = %(run)s and state in ('held', 'ended')
  returning id, target, lock, replay
), ordered as (
  insert into orders (run, kind, key, verdict, result, even_though, by, ci_user)
  select id, %(kind)s, %(key)s, %(verdict)s, %(result)s, %(even_though)s, %(by)s, %(ci_user)s from found
)
insert into procrastinate_jobs (queue_name, task_name, lock, args)
select queue_name(target, replay), 'carry', lock, jsonb_build_object('run', id) from found
"""
_OPEN: Final = """
select n, kind, key, verdict, result, even_though, by, ci_user from orders
where run = %(run)s and done_at is null and kind <> all (%(at_once)s) order by n
"""
_SHARE: Final = "select share_fleet(fleet) from runs where id = %(run)s"
_STOPPED: Final = """
select run::text, by, ci_user from orders where kind = %(kind)s and done_at is null and run = any (%(runs)s::uuid[])
order by n desc
"""
_STOPPED_WHILE_WAITING: Final = """
select r.id::text, r.target from runs r join orders o on o.run = r.id
where o.kind = %(kind)s and o.done_at is null and r.state in ('queued', 'parked') and r.target = any (%(targets)s)
"""
_STOP: Final = """
insert into orders (run, kind, by, ci_user)
select id, %(kind)s, %(by)s, %(ci_user)s from runs where id = %(run)s and state in ('queued', 'running', 'parked')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`verdict` of `person` on the row `key`, as `runner.hosts.judgement` has it; without, that the run goes on."""

    number: int
    only_settle: bool
    key: str | None
    verdict: JsonObject
    person: Person


def order(link: Link, run: str, *, kind: OrderKind, verdicts: Mapping[str, JsonObject], by: Person) -> bool:
    """Order `resume` or `reconcile` of a run that is held or has ended, and queue it; whether it was such a run."""
    key, verdict = next(iter(verdicts.items()), (None, JsonObject()))
    values = {
        "run": run,
        "kind": kind,
        "key": key,
        "verdict": verdict.get("as"),
        "result": canonical(verdict["result"]) if "result" in verdict else None,
        "even_though": verdict.get("even_though") is True,
        "by": by.user,
        "ci_user": by.ci_user,
    }
    return link.run(_ORDER, values).rowcount > 0


def open_orders(link: Link, run: str) -> Sequence[Order]:
    """What people want of a run, and nobody has done yet, the oldest first."""
    found = []
    values = {"run": run, "at_once": [*AT_ONCE]}
    for number, kind, key, verdict, result, even_though, by, ci_user in link.run(_OPEN, values):
        whole: JsonObject = {"as": verdict}
        if result is not None:
            whole["result"] = json.loads(result)
        if even_though:
            whole["even_though"] = True
        person = Person(user=by, ci_user=ci_user)
        only_settle = kind == OrderKind.RECONCILE
        found.append(Order(number=number, only_settle=only_settle, key=key, verdict=whole, person=person))
    return found


def cancel(link: Link, run: str, *, by: str) -> bool:
    """Cancel a run that has not begun; whether it was such a run."""

    def do(connection: FleetConnection) -> bool:
        with connection.transaction():
            connection.execute(_SHARE, {"run": run})  # before its row, as all do that change runs of a fleet
            return bool(queue.cancel_runs(connection, [run], note=f"cancelled by {by}"))

    return link.attempt(do)


def stop(link: Link, run: str, *, by: Person) -> bool:
    """Let a run that is under way stop; whether it was such a run."""
    values = {"run": run, "kind": OrderKind.STOP, "by": by.user, "ci_user": by.ci_user}
    return link.run(_STOP, values).rowcount > 0


def to_stop(link: Link, runs: Sequence[str]) -> dict[str, Person]:
    """The runs that somebody wants stopped, with the first such person."""
    found = link.run(_STOPPED, {"runs": [*runs], "kind": OrderKind.STOP}) if runs else ()
    return {run: Person(user=user, ci_user=ci_user) for run, user, ci_user in found}


def stopped_while_waiting(link: Link, targets: Sequence[str]) -> dict[str, str]:
    """The runs at these targets that no worker has and that somebody wants stopped, with their targets."""
    values = {"kind": OrderKind.STOP, "targets": [*targets]}
    return dict(link.run(_STOPPED_WHILE_WAITING, values).fetchall()) if targets else {}

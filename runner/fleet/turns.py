"""What holds across the machines of a fleet: whose turn it is to start a process on a site, and the pace of a site."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from runner.fleet.database import Link
from runner.fleet.log import FencedLog
from runner.fleet.overview import ALIVE
from runner.foundation.site_key import hashed, normalized_url
from runner.hosts.stop import Stop
from runner.hosts.turns import HeldUp, RunLeftError, Turn, Turns
from runner.runs.pending_starts import NEAR
from runner.runs.store import StoreError
from runner.service.gate import Gate

PATIENCE: Final = 3.0
"""Seconds for which a turn is waited for. Then the run is left: the run that has the turn may need just this slot."""
_LOOK: Final = 0.1

_TAKE: Final = """
with idle as (
  select r.id, r.fence, r.seq, r.state from turns t join runs r on r.id = t.run
  where t.site = %(site)s and t.process = %(process)s and t.run <> %(run)s
    and not exists (select from starts s where s.run = t.run and s.ends + %(near)s > epoch())
    and (r.state in ('parked', 'queued') or (
      r.state = 'running' and r.updated_at < now() - make_interval(secs => %(dead)s)
      and not exists (
        select from procrastinate_jobs j where j.args ->> 'run' = r.id::text and j.status = 'doing')))
), fenced as (
  update runs r set fence = r.fence + 1, state = case r.state when 'running' then 'parked' else r.state end
  from idle where r.id = idle.id and r.fence = idle.fence and r.seq = idle.seq and r.state = idle.state
  returning r.id
)
insert into turns as t (site, process, run)
select %(site)s, %(process)s, id from runs where id = %(run)s and fence = %(fence)s and waits_for_no_disk()
on conflict (site, process) do update set run = excluded.run
where t.run = excluded.run
  or not exists (select from runs r where r.id = t.run and r.state in ('running', 'parked', 'queued'))
  or exists (select from fenced where fenced.id = t.run)
"""
"""A run that nobody carries out, and that has no open start, needs no turn: it is fenced."""
_GIVE: Final = """
delete from turns where site = %(site)s and process = %(process)s
  and run = (select id from runs where id = %(run)s and fence = %(fence)s)
"""
_GIVE_WITH_LINE: Final = """given{n} as (
  delete from turns t using mine where t.run = mine.id and t.site = %(site{n})s and t.process = %(process{n})s
)"""
_NEXT: Final = """
with clock as (
  select coalesce(to_timestamp(%(now)s::float8), clock_timestamp()) as now, make_interval(secs => %(gap)s) as gap
)
insert into pace as p (site, next) select %(site)s, now + gap from clock
on conflict (site) do update set next = greatest(p.next, (select now from clock)) + (select gap from clock)
returning next, extract(epoch from next - (select now + gap from clock))::float8
"""
_GIVE_BACK: Final = """
update pace set next = next - make_interval(secs => %(gap)s) where site = %(site)s and next = %(next)s
"""


class FleetTurn(Turn):
    """A run's turn. It outlives its worker, until the run is taken over or its last start can get no row any more.

    It is given back in the transaction of the row's end. `busy`: the run was left since another has the turn.
    """

    def __init__(self, log: FencedLog, *, site: str) -> None:
        super().__init__(Turns())
        self.busy = False
        self._log = log
        self._site = hashed(site)
        found = log.link.run("select process from turns where run = %(run)s", {"run": log.run}).fetchone()
        self._process: str | None = None if found is None else found[0]

    def take(self, process: str, stop: Stop, *, held_up: HeldUp = lambda _: None) -> bool:
        if self._process == process:
            return True
        self.give_back()
        ends, is_held_up = time.monotonic() + PATIENCE, False
        values = {"site": self._site, "process": process, "near": NEAR, "dead": ALIVE}
        while not self._log.change(_TAKE, values):
            if stop.why is not None:
                return False
            if not is_held_up:
                held_up(None)
            is_held_up = True
            self.busy = time.monotonic() > ends
            if self.busy or not stop.goes_on():
                raise RunLeftError
            stop.wait(_LOOK)
        self._process = process
        return True

    def leave(self) -> None:
        """A row that is open keeps the turn of its run."""

    def give_back(self) -> None:
        if self._process is None:
            return
        values = {"site": self._site, "process": self._process}
        if self._log.waits:
            self._log.with_next_line(_GIVE_WITH_LINE, values)
            self._log.commit()
        else:
            self._log.change(_GIVE, values)
        self._process = None


class FleetPace:
    """At most `rate` calls a second to a site, from all machines, evenly spaced: a `runner.service.gate.SitePace`.

    The last turn, given up, goes to the next call. `clock` is this machine's, `now` replaces the server's.
    """

    def __init__(
        self,
        link: Link,
        *,
        url: str,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._link = link
        self._site = normalized_url(url)
        self._gap = 1 / rate
        self._clock = clock
        self._now = now

    def wait_for_turn(self, gate: Gate) -> float:
        began = self._clock()
        values = {"site": self._site, "gap": self._gap}
        ((following, seconds),) = self._link.run(_NEXT, {**values, "now": self._now()})
        at = self._clock() + seconds
        while (left := at - self._clock()) > 0 and gate.is_wanted():
            gate.wait(left)
        if left > 0:
            with suppress(StoreError):
                self._link.run(_GIVE_BACK, {**values, "next": following})
        return self._clock() - began


class DrainedStop(Stop):
    """The stop of a run on a worker: a wait ends, too, when the worker is to give its runs back."""

    def __init__(self, *, grace: float, drained: threading.Event) -> None:
        super().__init__(grace=grace)
        self._drained = drained

    def goes_on(self) -> bool:
        return not self._drained.is_set()

    def wait(self, seconds: float) -> None:
        ends, before = time.monotonic() + seconds, self.why
        while self.goes_on() and self.why == before and not self.is_over():
            left = ends - time.monotonic()
            if left <= 0:
                return
            super().wait(min(left, _LOOK))

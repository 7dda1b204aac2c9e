"""Which rows of process logs belong to which call, of all runs of a fleet: a `runner.runs.store.OwnedRows`.

Only the server's clock matters. A start is stored with the line that says that it is sent.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec.structs import asdict

from runner.fleet.database import Link
from runner.fleet.log import FencedLog
from runner.foundation.site_key import hashed
from runner.runs.pending_starts import AFTER, ASIDE, LATE, MOST, NEAR, NOBODY, SOON, PendingStart, as_pending, settled
from runner.runs.store import SET_ASIDE, FencedError, Others, RowQuery, SentStarts, StoreError

_BEGIN: Final = """begun{n} as (
  insert into starts (run, key, site, process, began, ends)
  select mine.id, %(key{n})s, %(site{n})s, %(process{n})s, t, t + %(seconds{n})s
  from mine, coalesce(%(now{n})s::float8, epoch()) t
)"""
_LAST: Final = "s.n = (select max(l.n) from starts l where l.run = mine.id and l.key = %(key{n})s)"
_ANSWER: Final = f"""answered{{n}} as (
  update starts s set ends = least(s.ends, coalesce(%(now{{n}})s::float8, epoch()) + %(settle{{n}})s)
  from mine where {_LAST}
)"""  # noqa: S608  of constants
_NEVER_BEGAN: Final = f"never_began{{n}} as (delete from starts s using mine where {_LAST})"  # noqa: S608  likewise
_SET_ASIDE: Final = f"""set_aside{{n}} as (
  update starts s set process = '{SET_ASIDE}' || s.process,
    ends = least(s.ends - %(settle{{n}})s, coalesce(%(now{{n}})s::float8, epoch())) - %(aside{{n}})s
  from mine where {_LAST}
)"""  # noqa: S608  likewise
_LEFT: Final = """
update starts set ends = coalesce(%(now)s::float8, epoch()) + %(seconds)s
where n = (select max(n) from starts where run = %(run)s and key = %(key)s)"""
_ASK: Final = """
select taken, rival from ask_rows(
  %(run)s, %(key)s, %(site)s, %(codes)s, %(rows)s, %(keys)s, %(certain)s, %(late)s, coalesce(%(now)s::float8, epoch())
)"""

_PENDING: Final = """
select n, run::text, key, began, ends - %(settle)s, epoch from runner.starts s, coalesce(%(now)s::float8, epoch()) epoch
where site = %(site)s and process = any (%(codes)s) and ends >= epoch - %(near)s
  and began <= epoch - %(before_read)s
  and n < (select max(n) from runner.starts where run = %(run)s and key = %(key)s)"""
_OVER: Final = """
select n, run::text, key, began, ends - %(settle)s from runner.starts
where site = %(site)s and process = any (%(codes)s) and ends < %(epoch)s - %(near)s and ends >= %(since)s + %(settle)s
limit %(most)s"""
_FREE: Final = """
select id from unnest(%(ids)s::text[]) id where not exists (select from runner.log_rows r where r.id = id.id)"""
_SETTLED: Final = """
with settled as (delete from runner.starts where n = any (%(numbers)s))
insert into runner.log_rows (id, run, key, at)
select id, run, key, at from unnest(%(ids)s::text[], %(runs)s::uuid[], %(keys)s::text[]) as given (id, run, key),
  coalesce(%(now)s::float8, epoch()) at
on conflict do nothing"""

_SHARED: Final = "select id from runner.log_rows where id = any (%(rows)s) and run = %(nobody)s"
"""Rows of nobody certain: they may be of a call that is to be made again."""
_DISOWNED: Final = "delete from runner.log_rows where id = any (%(rows)s) and run = %(nobody)s"


class FleetRows:
    """The rows as a run sees them. `changes` stores a change with its next line. `now` replaces the server's clock."""

    def __init__(
        self,
        link: Link,
        changes: "FencedLog | AtOnce",
        *,
        run: str,
        site: str,
        settle: float,
        now: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._link = link
        self._changes = changes
        self._run = run
        self._site = hashed(site)
        self._settle = settle + AFTER  # as long as a row may be of a start, a later start is its rival
        self._now = now
        self._begun: dict[str, tuple[float, float]] = {}

    def begin(self, key: str, process: str, *, seconds: float, is_read: bool = True) -> None:
        del is_read  # each is stored with a line that is written in any case
        ends = seconds + self._settle
        values = {"key": key, "site": self._site, "process": process, "seconds": ends, "now": self._now()}
        self._changes.with_next_line(_BEGIN, values, due=True)
        self._begun[key] = (self._moment(), ends)

    def leave(self, key: str) -> None:
        begun, seconds = self._begun[key]
        while (now := self._moment()) - begun >= SOON:
            self._begin_anew(key, now, seconds)
            begun = now

    def time_out(self, key: str) -> None:
        begun, seconds = self._begun[key]
        if (now := self._moment()) - begun >= seconds - self._settle + SOON:
            self._begin_anew(key, now, seconds)

    def _begin_anew(self, key: str, now: float, seconds: float) -> None:
        self._link.run(_LEFT, {"run": self._run, "key": key, "seconds": seconds, "now": self._now()})
        self._begun[key] = (now, seconds)

    def _moment(self) -> float:
        """This machine's time, which also passes while it sleeps."""
        return self._now() or time.time()

    def answer(self, key: str) -> None:
        self._changes.with_next_line(_ANSWER, {"key": key, "settle": self._settle, "now": self._now()})

    def queue(self, key: str) -> None:
        self._begin_anew(key, self._moment(), LATE + self._settle)

    def never_began(self, key: str, *, is_certain: bool = True) -> None:
        values: dict[str, object] = {"now": self._now(), "settle": self._settle, "aside": ASIDE}
        change, values = (_NEVER_BEGAN, {}) if is_certain else (_SET_ASIDE, values)
        self._changes.with_next_line(change, {"key": key, **values})

    def sent(self) -> SentStarts:
        """The only copy of a run's events has them all."""
        return SentStarts()

    def flush(self) -> None:
        """The next line is that of the answer."""

    def ask(self, query: RowQuery) -> Others:
        values = {
            **{name: list(value) if isinstance(value, tuple) else value for name, value in asdict(query).items()},
            "run": self._run,
            "site": self._site,
            "late": NEAR + query.slack if query.timed else LATE,
            "now": self._now(),
        }
        try:
            row = self._link.run(_ASK, values).fetchone()
            if row is not None and row[1] and query.before and self._settle_others(values, dict(query.before)):
                row = self._link.run(_ASK, values).fetchone()
            if row is not None and row[0] and query.certain and self._disown(row[0]):
                row = self._link.run(_ASK, values).fetchone()
            if row is None:
                return Others()
            shared = self._link.run(_SHARED, {"rows": row[0], "nobody": NOBODY}).fetchall() if row[0] else []
        except FencedError:
            raise
        except StoreError:
            return Others(rival=not query.certain)
        of_nobody = tuple(each for each in row[0] if (each,) in shared)
        if query.keys is None:
            return Others(taken=tuple(each for each in row[0] if each not in of_nobody), rival=row[1])
        return Others(taken=tuple(row[0]), of_nobody=of_nobody, rival=row[1])

    def _disown(self, rows: Sequence[str]) -> bool:
        """What is of nobody certain is of the call that is certain of it; whether any of the rows is so."""
        return self._link.run(_DISOWNED, {"rows": list(rows), "nobody": NOBODY}).rowcount > 0

    def _settle_others(self, asked: Mapping[str, object], before: Mapping[str, float]) -> bool:
        """Forget starts whose row is in `before`; whether there were any. Later starts stay."""
        values: dict[str, object] = {**asked, "settle": self._settle, "near": NEAR}
        rows = self._link.run(_PENDING, values).fetchall()
        if not rows:
            return False
        now = float(rows[0][5])
        pending = [as_pending(row[:5]) for row in rows]
        free = self._link.run(_FREE, {"ids": [*before]}).fetchall()

        def over(since: float) -> list[PendingStart]:
            found = self._link.run(_OVER, {**values, "epoch": now, "since": since, "most": MOST}).fetchall()
            return [as_pending(row) for row in found]

        found = settled(pending, {row_id: now - before[row_id] for (row_id,) in free}, over=over, now=now)
        values |= {"numbers": [start.number for start in found.values()], "ids": [*found]}
        values |= {"runs": [start.run for start in found.values()], "keys": [start.key for start in found.values()]}
        if found:
            self._link.run(_SETTLED, values)
        return bool(found)


class AtOnce:
    """Stores changes of a run that nobody has open: each by itself."""

    def __init__(self, link: Link, run: str) -> None:
        self._link = link
        self._run = run

    def with_next_line(self, sql: str, values: dict[str, object], *, due: bool = False) -> None:
        del due
        statement = f"with mine as (select %(run)s::uuid as id), {sql.replace('{n}', '0')} select"
        own = {f"{name}0": value for name, value in values.items()}
        self._link.run(statement, {**own, "run": self._run})


def forget(link: Link, *, before: float) -> None:
    """Forget rows and starts of before so many seconds ago."""
    with suppress(StoreError):
        link.run("delete from log_rows where at < epoch() - %(before)s", {"before": before})
        link.run("delete from starts where ends < epoch() - %(before)s", {"before": before})

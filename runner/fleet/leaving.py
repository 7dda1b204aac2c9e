"""How a worker leaves a run: over, or parked and put back into the queue for whoever has time.

Its row says so, in a statement that only the process does which has the run.
"""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from procrastinate import retry
from procrastinate.jobs import Job

from runner.fleet.database import Link
from runner.fleet.log import FencedLog
from runner.fleet.orders import AT_ONCE
from runner.version import REPLAY, VERSION

_BEGIN: Final = """
update runs set kept = %(kept)s, engine = %(engine)s, replay = %(replay)s, url = %(url)s
where id = %(run)s and fence = %(fence)s
"""
_LEAVE: Final = """
with mine as (
  update runs set state = %(state)s, note = %(note)s, in_doubt = %(in_doubt)s, worker = null, updated_at = now(),
    status = coalesce(%(status)s, status), exit_code = coalesce(%(exit_code)s, exit_code),
    seconds = coalesce(%(seconds)s, seconds)
  where id = %(run)s and fence = %(fence)s returning id
), done as (
  update orders o set done_at = now() from mine
  where o.run = mine.id and o.done_at is null
    and (o.n = any (%(orders)s) or (o.kind = any (%(at_once)s) and %(state)s <> 'parked'))
)
select count(*) from mine
"""
_COMPLETE: Final = """
with ended as (
  update runs set in_doubt = %(in_doubt)s where id = %(run)s and state = 'ended' and seq = %(lines)s returning id
)
update orders o set done_at = now() from ended where o.run = ended.id and o.done_at is null
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """`status`, `exit_code` and `seconds` are those of a run that has ended. `orders` were carried out."""

    state: str
    note: str | None = None
    in_doubt: int = 0
    status: str | None = None
    exit_code: int | None = None
    seconds: float | None = None
    orders: Sequence[int] = ()


def begin(log: FencedLog, *, kept: str, url: str) -> None:
    """Store with the run what is needed to resume it. Raises `FencedError`."""
    if not log.change(_BEGIN, {"kept": kept, "engine": VERSION, "replay": REPLAY, "url": url}):
        raise log.fenced()


def leave(log: FencedLog, how: Leaving) -> None:
    """Say how the run is left. Raises `FencedError`."""
    row = log.query(_LEAVE, {**asdict(how), "orders": [*how.orders], "at_once": [*AT_ONCE]})
    if row is None or row[0] != 1:
        raise log.fenced()


def complete(link: Link, run: str, *, in_doubt: int, lines: int) -> None:
    """Say of a run that has ended, with so many lines, what its worker was killed before."""
    link.run(_COMPLETE, {"run": run, "in_doubt": in_doubt, "lines": lines})


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How a run was left. `parked`: it is carried on later, by whoever has time, `seconds` from now at the earliest."""

    state: str
    queue: str | None = None
    seconds: float = 0.0


class ParkedError(Exception):
    """Hands a run back to the queue."""

    def __init__(self, left: Left) -> None:
        super().__init__(left.state)
        self.left = left


class Later(retry.BaseRetryStrategy):
    """Puts a run that was parked back into the queue, a little later each: of several none is first for ever."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> retry.RetryDecision | None:
        del job
        if not isinstance(exception, ParkedError):
            return None
        milliseconds = int(exception.left.seconds * 1000) + random.randrange(1000)  # noqa: S311  guards nothing
        return retry.RetryDecision(retry_in={"milliseconds": milliseconds}, queue=exception.left.queue)

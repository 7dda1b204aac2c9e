"""Old runs of a fleet are deleted: those that nobody has to settle any more."""

from typing import Final

from runner.fleet import rows
from runner.fleet.link import Link

_BATCH: Final = 1000
_DELETE: Final = """
with old as (
  select id from runs
  where (state in ('refused', 'cancelled') or (state = 'ended' and status <> 'unknown' and in_doubt = 0))
    and updated_at < now() - make_interval(secs => %(age)s)
    and not exists (select from needs n join runs w on w.id = n.run where n.needed = runs.id and w.state = 'waiting')
  limit %(batch)s for update skip locked
)
delete from runs using old where runs.id = old.id
"""
KEPT: Final = 90 * 24 * 3600.0
"""Seconds after which rows of process logs are forgotten: the platform archives finished rows after 30 days [D]."""


def prune(link: Link, age: float) -> int:
    """Delete runs that ended more than `age` seconds ago; how many. The ledger and the history know them still."""
    deleted, found = 0, _BATCH
    while found == _BATCH:
        found = link.run(_DELETE, {"age": age, "batch": _BATCH}).rowcount
        deleted += found
    rows.forget(link, before=KEPT)
    return deleted

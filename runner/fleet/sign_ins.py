"""Sign-ins of all workers with the same credentials, spaced after a refusal: by a minute, by two, and so on.

Only a byte of a hash of the password is stored, so that a corrected password is tried at once, but for every 256th.
"""

import time
from typing import Final

from msgspec.structs import replace

from runner.fleet.database import Link
from runner.foundation.durations import format_duration
from runner.foundation.site_key import account_key, hashed
from runner.reports.safe import clean
from runner.runs.events import Trouble
from runner.service import outages
from runner.service.access import OwnSignIns, is_refusal
from runner.service.auth import Credentials
from runner.service.calls import CallFailed, FailureKind
from runner.service.gate import Deadline
from runner.service.site import Site

FIRST_PAUSE: Final = 60.0
"""Seconds after a refusal in which nobody tries again; twice as many after each that follows."""
LONGEST_PAUSE: Final = 900.0
_LOOK: Final = 0.2
_MARGIN: Final = 5.0  # seconds after the time of a sign-in after which the worker that tried it is taken for dead

_BEGIN: Final = """
insert into sign_ins as s (site, credentials, worker, busy_until)
values (%(site)s, %(credentials)s, %(worker)s, clock_timestamp() + make_interval(secs => %(seconds)s))
on conflict (site, credentials) do update set worker = excluded.worker, busy_until = excluded.busy_until
  where s.next <= clock_timestamp() and coalesce(s.busy_until, '-infinity') <= clock_timestamp()
"""
_SEEN: Final = """
select worker, extract(epoch from next - clock_timestamp())::float8 from sign_ins
where site = %(site)s and credentials = %(credentials)s
"""
_PASSED: Final = "delete from sign_ins where site = %(site)s and credentials = %(credentials)s"
_REFUSED: Final = """
update sign_ins set refusals = refusals + 1, busy_until = null,
  next = clock_timestamp() + make_interval(secs => least(%(longest)s, %(first)s * power(2, refusals)))
where site = %(site)s and credentials = %(credentials)s
"""
_UNDECIDED: Final = """
with kept as (
  update sign_ins set busy_until = null, next = clock_timestamp() + make_interval(secs => %(first)s)
  where site = %(site)s and credentials = %(credentials)s and refusals > 0
)
delete from sign_ins where site = %(site)s and credentials = %(credentials)s and refusals = 0
"""


class FleetSignIns:
    """A `runner.service.access.SignIns`. `worker` is who signs in here."""

    def __init__(self, link: Link, *, site: Site, credentials: Credentials, worker: str) -> None:
        self._link = link
        self._place = site.name
        self._worker = worker
        self._refusal: CallFailed | None = None
        self._unclear = OwnSignIns()
        key = account_key(site.url, credentials.account)
        self._names = {
            "site": hashed(key),
            "credentials": hashed("\n".join((key, credentials.kind.name, *credentials.texts)))[:2],
        }

    def begin(self, deadline: Deadline) -> CallFailed | None:
        """Waits while another worker tries, since what it learns counts here, too."""
        if (unclear := self._unclear.begin(deadline)) is not None:
            return unclear
        values = {**self._names, "worker": self._worker, "seconds": deadline.seconds + _MARGIN}
        ends = time.monotonic() + deadline.seconds
        while self._link.run(_BEGIN, values).rowcount == 0:
            row = self._link.run(_SEEN, self._names).fetchone()
            if row is not None and row[1] > 0:
                return self._barred(worker=row[0], seconds=row[1])
            if not deadline.gate.is_wanted():
                return outages.not_wanted(self._place)
            if time.monotonic() > ends:
                return outages.no_time_left(self._place, deadline.seconds)
            time.sleep(_LOOK)
        return None

    def end(self, failure: CallFailed | None) -> None:
        self._refusal = failure
        self._unclear.end(None if failure is not None and is_refusal(failure) else failure)
        if failure is None:
            self._link.run(_PASSED, self._names)
        elif is_refusal(failure):
            self._link.run(_REFUSED, {**self._names, "first": FIRST_PAUSE, "longest": LONGEST_PAUSE})
        else:
            self._link.run(_UNDECIDED, {**self._names, "first": FIRST_PAUSE})

    def forget(self) -> None:
        """Nobody forgets for others what was refused."""

    def _barred(self, *, worker: str, seconds: float) -> CallFailed:
        if worker == self._worker and self._refusal is not None:
            return replace(self._refusal, retry_after=seconds, status=None)
        message = f"{self._place} refused the sign-in of worker {clean(worker)} with the same credentials"
        later = format_duration(seconds)
        hint = f"correct `auth` of the target and start the worker again; else it is tried again in {later}"
        trouble = Trouble(code="E303", message=message, hint=hint)
        return CallFailed(
            kind=FailureKind.NOT_SENT, trouble=trouble, retry_after=seconds, final=True, no_session=message
        )

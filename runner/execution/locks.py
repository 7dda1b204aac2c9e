"""The locks that the runs of a command hold (`concurrency`), and what is reported of a lock that another run has."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from msgspec import Struct, field

from runner.execution.run_spec import RunSpec
from runner.foundation.durations import format_duration
from runner.foundation.problems import Problem, RefusedError
from runner.foundation.shell_words import shell_words
from runner.project.sites import Sites
from runner.reports.safe import clean, moment
from runner.runs.events import Waited, WaitsFor
from runner.runs.evidence import LockHolder
from runner.runs.journal import utc_now
from runner.runs.store import Claim, Holder, LocalRunStore, Lock, StoreError, Taken
from runner.targets.model import SandboxTarget


def claim_of(spec: RunSpec, sites: Sites) -> Claim | None:
    """The lock that a run needs at its site, which is made ready. A sandbox is known by its folder: ports change."""
    name, target, url = spec.job.concurrency, spec.target, sites.of(spec.target).name.url
    place = str(target.folder.resolve()) if isinstance(target, SandboxTarget) else url
    return None if name is None else Claim(name=name, site=place)


class HeldLock(Struct):
    """A lock of this command, and how long it has waited for it, as long as no run has that in its events."""

    lock: Lock
    waited: tuple[Waited, ...] = ()


def lock_holder(title: str, *, run: str = "") -> Holder:
    """This command, for a run that is going to need a lock, or that has begun."""
    command = shell_words(["runner", *sys.argv[1:]])
    return Holder(pid=os.getpid(), run=run, job=title, since=utc_now(), command=command)


@contextmanager
def hold_locks(
    claims: Mapping[Claim, str],
    store: LocalRunStore,
    *,
    wait: float | None,
    pause: Callable[[float], bool],
    say: Callable[[str], None],
) -> Iterator[Mapping[Claim, HeldLock]]:
    """Hold all locks of a command; `claims` has the title of a run for each. Raises `RefusedError` for a taken lock.

    `wait` is how long to wait for each, None: not at all; `pause` waits for some seconds, and gives False to end that.
    """

    def lock(claim: Claim, myself: Holder) -> HeldLock:
        found = store.lock(claim, myself, wait=pause)
        waited: tuple[Waited, ...] = ()
        if isinstance(found, Taken) and wait is not None:
            say(f"waiting up to {format_duration(wait)}: {_held_by(claim, found.holder)}")
            begun, before = time.monotonic(), found.holder
            found = store.lock(claim, myself, seconds=wait, wait=pause)
            holder = None if before is None else LockHolder(job=before.job, run=before.run or None)
            waited = (_waited(claim, time.monotonic() - begun, holder),)
        if isinstance(found, Taken):
            raise RefusedError(_refusal(claim, found.holder, waited=wait))
        return HeldLock(found, waited)

    held: dict[Claim, HeldLock] = {}
    with ExitStack() as locks:
        for claim in sorted(claims, key=lambda claim: (claim.site_key, claim.name)):
            try:
                held[claim] = lock(claim, lock_holder(claims[claim]))
            except StoreError as error:
                raise RefusedError(_none(claim, str(error))) from error
            locks.callback(held[claim].lock.release)
        yield held


class LockWaits(Struct):
    """Since when runs of a command wait for locks of others of its runs, by who waits; `titles` names runs."""

    since: dict[int, tuple[float, str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def hold_up(self, waiting: int, *, holder: str) -> None:
        """Somebody could begin but for the lock of the run `holder`."""
        self.since.setdefault(waiting, (time.monotonic(), holder))

    def begin(self, run: str, *, title: str) -> LockHolder:
        """The run has begun. Gives its name to whoever waits for it."""
        self.titles[run] = title
        return LockHolder(job=title, run=run)

    def ended(self, waiting: int, lock: Claim) -> tuple[Waited, ...]:
        """The wait that is over as an event; nothing where there was none."""
        if waiting not in self.since:
            return ()
        since, holder = self.since.pop(waiting)
        return (_waited(lock, time.monotonic() - since, LockHolder(job=self.titles[holder], run=holder)),)


def _waited(lock: Claim, seconds: float, holder: LockHolder | None) -> Waited:
    return Waited(
        key="",
        t=0.0,
        what=WaitsFor.LOCK,
        seconds=round(seconds, 3),
        name=lock.name,
        held_by=holder,
    )


def _held_by(claim: Claim, holder: Holder | None) -> str:
    who = "another run"
    if holder is not None:
        who = f"`{clean(holder.job)}` (process {holder.pid}) since {moment(holder.since)} UTC"
    return f"lock `{clean(claim.name)}` of {clean(claim.site)} is held by {who}"


def _refusal(claim: Claim, holder: Holder | None, *, waited: float | None) -> Problem:
    typed = f"; it was started as: {clean(holder.command)}" if holder is not None else ""
    longer = "`--wait-lock 10m` waits for it" if waited is None else f"{format_duration(waited)} were not enough"
    return Problem(code="E163", message=_held_by(claim, holder), hint=f"nothing was sent; {longer}{typed}")


def _none(claim: Claim, why: str) -> Problem:
    message = f"lock `{clean(claim.name)}` cannot be taken, so that nothing would keep another run away: {clean(why)}"
    return Problem(code="E163", message=message, hint="nothing was sent; locks lie in $XDG_STATE_HOME/creatio-runner")

"""The locks that the runs of a command hold (`concurrency`), and what is reported of a lock that another run has."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from runner.foundation.durations import written
from runner.foundation.problems import Problem, RefusedError
from runner.job.model import Job
from runner.project.sites import ReadySite
from runner.reports.safe import clean, moment
from runner.runs.events import Waited
from runner.runs.evidence import LockHolder
from runner.runs.journal import utc_now
from runner.runs.lock_waits import waited_for
from runner.runs.store import Claim, Holder, LocalRunStore, Lock, StoreError, Taken
from runner.targets.model import SandboxTarget, Target


def claim_of(job: Job, target: Target, site: ReadySite) -> Claim | None:
    """The lock that a run of the job needs. A sandbox is known by its folder: its URL is another each time."""
    if job.concurrency is None:
        return None
    place = str(target.folder.resolve()) if isinstance(target, SandboxTarget) else site.name.url
    return Claim(name=job.concurrency, site=place)


class HeldLock(Struct):
    """A lock of this command, and how long it has waited for it, as long as no run has that in its events."""

    lock: Lock
    waited: tuple[Waited, ...] = ()


def lock_holder(title: str, *, run: str = "") -> Holder:
    """This command, for a run that is going to need a lock, or that has begun."""
    command = shlex.join(["runner", *sys.argv[1:]])
    return Holder(pid=os.getpid(), run=run, job=title, since=utc_now(), command=command)


class RunLocks(Struct, frozen=True, kw_only=True):
    """The locks of one command. `wait` is how long a taken lock is waited for, None not at all; `pause` waits for some
    seconds and gives False where nothing is to be waited for any more; `say` prints what is waited for.
    """

    store: LocalRunStore
    wait: float | None
    pause: Callable[[float], bool]
    say: Callable[[str], None]

    @contextmanager
    def held(self, claims: Mapping[Claim, str]) -> Iterator[Mapping[Claim, HeldLock]]:
        """Hold all locks, each for a run whose title `claims` gives. Raises `RefusedError` where one cannot be had."""
        held: dict[Claim, HeldLock] = {}
        with ExitStack() as locks:
            for claim in sorted(claims, key=lambda claim: (claim.site_key, claim.name)):
                try:
                    held[claim] = self._lock(claim, lock_holder(claims[claim]))
                except StoreError as error:
                    raise RefusedError(_none(claim, str(error))) from error
                locks.callback(held[claim].lock.release)
            yield held

    def _lock(self, claim: Claim, myself: Holder) -> HeldLock:
        """Take a lock, at once or after waiting; a line says what is waited for."""
        found, wait = self.store.lock(claim, myself, wait=self.pause), self.wait
        waited: tuple[Waited, ...] = ()
        if isinstance(found, Taken) and wait is not None:
            self.say(f"waiting up to {written(wait)}: {_held_by(claim, found.holder)}")
            begun, before = time.monotonic(), found.holder
            found = self.store.lock(claim, myself, seconds=wait, wait=self.pause)
            holder = None if before is None else LockHolder(job=before.job, run=before.run or None)
            waited = (waited_for(claim, time.monotonic() - begun, holder),)
        if isinstance(found, Taken):
            raise RefusedError(_refusal(claim, found.holder, waited=wait))
        return HeldLock(found, waited)


def _held_by(claim: Claim, holder: Holder | None) -> str:
    who = "another run"
    if holder is not None:
        who = f"`{clean(holder.job)}` (process {holder.pid}) since {moment(holder.since)} UTC"
    return f"lock `{clean(claim.name)}` of {clean(claim.site)} is held by {who}"


def _refusal(claim: Claim, holder: Holder | None, *, waited: float | None) -> Problem:
    typed = f"; it was started as: {clean(holder.command)}" if holder is not None else ""
    longer = "`--wait-lock 10m` waits for it" if waited is None else f"{written(waited)} were not enough"
    return Problem(code="E163", message=_held_by(claim, holder), hint=f"nothing was sent; {longer}{typed}")


def _none(claim: Claim, why: str) -> Problem:
    message = f"lock `{clean(claim.name)}` cannot be taken, so that nothing would keep another run away: {clean(why)}"
    return Problem(code="E163", message=message, hint="nothing was sent; locks lie in $XDG_STATE_HOME/creatio-runner")

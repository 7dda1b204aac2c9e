"""The locks that the jobs of a command name (`concurrency`): all taken before anything begins, released at its end.

A lock that is taken is reported with its run, its process and since when, so that a person can look at it or wait.
"""

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from runner.cli import output
from runner.foundation.durations import written
from runner.foundation.problems import Problem, RefusedError
from runner.job.model import Job
from runner.project.sites import ReadySite
from runner.reports.safe import clean
from runner.runs.journal import utc_now
from runner.runs.store import Claim, Holder, Lock, RunStore, StoreError, Taken
from runner.targets.model import SandboxTarget, Target


def claim_of(job: Job, target: Target, site: ReadySite) -> Claim | None:
    """The lock that a run of the job needs. A sandbox is known by its folder: its URL is another one each time."""
    if job.concurrency is None:
        return None
    place = str(target.folder.resolve()) if isinstance(target, SandboxTarget) else site.name.url
    return Claim(name=job.concurrency, site=place)


@contextmanager
def held(
    store: RunStore, claims: Mapping[Claim, str], *, wait: float | None, pause: Callable[[float], bool]
) -> Iterator[None]:
    """Hold all locks, each for a run whose title `claims` gives.

    `wait` is how long a taken lock is waited for, None not at all; `pause` waits for some seconds and gives False
    where nothing is to be waited for any more. Raises `RefusedError` where a lock cannot be had.
    """
    command = shlex.join(["runner", *sys.argv[1:]])
    with ExitStack() as locks:
        for claim in sorted(claims, key=lambda claim: (claim.site, claim.name)):
            myself = Holder(pid=os.getpid(), run="", job=claims[claim], since=utc_now(), command=command)
            try:
                lock = _lock(claim, myself, store, wait=wait, pause=pause)
            except StoreError as error:
                raise RefusedError(_none(claim, str(error))) from error
            locks.callback(lock.release)
        yield


def _lock(claim: Claim, myself: Holder, store: RunStore, *, wait: float | None, pause: Callable[[float], bool]) -> Lock:
    """Take a lock, at once or after waiting; that there is something to wait for is said."""
    found = store.lock(claim, myself, wait=pause)
    if isinstance(found, Taken) and wait is not None:
        output.say(f"waiting up to {written(wait)}: {_held_by(claim, found.holder)}")
        found = store.lock(claim, myself, seconds=wait, wait=pause)
    if isinstance(found, Taken):
        raise RefusedError(_refusal(claim, found.holder, waited=wait))
    return found


def _held_by(claim: Claim, holder: Holder | None) -> str:
    who = "another run"
    if holder is not None:
        since = clean(holder.since).replace("T", " ").partition(".")[0].removesuffix("Z")
        who = f"`{clean(holder.job)}` (process {holder.pid}) since {since} UTC"
    return f"lock `{clean(claim.name)}` of {clean(claim.site)} is held by {who}"


def _refusal(claim: Claim, holder: Holder | None, *, waited: float | None) -> Problem:
    typed = f"; it was started as: {clean(holder.command)}" if holder is not None else ""
    longer = "`--wait-lock 10m` waits for it" if waited is None else f"{written(waited)} were not enough"
    return Problem(code="E163", message=_held_by(claim, holder), hint=f"nothing was sent; {longer}{typed}")


def _none(claim: Claim, why: str) -> Problem:
    message = f"lock `{clean(claim.name)}` cannot be taken, so that nothing would keep another run away: {clean(why)}"
    return Problem(code="E163", message=message, hint="nothing was sent; locks lie in $XDG_STATE_HOME/creatio-runner")

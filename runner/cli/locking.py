"""The locks that the jobs of a command name (`concurrency`): all taken before anything begins, given back at its end.

Who has a lock is told with its run, its process and since when, so that a person can look at it or wait for it.
"""

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from runner.cli import output
from runner.foundation.durations import written
from runner.foundation.problems import Problem, RefusedError
from runner.job.model import Job
from runner.project.sites import ReadySite
from runner.reports.safe import clean
from runner.runs.journal import utc_now
from runner.runs.locks import Claim, Holder, Lock, NoLocks, Taken, hold, locks_folder
from runner.targets.model import SandboxTarget, Target


def claim_of(job: Job, target: Target, site: ReadySite) -> Claim | None:
    """The lock that a run of the job needs. A sandbox is known by its folder: its URL is another one each time."""
    if job.concurrency is None:
        return None
    place = str(target.folder.resolve()) if isinstance(target, SandboxTarget) else site.name.url
    return Claim(name=job.concurrency, site=place)


@contextmanager
def held(claims: Mapping[Claim, str], *, wait: float | None, pause: Callable[[float], bool]) -> Iterator[None]:
    """Hold all locks, each for the sake of a run that `claims` gives the title of.

    `wait` is how long one that is taken is waited for, None not at all; `pause` waits for some seconds and gives False
    where nothing is to be waited for any more. Raises `RefusedError` where a lock cannot be had.
    """
    with ExitStack() as all_of_them:
        for claim in sorted(claims, key=lambda claim: (claim.site, claim.name)):
            lock = _taken(claim, _myself(claims[claim]), wait=wait, pause=pause)
            all_of_them.callback(lock.release)
        yield


def _taken(claim: Claim, myself: Holder, *, wait: float | None, pause: Callable[[float], bool]) -> Lock:
    """Take a lock, at once or after waiting; that there is something to wait for is told."""
    folder = locks_folder(os.environ, home=Path.home())
    found = hold(claim, myself, folder=folder, wait=pause)
    if isinstance(found, Taken) and wait is not None:
        output.say(f"waiting up to {written(wait)}: {_held_by(claim, found.holder)}")
        found = hold(claim, myself, folder=folder, seconds=wait, wait=pause)
    match found:
        case Lock():
            return found
        case Taken(holder=holder):
            raise RefusedError(_refusal(claim, holder, waited=wait))
        case NoLocks(why=why):
            raise RefusedError(_none(claim, why))


def _myself(title: str) -> Holder:
    return Holder(pid=os.getpid(), run="", job=title, since=utc_now(), command=shlex.join(["runner", *sys.argv[1:]]))


def _held_by(claim: Claim, holder: Holder | None) -> str:
    if holder is None:
        return f"lock `{clean(claim.name)}` of {clean(claim.site)} is held by another run"
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

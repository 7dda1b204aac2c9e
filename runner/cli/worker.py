"""`runner worker`: carries out the runs of a fleet."""

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
import uuid_utils

from runner.cli import options
from runner.cli.verb import Verb
from runner.fleet.database import Link
from runner.fleet.sign_ins import FleetSignIns
from runner.fleet.suspended import SuspendedTargets
from runner.fleet.turns import FleetPace
from runner.foundation.problems import Problem, UsageError
from runner.project.named_targets import KnownTarget, chosen, is_outside, targets_of
from runner.project.project import Project
from runner.project.sites import Sites
from runner.service.auth import Credentials
from runner.service.site import Site
from runner.targets.model import SiteTarget
from runner.terminal import output
from runner.version import REPLAY

if TYPE_CHECKING:
    from runner.fleet.worker import FleetWorkerLoop


@click.command("worker", cls=Verb)
@options.targets(
    "Take runs against this target only; several times: against each. Else against all of the targets file."
)
@options.TARGETS
@options.JOBS
@options.grace("The time for calls in flight after a signal.")
@options.option("--once", is_flag=True, help="End when the queue is empty.")
@options.HOLD
@options.option("--alive", metavar="FILE", help="Touch this file each second while the database answers, for probes.")
@options.DSN
def worker(context: click.Context) -> int:
    r"""Carry out the runs of a fleet, N at once, until a signal comes. Start it on as many machines as you like: each
    run is carried out by one of them at a time, and is taken over where its worker dies.

    \b
    Examples:
      runner worker -t staging -j 4 --targets specs/targets.yaml
      runner worker --once

    `runner apply SPEC --db URL` queues runs. The targets file and the secrets of the sites are this machine's own; the
    database has none of them. After a signal no call begins, those in flight are answered within the grace, and the
    runs go back into the queue.

    Where a site refuses the sign-in or cannot be reached, its target is suspended here: a run that has changed nothing
    goes back into the queue, for other workers or for later. Credentials that were refused are tried again after a
    minute at the earliest, then ever more rarely, by one worker of all; a site that is away, or answers 5xx, within a
    minute. `runner status` says why and since when.

    Exit 2 where a target cannot be made ready, as without its credentials, or the user may not write to the database
    or is not let in; no run is taken then.

    Exit 0 after a signal, 75 where others have taken over its runs (start it again), 3 without a database for 60 s, or
    with --once where runs of a silent worker could not be taken over, or of a suspended target are left.
    """
    options.check_fleet_library()
    from runner.fleet.worker import PATIENCE  # noqa: PLC0415  250 ms, and may not be installed

    given = context.params
    known = _served(given["target"], given["targets"])
    link, name = (
        Link(given["dsn"], patience=PATIENCE),
        f"{socket.gethostname()}:{os.getpid()}:{uuid_utils.uuid4()!s:.6}",
    )

    def pace(site: Site) -> FleetPace | None:
        return None if site.calls.rate is None else FleetPace(link, url=site.url, rate=site.calls.rate)

    def sign_ins(site: Site, credentials: Credentials) -> FleetSignIns:
        return FleetSignIns(link, site=site, credentials=credentials, worker=name)

    with Sites(serve=_no_sandbox, pace=pace, sign_ins=sign_ins) as sites:
        _check(known, sites)
        code = _loop(context, name, known, sites).work()
    link.close()
    os._exit(code)  # a call in flight that outlasted the grace is not waited for


def _loop(context: click.Context, name: str, known: dict[str, KnownTarget], sites: Sites) -> "FleetWorkerLoop":
    from runner.execution.fleet_run import FleetRuns  # noqa: PLC0415  as above
    from runner.fleet.worker import FleetWorkerLoop  # noqa: PLC0415  as above

    given = context.params
    suspended = SuspendedTargets(output.say)
    runs = FleetRuns(
        dsn=given["dsn"],
        worker=name,
        sites=sites,
        targets=next((entry.file for entry in known.values() if entry.file is not None), None),
        grace=given["grace"],
        say=output.say,
        suspended=suspended,
        hold=given["hold"],
    )
    return FleetWorkerLoop(
        dsn=given["dsn"],
        name=name,
        targets=[*known],
        replay=REPLAY,
        jobs=given["jobs"],
        grace=given["grace"],
        runs=runs,
        say=output.say,
        suspended=suspended,
        once=given["once"],
        alive=given["alive"],
    )


def _served(names: tuple[str, ...], file: Path | None) -> dict[str, KnownTarget]:
    """The sites that are named, or all of the targets file. Raises `UsageError`."""
    known = targets_of((), file, Project())
    hint = "go to the folder of targets.yaml, or name it with `--targets FILE`"
    if names:
        unknown = [] if any(entry.file for entry in known.values()) else [name for name in names if name not in known]
        if any(not is_outside(name) for name in unknown):
            raise UsageError(Problem(code="E141", message="there is no targets.yaml here", hint=hint))
        return chosen(names, (), file)
    sites = {name: entry for name, entry in known.items() if isinstance(entry.target, SiteTarget)}
    if not sites:
        raise UsageError(Problem(code="E140", message="there is no site here that a worker could serve", hint=hint))
    return sites


def _check(known: dict[str, KnownTarget], sites: Sites) -> None:
    """Raise `UsageError` where a target cannot be made ready: this worker would refuse each of its runs."""
    problems: list[Problem] = []
    for entry in known.values():
        try:
            sites.of(entry.target)
        except UsageError as error:
            problems += error.problems
    if problems:
        raise UsageError(*problems)


def _no_sandbox(folder: Path) -> NoReturn:
    del folder
    hint = "`runner run` carries out jobs against a sandbox"
    raise UsageError(Problem(code="E141", message="a fleet has no sandbox: each worker would have its own", hint=hint))

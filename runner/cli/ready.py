"""`runner ready`: waits until a site is ready, as after a deployment, and says what it saw. It starts no process."""

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from runner.cli import options, output
from runner.cli.catalogues import used_by
from runner.cli.known_targets import named, only, targets_of
from runner.cli.serving import sandbox
from runner.cli.site_waits import AS_WRITTEN, Asked, SiteWaits
from runner.cli.until_ready import SiteWait, until_ready
from runner.cli.verb import Verb
from runner.foundation.problems import STOPPED, ExitCode
from runner.hosts.stop import Stop, listening
from runner.project.project import Project
from runner.project.sites import Sites
from runner.reading.files import read_text
from runner.reports.safe import clean
from runner.targets.model import SandboxTarget, SiteTarget, Target


@click.command("ready", cls=Verb)
@click.argument("specs", nargs=-1, metavar="[SPEC…]", type=options.FilledPath(), callback=options.expanded)
@options.option(
    "-t",
    "--target",
    "target",
    multiple=True,
    type=options.Filled(),
    metavar="NAME",
    help="Wait for this one; several times: for each, side by side.",
)
@options.TARGETS
@options.FOR
@options.option(
    "--every",
    metavar="DURATION",
    type=options.Duration(),
    help="Read a site that answers again after this long, not after what the target says, or 5s.",
)
@options.option(
    "--catalog",
    "catalogue",
    metavar="FILE",
    type=options.NamedFile("the catalogue is a file, as `runner catalog build` writes it", folders=True),
    help="Wait until the site has what this file says, or a folder of packages: versions, which of them is active, "
    "parameters.",
)
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Wait until a site is ready. It is when two authenticated readings, one pause apart, gave rows; and with a
    catalogue, when its processes are as that says: those that the jobs in SPEC start, all of them without SPEC. Refused
    connections, errors, the sign-in page are waited through. After two refused sign-ins it ends. No process is started.

    Without a catalogue a site that has not begun to restart is ready: only the catalogue tells the new from the old.

    \b
    Examples:
      runner ready -t staging
      runner ready -t staging --for 15m --catalog git.catalog.yaml specs

    Exit 0, 2 for a mistake in a file or on the command line, 3 where the site was not ready in time, 129, 130, 143
    where a signal ended it.
    """
    given = context.params
    project = Project()
    known = targets_of(given["specs"], given["targets"], project)
    names = tuple(dict.fromkeys(given["target"])) or only(known)
    targets = [named(name, known, project).target for name in names]
    codes = _processes(given["specs"])
    asked = Asked(longest=given["longest"] or AS_WRITTEN, every=given["every"], catalogue=given["catalogue"])
    with Sites(serve=sandbox, environment=os.environ, read_file=read_text) as sites:
        waits = SiteWaits(sites=sites, asked=asked)
        waiting = [waits.of(target, codes=codes) for target in _sites(targets)]
        return _wait(context, waiting)


def _processes(specs: Sequence[Path]) -> frozenset[str] | None:
    return frozenset(use.process for use in used_by(specs) if use.process) if specs else None


def _sites(targets: Sequence[Target]) -> Iterator[SiteTarget]:
    for target in targets:
        if isinstance(target, SandboxTarget):
            output.say(f"{clean(target.name)} is ready: it is a sandbox")
        else:
            yield target


def _wait(context: click.Context, waiting: Sequence[SiteWait]) -> ExitCode:
    """Wait for all of them; the command's code."""
    stop = Stop(grace=0)
    context.with_resource(listening(stop, threading.Event(), heard=_hear))
    context.with_resource(output.in_background(hurry=lambda: stop.why is not None))
    if until_ready(waiting)(stop):
        return ExitCode.PASSED
    return STOPPED[stop.why] if stop.why is not None else ExitCode.NO_ANSWER


def _hear(name: str) -> None:
    """Inside of a signal's handler."""
    apart = "\n" if output.is_terminal("stderr") else ""
    output.say_lines(f"{apart}{name}: the wait ends here\n")

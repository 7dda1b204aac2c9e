"""`runner doctor`: goes the way to a site step by step, a line for each, and says where it ends and what to try.

It starts no process. What it finds out on the way stands in `runner.doctor`.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from runner.cli import options, output
from runner.cli.known_targets import named, only, targets_of
from runner.cli.serving import sandbox
from runner.cli.verb import Verb
from runner.doctor.findings import Finding, Verdict, failed, ok
from runner.doctor.way import Way, untrodden, walk
from runner.foundation.problems import ExitCode, Problem, UsageError, strongest
from runner.project.project import Project
from runner.project.sites import Sites
from runner.reading.files import read_text
from runner.reports.safe import clean
from runner.secrets.redact import Secrets
from runner.service.caller import SessionCaller
from runner.service.connecting import trusting
from runner.service.site import ExecuteMethod, Runtime
from runner.targets.model import SandboxTarget, SiteTarget, Target
from runner.targets.resolve import read_authorities, resolve

FILE = "targets file"
TARGET = "target"


@click.command("doctor", cls=Verb)
@click.argument("specs", nargs=-1, metavar="[SPEC…]", type=click.Path(path_type=Path))
@options.option("-t", "--target", "target", multiple=True, metavar="NAME", help="Go to this one; several times: each.")
@options.TARGETS
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Go the way to a target step by step, and say where it ends: its variables, the host's name, a connection, TLS
    and its certificate, the sign-in, `runtime`, the right to run processes, the process log, the clocks.
    No process is started.

    The targets file is that of SPEC, else the nearest from the current folder up.

    \b
    Examples:
      runner doctor -t staging
      runner doctor -t staging specs

    Exit 0, 2 where the target itself has a mistake, 3 where a step failed.
    """
    given = context.params
    project = Project()
    known = targets_of(given["specs"], given["targets"], project)
    names = tuple(dict.fromkeys(given["target"])) or only(known)
    chosen = {name: named(name, known, project) for name in names}
    codes: list[ExitCode] = []
    with Sites(serve=sandbox, environment=os.environ, read_file=read_text) as sites:
        for name, known_target in chosen.items():
            output.data(f"doctor {clean(name)}\n")
            secrets = Secrets()
            findings = _examined(known_target.target, known_target.where, sites, secrets)
            codes.append(_code(_told(findings, secrets)))
    return ExitCode.INVALID if ExitCode.INVALID in codes else strongest(codes)


def _examined(target: Target, file: str, sites: Sites, secrets: Secrets) -> Iterator[Finding]:
    """Each finding as soon as it is made; `secrets` are told what none of them may show."""
    yield ok(FILE, file)
    try:
        ready = sites.of(target)
        ready.hide_in(secrets)
        way = Way(
            url=ready.name.url,
            caller=ready.client,
            runtime=target.runtime,
            at_other=partial(_at_other_runtime, target, sites, secrets),
            tls=None,
            signs_in="the user of the sandbox",
        )
        if isinstance(target, SiteTarget):
            way = _way(target, way, sites)
    except UsageError as error:
        for problem in error.problems:
            yield failed(TARGET, problem.message, problem.hint)
        yield from untrodden()
        return
    what = f"the sandbox {target.folder}" if isinstance(target, SandboxTarget) else f"{target.runtime}"
    yield ok(TARGET, f"{way.url}, {what}")
    yield from walk(way)


def _way(target: SiteTarget, way: Way, sites: Sites) -> Way:
    """The way to a site as its target says. Raises `UsageError` where something that it needs is missing."""
    ready = resolve(target, environment=sites.environment, read_file=sites.read_file)
    if isinstance(ready, tuple):
        raise UsageError(*ready)
    authorities = read_authorities(ready, sites.read_file)
    if isinstance(authorities, Problem):
        raise UsageError(authorities)
    by_get = ready.execute_method is ExecuteMethod.GET
    tls = partial(trusting, authorities)
    return replace(
        way,
        tls=tls,
        proxy=ready.proxy,
        signs_in=None if ready.auth is None else ready.auth.kind.described,
        by_get=by_get,
    )


def _at_other_runtime(target: Target, sites: Sites, secrets: Secrets) -> SessionCaller:
    """The same site with a sign-in of its own, called where the other runtime has its services."""
    other = Runtime.NET if target.runtime is Runtime.NET_FRAMEWORK else Runtime.NET_FRAMEWORK
    ready = sites.of(replace(target, runtime=other))
    ready.hide_in(secrets)
    return ready.client


def _told(findings: Iterator[Finding], secrets: Secrets) -> list[Finding]:
    """Print each finding as soon as it is made."""
    told = []
    for finding in findings:
        output.data(f"  {finding.verdict:9}  {finding.step:15}  {clean(secrets.mask(finding.told))}\n")
        if finding.hint is not None:
            output.data(f"{'try':>29}: {clean(secrets.mask(finding.hint))}\n")
        told.append(finding)
    return told


def _code(findings: Sequence[Finding]) -> ExitCode:
    wrong = {finding.step for finding in findings if finding.verdict is Verdict.FAILED}
    if TARGET in wrong:
        return ExitCode.INVALID
    return ExitCode.NO_ANSWER if wrong else ExitCode.PASSED

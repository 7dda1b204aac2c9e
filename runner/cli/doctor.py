"""`runner doctor`: checks the way to a site step by step, a line for each, and says where it ends and what to try.

It starts no process. What it finds out on the way is the business of `runner.doctor`.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from runner.cli import options, output
from runner.cli.sandbox import serve_sandbox
from runner.cli.verb import Verb
from runner.doctor.findings import Verdict, WayFinding, failed, ok
from runner.doctor.way import Way, untrodden, walk
from runner.foundation.problems import ExitCode, UsageError, strongest
from runner.project.named_targets import KnownTarget, chosen
from runner.project.sites import ReadySite, Sites
from runner.reading.files import read_text
from runner.reports.safe import clean
from runner.secrets.redact import Secrets
from runner.service.caller import SessionCaller
from runner.service.connecting import trusting
from runner.service.site import ExecuteMethod, Runtime
from runner.targets.model import SandboxTarget, Target

FILE = "targets file"
TARGET = "target"


@click.command("doctor", cls=Verb)
@click.argument("specs", nargs=-1, metavar="[SPEC…]", type=click.Path(path_type=Path))
@options.option(
    "-t", "--target", "target", multiple=True, metavar="NAME", help="Check this target; several times: each."
)
@options.TARGETS
@click.pass_context
def doctor(context: click.Context, /, **_: object) -> int:
    r"""Check the way to a target step by step, and say where it ends: its variables, the host's name, a connection,
    TLS and its certificate, the sign-in, `runtime`, the right to run processes, the process log, the clocks.
    No process is started.

    The targets file is that of SPEC, else the nearest from the current folder up.

    \b
    Examples:
      runner doctor -t staging
      runner doctor -t staging specs

    Exit 0, 2 where the target itself has a mistake, 3 where a step failed.
    """
    given = context.params
    known = chosen(given["target"], given["specs"], given["targets"])
    with Sites(serve=serve_sandbox, environment=os.environ, read_file=read_text) as sites:
        codes = [_examine(name, target, sites) for name, target in known.items()]
    return ExitCode.INVALID if ExitCode.INVALID in codes else strongest(codes)


def _examine(name: str, known: KnownTarget, sites: Sites) -> ExitCode:
    """Print each finding as soon as it is made."""
    output.data(f"doctor {clean(name)}\n")
    secrets, failures = Secrets(), set()
    for finding in _findings(known, sites, secrets):
        output.data(f"  {finding.verdict:9}  {finding.step:15}  {clean(secrets.mask(finding.seen))}\n")
        if finding.hint is not None:
            output.data(f"{'try':>29}: {clean(secrets.mask(finding.hint))}\n")
        if finding.verdict is Verdict.FAILED:
            failures.add(finding.step)
    if TARGET in failures:
        return ExitCode.INVALID
    return ExitCode.NO_ANSWER if failures else ExitCode.PASSED


def _findings(known: KnownTarget, sites: Sites, secrets: Secrets) -> Iterator[WayFinding]:
    """`secrets` learns what no finding may show."""
    yield ok(FILE, known.where)
    target = known.target
    try:
        ready = sites.of(target)
        ready.hide_in(secrets)
    except UsageError as error:
        for problem in error.problems:
            yield failed(TARGET, problem.message, problem.hint)
        yield from untrodden()
        return
    what = f"the sandbox {target.folder}" if isinstance(target, SandboxTarget) else f"{target.runtime}"
    yield ok(TARGET, f"{ready.site.url}, {what}")
    yield from walk(_way(ready, target, sites, secrets))


def _way(ready: ReadySite, target: Target, sites: Sites, secrets: Secrets) -> Way:
    site, credentials, is_sandbox = ready.site, ready.credentials, ready.name.sandbox
    signs_in = None if credentials is None else credentials.kind.described
    return Way(
        url=site.url,
        caller=ready.client,
        runtime=target.runtime,
        at_other=partial(_at_other_runtime, target, sites, secrets),
        tls=None if is_sandbox else partial(trusting, site.authorities),
        proxy=site.proxy,
        signs_in="the user of the sandbox" if is_sandbox else signs_in,
        by_get=not is_sandbox and site.execute_method is ExecuteMethod.GET,
    )


def _at_other_runtime(target: Target, sites: Sites, secrets: Secrets) -> SessionCaller:
    """The same site with a sign-in of its own, called where the other runtime has its services."""
    other = Runtime.NET if target.runtime is Runtime.NET_FRAMEWORK else Runtime.NET_FRAMEWORK
    ready = sites.of(replace(target, runtime=other))
    ready.hide_in(secrets)
    return ready.client

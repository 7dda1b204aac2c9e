"""`runner run`: carries jobs out, tells how it goes, writes the reports."""

import os
import sys
import threading

import click

from runner import runs
from runner.cli import options, permission, reports
from runner.cli.asking import answer_of
from runner.cli.carrying import Carried, Manner, carry_all
from runner.cli.inputs import read_text
from runner.cli.permission import Permission
from runner.cli.prepared import Preparation, wanted
from runner.cli.preparing import prepare
from runner.cli.serving import sandbox
from runner.cli.telling import Telling
from runner.hosts.signals import listening
from runner.hosts.stop import Stop
from runner.problems import STOPPED, ExitCode, UsageError, strongest
from runner.report import console, mistakes
from runner.sites import Sites

GRACE = 30.0
"""Seconds that `finally` has after a signal."""


@click.command("run", short_help="Carry jobs out and report what happened.")
@options.SPECS
@options.TARGET
@options.TARGETS
@options.INPUTS
@options.INPUTS_FILE
@options.TAGS
@options.KEYWORD
@options.JOBS
@options.FAIL_FAST
@options.LAST_FAILED
@options.YES
@options.CONFIRM
@options.option("--allow-empty", is_flag=True, help="Nothing selected is fine: exit 0, not 5.")
@options.RUNS
@options.option("-q", "--quiet", is_flag=True, help="Tell only what did not pass, and the end.")
@options.option("-v", "--verbose", is_flag=True, help="Tell every call, attempt and reading, too.")
@options.reports
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Carry out every job in SPEC: job files, or folders that hold them (*.job.yaml); or plans that `plan --out` kept.

    \b
    Examples:
      runner run specs
      runner run specs/contact-smoke.job.yaml -t staging -i phone="+1 202 555 0100"
      runner run specs --tags "smoke and not slow" --report-junit junit.xml
      runner run specs -t staging -t production --confirm production -x
      runner run release.plan.json

    \b
    Exit codes:
      0  everything selected passed
      1  an expectation or a process failed
      2  a mistake in a file or on the command line; nothing was sent
      3  no usable answer: cannot connect, cannot sign in, nonsense
      4  an outcome is unknown: it may or may not have happened
      5  nothing was selected, so nothing ran
      6  refused by a guard: a protected target, `allow`, a question that nobody can answer; nothing was sent
      70 a fault of this program · 130, 143 interrupted, terminated
    """
    wishes = reports.wishes(context)
    reports.check_places(wishes)
    allowed = permission.given(context)
    preparation = prepare(wanted(context))
    click.echo(mistakes.text(preparation.warnings), nl=False, err=True)
    click.echo("".join(f"{line}\n" for line in preparation.told), nl=False, err=True)
    if not preparation.runs:
        return _nothing(preparation, wishes, accepted=context.params["allow_empty"])
    permission.check(preparation.runs, allowed)
    telling = Telling(
        out=sys.stderr if wishes.takes_stdout else sys.stdout,
        quiet=context.params["quiet"],
        verbose=context.params["verbose"],
        side_by_side=min(context.params["jobs"], len(preparation.runs)) > 1,
    )
    carried, code = _carry_out(context, preparation, allowed, telling)
    results = [run.result for run in carried.runs]
    if len(preparation.runs) > 1:
        telling.say(console.closing(results, encoding=telling.out.encoding or "utf-8"))
    try:
        reports.write(wishes, results, [run.journal.lines for run in carried.runs])
    except UsageError as error:  # found out too late for exit 2, which says that nothing was sent
        click.echo(mistakes.text(error.problems), nl=False, err=True)
        return strongest([code, ExitCode.NO_ANSWER])
    return code


def _carry_out(
    context: click.Context, preparation: Preparation, allowed: Permission, telling: Telling
) -> tuple[Carried, ExitCode]:
    """Make every site ready, then carry the runs out; what did not begin is told."""
    given = context.params
    stop, given_up = Stop(grace=GRACE), threading.Event()
    manner = Manner(
        root=given["runs"],
        stop=stop,
        given_up=given_up,
        ask=lambda question, stop: True if allowed.yes else answer_of(question, stop),
        started=telling.started,
        ended=telling.ended,
        jobs=given["jobs"],
        fail_fast=given["fail_fast"],
    )
    with Sites(serve=sandbox, environment=os.environ, read_file=read_text) as sites:
        for prepared in preparation.runs:
            sites.of(prepared.target)
        runs.prepare(manner.root)
        with listening(stop, given_up, told=_tell_of_signal):
            carried = carry_all(preparation.runs, sites, manner)
        telling.close()
    return carried, _code(carried, stop, given_up=given_up.is_set())


def _tell_of_signal(name: str) -> None:
    """Said from a signal handler, so past the buffers that it may have interrupted."""
    text = f"{name}: no further step begins; `finally` has {GRACE:.0f} s, and a second Ctrl-C ends it at once\n"
    os.write(sys.stderr.fileno(), text.encode())


def _code(carried: Carried, stop: Stop, *, given_up: bool) -> ExitCode:
    """The command's code: of what ran, of a run that could not begin, of a signal that let others not begin or end."""
    codes = [run.result.exit_code for run in carried.runs]
    if carried.trouble is not None:
        click.echo(mistakes.text(carried.trouble.problems), nl=False, err=True)
        codes.append(ExitCode.NO_ANSWER)
    if carried.left_out:
        click.echo(f"not begun: {', '.join(prepared.title for prepared in carried.left_out)}", err=True)
    if stop.why is not None and (carried.left_out or given_up):
        codes.append(STOPPED[stop.why])
    return strongest(codes)


def _nothing(preparation: Preparation, wishes: reports.Wishes, *, accepted: bool) -> ExitCode:
    click.echo(f"{preparation.nothing}, so nothing ran", err=True)
    reports.write(wishes, [], [])
    return ExitCode.PASSED if accepted else ExitCode.NOTHING_SELECTED

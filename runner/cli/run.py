"""`runner run`: carries jobs out, tells how it goes, writes the reports."""

import importlib
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

import click

from runner import runs
from runner.cli import options, reports
from runner.cli.carrying import Run, begin, carry
from runner.cli.inputs import read_text
from runner.cli.preparing import prepare, wanted
from runner.events import Line
from runner.hosts.signals import listening
from runner.hosts.stop import Stop
from runner.journal import JournalError
from runner.problems import ExitCode, Problem, Severity, strongest
from runner.report import console, junit, mistakes
from runner.report.sentences import Wish
from runner.sites import Sites

GRACE = 30.0
"""Seconds that `finally` has after a signal."""


class Teller(Protocol):
    """Whoever tells a run to a person, event by event."""

    def event(self, line: Line) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How much is told of a run, and where."""

    out: TextIO
    quiet: bool
    verbose: bool

    def teller(self, folder: Path) -> Teller:
        wish = Wish(quiet=self.quiet, verbose=self.verbose, folder=str(folder))
        if not console.is_live(self.out, os.environ):
            return console.Plain(self.out, wish)
        # rich is imported for a terminal alone: it costs a third of the start-up of a small run
        live: Teller = importlib.import_module("runner.report.console_live").Live(self.out, wish)
        return live


@click.command("run", short_help="Carry jobs out and report what happened.")
@options.SPECS
@options.TARGET
@options.TARGETS
@options.INPUTS
@options.INPUTS_FILE
@options.TAGS
@options.KEYWORD
@options.option("--allow-empty", is_flag=True, help="Nothing selected is fine: exit 0, not 5.")
@options.RUNS
@options.option("-q", "--quiet", is_flag=True, help="Tell only what did not pass, and the end.")
@options.option("-v", "--verbose", is_flag=True, help="Tell every call, attempt and reading, too.")
@options.reports
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Carry out every job in SPEC: job files, or folders that hold them (*.job.yaml).

    \b
    Examples:
      runner run specs
      runner run specs/contact-smoke.job.yaml -t staging -i phone="+1 202 555 0100"
      runner run specs --tags "smoke and not slow" --report-junit junit.xml

    \b
    Exit codes:
      0  everything selected passed
      1  an expectation or a process failed
      2  a mistake in a file or on the command line; nothing was sent
      3  no usable answer: cannot connect, cannot sign in, nonsense
      4  an outcome is unknown: it may or may not have happened
      5  nothing was selected, so nothing ran
      70 a fault of this program · 130, 143 interrupted, terminated
    """
    wishes = reports.wishes(context)
    root: Path = context.params["runs"]
    reports.check_places(wishes)
    preparation = prepare(wanted(context))
    click.echo(mistakes.text(preparation.warnings), nl=False, err=True)
    if not preparation.runs:
        return _nothing(wishes, allowed=context.params["allow_empty"])
    out = sys.stderr if wishes.takes_stdout else sys.stdout
    telling = Telling(out=out, quiet=context.params["quiet"], verbose=context.params["verbose"])
    runs.prepare(root)
    with Sites(serve=_sandbox, environment=os.environ, read_file=read_text) as sites:
        begun = [begin(one, sites.of(one.target), root=root) for one in preparation.runs]
        code = _carry_all(begun, telling)
    results = [run.result for run in begun]
    reports.write(wishes, results, [run.journal.lines for run in begun])
    if len(results) > 1:
        click.echo(console.closing(results, encoding=out.encoding or "utf-8"), nl=False, file=out)
    return code


def _carry_all(begun: Sequence[Run], telling: Telling) -> ExitCode:
    """Carry the runs out one after the other. A signal ends the one that is under way, and the others do not begin."""
    stop, given_up = Stop(grace=GRACE), threading.Event()
    with listening(stop, given_up):
        for run in begun:
            teller = telling.teller(run.journal.folder)
            try:
                carry(run, stop=stop, given_up=given_up, listener=teller.event)
            finally:
                teller.close()
            if run.fault is not None:
                _tell(Problem(code="E311", message=f"the run ended here: its events cannot be written: {run.fault}"))
            _keep_reports(run)
    return strongest(run.result.exit_code for run in begun)


def _keep_reports(run: Run) -> None:
    """Write the reports into the run's folder. They can be drawn again, so one that cannot be written is a remark."""
    try:
        run.journal.keep("report.json", reports.as_json([run.result]))
        run.journal.keep("junit.xml", junit.report([run.result]))
    except JournalError as error:
        message = f"the reports in the run's folder are missing: {error}"
        _tell(Problem(code="E311", message=message, severity=Severity.WARNING))


def _tell(problem: Problem) -> None:
    click.echo(mistakes.text([problem]), nl=False, err=True)


def _nothing(wishes: reports.Wishes, *, allowed: bool) -> ExitCode:
    click.echo("nothing was selected, so nothing ran", err=True)
    reports.write(wishes, [], [])
    return ExitCode.PASSED if allowed else ExitCode.NOTHING_SELECTED


def _sandbox(folder: Path) -> AbstractContextManager[str]:
    # the web server is imported only where a target is a sandbox
    served: AbstractContextManager[str] = importlib.import_module("runner.sandbox.server").served(folder)
    return served

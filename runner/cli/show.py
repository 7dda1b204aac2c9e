"""`runner show`: tells again what happened in a run, and whether its events are as they were written."""

import click

from runner.cli import options, output
from runner.cli.kept import NOT_GONE_ON_WITH, StoredRun, edited, opened
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode
from runner.reports import console
from runner.reports.sentences import Wish
from runner.runs import run_folders


@click.command("show", cls=Verb)
@options.RUN
@options.RUNS
@options.option("-v", "--verbose", is_flag=True, help="Tell results and outputs, too.")
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Tell what happened in RUN: `last`, a run's id, or a unique beginning of it; and what it needs next.

    \b
    Example:
      runner show last

    For programs there is the JSON report: `runner report RUN --report-json -`.

    Exit 0, or 1 where a line of the run's events does not match the line before: somebody changed the file.
    """
    run = opened(run_folders.find(context.params["runs"], context.params["run"]))
    wish = Wish(verbose=context.params["verbose"], folder=str(run.folder), advice=run.flaw is None)
    output.data(_account(run, wish, encoding=output.encoding()))
    if run.flaw is None:
        return ExitCode.PASSED
    output.data(f"{edited(run)}\n  {NOT_GONE_ON_WITH}\n")
    return ExitCode.FAILED


def _account(run: StoredRun, wish: Wish, *, encoding: str) -> str:
    """Of a run that is going on only what has ended: nothing is concluded from what is missing."""
    if run.going_on:
        return console.account_so_far(run.lines, wish, encoding=encoding)
    return console.account(run.result, wish, encoding=encoding)

"""`runner runs`: lists the runs that are kept."""

import sys

import click

from runner import runs
from runner.cli import options
from runner.cli.kept import opened
from runner.problems import ExitCode
from runner.report.runs import table


@click.command("runs", short_help="List the runs that are kept.")
@options.RUNS
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""List the runs that are kept, the newest first.

    \b
    Example:
      runner runs
    """
    folders = runs.folders(context.params["runs"])
    text = table([opened(folder).result for folder in reversed(folders)])
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=False)
    return ExitCode.PASSED

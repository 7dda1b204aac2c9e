"""`runner schema`: prints a JSON Schema, so that an editor can complete and check."""

import click

from runner.json_schema.schemas import shipped_text
from runner.problems import ExitCode

NAMES = ("job", "targets", "process", "report", "event")


@click.command("schema", short_help="Print a JSON Schema for an editor.")
@click.argument("name", type=click.Choice(NAMES), default="job")
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Print the JSON Schema of NAME: job files, targets, doubles of processes, JSON reports, events.

    \b
    Example:
      runner schema job > job.schema.json
    """
    click.echo(shipped_text(context.params["name"]), nl=False)
    return ExitCode.PASSED

"""`runner schema`: prints a JSON Schema, so that an editor can complete and check."""

import json
from pathlib import Path

import click

from runner.catalogue.editor import specialised
from runner.cli import options, output
from runner.cli.catalogue_files import read_file
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.json_schema.schemas import shipped_text

NAMES = ("job", "targets", "process", "catalog", "report", "event")


@click.command("schema", cls=Verb, short_help="Print a JSON Schema for an editor.")
@click.argument("name", type=click.Choice(NAMES), default="job")
@options.option(
    "--catalog",
    "catalogue",
    metavar="FILE",
    type=options.FilledPath(),
    help="The schema of jobs for one site: it knows the processes of this catalogue, and their parameters.",
)
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Print the JSON Schema of NAME: job files, targets, doubles of processes, catalogues, JSON reports, events.

    \b
    Examples:
      runner schema job > job.schema.json
      runner schema job --catalog specs/staging.catalog.yaml > staging.schema.json

    In an editor with the YAML language server, the first line of a job names its schema:
    `# yaml-language-server: $schema=staging.schema.json`.
    """
    name, file = context.params["name"], context.params["catalogue"]
    output.data(shipped_text(name) if file is None else _for_a_site(name, file), for_programs=True)
    return ExitCode.PASSED


def _for_a_site(name: str, file: Path) -> str:
    if name != "job":
        message = f"`--catalog` says something about job files only, not about `{name}`"
        raise UsageError(Problem(code="E150", message=message))
    return json.dumps(specialised(json.loads(shipped_text("job")), read_file(file)), ensure_ascii=True, indent=1) + "\n"

"""`runner validate`: checks job files and all that they lean on; sends nothing, reads no secret."""

import os

import click

from runner.cli import options
from runner.problems import ExitCode
from runner.project import open_project
from runner.report import mistakes

FORMATS = {"text": mistakes.text, "json": mistakes.json}


@click.command("validate", short_help="Check job, target and sandbox files.")
@options.SPECS
@options.TARGETS
@options.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How to print them."
)
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Check every job in SPEC, its targets file and its sandbox; print all mistakes of all files in one pass.

    \b
    Examples:
      runner validate specs
      runner validate specs --format json | jq '.problems[].message'

    Exit 0 where there is no mistake (warnings are none), 2 where there is one, 5 where there is no job to check.
    """
    given = context.params
    project = open_project(given["specs"], targets=given["targets"], environment=os.environ)
    click.echo(FORMATS[given["form"]](project.problems), nl=False)
    if project.errors:
        click.echo(mistakes.count(project.problems), err=True)
        return ExitCode.INVALID
    if not project.files:
        click.echo("there is no *.job.yaml to check", err=True)
        return ExitCode.NOTHING_SELECTED
    click.echo(f"{len(project.files)} job files, no mistakes", err=True)
    return ExitCode.PASSED

"""`runner validate`: checks job files and all that they lean on; sends nothing, reads no secret."""

import os

import click

from runner.cli import checking, ignored_files, options, output
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode
from runner.reports import mistakes
from runner.reports.github import github
from runner.reports.sarif import sarif

FORMATS = {"text": mistakes.text, "json": mistakes.json, "github": github, "sarif": sarif}


@click.command("validate", cls=Verb)
@options.SPECS
@options.RECURSIVE
@options.option(
    "-t",
    "--target",
    "target",
    multiple=True,
    type=options.Filled(),
    metavar="NAME",
    help="Hold the jobs against this target, whatever they name; several times: against each. Its site is not asked.",
)
@options.TARGETS
@options.CATALOG
@options.form(FORMATS)
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Check every job in SPEC, its targets file and its sandbox; print all mistakes of all files in one pass.

    A targets file, a catalogue, a double of a process and a folder of doubles may be named by themselves. `github`
    shows mistakes at their lines in a pull request, `sarif` is for code scanning; `runner explain CODE` says more about
    a mistake.

    \b
    Examples:
      runner validate specs
      runner validate specs -t staging
      runner validate specs --format json | jq '.problems[].message'
      runner validate specs --format sarif > runner.sarif

    Exit 0 where there is no mistake (warnings are none), 2 where there is one, 5 where there is no job to check.
    """
    given = context.params
    project = checking.checked(
        given["specs"],
        targets=given["targets"],
        environment=os.environ,
        catalogue=given["catalogue"],
        against=tuple(dict.fromkeys(given["target"])),
        recursive=given["recursive"],
    )
    output.data(FORMATS[given["form"]](project.problems), for_programs=given["form"] != "text")
    output.say_lines(ignored_files.in_folders_below(given["specs"], project))
    if project.errors:
        more = f"`runner explain {project.errors[0].code}` says more"
        output.say(f"{mistakes.count(project.problems)}; {more}")
        return ExitCode.INVALID
    number = checking.count(given["specs"], project)
    if not number:
        output.say(ignored_files.no_jobs(given["specs"]))
        return ExitCode.NOTHING_SELECTED
    warned = f", {mistakes.count(project.problems)}" if project.problems else ""
    output.say(f"{number} {'file' if number == 1 else 'files'}, no mistakes{warned}")
    return ExitCode.PASSED

"""The parts of `runner catalog` that read packages in git; no site is asked."""

from dataclasses import replace
from pathlib import Path

import click

from runner.catalogue.write import written
from runner.cli import options, output
from runner.cli.catalogue_files import check_own, packages_in, write_file
from runner.cli.catalogues import report_odd, stamp
from runner.cli.validate import FORMATS
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, UsageError, are_errors
from runner.packages.files import Reader
from runner.packages.lint import lint as linted
from runner.packages.reading import read_packages
from runner.project.paths import called
from runner.reports import mistakes

PACKAGES = click.argument(
    "packages", nargs=-1, required=True, metavar="PACKAGES…", type=options.FilledPath(), callback=options.expanded
)


@click.command("build", cls=Verb, short_help="Write what packages in git hold into a catalogue file.")
@PACKAGES
@options.option(
    "-o", "--out", metavar="FILE", type=options.FilledPath(), default="-", help="Write this file, not to stdout."
)
@click.pass_context
def build(context: click.Context, /, **_: object) -> int:
    r"""Read the processes of packages as they lie in git: PACKAGES is a workspace, a folder of packages, or one of
    them. No site is asked. The file is one as `catalog pull` writes. Where nothing has changed it stays as it is;
    nothing is written over but what this command has written.

    \b
    Examples:
      runner catalog build packages -o git.catalog.yaml
      runner validate specs --catalog git.catalog.yaml

    Exit 0, 2 where there is nothing to read, or for a mistake on the command line.
    """
    given = context.params
    out: Path | None = None if str(given["out"]) == "-" else given["out"]
    if out is not None:
        check_own(out)
    found = packages_in(given["packages"])
    report_odd(found.odd, mask=str)
    if out is None:
        output.data(written(found.catalogue), for_programs=True)
        return ExitCode.PASSED
    for line in write_file(replace(found.catalogue, pulled=stamp()), out):
        output.say(line)
    return ExitCode.PASSED


@click.command("lint", cls=Verb, short_help="Find what in packages will bite whoever calls their processes.")
@PACKAGES
@options.form(FORMATS)
@click.pass_context
def lint(context: click.Context, /, **_: object) -> int:
    r"""Find what in packages will bite a caller: elements that an instance may never leave, processes that no call can
    start, versions that no call runs, a parameter that two versions type differently. All of it are warnings, with
    their places; `runner explain CODE` says more.

    \b
    Examples:
      runner catalog lint packages
      runner catalog lint packages --format sarif > packages.sarif

    Exit 0 where nothing is found, 1 where something is, 2 where there is nothing to read, or for a
    mistake on the command line.
    """
    given = context.params
    packages = read_packages(given["packages"], called=called)
    if are_errors(packages.problems):
        raise UsageError(*packages.problems)
    found = (*packages.problems, *linted(packages, Reader(called=called)))
    output.data(FORMATS[given["form"]](found), for_programs=given["form"] != "text")
    number = len(packages.catalogue.processes)
    warned = mistakes.count(found) if found else "nothing is found"
    output.say(f"{number} {'process' if number == 1 else 'processes'}: {warned}")
    return ExitCode.FAILED if found else ExitCode.PASSED

"""`runner catalog`: brings what a site has to the desk, and watches it for drift. It reads only."""

import os

import click
from click.core import ParameterSource

from runner.catalogue.differences import differences, drifts
from runner.catalogue.drift import changed, missing
from runner.cli import new_doubles, of_packages, options, output
from runner.cli.catalogue_files import check_place, place_of, read_file, stored, write_file
from runner.cli.catalogues import ask, chosen, used_by
from runner.cli.drift import FORMATS, Compared
from runner.cli.serving import sandbox
from runner.cli.verb import Verb, VerbGroup
from runner.foundation.problems import ExitCode
from runner.project.sites import Sites
from runner.reading.files import read_text

SPECS = click.argument("specs", nargs=-1, metavar="[SPEC…]", type=options.FilledPath(), callback=options.expanded)
ONE_TARGET = options.option("-t", "--target", "target", metavar="NAME", type=options.Filled(), help="The site to ask.")
FORMAT = options.form(FORMATS)


@click.group("catalog", cls=VerbGroup, short_help="Know what a site has, and what packages in git hold.")
def command() -> None:
    r"""Know which processes a site has, and what each takes and gives: in a file beside targets.yaml, which validate,
    run and plan hold jobs against.

    \b
    Examples:
      runner catalog pull -t staging
      runner catalog check -t staging --for specs
      runner catalog build packages -o git.catalog.yaml
    """


command.add_command(of_packages.build)
command.add_command(of_packages.lint)
command.add_command(new_doubles.doubles)


@command.command("pull", cls=Verb, short_help="Write what a site has into its catalogue file.")
@SPECS
@ONE_TARGET
@options.TARGETS
@options.option(
    "--out", metavar="FILE", type=options.FilledPath(), help="Write this file, not NAME.catalog.yaml by the targets."
)
@click.pass_context
def pull(context: click.Context, /, **_: object) -> int:
    r"""Ask a site which processes it has, and what each takes and gives; write it into NAME.catalog.yaml, beside the
    targets file. Where nothing has changed the file stays as it is. Nothing is started.

    \b
    Examples:
      runner catalog pull -t staging
      runner catalog pull -t staging --out specs/staging.catalog.yaml

    Exit 0, 2 for a mistake in a file or on the command line, 3 where the site does not answer.
    """
    given = context.params
    target = chosen(given["target"], given["specs"], given["targets"])
    out = given["out"] or place_of(target.target.name, targets_file=target.file)
    check_place(out)
    with _sites() as sites:
        found = ask(target, sites)
    if found is None:
        return ExitCode.NO_ANSWER
    for line in write_file(found, out):
        output.say(line)
    return ExitCode.PASSED


@command.command("check", cls=Verb, short_help="Compare a site with its catalogue file.")
@SPECS
@ONE_TARGET
@options.TARGETS
@options.option(
    "--for", "jobs", multiple=True, metavar="SPEC", type=options.FilledPath(), help="Tell first what matters to these."
)
@options.option("--catalog", "file", metavar="FILE", type=options.FilledPath(), help="Compare with this file.")
@options.option(
    "--against",
    metavar="FILE",
    type=options.FilledPath(),
    help="Ask whether the site has what this file says, as `catalog build` writes it, or what a folder of packages "
    "holds: versions, which of them is active, parameters, elements. What else the site has is no difference.",
)
@FORMAT
@click.pass_context
def check(context: click.Context, /, **_: object) -> int:
    r"""Ask a site what it has, and compare it with its catalogue file. With --for, or SPEC, differences that matter to
    those jobs come first, with the places where they are used.

    \b
    Examples:
      runner catalog check -t staging
      runner catalog check -t staging --for specs
      runner catalog check -t staging --against git.catalog.yaml --for specs

    Exit 0 where nothing differs, 1 where something does, 2 for a mistake in a file or on the command line, 3 where the
    site does not answer.
    """
    given = context.params
    specs = (*given["jobs"], *given["specs"])
    target = chosen(given["target"], specs, given["targets"])
    git = given["against"]
    if git and context.get_parameter_source("file") is ParameterSource.COMMANDLINE:
        raise click.UsageError("`--against` names what the site is compared with, and so does `--catalog`", context)
    before = read_file(git or given["file"] or place_of(target.target.name, targets_file=target.file))
    used = used_by(specs)
    with _sites() as sites:
        after = ask(target, sites)
    if after is None:
        return ExitCode.NO_ANSWER
    found = drifts((missing if git else changed)(before, after), used)
    compared = Compared(
        before=before.name, after=after.name, drifts=found, has_jobs=bool(specs), side_by_side=git is not None
    )
    return _told(compared, given["form"])


@command.command("diff", cls=Verb, short_help="Compare two catalogues: files, or sites.")
@click.argument("before", metavar="A", type=options.Filled())
@click.argument("after", metavar="B", type=options.Filled())
@options.TARGETS
@FORMAT
@click.pass_context
def diff(context: click.Context, /, **_: object) -> int:
    r"""Compare what A has with what B has. Each is a catalogue file, or the name of a target: then its site is asked.

    \b
    Examples:
      runner catalog diff staging production
      runner catalog diff specs/staging.catalog.yaml staging

    Exit 0 where nothing differs, 1 where something does, 2 for a mistake in a file or on the command line, 3 where a
    site does not answer.
    """
    given = context.params
    sides = []
    with _sites() as sites:
        for name in (given["before"], given["after"]):
            file = stored(name)
            side = read_file(file) if file is not None else ask(chosen(name, (), given["targets"]), sites)
            if side is None:
                return ExitCode.NO_ANSWER
            sides.append(side)
    before, after = sides
    found = drifts(differences(before, after), ())
    return _told(Compared(before=before.name, after=after.name, drifts=found, side_by_side=True), given["form"])


def _sites() -> Sites:
    return Sites(serve=sandbox, environment=os.environ, read_file=read_text)


def _told(found: Compared, form: str) -> int:
    output.data(FORMATS[form](found), for_programs=form != "text")
    return ExitCode.FAILED if found.drifts else ExitCode.PASSED

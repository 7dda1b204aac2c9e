"""`runner catalog`: what sites, which are only read, and packages in git have: as files, compared, as doubles."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import click
from msgspec.structs import replace

from runner.catalogue.differences import About, Use, changed, differences, drifts, missing
from runner.catalogue.doubles import doubles as new_doubles
from runner.catalogue.model import Catalogue, Process
from runner.catalogue.write import catalogue_text
from runner.cli import options
from runner.cli.validate import FORMATS as PROBLEM_FORMATS
from runner.cli.verb import Verb, VerbGroup, is_typed
from runner.foundation.problems import ExitCode, SiteSilentError, UsageError, errors_in
from runner.foundation.sentences import plural
from runner.packages.lint import lint as lint_packages
from runner.packages.reading import read_packages
from runner.project import catalogue_files, double_files
from runner.project.catalogue_files import check_place, no_answer, read_file, stamp, unreadable, used_by, write_file
from runner.project.named_targets import KnownTarget, single_target
from runner.project.pulling import NoAnswerError, PatientReader
from runner.project.pulling import pull as pull_all
from runner.project.sites import Sites
from runner.reading.files import display_path
from runner.reports import mistakes
from runner.reports.drift import FORMATS, CatalogueComparison
from runner.secrets.redact import Secrets
from runner.targets.model import SandboxTarget
from runner.terminal import output

PACKAGES = click.argument(
    "packages", nargs=-1, required=True, metavar="PACKAGES…", type=options.FilledPath(), callback=options.expanded
)


@click.group("catalog", cls=VerbGroup)
def catalog() -> None:
    r"""Know which processes a site has, and what each takes and gives: in a file beside targets.yaml, which validate,
    run and plan check jobs against.

    \b
    Examples:
      runner catalog pull -t staging
      runner catalog check -t staging --for specs
      runner catalog build packages -o git.catalog.yaml
    """


@catalog.command("build", cls=Verb, short_help="Write what packages in git hold into a catalogue file.")
@PACKAGES
@options.option("-o", "--out", metavar="FILE", default="-", help="Write this file, not to stdout.")
def build(context: click.Context) -> int:
    r"""Read the processes of packages as they lie in git: PACKAGES is a workspace, a folder of packages, or one of
    them. No site is asked. The file is as `catalog pull` writes it. Where nothing has changed it stays as it is;
    nothing is written over but what this command has written.

    \b
    Examples:
      runner catalog build packages -o git.catalog.yaml
      runner validate specs --catalog git.catalog.yaml

    Exit 0, 2 where there is nothing to read, or for a mistake on the command line.
    """
    out: Path = context.params["out"]
    if not _is_stdout(out):
        check_place(out, of_packages=True)
    found = catalogue_files.packages_in(context.params["packages"], warn=output.problems)
    output.problems(*unreadable(found.odd, mask=str))
    _write(found.catalogue if _is_stdout(out) else replace(found.catalogue, pulled=stamp()), out)
    return ExitCode.PASSED


@catalog.command("lint", cls=Verb, short_help="Find what in packages will trouble whoever calls their processes.")
@PACKAGES
@options.form(PROBLEM_FORMATS)
def lint(context: click.Context) -> int:
    r"""Find what in packages will trouble a caller: elements that an instance may never leave, processes that no call
    can start, versions that no call runs, a parameter that two versions type differently. All findings are warnings,
    with their places; `runner explain CODE` says more.

    \b
    Examples:
      runner catalog lint packages
      runner catalog lint packages --format sarif > packages.sarif

    Exit 0 where nothing is found, 1 where something is, 2 where there is nothing to read, or for a
    mistake on the command line.
    """
    given = context.params
    packages = read_packages(given["packages"])
    if errors_in(packages.problems):
        raise UsageError(*packages.problems)
    found = (*packages.problems, *lint_packages(packages))
    output.data(PROBLEM_FORMATS[given["form"]](found), for_programs=given["form"] != "text")
    processes = plural(len(packages.catalogue.processes), "process", "processes")
    output.say(f"{processes}: {mistakes.count(found) if found else 'nothing is found'}")
    return ExitCode.FAILED if found else ExitCode.PASSED


@catalog.command("doubles", cls=Verb, short_help="Write a double for each process that has none.")
@click.argument("file", metavar="FILE", type=options.FilledPath())
@options.option("--out", metavar="FOLDER", required=True, help="The folder of the sandbox.")
@options.for_jobs("Only the processes that these jobs start.")
def doubles(context: click.Context) -> int:
    r"""Write a double for each process of a catalogue, or of a folder of packages, that has none in FOLDER: what it
    takes and gives, and its elements in their order. A TODO marks what must be filled in; as they are, doubles are
    valid, and jobs can be rehearsed with them. Nothing is ever written over. Processes that no call can start are left
    out.

    \b
    Examples:
      runner catalog doubles git.catalog.yaml --out specs/sandbox --for specs
      runner run specs -t sandbox

    Exit 0, 2 for a mistake in a file or on the command line, 5 where there is no process to write a double for.
    """
    given = context.params
    catalogue, folder = read_file(given["file"], warn=output.problems), given["out"]
    uses = used_by(given["jobs"]) if given["jobs"] else None
    processes = list(_wanted(catalogue, uses))
    if not processes:
        none = f"{catalogue.name} has none" if uses is None else f"these jobs start none that {catalogue.name} has"
        output.say(f"no process to write a double for: {none}")
        return ExitCode.NOTHING_SELECTED
    executed = {use.name for use in uses or () if use.about is About.ELEMENT}
    known = double_files.doubles_by_code(folder)
    done = Counter(_write_double(process, folder, known=known, executed=executed) for process in processes)
    parts = [f"{plural(done['new'], 'process has', 'processes have')} a new double"]
    parts += [f"{done['known']} had a double already"] if done["known"] else []
    parts += [f"{done['left out']} left out"] if done["left out"] else []
    output.say(f"{display_path(folder)}: {', '.join(parts)}")
    return ExitCode.PASSED


def _wanted(catalogue: Catalogue, uses: Iterable[Use] | None) -> Iterator[Process]:
    """All processes, or those that jobs start."""
    codes = set(catalogue.processes)
    if uses is not None:
        started = {use.process for use in uses if use.about is About.PROCESS}
        families = (catalogue.family_of(code) for code in started - codes)
        codes &= started | {family[0].code for family in families if family is not None}
    yield from (catalogue.processes[code] for code in sorted(codes))


def _write_double(process: Process, folder: Path, *, known: Mapping[str, Path], executed: Collection[str]) -> str:
    """Write the doubles of a process; `new`, `known` where there is a double already, or `left out`."""
    new = list(new_doubles(process, executed=executed))
    files = {double.code: double_files.double_file(double, folder) for double in new}
    if any(code in known or (path is not None and path.exists()) for code, path in files.items()):
        return "known"
    if process.why_not is not None:
        output.say(f"left out: `{process.code}` cannot be started: {process.why_not}")
        return "left out"
    if None in files.values():
        output.say(f"left out: `{process.code}` has a code that no file can have")
        return "left out"
    for double in new:
        if (path := files[double.code]) is not None:
            double_files.create(path, double.text)
            output.data(f"wrote {display_path(path)}\n")
    return "new"


@catalog.command("pull", cls=Verb, short_help="Write what a site has into its catalogue file.")
@options.OPTIONAL_SPECS
@options.SINGLE_TARGET
@options.TARGETS
@options.option("--out", metavar="FILE", help="Write this file, not NAME.catalog.yaml by the targets; `-` is stdout.")
def pull(context: click.Context) -> int:
    r"""Ask a site which processes it has, and what each takes and gives; write it into NAME.catalog.yaml, beside the
    targets file. Where nothing has changed the file stays as it is. Nothing is started.

    \b
    Examples:
      runner catalog pull -t staging
      runner catalog pull -t staging --out specs/staging.catalog.yaml

    Exit 0, 2 for a mistake in a file or on the command line, 3 where the site does not answer.
    """
    given = context.params
    target = single_target(given["target"], given["specs"], given["targets"])
    out = given["out"] or catalogue_files.place_of(target.target.name, targets_file=target.file)
    if not _is_stdout(out):
        check_place(out)
    with Sites() as sites:
        found = _pulled(target, sites)
    _write(found, out)
    return ExitCode.PASSED


def _is_stdout(out: Path) -> bool:
    return str(out) == "-"


def _write(found: Catalogue, out: Path) -> None:
    if _is_stdout(out):
        output.data(catalogue_text(found), for_programs=True)
    else:
        output.say(write_file(found, out))


@catalog.command("check", cls=Verb, short_help="Compare a site with its catalogue file.")
@options.OPTIONAL_SPECS
@options.SINGLE_TARGET
@options.TARGETS
@options.for_jobs("Print first what matters to these jobs.")
@options.option("--catalog", "file", metavar="FILE", help="Compare with this file.")
@options.option(
    "--against",
    metavar="FILE",
    help="Ask whether the site has what this file says, as `catalog build` writes it, or what a folder of packages "
    "holds: versions, which of them is active, parameters, elements. What else the site has is no difference.",
)
@options.form(FORMATS)
def check(context: click.Context) -> int:
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
    target = single_target(given["target"], specs, given["targets"])
    git = given["against"]
    if git and is_typed(context, "file"):
        raise click.UsageError("`--against` names what the site is compared with, and so does `--catalog`", context)
    file = git or given["file"] or catalogue_files.place_of(target.target.name, targets_file=target.file)
    before, used = read_file(file, warn=output.problems, of_packages=git is not None), used_by(specs)
    with Sites() as sites:
        after = _pulled(target, sites)
    found = drifts((missing if git else changed)(before, after), used)
    comparison = CatalogueComparison(before=before.name, after=after.name, drifts=found, has_jobs=bool(specs))
    return _print(comparison, given["form"])


@catalog.command("diff", cls=Verb, short_help="Compare two catalogues: files, or sites.")
@click.argument("before", metavar="A", type=options.Filled())
@click.argument("after", metavar="B", type=options.Filled())
@options.TARGETS
@options.form(FORMATS)
def diff(context: click.Context) -> int:
    r"""Compare what A has with what B has. Each is a catalogue file, a folder of packages, or the name of a target:
    then its site is asked.

    \b
    Examples:
      runner catalog diff staging production
      runner catalog diff specs/staging.catalog.yaml staging

    Exit 0 where nothing differs, 1 where something does, 2 for a mistake in a file or on the command line, 3 where a
    site does not answer.
    """
    given = context.params
    sides = []
    with Sites() as sites:
        for name in (given["before"], given["after"]):
            file = catalogue_files.file_named(name)
            if file is None or (file.is_dir() and _is_target(name, given["targets"])):
                sides.append(_pulled(single_target(name, (), given["targets"]), sites))
            else:
                sides.append(read_file(file, warn=output.problems))
    before, after = sides
    found = drifts(differences(before, after), ())
    comparison = CatalogueComparison(before=before.name, after=after.name, drifts=found)
    return _print(comparison, given["form"])


def _is_target(name: str, targets: Path | None) -> bool:
    """Whether `name` is a target: a folder beside may have the same name, as that of a customer."""
    try:
        single_target(name, (), targets)
    except UsageError:
        return False
    return True


def _print(found: CatalogueComparison, form: str) -> int:
    output.data(FORMATS[form](found), for_programs=form != "text")
    return ExitCode.FAILED if found.drifts else ExitCode.PASSED


def _pulled(known: KnownTarget, sites: Sites) -> Catalogue:
    """What a site has; what could not be read is a warning. Raises `SiteSilentError`."""
    target, ready = known.target, sites.of(known.target)
    secrets = ready.hide_in(Secrets())

    def listed(number: int) -> None:
        output.say(f"reading {plural(number, 'process', 'processes')} of target `{target.name}`")

    try:
        found = pull_all(PatientReader(caller=ready.client, wait=time.sleep), listed=listed)
    except NoAnswerError as error:
        raise SiteSilentError(no_answer(error, secrets)) from error
    output.problems(*unreadable(found.odd, mask=secrets.mask))
    site = f"the sandbox {target.folder.name}" if isinstance(target, SandboxTarget) else ready.name.url
    return Catalogue(name=f"target `{target.name}`", processes=found.processes, site=site, pulled=stamp())

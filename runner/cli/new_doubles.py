"""`runner catalog doubles`: a double for each process of a catalogue that has none, for a first rehearsal of jobs."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from runner.catalogue.differences import About, Use
from runner.catalogue.doubles import doubles as written
from runner.catalogue.model import Catalogue, Process
from runner.cli import options, output
from runner.cli.catalogue_files import read_file
from runner.cli.catalogues import used_by
from runner.cli.double_files import codes_in, create, place_of
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode
from runner.project.paths import called


@dataclass(slots=True, kw_only=True)
class _Counts:
    written: int = 0
    there: int = 0
    left: int = 0


@click.command("doubles", cls=Verb, short_help="Write a double for each process that has none.")
@click.argument("file", metavar="FILE", type=options.FilledPath())
@options.option("--out", metavar="FOLDER", type=options.FilledPath(), required=True, help="The folder of the sandbox.")
@options.option(
    "--for",
    "jobs",
    multiple=True,
    metavar="SPEC",
    type=options.FilledPath(),
    help="Only the processes that these jobs start.",
)
@click.pass_context
def doubles(context: click.Context, /, **_: object) -> int:
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
    catalogue, folder = read_file(given["file"]), given["out"]
    uses = used_by(given["jobs"]) if given["jobs"] else None
    processes = list(_wanted(catalogue, uses))
    if not processes:
        output.say(f"no process to write a double for: these jobs start none that {catalogue.name} has")
        return ExitCode.NOTHING_SELECTED
    executed = {use.name for use in uses or () if use.about is About.ELEMENT}
    counts = _Counts()
    there = codes_in(folder)
    for process in processes:
        _write(process, folder, there=there, executed=executed, counts=counts)
    output.say(f"{called(folder)}: {_in_words(counts)}")
    return ExitCode.PASSED


def _wanted(catalogue: Catalogue, uses: Iterable[Use] | None) -> Iterator[Process]:
    """All processes, or those that jobs start, by whatever code."""
    if uses is None:
        yield from (catalogue.processes[code] for code in sorted(catalogue.processes))
        return
    started = {use.process for use in uses if use.about is About.PROCESS}
    roots = {_root(catalogue, code) for code in started}
    yield from (catalogue.processes[code] for code in sorted(roots) if code in catalogue.processes)


def _root(catalogue: Catalogue, code: str) -> str:
    family = None if code in catalogue.processes else catalogue.family_of(code)
    return code if family is None else family[0].code


def _write(
    process: Process, folder: Path, *, there: Mapping[str, Path], executed: Collection[str], counts: _Counts
) -> None:
    new = list(written(process, executed=executed))
    in_the_way = next((there[one.code] for one in new if one.code in there), None)
    taken = next((path for one in new if (path := place_of(one, folder)) is not None and path.exists()), None)
    if in_the_way is not None or taken is not None:
        counts.there += 1
    elif process.why_not is not None:
        counts.left += 1
        output.say(f"left out: `{process.code}` cannot be started: {process.why_not}")
    elif any(place_of(one, folder) is None for one in new):
        counts.left += 1
        output.say(f"left out: `{process.code}` has a code that no file can have")
    else:
        for one in new:
            create(place_of(one, folder), one.text)
        counts.written += 1


def _in_words(counts: _Counts) -> str:
    parts = [f"{counts.written} {'process has' if counts.written == 1 else 'processes have'} a new double"]
    parts += [f"{counts.there} had one already"] if counts.there else []
    parts += [f"{counts.left} left out"] if counts.left else []
    return ", ".join(parts)

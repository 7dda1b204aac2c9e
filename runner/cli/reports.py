"""The reports that a command is asked for: where they may go, written there, and stored in a run's own folder.

No file is written over but one of the same kind, which begins with the mark of its kind, and never one that the command
reads.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from runner.cli import output
from runner.cli.ci import show_in_ci
from runner.foundation.problems import Problem, Severity, UsageError
from runner.project.paths import job_paths
from runner.reading.files import beginning
from runner.reports.formats import FORMATS, HTML, ReportFormat
from runner.reports.reported import ReportedCommand, ReportedRun, ReportValues, alone
from runner.reports.safe import clean
from runner.runs.history import remember
from runner.runs.store import Part, RunStore, StoreError

STDOUT: Final = "-"
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where reports go, by the names of their formats; `-` is stdout. Those for people show `values`."""

    by_format: Mapping[str, str]
    values: ReportValues = ReportValues.ALL

    @property
    def use_stdout(self) -> bool:
        return STDOUT in self.by_format.values()


def asked_for(context: click.Context) -> Places:
    """The reports that the options of a command ask for."""
    given = context.params
    return Places(
        by_format={one.name: given[one.parameter] for one in FORMATS if given.get(one.parameter)},
        values=ReportValues(given["report_values"]),
    )


def write(places: Places, command: ReportedCommand) -> None:
    """Write the reports. Raises `UsageError` for files that cannot be written."""
    files, shown = places.by_format, replace(command, values=places.values)
    wanted = [one for one in FORMATS if one.name in files]
    wanted.sort(key=lambda one: files[one.name] == STDOUT)  # last: nobody may read it
    found = (_written(files[one.name], one.write(shown)) for one in wanted)
    if problems := [problem for problem in found if problem is not None]:
        raise UsageError(*problems)


def publish(places: Places, command: ReportedCommand) -> None:
    """Write the reports of a command that has ended, and show it where its CI looks. Raises like `write`."""
    try:
        write(places, command)
    finally:
        show_in_ci(replace(command, values=places.values), os.environ)


def store(runs: RunStore, run: ReportedRun) -> None:
    """Store a run's reports with it, and add it to the history. All of that can be written again later, so failing to
    is only a warning.
    """
    try:
        remember(runs, run.result)
    except StoreError as error:
        message = f"the run is missing in the history: {error}"
        hint = "add it with `runner history --rebuild`"
        output.problems(Problem(code="E311", message=message, hint=hint, severity=Severity.WARNING))
    try:
        for one in FORMATS:
            if one.stored_as is not None:
                runs.put(run.result.id, one.stored_as, one.write(alone(run)))
    except StoreError as error:
        message = f"the reports in the run's folder are missing: {error}"
        output.problems(Problem(code="E311", message=message, severity=Severity.WARNING))


def open_page(places: Places, command: ReportedCommand, *, store: RunStore) -> None:
    """Show the HTML report in a browser; where no file was named for it, it is stored with the last run first."""
    import webbrowser  # noqa: PLC0415  5 ms, for this option only

    place = places.by_format.get(HTML.name)
    if place is None:
        last = command.runs[-1].result.id
        try:
            store.put(last, Part.PAGE, HTML.write(replace(command, values=places.values)))
        except StoreError as error:
            raise UsageError(Problem(code="E151", message=f"the page cannot be stored: {error}")) from error
        place = store.place(last, Part.PAGE)
    if place == STDOUT or not webbrowser.open(Path(place).absolute().as_uri()):
        message = f"no browser could be opened; the page is {clean(place)}"
        output.problems(Problem(code="E150", message=message, severity=Severity.WARNING))


def check(places: Places, *, read: Iterable[Path] = ()) -> None:
    """Raise `UsageError`, before the first call, for a place where a report cannot or must not be written. `read` are
    the files that the command reads.
    """
    reads, files = tuple(read), places.by_format
    found = (_wrong_place(files[one.name], one, reads) for one in FORMATS if one.name in files)
    problems = [problem for problem in found if problem is not None]
    taken = list(files.values())
    shared = (place for place in dict.fromkeys(taken) if taken.count(place) > 1 and not Path(place).is_char_device())
    problems.extend(Problem(code="E150", message=f"two reports would go to {place}") for place in shared)
    if problems:
        raise UsageError(*problems)


def read_by(context: click.Context) -> Iterator[Path]:
    """The files that the options of a command name for reading, and its jobs."""
    given = context.params
    yield from job_paths(given.get("specs", ()), recursive=given.get("recursive", False))
    yield from (file for name in ("inputs_file", "targets", "catalogue") if (file := given.get(name)) is not None)


def overwrites(place: Path, *, what: str, mark: re.Pattern[bytes], read: Iterable[Path]) -> Problem | None:
    """Why `what` must not be written to `place`. `mark` is how such a file begins.

    What is no file, such as a device, takes all that is written to it, and an empty file is nobody's. Of one that
    cannot be read whoever writes it reports.
    """
    if not place.is_file():
        return None
    why = ""
    if any(_is_same(place, other) for other in read):
        why = "this command reads it"
    elif (content := beginning(place).lstrip(_BLANK)) and not mark.match(content):
        why = "it is there already, and holds something else"
    message = f"{what} cannot be written to {place}: {why}"
    return Problem(code="E153", message=message, hint="choose another name") if why else None


def _is_same(place: Path, other: Path) -> bool:
    try:
        return other.is_file() and place.samefile(other)
    except (OSError, ValueError):
        return False


def _wrong_place(place: str, wanted: ReportFormat, read: Iterable[Path]) -> Problem | None:
    path, folder = Path(place), Path(place).absolute().parent
    if place == STDOUT:
        return None
    if path.is_dir():
        return _unwritable(place, "it is a folder")
    if not folder.is_dir():
        return _unwritable(place, "there is no such folder")
    if not os.access(path if path.exists() else folder, os.W_OK):
        return _unwritable(place, "it is read-only, or its folder is")
    return overwrites(path, what="the report", mark=wanted.mark, read=read)


def _written(place: str, text: str) -> Problem | None:
    if place == STDOUT:
        output.data(text, for_programs=True)
        return None
    try:
        Path(place).write_text(text, encoding="utf-8")
    except OSError as error:
        return _unwritable(place, error.strerror or str(error))
    return None


def _unwritable(place: str, why: str) -> Problem:
    return Problem(code="E150", message=f"the report {place} cannot be written: {why}")

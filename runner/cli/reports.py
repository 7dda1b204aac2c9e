"""The reports that a command is asked for: checks where they may go, writes them, and shows them in a CI.

Only a report of the same kind is overwritten. A command that ends before its runs begin writes its reports, too, and as
they begin old reports are emptied: these would look green in CI.
"""

import os
import re
import stat
from codecs import iterdecode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
from msgspec import Struct
from msgspec.structs import replace

from runner.cli.hints import PREFIX
from runner.foundation.problems import ExitCode, Problem, Severity, UsageError
from runner.project.paths import in_checkout, job_paths
from runner.reading.files import first_bytes
from runner.reports.formats import FORMATS, HTML, ReportFormat
from runner.reports.github import annotations
from runner.reports.reported import ReportedCommand, ReportValues
from runner.reports.safe import clean
from runner.runs.store import LocalRunStore, Part, StoreError
from runner.runs.stored_runs import refused_as
from runner.terminal import output

STDOUT: Final = "-"
MOST_BYTES: Final = 1_000_000  # GitHub drops a summary of more than 1 MiB whole
_REPORTING: Final = ("run", "apply", "rerun", "resume", "reconcile")
"""The verbs that write reports of the runs that they carry out."""
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"


class ReportPlaces(Struct, frozen=True, kw_only=True):
    """Where reports go, by the names of their formats; `-` is stdout. Those for people show `values`."""

    by_format: Mapping[str, str]
    values: ReportValues = ReportValues.ALL

    @property
    def use_stdout(self) -> bool:
        return STDOUT in self.by_format.values()


def asked_for(context: click.Context) -> ReportPlaces:
    """Where the options of a command want reports. Raises `UsageError` for a place where none may go."""
    given = context.params
    places = ReportPlaces(
        by_format={report.name: given[report.parameter] for report in FORMATS if given.get(report.parameter)},
        values=ReportValues(given["report_values"]),
    )
    check(places, read=read_by(context))
    return places


def empty(given: Mapping[str, Any]) -> None:
    """Empty the reports of an earlier command at the places of this one, which may be killed."""
    for named in filter(None, (given.get(report.parameter) for report in FORMATS)):
        place = Path(named)
        if named != STDOUT and place.is_file() and not place.is_symlink():  # `/dev/stdout` is a link to what is printed
            with suppress(OSError):
                os.truncate(place, 0)


def write(places: ReportPlaces, command: ReportedCommand) -> None:
    """Write the reports. Raises `UsageError` for files that cannot be written, and a fault in a report after all."""
    files, shown = places.by_format, replace(command, values=places.values)
    wanted = [report for report in FORMATS if report.name in files]
    wanted.sort(key=lambda report: files[report.name] == STDOUT)  # last: nobody may read it
    problems: list[Problem | None] = []
    faults: list[Exception] = []
    for report in wanted:
        try:
            problems.append(_written(files[report.name], _content(report, shown, files[report.name])))
        except Exception as fault:  # noqa: BLE001  it must not cost the other reports
            faults.append(fault)
    if faults:
        raise faults[0]
    if found := [problem for problem in problems if problem is not None]:
        raise UsageError(*found)


def publish(places: ReportPlaces, command: ReportedCommand) -> None:
    """Write the reports of a command that has ended, and show it where its CI looks. Raises like `write`."""
    try:
        write(places, command)
    finally:
        show_in_ci(replace(command, values=places.values), os.environ)


def show_in_ci(command: ReportedCommand, environment: Mapping[str, str]) -> None:
    """In GitHub Actions annotate what did not pass, and append to the summary of the step; elsewhere nothing."""
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    output.workflow_commands(annotations(command, named=in_checkout))
    if summary := environment.get("GITHUB_STEP_SUMMARY"):
        _append(Path(summary), command)


def _append(file: Path, command: ReportedCommand) -> None:
    from runner.reports import markdown  # noqa: PLC0415  35 ms, for GitHub only

    content = (markdown.report(command) + "\n").encode()
    try:
        with file.open("ab") as summary:
            if summary.seek(0, os.SEEK_END) + len(content) <= MOST_BYTES:
                summary.write(content)
                return
        why = f"with it the file would have more than {MOST_BYTES:,} bytes, of which GitHub shows nothing"
    except OSError as error:
        why = error.strerror or str(error)
    message = f"the summary of the step cannot be written: {why}"
    output.problems(Problem(code="E153", message=message, severity=Severity.WARNING))


def stored_page(command: ReportedCommand, store: LocalRunStore, *, run: str) -> str:
    """Store the HTML report with a run of the command; where that is."""
    with refused_as("the page cannot be stored"):
        store.put(run, Part.PAGE, HTML.write(command))
    return store.place(run, Part.PAGE)


def open_page(place: str) -> None:
    """Show an HTML report in a browser."""
    import webbrowser  # noqa: PLC0415  5 ms, for this option only

    if not webbrowser.open(Path(place).absolute().as_uri()):
        message = f"no browser could be opened; the page is {clean(place)}"
        output.problems(Problem(code="E150", message=message, severity=Severity.WARNING))


def check(places: ReportPlaces, *, read: Iterable[Path] = ()) -> None:
    """Raise `UsageError`, before the first call, for a place where no report may go. `read` are read by the command."""
    reads, files = tuple(read), places.by_format
    found = (_wrong_place(files[report.name], report, reads) for report in FORMATS if report.name in files)
    problems = [problem for problem in found if problem is not None]
    taken: dict[str, list[str]] = {}
    for place in files.values():
        taken.setdefault(place if place == STDOUT else os.path.realpath(place), []).append(place)
    shared = (place for place, *more in taken.values() if more and not Path(place).is_char_device())
    problems.extend(Problem(code="E150", message=f"two reports would go to {place}") for place in shared)
    if problems:
        raise UsageError(*problems)


def read_by(context: click.Context) -> Iterator[Path]:
    """The files that the options of a command name for reading, and its jobs."""
    given = context.params
    yield from job_paths(given.get("specs", ()), recursive=given.get("recursive", False))
    yield from (file for name in ("inputs_file", "targets", "catalogue") if (file := given.get(name)) is not None)


def overwrites(place: Path, *, what: str, mark: re.Pattern[bytes], read: Iterable[Path]) -> Problem | None:
    """Why `what` must not be written to `place`, if so. `mark` is how such a file begins; the command reads `read`."""
    if not place.is_file():
        return None
    why = ""
    if any(_is_same(place, other) for other in read):
        why = "this command reads it"
    elif (content := first_bytes(place).lstrip(_BLANK)) and not mark.match(content):
        why = "it is there already, and holds something else"
    elif all((place.parent / part.value).is_file() for part in (Part.EVENTS, Part.PLAN)):
        why = "it is part of a stored run"
    message = f"{what} cannot be written to {place}: {why}"
    return Problem(code="E153", message=message, hint="choose another name") if why else None


def _is_same(place: Path, other: Path) -> bool:
    try:
        return other.is_file() and place.samefile(other)
    except (OSError, ValueError):
        return False


def _wrong_place(place: str, wanted: ReportFormat, read: Iterable[Path]) -> Problem | None:
    """Why no report may go there. Folders that are not there yet are made when it is written."""
    path = Path(place)
    folder = next(above for above in path.absolute().parents if above.exists())
    if place == STDOUT:
        return None
    if path.is_dir():
        return _unwritable(place, "it is a folder")
    if not folder.is_dir():
        return _unwritable(place, f"{folder} is a file, and no folder")
    if not os.access(path if path.exists() else folder, os.W_OK):
        return _unwritable(place, "it is read-only, or its folder is")
    return overwrites(path, what="the report", mark=wanted.mark, read=read)


def _content(report: ReportFormat, command: ReportedCommand, place: str) -> str | Iterator[bytes]:
    """The report for a `place`. What is stored with the only run of the command is not drawn again."""
    part, only = report.stored_as, command.runs[0] if len(command.runs) == 1 and not command.problems else None
    if part is None or only is None or only.stored_in is None or only.result.exit_code != command.exit_code:
        return report.write(command)
    if not _is_same(Path(place), Path(only.stored_in.place(only.result.id, part))):  # it would be emptied first
        with suppress(StoreError):
            return only.stored_in.pieces(only.result.id, part)
    return report.write(command)


def _written(place: str, report: str | Iterator[bytes]) -> Problem | None:
    pieces = (report.encode(),) if isinstance(report, str) else report
    if place == STDOUT:
        for text in iterdecode(pieces, "utf-8"):
            output.data(text, for_programs=True)
        return None
    try:
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        with Path(place).open("wb") as file, _whole_or_empty(file):
            file.writelines(pieces)
    except OSError as error:
        return _unwritable(place, error.strerror or str(error))
    return None


@contextmanager
def _whole_or_empty(file: BinaryIO) -> Iterator[None]:
    """Leave no first part of a report after a fault: a CI would read it."""
    try:
        yield
    except BaseException:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            with suppress(OSError):
                file.seek(0)
                file.truncate()
        raise


def _unwritable(place: str, why: str) -> Problem:
    return Problem(code="E153", message=f"the report {place} cannot be written: {why}")


def report_unstarted(
    arguments: Sequence[str], environment: Mapping[str, str], problems: Sequence[Problem], code: ExitCode
) -> None:
    """Write the reports of a command that ended before its runs began; their failed entry says why.

    The words of the command line are searched, since it may not parse.
    """
    if not arguments or arguments[0] not in _REPORTING:
        return
    words = list(takewhile(lambda word: word != "--", arguments[1:]))
    wanted = dict(_places_in(words, environment))
    read = [path for word in words for path in _paths(word) if str(path) not in wanted.values()]
    fitting = {name: place for name, place in wanted.items() if _is_fine(name, place, wanted, read)}
    with suppress(UsageError):
        publish(ReportPlaces(by_format=fitting), ReportedCommand(runs=(), problems=problems, exit_code=code))


def print_unstarted(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    problems: Sequence[Problem],
    *,
    command: click.Command | None,
) -> None:
    """Print why a command ended in the form of its `--format`, where that is for programs and can hold problems."""
    option = next((each for each in command.params if each.name == "form"), None) if command is not None else None
    if option is None:
        return
    words = takewhile(lambda word: word != "--", arguments)
    form = next(iter([*_values("--format", [*words]), environment.get(f"{PREFIX}FORMAT", "")]))
    if form in getattr(option.type, "choices", ()) and form != "text":
        from runner.cli.validate import FORMATS as PROBLEM_FORMATS  # noqa: PLC0415  20 ms, for programs only

        if (written := PROBLEM_FORMATS.get(form)) is not None:
            output.data(written(problems), for_programs=True)


def _places_in(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for report in FORMATS:
        given = [*_values(report.option, words), environment.get(PREFIX + report.parameter.upper(), "")]
        if place := given[0]:
            yield report.name, place


def _values(option: str, words: Sequence[str]) -> Iterator[str]:
    """What the words give an option: `--report-json FILE` or `--report-json=FILE`."""
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == option:
            yield value if equals else next(iter(words[number + 1 :]), "")


def _paths(word: str) -> Iterator[Path]:
    """The file that a word may name, also as the value of an option."""
    for text in (word, word.partition("=")[2]):
        with suppress(OSError, ValueError):
            if text and (path := Path(text)).is_file():
                yield path


def _is_fine(name: str, place: str, wanted: Mapping[str, str], read: Sequence[Path]) -> bool:
    try:
        check(ReportPlaces(by_format={name: place}), read=read)
    except (UsageError, OSError, ValueError):
        return False
    return list(wanted.values()).count(place) == 1

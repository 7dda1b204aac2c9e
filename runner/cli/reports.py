"""The reports that were asked for, drawn from results and events, and written where they shall go."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from runner.cli import output
from runner.cli.places import taken
from runner.foundation.private_files import write_whole
from runner.foundation.problems import Problem, Severity, UsageError
from runner.project.project import job_paths
from runner.reports import json, jsonl, junit, mistakes
from runner.runs.events import Line
from runner.runs.result import RunResult
from runner.runs.run_folders import JUNIT, REPORT
from runner.version import VERSION

STDOUT = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Where each report goes; `-` is stdout, None nowhere."""

    report_json: str | None = None
    report_junit: str | None = None
    report_jsonl: str | None = None

    @property
    def takes_stdout(self) -> bool:
        return STDOUT in (self.report_json, self.report_junit, self.report_jsonl)


def wishes(context: click.Context) -> Wishes:
    """Which reports the options of a command ask for."""
    given = context.params
    return Wishes(
        report_json=given["report_json"], report_junit=given["report_junit"], report_jsonl=given["report_jsonl"]
    )


def as_json(results: Sequence[RunResult]) -> str:
    return json.report(results, version=VERSION)


def write(places: Wishes, results: Sequence[RunResult], lines: Sequence[Sequence[Line]]) -> None:
    """Write the reports. `lines` are the events of each run. Raises `UsageError` for a file that cannot be written."""
    drawn: list[tuple[str | None, Callable[[], str]]] = [
        (places.report_json, lambda: as_json(results)),
        (places.report_junit, lambda: junit.report(results)),
        (places.report_jsonl, lambda: "".join(jsonl.report(of_run) for of_run in lines)),
    ]
    drawn.sort(key=lambda one: one[0] == STDOUT)  # last: nobody may read it
    problems = [problem for place, draw in drawn if place and (problem := _written(place, draw())) is not None]
    if problems:
        raise UsageError(*problems)


def keep(folder: Path, result: RunResult) -> None:
    """Write a run's reports into its folder. They can be drawn again, so one that cannot be written is a remark."""
    try:
        write_whole(folder / REPORT, as_json([result]).encode())
        write_whole(folder / JUNIT, junit.report([result]).encode())
    except OSError as error:
        message = f"the reports in the run's folder are missing: {error.filename or folder}: {error.strerror or error}"
        warning = Problem(code="E311", message=message, severity=Severity.WARNING)
        output.say_lines(mistakes.text([warning]))


def check_places(wanted: Wishes, *, read: Iterable[Path] = ()) -> None:
    """See before the first call that reports can be written, and over nothing but a report of the same kind, and
    nothing that the command reads. Raises `UsageError`.
    """
    places = ((wanted.report_json, json.MARK), (wanted.report_jsonl, jsonl.MARK), (wanted.report_junit, junit.MARK))
    given = [(place, mark) for place, mark in places if place]
    reads = tuple(read)
    found = (_place_mistake(place, mark, reads) for place, mark in given)
    problems = [problem for problem in found if problem is not None]
    problems.extend(_given_twice([place for place, _ in given]))
    if problems:
        raise UsageError(*problems)


def read_by(context: click.Context) -> Iterator[Path]:
    """The files that the options of a command name for reading, and its jobs."""
    given = context.params
    yield from job_paths(given.get("specs", ()), recursive=given.get("recursive", False))
    yield from (file for name in ("inputs_file", "targets", "catalogue") if (file := given.get(name)) is not None)


def _given_twice(places: Sequence[str]) -> Iterator[Problem]:
    for place in dict.fromkeys(places):
        if places.count(place) > 1 and not Path(place).is_char_device():
            yield Problem(code="E150", message=f"two reports would go to {place}")


def _place_mistake(place: str, mark: re.Pattern[bytes], read: Iterable[Path]) -> Problem | None:
    if place == STDOUT:
        return None
    if Path(place).is_dir():
        return _unwritable(place, "it is a folder")
    if not Path(place).absolute().parent.is_dir():
        return _unwritable(place, "there is no such folder")
    if not os.access(place if Path(place).exists() else Path(place).absolute().parent, os.W_OK):
        return _unwritable(place, "it is read-only, or its folder is")
    return taken(Path(place), what="the report", mark=mark, read=read)


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

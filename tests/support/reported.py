"""Runs as reports are handed them."""

from collections.abc import Iterable, Sequence

from runner.foundation.problems import ExitCode, Problem, strongest
from runner.reports import json, jsonl, junit
from runner.reports.reported import ReportedCommand, ReportedRun
from runner.runs.events import Line
from runner.runs.result import RunResult, fold
from runner.version import VERSION


def command(
    *results: RunResult, problems: Sequence[Problem] = (), exit_code: ExitCode | None = None
) -> ReportedCommand:
    """A command of these runs, whose events do not matter."""
    code = strongest(result.exit_code for result in results) if exit_code is None else exit_code
    return ReportedCommand(
        runs=[ReportedRun(result=result, lines=()) for result in results], problems=problems, exit_code=code
    )


def command_from(*journals: Sequence[Line]) -> ReportedCommand:
    """A command of the runs of these journals."""
    runs = [ReportedRun(result=fold(lines), lines=lines) for lines in journals]
    return ReportedCommand(runs=runs, exit_code=strongest(run.result.exit_code for run in runs))


def json_report(command: ReportedCommand, *, version: str = VERSION) -> str:
    """The JSON report, its pieces together."""
    return b"".join(json.report(command, version=version)).decode()


def junit_report(command: ReportedCommand) -> str:
    return junit.report(command)


def jsonl_report(lines: Iterable[Line]) -> str:
    """The report of these events, its lines together."""
    return b"".join(jsonl.report(lines)).decode()

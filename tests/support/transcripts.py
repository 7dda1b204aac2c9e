"""What a console prints of runs, as one text."""

from collections.abc import Sequence

from runner.reports.console import lines
from runner.reports.sentences import Detail
from runner.reports.summary import totals
from runner.reports.transcript import whole
from runner.runs.result import RunResult


def transcript(result: RunResult, options: Detail, *, encoding: str = "utf-8") -> str:
    return lines(whole(result, options), encoding=encoding)


def closing(results: Sequence[RunResult], options: Detail | None = None, *, encoding: str = "utf-8") -> str:
    return lines(totals(results, options or Detail(), is_all=True), encoding=encoding)

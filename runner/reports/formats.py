"""The report formats: one record a format, listed in `FORMATS`. Options, environment options, help, the guard against
overwriting and the docs all read this table.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runner.reports import json, jsonl, junit
from runner.runs.events import Line
from runner.runs.result import RunResult
from runner.runs.store import Part

_HTML_MARK: Final = re.compile(rb"<!doctype html>\s*<!-- creatio-runner -->")
"""How the page begins, and no other file. It is here so that asking for it does not import the page."""


class ReportValues(StrEnum):
    """Whose values the reports for people show: inputs, parameters, results, messages."""

    ALL = "all"
    FAILING = "failing"
    NONE = "none"

    def shows(self, *, is_red: bool) -> bool:
        """Whether the values of a row or a run are shown that did not pass (`is_red`), or that did."""
        return self is ReportValues.ALL or (self is ReportValues.FAILING and is_red)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRun:
    """What a report is written from. Reports for programs hold all values, whatever `values` is."""

    result: RunResult
    lines: Sequence[Line]
    values: ReportValues = ReportValues.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFormat:
    """`name` makes the option `--report-NAME` and its variable; `help` is for `--help`, `docs` for the docs, in
    Markdown. A file of this format begins with `mark`, and no other file does. `stored_as` is the part of
    a run that stores it, None where it is not stored.
    """

    name: str
    help: str
    docs: str
    mark: re.Pattern[bytes]
    write: Callable[[Sequence[ReportedRun]], str]
    stored_as: Part | None = None

    @property
    def option(self) -> str:
        return f"--report-{self.name}"

    @property
    def parameter(self) -> str:
        return f"report_{self.name}"


def _html(runs: Sequence[ReportedRun]) -> str:
    from runner.reports.html.page import report  # noqa: PLC0415  35 ms, where a page is written

    return report(runs)


def _results(runs: Iterable[ReportedRun]) -> list[RunResult]:
    return [run.result for run in runs]


HTML: Final = ReportFormat(
    name="html",
    help="Write a page for people: what failed, why, and what was sent.",
    docs="one HTML page for people; it needs no network",
    mark=_HTML_MARK,
    write=_html,
)

FORMATS: Final = (
    ReportFormat(
        name="json",
        help="Write a JSON report; `-` is stdout.",
        docs="everything as JSON, `format: 1` (`runner schema report`)",
        mark=json.MARK,
        write=lambda runs: json.report(_results(runs)),
        stored_as=Part.REPORT,
    ),
    ReportFormat(
        name="junit",
        help="Write JUnit XML for CI.",
        docs="JUnit XML, for Jenkins, GitLab, GitHub",
        mark=junit.MARK,
        write=lambda runs: junit.report(_results(runs)),
        stored_as=Part.JUNIT,
    ),
    ReportFormat(
        name="jsonl",
        help="Write the events as JSON lines.",
        docs="the events, a JSON object a line (`runner schema event`)",
        mark=jsonl.MARK,
        write=lambda runs: "".join(jsonl.report(run.lines) for run in runs),
    ),
    HTML,
)


def docs_table(formats: Sequence[ReportFormat] = FORMATS) -> str:
    """The formats as a table in Markdown."""
    rows = (f"| `{one.option} FILE` | {one.docs} |\n" for one in formats)
    return "| option | writes |\n|---|---|\n" + "".join(rows)

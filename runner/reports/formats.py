"""The report formats: a record each in `FORMATS`, which options, help, docs and the guard against overwriting read."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern
from runner.reports import json, jsonl, junit
from runner.reports.reported import ReportedCommand
from runner.runs.store import Part

_HTML_MARK: Final = lazy_pattern(rb"<!doctype html>\s*<!-- creatio-runner -->")
"""How the page begins, and no other file. It is here so that asking for it does not import the page."""
_CTRF_MARK: Final = lazy_pattern(
    rb'\{\s*"reportFormat":\s*"CTRF",\s*"specVersion":\s*"[^"]*",\s*"generatedBy":\s*"creatio-runner '
)
_OTLP_MARK: Final = lazy_pattern(rb'\{"resourceSpans":')


class ReportFormat(Struct, frozen=True, kw_only=True):
    """A format of reports."""

    name: str  # of the option `--report-NAME` and its variable
    help: str
    docs: str  # Markdown
    mark: re.Pattern[bytes]  # a file of this format begins so, and no other does
    write: Callable[[ReportedCommand], str | Iterator[bytes]]  # in pieces of UTF-8 if it may be large
    stored_as: Part | None = None  # the part of a run that stores it

    @property
    def option(self) -> str:
        return f"--report-{self.name}"

    @property
    def parameter(self) -> str:
        return f"report_{self.name}"


def _html(command: ReportedCommand) -> str:
    from runner.reports.html.page import report  # noqa: PLC0415  35 ms, where a page is written

    return report(command)


def _markdown(command: ReportedCommand) -> str:
    from runner.reports.markdown import report  # noqa: PLC0415  35 ms, where a summary is written

    return report(command)


def _ctrf(command: ReportedCommand) -> str:
    from runner.reports import ctrf  # noqa: PLC0415  25 ms, where such a report is written

    return ctrf.report(command)


def _otlp(command: ReportedCommand) -> str:
    from runner.reports import otlp  # noqa: PLC0415  16 ms, where a trace is written

    return otlp.report(command, os.environ)


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
        write=json.report,
        stored_as=Part.REPORT,
    ),
    ReportFormat(
        name="junit",
        help="Write JUnit XML for CI.",
        docs="JUnit XML, for Jenkins, GitLab, GitHub",
        mark=junit.MARK,
        write=junit.report,
        stored_as=Part.JUNIT,
    ),
    ReportFormat(
        name="jsonl",
        help="Write the events as JSON lines.",
        docs="the events, a JSON object a line (`runner schema event`)",
        mark=jsonl.MARK,
        write=lambda command: chain.from_iterable(jsonl.report(run.lines) for run in command.runs),
    ),
    HTML,
    ReportFormat(
        name="md",
        help="Write a summary in Markdown, for a CI's page.",
        docs="a summary in Markdown below 60,000 characters, for a CI's page or a comment",
        mark=lazy_pattern(rb"<!-- creatio-runner -->\r?\n"),
        write=_markdown,
    ),
    ReportFormat(
        name="ctrf",
        help="Write a report in the Common Test Report Format.",
        docs="a test a row in the Common Test Report Format (ctrf.io), for tools that read it",
        mark=_CTRF_MARK,
        write=_ctrf,
    ),
    ReportFormat(
        name="otlp",
        help="Write a trace of OpenTelemetry, as OTLP/JSON.",
        docs="a trace a run as OTLP/JSON, a request of an exporter a line, for collectors of OpenTelemetry",
        mark=_OTLP_MARK,
        write=_otlp,
    ),
)


def docs_table(formats: Sequence[ReportFormat] = FORMATS) -> str:
    rows = (f"| `{report.option} FILE` | {report.docs} |\n" for report in formats)
    return "| option | writes |\n|---|---|\n" + "".join(rows)

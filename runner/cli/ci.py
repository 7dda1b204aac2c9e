"""What a command shows where its CI looks, without an option: in GitHub Actions annotations, and the step's summary."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runner.cli import output
from runner.foundation.problems import Problem, Severity
from runner.reports.reported import ReportedCommand

MOST_BYTES: Final = 1_000_000
"""GitHub drops a summary of more than 1 MiB whole."""


def show_in_ci(command: ReportedCommand, environment: Mapping[str, str]) -> None:
    """In GitHub Actions annotate what did not pass, and append to the summary of the step; elsewhere nothing."""
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    from runner.reports.github import annotations  # noqa: PLC0415  for GitHub only

    output.workflow_commands(annotations(command))
    if summary := environment.get("GITHUB_STEP_SUMMARY"):
        _append(Path(summary), command)


def _append(file: Path, command: ReportedCommand) -> None:
    from runner.reports import markdown  # noqa: PLC0415  35 ms, for GitHub only

    content = (markdown.report(command) + "\n").encode()
    try:
        with file.open("ab") as summary:
            if summary.seek(0, os.SEEK_END) + len(content) <= MOST_BYTES:
                summary.write(content)
    except OSError as error:
        message = f"the summary of the step cannot be written: {error.strerror or error}"
        output.problems(Problem(code="E153", message=message, severity=Severity.WARNING))

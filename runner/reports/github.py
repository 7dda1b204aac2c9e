"""Mistakes as commands of GitHub Actions, which show them at their lines in a pull request.

The place is in the message, too: the log of a step shows the message alone.
"""

from collections.abc import Sequence

from runner.foundation.problems import Problem
from runner.reports.mistakes import in_order
from runner.reports.safe import safe


def github(problems: Sequence[Problem]) -> str:
    """A line for each mistake; nothing for none."""
    return "".join(f"{_command(problem)}\n" for problem in in_order(problems))


def _command(problem: Problem) -> str:
    properties = ",".join(f"{name}={_property(value)}" for name, value in _properties(problem).items())
    return f"::{problem.severity} {properties}::{_message(_sentence(problem))}"


def _properties(problem: Problem) -> dict[str, str]:
    """GitHub passes columns over where a place goes on over several lines."""
    properties = {"title": problem.code}
    if problem.file is not None:
        properties["file"] = safe(problem.file)
    if problem.file is not None and (span := problem.span):
        places = {"line": span.line, "endLine": span.end_line, "col": span.column, "endColumn": span.end_column}
        properties |= {name: str(number) for name, number in places.items()}
    return properties


def _sentence(problem: Problem) -> str:
    place = safe(problem.file) + ": " if problem.file is not None else ""
    if problem.file is not None and problem.span:
        place = f"{safe(problem.file)}:{problem.span.line}:{problem.span.column}: "
    hint = f"\nhint: {safe(problem.hint)}" if problem.hint else ""
    return f"{place}{safe(problem.message)}{hint}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")

"""Mistakes and failed rows as commands of GitHub Actions. The place is in the message, too: a log shows only that."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from runner.foundation.problems import Problem
from runner.reports.causes import alike_causes, causes
from runner.reports.mistakes import in_order
from runner.reports.reported import ReportedCommand
from runner.reports.safe import clean, safe
from runner.reports.spans import timed_runs
from runner.reports.words import NOTHING_DONE, has_done_nothing, reasons, run_title, trouble_lines
from runner.runs.events import RunStatus
from runner.runs.result import RunResult

_MOST = 10


def github(problems: Sequence[Problem]) -> str:
    """A line for each mistake; nothing for none."""
    return "".join(f"{_command(problem)}\n" for problem in in_order(problems))


def annotations(command: ReportedCommand, *, named: Callable[[str], str] = str) -> str:
    """Ten lines, as GitHub shows no more: problems, then a line a kind of failure. `named` gives a file's name."""
    errors = (each if each.file is None else replace(each, file=named(each.file)) for each in command.errors)
    found = [_command(problem) for problem in in_order([*errors])]
    runs = [replace(run, result=replace(run.result, file=named(run.result.file))) for run in timed_runs(command.runs)]
    for failures in alike_causes(runs):
        run, row, count = failures.run, failures.row, len(failures.members)
        more = f" ({count} rows failed alike)" if count > 1 else ""
        texts = reasons(row.step, traces=False) or [str(row.step.status)]
        found.append(_annotation(run.result, f"{row.step.status}: {clean(row.step.key)}{more}", texts, row.step.line))
    for run in runs:
        if run.result.status is not RunStatus.PASSED and not causes(run):
            texts = trouble_lines(run.result.error) if run.result.error else []
            found.append(_annotation(run.result, str(run.result.status), texts or ["no step says why"], 1))
    idle = [run.result for run in runs if run.result.status is RunStatus.PASSED and has_done_nothing(run.result)]
    found += [_annotation(result, "nothing done", [NOTHING_DONE], 1, severity="warning") for result in idle]
    return "".join(f"{line}\n" for line in found[:_MOST])


def _annotation(result: RunResult, what: str, texts: Sequence[str], line: int, *, severity: str = "error") -> str:
    name = f"{what} in {run_title(result)}"
    place = f"file={_property(safe(result.file))},line={max(line, 1)}"
    return f"::{severity} {place},title={_property(name)}::{_message(chr(10).join([name, *texts]))}"


def _command(problem: Problem) -> str:
    """GitHub passes columns over where a place goes on over several lines."""
    properties, place = {"title": problem.code}, ""
    if problem.file is not None:
        properties["file"] = safe(problem.file)
        place = f"{safe(problem.file)}: "
    if problem.file is not None and (span := problem.span):
        places = {"line": span.line, "endLine": span.end_line, "col": span.column, "endColumn": span.end_column}
        properties |= {name: str(number) for name, number in places.items()}
        place = f"{safe(problem.file)}:{span.line}:{span.column}: "
    hint = f"\nhint: {safe(problem.hint)}" if problem.hint else ""
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{problem.severity} {shown}::{_message(f'{place}{safe(problem.message)}{hint}')}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")

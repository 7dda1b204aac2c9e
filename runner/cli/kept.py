"""A kept run, read back from its folder."""

from dataclasses import dataclass
from pathlib import Path

from runner.events import Line
from runner.journal import read
from runner.problems import Problem, UsageError
from runner.result import RunResult, fold


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """`flaw` is the number of the first line whose chain does not hold, None where all do."""

    folder: Path
    lines: tuple[Line, ...]
    result: RunResult
    flaw: int | None


def opened(folder: Path) -> KeptRun:
    """Read a run's journal. Raises `UsageError` where it cannot be read."""
    try:
        reading = read(folder)
    except OSError as error:
        message = f"the events of run {folder.name} cannot be read: {error.strerror or error}"
        raise UsageError(Problem(code="E151", message=message)) from error
    result = fold(reading.lines, run=folder.name)
    return KeptRun(folder=folder, lines=reading.lines, result=result, flaw=reading.flaw)

"""Kept runs, read back from their folders: one as a whole, or of all of them how they ended."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from runner.foundation.problems import Problem, UsageError
from runner.runs import run_folders
from runner.runs.events import Line, RunStatus
from runner.runs.journal import ends, is_being_written, read
from runner.runs.result import RunResult, fold
from runner.runs.run_folders import EVENTS, REPORT

RunName: TypeAlias = tuple[str, str | None, str]
"""A job, a case or None, and a target: `job[case]@target`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """`flaw` is the number of the first line whose chain does not hold, None where all do; `cut`: they do, but the
    run's own report tells of a line that is not there. `going_on`: some process is writing its events now.
    """

    folder: Path
    lines: tuple[Line, ...]
    result: RunResult
    flaw: int | None
    cut: bool = False
    going_on: bool = False


def opened(folder: Path) -> StoredRun:
    """Read a run's journal. Raises `UsageError` where it cannot be read."""
    going_on = is_being_written(folder)
    try:
        reading = read(folder)
    except OSError as error:
        message = f"the events of run {folder.name} cannot be read: {error.strerror or error}"
        raise UsageError(Problem(code="E151", message=message)) from error
    result = fold(reading.lines, run=folder.name)
    cut = reading.flaw is None and _is_missed(folder, reading.lines)
    flaw = max(len(reading.lines), 1) if cut else reading.flaw
    return StoredRun(folder=folder, lines=reading.lines, result=result, flaw=flaw, cut=cut, going_on=going_on)


NOT_GONE_ON_WITH = (
    "nobody can say any more what this run did, so it is not gone on with; the site's process log can tell"
)
"""What follows from a journal that is not as it was written."""


def edited(run: StoredRun) -> str:
    """The sentence on a journal that is not as it was written."""
    line = f"line {run.flaw} of {run.folder / EVENTS} does not match"
    if run.cut:
        return f"{line}: the run's report knows another last line; it was changed, or those behind it are gone"
    return f"{line}: it, or the one before it, was changed after it was written"


def _is_missed(folder: Path, lines: Sequence[Line]) -> bool:
    """Whether the line that was the last when the run's own report was drawn is not there any more: no later line shows
    that it was changed. A run that was resumed has more lines behind it.
    """
    try:
        told = json.loads((folder / REPORT).read_bytes())["runs"][0]["events"]
    except (OSError, ValueError, LookupError, TypeError):
        return False
    return all(told != f"sha256:{line.sha256}" for line in lines)


def not_passed(root: Path) -> frozenset[RunName]:
    """What did not pass when it was carried out last. Of each run only the first and the last line are read.

    A run that cannot be read says nothing; one that broke off, or is still going on, has not passed.
    """
    newest: dict[RunName, RunStatus] = {}
    for folder in reversed(run_folders.folders(root)):
        try:
            result = fold(ends(folder), run=folder.name)
        except OSError:
            continue
        if result.job:
            newest.setdefault((result.job, result.case, result.target.name), result.status)
    return frozenset(name for name, status in newest.items() if status is not RunStatus.PASSED)

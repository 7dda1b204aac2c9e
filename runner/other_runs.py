"""What other kept runs know of a site: which rows of its process log are theirs, and whether one may be.

A call in doubt is looked for in the log, perhaps days later. A start that another run has made is none of it: one that
went on side by side with ours, one that came since, or one that had ended just before, and whose row came late.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runner import runs
from runner.events import AttemptFailed, CallSent, Line, RunStarted, StepFinished
from runner.journal_reading import read
from runner.runs import EVENTS, PLAN
from runner.values import Json

LATE = 600.0
"""Seconds before ours began in which another run may have made a start whose row had not come by then."""
_NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """Of one process: `taken` are the ids of starts that are known to be those of other runs. `rival`: they may have
    made one that cannot be told from ours, as they did not read the log, or are in doubt themselves.
    """

    taken: tuple[str, ...] = ()
    rival: bool = False


def others(root: Path, process: str, *, run: str, url: str) -> Others:
    """What the other runs in `root` that went to the same site, and were written since shortly before `run` began, know
    of starts of `process`.
    """
    since = _written(root / run / PLAN) - LATE
    taken: set[str] = set()
    open_starts = 0
    for folder in runs.folders(root):
        if folder.name == run or _written(folder / EVENTS) < since:
            continue
        try:
            lines = read(folder).lines
        except OSError:
            continue
        first = lines[0].event if lines else None
        if isinstance(first, RunStarted) and first.target.url == url:
            open_starts += _learn(lines, process, taken)
    return Others(taken=tuple(sorted(taken)), rival=open_starts > 0)


def _written(file: Path) -> float:
    """When it was written last, in seconds since the epoch; never, where there is none."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _learn(lines: Iterable[Line], process: str, taken: set[str]) -> int:
    """How many of a run's starts of `process` nobody knows by their id; those that are known are `taken`."""
    started: dict[str, Json] = {}
    calls: Counter[str] = Counter()
    for line in lines:
        match line.event:
            case CallSent(key=key, call={"kind": "execute" | "run", "process": code}):
                started[key] = code
                calls[key] += 1
            case AttemptFailed(key=key, kind=kind) if kind == _NOT_SENT and calls[key]:
                calls[key] -= 1
            case StepFinished(key=key, process_id=str(process_id)):
                taken.add(process_id)
                calls[key] -= 1
            case _:
                pass
    return sum(calls[key] > 0 for key, code in started.items() if code == process)

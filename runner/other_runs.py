"""What other kept runs know of a site: which rows of its process log are theirs, and which they may have.

A call in doubt is looked for in the log, perhaps days later. A start that another run made meanwhile is none of it.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from runner import runs
from runner.engine.effects import Others
from runner.events import AttemptFailed, CallSent, Line, RunStarted, StepFinished
from runner.journal_reading import read
from runner.runs import EVENTS, PLAN
from runner.values import Json

_NOT_SENT = "not_sent"


def others(root: Path, *, run: str, url: str) -> Others:
    """What the other runs in `root` that went to the same site, and were written since `run` began, know of it."""
    since = _written(root / run / PLAN)
    taken: set[str] = set()
    rivals: set[str] = set()
    for folder in runs.folders(root):
        if folder.name == run or _written(folder / EVENTS) < since:
            continue
        try:
            lines = read(folder).lines
        except OSError:
            continue
        first = lines[0].event if lines else None
        if isinstance(first, RunStarted) and first.target.url == url:
            _learn(lines, taken, rivals)
    return Others(taken=tuple(sorted(taken)), rivals=tuple(sorted(rivals)))


def _written(file: Path) -> float:
    """When it was written last, in seconds since the epoch; never, where there is none."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _learn(lines: Iterable[Line], taken: set[str], rivals: set[str]) -> None:
    started: dict[str, Json] = {}
    calls: Counter[str] = Counter()
    for line in lines:
        match line.event:
            case CallSent(key=key, call={"kind": "execute" | "run", "process": process}):
                started[key] = process
                calls[key] += 1
            case AttemptFailed(key=key, kind=kind) if kind == _NOT_SENT and calls[key]:
                calls[key] -= 1
            case StepFinished(key=key, process_id=str(process_id)):
                taken.add(process_id)
                calls[key] -= 1
            case _:
                pass
    rivals.update(str(process) for key, process in started.items() if calls[key] > 0)

"""The table that `runs` prints: one line a run, in the caller's order, and what is wrong with it."""

from collections.abc import Sequence

from runner.durations import written
from runner.report.cells import padded, width
from runner.report.safe import clean
from runner.report.words import in_doubt, title
from runner.result import RunResult

_HEAD = ("STATUS", "RUN", "STARTED", "JOB", "TOOK", "")


def table(results: Sequence[RunResult]) -> str:
    """Aligned lines with a head; times are UTC. Of no runs, one sentence."""
    if not results:
        return "no runs yet\n"
    rows = [_HEAD, *(_cells(result) for result in results)]
    widths = [max(width(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "".join("  ".join(map(padded, row, widths)).rstrip() + "\n" for row in rows)


def _cells(result: RunResult) -> tuple[str, ...]:
    """Our own word comes first: no line begins with a text from outside."""
    started = clean(result.started_at).replace("T", " ").removesuffix("Z").partition(".")[0]
    job = title(result) if result.job else ""
    return str(result.status), clean(result.id), started, job, written(result.seconds), _note(result)


def _note(result: RunResult) -> str:
    """What a person must know before trusting the line."""
    notes = [] if result.finished else ["broke off, or still going on"]
    if doubt := in_doubt(result.steps):
        notes.append(doubt)
    return "; ".join(notes)

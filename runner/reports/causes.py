"""What went wrong in the runs of a report: the rows that say why, like with like, and whether they count."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern
from runner.reports.spans import TimedRow, TimedRun
from runner.runs.events import RunStatus
from runner.runs.result import RunResult
from runner.runs.status import RED, WORST_FIRST, Status

_PARTICULAR = lazy_pattern(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+(?:[.,]\d+)*")
_INDEX = lazy_pattern(r"\[\d+\]")


class AlikeFailures(Struct, frozen=True, kw_only=True):
    """Rows that failed for the same reason. `counts`: they made their runs fail, as an unknown outcome always does."""

    members: tuple[tuple[TimedRun, TimedRow], ...]
    counts: bool

    @property
    def run(self) -> TimedRun:
        return self.members[0][0]

    @property
    def row(self) -> TimedRow:
        return self.members[0][1]

    @property
    def run_count(self) -> int:
        return len({run.number for run, _ in self.members})


def causes(run: TimedRun) -> list[TimedRow]:
    """Red rows without a red part: where something went wrong, and not the rows that hold it."""
    red = {row.step.key: row for row in run.rows if row.step.status in RED}
    holders = {holder for key in red for holder in _holders(key)}
    return [row for key, row in red.items() if key not in holders]


def uncounted(result: RunResult) -> AbstractSet[str]:
    """The keys of the rows that may fail: they, or rows around them, are ignored."""
    red = {step.key for step in result.steps if step.status in (Status.FAILED, Status.ERROR)}
    if result.status is RunStatus.PASSED:
        return red
    ignored = {step.key for step in result.steps if step.on_failure == "ignore"}
    return {key for key in red if not ignored.isdisjoint((key, *_holders(key)))}


def alike_failures(runs: Iterable[TimedRun]) -> list[AlikeFailures]:
    """What went wrong, alike rows together: unknown outcomes, then errors, then failures, last what does not count."""
    groups: dict[tuple[str | bool, ...], list[tuple[TimedRun, TimedRow]]] = {}
    for run in runs:
        ignored = uncounted(run.result)
        for row in causes(run):
            step, error = row.step, row.step.error
            code, message = (error.code, error.message) if error else ("", "")
            # what rows share that failed alike: a job's step without indexes, and its message without ids and numbers
            likeness = (
                run.result.job,
                _INDEX.sub("[]", step.key),
                str(step.status),
                code,
                _PARTICULAR.sub("#", message),
            )
            groups.setdefault((*likeness, step.key not in ignored), []).append((run, row))
    found = [AlikeFailures(members=tuple(rows), counts=bool(key[-1])) for key, rows in groups.items()]
    return sorted(found, key=lambda cause: (not cause.counts, WORST_FIRST.index(cause.row.step.status)))


def alike_causes(runs: Iterable[TimedRun]) -> list[AlikeFailures]:
    """As `alike_failures`, without rows that do not count."""
    return [cause for cause in alike_failures(runs) if cause.counts]


def _holders(key: str) -> Iterator[str]:
    """The keys that this row may be a part of."""
    return (key[:cut] for cut in range(1, len(key)) if key[cut] in "/[")

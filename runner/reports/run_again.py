"""Whether the job of a run can be run again, and what that starts a second time.

A step with `effect: once` has started something unless its call never left, or the service refused it. Nothing here is
guessed: while an outcome is not known, the answer is no.
"""

import shlex
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from runner.reports.safe import clean
from runner.reports.spans import SpanKind, TimedRow, TimedRun
from runner.reports.words import doubtful
from runner.runs.events import Section, Status

_NOTHING_BEGAN = frozenset({"not_sent", "refused"})


class Safety(StrEnum):
    SAFE = "yes"
    CAREFUL = "careful"
    NOT_YET = "not yet"


class RunAgain(Struct, frozen=True, kw_only=True):
    """`command` carries the whole job out again, and is empty while that must not be; `repeated` are the keys of the
    rows that it starts a second time, each with how it ended.
    """

    safety: Safety
    command: str = ""
    repeated: tuple[tuple[str, Status], ...] = ()
    open_keys: tuple[str, ...] = ()


def run_again(run: TimedRun) -> RunAgain:
    result = run.result
    in_doubt = doubtful(result.steps)
    if in_doubt or not result.finished:
        return RunAgain(safety=Safety.NOT_YET, open_keys=tuple(step.key for step in in_doubt))
    repeated = tuple(_repeated(run))
    case = "" if result.case is None else f" -k {shlex.quote(clean(f'{result.job}[{result.case}]'))}"
    command = f"runner run {shlex.quote(clean(result.file))} -t {shlex.quote(clean(result.target.name))}{case}"
    return RunAgain(
        safety=Safety.CAREFUL if repeated else Safety.SAFE, command=command if result.file else "", repeated=repeated
    )


def _repeated(run: TimedRun) -> Iterator[tuple[str, Status]]:
    """The rows that have started something that must not start twice, but for those that were undone."""
    steps = [row.step for row in run.rows]
    undone = {step.key for step in steps if step.section is Section.UNDO and step.status is Status.PASSED}
    for row in run.rows:
        step = row.step
        if step.section is not Section.UNDO and _has_started(row) and f"undo/{step.key}" not in undone:
            yield step.key, step.status


def _has_started(row: TimedRow) -> bool:
    """A refusal speaks of its own call alone: the one before may have started something."""
    calls = (span for span in row.spans if span.kind is SpanKind.CALL and span.effect == "once")
    return any(span.why not in _NOTHING_BEGAN for span in calls)

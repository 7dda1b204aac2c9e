"""The attempts of rows that failed before the last attempt, from the events of a run."""

from collections.abc import Iterable
from typing import Final

from runner.runs.events import AttemptFailed, Line, StepStarted
from runner.runs.result import StepResult

READINGS: Final = frozenset(
    {
        *("read_rows", "read_row", "read_elements", "read_element_data", "read_schema"),
        *("find_process", "find_family", "find_hidden_family", "read_family", "who_am_i", "who_is_user"),
    }
)
"""Kinds of calls that ask the process log, or what it takes to read it."""
CALL_FAILURES: Final = frozenset({"not_sent", "turned_away", "refused", "unanswered"})
"""How a call may fail; an attempt also ends where an expectation is not met."""


def failures_by_row(lines: Iterable[Line]) -> dict[str, list[AttemptFailed]]:
    """What failed in each row since it last began, by the row's key, in order."""
    found: dict[str, list[AttemptFailed]] = {}
    for line in lines:
        event = line.event
        if type(event) is StepStarted:
            found.pop(event.row.key, None)
        elif type(event) is AttemptFailed and (event.kind in CALL_FAILURES or event.kind == "expectation"):
            found.setdefault(event.key, []).append(event)
    return found


def earlier_failures(step: StepResult, failures: dict[str, list[AttemptFailed]]) -> list[AttemptFailed]:
    """The failed attempts of a row before its last attempt. A reading that failed within an attempt adds none."""
    return failures.get(step.key, [])[: max(step.attempts - 1, 0)]

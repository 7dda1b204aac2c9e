"""How sure a row is that passed: events say why nothing proves it, and of those of earlier versions its kind does."""

from collections.abc import Callable, Sequence

import pytest
from msgspec import UNSET, UnsetType

from runner.reports.spans import Sureness, timed
from runner.runs.events import AnyEvent, Line, Row, Section, StepFinished, StepStarted
from runner.runs.evidence import Unverified
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]


@pytest.mark.parametrize(
    ("kind", "unverified", "sureness"),
    [
        ("element", Unverified.NOT_SHOWN, Sureness.UNVERIFIED),
        ("element", Unverified.OFF, Sureness.UNVERIFIED),
        ("execute", Unverified.UNREADABLE, Sureness.UNVERIFIED),
        ("signal", Unverified.NOTHING, Sureness.NO_LOG),
        ("query", Unverified.NOTHING, Sureness.NO_LOG),
        ("execute", UNSET, Sureness.UNVERIFIED),
        ("element", UNSET, Sureness.NO_LOG),
    ],
)
def test_a_row_that_passed_is_as_sure_as_its_event_says(
    chain: Chain, kind: str, unverified: Unverified | UnsetType, sureness: Sureness
) -> None:
    row = Row(key="a", id="a", name="a", kind=kind, section=Section.STEPS, index=None, line=1)
    ending = StepFinished(key="a", t=1.0, status=Status.PASSED, seconds=1.0, attempts=1, unverified=unverified)
    (found,) = timed(chain([StepStarted(row=row, t=0.0), ending])).rows
    assert found.sureness is sureness

"""How sure a row is that passed: events say why nothing proves it."""

from collections.abc import Callable, Sequence

import pytest

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
    ],
)
def test_a_row_that_passed_is_as_sure_as_its_event_says(
    chain: Chain, kind: str, unverified: Unverified | None, sureness: Sureness
) -> None:
    row = Row(key="a", id="a", name="a", kind=kind, section=Section.STEPS, index=None, line=1)
    ending = StepFinished(key="a", t=1.0, status=Status.PASSED, seconds=1.0, attempts=1, unverified=unverified)
    (found,) = timed(chain([StepStarted(row=row, t=0.0), ending])).rows
    assert found.sureness is sureness

"""What is known of a start by itself: whether a call may have made it, and from when on a row may be its own."""

import pytest
from msgspec.structs import replace

from runner.engine.effects import SendDelay
from runner.engine.start_bounds import has_begun_nothing, left, may_have_begun
from runner.engine.state import Start, StartTime
from runner.runs.events import Trouble
from runner.service.calls import CallFailed, FailureKind


def failed(kind: FailureKind, status: int | None = None, *, unproved: bool = False) -> CallFailed:
    trouble = Trouble(code="E300", message="no")
    return CallFailed(kind=kind, trouble=trouble, status=status, unproved=unproved)


@pytest.mark.parametrize(
    ("failure", "may_have", "nothing"),
    [
        (failed(FailureKind.NOT_SENT), False, True),
        (failed(FailureKind.TURNED_AWAY, 401), False, False),
        (failed(FailureKind.REFUSED, 200), False, True),
        (failed(FailureKind.REFUSED, 200, unproved=True), True, False),
        (failed(FailureKind.REFUSED, 302, unproved=True), True, False),
        (failed(FailureKind.REFUSED, 400), False, True),
        (failed(FailureKind.REFUSED, 403), False, True),
        (failed(FailureKind.REFUSED, 403, unproved=True), True, False),
        (failed(FailureKind.REFUSED, 499), False, True),
        (failed(FailureKind.REFUSED, 500), False, True),
        (failed(FailureKind.REFUSED, 500, unproved=True), True, False),
        (failed(FailureKind.UNANSWERED, 404), True, False),
        (failed(FailureKind.UNANSWERED), True, False),
    ],
)
def test_whether_a_call_that_failed_may_have_started_its_process_and_whether_that_is_certain(
    failure: CallFailed, *, may_have: bool, nothing: bool
) -> None:
    assert (may_have_begun(failure), has_begun_nothing(failure)) == (may_have, nothing)


READY = Start(
    process="UsrA",
    key="a",
    marked=True,
    mark=None,
    marked_at=None,
    span=StartTime(since=1000.0, until=1120.0),
    sent=5.0,
    ends=120.0,
    breaks=0,
)


def test_a_call_that_leaves_late_has_all_of_its_time_later() -> None:
    late = left(READY, SendDelay(t=7.0, seconds=60.0))
    assert (late.span, late.sent, late.ends) == (StartTime(since=1060.0, until=1180.0), 7.0, 122.0)
    assert left(READY, None) is READY
    unbounded = replace(READY, span=StartTime())
    assert left(unbounded, SendDelay(t=7.0, seconds=60.0)).span == StartTime()

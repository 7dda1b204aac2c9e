"""What a run is doing now, with a clock that the test holds."""

from collections.abc import Callable, Sequence

import pytest

from runner.reports.spans import READINGS
from runner.reports.under_way import Alive
from runner.runs.events import (
    AnyEvent,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    Paused,
    Row,
    Section,
    StepFinished,
    StepStarted,
    Trouble,
)
from runner.runs.evidence import PauseReason
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]


def row(key: str, *, kind: str = "execute", name: str = "Charge") -> Row:
    return Row(key=key, id=key, name=name, kind=kind, section=Section.STEPS, index=None, line=1)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hearing(clock: Clock, chain: Chain, *events: AnyEvent) -> Alive:
    alive = Alive(clock)
    for line in chain(events):
        alive.event(line)
    return alive


SENT = CallSent(t=0, key="a", effect="once", call={"kind": "execute", "process": "UsrCharge"})
READ = CallSent(t=0, key="a", effect="read", call={"kind": "read_rows", "process": "UsrCharge"})


def test_the_innermost_row_is_the_current_one_with_its_beginning(clock: Clock, chain: Chain) -> None:
    alive = hearing(clock, chain, StepStarted(row=row("a"), t=0.0), StepStarted(row=row("a/b"), t=0.0))
    assert alive.current is not None
    assert (alive.current.row.key, alive.current.since) == ("a/b", 100.0)


def test_attempts_are_counted_and_readings_of_the_log_are_none(clock: Clock, chain: Chain) -> None:
    failed = AttemptFailed(key="a", t=1.0, kind="not_sent", error=Trouble(code="E305", message="no answer"))
    begun = (StepStarted(row=row("a"), t=0.0), READ, SENT, failed, READ)
    once, again = hearing(clock, chain, *begun).current, hearing(clock, chain, *begun, SENT).current
    assert once is not None
    assert again is not None
    assert (once.attempt, again.attempt) == (1, 2)


def awaited(alive: Alive) -> str:
    assert alive.current is not None
    return alive.current.waits_for


def test_what_is_waited_for_changes_with_what_is_sent(clock: Clock, chain: Chain) -> None:
    answered = CallAnswered(key="a", t=1.0, value=None)
    assert awaited(hearing(clock, chain, StepStarted(row=row("a"), t=0.0), SENT, answered)) == ""
    assert awaited(hearing(clock, chain, StepStarted(row=row("a"), t=0.0), SENT, answered, READ)) == "the process log"


def test_a_pause_that_the_site_asks_for_is_waited_for(clock: Clock, chain: Chain) -> None:
    later = AttemptFailed(
        key="a", t=1.0, kind="turned_away", error=Trouble(code="E310", message="429"), status=429, retry_after=30.0
    )
    begun = (StepStarted(row=row("a"), t=0.0), SENT, later)
    assert awaited(hearing(clock, chain, *begun)) == "the 30 s that the site asks for"


def test_while_the_log_is_looked_into_for_a_call_its_row_is_waited_for(clock: Clock, chain: Chain) -> None:
    answered = CallAnswered(key="a", t=1.0, value=[])
    begun = (StepStarted(row=row("a"), t=0.0), SENT, answered, READ, answered)
    for why, shown in ((PauseReason.SETTLE, "its row in the process log"), (PauseReason.RETRY, "")):
        paused = Paused(key="a", t=2.0, seconds=1.0, why=why)
        assert awaited(hearing(clock, chain, *begun, paused)) == shown


def test_a_step_that_has_ended_is_not_the_current_one(clock: Clock, chain: Chain) -> None:
    ended = StepFinished(key="a", t=1.0, status=Status.PASSED, seconds=1.0, attempts=1)
    assert hearing(clock, chain, StepStarted(row=row("a"), t=0.0), ended).current is None


@pytest.mark.parametrize("kind", sorted(READINGS))
def test_whatever_is_read_to_verify_a_call_is_waited_for_as_the_process_log(
    clock: Clock, chain: Chain, kind: str
) -> None:
    reading = CallSent(t=0, key="a", effect="read", call={"kind": kind, "process": "UsrCharge"})
    assert awaited(hearing(clock, chain, StepStarted(row=row("a"), t=0.0), reading)) == "the process log"

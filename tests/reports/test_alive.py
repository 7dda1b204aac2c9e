"""The line that says that a step lives, with a clock that the test holds."""

from collections.abc import Callable, Sequence

import pytest

from runner.reports.alive import EVERY, Alive
from runner.runs.events import AnyEvent, CallAnswered, CallSent, Line, Row, Section, Status, StepFinished, StepStarted

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


SENT = CallSent(key="a", effect="once", call={"kind": "execute", "process": "UsrCharge"})
READ = CallSent(key="a", effect="read", call={"kind": "read_rows", "process": "UsrCharge"})


def test_a_line_comes_each_thirty_seconds_and_says_what_is_waited_for(clock: Clock, chain: Chain) -> None:
    alive = hearing(clock, chain, StepStarted(row=row("a"), t=0.0), SENT)
    told = []
    for _ in range(91):
        told.append(alive.line())
        clock.now += 1
    assert [index for index, line in enumerate(told) if line] == [30, 60, 90]
    assert told[30] == "a  Charge: 30 s so far, waits for the answer to UsrCharge"
    assert told[90] == "a  Charge: 1 min 30 s so far, waits for the answer to UsrCharge"


def test_what_is_waited_for_changes_with_what_is_sent(clock: Clock, chain: Chain) -> None:
    answered = CallAnswered(key="a", t=1.0, value=None)
    assert hearing(clock, chain, StepStarted(row=row("a"), t=0.0), SENT, answered).waits_for == ""
    assert hearing(clock, chain, StepStarted(row=row("a"), t=0.0), SENT, answered, READ).waits_for == "the process log"


def test_a_step_that_has_ended_and_a_question_to_a_person_say_nothing(clock: Clock, chain: Chain) -> None:
    ended = StepFinished(key="a", t=1.0, status=Status.PASSED, seconds=1.0, attempts=1)
    over = hearing(clock, chain, StepStarted(row=row("a"), t=0.0), ended)
    asking = hearing(clock, chain, StepStarted(row=row("a", kind="confirm"), t=0.0))
    clock.now += 2 * EVERY
    assert (over.line(), asking.line()) == (None, None)


def test_of_rows_within_each_other_the_innermost_is_named_and_no_text_reaches_the_terminal_as_it_is(
    clock: Clock, chain: Chain
) -> None:
    nasty = row("a/b", name="\x1b[31mred\n::error::x")
    alive = hearing(clock, chain, StepStarted(row=row("a"), t=0.0), StepStarted(row=nasty, t=0.0))
    clock.now += EVERY
    line = alive.line()
    assert line is not None
    assert line.startswith("a/b")
    assert "\x1b" not in line
    assert "\n" not in line

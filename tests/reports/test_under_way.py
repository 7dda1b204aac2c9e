"""The runs of a command that are under way, with a clock that the test holds."""

from collections.abc import Callable, Sequence

import pytest

from runner.reports.under_way import MOST_LINES, UnderWay
from runner.runs.events import (
    AnyEvent,
    CallAnswered,
    CallSent,
    Line,
    Paused,
    Row,
    RunStatus,
    Section,
    StepFinished,
    StepStarted,
    Waited,
    WaitsFor,
)
from runner.runs.evidence import PauseReason
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
SENT = CallSent(t=0, key="a", effect="once", call={"kind": "execute", "process": "UsrCharge"})
ENDED = StepFinished(key="a", t=1.0, status=Status.PASSED, seconds=1.0, attempts=1)


def begins(key: str = "a", *, kind: str = "execute", name: str = "", most: int | None = None) -> StepStarted:
    row = Row(
        key=key,
        id=key,
        name=name or key,
        kind=kind,
        section=Section.STEPS,
        index=None,
        line=1,
        max_attempts=most,
    )
    return StepStarted(row=row, t=0.0)


class Command:
    """A command whose runs are called by their titles; `now` is its clock."""

    def __init__(self, chain: Chain, *, total: int = 1, prints_rows: bool = False) -> None:
        self.now = 0.0
        self._chain = chain
        self.runs = UnderWay(lambda: self.now, total=total, prints_rows=prints_rows)

    def begin(self, title: str, *events: AnyEvent) -> None:
        self.runs.begin(title, title)
        self.happens(title, *events)

    def happens(self, title: str, *events: AnyEvent) -> None:
        for line in self._chain(events):
            self.runs.event(title, line)

    def minutes_with_a_line(self, minutes: int) -> list[int]:
        found = []
        for minute in range(1, minutes + 1):
            self.now += 60
            if self.runs.line():
                found.append(minute)
        return found


def test_lines_come_after_silences_that_grow_to_ten_minutes(chain: Chain) -> None:
    command = Command(chain)
    command.begin("order@here", begins())
    assert command.minutes_with_a_line(40) == [1, 3, 7, 15, 25, 35]


def test_a_row_that_is_printed_breaks_the_silence(chain: Chain) -> None:
    printed, quiet = Command(chain, prints_rows=True), Command(chain)
    for command in (printed, quiet):
        command.begin("order@here", begins())
        assert command.minutes_with_a_line(1) == [1]
        command.happens("order@here", ENDED, begins("b"))
    assert (printed.minutes_with_a_line(2), quiet.minutes_with_a_line(2)) == ([1], [2])


@pytest.mark.parametrize(
    ("kind", "awaited"),
    [("element", "the element to be ready"), ("execute", "the end of the process"), ("wait", "the process")],
)
def test_the_line_says_what_a_row_looks_for_again_and_again(chain: Chain, kind: str, awaited: str) -> None:
    command = Command(chain)
    reading = CallSent(t=0, key="a", effect="read", call={"kind": "read_row", "process_id": "x"})
    answered = CallAnswered(key="a", t=1.0, value=[])
    command.begin("order@here", begins(kind=kind), reading, answered)
    command.happens("order@here", Paused(key="a", t=2.0, seconds=1.0, why=PauseReason.POLL), reading, answered)
    command.now += 60
    assert command.runs.line() == f"still running after 1 min: order@here  a, 1 min, waits for {awaited}"


def test_the_line_names_the_row_that_takes_longest_and_how_many_runs_are_done(chain: Chain) -> None:
    command = Command(chain, total=24)
    command.begin("gone@here", begins())
    command.runs.end("gone@here", RunStatus.FAILED)
    command.begin("order@here", begins(), SENT, SENT)
    command.now += 5
    command.begin("later@here", begins())
    command.now += 55
    assert command.runs.line() == (
        "still running after 1 min: order@here  a, attempt 2, 1 min, waits for the answer to UsrCharge, and 1 more; "
        "1 of 24 runs done, 1 failed"
    )


def test_a_single_run_is_not_counted_and_needs_no_title_on_a_terminal(chain: Chain) -> None:
    command = Command(chain)
    command.begin("order@here", begins())
    command.now += 60
    assert command.runs.line() == "still running after 1 min: order@here  a, 1 min"
    assert command.runs.lines() == ["a, 1 min"]


def test_the_line_has_the_time_of_the_run_and_that_of_its_row(chain: Chain) -> None:
    command = Command(chain)
    command.begin("order@here")
    command.now += 60
    command.happens("order@here", begins("b"))
    command.now += 120
    assert command.runs.line() == "still running after 3 min: order@here  b, 2 min"


def test_nothing_is_said_while_a_person_is_asked_or_between_rows(chain: Chain) -> None:
    asking, between = Command(chain), Command(chain)
    asking.begin("order@here", begins(kind="confirm"))
    between.begin("order@here", begins(), ENDED)
    assert (asking.minutes_with_a_line(5), between.minutes_with_a_line(5)) == ([], [])


def test_a_terminal_has_a_line_for_at_most_eight_runs(chain: Chain) -> None:
    command = Command(chain, total=24)
    for number in range(MOST_LINES + 3):
        command.begin(f"order{number}@here", begins())
    command.now += 12
    lines = command.runs.lines()
    assert len(lines) == MOST_LINES + 2
    assert lines[0] == "order0@here  a, 12 s"
    assert lines[-2:] == ["and 3 more", "0 of 24 runs done"]


def test_attempts_are_shown_with_how_many_there_may_be_and_waits_after_a_second(chain: Chain) -> None:
    command = Command(chain, total=2)
    command.begin("order@here", begins(most=3), SENT, SENT)
    assert command.runs.lines()[0] == "order@here  a, attempt 2 of 3"
    command.now += 12
    command.happens("order@here", Waited(key="a", t=1.0, what=WaitsFor.TURN))
    assert command.runs.lines()[0] == (
        "order@here  a, attempt 2 of 3, 12 s, waits for its turn: another run starts the same process"
    )
    command.happens("order@here", Waited(key="a", t=1.0, what=WaitsFor.RATE))
    assert command.runs.lines()[0].endswith("12 s, waits for the `rate` of the target")
    command.now += 48
    assert (command.runs.line() or "").startswith(
        "still running after 1 min: order@here  a, attempt 2 of 3, 1 min, waits"
    )


def test_runs_that_wait_for_a_lock_are_counted_by_its_name(chain: Chain) -> None:
    command = Command(chain, total=4)
    command.runs.wait_for_locks(["billing", "stock", "billing"])
    assert command.runs.done() == "0 of 4 runs done; 2 wait for lock billing; 1 waits for lock stock"


def test_a_run_that_has_not_reached_a_row_is_named(chain: Chain) -> None:
    command = Command(chain, total=2)
    command.begin("order@here")
    assert command.runs.lines() == ["order@here", "0 of 2 runs done"]


@pytest.mark.parametrize("title", ["\x1b[31mred@here", "a\n::error::b@here"])
def test_no_text_from_outside_reaches_a_terminal_as_it_is(chain: Chain, title: str) -> None:
    command = Command(chain, total=2)
    command.begin(title, begins(name="\x1b[31mred\n::error::x"))
    command.now += 60
    for line in (command.runs.line() or "", command.runs.lines()[0]):
        assert "@here" in line
        assert "\x1b" not in line
        assert "\n" not in line

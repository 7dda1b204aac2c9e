from collections.abc import Callable, Sequence

from large_runs import loop_of

from runner.reports.markdown import timeline
from runner.reports.spans import timed
from runner.runs.events import (
    AnyEvent,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    Paused,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFinished,
    StepSkipped,
    StepStarted,
    Trouble,
)
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
TROUBLE = Trouble(code="E205", message="no")


def drawn(lines: Sequence[Line]) -> list[str]:
    return timeline(timed(lines))


def test_a_row_is_a_bar_of_what_it_did_on_the_time_of_the_run(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    call = {"kind": "execute", "process": "A"}
    events: list[AnyEvent] = [
        start(),
        StepStarted(row=row("a"), t=0),
        CallSent(key="a", effect="read", call={"kind": "read_rows"}, t=0.0),
        CallAnswered(key="a", t=1, value=[]),
        CallSent(key="a", effect="idempotent", call=call, t=1.0),
        AttemptFailed(key="a", t=2, kind="refused", error=TROUBLE),
        Paused(key="a", t=3, seconds=1),
        CallSent(key="a", effect="idempotent", call=call, t=3.0),
        CallAnswered(key="a", t=4, value=None),
        StepFinished(key="a", t=4, status=Status.PASSED, seconds=4, attempts=2),
        StepSkipped(row=row("later"), reason="condition"),
        RunFinished(t=4, status=RunStatus.PASSED, exit_code=0),
    ]
    assert drawn(chain(events)) == [
        f"passed   a      4 s  |{'░' * 8}{'▒' * 8}{'─' * 8}{'█' * 8}|",
        f"skipped  later       |{' ' * 32}|",
    ]


def test_the_turns_of_a_loop_share_a_line(start: Callable[..., RunStarted], chain: Chain) -> None:
    (line,) = drawn(chain([start(), *loop_of(1000)]))
    assert line.startswith("passed  each, 1,000 turns  9 s  |")


def test_those_of_many_rows_that_did_not_pass_are_drawn_and_the_rest_is_counted(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    events: list[AnyEvent] = [start()]
    for number in range(60):
        status, error = (Status.FAILED, TROUBLE) if number == 55 else (Status.PASSED, None)
        ending = StepFinished(key=f"s{number}", t=number, status=status, seconds=1, attempts=1, error=error)
        events += [StepStarted(row=row(f"s{number}"), t=number), ending]
    lines = drawn(chain(events))
    assert len(lines) == 41
    assert [line.split()[1] for line in lines if line.startswith("failed")] == ["s55"]
    assert lines[-1] == "and 20 more"

from collections.abc import Callable, Sequence

from runner.reports import runs
from runner.reports.words import cleanup_left, undo_left
from runner.runs.events import (
    AnyEvent,
    Line,
    Row,
    RunClosing,
    RunFinished,
    RunStarted,
    RunStatus,
    Section,
    StepFinished,
    StepSkipped,
    StepStarted,
    Trouble,
)
from runner.runs.result import fold
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]


def test_runs_are_in_aligned_columns(story: list[AnyEvent], start: Callable[..., RunStarted], chain: Chain) -> None:
    passed = fold(chain([start(run="0193", case="宽"), RunFinished(t=65, status=RunStatus.PASSED, exit_code=0)]))
    broken = fold(chain(story[:3]))
    lost = fold([], run="0195")
    output = runs.table([runs.Listed(result=result) for result in (passed, broken, lost)])
    assert output.partition("\n\n")[0] + "\n" == (
        "STATUS   RUN                                   STARTED (UTC)        JOB                        TOOK\n"
        "passed   0193                                  2026-01-31 09:00:00  contact-smoke[宽]@sandbox  1 min 5 s\n"
        "unknown  0194d2a0-0000-7000-8000-000000000001  2026-01-31 09:00:00  contact-smoke@sandbox      0 ms       "
        "broke off; in doubt: add may or may not have happened\n"
        "error    0195                                                                                  0 ms       "
        "broke off before it began: nothing was sent; give its command once more\n"
    )


def test_no_runs_are_one_sentence() -> None:
    assert runs.table([]) == "no runs yet\n"


def test_what_a_stop_kept_finally_from_is_named_and_what_its_condition_skipped_is_not(
    start: Callable[..., RunStarted], chain: Chain, row: Callable[..., Row]
) -> None:
    def left(reason: str, status: RunStatus = RunStatus.CANCELLED) -> str:
        skipped = StepSkipped(row=row("back", section=Section.FINALLY), reason=reason)
        return cleanup_left(fold(chain([start(), skipped, RunFinished(t=1, status=status, exit_code=130)])))

    assert left("stopped") == "first do by hand what it left undone (back did not pass)"
    assert left("condition") == left("stopped", RunStatus.PASSED) == ""


def test_a_run_that_broke_off_while_it_cleaned_up_did_so_there_and_not_at_the_step_that_was_stopped(
    start: Callable[..., RunStarted], chain: Chain, row: Callable[..., Row]
) -> None:
    stopped = Trouble(code="E312", message="stopped by SIGINT", hint=None)
    ending = StepFinished(key="wait", t=1.0, status=Status.ERROR, seconds=1.0, attempts=1, error=stopped)
    events: list[AnyEvent] = [start(), StepStarted(row=row("wait"), t=0.0), ending, RunClosing(t=1.0, why="SIGINT")]
    cleaning = [*events, StepStarted(row=row("back", section=Section.FINALLY), t=1.0)]
    shown = [runs.table([runs.Listed(result=fold(chain(each)))]).partition("\n\n")[0] for each in (cleaning, events)]
    assert [line.rpartition("broke off")[2] for line in shown] == [" at back", ""]


def test_what_a_run_that_broke_off_has_not_cleaned_up_is_not_done_by_hand_since_resume_does_it(
    start: Callable[..., RunStarted], chain: Chain, row: Callable[..., Row]
) -> None:
    failed = Trouble(code="E301", message="no connection")
    ending = StepFinished(key="send", t=1.0, status=Status.ERROR, seconds=1.0, attempts=1, error=failed)
    events: list[AnyEvent] = [start(), StepStarted(row=row("send"), t=0.0), ending, RunClosing(t=1.0, why="stopped")]
    events.append(StepStarted(row=row("back", section=Section.FINALLY), t=1.0))
    undone = StepFinished(key="back", t=2.0, status=Status.ERROR, seconds=1.0, attempts=1, error=failed)
    ended = [*events, undone, RunFinished(t=2.0, status=RunStatus.ERROR, exit_code=3)]
    shown = [runs.table([runs.Listed(result=fold(chain(each)))]).partition("\n\n")[0] for each in (events, ended)]
    assert shown[0].rstrip().endswith("broke off at back; error at send: E301")
    assert shown[1].rstrip().endswith("error at send: E301; first do by hand what it left undone (back did not pass)")


def test_the_first_of_many_rows_that_undo_has_not_done_are_named(
    start: Callable[..., RunStarted], chain: Chain, row: Callable[..., Row]
) -> None:
    keys = [f"undo/add[{number}]" for number in range(300)]
    events: list[AnyEvent] = [start()]
    for key in keys:
        ending = StepFinished(key=key, t=1.0, status=Status.ERROR, seconds=0.0, attempts=0)
        events += [StepStarted(row=row(key, section=Section.UNDO), t=1.0), ending]
    left = undo_left(fold(chain([*events, RunFinished(t=1, status=RunStatus.ERROR, exit_code=3)])))
    assert left == f"{', '.join(keys[:5])} and 295 more did not pass"

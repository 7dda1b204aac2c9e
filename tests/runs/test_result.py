import pytest
from journals import RUN_STARTED
from msgspec.structs import replace

from runner.foundation.problems import ExitCode
from runner.runs.events import (
    FIRST_PREV,
    AnyEvent,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    LogUnreadable,
    Row,
    RunFinished,
    RunResumed,
    RunStatus,
    Section,
    StepFinished,
    StepSkipped,
    StepStarted,
    Trouble,
    UndoFinished,
    UndoStarted,
)
from runner.runs.result import Progress, RunResult, fold, tally, worst
from runner.runs.status import Status

START = replace(
    RUN_STARTED,
    job="orders",
    file="specs/orders.job.yaml",
    case="eu",
    inputs={"limit": 10},
    digest="sha256:aa",
    commit="0123",
    help="ask",
)
CUT = Trouble(code="E306", message="the connection broke")


def lines(*events: AnyEvent) -> list[Line]:
    return [Line(seq=n, at="", prev="", event=event, sha256=f"hash{n}") for n, event in enumerate(events, start=1)]


def folded(*events: AnyEvent) -> RunResult:
    return fold(lines(*events))


def begun(key: str, t: float = 0.0) -> StepStarted:
    row = Row(key=key, id=key, name=f"Do {key}", kind="execute", section=Section.STEPS, index=None, line=3, help="hm")
    return StepStarted(row=row, t=t)


def ended(key: str, status: Status, t: float = 1.0) -> StepFinished:
    return StepFinished(key=key, t=t, status=status, seconds=0.5, attempts=2)


def sent(key: str, effect: str = "once") -> CallSent:
    return CallSent(t=0, key=key, effect=effect, call={})


def failed(key: str, kind: str) -> AttemptFailed:
    return AttemptFailed(key=key, t=1.0, kind=kind, error=CUT)


def finished(status: RunStatus, code: int) -> RunFinished:
    return RunFinished(t=2.5, status=status, exit_code=code, outputs={"a": 1}, undo="complete")


def test_a_finished_run_is_what_its_last_event_says() -> None:
    result = folded(START, begun("add"), ended("add", Status.PASSED), finished(RunStatus.CANCELLED, 143))
    assert (result.status, result.exit_code, result.finished) == (RunStatus.CANCELLED, ExitCode.TERMINATED, True)
    assert (result.seconds, result.outputs, result.undo, result.error) == (2.5, {"a": 1}, "complete", None)
    assert (result.id, result.job, result.case, result.commit, result.help) == ("0194", "orders", "eu", "0123", "ask")
    assert result.events == "sha256:hash4"


def test_a_row_holds_what_was_known_before_and_after() -> None:
    (step,) = folded(START, begun("add"), ended("add", Status.PASSED)).steps
    assert (step.key, step.name, step.line, step.help) == ("add", "Do add", 3, "hm")
    assert (step.status, step.attempts, step.seconds) == (Status.PASSED, 2, 0.5)


def test_a_skipped_row_keeps_its_reason() -> None:
    (step,) = folded(START, StepSkipped(row=begun("add").row, reason="condition")).steps
    assert (step.status, step.reason, step.attempts) == (Status.SKIPPED, "condition", 0)


def test_a_run_that_only_passed_so_far_is_an_error_when_it_breaks_off() -> None:
    result = folded(START, begun("add"), ended("add", Status.PASSED))
    assert (result.status, result.exit_code, result.finished) == (RunStatus.ERROR, ExitCode.NO_ANSWER, False)
    assert result.error is not None
    assert (result.error.code, result.error.message) == ("E312", "the run broke off")


def test_no_lines_at_all_are_a_run_that_broke_off() -> None:
    result = fold([], run="0195")
    assert (result.id, result.job, result.status, result.steps) == ("0195", "", RunStatus.ERROR, ())
    assert result.events == f"sha256:{FIRST_PREV}"


def test_a_call_that_must_not_happen_twice_is_unknown_while_it_is_in_flight() -> None:
    result = folded(START, begun("add"), sent("add"))
    assert (result.status, result.exit_code) == (RunStatus.UNKNOWN, ExitCode.UNKNOWN)
    (step,) = result.steps
    assert step.status is Status.UNKNOWN
    assert step.error is not None
    assert step.error.code == "E401"


def test_a_call_that_may_be_repeated_leaves_no_doubt() -> None:
    (step,) = folded(START, begun("add"), sent("add", "idempotent")).steps
    assert step.status is Status.ERROR
    assert step.error is not None
    assert step.error.code == "E312"


def test_a_call_without_an_answer_stays_in_doubt_through_readings_of_the_log() -> None:
    reading = (sent("add", "read"), CallAnswered(key="add", t=1.0, value=[]))
    (step,) = folded(START, begun("add"), sent("add"), failed("add", "unanswered"), *reading).steps
    assert step.status is Status.UNKNOWN


def test_a_call_that_a_stop_kept_from_leaving_is_out_of_doubt() -> None:
    (step,) = folded(START, begun("add"), sent("add"), failed("add", "stopped")).steps
    assert step.status is Status.ERROR


def test_a_stop_after_a_call_without_an_answer_leaves_it_in_doubt() -> None:
    (step,) = folded(START, begun("add"), sent("add"), failed("add", "unanswered"), failed("add", "stopped")).steps
    assert step.status is Status.UNKNOWN


@pytest.mark.parametrize("kind", ["not_sent", "refused"])
def test_a_call_that_was_not_taken_is_out_of_doubt(kind: str) -> None:
    (step,) = folded(START, begun("add"), sent("add"), failed("add", kind)).steps
    assert step.status is Status.ERROR
    assert step.error is not None
    assert step.error.message == "the run broke off in this step"


def test_a_refusal_that_may_be_a_proxys_leaves_a_call_in_doubt() -> None:
    refusal = AttemptFailed(key="add", t=1.0, kind="refused", error=CUT, unproved=True)
    (step,) = folded(START, begun("add"), sent("add"), refusal).steps
    assert step.status is Status.UNKNOWN


def test_a_second_call_is_in_doubt_though_the_first_was_not_sent() -> None:
    (step,) = folded(START, begun("add"), sent("add"), failed("add", "not_sent"), sent("add")).steps
    assert (step.status, step.attempts) == (Status.UNKNOWN, 2)


def test_an_answered_call_that_was_not_judged_warns_against_starting_it_again() -> None:
    (step,) = folded(START, begun("add"), sent("add"), CallAnswered(key="add", t=1.0, value=1)).steps
    assert step.status is Status.ERROR
    assert step.error is not None
    assert "answered" in step.error.message
    assert step.error.hint is not None


def test_a_row_without_an_end_has_taken_the_time_that_was_reported() -> None:
    (step,) = folded(START, begun("add", 0.25), sent("add", "read"), CallAnswered(key="add", t=2.0, value=1)).steps
    assert (step.seconds, step.attempts) == (1.75, 1)


def test_rows_are_in_the_order_in_which_they_ended() -> None:
    events = (begun("chain"), begun("chain[0]"), ended("chain[0]", Status.PASSED), begun("chain[1]"))
    keys = [step.key for step in folded(START, *events).steps]
    assert keys == ["chain[0]", "chain[1]", "chain"]


def test_an_unreadable_log_is_remembered() -> None:
    assert folded(START, LogUnreadable(error=CUT)).log_unreadable == CUT


def test_a_call_of_no_known_row_is_still_in_doubt() -> None:
    result = folded(START, sent("add"))
    assert (result.status, [step.key for step in result.steps]) == (RunStatus.UNKNOWN, ["add"])


def test_an_exit_code_of_no_meaning_is_a_fault() -> None:
    assert folded(START, finished(RunStatus.PASSED, 99)).exit_code is ExitCode.FAULT


def test_progress_shows_the_row_that_is_under_way() -> None:
    progress = Progress()
    heard = [progress.take(line) for line in lines(START, begun("a"), begun("b"), ended("b", Status.PASSED))]
    assert [step.key for step in heard if step] == ["b"]
    running = progress.running()
    assert running is not None
    assert running.key == "a"


def test_a_tally_names_every_status() -> None:
    counts = tally(folded(START, begun("a"), ended("a", Status.FAILED)).steps)
    assert counts == {"passed": 0, "failed": 1, "error": 0, "skipped": 0, "unknown": 0}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([RunStatus.PASSED, RunStatus.FAILED], RunStatus.FAILED),
        ([RunStatus.FAILED, RunStatus.ERROR], RunStatus.ERROR),
        ([RunStatus.ERROR, RunStatus.CANCELLED], RunStatus.CANCELLED),
        ([RunStatus.CANCELLED, RunStatus.UNKNOWN], RunStatus.UNKNOWN),
        ([RunStatus.UNKNOWN, RunStatus.REFUSED], RunStatus.REFUSED),
        ([], None),
    ],
)
def test_the_worst_status_speaks_for_all(statuses: list[RunStatus], expected: RunStatus | None) -> None:
    assert worst(folded(START, finished(status, 0)) for status in statuses) is expected


def test_a_row_that_is_settled_later_keeps_its_place_and_what_was_known_of_it() -> None:
    before = (START, begun("add"), ended("add", Status.UNKNOWN), begun("see"), ended("see", Status.PASSED))
    settled = StepFinished(key="add", t=9.0, status=Status.PASSED, seconds=8.0, attempts=1, verified="inferred")
    first, second = folded(*before, finished(RunStatus.UNKNOWN, 4), RunResumed(t=5.0), settled).steps
    assert (first.key, first.name, first.line, first.help) == ("add", "Do add", 3, "hm")
    assert (first.status, first.verified, first.error) == (Status.PASSED, "inferred", None)
    assert second.key == "see"


def test_a_run_that_broke_off_after_its_doubt_was_settled_has_not_ended() -> None:
    before = (START, begun("add"), ended("add", Status.UNKNOWN), finished(RunStatus.UNKNOWN, 4), RunResumed(t=5.0))
    settled = StepFinished(key="add", t=9.0, status=Status.PASSED, seconds=8.0, attempts=1)
    cut = folded(*before, settled)
    assert (cut.finished, cut.owes_undo) == (False, True)
    whole = folded(*before, settled, finished(RunStatus.PASSED, 0))
    assert (whole.finished, whole.owes_undo) == (True, False)


def test_a_row_that_ended_and_is_sent_again_is_in_doubt_again_under_its_own_name() -> None:
    before = (START, begun("add"), ended("add", Status.UNKNOWN), RunResumed(t=5.0))
    (step,) = folded(*before, sent("add")).steps
    assert (step.status, step.name, step.line) == (Status.UNKNOWN, "Do add", 3)


def test_readings_of_the_log_leave_a_row_that_ended_as_it_was() -> None:
    before = (START, begun("add"), ended("add", Status.UNKNOWN), RunResumed(t=5.0))
    assert folded(*before, sent("add", "read"), failed("add", "unanswered")).steps == folded(*before).steps


def test_the_later_end_of_a_run_takes_the_place_of_the_first() -> None:
    first, last = finished(RunStatus.UNKNOWN, 4), RunFinished(t=7.0, status=RunStatus.PASSED, exit_code=0, undo="none")
    result = folded(START, first, RunResumed(t=5.0), last)
    assert (result.status, result.exit_code, result.seconds) == (RunStatus.PASSED, ExitCode.PASSED, 7.0)
    assert (result.undo, result.outputs, result.finished) == ("none", {}, True)


def test_a_run_that_ended_in_doubt_stays_so_until_it_has_another_end() -> None:
    result = folded(START, begun("add"), finished(RunStatus.UNKNOWN, 4), RunResumed(t=5.0))
    assert (result.status, result.finished) == (RunStatus.UNKNOWN, True)


def test_it_is_counted_how_often_a_run_was_resumed() -> None:
    assert folded(START, begun("add")).resumed == 0
    assert folded(START, begun("add"), RunResumed(t=1.0), RunResumed(t=2.0)).resumed == 2


def test_the_time_of_a_run_goes_on_where_it_was_resumed() -> None:
    assert folded(START, begun("add"), RunResumed(t=4.0)).seconds == 4.0


@pytest.mark.parametrize(
    ("events", "undo"),
    [
        ([], "none"),
        ([UndoStarted(t=1.0)], "incomplete"),
        ([UndoStarted(t=1.0), UndoFinished(t=2.0, undo="complete")], "complete"),
        ([UndoStarted(t=1.0), UndoFinished(t=2.0, undo="incomplete")], "incomplete"),
    ],
)
def test_a_run_that_broke_off_says_how_far_it_was_undone(events: list[AnyEvent], undo: str) -> None:
    result = folded(START, begun("add"), ended("add", Status.PASSED), *events)
    assert (result.undo, result.finished) == (undo, False)


def test_the_end_of_a_run_says_how_far_it_was_undone() -> None:
    assert folded(START, UndoStarted(t=1.0), finished(RunStatus.FAILED, 1)).undo == "complete"


def test_a_run_whose_end_was_not_waited_for_is_cancelled_with_the_code_of_the_signal() -> None:
    given_up = failed("", "given_up")
    look = folded(START, begun("look"), sent("look", "read"), given_up)
    assert (look.status, look.exit_code) == (RunStatus.CANCELLED, ExitCode.INTERRUPTED)
    doubt = folded(START, begun("add"), sent("add"), given_up)
    assert (doubt.status, doubt.exit_code) == (RunStatus.UNKNOWN, ExitCode.INTERRUPTED)

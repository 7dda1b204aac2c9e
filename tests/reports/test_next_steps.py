"""What is said of a run that is not at its end, and the commands that it needs: words read at three in the morning."""

from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace
from transcripts import transcript

from runner.reports.console import lines
from runner.reports.next_steps import next_steps
from runner.reports.runs import Listed, table
from runner.reports.sentences import Detail
from runner.reports.transcript import so_far
from runner.runs import StoreName
from runner.runs.events import (
    AnyEvent,
    AttemptFailed,
    CallAnswered,
    CallSent,
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
from runner.runs.evidence import Confirmation, Starter, Unverified
from runner.runs.result import RunResult, fold
from runner.runs.status import Status

ID = "0194d2a0-0000-7000-8000-000000000001"
STORE = StoreName(".runner/runs")
FOLDER = f"{STORE}/{ID}"
Chain = Callable[[Sequence[AnyEvent]], list[Line]]
NO_ANSWER = Trouble(code="E305", message="no answer in 1.0 s")


class Story:
    """Journals of one step, cut off at a given place."""

    def __init__(self, chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]) -> None:
        self.chain = chain
        self.row = row
        self.begun: list[AnyEvent] = [start(), StepStarted(row=row("charge"), t=0.0)]
        self.sent: list[AnyEvent] = [*self.begun, CallSent(t=0, key="charge", effect="once", call={})]

    def ended(self, status: Status, *, key: str = "charge", code: str = "E401") -> list[AnyEvent]:
        error = Trouble(code=code, message="it may or may not have happened: no answer in 1.0 s")
        return [StepFinished(key=key, t=1.0, status=status, seconds=1.0, attempts=1, error=error)]

    def text(self, *more: AnyEvent, options: Detail | None = None) -> list[str]:
        return transcript(self.result(*more), options or Detail(place=FOLDER)).splitlines()

    def result(self, *more: AnyEvent) -> RunResult:
        return fold(self.chain([*self.sent, *more]), store=STORE)


@pytest.fixture
def story(chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]) -> Story:
    return Story(chain, start, row)


FINISHED = RunFinished(t=1.5, status=RunStatus.UNKNOWN, exit_code=4)
CLOSING = RunClosing(t=1.0, why="stopped")


def test_an_unknown_outcome_at_the_end_of_a_run_is_followed_by_the_two_commands_that_settle_it(story: Story) -> None:
    text = story.text(*story.ended(Status.UNKNOWN), CLOSING, FINISHED)
    assert text[-6:] == [
        "  exit 4: an outcome is unknown: the process log or a person must settle it",
        "  what next:",
        f"    runner reconcile {ID}",
        "      asks the process log again, and sends nothing else",
        f"    runner resume {ID} --step charge --as passed",
        "      if you have checked that it passed; `--as failed` if it failed or never began",
    ]
    assert "  in doubt: charge may or may not have happened" in text


def test_who_settles_a_run_whose_later_steps_were_left_out_is_not_promised_that_it_passes(story: Story) -> None:
    skipped = StepSkipped(row=story.row("mail"), reason="stopped", by="charge")
    text = story.text(*story.ended(Status.UNKNOWN), skipped, CLOSING, FINISHED)
    assert text[-1].endswith(
        "; the run ends `failed`, as steps were left out, and sends the `undo` of those that passed"
    )
    first_alone = story.text(*story.ended(Status.UNKNOWN), CLOSING, FINISHED)
    assert "left out" not in first_alone[-1]


def test_before_the_turning_point_a_verdict_may_be_to_begin_it_again(story: Story) -> None:
    text = story.text(AttemptFailed(key="charge", t=1.0, kind="unanswered", error=NO_ANSWER))
    assert text[-1].strip().startswith("if you have checked that it passed; ")
    assert text[-1].endswith("`--as failed` if it failed, `--as retry` if it never began")
    assert "  it broke off with a call in doubt" in text


def test_a_run_that_broke_off_with_a_call_in_doubt_is_not_ended_by_the_first_command(story: Story) -> None:
    steps = next_steps(story.result())
    assert steps[0].command == f"runner resume {ID} --hold"
    assert steps[0].does.endswith("; else the run waits for you: without `--hold` it would end there")
    assert steps[-1].command == f"runner resume {ID} --step charge --as passed --hold"
    closed = next_steps(story.result(*story.ended(Status.UNKNOWN), CLOSING))
    assert closed[0].command == f"runner resume {ID}"  # nothing can be begun again


def test_a_run_that_was_reported_to_wait_is_not_said_to_have_broken_off(story: Story) -> None:
    text = story.text(options=Detail(place=FOLDER, held=True))
    assert "  it waits here until the call in doubt is settled" in text
    resume = f"    runner resume {ID}"
    assert f"{resume} --hold" in text
    assert f"{resume} --step charge --as passed --hold" in text
    assert not [line for line in text if line.startswith("  it broke off")]


def test_a_run_that_was_left_for_a_person_to_settle_is_held_again_by_the_commands(story: Story) -> None:
    text = story.text(AttemptFailed(key="charge", t=1.0, kind="in_doubt", error=NO_ANSWER))
    assert "  it waits here until the call in doubt is settled" in text
    assert f"    runner resume {ID} --hold" in text
    assert f"    runner resume {ID} --step charge --as passed --hold" in text


def test_whether_a_run_of_a_fleet_is_held_again_its_worker_says_and_no_command(story: Story) -> None:
    held = story.result(AttemptFailed(key="charge", t=1.0, kind="in_doubt", error=NO_ANSWER))
    steps = next_steps(replace(held, store=StoreName("postgresql://db/runner", is_fleet=True)))
    assert [" --hold" in step.command for step in steps] == [False, False, False]


def test_where_the_job_needs_the_result_of_a_call_in_doubt_the_run_is_resumed_with_hold(
    story: Story, row: Callable[..., Row]
) -> None:
    needing = StepStarted(row=replace(row("charge"), needs_result=True), t=0.0)
    story.sent[1] = needing
    assert story.text()[-6:] == [
        f"    runner resume {ID} --hold",
        "      asks the process log; the run waits where the job needs a result, which the log does not have",
        f"    runner reconcile {ID}",
        "      asks the process log again, and sends nothing else",
        f"    runner resume {ID} --step charge --as passed --result 'JSON' --hold",
        "      if you have checked that it passed; `--as failed` if it failed, `--as retry` if it never began",
    ]
    assert "      hint: `runner resume --hold` looks for it in the process log" in "\n".join(story.text())
    closed = next_steps(story.result(*story.ended(Status.UNKNOWN), CLOSING))
    assert closed[0].command == f"runner resume {ID}"


@pytest.mark.parametrize(
    ("kind", "process", "words", "verdict"),
    [
        ("execute", "7d8f", "has begun, and nobody knows how it ended", "`--as failed` if it failed"),
        ("execute", None, "has begun, and nobody knows how it ended", "`--as failed` if it failed"),
        ("run", None, "may or may not have happened", "`--as failed` if it failed or never began"),
        ("element", "7d8f", "may or may not have happened", "`--as failed` if it failed or never began"),
    ],
)
def test_a_process_that_is_known_to_have_begun_is_called_so(
    story: Story, *, kind: str, process: str | None, words: str, verdict: str
) -> None:
    story.sent[1] = StepStarted(row=replace(story.row("charge"), kind=kind), t=0.0)
    running = Trouble(code="E208", message="the process still runs after 10 min")
    end = StepFinished(
        key="charge", t=1.0, status=Status.UNKNOWN, seconds=1.0, attempts=1, error=running, process_id=process
    )
    text = story.text(end, CLOSING, FINISHED)
    assert f"  in doubt: charge {words}" in text
    assert text[-1].endswith(f"; {verdict}")


def test_where_the_result_was_lost_a_verdict_needs_one(story: Story) -> None:
    result = story.result(*story.ended(Status.UNKNOWN, code="E402"), CLOSING, FINISHED)
    known, unknown = next_steps(result)
    assert known.command == f"runner resume {ID} --step charge --as passed --result 'JSON'"
    assert known.does == "if you know its result, as JSON; without `--result` where only `outputs` of the job need it"
    assert unknown.command == f"runner resume {ID} --step charge --as failed"
    assert unknown.does == "if you do not know it: the run ends without it, and does not undo `charge`"
    assert "in doubt: charge happened, but the result is lost\n" in transcript(result, Detail())


def test_a_verdict_is_on_the_part_and_not_on_the_whole_and_its_key_can_be_typed(story: Story) -> None:
    parts: list[AnyEvent] = [
        StepStarted(row=story.row("approve"), t=0.0),
        StepStarted(row=story.row("approve[1]"), t=0.0),
        *story.ended(Status.UNKNOWN, key="approve[1]"),
        *story.ended(Status.UNKNOWN, key="approve"),
    ]
    result = story.result(*story.ended(Status.PASSED), *parts, CLOSING, FINISHED)
    assert next_steps(result)[1].command == f"runner resume {ID} --step 'approve[1]' --as passed"
    assert "  in doubt: approve[1] may or may not have happened" in transcript(result, Detail()).splitlines()


def test_the_first_of_several_rows_in_doubt_is_named_and_the_others_are_not_forgotten(story: Story) -> None:
    other = [StepStarted(row=story.row("cleanup"), t=1.0), *story.ended(Status.UNKNOWN, key="cleanup")]
    _, verdict = next_steps(story.result(*story.ended(Status.UNKNOWN), CLOSING, *other, FINISHED))
    assert "--step charge" in verdict.command
    assert verdict.does.endswith("; then the same for each row in doubt")


ANSWERED = CallAnswered(key="charge", t=0.5, value=1)


def test_a_run_that_broke_off_without_a_doubt_is_resumed(story: Story) -> None:
    text = story.text(ANSWERED)
    assert text[-3:] == [
        "  what next:",
        f"    runner resume {ID}",
        "      goes on where it broke off; calls that were answered are not sent again",
    ]
    assert "  it broke off during its steps: `undo` and `finally` are not done" in text


def test_after_the_turning_point_resume_only_cleans_up(story: Story) -> None:
    text = story.text(ANSWERED, *story.ended(Status.PASSED), CLOSING)
    assert text[-1] == "      finishes `undo` and `finally`; its steps are over and are not carried out again"
    assert "  it broke off after its steps, before `undo` and `finally` had ended" in text


def test_a_run_that_is_settled_needs_nothing(story: Story) -> None:
    failed = RunFinished(t=1.5, status=RunStatus.FAILED, exit_code=1)
    result = story.result(ANSWERED, *story.ended(Status.FAILED), CLOSING, failed)
    assert next_steps(result) == ()
    assert "what next" not in transcript(result, Detail())


def test_a_run_without_a_first_event_has_sent_nothing_and_needs_nothing() -> None:
    result = fold([], run=ID)
    assert next_steps(result) == ()
    assert (
        "  it broke off before it began: nothing was sent; if its command began other runs, do what `runner runs` "
        "says of them; else give the command once more\n" in transcript(result, Detail())
    )


def test_a_run_whose_first_event_is_lost_is_not_said_to_have_sent_nothing(story: Story) -> None:
    assert "nothing was sent" not in transcript(fold(story.chain(story.sent)[1:], run=ID), Detail())


@pytest.mark.parametrize(
    ("store", "where"),
    [
        (STORE, ""),
        (None, ""),
        (StoreName("/var/lib/my runs"), " --runs '/var/lib/my runs'"),
        (StoreName("kept"), " --runs kept"),
        (StoreName("postgresql://db/runner", is_fleet=True), " --db postgresql://db/runner"),
    ],
)
def test_the_commands_name_the_folder_of_runs_where_it_is_not_the_usual_one(
    story: Story, store: StoreName | None, where: str
) -> None:
    commands = [step.command for step in next_steps(replace(story.result(ANSWERED), store=store))]
    assert commands == [f"runner resume {ID}{where}"]


def test_commands_are_left_out_where_nobody_wants_them(story: Story) -> None:
    assert "what next" not in "".join(story.text(options=Detail(advice=False)))


def test_a_run_that_is_under_way_is_reported_as_far_as_it_is_and_nothing_is_concluded(story: Story) -> None:
    text = lines(so_far(story.chain(story.sent), Detail()), encoding="utf-8")
    assert text.splitlines()[-1] == "still going on: contact-smoke@sandbox, now at charge"
    assert "broke off" not in text
    assert "unknown" not in text


def test_what_was_not_undone_is_named(story: Story, row: Callable[..., Row]) -> None:
    undo: list[AnyEvent] = [
        StepStarted(row=row("undo/charge", section=Section.UNDO), t=1.0),
        *story.ended(Status.FAILED, key="undo/charge"),
        RunFinished(t=2.0, status=RunStatus.FAILED, exit_code=1, undo="incomplete"),
    ]
    text = story.text(*story.ended(Status.PASSED), CLOSING, *undo)
    assert "  undo: incomplete: undo/charge did not pass" in text


@pytest.mark.parametrize(("process_id", "left"), [(None, ": undo/charge started, not known to be done"), ("p", "")])
def test_an_undo_whose_process_had_not_ended_is_named_unless_undo_has_waited_for_it(
    story: Story, row: Callable[..., Row], process_id: str | None, left: str
) -> None:
    ending = StepFinished(key="undo/charge", t=1.0, status=Status.PASSED, seconds=1.0, attempts=1, process_id="p")
    waiting = replace(ending, key="undo/wait", process_id=process_id)
    undo: list[AnyEvent] = [
        StepStarted(row=row("undo/charge", section=Section.UNDO), t=1.0),
        replace(ending, running=True),
        StepStarted(row=replace(row("undo/wait", section=Section.UNDO), kind="wait"), t=1.0),
        waiting,
        RunFinished(t=2.0, status=RunStatus.FAILED, exit_code=1, undo="incomplete"),
    ]
    text = story.text(*story.ended(Status.PASSED), CLOSING, *undo)
    assert f"  undo: incomplete{left}" in text


@pytest.mark.parametrize(
    ("unverified", "left"),
    [
        (Unverified.UNREADABLE, ": undo/charge not verified"),
        (Unverified.NOT_SHOWN, ": undo/charge not verified"),
        (Unverified.OFF, ""),
        (None, ""),
    ],
)
def test_an_undo_that_the_log_does_not_prove_is_named(
    story: Story, row: Callable[..., Row], unverified: Unverified | None, left: str
) -> None:
    ending = StepFinished(key="undo/charge", t=1.0, status=Status.PASSED, seconds=1.0, attempts=1)
    undo: list[AnyEvent] = [
        StepStarted(row=row("undo/charge", section=Section.UNDO), t=1.0),
        replace(ending, unverified=unverified),
        RunFinished(t=2.0, status=RunStatus.FAILED, exit_code=1, undo="complete"),
    ]
    text = story.text(*story.ended(Status.PASSED), CLOSING, *undo)
    assert f"  undo: complete{left}" in text


def test_what_has_passed_without_an_undo_is_named_beside_an_undo_that_is_complete(
    story: Story, row: Callable[..., Row]
) -> None:
    """`look` only reads, `order/add` is a part of a step that is undone, `pay` is undone by a list of steps.

    Of the steps of an included job each counts by itself.
    """
    changed = ("order/add", "pay", "mail[0]", "mail[1]", "inc/a", "inc/b")
    changing = [replace(row(key), effect="once") for key in changed]
    steps = [replace(row("look"), effect="read"), *changing]
    undo = [row(f"undo/{key}", section=Section.UNDO) for key in ("inc/a", "pay/back", "order")]
    passed: list[AnyEvent] = []
    for each in (*steps, *undo):
        ending = StepFinished(key=each.key, t=1.0, status=Status.PASSED, seconds=1.0, attempts=1)
        passed += [StepStarted(row=each, t=1.0), ending]
    end = RunFinished(t=2.0, status=RunStatus.FAILED, exit_code=1, undo="complete")
    text = story.text(*story.ended(Status.FAILED), *passed, CLOSING, end)
    assert "  undo: complete: mail[0], mail[1], inc/b passed without an `undo`: what they did stays" in text


def test_the_list_of_runs_says_what_each_open_one_needs_but_for_those_that_no_command_settles(story: Story) -> None:
    open_run = story.result(*story.ended(Status.UNKNOWN), CLOSING, FINISHED)
    broken, mixed = story.result(ANSWERED), story.result(ANSWERED)
    assert table(
        [
            Listed(result=broken, is_running=True),
            Listed(result=open_run),
            Listed(result=mixed, changed=True),
        ]
    ) == (
        "STATUS   RUN                                   STARTED (UTC)        JOB                    TOOK\n"
        f"running  {ID}  2026-01-31 09:00:00  contact-smoke@sandbox\n"
        f"unknown  {ID}  2026-01-31 09:00:00  contact-smoke@sandbox  1.5 s   "
        "in doubt: charge may or may not have happened\n"
        f"error    {ID}  2026-01-31 09:00:00  contact-smoke@sandbox  500 ms  "
        "its events were changed\n"
        "\nwhat contact-smoke@sandbox of 2026-01-31 09:00:00 needs next:\n"
        f"  runner reconcile {ID}\n      asks the process log again, and sends nothing else\n"
        f"  runner resume {ID} --step charge --as passed\n"
        "      if you have checked that it passed; `--as failed` if it failed or never began\n"
    )


def test_the_commands_of_many_open_runs_do_not_push_the_list_out_of_sight(story: Story) -> None:
    text = table([Listed(result=story.result(ANSWERED))] * 12)
    assert text.count("runner resume 0194") == 10
    assert (
        "\n2 more are open; `runner show RUN` says what each needs next; `runner resume RUN --together --hold` goes"
        in text
    )


def test_the_commands_of_protected_targets_come_first(story: Story) -> None:
    result = story.result(ANSWERED)
    of_prod = replace(
        result,
        target=replace(result.target, name="prod"),
        begun_by=Starter(user="ada@host", confirmed=Confirmation.OPTION),
    )
    text = table([Listed(result=result), Listed(result=of_prod)])
    assert text.index("--confirm prod") < text.index("what contact-smoke@sandbox")

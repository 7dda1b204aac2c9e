"""A call that must not happen twice and was not answered: how it is looked for, and what may be said of it."""

import pytest
from msgspec.structs import replace
from stories import World, not_sent, planned, refused, unanswered

from runner.engine.effects import Send
from runner.engine.verdict import STILL_RUNS
from runner.foundation.values import Json, JsonObject
from runner.runs.events import AttemptFailed, StepStarted, Trouble
from runner.service.calls import CallFailed, Ending, ExecuteCall, FailureKind, RunProcessCall
from runner.targets.model import Times

ONE = "  - id: a\n    execute: {process: UsrA}\n"
WITH_RESULT = "  - id: a\n    execute: {process: UsrA, result: Out}\n"
THEN = "  - id: b\n    execute: {process: UsrB}\n    verify: none\n"
ELEMENT = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"


def row_id(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"


def lost(*verdicts: JsonObject, late_rows: int = 0) -> World:
    """A site that does not answer its first call; with `late_rows` the log shows the start only after so many looks."""
    return World(
        answers=[unanswered()], lost=late_rows == 0, late_rows=late_rows, verdicts=[*verdicts], call_seconds=0.0
    )


def trouble_of(world: World, key: str = "a") -> Trouble:
    error = world.finished(key).error
    assert error
    return error


def test_the_log_is_read_at_once_after_a_fifth_of_the_time_and_at_its_end() -> None:
    world = lost().carry_out(planned(ONE))
    assert world.story == [
        "begin a",
        "send read watermark",
        "send execute UsrA",
        "send who am i",
        "send read rows",
        "pause 3",
        "send read rows",
        "pause 12",
        "send read rows",
        "judge a",
        "end a unknown",
        "closing stopped",
        "finished unknown 4",
        "judge a later",
    ]


def test_the_target_says_how_long_the_log_is_waited_for() -> None:
    assert lost().carry_out(replace(planned(ONE), times=Times(settle=50.0))).pauses == [10.0, 40.0]


def test_the_time_that_a_reading_takes_is_no_longer_waited_for() -> None:
    world = World(answers=[unanswered()], lost=True, needs={"who am i": 2.0, "read rows": 6.0})
    assert world.carry_out(planned(ONE)).pauses == [1.0]


@pytest.mark.parametrize(("late_rows", "pauses"), [(1, [3.0]), (2, [3.0, 12.0])])
def test_a_start_that_the_log_shows_late_is_found_by_the_next_reading(late_rows: int, pauses: list[float]) -> None:
    world = lost(late_rows=late_rows).carry_out(planned(ONE))
    assert (world.finished("a").status, world.finished("a").verified) == ("passed", "inferred")
    assert (world.finished("a").process_id, world.pauses) == (row_id(1), pauses)


def test_a_doubt_says_what_is_known_and_what_settles_it() -> None:
    said = trouble_of(lost().carry_out(planned(ONE)))
    assert said.code == "E401"
    assert said.message == (
        "it may or may not have happened: no answer within 100 s; "
        "the process log shows no start of it so far, and a start may still appear there"
    )
    assert said.hint
    assert "reconcile" in said.hint
    assert "resume --as" in said.hint


def test_starts_from_before_the_call_are_no_candidates() -> None:
    world = lost()
    world.add_row("UsrA", "done")
    world.add_row("UsrA", "error")
    assert world.carry_out(planned(ONE)).finished("a").status == "unknown"


def test_a_start_of_an_earlier_step_is_no_candidate() -> None:
    steps = ONE + ONE.replace("id: a", "id: b")
    world = World(answers=[None, unanswered()]).carry_out(planned(steps))
    assert [world.finished(key).process_id for key in ("a", "b")] == [row_id(1), row_id(2)]

    class Forgets(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            if not self.rows:
                super().add_row(process, status, owner=owner, parent=parent)

    assert Forgets(answers=[None, unanswered()]).carry_out(planned(steps)).finished("b").status == "unknown"


def test_starts_of_another_owner_are_no_candidates() -> None:
    world = World(answers=[unanswered()], statuses=["error"], crowd=["done", "done"]).carry_out(planned(ONE))
    assert (world.finished("a").status, world.finished("a").verified) == ("failed", "inferred")
    alone = World(answers=[unanswered()], owner="somebody else").carry_out(planned(ONE))
    assert alone.finished("a").status == "unknown"


def test_where_nobody_knows_who_we_are_nothing_is_inferred() -> None:
    world = World(answers=[unanswered()], owner=None).carry_out(planned(ONE))
    assert world.finished("a").status == "unknown"
    assert "whether it is ours nobody knows, as the site does not say who we are" in trouble_of(world).message
    assert (world.sent.count("who am i"), world.sent.count("who is user")) == (1, 1)


def test_where_the_site_gives_no_process_log_only_a_person_can_settle_a_call() -> None:
    for status, sentence in ((404, "the site gives no process log"), (403, "the process log is not read")):
        world = World(answers=[unanswered()], log=refused(status)).carry_out(planned(ONE))
        trouble = trouble_of(world)
        assert sentence in trouble.message
        assert ("`reconcile` cannot settle it" in (trouble.hint or "")) is (status == 404)


def test_several_starts_that_may_be_it_are_counted_and_none_is_taken() -> None:
    world = World(answers=[unanswered()])
    world.crowd = ["done", "error"]
    world.owner = "them"
    world.carry_out(planned(ONE))
    assert world.finished("a").process_id is None
    assert "shows 2 starts that may be it" in trouble_of(world).message


def test_of_several_starts_the_run_is_named_that_may_have_made_another_of_them() -> None:
    world = World(answers=[unanswered()], crowd=["done", "done"], owner="them")
    until = {"began": "2026-01-31T09:00:00Z", "until": "2026-01-31T09:01:00Z", "folder": None}
    world.others = {"taken": [], "rival": True, "by": {"run": "0193a0c4", "step": "b", **until}}
    message = trouble_of(world.carry_out(planned(ONE))).message
    assert "shows 2 starts that may be it; another run (0193a0c4, step `b`, begun at " in message
    assert ") may have made one of them; if `runner show 0193a0c4` prints a command, settle that run first" in message


@pytest.mark.parametrize(("first", "is_over"), [("done", True), ("running", False)])
def test_several_starts_of_ours_that_have_ended_are_no_business_of_the_log(first: str, *, is_over: bool) -> None:
    class Repeats(World):
        def _execute(self, call: ExecuteCall) -> Ending:
            self.add_row(call.process, "done")
            return super()._execute(call)

    world = Repeats(answers=[unanswered()], statuses=[first]).carry_out(planned(ONE))
    assert "shows 2 starts that may be it" in trouble_of(world).message
    hint = trouble_of(world).hint or ""
    assert ("`reconcile` cannot settle it; where a gateway repeats calls" in hint) == is_over
    assert (world.finished("a").unverified == "by_hand") == is_over


def test_a_log_that_refuses_is_not_waited_for() -> None:
    world = World(answers=[unanswered()], log=refused(403)).carry_out(planned(ONE))
    assert world.pauses == []
    assert "the process log is not read" in trouble_of(world).message


def test_a_log_that_refuses_after_the_call_is_not_waited_for_either() -> None:
    class Closing(World):
        def _next(self) -> Ending:
            self.log = refused(403)
            return super()._next()

    world = Closing(answers=[unanswered()]).carry_out(planned(ONE))
    assert world.pauses == []
    assert world.finished("a").status == "unknown"


def test_a_log_that_is_not_answered_is_asked_at_each_of_the_three_times() -> None:
    class Closing(World):
        def _next(self) -> Ending:
            self.log = unanswered("the log does not answer")
            return super()._next()

    world = Closing(answers=[unanswered()], call_seconds=0.0).carry_out(planned(ONE))
    assert world.sent.count("read rows") == 9
    assert "the process log could not be read" in trouble_of(world).message


def test_without_verification_nothing_is_searched_for() -> None:
    world = World(answers=[unanswered()]).carry_out(planned(ONE + "    verify: none\n"))
    assert world.sent == ["execute UsrA"]
    assert world.finished("a").status == "unknown"


def test_an_element_in_doubt_is_unknown_at_once() -> None:
    step = f"  - id: a\n    element: {{uid: {ELEMENT}, parameters: {{X: 1}}}}\n"
    world = World(answers=[unanswered()]).carry_out(planned(step))
    assert (world.sent, world.pauses, world.end.exit_code) == (["complete 7d8f6f3e"], [], 4)


class Starts(World):
    """A site on which also a `run` that is not answered leaves a row."""

    def _run(self, call: RunProcessCall) -> Ending:
        self.add_row(call.process, "running")
        return super()._run(call)


@pytest.mark.parametrize("action", ["run", "execute"])
@pytest.mark.parametrize(
    ("others", "status", "why"),
    [
        ({"taken": [], "rival": False}, "passed", ""),
        (
            {"taken": [], "rival": True},
            "unknown",
            f"a start that another run may have made: {row_id(1)} (",
        ),
        ({"taken": [row_id(1)], "rival": False}, "unknown", "the process log shows no start of it"),
        ({"taken": [row_id(1)], "rival": True}, "unknown", "the process log shows no start of it"),
    ],
)
def test_a_start_that_is_or_may_be_that_of_another_run_is_not_taken(
    action: str, others: JsonObject, status: str, why: str
) -> None:
    made = planned(f"  - id: a\n    {action}: {{process: UsrA}}\n")
    world = Starts(answers=[unanswered()], later=["done"], others=others).carry_out(made)
    assert world.finished("a").status == status
    assert not why or why in trouble_of(world).message


def test_a_run_without_an_answer_is_searched_for_like_an_execute() -> None:
    step = "  - id: a\n    run: {process: UsrA}\n"
    world = Starts(answers=[unanswered()], later=["running", "done"]).carry_out(planned(step))
    assert (world.finished("a").status, world.finished("a").verified) == ("passed", "inferred")
    assert world.sent.count("run UsrA") == 1
    started = Starts(answers=[unanswered()]).carry_out(planned(step.replace("UsrA", "UsrA, until: started")))
    assert (started.finished("a").status, "read row" in started.sent) == ("passed", False)


def test_the_attempts_before_that_did_not_leave_make_no_difference() -> None:
    world = World(answers=[not_sent(), not_sent(), unanswered()]).carry_out(planned(ONE))
    found = world.finished("a")
    assert (found.status, found.verified, found.attempts, found.flaky) == ("passed", "inferred", 3, False)


def test_expectations_that_do_not_need_the_result_are_judged_over_what_the_log_says() -> None:
    step = ONE + "    expect: [process_status == 'done']\n    outputs: {id: process_id}\n"
    world = World(answers=[unanswered()]).carry_out(planned(step))
    assert world.finished("a").outputs == {"id": row_id(1)}
    failed = World(answers=[unanswered()]).carry_out(planned(step.replace("'done'", "'error'")))
    assert (failed.finished("a").status, failed.end.exit_code) == ("failed", 1)


NEEDS = {
    "an expectation": WITH_RESULT + "    expect: [result == 1]\n",
    "a schema": WITH_RESULT + "    expect: [{schema: {type: integer}}]\n",
    "a message": WITH_RESULT + "    expect: [{that: 1 == seconds, message: 'it is {{ result }}'}]\n",
    "an output": WITH_RESULT + "    outputs: {out: result}\n",
    "its being required": WITH_RESULT.replace("Out", "Out, required: true"),
    "its own undo": WITH_RESULT + "    undo: {execute: {process: UsrU, parameters: {X: '{{ result }}'}}}\n",
    "a later parameter": WITH_RESULT + THEN.replace("UsrB", "UsrB, parameters: {X: '{{ steps.a.result }}'}"),
    "a later condition": WITH_RESULT + THEN + "    if: steps.a.result == 1\n",
    "a later loop": WITH_RESULT + THEN + "    for_each: steps.a.result\n",
    "the step as a whole": WITH_RESULT + THEN.replace("UsrB", "UsrB, parameters: {X: '{{ steps.a }}'}"),
    "the end": WITH_RESULT + "finally:\n" + THEN + "    if: steps.a.result == 1\n",
}


@pytest.mark.parametrize("steps", NEEDS.values(), ids=NEEDS.keys())
def test_who_needs_the_result_learns_that_it_is_lost(steps: str) -> None:
    world = World(answers=[unanswered()]).carry_out(planned(steps))
    assert (world.finished("a").status, trouble_of(world).code) == ("unknown", "E402")
    assert world.finished("a").process_id == row_id(1)
    assert "execute UsrB" not in world.sent


def test_a_step_whose_result_was_lost_says_how_long_it_took_and_not_its_process() -> None:
    class Quick(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            self.rows[0]["completed"] = self.rows[0]["started"]

    row = Quick(answers=[unanswered()]).carry_out(planned(NEEDS["an output"])).finished("a")
    assert (row.status, row.seconds > 0) == ("unknown", True)
    assert Quick(answers=[unanswered()]).carry_out(planned(ONE)).finished("a").seconds == 0


def test_why_an_answer_that_came_cannot_be_read_is_a_part_of_the_sentence() -> None:
    unreadable = CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E307", message="it makes no sense"))
    world = World(answers=[unreadable]).carry_out(planned(NEEDS["an output"]))
    found = trouble_of(world)
    assert found.message == f"it happened as process {row_id(1)}, but it makes no sense, and this job needs the result"
    row = World(answers=[unreadable]).carry_out(planned(ONE)).finished("a")
    assert (row.status, row.verified) == ("passed", "inferred")
    assert row.warnings[-1].startswith("inferred (it makes no sense): another program")


@pytest.mark.parametrize("steps", NEEDS.values(), ids=NEEDS.keys())
def test_a_row_whose_result_is_needed_says_so_before_its_call_is_sent(steps: str) -> None:
    assert needing_a_result(steps) == ["a"]


@pytest.mark.parametrize(
    "steps", [ONE + THEN, WITH_RESULT, WITH_RESULT + "    effect: read\n    expect: [result == 1]\n"]
)
def test_a_row_does_not_say_so_where_the_log_settles_all_that_is_needed(steps: str) -> None:
    assert needing_a_result(steps) == []


def needing_a_result(steps: str) -> list[str]:
    events = World().carry_out(planned(steps)).events
    rows = [event.row for event in events if isinstance(event, StepStarted)]
    return [row.key for row in rows if row.needs_result is True]


def test_what_knows_of_the_step_without_its_result_goes_on() -> None:
    steps = WITH_RESULT + THEN.replace("UsrB", "UsrB, parameters: {X: '{{ steps.a.status }} {{ steps.a.process_id }}'}")
    assert World(answers=[unanswered()]).carry_out(planned(steps)).end.exit_code == 0


def test_a_person_says_that_it_passed_and_the_run_goes_on() -> None:
    world = lost({"as": "passed"}).carry_out(planned(ONE + THEN))
    assert world.statuses_of_rows() == {"a": "passed", "b": "passed"}
    assert (world.finished("a").verified, world.end.exit_code) == (None, 0)
    assert "the verdict of somebody" in world.finished("a").warnings[0]


def test_a_person_says_that_it_failed_and_the_run_ends_so() -> None:
    world = lost({"as": "failed"}).carry_out(planned(ONE + THEN))
    assert world.statuses_of_rows() == {"a": "failed", "b": "skipped: stopped"}
    assert (trouble_of(world).code, world.end.exit_code) == ("E213", 1)


def test_what_a_person_calls_failed_is_treated_as_the_step_says() -> None:
    world = lost({"as": "failed"}).carry_out(planned(ONE + "    on_failure: ignore\n" + THEN))
    assert world.statuses_of_rows() == {"a": "failed", "b": "passed"}
    assert world.end.exit_code == 0


@pytest.mark.parametrize(("result", "status", "code"), [(42, "passed", 0), (41, "failed", 1)])
def test_a_result_that_is_handed_in_is_judged_like_any_other(result: int, status: str, code: int) -> None:
    step = WITH_RESULT + "    expect: [result == 42]\n    outputs: {half: result / 2}\n"
    world = lost({"as": "passed", "result": result}).carry_out(planned(step, rest="outputs: {r: steps.a.result}"))
    assert (world.finished("a").status, world.end.exit_code) == (status, code)
    assert [check.passed for check in world.finished("a").checks] == [status == "passed"]
    if status == "passed":
        assert (world.finished("a").outputs, world.end.outputs) == ({"half": 21.0}, {"r": 42})


def test_a_lost_result_that_only_an_output_of_the_job_needs_may_stay_unknown() -> None:
    world = World(answers=[unanswered()], verdicts=[{"as": "passed"}])
    world.carry_out(planned(WITH_RESULT + THEN, rest="outputs: {r: steps.a.result, b: steps.b.status}"))
    assert world.statuses_of_rows() == {"a": "passed", "b": "passed"}
    assert (world.end.exit_code, world.end.outputs) == (0, {"r": None, "b": "passed"})
    assert "its result was lost: `outputs` of the job that need it are null" in world.finished("a").warnings


def test_who_ends_a_run_without_a_lost_result_keeps_the_proof_that_it_happened() -> None:
    world = World(answers=[unanswered()], verdicts=[{"as": "failed"}])
    world.carry_out(planned(WITH_RESULT, rest="outputs: {r: steps.a.result}"))
    happened = f"it happened as process {row_id(1)}, and somebody ended the run without its result, which was lost"
    assert trouble_of(world).message == happened
    assert (world.finished("a").status, world.finished("a").process_id) == ("failed", row_id(1))


def test_a_null_that_is_handed_in_for_a_required_result_is_none() -> None:
    step = WITH_RESULT.replace("Out", "Out, required: true")
    world = lost({"as": "passed", "result": None}).carry_out(planned(step))
    assert (world.finished("a").status, trouble_of(world).code) == ("failed", "E206")


def test_a_person_who_hands_in_no_result_that_is_needed_is_asked_for_it() -> None:
    step = WITH_RESULT + "    expect: [result == 42]\n"
    world = lost({"as": "passed"}, {"as": "passed", "result": 42}).carry_out(planned(step))
    assert world.story.count("judge a") == 2
    assert world.finished("a").status == "passed"
    left = lost({"as": "passed"}).carry_out(planned(step))
    assert trouble_of(left).code == "E402"


def test_only_a_persons_word_sends_it_again() -> None:
    world = lost({"as": "retry"}).carry_out(planned(ONE + THEN))
    assert world.sent.count("execute UsrA") == 2
    assert world.finished("a").attempts == 2
    assert (world.finished("a").verified, world.end.exit_code) == (True, 0)


def test_a_call_that_was_repeated_and_is_lost_again_is_asked_about_again() -> None:
    world = World(answers=[unanswered(), unanswered()], lost=True, verdicts=[{"as": "retry"}])
    world.carry_out(planned(ONE))
    assert (world.story.count("judge a"), world.sent.count("execute UsrA")) == (2, 2)
    assert world.end.exit_code == 4


def test_a_start_of_the_first_call_does_not_settle_the_second() -> None:
    """Both may have come through: the server's own time tells them apart."""
    verdicts: list[JsonObject] = [{"as": "retry", "even_though": True}]
    world = World(answers=[unanswered(), unanswered()], late_rows=3, verdicts=[*verdicts])
    world.carry_out(planned(ONE))
    assert (world.finished("a").verified, world.finished("a").process_id) == ("inferred", row_id(2))
    silent = World(answers=[unanswered(), unanswered()], late_rows=3, verdicts=[*verdicts], tells_time=False)
    assert "2 starts" in trouble_of(silent.carry_out(planned(ONE))).message


def test_a_call_that_the_log_shows_by_now_is_not_sent_again_on_a_persons_word_alone() -> None:
    world = lost({"as": "retry"}, late_rows=3).carry_out(planned(ONE))
    assert world.sent.count("execute UsrA") == 1
    (*_, ended) = (event for event in world.events if isinstance(event, AttemptFailed))
    assert (ended.kind, ended.error.code) == ("in_doubt", "E403")
    assert f"the process log shows a start that may be it: {row_id(1)}" in ended.error.message
    assert ended.error.message.count("it may or may not have happened") == 1
    assert world.story[-1] == "judge a"


def test_a_call_that_is_known_to_have_happened_stays_so_where_a_repetition_is_refused() -> None:
    step = WITH_RESULT + "    expect: [result == 42]\n"
    verdicts: list[JsonObject] = [{"as": "retry"}, {"as": "unknown"}]
    world = World(answers=[unanswered()], verdicts=verdicts).carry_out(planned(step))
    assert (world.sent.count("execute UsrA"), world.story.count("judge a")) == (1, 2)
    doubts = [event.error for event in world.events if isinstance(event, AttemptFailed) and event.kind == "in_doubt"]
    assert len({*doubts, trouble_of(world)}) == 1
    assert trouble_of(world).message.startswith(f"it happened as process {row_id(1)}, but its answer was lost")
    assert "--even-though" not in (trouble_of(world).hint or "")


def test_a_person_who_knows_better_says_even_though() -> None:
    world = lost({"as": "retry", "even_though": True}, late_rows=3).carry_out(planned(ONE))
    assert world.sent.count("execute UsrA") == 2


def test_after_a_refused_repetition_the_log_or_another_word_settles_it() -> None:
    looked = lost({"as": "retry"}, {"as": "log"}, late_rows=3).carry_out(planned(ONE))
    assert (looked.finished("a").status, looked.finished("a").verified) == ("passed", "inferred")
    said = lost({"as": "retry"}, {"as": "failed"}, late_rows=3).carry_out(planned(ONE))
    assert (said.finished("a").status, said.sent.count("execute UsrA")) == ("failed", 1)


def test_a_log_that_cannot_be_read_at_that_moment_lets_nothing_be_sent_again() -> None:
    class Closing(World):
        def _next(self) -> Ending:
            self.log = unanswered("the log does not answer")
            return super()._next()

    world = Closing(answers=[unanswered()], verdicts=[{"as": "retry"}]).carry_out(planned(ONE))
    assert world.sent.count("execute UsrA") == 1
    assert world.story[-1] == "judge a"


def test_what_was_never_searched_for_is_searched_for_before_it_is_sent_again() -> None:
    step = ONE + "    verify: none\n"
    first = "  - id: z\n    execute: {process: UsrZ}\n    verify: none\n"
    ended = World(answers=[None, unanswered()], verdicts=[{"as": "retry"}]).carry_out(planned(first + step))
    assert ended.sent.count("execute UsrA") == 1
    silent = World(answers=[unanswered()], verdicts=[{"as": "retry"}], tells_time=False).carry_out(planned(step))
    assert silent.sent.count("execute UsrA") == 2


def test_another_look_at_the_log_sends_nothing_but_readings() -> None:
    world = lost({"as": "log"}, late_rows=3).carry_out(planned(ONE + THEN))
    assert world.sent.count("execute UsrA") == 1
    assert (world.finished("a").status, world.finished("a").verified) == ("passed", "inferred")
    assert world.statuses_of_rows()["b"] == "passed"


def test_a_look_that_finds_nothing_leaves_the_doubt_as_it_was() -> None:
    world = lost({"as": "log"}).carry_out(planned(ONE))
    assert trouble_of(world).message.count("it may or may not have happened") == 1
    assert trouble_of(world).message.count("the process log") == 1
    assert (world.pauses, world.sent.count("read rows")) == ([3.0, 12.0], 4)


class Ends(World):
    """A site whose process ends after somebody was asked how it ended."""

    def _row(self, process_id: str) -> Ending:
        if any("judge" in line for line in self.story):
            self.rows[0]["status"] = "done"
        return super()._row(process_id)


def test_another_look_at_a_process_that_still_ran_reads_its_own_row() -> None:
    step = "  - id: a\n    execute: {process: UsrA, until: done}\n    timeout: 3s\n"
    world = Ends(statuses=["running"], verdicts=[{"as": "log"}]).carry_out(planned(step))
    found = world.finished("a")
    assert (found.status, found.verified, found.process_id) == ("passed", True, row_id(1))


USES = THEN.replace("UsrB", "UsrB, parameters: {X: '{{ steps.a.result }}'}")
PARKED = {
    "execute": ("  - id: a\n    execute: {process: UsrA, result: Out}\n    timeout: 3s\n" + USES, 7),
    "run": (
        "  - id: a\n    run: {process: UsrA, results: [Out]}\n    timeout: 3s\n"
        + USES.replace("result }", "result.Out }"),
        {"Out": 7},
    ),
}


@pytest.mark.parametrize("word", ["log", "passed"])
@pytest.mark.parametrize(("steps", "answer"), PARKED.values(), ids=PARKED)
def test_a_call_that_was_answered_has_its_result_however_its_end_is_settled(
    steps: str, answer: Json, word: str
) -> None:
    world = Ends(answers=[answer], statuses=["running"], verdicts=[{"as": word}]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a": "passed", "b": "passed"}
    assert world.finished("a").result in (7, {"Out": 7})
    (sent,) = (each.call for each in world.effects if isinstance(each, Send) and each.key == "b")
    assert isinstance(sent, ExecuteCall)
    assert sent.parameters == {"X": 7}


def test_an_answer_without_a_value_is_no_result_and_was_not_lost() -> None:
    steps, _ = PARKED["execute"]
    world = Ends(answers=[None], statuses=["running"], verdicts=[{"as": "log"}]).carry_out(planned(steps))
    found = trouble_of(world)
    assert found.code == "E402"
    assert "but it was answered without a value, and this job needs the result" in found.message


def test_a_doubt_is_reported_before_anybody_is_asked() -> None:
    world = lost().carry_out(planned(ONE))
    (ended,) = (event for event in world.events if isinstance(event, AttemptFailed))
    assert (ended.kind, ended.error.code) == ("in_doubt", "E401")


def test_in_finally_nobody_is_asked_half_way() -> None:
    steps = "  - id: z\n    pause: 1s\nfinally:\n" + ONE + THEN
    world = lost().carry_out(planned(steps))
    assert world.statuses_of_rows() == {"z": "passed", "a": "unknown", "b": "passed"}
    assert "judge a" not in world.story
    assert world.story[-1] == "judge a later"


def test_what_an_undo_expects_of_its_own_answer_does_not_need_the_steps_result() -> None:
    step = WITH_RESULT + "    undo: {execute: {process: UsrU, result: Done}, expect: [result == 1]}\n"
    assert World(answers=[unanswered()]).carry_out(planned(step)).finished("a").status == "passed"


def test_a_chain_goes_on_behind_an_element_that_a_person_knows_to_have_passed() -> None:
    element = f"{{uid: {ELEMENT}, parameters: {{X: 1}}}}"
    step = f"  - id: a\n    elements: [{element}, {element}, {element}]\n    expect: [result | join == 'xyz']\n"
    world = World(answers=["x", unanswered(), "z"], verdicts=[{"as": "passed", "result": "y"}])
    world.carry_out(planned(step))
    assert world.sent == ["complete 7d8f6f3e"] * 3
    assert (world.finished("a").result, world.end.exit_code) == (["x", "y", "z"], 0)


def test_a_loop_goes_on_behind_a_turn_that_a_person_knows_to_have_passed() -> None:
    step = ONE + "    for_each: [x, y, z]\n"
    world = World(answers=[None, unanswered(), None], lost=True, verdicts=[{"as": "passed"}]).carry_out(planned(step))
    assert world.statuses_of_rows() == {"a[0]": "passed", "a[1]": "passed", "a[2]": "passed"}
    assert world.end.exit_code == 0


def test_a_start_that_is_found_and_runs_on_is_passed_with_the_same_warning_as_an_answered_one() -> None:
    world = World(answers=[unanswered()], statuses=["running"]).carry_out(planned(ONE))
    assert (world.finished("a").status, world.finished("a").verified) == ("passed", "inferred")
    guess = "another program with the same account could have made this start at the same time"
    assert world.finished("a").warnings == (STILL_RUNS, f"inferred (no answer within 100 s): {guess}")

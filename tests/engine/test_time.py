"""Time: of a job, of an attempt, of an included job, of undo and `finally`. What is cut, and what is said of it."""

import pytest
from msgspec.structs import replace
from stories import World, including, planned, refused, unanswered

from runner.engine.effects import Ask, Send, Sleep
from runner.job.model import StepEffect
from runner.planning.plan import Plan
from runner.runs.events import Section, Trouble
from runner.service.calls import CallFailed, Ending, FailureKind, ReadRows

READING = 30.0
LATE_READING = 10.0

ONE = "  - id: a\n    execute: {process: UsrA}\n    verify: none\n"
READ = "  - id: a\n    execute: {process: UsrA}\n    verify: none\n    effect: read\n"
VERIFIED = "  - id: a\n    execute: {process: UsrA}\n"
NEXT = "  - id: b\n    execute: {process: UsrB}\n    verify: none\n"
CLEAN = "finally:\n  - id: clean\n    execute: {process: UsrClean}\n    verify: none\n"


def given(world: World, process: str) -> list[float]:
    """The seconds that calls of this process were given."""
    sent = (effect for effect in world.effects if isinstance(effect, Send))
    return [effect.seconds for effect in sent if getattr(effect.call, "process", None) == process]


def trouble_of(world: World, key: str = "a") -> Trouble:
    error = world.finished(key).error
    assert error
    return error


# of a job


def test_an_attempt_is_given_what_is_left_of_the_jobs_time() -> None:
    world = World(call_seconds=4.0).carry_out(planned(ONE + NEXT, rest="timeout: 10s"))
    assert (given(world, "UsrA"), given(world, "UsrB")) == ([10.0], [6.0])
    assert world.end.exit_code == 0


def test_little_time_is_still_time() -> None:
    assert given(World(call_seconds=9.5).carry_out(planned(ONE + NEXT, rest="timeout: 10s")), "UsrB") == [0.5]


def test_an_attempt_keeps_its_own_time_where_that_is_shorter() -> None:
    assert given(World().carry_out(planned(ONE + "    timeout: 3s\n", rest="timeout: 10s")), "UsrA") == [3.0]


def test_no_step_begins_when_the_time_is_over_and_finally_does() -> None:
    world = World(call_seconds=10.0).carry_out(
        planned(ONE + NEXT + NEXT.replace("b", "c") + CLEAN, rest="timeout: 10s")
    )
    assert world.statuses_of_rows() == {"a": "passed", "b": "failed", "c": "skipped: stopped", "clean": "passed"}
    assert "execute UsrB" not in world.sent
    assert "closing timeout" in world.story
    assert (world.end.status, world.end.exit_code) == ("failed", 1)


def test_what_took_too_long_says_how_long_it_might_have_taken() -> None:
    world = World(call_seconds=10.0).carry_out(planned(ONE + NEXT, rest="timeout: 10s"))
    for said in (trouble_of(world, "b"), world.end.error):
        assert said
        assert (said.code, said.message) == ("E212", "the steps took longer than the job's 10 s")
        assert said.hint == "write a longer `timeout` of the job to give them more time"


def test_a_step_that_ends_with_the_time_has_passed() -> None:
    """Time is asked for before a call, never after its answer."""
    world = World(call_seconds=10.0).carry_out(planned(ONE, rest="timeout: 10s"))
    assert (world.end.status, world.end.exit_code) == ("passed", 0)


def test_a_step_for_always_has_no_time_either() -> None:
    world = World(call_seconds=10.0).carry_out(planned(ONE + NEXT + "    if: always()\n", rest="timeout: 10s"))
    assert world.statuses_of_rows() == {"a": "passed", "b": "failed"}


def test_a_read_that_is_cut_is_an_error_and_the_run_is_out_of_time() -> None:
    world = World(needs={"execute UsrA": 60}).carry_out(planned(READ + NEXT, rest="timeout: 10s"))
    assert (world.finished("a").status, world.t) == ("error", 10.0)
    assert world.end.exit_code == 3


def test_a_once_call_that_is_cut_is_in_doubt_and_searched_for_once() -> None:
    world = World(needs={"execute UsrA": 60}).carry_out(planned(VERIFIED + NEXT, rest="timeout: 10s"))
    assert (world.finished("a").status, world.finished("a").verified) == ("passed", "inferred")
    assert world.statuses_of_rows()["b"] == "failed"
    assert (world.sent.count("read rows"), world.end.exit_code) == (1, 1)


def test_a_once_call_that_is_cut_and_not_found_is_unknown() -> None:
    world = World(needs={"execute UsrA": 60}, lost=True).carry_out(planned(VERIFIED + CLEAN, rest="timeout: 10s"))
    assert (world.finished("a").status, world.sent.count("read rows"), world.end.exit_code) == ("unknown", 1, 4)
    assert "the time was over" in trouble_of(world).message
    assert world.finished("clean").status == "passed"


def test_the_last_look_has_little_time() -> None:
    world = World(needs={"execute UsrA": 60, "read rows": 600}, lost=True)
    world.carry_out(planned(VERIFIED, rest="timeout: 10s"))
    looks = [effect for effect in world.effects if isinstance(effect, Send) and effect.effect is StepEffect.READ]
    assert [effect.seconds for effect in looks[-2:]] == [LATE_READING, LATE_READING - 1]
    assert world.t <= 10 + LATE_READING


def test_what_is_not_in_doubt_is_not_searched_for_when_the_time_is_over() -> None:
    step = "  - id: a\n    execute: {process: UsrA}\n    effect: read\n"
    world = World(needs={"execute UsrA": 9.0}).carry_out(planned(step, rest="timeout: 10s"))
    assert world.sent == ["read watermark", "execute UsrA"]
    assert (world.finished("a").status, trouble_of(world).code) == ("failed", "E212")


def test_a_pause_that_is_cut_has_not_passed() -> None:
    world = World().carry_out(planned("  - id: a\n    pause: 1m\n" + CLEAN, rest="timeout: 10s"))
    assert (world.pauses, world.finished("a").status, trouble_of(world).code) == ([10.0], "failed", "E212")


def test_a_question_is_asked_for_as_long_as_there_is_time() -> None:
    world = World().carry_out(planned("  - id: a\n    confirm: Sure?\n", rest="timeout: 10s"))
    (asked,) = (effect for effect in world.effects if isinstance(effect, Ask))
    assert asked.seconds == 10.0


def test_pauses_between_attempts_and_polls_end_with_the_time() -> None:
    retried = READ + "    retry: {max_attempts: 5, initial: 1h, max: 1h, on: [unanswered]}\n"
    world = World(answers=[unanswered()]).carry_out(planned(retried, rest="timeout: 10s"))
    assert (world.t, world.finished("a").status) == (10.0, "failed")
    followed = "  - id: a\n    run: {process: UsrA}\n"
    world = World(answers=[{}], statuses=["running"]).carry_out(planned(followed, rest="timeout: 10s"))
    assert (world.finished("a").status, world.end.exit_code) == ("unknown", 4)
    assert world.t <= 10 + LATE_READING


def test_time_between_a_break_and_a_resumption_is_not_counted() -> None:
    """A host tells the engine its active seconds; how long a person is asked about a doubt takes none of them."""
    steps = VERIFIED + NEXT
    world = World(answers=[unanswered()], lost=True, verdicts=[{"as": "passed"}], call_seconds=0.0)
    assert world.carry_out(planned(steps, rest="timeout: 20s")).end.exit_code == 0


# of an attempt


def test_an_attempt_that_is_cut_is_not_the_last_where_it_may_be_repeated() -> None:
    step = READ + "    timeout: 5s\n    retry: {max_attempts: 2, on: [unanswered]}\n"
    world = World(needs={"execute UsrA": 60}).carry_out(planned(step))
    assert given(world, "UsrA") == [5.0, 5.0]
    assert (world.finished("a").status, world.finished("a").attempts) == ("error", 2)


def test_each_element_of_a_chain_has_the_time_of_an_attempt() -> None:
    uid = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
    world = World().carry_out(planned(f"  - id: a\n    elements: [{uid}, {uid}]\n    timeout: 7s\n"))
    assert [effect.seconds for effect in world.effects if isinstance(effect, Send)] == [7.0, 7.0]


def test_each_turn_of_a_loop_has_the_time_of_an_attempt() -> None:
    world = World().carry_out(planned(ONE + "    for_each: [x, y]\n    timeout: 7s\n"))
    assert given(world, "UsrA") == [7.0, 7.0]


def no_way() -> CallFailed:
    return replace(unanswered(), kind=FailureKind.NOT_SENT)


def test_a_site_that_lets_nobody_in_takes_the_time_of_the_attempt_and_no_more() -> None:
    """The log is read before the call, and needs the connection, or the sign-in, that the call will need."""
    once = "    timeout: 2s\n    retry: {max_attempts: 1, on: [not_sent]}\n"
    world = World(log=no_way(), library=no_way(), call_seconds=2.0).carry_out(planned(VERIFIED + once))
    assert [effect.seconds for effect in world.effects if isinstance(effect, Send)] == [2.0]
    assert (world.finished("a").status, world.t) == ("error", 2.0)


def test_all_tries_that_never_left_have_the_time_of_one_attempt() -> None:
    """Three times the `timeout` would pass else, before a word about a site that accepts nobody."""
    world = World(log=no_way(), library=no_way(), call_seconds=2.0)
    world.carry_out(planned(VERIFIED + "    timeout: 5s\n    retry: {max_attempts: 9, initial: 1ms}\n"))
    sent = [effect.seconds for effect in world.effects if isinstance(effect, Send)]
    assert (sent[0], sum(sent[1:]) < 5.0 + 5.0, world.t < 5.0 + 2.0) == (5.0, True, True)
    assert (world.finished("a").status, trouble_of(world).code) == ("error", "E305")


def test_a_try_that_takes_all_the_time_is_the_last() -> None:
    world = World(answers=[no_way(), no_way()], needs={"execute UsrA": 2.0}).carry_out(
        planned(ONE + "    timeout: 2s\n")
    )
    assert (given(world, "UsrA"), world.finished("a").attempts, world.t) == ([2.0], 1, 2.0)


def test_pauses_between_tries_are_not_counted_and_the_next_try_has_what_is_left() -> None:
    step = ONE + "    timeout: 5s\n    retry: {initial: 10s, jitter: 0}\n"
    world = World(answers=[no_way(), no_way(), None], needs={"execute UsrA": 2.0}).carry_out(planned(step))
    assert (given(world, "UsrA"), world.finished("a").status) == ([5.0, 3.0, 1.0], "unknown")


def test_a_call_that_was_answered_gives_the_next_attempt_its_whole_time() -> None:
    step = READ + "    timeout: 5s\n    retry: {max_attempts: 3, initial: 1ms, on: [not_sent, refused]}\n"
    world = World(answers=[no_way(), refused(), None], needs={"execute UsrA": 2.0}).carry_out(planned(step))
    assert (given(world, "UsrA"), world.finished("a").status) == ([5.0, 3.0, 5.0], "passed")


ID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"


@pytest.mark.parametrize(
    "action", [f"cancel: {{process_id: {ID}}}", f"wait: {{process_id: {ID}}}", f"element: {{of: {ID}, name: Ask}}"]
)
def test_what_is_read_before_a_call_has_the_time_of_the_step_too(action: str) -> None:
    world = World(log=no_way(), elements_log=no_way(), call_seconds=2.0)
    world.carry_out(planned(f"  - id: a\n    {action}\n    timeout: 2s\n"))
    assert [effect.seconds for effect in world.effects if isinstance(effect, Send)] == [2.0]
    assert (world.finished("a").status, world.t) in (("error", 2.0), ("failed", 2.0))


@pytest.mark.parametrize(
    ("timeout", "takes", "given_to"), [("20s", 4.0, [20.0, 15.5, 11.0]), ("90s", 14.0, [READING, 15.5, 1.0])]
)
def test_all_tries_of_a_reading_before_a_call_have_the_time_of_one(
    timeout: str, takes: float, given_to: list[float]
) -> None:
    once = f"    timeout: {timeout}\n    retry: {{max_attempts: 1, on: [not_sent]}}\n"
    world = World(log=no_way(), library=no_way(), call_seconds=takes).carry_out(planned(VERIFIED + once))
    assert [effect.seconds for effect in world.effects if isinstance(effect, Send)] == given_to


# of an included job

INNER = (
    "runner: 1\nname: inner\nsteps:\n"
    "  - id: x\n    execute: {process: UsrX}\n    verify: none\n"
    "  - id: y\n    execute: {process: UsrY}\n    verify: none\n"
    "finally:\n  - id: fin\n    execute: {process: UsrFin}\n    verify: none\n"
)


def outer(limit: str = "", rest: str = "", more: str = NEXT) -> Plan:
    step = f"  - id: o\n    pause: 1s\n{f'    timeout: {limit}' if limit else ''}\n"
    return including(planned(step + more, rest=rest), INNER, inputs={})


def test_the_time_of_a_step_bounds_the_job_in_its_place_and_not_its_end() -> None:
    world = World(call_seconds=6.0).carry_out(outer("10s"))
    assert (given(world, "UsrX"), given(world, "UsrY")) == ([10.0], [4.0])
    late = World(call_seconds=10.0).carry_out(outer("10s"))
    assert late.statuses_of_rows() == {
        "o/x": "passed",
        "o/y": "failed",
        "o/fin": "passed",
        "o": "failed",
        "b": "skipped: stopped",
    }
    assert trouble_of(late, "o/y").message == "the included job took longer than its step allows"
    assert late.end.exit_code == 1


def test_an_included_job_that_was_too_slow_does_not_end_the_time_of_the_run() -> None:
    step = "10s\n    on_failure: continue"
    world = World(call_seconds=10.0).carry_out(outer(step, rest="timeout: 5m"))
    assert world.statuses_of_rows()["b"] == "passed"
    assert "closing done" in world.story


def test_a_run_out_of_time_in_an_included_job_does_not_go_on_whatever_the_step_says() -> None:
    made = outer("1h\n    on_failure: continue", rest="timeout: 10s")
    world = World(call_seconds=10.0).carry_out(made)
    assert world.statuses_of_rows()["b"] == "skipped: stopped"


def test_an_included_job_has_no_more_time_than_the_run() -> None:
    world = World(call_seconds=10.0).carry_out(outer("1h", rest="timeout: 10s", more=NEXT + CLEAN))
    assert world.statuses_of_rows() == {
        "o/x": "passed",
        "o/y": "failed",
        "o/fin": "passed",
        "o": "failed",
        "b": "skipped: stopped",
        "clean": "passed",
    }
    assert trouble_of(world, "o/y").message == "the steps took longer than the job's 10 s"
    assert "closing timeout" in world.story


@pytest.mark.parametrize("policy", ["stop", "continue", "ignore"])
def test_a_run_out_of_time_in_the_finally_of_an_included_job_finishes_it_and_fails(policy: str) -> None:
    more = INNER.replace("finally:\n", "finally:\n  - id: p\n    pause: 1h\n")
    step = f"  - id: o\n    pause: 1s\n    on_failure: {policy}\n"
    made = including(planned(step + NEXT, rest="timeout: 10s"), more, inputs={})
    world = World(call_seconds=1.0).carry_out(made)
    assert world.statuses_of_rows() == {
        "o/x": "passed",
        "o/y": "passed",
        "o/p": "failed",
        "o/fin": "passed",
        "o": "failed",
        "b": "skipped: stopped",
    }
    assert trouble_of(world, "o/p").message == "the steps took longer than the job's 10 s"
    assert (given(world, "UsrFin"), world.end.exit_code) == ([100.0], 1)


# of undo and finally

UNDONE = ONE + "    undo: {execute: {process: UsrUndo}, verify: none}\n"
FAILS = "  - id: fails\n    execute: {process: UsrFails}\n    verify: none\n"


def test_undo_and_finally_share_five_minutes_where_nothing_is_said() -> None:
    world = World(answers=[None, refused()], call_seconds=100.0)
    world.carry_out(planned(UNDONE + "    timeout: 1h\n" + FAILS + CLEAN.replace("verify", "timeout: 1h\n    verify")))
    assert (given(world, "UsrUndo"), given(world, "UsrClean")) == ([100.0], [200.0])


def test_undo_and_finally_end_with_their_own_time() -> None:
    made = planned(UNDONE + FAILS + CLEAN, rest="cleanup_timeout: 10s")
    world = World(answers=[None, refused()], call_seconds=10.0).carry_out(made)
    assert world.statuses_of_rows() == {"a": "passed", "fails": "failed", "undo/a": "passed", "clean": "failed"}
    said = trouble_of(world, "clean")
    assert said.message == "undo and `finally` took longer than their 10 s"
    assert said.hint == "write a longer `cleanup_timeout` to give them more time"


def test_a_run_out_of_time_in_a_job_of_finally_fails_whatever_is_ignored() -> None:
    made = planned("  - id: a\n    pause: 1s\n", rest="cleanup_timeout: 10s")
    of_finally = planned("  - id: f\n    pause: 1s\n    on_failure: ignore\n")
    (final,) = including(of_finally, INNER.replace("  - id: x\n", "  - pause: 1h\n  - id: x\n"), inputs={}).steps
    final = replace(final, key="f", section=Section.FINALLY)
    world = World().carry_out(replace(made, final_steps=(final,)))
    assert (world.finished("f").status, world.end.status, world.end.exit_code) == ("failed", "failed", 1)


def test_what_is_undone_has_the_time_of_the_clean_up_and_no_other() -> None:
    """Not that of its included job, which was over long ago, nor that of the job whose steps are behind it."""
    inner = INNER.replace("finally:", "    undo: {execute: {process: UsrUndo}, verify: none}\nfinally:")
    late = "  - id: b\n    for_each: [x]\n" + UNDONE.removeprefix("  - id: a\n") + "  - id: p\n    pause: 1h\n"
    step = "  - id: o\n    pause: 1s\n    timeout: 5s\n"
    made = including(planned(step + late, rest="timeout: 40s\ncleanup_timeout: 20s"), inner, inputs={})
    world = World().carry_out(made)
    assert (world.t, given(world, "UsrUndo"), world.end.undo) == (42.0, [20.0, 19.0], "complete")


def test_an_undo_that_is_cut_leaves_the_rest_out_and_is_incomplete() -> None:
    made = planned(UNDONE + UNDONE.replace("id: a", "id: b") + FAILS + CLEAN, rest="cleanup_timeout: 10s")
    world = World(answers=[None, None, refused()], call_seconds=10.0).carry_out(made)
    rows = world.statuses_of_rows()
    assert (rows["undo/b"], rows["undo/a"], rows["clean"]) == ("passed", "failed", "failed")
    assert (world.end.undo, world.end.exit_code) == ("incomplete", 1)


def test_the_end_of_an_included_job_that_is_stopped_takes_its_time_from_the_clean_up() -> None:
    made = outer("", rest="timeout: 10s\ncleanup_timeout: 15s", more=CLEAN)
    world = World(call_seconds=10.0).carry_out(made)
    assert (given(world, "UsrFin"), given(world, "UsrClean")) == ([15.0], [5.0])


# never exceeded by more than one read

SLOW = {"execute UsrA": 1000.0, "read rows": 1000.0, "read row": 1000.0, "who am i": 1000.0, "who is user": 1000.0}
SHAPES = {
    "read": READ,
    "once": ONE,
    "once, looked for": VERIFIED,
    "once, followed": "  - id: a\n    execute: {process: UsrA, until: done}\n",
    "run": "  - id: a\n    run: {process: UsrA}\n",
    "wait": "  - id: a\n    wait: {process_id: 00000000-0000-0000-0000-000000000001}\n",
    "query": "  - id: a\n    query: {entity: Contact}\n",
    "cancel": "  - id: a\n    cancel: {process_id: 00000000-0000-0000-0000-000000000001}\n",
    "polled": READ + "    retry: {max_attempts: 99, on: [expectation]}\n    expect: [1 == seconds]\n",
    "pause": "  - id: a\n    pause: 1h\n",
}


@pytest.mark.parametrize("slow", [*SLOW, "nothing"])
@pytest.mark.parametrize("step", SHAPES.values(), ids=SHAPES.keys())
def test_the_time_of_the_steps_is_exceeded_by_one_reading_at_most(step: str, slow: str) -> None:
    needs = {name: seconds for name, seconds in SLOW.items() if slow in (name, "execute UsrA")}
    world = World(needs=needs if slow != "nothing" else {}, statuses=["running"] * 9, lost=slow == "read rows")
    world.carry_out(planned(step + NEXT, rest="timeout: 20s"))
    assert world.t <= 20 + LATE_READING
    assert all(effect.seconds >= 0 for effect in world.effects if isinstance(effect, Sleep | Send))


@pytest.mark.parametrize("step", SHAPES.values(), ids=SHAPES.keys())
def test_the_time_of_undo_and_finally_is_exceeded_by_one_reading_at_most(step: str) -> None:
    steps = "  - id: z\n    pause: 1s\nfinally:\n" + step + NEXT
    world = World(needs=SLOW, statuses=["running"] * 9).carry_out(planned(steps, rest="cleanup_timeout: 20s"))
    assert world.t <= 1 + 20 + LATE_READING


class AsleepWhileReading(World):
    """This machine sleeps while the log is read after a call; the connection is lost, and a try on another passes."""

    def _in_time(self, effect: Send) -> Ending:
        ending = super()._in_time(effect)
        if isinstance(effect.call, ReadRows) and self.executed:
            self.needs = {}
        return ending


@pytest.mark.parametrize(("status", "came"), [("done", ("passed", True)), ("error", ("failed", False))])
def test_a_log_that_gives_no_answer_in_time_after_a_call_is_asked_once_more(
    status: str, came: tuple[str, object]
) -> None:
    world = AsleepWhileReading(statuses=[status], needs={"read rows": 600.0}).carry_out(planned(VERIFIED))
    row = world.finished("a")
    assert (row.status, row.verified) == came
    assert given_to_rows(world) == [READING, 5.0]


def test_a_log_that_never_answers_after_a_call_is_waited_for_a_little_longer_and_no_more() -> None:
    world = World(needs={"read rows": 600.0}, call_seconds=0.0).carry_out(planned(VERIFIED))
    row = world.finished("a")
    assert (row.status, row.verified, world.t) == ("passed", None, 35.5)
    assert given_to_rows(world) == [READING, 5.0]


def given_to_rows(world: World) -> list[float]:
    """The seconds that each reading after the call was given."""
    sent = [effect for effect in world.effects if isinstance(effect, Send)]
    return [send.seconds for send in sent if isinstance(send.call, ReadRows) and send.turn is None]


@pytest.mark.parametrize(("timeout", "given_to"), [("8s", [8.0, 21.5]), ("1s", [5.0, 24.5]), ("40s", [READING, 5.0])])
def test_a_reading_that_hangs_once_takes_no_longer_than_a_call_of_the_step(timeout: str, given_to: list[float]) -> None:
    class Hanging(World):
        def _in_time(self, send: Send) -> Ending:
            if isinstance(send.call, ReadRows) and send.call.since is not None and not self.crowd:
                self.crowd = ["hung"]
                self.t += send.seconds - self.call_seconds
                return unanswered()
            return super()._in_time(send)

    world = Hanging()
    world.add_row("UsrA")
    world.carry_out(planned(f"{VERIFIED}    timeout: {timeout}\n"))
    looks = [each.seconds for each in world.effects if isinstance(each, Send) and isinstance(each.call, ReadRows)]
    assert looks[-2:] == given_to
    assert world.finished("a").verified is True

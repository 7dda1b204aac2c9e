"""A run that has ended with rows in doubt: what becomes of it when somebody settles them, one after the other."""

import pytest
from msgspec.structs import replace
from stories import World, including, planned, refused, unanswered

from runner.engine.effects import Send
from runner.foundation.values import Json, JsonObject
from runner.planning.plan import Plan
from runner.runs.events import RunFinished, Trouble
from runner.service.calls import CallFailed, ExecuteCall

ONE = "  - id: a\n    execute: {process: UsrA}\n"
THEN = "  - id: b\n    execute: {process: UsrB}\n    verify: none\n"
CLEAN = "finally:\n  - id: clean\n    execute: {process: UsrClean}\n    verify: none\n"
ELEMENT = "{uid: 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11, parameters: {X: 1}}"
CHAIN = f"  - id: a\n    elements: [{ELEMENT}, {ELEMENT}]\n"
LOOP = "  - id: many\n    for_each: [x, y, z]\n    execute: {process: UsrA}\n    outputs: {n: index}\n"
NOT_NOW: JsonObject = {"as": "unknown"}


def passed(key: str = "a") -> JsonObject:
    return {"as": "passed", "key": key}


def failed(key: str = "a") -> JsonObject:
    return {"as": "failed", "key": key}


def with_result(result: Json, key: str = "a") -> JsonObject:
    return {"as": "passed", "key": key, "result": result}


def settling(*verdicts: JsonObject, answers: "list[Json | CallFailed] | None" = None, late_rows: int = 0) -> World:
    """A site that loses the first call; nobody settles it while the run goes on, and then come the verdicts."""
    said = [unanswered()] if answers is None else answers
    return World(answers=[*said], lost=late_rows == 0, late_rows=late_rows, verdicts=[NOT_NOW, *verdicts])


def losing(number: int) -> "list[Json | CallFailed]":
    """Answers of which the one of this number is lost."""
    return [*[None] * number, unanswered()]


def ends(world: World) -> list[tuple[str, int]]:
    """How the run ended, each time that it did."""
    return [(event.status.value, int(event.exit_code)) for event in world.events if isinstance(event, RunFinished)]


def trouble_of(world: World, key: str) -> Trouble:
    error = world.finished(key).error
    assert error
    return error


CONDITIONS = ['steps.a.status == "passed"', "success()", 'steps.a.status != "unknown"']


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_step_whose_if_was_false_while_the_outcome_was_unknown_was_left_out(condition: str) -> None:
    clean = CLEAN.replace("id: clean\n", f"id: clean\n    if: '{condition}'\n")
    world = settling(passed()).carry_out(planned(ONE + clean))
    assert ends(world) == [("unknown", 4), ("failed", 1)]
    assert world.end.error
    assert "had left out `clean`" in world.end.error.message


TAKEN_BACK = ["failure()", 'always() and steps.a.status != "passed"']


@pytest.mark.parametrize("condition", TAKEN_BACK)
def test_a_step_that_was_carried_out_because_of_the_doubt_may_have_taken_back_what_passed(condition: str) -> None:
    clean = CLEAN.replace("id: clean\n", f"id: clean\n    if: '{condition}'\n")
    world = settling(passed()).carry_out(planned(ONE + clean))
    assert ends(world) == [("unknown", 4), ("failed", 1)]
    assert world.end.error
    assert "`clean` was carried out while an outcome was unknown" in world.end.error.message
    reads = clean.replace("id: clean\n", "id: clean\n    effect: read\n")
    assert ends(settling(passed()).carry_out(planned(ONE + reads))) == [("unknown", 4), ("passed", 0)]


def test_a_loop_that_had_other_items_while_the_outcome_was_unknown_was_carried_out_otherwise() -> None:
    items = "[1] if steps.a.status == 'passed' else [2]"
    clean = CLEAN.replace("id: clean\n", f'id: clean\n    for_each: "{items}"\n')
    assert ends(settling(passed()).carry_out(planned(ONE + clean))) == [("unknown", 4), ("failed", 1)]


def test_a_step_whose_if_is_still_false_was_not_left_out() -> None:
    clean = CLEAN.replace("id: clean\n", "id: clean\n    if: steps.a.status == 'failed'\n")
    world = settling(passed()).carry_out(planned(ONE + clean))
    assert ends(world) == [("unknown", 4), ("passed", 0)]


def test_a_step_of_an_included_job_whose_if_was_false_meanwhile_was_left_out() -> None:
    clean = CLEAN.replace("id: clean\n", "id: clean\n    if: steps.a.status == 'passed'\n")
    inner = f"runner: 1\nname: inner\nsteps:\n{ONE}{clean}"
    outer = including(planned("  - id: outer\n    pause: 1s\n"), inner, inputs={})
    world = settling(passed("outer/a")).carry_out(outer)
    assert ends(world) == [("unknown", 4), ("failed", 1)]


def test_a_loop_that_had_no_items_while_the_outcome_was_unknown_was_left_out() -> None:
    items = "[1] if steps.a.status == 'passed' else []"
    clean = CLEAN.replace("id: clean\n", f'id: clean\n    for_each: "{items}"\n')
    assert ends(settling(passed()).carry_out(planned(ONE + clean))) == [("unknown", 4), ("failed", 1)]


def test_an_included_job_that_was_handed_the_unknown_status_was_left_out() -> None:
    inner = "runner: 1\nname: inner\ninputs: {s: {type: string}}\nsteps:\n" + THEN.replace(
        "id: b\n", "id: b\n    if: inputs.s == 'passed'\n"
    )
    made = planned(ONE + "finally:\n  - id: outer\n    pause: 1s\n")
    handed = including(replace(made, steps=made.final_steps), inner, inputs={"s": "{{ steps.a.status }}"}).steps
    world = settling(passed()).carry_out(replace(made, final_steps=handed))
    assert ends(world) == [("unknown", 4), ("failed", 1)]


def test_a_run_with_nothing_left_out_is_passed_when_its_doubt_is() -> None:
    world = settling(passed()).carry_out(planned(ONE + CLEAN))
    assert ends(world) == [("unknown", 4), ("passed", 0)]
    assert world.statuses_of_rows() == {"a": "passed", "clean": "passed"}


def test_nothing_is_gone_back_to() -> None:
    world = settling(passed()).carry_out(planned(ONE + CLEAN))
    assert (world.sent.count("execute UsrA"), world.sent.count("execute UsrClean")) == (1, 1)
    assert world.story[-3:] == ["judge a later", "end a passed", "finished passed 0"]


def test_a_run_that_left_a_step_out_is_failed_though_its_doubt_is_passed() -> None:
    world = settling(passed()).carry_out(planned(ONE + THEN))
    assert ends(world) == [("unknown", 4), ("failed", 1)]
    assert world.statuses_of_rows() == {"a": "passed", "b": "skipped: stopped"}
    assert world.end.error is not None
    hint = "carry the job out once more: `runner show` has the command, and what it starts again"
    assert (world.end.error.hint or "").endswith(hint), "what happened starts again"


def test_a_doubt_that_failed_fails_the_run() -> None:
    world = settling(failed()).carry_out(planned(ONE))
    assert ends(world) == [("unknown", 4), ("failed", 1)]
    assert trouble_of(world, "a").code == "E213"


def test_a_failure_that_does_not_count_does_not_count_later_either() -> None:
    world = settling(failed()).carry_out(planned(ONE + "    on_failure: ignore\n"))
    assert ends(world) == [("unknown", 4), ("passed", 0)]


def test_the_log_may_show_later_what_it_did_not_show_in_time() -> None:
    world = settling({"as": "log"}, late_rows=3).carry_out(planned(ONE))
    assert ends(world) == [("unknown", 4), ("passed", 0)]
    assert world.finished("a").verified == "inferred"
    bad = World(answers=[unanswered()], statuses=["error"], late_rows=3, verdicts=[NOT_NOW, {"as": "log"}]).carry_out(
        planned(ONE)
    )
    assert ends(bad) == [("unknown", 4), ("failed", 1)]
    assert "Divide by zero" in trouble_of(bad, "a").message


def test_a_look_that_shows_nothing_changes_nothing() -> None:
    world = settling({"as": "log"}, {"as": "log"}).carry_out(planned(ONE))
    assert ends(world) == [("unknown", 4)]
    assert world.story[-5:] == ["judge a later", "send read rows", "judge a later", "send read rows", "judge a later"]


def test_a_look_at_the_log_has_time_though_the_jobs_is_over() -> None:
    world = World(
        answers=[unanswered()],
        late_rows=2,
        verdicts=[NOT_NOW, {"as": "log"}, {"as": "log"}],
        needs={"execute UsrA": 90},
    )
    world.carry_out(planned(ONE, rest="timeout: 10s\ncleanup_timeout: 1s"))
    assert world.finished("a").verified == "inferred"


def test_a_stop_during_a_later_look_leaves_the_doubt() -> None:
    world = World(answers=[unanswered()], lost=True, verdicts=[NOT_NOW, {"as": "log"}, passed()])
    world.stop_at = {11: "SIGINT"}
    world.carry_out(planned(ONE))
    assert world.story[-5:-2] == ["judge a later", "send read rows", "judge a later"]
    assert ends(world) == [("unknown", 4), ("passed", 0)]


def test_a_verdict_about_another_row_settles_nothing() -> None:
    assert ends(settling(passed("b")).carry_out(planned(ONE))) == [("unknown", 4)]


def test_a_run_that_was_stopped_by_a_signal_is_judged_by_its_rows_once_they_are_known() -> None:
    world = World(verdicts=[passed()])
    world.stop_at = {4: "SIGINT"}
    world.carry_out(planned(ONE + CLEAN))
    assert ends(world) == [("unknown", 130), ("passed", 0)]
    more = World(verdicts=[passed()])
    more.stop_at = {4: "SIGINT"}
    more.carry_out(planned(ONE + THEN))
    assert ends(more) == [("unknown", 130), ("failed", 1)]


def test_outputs_of_the_job_are_worked_out_again() -> None:
    step = "  - id: a\n    execute: {process: UsrA, result: R}\n    outputs: {half: result / 2}\n"
    rest = "outputs: {half: steps.a.outputs.half, whole: steps.a.result}"
    world = settling(with_result(42)).carry_out(planned(step, rest=rest))
    outputs = [event.outputs for event in world.events if isinstance(event, RunFinished)]
    assert outputs == [{"half": None, "whole": None}, {"half": 21.0, "whole": 42}]


def test_a_result_that_is_handed_in_later_is_judged_too() -> None:
    step = "  - id: a\n    execute: {process: UsrA, result: R}\n    expect: [result == 42]\n"
    assert ends(settling(with_result(42)).carry_out(planned(step))) == [("unknown", 4), ("passed", 0)]
    assert ends(settling(with_result(41)).carry_out(planned(step))) == [("unknown", 4), ("failed", 1)]
    world = settling(passed(), with_result(42)).carry_out(planned(step))
    assert ends(world) == [("unknown", 4), ("passed", 0)]


def test_an_output_that_cannot_be_had_fails_the_run_that_is_settled() -> None:
    step = "  - id: a\n    execute: {process: UsrA, result: R}\n"
    world = settling(with_result(0)).carry_out(planned(step, rest="outputs: {bad: 1 / steps.a.result}"))
    assert ends(world) == [("unknown", 4), ("failed", 1)]
    assert world.end.error
    assert "output `bad`" in world.end.error.message


# a turn of a loop


def test_the_last_turn_of_a_loop_is_settled_with_the_others() -> None:
    world = settling(passed("many[2]"), answers=losing(2))
    world.carry_out(planned(LOOP, rest="outputs: {n: steps.many.outputs.n, how: steps.many.status}"))
    assert ends(world) == [("unknown", 4), ("passed", 0)]
    assert world.end.outputs == {"n": [0, 1, 2], "how": "passed"}


def test_a_turn_that_left_others_out_fails_the_run() -> None:
    world = settling(passed("many[1]"), answers=losing(1)).carry_out(planned(LOOP))
    assert ends(world) == [("unknown", 4), ("failed", 1)]
    assert world.statuses_of_rows() == {"many[0]": "passed", "many[1]": "passed", "many[2]": "skipped: stopped"}


def test_a_loop_that_is_under_way_after_failures_still_ends_at_a_doubt() -> None:
    world = settling(failed("many[1]"), answers=[refused(), unanswered()])
    world.carry_out(planned(LOOP + "    on_failure: continue\n", rest="outputs: {how: steps.many.status}"))
    assert ends(world) == [("unknown", 4), ("failed", 1)]
    assert world.statuses_of_rows() == {"many[0]": "failed", "many[1]": "failed", "many[2]": "skipped: stopped"}
    assert world.end.outputs == {"how": "failed"}


@pytest.mark.parametrize(("stop_at", "turn", "end"), [(6, 1, ("failed", 1)), (8, 2, ("passed", 0))])
def test_a_turn_that_a_stop_left_in_doubt_is_settled_with_those_before(
    stop_at: int, turn: int, end: tuple[str, int]
) -> None:
    world = World(verdicts=[passed(f"many[{turn}]")], stop_at={stop_at: "SIGINT"})
    world.carry_out(planned(LOOP, rest="outputs: {n: steps.many.outputs.n, how: steps.many.status}"))
    left_out = {"many[2]": "skipped: stopped"} if turn == 1 else {}
    assert world.statuses_of_rows() == {f"many[{index}]": "passed" for index in range(turn + 1)} | left_out
    assert world.end.outputs == {"n": [*range(turn + 1)], "how": "passed"}
    assert ends(world) == [("unknown", 130), end]


def test_what_turns_gave_before_a_stop_can_be_used_to_clean_up() -> None:
    clean = "finally:\n  - id: clean\n    execute: {process: UsrC, parameters: {N: '{{ steps.many.outputs.n }}'}}\n"
    world = World(stop_at={6: "SIGINT"}).carry_out(planned(LOOP + clean))
    calls = [effect.call for effect in world.effects if isinstance(effect, Send)]
    assert [dict(call.parameters) for call in calls if isinstance(call, ExecuteCall)][-1] == {"N": [0, None]}


FAILS_AND_LOSES: "list[Json | CallFailed]" = [None, refused(), unanswered()]
"""Of three turns the first passes, the second fails, and the last is in doubt."""


@pytest.mark.parametrize(("on_failure", "end"), [("continue", ("failed", 1)), ("ignore", ("passed", 0))])
def test_a_turn_that_failed_counts_though_the_doubt_about_a_later_one_is_passed(
    on_failure: str, end: tuple[str, int]
) -> None:
    world = settling(passed("many[2]"), answers=[*FAILS_AND_LOSES])
    world.carry_out(planned(LOOP + f"    on_failure: {on_failure}\n"))
    assert world.statuses_of_rows() == {"many[0]": "passed", "many[1]": "failed", "many[2]": "passed"}
    assert ends(world) == [("unknown", 4), end]


def test_a_turn_that_failed_counts_though_a_stop_left_a_later_one_in_doubt_that_is_passed() -> None:
    made, found = planned(LOOP + "    on_failure: continue\n"), 0
    for place in range(1, 20):
        world = settling(passed("many[2]"), answers=[*FAILS_AND_LOSES])
        world.stop_at = {place: "SIGINT"}
        statuses = world.carry_out(made).statuses_of_rows()
        if "judge many[2] later" in world.story and statuses["many[1]"] == "failed":
            assert (statuses["many[2]"], ends(world)[-1]) == ("passed", ("failed", 1))
            found += 1
    assert found


# an element of a chain


def test_the_last_element_of_a_chain_settles_the_chain() -> None:
    world = settling(passed("a[1]"), answers=losing(1)).carry_out(planned(CHAIN))
    assert ends(world) == [("unknown", 4), ("passed", 0)]
    assert world.story[-4:] == ["judge a[1] later", "end a[1] passed", "end a passed", "finished passed 0"]


def test_an_element_that_left_others_out_fails_its_chain() -> None:
    world = settling(passed("a[0]"), answers=losing(0)).carry_out(planned(CHAIN))
    assert world.statuses_of_rows() == {"a[0]": "passed", "a": "failed", "a[1]": "skipped: stopped"}
    assert "what followed was decided by that" in trouble_of(world, "a").message
    assert ends(world) == [("unknown", 4), ("failed", 1)]


def test_an_element_that_failed_says_which_it_was() -> None:
    world = settling(failed("a[0]"), answers=losing(0)).carry_out(planned(CHAIN))
    assert world.statuses_of_rows() == {"a[0]": "failed", "a": "failed", "a[1]": "skipped: stopped"}
    assert trouble_of(world, "a").message.startswith("element 1 of the chain:")


def test_a_chain_is_judged_over_its_replies_with_the_one_that_is_handed_in() -> None:
    step = CHAIN + "    expect: [result | join == 'xy']\n"
    answers: list[Json | CallFailed] = ["x", unanswered()]
    world = settling(with_result("y", "a[1]"), answers=answers).carry_out(planned(step))
    assert ends(world) == [("unknown", 4), ("passed", 0)]
    assert (world.finished("a[1]").result, world.finished("a").result) == ("y", ["x", "y"])
    wrong = settling(with_result("z", "a[1]"), answers=answers).carry_out(planned(step))
    assert ends(wrong)[-1] == ("failed", 1)


def test_an_element_whose_reply_is_needed_is_asked_for_it() -> None:
    step = CHAIN + "    expect: [result | join == 'xy']\n"
    world = settling(passed("a[1]"), answers=["x", unanswered()]).carry_out(planned(step))
    assert ends(world) == [("unknown", 4)]
    assert world.story[-3:] == ["judge a[1] later", "end a[1] unknown", "judge a[1] later"]


def test_a_chain_in_a_loop_is_settled_from_the_inside_out() -> None:
    step = CHAIN + "    for_each: [x, y]\n"
    world = settling(passed("a[1][1]"), answers=losing(3))
    world.carry_out(planned(step, rest="outputs: {how: steps.a.status}"))
    assert world.story[-3:] == ["end a[1][1] passed", "end a[1] passed", "finished passed 0"]
    assert world.end.outputs == {"how": "passed"}


# a row of an included job

INNER = (
    "runner: 1\nname: inner\n{more}steps:\n"
    "  - id: x\n    execute: {{process: UsrX, result: Out}}\n{then}"
    "finally:\n  - id: fin\n    execute: {{process: UsrF}}\n    verify: none\n"
)
ALONE = INNER.format(more="", then="")
TWO = INNER.format(more="", then="  - id: y\n    pause: 1s\n")
GIVING = INNER.format(more="outputs: {n: steps.x.result}\n", then="")


def outer(inner: str, more: str = "", rest: str = "") -> Plan:
    return including(planned("  - id: o\n    pause: 1s\n" + more, rest=rest), inner, inputs={})


def test_a_row_of_an_included_job_settles_the_job() -> None:
    world = settling(passed("o/x")).carry_out(outer(ALONE, CLEAN))
    assert world.statuses_of_rows() == {"o/x": "passed", "o/fin": "passed", "o": "passed", "clean": "passed"}
    assert world.story[-3:] == ["end o/x passed", "end o passed", "finished passed 0"]


def test_an_included_job_that_left_a_step_out_has_failed() -> None:
    world = settling(passed("o/x")).carry_out(outer(TWO))
    assert world.statuses_of_rows() == {"o/x": "passed", "o/y": "skipped: stopped", "o/fin": "passed", "o": "failed"}
    assert ends(world) == [("unknown", 4), ("failed", 1)]


def test_a_row_that_failed_fails_its_job_and_the_run() -> None:
    world = settling(failed("o/x")).carry_out(outer(ALONE))
    assert (world.finished("o").status, trouble_of(world, "o").code) == ("failed", "E211")
    assert ends(world) == [("unknown", 4), ("failed", 1)]


def test_outputs_of_an_included_job_are_worked_out_from_what_is_handed_in() -> None:
    world = settling(with_result(42, "o/x")).carry_out(outer(GIVING, rest="outputs: {m: steps.o.result.n}"))
    assert (world.finished("o").result, world.end.outputs) == ({"n": 42}, {"m": 42})
    assert ends(world) == [("unknown", 4), ("passed", 0)]


def test_expectations_of_the_including_step_are_judged_later_too() -> None:
    made = including(
        planned("  - id: o\n    pause: 1s\n    expect: [result.n == 42]\n    outputs: {m: result.n}\n"),
        GIVING,
        inputs={},
    )
    good = settling(with_result(42, "o/x")).carry_out(made)
    assert (ends(good)[-1], good.finished("o").outputs) == (("passed", 0), {"m": 42})
    assert ends(settling(with_result(41, "o/x")).carry_out(made))[-1] == ("failed", 1)


def test_a_doubt_in_the_end_of_an_included_job_stops_the_run_and_is_settled() -> None:
    made = outer(ALONE, THEN)
    world = World(answers=[None, unanswered()], verdicts=[NOT_NOW, passed("o/fin")]).carry_out(made)
    assert world.statuses_of_rows() == {"o/x": "passed", "o/fin": "passed", "o": "passed", "b": "skipped: stopped"}
    assert ends(world)[-1] == ("failed", 1)


def test_an_included_job_in_a_loop_settles_its_turn() -> None:
    made = including(planned("  - id: o\n    for_each: [x, y]\n    pause: 1s\n"), GIVING, inputs={})
    made = replace(made, job=replace(made.job, outputs={"all": "steps.o.result"}))
    world = World(answers=[1, None, unanswered()], verdicts=[NOT_NOW, with_result(2, "o[1]/x")], lost=True)
    world.carry_out(made)
    assert world.story[-3:] == ["end o[1]/x passed", "end o[1] passed", "finished passed 0"]
    assert world.end.outputs == {"all": [{"n": 1}, {"n": 2}]}


def test_a_doubt_that_a_signal_left_in_an_included_job_is_one_of_the_job_too() -> None:
    world = World(verdicts=[passed("o/x")], stop_at={4: "SIGINT"})
    world.carry_out(outer(ALONE, rest="outputs: {how: steps.o.status}"))
    assert ends(world) == [("unknown", 130), ("passed", 0)]
    closing = [line for line in world.story if line.startswith(("end o", "begin o/fin"))]
    assert closing == [
        "end o/x unknown",
        "begin o/fin",
        "end o/fin passed",
        "end o unknown",
        "end o/x passed",
        "end o passed",
    ]
    assert world.end.outputs == {"how": "passed"}


def test_an_included_job_may_hold_two_doubts() -> None:
    world = World(
        answers=[unanswered(), unanswered()], lost=True, verdicts=[NOT_NOW, NOT_NOW, passed("o/x"), passed("o/fin")]
    )
    world.carry_out(outer(ALONE))
    assert [line for line in world.story if line.endswith("later")] == ["judge o/x,o/fin later", "judge o/fin later"]
    assert ends(world) == [("unknown", 4), ("unknown", 4), ("passed", 0)]
    assert world.finished("o").status == "passed"


# rows of undo and finally

UNDONE = (
    "  - id: a\n    execute: {process: UsrA}\n    verify: none\n    undo: {execute: {process: UsrU}, verify: none}\n"
    "  - id: b\n    execute: {process: UsrB}\n    verify: none\n"
)


@pytest.mark.parametrize(("verdict", "undo"), [(passed("undo/a"), "complete"), (failed("undo/a"), "incomplete")])
def test_an_undo_in_doubt_is_incomplete_until_it_is_known_to_have_happened(verdict: JsonObject, undo: str) -> None:
    world = World(answers=[None, refused(), unanswered()], verdicts=[verdict]).carry_out(planned(UNDONE))
    undone = [event.undo for event in world.events if isinstance(event, RunFinished)]
    assert undone == ["incomplete", undo]
    assert ends(world) == [("unknown", 4), ("failed", 1)]


def test_a_final_step_in_doubt_is_settled_like_any_other() -> None:
    steps = "  - id: z\n    pause: 1s\nfinally:\n" + ONE + THEN
    world = World(answers=[unanswered()], lost=True, verdicts=[passed()]).carry_out(planned(steps))
    assert ends(world) == [("unknown", 4), ("passed", 0)]
    assert world.statuses_of_rows() == {"z": "passed", "a": "passed", "b": "passed"}


def test_each_of_several_doubts_is_settled_in_any_order() -> None:
    steps = "  - id: z\n    pause: 1s\nfinally:\n" + ONE + ONE.replace("id: a", "id: b") + ONE.replace("id: a", "id: c")
    world = World(answers=[unanswered()] * 3, lost=True, verdicts=[passed("b"), failed("c"), passed("a")])
    world.carry_out(planned(steps))
    asked = [line for line in world.story if line.startswith("judge")]
    assert asked == ["judge a,b,c later", "judge a,c later", "judge a later"]
    assert ends(world) == [("unknown", 4)] * 3 + [("failed", 1)]
    assert world.statuses_of_rows() == {"z": "passed", "a": "passed", "b": "passed", "c": "failed"}


def test_one_look_at_the_log_settles_what_it_can() -> None:
    steps = "  - id: z\n    pause: 1s\nfinally:\n" + ONE + ONE.replace("id: a", "id: b").replace("UsrA", "UsrB")
    world = World(answers=[unanswered()] * 2, late_rows=6, verdicts=[{"as": "log"}]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"z": "passed", "a": "passed", "b": "passed"}
    assert ends(world) == [("unknown", 4), ("passed", 0)]


@pytest.mark.parametrize("statuses", [["done", "done"], ["done", "error"]])
def test_two_starts_of_one_process_are_settled_by_later_looks(statuses: list[str]) -> None:
    steps = "  - id: z\n    pause: 1s\nfinally:\n" + ONE + ONE.replace("id: a", "id: b")
    world = World(answers=[unanswered()] * 2, statuses=[*statuses], late_rows=6, verdicts=[{"as": "log"}] * 2)
    world.carry_out(planned(steps))
    words = {"done": "passed", "error": "failed"}
    assert world.statuses_of_rows() == {"z": "passed", "a": words[statuses[0]], "b": words[statuses[1]]}


def test_a_doubt_that_is_left_when_a_run_ends_is_reported_by_the_last_end() -> None:
    world = settling().carry_out(planned(ONE))
    assert world.story[-2:] == ["finished unknown 4", "judge a later"]


# what was found, and followed when the run was stopped

TO_ITS_END = "  - id: a\n    execute: {process: UsrA, until: done}\n"
LATER: JsonObject = {"as": "log"}


def test_a_start_that_was_being_followed_is_read_again_by_its_id() -> None:
    world = World(answers=[unanswered()], statuses=["running"], later=["done"], verdicts=[LATER], stop_at={5: "SIGINT"})
    world.carry_out(planned(TO_ITS_END))
    assert world.story[-4:] == ["judge a later", "send read row", "end a passed", "finished passed 0"]
    assert (world.finished("a").verified, ends(world)) == ("inferred", [("unknown", 130), ("passed", 0)])


def test_a_call_that_was_answered_before_a_stop_is_proved_by_its_row() -> None:
    world = World(statuses=["running"], later=["done"], verdicts=[LATER], stop_at={5: "SIGINT"})
    world.carry_out(planned(TO_ITS_END))
    assert (world.finished("a").verified, ends(world)) == (True, [("unknown", 130), ("passed", 0)])
    bad = World(statuses=["running"], later=["error"], verdicts=[LATER], stop_at={5: "SIGINT"})
    bad.carry_out(planned(TO_ITS_END))
    assert (bad.finished("a").verified, ends(bad)) == (False, [("unknown", 130), ("failed", 1)])


def test_a_process_that_still_runs_stays_in_doubt() -> None:
    world = World(statuses=["running"], verdicts=[LATER], stop_at={5: "SIGINT"}).carry_out(planned(TO_ITS_END))
    assert (world.finished("a").status, ends(world)) == ("unknown", [("unknown", 130)])

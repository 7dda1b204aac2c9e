"""Undo: what passed is taken back when the run fails later, the last first, each with what its own step had."""

import pytest
from msgspec.structs import replace
from stories import World, including, not_sent, planned, refused, unanswered

from runner.engine.effects import Send
from runner.foundation.values import Json, JsonObject
from runner.job.actions import IncludedJob
from runner.planning.plan import Plan
from runner.runs.events import RunFinished, StepStarted
from runner.service.calls import ExecuteCall


def step(name: str, more: str = "", *, undo: str = "") -> str:
    """A step `a` that starts `UsrA`, and is undone by `UndoA`, where `undo` does not say otherwise."""
    process = name.upper()
    written = undo or f"{{execute: {{process: Undo{process}}}, verify: none}}"
    done = f"  - id: {name}\n    execute: {{process: Usr{process}, result: R}}\n    verify: none\n"
    return f"{done}    undo: {written}\n{more}"


FAILS = "  - id: fails\n    execute: {process: UsrFails}\n    verify: none\n"
CLEAN = "finally:\n  - id: clean\n    execute: {process: UsrClean}\n    verify: none\n"


def undone(world: World) -> list[str]:
    """The processes by which something was undone, in their order."""
    return [call.removeprefix("execute ") for call in world.sent if call.startswith("execute Undo")]


def parameters_of(world: World, process: str) -> list[dict[str, Json]]:
    calls = (effect.call for effect in world.effects if isinstance(effect, Send))
    return [dict(call.parameters) for call in calls if isinstance(call, ExecuteCall) and call.process == process]


def keys_of_undo(world: World) -> list[str]:
    started = [event.row for event in world.events if isinstance(event, StepStarted)]
    return [row.key for row in started if row.section == "undo"]


def test_what_passed_is_undone_the_last_first_and_before_finally() -> None:
    world = World(answers=[None, None, refused()]).carry_out(planned(step("a") + step("b") + FAILS + CLEAN))
    assert world.story[world.story.index("closing stopped") :] == [
        "closing stopped",
        "undo",
        "begin undo/b",
        "send execute UndoB",
        "end undo/b passed",
        "begin undo/a",
        "send execute UndoA",
        "end undo/a passed",
        "undo complete",
        "begin clean",
        "send execute UsrClean",
        "end clean passed",
        "finished failed 1",
    ]
    assert world.end.undo == "complete"


def test_a_run_that_passed_undoes_nothing() -> None:
    world = World().carry_out(planned(step("a") + CLEAN))
    assert (undone(world), world.end.undo, "undo" in world.story) == ([], "none", False)


def test_a_failure_in_finally_undoes_nothing() -> None:
    world = World(answers=[None, refused()]).carry_out(planned(step("a") + CLEAN))
    assert (undone(world), world.end.undo, world.end.exit_code) == ([], "none", 1)


def test_a_run_without_an_undo_says_none() -> None:
    world = World(answers=[refused()]).carry_out(planned(FAILS))
    assert (world.end.undo, "undo" in world.story) == ("none", False)


def test_a_step_that_was_carried_out_and_failed_says_that_its_undo_is_left_out() -> None:
    unmet = step("a", "    expect: [result == 2]\n")
    assert World(answers=[1]).carry_out(planned(unmet)).finished("a").warnings == (
        "its `undo` is left out, as it did not pass: look at the site for what it has changed",
    )
    ignored = step("a", "    expect: [result == 2]\n    on_failure: ignore\n")
    assert World(answers=[1]).carry_out(planned(ignored)).finished("a").warnings == ()
    assert World(answers=[refused()]).carry_out(planned(step("a"))).finished("a").warnings == ()


@pytest.mark.parametrize("later", [False, True])
def test_what_has_happened_and_a_person_calls_failed_says_that_its_undo_is_left_out(*, later: bool) -> None:
    lost = step("b", "    expect: [result == 2]\n").replace("    verify: none\n", "", 1)
    failed: JsonObject = {"as": "failed", "key": "b"}
    said: list[JsonObject] = [{"as": "unknown"}, failed] if later else [failed]
    world = World(answers=[None, unanswered()], verdicts=said).carry_out(planned(step("a") + lost))
    assert (undone(world), world.end.undo) == (["UndoA"], "incomplete")
    assert world.finished("b").process_id is not None
    assert world.finished("b").warnings[-1].startswith("its `undo` is left out")


def test_what_is_left_as_it_is_makes_the_undo_incomplete() -> None:
    failed = step("b", "    expect: [result == 2]\n")
    world = World(answers=[None, 1]).carry_out(planned(step("a") + failed))
    assert (undone(world), world.end.undo) == (["UndoA"], "incomplete")


def test_a_step_that_failed_or_was_skipped_is_not_undone() -> None:
    skipped = step("a", "    if: 1 == 2\n")
    world = World(answers=[None, refused()]).carry_out(planned(skipped + step("b") + step("c")))
    assert undone(world) == ["UndoB"]


@pytest.mark.parametrize(("failing", "code"), [(refused(), 1), (not_sent(), 3)])
def test_a_failure_and_an_error_are_alike(failing: Json, code: int) -> None:
    world = World(answers=[None, failing, failing, failing, None]).carry_out(planned(step("a") + FAILS))
    assert (undone(world), world.end.exit_code) == (["UndoA"], code)


def test_a_step_that_does_not_count_undoes_nothing() -> None:
    world = World(answers=[None, refused()]).carry_out(planned(step("a") + FAILS + "    on_failure: ignore\n"))
    assert (undone(world), world.end.exit_code) == ([], 0)


def test_after_a_failure_that_lets_the_run_go_on_everything_is_undone_at_its_end() -> None:
    steps = step("a") + FAILS + "    on_failure: continue\n" + step("b")
    world = World(answers=[None, refused(), None]).carry_out(planned(steps))
    assert world.story.index("send execute UsrB") < world.story.index("closing done")
    assert (undone(world), world.end.undo, world.end.exit_code) == (["UndoB", "UndoA"], "complete", 1)


def test_nothing_is_undone_where_an_outcome_is_unknown() -> None:
    world = World(answers=[None, unanswered()], lost=True).carry_out(planned(step("a") + FAILS + CLEAN))
    assert (undone(world), world.end.undo, world.end.exit_code) == ([], "none", 4)
    assert world.finished("clean").status == "passed"


def test_what_is_settled_as_failed_after_the_end_lets_be_undone_what_passed_and_finally_is_not_carried_out_again() -> (
    None
):
    world = World(answers=[None, unanswered()], lost=True)
    world.verdicts = [{"as": "unknown"}, {"as": "failed", "key": "fails"}]
    world.carry_out(planned(step("a") + FAILS + CLEAN))
    assert (undone(world), world.end.undo, world.end.exit_code) == (["UndoA"], "complete", 1)
    assert world.sent.count("execute UsrClean") == 1


def test_what_is_undone_after_the_end_has_the_time_for_cleaning_up() -> None:
    world = World(answers=[None, unanswered()], lost=True)
    world.verdicts = [{"as": "unknown"}, {"as": "failed", "key": "fails"}]
    world.carry_out(planned(step("a") + FAILS, rest="cleanup_timeout: 3s"))
    (seconds,) = [sent.seconds for sent in world.effects if isinstance(sent, Send) and "UndoA" in repr(sent.call)]
    assert 0.0 < seconds <= 3.0


def test_what_is_settled_as_passed_after_the_end_is_undone_itself_with_what_was_handed_in() -> None:
    undo = "{execute: {process: UndoA, parameters: {Id: '{{ result }}'}}}"
    job = f"  - id: a\n    execute: {{process: UsrA, result: Id}}\n    undo: {undo}\n" + step("b")
    world = World(answers=[unanswered()], lost=True)
    world.verdicts = [{"as": "unknown"}, {"as": "passed", "key": "a", "result": "x1"}]
    world.carry_out(planned(job))
    assert (parameters_of(world, "UndoA"), world.end.undo) == ([{"Id": "x1"}], "complete")
    assert (world.end.status, world.end.exit_code) == ("failed", 1)


def test_an_undo_that_fails_after_the_end_is_incomplete_and_nothing_says_that_nothing_failed() -> None:
    world = World(answers=[unanswered(), refused()], lost=True)
    world.verdicts = [{"as": "unknown"}, {"as": "passed", "key": "a"}]
    world.carry_out(planned(step("a") + step("b")))
    assert world.end.undo == "incomplete"
    assert world.end.error is not None
    assert world.end.error.message.startswith("the job was not carried out as it is written")


def test_a_run_that_passes_when_it_is_settled_after_the_end_undoes_nothing() -> None:
    world = World(answers=[None, unanswered()], lost=True)
    world.verdicts = [{"as": "unknown"}, {"as": "passed", "key": "fails"}]
    world.carry_out(planned(step("a") + FAILS))
    assert (undone(world), world.end.undo, world.end.exit_code) == ([], "none", 0)


def test_a_failure_in_finally_that_is_known_later_undoes_nothing() -> None:
    world = World(answers=[None, unanswered()], lost=True)
    world.verdicts = [{"as": "unknown"}, {"as": "failed", "key": "clean"}]
    world.carry_out(planned(step("a") + CLEAN))
    assert (undone(world), world.end.undo, world.end.exit_code) == ([], "none", 1)


def test_what_an_included_job_did_in_finally_is_not_undone_when_a_doubt_is_settled_as_failed() -> None:
    inner = f"runner: 1\nname: inner\nsteps:\n{step('del')}"
    made = planned(FAILS + "finally:\n  - id: f\n    pause: 1s\n")
    held = including(replace(made, steps=made.final_steps), inner, inputs={}).steps
    world = World(answers=[unanswered()], lost=True)
    world.verdicts = [{"as": "unknown"}, {"as": "failed", "key": "fails"}]
    world.carry_out(replace(made, final_steps=held))
    assert world.statuses_of_rows() == {"fails": "failed", "f/del": "passed", "f": "passed"}
    assert (world.end.undo, world.end.exit_code) == ("none", 1)


def test_what_somebody_calls_failed_in_time_is_undone_like_any_failure() -> None:
    world = World(answers=[None, unanswered()], lost=True, verdicts=[{"as": "failed"}])
    assert undone(world.carry_out(planned(step("a") + FAILS))) == ["UndoA"]


def test_a_step_that_passed_by_inference_is_undone() -> None:
    one = "  - id: a\n    execute: {process: UsrA}\n    undo: {execute: {process: UndoA}, verify: none}\n"
    world = World(answers=[unanswered(), refused()]).carry_out(planned(one + FAILS))
    assert undone(world) == ["UndoA"]


def test_a_signal_and_the_end_of_the_time_are_undone_alike() -> None:
    signal = World(stop_at={2: "SIGTERM"}).carry_out(planned(step("a") + FAILS + CLEAN))
    assert (undone(signal), signal.end.undo, signal.end.exit_code) == (["UndoA"], "complete", 143)
    time = World().carry_out(planned(step("a") + "  - pause: 1h\n" + CLEAN, rest="timeout: 10s"))
    assert (undone(time), time.end.undo, time.end.exit_code) == (["UndoA"], "complete", 1)


def test_a_signal_that_leaves_a_call_in_doubt_undoes_nothing() -> None:
    doubtful = "  - id: b\n    execute: {process: UsrB}\n"
    world = World(stop_at={5: "SIGTERM"}).carry_out(planned(step("a") + doubtful + CLEAN))
    assert (world.finished("b").status, undone(world), world.end.undo) == ("unknown", [], "none")
    assert world.finished("clean").status == "passed"


def test_an_undo_that_fails_stops_no_other_and_is_reported() -> None:
    answers: list[Json] = [None, None]
    world = World(answers=[*answers, refused(), refused(), None]).carry_out(
        planned(step("a") + step("b") + FAILS + CLEAN)
    )
    rows = world.statuses_of_rows()
    assert (rows["undo/b"], rows["undo/a"], rows["clean"]) == ("failed", "passed", "passed")
    assert (world.end.undo, world.end.exit_code) == ("incomplete", 1)
    assert "undo incomplete" in world.story


def test_an_undo_without_an_answer_is_unknown_and_the_others_go_on() -> None:
    world = World(answers=[None, None, refused(), unanswered()]).carry_out(planned(step("a") + step("b") + FAILS))
    rows = world.statuses_of_rows()
    assert (rows["undo/b"], rows["undo/a"]) == ("unknown", "passed")
    assert (world.end.undo, world.end.status, world.end.exit_code) == ("incomplete", "unknown", 4)


def test_an_undo_is_retried_and_verified_like_any_step() -> None:
    undo = "{execute: {process: UndoA}, effect: idempotent, retry: {max_attempts: 2, on: [unanswered]}}"
    world = World(answers=[None, refused(), unanswered(), None]).carry_out(planned(step("a", undo=undo) + FAILS))
    found = world.finished("undo/a")
    assert (found.status, found.attempts, found.flaky, found.verified) == ("passed", 2, True, True)


def test_an_undo_may_say_that_its_failure_does_not_count() -> None:
    undo = "{execute: {process: UndoA}, verify: none, on_failure: ignore}"
    world = World(answers=[None, refused(), refused()]).carry_out(planned(step("a", undo=undo) + FAILS))
    assert (world.finished("undo/a").status, world.end.undo) == ("failed", "complete")


LIST = (
    "\n      - id: first\n        execute: {process: UndoFirst, result: N}\n        verify: none\n"
    "      - execute: {process: UndoSecond, parameters: {N: '{{ steps.first.result }}'}}\n        verify: none"
)


def test_a_list_is_carried_out_in_its_written_order_with_keys_of_its_own() -> None:
    world = World(answers=[None, refused(), 7]).carry_out(planned(step("a", undo=LIST) + FAILS))
    assert undone(world) == ["UndoFirst", "UndoSecond"]
    assert keys_of_undo(world) == ["undo/a/first", "undo/a/2"]
    assert parameters_of(world, "UndoSecond") == [{"N": 7}]


def test_a_list_goes_on_after_one_that_failed() -> None:
    steps = LIST.replace(", parameters: {N: '{{ steps.first.result }}'}", "")
    world = World(answers=[None, refused(), refused(), None]).carry_out(planned(step("a", undo=steps) + FAILS))
    assert world.statuses_of_rows()["undo/a/2"] == "passed"
    assert world.end.undo == "incomplete"


def test_who_uses_what_a_failed_one_of_the_list_did_not_give_fails_and_says_so() -> None:
    world = World(answers=[None, refused(), refused()]).carry_out(planned(step("a", undo=LIST) + FAILS))
    error = world.finished("undo/a/2").error
    assert error
    assert "step `first` has no result" in error.message
    assert undone(world) == ["UndoFirst"]


OWN = (
    "{execute: {process: UndoA, parameters: {R: '{{ result }}', O: '{{ outputs.o }}', S: '{{ status }}',"
    " SR: '{{ steps.a.result }}', SO: '{{ steps.a.outputs.o }}', N: '{{ attempts }}'}}, verify: none}"
)


def test_a_step_is_undone_with_what_it_had_under_bare_names_and_its_own() -> None:
    steps = step("a", "    outputs: {o: result ~ '!'}\n", undo=OWN) + FAILS
    world = World(answers=["x", refused()]).carry_out(planned(steps))
    assert parameters_of(world, "UndoA") == [{"R": "x", "O": "x!", "S": "passed", "SR": "x", "SO": "x!", "N": 1}]


def test_an_undo_knows_its_process_and_what_the_log_said() -> None:
    one = (
        "  - id: a\n    execute: {process: UsrA}\n    undo:\n      execute:\n        process: UndoA\n"
        "        parameters: {P: '{{ process_id }}', S: '{{ process_status }}'}\n      verify: none\n"
    )
    world = World(answers=[None, refused()]).carry_out(planned(one + FAILS))
    assert parameters_of(world, "UndoA") == [{"P": "00000000-0000-0000-0000-000000000001", "S": "done"}]


TURN = (
    "{execute: {process: UndoA, parameters: {I: '{{ index }}', X: '{{ item }}', R: '{{ result }}',"
    " S: '{{ steps.a.result }}'}}, verify: none}"
)


def test_each_turn_of_a_loop_is_undone_with_its_own_item_index_and_result() -> None:
    steps = step("a", "    for_each: [x, y, z]\n", undo=TURN) + FAILS
    world = World(answers=["1", "2", "3", refused()]).carry_out(planned(steps))
    assert keys_of_undo(world) == ["undo/a[2]", "undo/a[1]", "undo/a[0]"]
    assert parameters_of(world, "UndoA") == [
        {"I": 2, "X": "z", "R": "3", "S": "3"},
        {"I": 1, "X": "y", "R": "2", "S": "2"},
        {"I": 0, "X": "x", "R": "1", "S": "1"},
    ]


def test_turns_that_passed_before_one_failed_are_undone() -> None:
    steps = step("a", "    for_each: [x, y, z]\n", undo=TURN)
    world = World(answers=["1", refused()]).carry_out(planned(steps))
    assert keys_of_undo(world) == ["undo/a[0]"]


def test_a_list_that_undoes_a_turn_goes_on_after_one_that_failed() -> None:
    steps = LIST.replace(", parameters: {N: '{{ steps.first.result }}'}", "")
    looped = planned(step("a", "    for_each: [x]\n", undo=steps) + FAILS)
    world = World(answers=[None, refused(), refused(), None]).carry_out(looped)
    rows = world.statuses_of_rows()
    assert (rows["undo/a[0]/first"], rows["undo/a[0]/2"]) == ("failed", "passed")


def test_a_chain_is_undone_as_a_whole() -> None:
    uid = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
    chain = (
        f"  - id: a\n    elements: [{uid}, {uid}]\n"
        "    undo: {execute: {process: UndoA, parameters: {R: '{{ result | join }}'}}, verify: none}\n"
    )
    world = World(answers=["x", "y", refused()]).carry_out(planned(chain + FAILS))
    assert (keys_of_undo(world), parameters_of(world, "UndoA")) == (["undo/a"], [{"R": "xy"}])
    part = World(answers=["x", refused()]).carry_out(planned(chain))
    assert (keys_of_undo(part), part.end.undo) == ([], "none")


INNER = (
    "runner: 1\nname: inner\ninputs: {who: {type: string}}\nvars: {label: '{{ inputs.who }}!'}\nsteps:\n"
    "  - id: x\n    execute: {process: UsrX, result: R}\n    verify: none\n    undo:\n      execute:\n"
    "        process: UndoX\n"
    "        parameters: {L: '{{ vars.label }}', R: '{{ result }}', S: '{{ steps.x.result }}'}\n"
    "      verify: none\n"
    "finally:\n  - id: fin\n    execute: {process: UsrFin}\n    verify: none\n"
)


def outer(more: str) -> Plan:
    """A step `o` in whose place a job stands, then more."""
    return including(planned("  - id: o\n    pause: 1s\n" + more), INNER, inputs={"who": "me"})


def test_steps_of_an_included_job_are_undone_with_the_names_of_their_own_job() -> None:
    world = World(answers=["r", None, "a", refused()]).carry_out(outer(step("a") + FAILS))
    assert keys_of_undo(world) == ["undo/a", "undo/o/x"]
    assert parameters_of(world, "UndoX") == [{"L": "me!", "R": "r", "S": "r"}]
    assert world.end.undo == "complete"


def test_an_including_step_is_undone_before_what_its_job_did() -> None:
    steps = "  - id: o\n    pause: 1s\n    undo: {execute: {process: UndoO}, verify: none}\n" + FAILS
    made = including(planned(steps), INNER, inputs={"who": "me"})
    assert undone(World(answers=["r", None, refused()]).carry_out(made)) == ["UndoO", "UndoX"]


def test_what_an_included_job_did_before_it_failed_is_undone() -> None:
    """The including step failed and is not undone itself, which is incomplete; the steps that passed in it are."""
    inner = INNER.replace("finally:", FAILS + "finally:")
    steps = "  - id: o\n    pause: 1s\n    undo: {execute: {process: UndoO}, verify: none}\n"
    made = including(planned(steps), inner, inputs={"who": "me"})
    world = World(answers=["r", refused()]).carry_out(made)
    assert (undone(world), world.end.undo) == (["UndoX"], "incomplete")
    assert world.story.index("send execute UsrFin") < world.story.index("send execute UndoX")


def test_an_included_job_may_be_ignored_and_then_nothing_is_undone() -> None:
    inner = INNER.replace("finally:", FAILS + "finally:")
    steps = "  - id: o\n    pause: 1s\n    on_failure: ignore\n"
    made = including(planned(steps), inner, inputs={"who": "me"})
    assert undone(World(answers=["r", refused()]).carry_out(made)) == []


def test_a_condition_of_an_undo_is_asked_when_it_is_its_turn() -> None:
    undo = "{execute: {process: UndoA}, verify: none, if: result == 1}"
    steps = step("a", undo=undo) + FAILS
    assert undone(World(answers=[1, refused()]).carry_out(planned(steps))) == ["UndoA"]
    other = World(answers=[2, refused()]).carry_out(planned(steps))
    assert (undone(other), other.statuses_of_rows()["undo/a"]) == ([], "skipped: condition")
    assert other.end.undo == "complete"


def test_a_stop_in_the_middle_of_undo_goes_on_with_the_next() -> None:
    made = planned(step("a") + step("b") + FAILS + CLEAN)
    world = World(answers=[None, None, refused()], stop_at={4: "SIGINT"}).carry_out(made)
    rows = world.statuses_of_rows()
    assert (rows["undo/b"], rows["undo/a"], rows["clean"]) == ("error", "passed", "passed")
    assert (world.end.undo, world.end.exit_code) == ("incomplete", 130)


OFF = f"runner: 1\nname: off\nsteps:\n{step('first')}{step('second')}finally:\n{step('third')}"


def cleaning_up_by_a_job(steps: str, *, rest: str = "") -> Plan:
    """These steps, of which the first is undone by a job of two steps and a `finally`, and such a job in `finally`."""
    made = planned(steps + "finally:\n  - id: end\n    pause: 1s\n", rest=rest)
    (end,) = including(replace(made, steps=made.final_steps), OFF, inputs={}).steps
    first, *others = made.steps
    assert first.step.undo is not None
    undo = replace(first.step.undo, steps=(end.step,))
    return replace(made, steps=(replace(first, step=replace(first.step, undo=undo)), *others), final_steps=(end,))


PARTS = ("undo/a/first", "undo/a/second", "undo/a/third", "undo/a", "end/first", "end/second", "end/third", "end")


@pytest.mark.parametrize("when", [{2: "SIGINT"}, None])
def test_jobs_that_undo_and_finally_include_are_carried_out_after_a_stop_and_after_the_time(
    when: dict[int, str] | None,
) -> None:
    if when is None:
        world = World().carry_out(cleaning_up_by_a_job(step("a") + "  - pause: 1h\n", rest="timeout: 10s"))
    else:
        world = World(stop_at=when).carry_out(cleaning_up_by_a_job(step("a") + FAILS))
    rows = world.statuses_of_rows()
    assert [rows[key] for key in PARTS] == ["passed"] * len(PARTS)
    assert world.end.undo == "complete"


@pytest.mark.parametrize("number", range(3, 9))
def test_a_stop_in_the_middle_of_a_job_that_cleans_up_is_no_success_of_it(number: int) -> None:
    world = World(answers=[None, refused()], stop_at={number: "SIGINT"})
    rows = world.carry_out(cleaning_up_by_a_job(step("a") + FAILS)).statuses_of_rows()
    cut = [key for key in PARTS if rows[key] != "passed"]
    assert cut == [] or {"undo/a", "end"} & {*cut}
    assert rows["end/third"] == "passed" or "end/third" in cut
    assert (world.end.undo == "incomplete") is ("undo/a" in cut)


@pytest.mark.parametrize(("when", "rest"), [({2: "SIGINT"}, ""), ({}, "timeout: 1s")], ids=["stop", "timeout"])
def test_what_follows_a_job_in_the_finally_of_an_included_job_has_the_time_for_cleaning_up_too(
    when: dict[int, str], rest: str
) -> None:
    outer = (
        "runner: 1\nname: outer\nsteps:\n"
        + step("s")
        + "finally:\n  - {id: off, pause: 1s}\n  - {id: long, pause: 1h}\n"
    )
    made = including(planned("  - {id: p, pause: 1s}\n", rest=rest), outer, inputs={})
    (nested,) = including(planned("  - {id: off, pause: 1s}\n"), OFF, inputs={}).steps
    step_p = made.steps[0].step
    assert isinstance(step_p.action, IncludedJob)
    job = replace(step_p.action.job, final_steps=(nested.step, *step_p.action.job.final_steps[1:]))
    step_p = replace(step_p, action=replace(step_p.action, job=job))
    world = World(stop_at=when).carry_out(replace(made, steps=(replace(made.steps[0], step=step_p),)))
    assert (world.finished("p/off").status, world.finished("p/long").status) != ("passed", "passed")
    assert 300 <= world.t < 310


@pytest.mark.parametrize(("loop", "key"), [("", "a"), ("    for_each: [x]\n", "a[0]")])
def test_a_stop_in_the_middle_of_a_list_goes_on_with_the_list(loop: str, key: str) -> None:
    steps = LIST.replace(", parameters: {N: '{{ steps.first.result }}'}", "")
    made = planned(step("a", loop, undo=steps) + FAILS)
    world = World(answers=[None, refused()], stop_at={3: "SIGINT"}).carry_out(made)
    rows = world.statuses_of_rows()
    assert (rows[f"undo/{key}/first"], rows[f"undo/{key}/2"], world.end.undo) == ("error", "passed", "incomplete")


def test_where_nothing_can_be_performed_any_more_undo_is_incomplete() -> None:
    made = planned(step("a") + step("b") + FAILS + CLEAN)
    every = dict.fromkeys(range(4, 20), "SIGINT")
    world = World(answers=[None, None, refused()], stop_at=every, over=True).carry_out(made)
    assert (world.end.undo, world.end.exit_code) == ("incomplete", 130)
    assert world.statuses_of_rows()["undo/b"] == "error"
    assert world.statuses_of_rows()["clean"] == "error"
    assert world.answers == []


def test_the_end_of_the_run_says_how_far_it_was_undone() -> None:
    world = World(answers=[None, refused()]).carry_out(planned(step("a") + FAILS))
    assert [event.undo for event in world.events if isinstance(event, RunFinished)] == ["complete"]


def still_runs(undo: str, *, statuses: list[str], later: list[str]) -> World:
    """A step that is undone by `undo`, of whose processes the log shows these statuses."""
    world = World(answers=[1, refused(), None], statuses=["done", *statuses], later=later)
    return world.carry_out(planned(step("a", undo=undo) + FAILS))


def test_an_undo_whose_process_had_not_ended_is_not_complete() -> None:
    world = still_runs("{execute: {process: UndoA}}", statuses=["running"], later=[])
    assert (world.finished("undo/a").status, world.finished("undo/a").running) == ("passed", True)
    assert (world.end.undo, world.end.status, world.end.exit_code) == ("incomplete", "failed", 1)
    assert "undo incomplete" in world.story


def test_an_undo_that_is_followed_to_its_end_is_complete() -> None:
    world = still_runs("{execute: {process: UndoA, until: done}}", statuses=["running"], later=["done"])
    assert (world.finished("undo/a").running, world.end.undo) == (False, "complete")


def test_an_undo_that_waits_for_its_process_in_a_step_of_its_own_is_complete() -> None:
    wait = '[{id: off, execute: {process: UndoA}}, {wait: {process_id: "{{ steps.off.process_id }}"}}]'
    world = still_runs(wait, statuses=["running"], later=["done"])
    assert (world.finished("undo/a/off").running, world.end.undo) == (True, "complete")

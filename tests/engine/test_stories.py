"""The order in which things happen, as stories: no network, no clock, no files."""

import pytest
from msgspec.structs import replace
from stories import World, including, not_sent, planned, refused, unanswered

from runner.engine.effects import Send
from runner.foundation.values import Json
from runner.planning.plan import Plan
from runner.runs.events import AttemptFailed, StepSkipped
from runner.service.calls import Ending, ExecuteCall, ReadRow, ReadRows
from runner.targets.model import Times


def row_id(number: int) -> str:
    """The id of the process that was started as the `number`th."""
    return f"00000000-0000-0000-0000-{number:012d}"


ELEMENT = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
OTHER = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a12"


def test_one_execute_reads_the_watermark_sends_and_asks_the_log() -> None:
    world = World().carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert world.story == [
        "begin a",
        "send read watermark",
        "send execute UsrA",
        "send who am i",
        "send read rows",
        "end a passed",
        "closing done",
        "finished passed 0",
    ]
    assert world.finished("a").verified is True
    assert world.finished("a").process_id == row_id(1)


def test_the_log_is_read_once_more_a_call_and_not_twice() -> None:
    steps = "".join(f"  - id: s{n}\n    execute: {{process: UsrA}}\n" for n in range(3))
    world = World().carry_out(planned(steps))
    assert world.sent.count("read watermark") == 1
    assert world.sent.count("read rows") == 3
    assert world.sent.count("who am i") == 1
    assert [world.finished(f"s{n}").process_id for n in range(3)] == [row_id(1), row_id(2), row_id(3)]


def test_rows_that_were_there_before_are_not_taken_for_ours() -> None:
    world = World()
    world.add_row("UsrA", "error")
    world.add_row("UsrA", "done")
    world.carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert world.finished("a").process_id == row_id(3)
    assert world.end.exit_code == 0


def test_a_process_that_failed_behind_a_200_is_a_failed_step_with_the_logs_text() -> None:
    world = World(answers=["a value"], statuses=["error"]).carry_out(
        planned("  - id: a\n    execute: {process: UsrA, result: Out}\n")
    )
    step = world.finished("a")
    assert (step.status, step.verified) == ("failed", False)
    assert step.error
    assert step.error.code == "E203"
    assert "Divide by zero" in step.error.message
    assert world.end.exit_code == 1


def test_a_failed_process_explains_the_expectation_that_it_broke() -> None:
    world = World(answers=[None], statuses=["error"]).carry_out(
        planned("  - id: a\n    execute: {process: UsrA, result: Out}\n    expect: [result is not none]\n")
    )
    error = world.finished("a").error
    assert error
    assert "Divide by zero" in error.message
    assert [check.passed for check in world.finished("a").checks] == [False]


def test_a_cancelled_process_is_a_failed_step() -> None:
    world = World(statuses=["cancelled"]).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    error = world.finished("a").error
    assert error
    assert error.code == "E204"


def test_verify_none_reads_nothing() -> None:
    world = World(statuses=["error"]).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n    verify: none\n"))
    assert world.sent == ["execute UsrA"]
    assert world.finished("a").verified is None


@pytest.mark.parametrize(("answer", "shown"), [("Error: no such\nprocess", True), ("", False), (7, False)])
def test_a_text_that_nobody_asked_for_is_shown_where_nothing_is_verified(answer: str | int, *, shown: bool) -> None:
    world = World(answers=[answer]).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n    verify: none\n"))
    why = "no result was asked for, and the answer was `Error: no such process`"
    assert (world.finished("a").status, world.finished("a").warnings) == ("passed", (why,) if shown else ())
    verified = World(answers=[answer]).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert verified.finished("a").warnings == ()


@pytest.mark.parametrize("status", [301, 308, 404])
def test_a_log_that_cannot_be_read_is_given_up_once_and_the_step_is_not_verified(status: int) -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\n  - id: b\n    execute: {process: UsrB}\n"
    world = World(log=refused(status)).carry_out(planned(steps))
    assert world.sent == ["read watermark", "execute UsrA", "execute UsrB"]
    assert [type(event).__name__ for event in world.events].count("LogUnreadable") == 1
    assert world.finished("b").verified is None
    assert world.finished("b").warnings
    assert world.end.exit_code == 0


def test_verify_log_sends_nothing_where_the_log_cannot_be_read() -> None:
    world = World(log=refused(403)).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n    verify: log\n"))
    assert "execute UsrA" not in world.sent
    assert (world.end.exit_code, world.pauses) == (3, [])  # nobody gives a right within a second


def test_verify_log_sends_nothing_in_later_steps_either() -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\n  - id: b\n    execute: {process: UsrB}\n    verify: log\n"
    world = World(log=refused(403)).carry_out(planned(steps))
    assert "execute UsrB" not in world.sent
    assert world.finished("b").status == "error"


@pytest.mark.parametrize(("late_rows", "pauses"), [(1, [0.25]), (2, [0.25, 0.75])])
def test_a_row_that_appears_late_is_waited_for_a_second(late_rows: int, pauses: list[float]) -> None:
    world = World(late_rows=late_rows).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert world.pauses == pauses
    assert world.finished("a").verified is True


def test_a_row_that_never_appears_is_a_warning_and_under_verify_log_a_doubt() -> None:
    auto = World(late_rows=9).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert (auto.finished("a").status, auto.finished("a").verified) == ("passed", None)
    log = World(late_rows=9).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n    verify: log\n"))
    assert (log.finished("a").status, log.end.exit_code) == ("unknown", 4)
    read = World(late_rows=9).carry_out(
        planned("  - id: a\n    execute: {process: UsrA}\n    verify: log\n    effect: read\n")
    )
    assert (read.finished("a").status, read.end.exit_code) == ("error", 3)


def test_rows_of_another_owner_are_not_ours() -> None:
    world = World(owner="somebody else").carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert world.finished("a").verified is None


def test_where_the_code_cannot_be_filtered_by_the_schema_is_found_first() -> None:
    world = World(path_refused=True).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert world.sent == [
        "read watermark",
        "find process",
        "read watermark by schema",
        "execute UsrA",
        "who am i",
        "read rows by schema",
    ]
    assert world.finished("a").verified is True


def test_until_started_passes_a_process_that_is_running() -> None:
    world = World(statuses=["running"]).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert world.finished("a").status == "passed"
    assert "read row" not in world.sent


def test_until_done_follows_a_running_process_to_its_end() -> None:
    step = "  - id: a\n    execute: {process: UsrA, until: done}\n"
    world = World(statuses=["running"], later=["running", "done"]).carry_out(planned(step))
    assert world.sent.count("read row") == 2
    assert world.finished("a").status == "passed"
    failed = World(statuses=["running"], later=["error"]).carry_out(planned(step))
    assert failed.finished("a").status == "failed"


def test_a_process_that_is_never_done_is_unknown_after_the_steps_own_time() -> None:
    step = "  - id: a\n    execute: {process: UsrA, until: done}\n    timeout: 20s\n"
    world = World(statuses=["running"]).carry_out(planned(step))
    assert (world.finished("a").status, world.end.exit_code) == ("unknown", 4)
    assert 20 <= world.t < 40


def test_an_expression_can_ask_what_the_log_says() -> None:
    step = (
        '  - id: a\n    execute: {process: UsrA}\n    expect: [process_status == "done"]\n'
        "    outputs: {id: process_id}\n"
    )
    world = World().carry_out(planned(step))
    assert world.finished("a").outputs == {"id": row_id(1)}


def test_a_once_call_without_an_answer_is_unknown_and_never_repeated() -> None:
    world = World(answers=[unanswered()], lost=True).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert world.sent.count("execute UsrA") == 1
    assert (world.finished("a").status, world.end.status, world.end.exit_code) == ("unknown", "unknown", 4)


def test_a_read_without_an_answer_is_an_error_and_may_be_retried() -> None:
    step = (
        "  - id: a\n    execute: {process: UsrA, result: Out}\n    effect: read\n"
        "    retry: {max_attempts: 2, on: [unanswered]}\n"
    )
    world = World(answers=[unanswered(), 42]).carry_out(planned(step))
    assert (world.finished("a").status, world.finished("a").flaky, world.finished("a").attempts) == ("passed", True, 2)
    again = World(answers=[unanswered(), unanswered()]).carry_out(planned(step))
    assert (again.finished("a").status, again.end.exit_code) == ("error", 3)


def test_what_was_not_sent_is_tried_three_times_also_for_once() -> None:
    world = World(answers=[not_sent(), not_sent(), None]).carry_out(
        planned("  - id: a\n    execute: {process: UsrA}\n")
    )
    assert world.sent.count("execute UsrA") == 3
    assert (world.finished("a").status, world.finished("a").flaky) == ("passed", False)
    assert world.pauses == [1.0, 2.0]


def test_a_refusal_is_a_failure_and_ends_the_run() -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\n  - id: b\n    execute: {process: UsrB}\n"
    world = World(answers=[refused()]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a": "failed", "b": "skipped: stopped"}
    assert world.end.exit_code == 1


def test_what_the_service_asks_for_wins_over_our_pauses_up_to_the_longest() -> None:
    step = (
        "  - id: a\n    execute: {process: UsrA, result: Out}\n    effect: read\n    verify: none\n"
        "    retry: {max_attempts: 3, on: [refused], max: 5s}\n"
    )
    world = World(answers=[refused(429, retry_after=3.0), refused(429, retry_after=60.0), 1])
    assert world.carry_out(planned(step)).pauses == [3.0, 5.0]


def test_pauses_grow_by_the_factor_up_to_the_longest() -> None:
    step = (
        "  - id: a\n    execute: {process: UsrA, result: Out}\n    effect: read\n    verify: none\n"
        "    retry: {max_attempts: 6, initial: 500ms, factor: 3, max: 5s, on: [expectation]}\n"
        "    expect: [result == 1]\n"
    )
    world = World(answers=[0, 0, 0, 0, 0, 1]).carry_out(planned(step))
    assert world.pauses == [0.5, 1.5, 4.5, 5.0, 5.0]
    assert [event.kind for event in world.events if isinstance(event, AttemptFailed)] == ["expectation"] * 5
    assert world.finished("a").flaky is False


def test_polling_reads_the_log_only_for_the_attempt_that_would_pass() -> None:
    step = (
        "  - id: a\n    execute: {process: UsrA, result: Out}\n    effect: read\n"
        "    retry: {max_attempts: 3, on: [expectation]}\n    expect: [result == 1]\n"
    )
    world = World(answers=[0, 0, 1]).carry_out(planned(step))
    assert world.sent.count("read rows") == 1
    assert world.finished("a").verified is True


def test_a_failed_step_that_says_continue_lets_the_next_run_and_the_run_fail() -> None:
    steps = (
        "  - id: a\n    execute: {process: UsrA}\n    on_failure: continue\n  - id: b\n    execute: {process: UsrB}\n"
    )
    world = World(answers=[refused()]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a": "failed", "b": "passed"}
    assert world.end.exit_code == 1


def test_a_failed_step_that_says_ignore_does_not_count() -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\n    on_failure: ignore\n  - id: b\n    execute: {process: UsrB}\n"
    assert World(answers=[refused()]).carry_out(planned(steps)).end.exit_code == 0


def test_an_unknown_step_stops_the_run_even_where_failures_are_ignored() -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\n    on_failure: ignore\n  - id: b\n    execute: {process: UsrB}\n"
    world = World(answers=[unanswered()], lost=True).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a": "unknown", "b": "skipped: stopped"}
    assert world.end.exit_code == 4


def test_finally_is_carried_out_whatever_happened() -> None:
    steps = (
        "  - id: a\n    execute: {process: UsrA}\n"
        "finally:\n  - id: clean\n    execute: {process: UsrClean}\n    effect: idempotent\n"
    )
    world = World(answers=[refused()]).carry_out(planned(steps))
    assert world.story.index("closing stopped") < world.story.index("send execute UsrClean")
    assert world.statuses_of_rows() == {"a": "failed", "clean": "passed"}
    assert world.end.exit_code == 1


def test_a_final_step_that_fails_fails_the_run_and_does_not_stop_the_others() -> None:
    steps = (
        "  - id: a\n    execute: {process: UsrA}\n"
        "finally:\n  - id: c1\n    execute: {process: UsrC}\n  - id: c2\n    execute: {process: UsrC}\n"
    )
    world = World(answers=[None, refused(), None]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a": "passed", "c1": "failed", "c2": "passed"}
    assert world.end.exit_code == 1


def test_success_and_failure_tell_apart_in_steps_and_in_finally() -> None:
    steps = (
        "  - id: a\n    execute: {process: UsrA}\n"
        "  - id: b\n    if: failure()\n    execute: {process: UsrB}\n"
        "  - id: c\n    execute: {process: UsrC}\n"
        "finally:\n"
        "  - id: good\n    if: success()\n    execute: {process: UsrG}\n"
        "  - id: bad\n    if: failure()\n    execute: {process: UsrD}\n"
    )
    failed = World(answers=[refused()]).carry_out(planned(steps))
    assert failed.statuses_of_rows() == {
        "a": "failed",
        "b": "passed",
        "c": "skipped: stopped",
        "good": "skipped: condition",
        "bad": "passed",
    }
    passed = World().carry_out(planned(steps))
    assert passed.statuses_of_rows() == {
        "a": "passed",
        "b": "skipped: condition",
        "c": "passed",
        "good": "passed",
        "bad": "skipped: condition",
    }


def test_using_the_result_of_a_skipped_step_is_a_failure_that_says_so() -> None:
    steps = (
        "  - id: a\n    if: 1 == 2\n    execute: {process: UsrA, result: Out}\n"
        '  - id: b\n    execute: {process: UsrB, parameters: {X: "{{ steps.a.result }}"}}\n'
    )
    world = World().carry_out(planned(steps))
    error = world.finished("b").error
    assert error
    assert error.code == "E207"
    assert error.message.endswith("it was skipped, because its `if` was false")
    assert "execute UsrB" not in world.sent


INPUTS = "inputs:\n  long: {type: string}\n"


def planned_with_a_long_input(steps: str, *, rest: str = "") -> Plan:
    return planned(steps, inputs={"long": "x" * 2**20}, rest=INPUTS + rest)


CLEANUP = "finally:\n  - id: z\n    execute: {process: UsrZ}\n"
TEXTS = ", ".join(['"{{ inputs.long }}"'] * 9)


@pytest.mark.parametrize(
    ("step", "what"),
    [
        (f"execute: {{process: UsrA, parameters: {{X: [{TEXTS}]}}}}", "the parameters of this call"),
        (f"run: {{process: UsrA, parameters: {{X: [{TEXTS}]}}}}", "the parameters of this call"),
        (f"element: {{uid: {ELEMENT}, parameters: {{X: {{Y: [{TEXTS}]}}}}}}", "the parameters of this call"),
        (
            "execute: {process: UsrA, parameters: {"
            + ", ".join(f'P{n}: "{{{{ inputs.long }}}}"' for n in range(9))
            + "}}",
            "the parameters of this call",
        ),
        (f"for_each: [{TEXTS}]\n    execute: {{process: UsrA}}", "the items of `for_each`"),
    ],
)
def test_values_that_come_to_too_much_together_are_a_failure_and_nothing_is_sent(step: str, what: str) -> None:
    world = World().carry_out(planned_with_a_long_input(f"  - id: a\n    {step}\n{CLEANUP}"))
    error = world.finished("a").error
    assert error
    assert (error.code, error.message) == ("E207", f"{what} come to more than 8 MiB")
    assert [call for call in world.sent if call.startswith(("execute", "run", "complete"))] == ["execute UsrZ"]
    assert world.statuses_of_rows() == {"a": "failed", "z": "passed"}


def test_as_much_as_there_is_room_for_is_sent() -> None:
    texts = ", ".join(['"{{ inputs.long }}"'] * 7)
    world = World().carry_out(
        planned_with_a_long_input(f"  - id: a\n    execute: {{process: UsrA, parameters: {{X: [{texts}]}}}}\n")
    )
    assert world.statuses_of_rows() == {"a": "passed"}


def test_vars_that_come_to_too_much_together_fail_the_run_before_its_first_step() -> None:
    rest = f"vars:\n  a: [{TEXTS}]\n"
    world = World().carry_out(
        planned_with_a_long_input(f"  - id: a\n    execute: {{process: UsrA}}\n{CLEANUP}", rest=rest)
    )
    assert world.end.error
    assert world.end.error.message == "`vars` cannot be worked out: the vars come to more than 8 MiB"
    assert [call for call in world.sent if call.startswith("execute")] == ["execute UsrZ"]


def test_outputs_of_turns_that_come_to_too_much_together_end_the_turns_and_not_the_run() -> None:
    step = (
        f"  - id: a\n    for_each: {[*range(100)]}\n    execute: {{process: UsrA}}\n"
        f"    outputs: {{all: inputs.long}}\n{CLEANUP}    outputs: {{small: 1 + 1}}\n"
    )
    world = World().carry_out(planned_with_a_long_input(step))
    turns = [call for call in world.sent if call == "execute UsrA"]
    assert len(turns) == 64
    error = world.finished("a[63]").error
    assert error
    assert error.message == "the outputs of all steps come to more than 64 MiB"
    assert world.finished("z").status == "passed"


def test_a_condition_that_gives_no_boolean_is_a_failure_and_nothing_is_sent() -> None:
    world = World().carry_out(planned("  - id: a\n    if: '\"false\"'\n    execute: {process: UsrA}\n"))
    assert world.finished("a").status == "failed"
    assert world.sent == []


def test_a_chain_is_a_row_an_element_and_a_row_of_its_own() -> None:
    world = World(answers=["x", "y"]).carry_out(planned(f"  - id: a\n    elements: [{ELEMENT}, {OTHER}]\n"))
    assert world.story[:8] == [
        "begin a",
        "begin a[0]",
        "send element 7d8f6f3e",
        "end a[0] passed",
        "begin a[1]",
        "send element 7d8f6f3e",
        "end a[1] passed",
        "end a passed",
    ]
    assert world.finished("a").result == ["x", "y"]


def test_a_chain_ends_at_the_first_element_that_does_not_pass() -> None:
    steps = f"  - id: a\n    elements: [{ELEMENT}, {OTHER}]\n"
    world = World(answers=[refused()]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a[0]": "failed", "a": "failed", "a[1]": "skipped: stopped"}
    assert skipped_by(world) == {"a[1]": ("stopped", "a[0]")}


def test_an_element_is_retried_alone_and_the_chain_is_never_restarted() -> None:
    step = f"  - id: a\n    elements: [{ELEMENT}, {OTHER}]\n    retry: {{max_attempts: 2, on: [unanswered]}}\n"
    world = World(answers=[None, unanswered(), None]).carry_out(planned(step))
    assert [call for call in world.sent if call.startswith("element")] == ["element 7d8f6f3e"] * 3
    assert (world.finished("a[1]").attempts, world.finished("a[1]").flaky) == (2, True)


def test_an_element_with_values_must_not_happen_twice() -> None:
    step = f"  - id: a\n    element: {{uid: {ELEMENT}, parameters: {{X: 1}}}}\n"
    world = World(answers=[unanswered()]).carry_out(planned(step))
    assert world.sent == ["complete 7d8f6f3e"]
    assert world.end.exit_code == 4


def test_an_id_that_a_template_gives_must_be_a_guid() -> None:
    steps = (
        "  - id: a\n    execute: {process: UsrA, result: Out}\n    verify: none\n"
        '  - id: b\n    element: "{{ steps.a.result }}"\n'
    )
    world = World(answers=["no guid"]).carry_out(planned(steps))
    error = world.finished("b").error
    assert error
    assert error.code == "E113"
    assert world.sent == ["execute UsrA"]


def test_a_required_result_that_is_null_is_a_failure_and_else_a_warning() -> None:
    step = "  - id: a\n    execute: {process: UsrA, result: Out}\n    verify: none\n"
    world = World().carry_out(planned(step))
    assert world.finished("a").status == "passed"
    assert "null" in world.finished("a").warnings[0]
    strict = World().carry_out(planned(step.replace("Out}", "Out, required: true}")))
    error = strict.finished("a").error
    assert error
    assert error.code == "E206"


def test_vars_are_worked_out_once_in_order_and_reach_the_call() -> None:
    rest = 'vars:\n  a: "x{{ run.id }}"\n  b: "{{ vars.a | length }}"\n'
    step = '  - id: a\n    execute: {process: UsrA, parameters: {N: "{{ vars.b }}", None: null}}\n    verify: none\n'
    made = planned(step, rest=rest)
    world = World().carry_out(made)
    call = next(effect.call for effect in world.effects if hasattr(effect, "call"))
    assert getattr(call, "parameters", None) == {"N": 37}


def test_vars_that_break_stop_the_run_before_its_first_step() -> None:
    world = World().carry_out(planned("  - id: a\n    execute: {process: UsrA}\n", rest='vars: {a: "{{ 1 / 0 }}"}'))
    assert world.sent == []
    assert world.end.exit_code == 1
    assert world.end.error
    assert "vars" in world.end.error.message


def test_job_outputs_are_reported_and_one_that_cannot_be_had_fails_a_passed_run() -> None:
    rest = "outputs: {n: steps.a.result}"
    step = "  - id: a\n    execute: {process: UsrA, result: Out}\n    verify: none\n"
    assert World(answers=[42]).carry_out(planned(step, rest=rest)).end.outputs == {"n": 42}
    skipped = World().carry_out(planned(step + "    if: 1 == 2\n", rest=rest))
    assert (skipped.end.outputs, skipped.end.exit_code) == ({"n": None}, 1)


def test_a_stop_ends_the_step_skips_the_rest_and_carries_out_finally() -> None:
    steps = (
        "  - id: a\n    execute: {process: UsrA}\n    verify: none\n"
        "  - id: b\n    if: always()\n    execute: {process: UsrB}\n    verify: none\n"
        "  - id: c\n    execute: {process: UsrC}\n    verify: none\n"
        "finally:\n"
        "  - id: clean\n    if: steps.b.status != 'passed'\n    execute: {process: UsrClean}\n    verify: none\n"
    )
    world = World(stop_at={2: "SIGTERM"}).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a": "passed", "b": "error", "c": "skipped: stopped", "clean": "passed"}
    assert "closing SIGTERM" in world.story
    assert (world.end.status, world.end.exit_code) == ("cancelled", 143)


def test_a_stop_before_the_verdict_leaves_a_once_call_unknown() -> None:
    world = World(stop_at={4: "SIGINT"}).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert world.statuses_of_rows() == {"a": "unknown"}
    assert (world.end.status, world.end.exit_code) == ("unknown", 130)


def test_a_stop_in_a_chain_ends_the_element_and_the_chain() -> None:
    world = World(stop_at={2: "SIGINT"}).carry_out(planned(f"  - id: a\n    elements: [{ELEMENT}, {OTHER}]\n"))
    assert world.statuses_of_rows() == {"a[0]": "passed", "a[1]": "error", "a": "error"}


def test_a_step_without_an_id_goes_by_its_number() -> None:
    steps = "  - execute: {process: UsrA}\n    verify: none\nfinally:\n  - execute: {process: UsrB}\n    verify: none\n"
    assert World().carry_out(planned(steps)).statuses_of_rows() == {"1": "passed", "2": "passed"}


def test_the_same_outcomes_lead_to_the_same_effects() -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\n  - id: b\n    execute: {process: UsrB, result: R}\n"
    first, second = World().carry_out(planned(steps)), World().carry_out(planned(steps))
    assert first.effects == second.effects


def test_what_is_made_from_a_secret_is_known_as_one() -> None:
    rest = 'inputs: {token: {type: string, secret: true}}\nvars: {auth: "Bearer {{ inputs.token | upper }}"}'
    step = '  - id: a\n    execute: {process: UsrA, parameters: {T: "{{ vars.auth }}"}}\n    verify: none\n'
    made = planned(step, rest=rest, inputs={"token": "s3cret-token"})
    World().carry_out(made)
    assert "S3CRET-TOKEN" not in made.secrets.mask("sent Bearer S3CRET-TOKEN and s3cret-token")
    assert "s3cret-token" not in made.secrets.mask("sent Bearer S3CRET-TOKEN and s3cret-token")


def test_what_is_made_of_a_secret_within_a_longer_text_is_secret_by_itself() -> None:
    value = """'key={{ inputs.key | replace("-", "") }}; {{ target.name }}'"""
    step = f"  - execute: {{process: UsrA, parameters: {{T: {value}}}}}\n"
    made = planned(step + "    verify: none\n", rest="inputs: {key: {secret: true}}", inputs={"key": "q7kXw9-Lm3zPt5"})
    World().carry_out(made)
    assert made.secrets.mask("q7kXw9Lm3zPt5 is not known here") == "*** is not known here"


def test_a_key_of_a_secret_record_that_is_no_name_is_secret_too() -> None:
    step = "  - execute: {process: UsrA, parameters: {T: '{{ inputs.tokens }}'}}\n    verify: none\n"
    made = planned(
        step, rest="inputs: {tokens: {secret: true}}", inputs={"tokens": {"Zq7-kXw9": {"Role": "admin-role"}}}
    )
    World().carry_out(made)
    assert made.secrets.mask("Zq7-kXw9 has the Role admin-role") == "*** has the Role ***"


@pytest.mark.parametrize(
    "given",
    [{"Role": "admin-role"}, ["admin-role", 7], '{"Role": ["admin-role"]}', ' [{"Role": "admin-role"}]', "{admin-role"],
)
def test_what_a_secret_input_holds_is_secret_before_an_expression_reads_it(given: Json) -> None:
    step = "  - {id: a, execute: {process: UsrA, result: Role}, verify: none}\n"
    made = planned(step, rest="inputs: {account: {secret: true}}", inputs={"account": given})
    world = World(answers=["the admin-role"]).carry_out(made)
    assert (made.secrets.mask(str(world.finished("a").result)) == "the ***") == (given != "{admin-role")


def test_a_secret_step_keeps_its_result_out_of_every_event() -> None:
    steps = (
        "  - id: a\n    secret: true\n    execute: {process: UsrA, result: Key}\n    verify: none\n"
        "    expect: [result | length > 0]\n    outputs: {half: 'result[:8]'}\n"
        '  - id: b\n    execute: {process: UsrB, parameters: {K: "{{ steps.a.outputs.half }}"}}\n    verify: none\n'
    )
    made = planned(steps)
    world = World(answers=["abcdefgh-12345678", None]).carry_out(made)
    assert world.finished("a").result == "***"
    assert made.secrets.mask("abcdefgh-12345678 abcdefgh") == "*** ***"


@pytest.mark.parametrize("action", ["execute: {process: UsrA, result: Key}", "run: {process: UsrA, results: [Key]}"])
def test_what_a_secret_step_gave_is_known_as_a_secret_before_the_log_is_read_again(action: str) -> None:
    made = planned(f"  - id: a\n    secret: true\n    verify: log\n    {action}\n")

    class Site(World):
        def _ending(self, send: Send) -> Ending:
            if isinstance(send.call, ReadRows | ReadRow):
                reasons = isinstance(send.call, ReadRow) or send.call.reasons
                assert reasons == made.secrets.appears_in("the token abcdefgh-12345678 is wrong")
            return super()._ending(send)

    token = "abcdefgh-12345678"
    world = Site(answers=[token if "execute" in action else {"Key": token}]).carry_out(made)
    assert world.finished("a").status == "passed"
    assert "read watermark" in world.sent


def test_rows_of_one_time_that_disagree_leave_a_once_call_unknown() -> None:
    def crowded() -> World:
        """A failed process of ours, and one of somebody else's that is done; whose is whose cannot be seen."""
        return World(statuses=["error"], owner=None, crowd=["done"])

    once = crowded().carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert once.end.exit_code == 4
    read = crowded().carry_out(planned("  - id: a\n    execute: {process: UsrA}\n    effect: read\n"))
    assert (read.finished("a").status, read.finished("a").verified) == ("passed", None)


@pytest.mark.parametrize("action", ["execute: {process: UsrA, result: R}", "run: {process: UsrA, results: [R]}"])
def test_the_empty_guid_as_a_result_is_warned_of_and_so_is_a_parameter_that_it_becomes(action: str) -> None:
    none, path = "00000000-0000-0000-0000-000000000000", ".R" if "results" in action else ""
    parameters = f'{{X: "{{{{ steps.a.result{path} }}}}", Y: {none}}}'
    steps = (
        f"  - id: a\n    {action}\n    verify: none\n"
        f"  - id: b\n    execute: {{process: UsrB, parameters: {parameters}}}\n    verify: none\n"
    )
    world = World(answers=[{"R": none} if path else none, None]).carry_out(planned(steps))
    assert any(each.startswith("`R` is the empty GUID") for each in world.finished("a").warnings)
    assert world.finished("b").warnings == ("parameter `X` is the empty GUID, which its template gives",)


def test_a_template_that_gives_null_leaves_its_parameter_out_with_a_warning() -> None:
    steps = (
        "  - id: a\n    execute: {process: UsrA, result: R}\n    verify: none\n"
        '  - id: b\n    execute: {process: UsrB, parameters: {X: "{{ steps.a.result }}", Y: null}}\n    verify: none\n'
    )
    world = World().carry_out(planned(steps))
    assert world.finished("b").warnings == ("parameter `X` is left out: its template gives null",)


def test_a_process_that_still_runs_is_reported_of_though_its_step_passes() -> None:
    world = World(statuses=["running"]).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n"))
    assert "still running" in world.finished("a").warnings[0]


def test_a_secret_too_short_to_be_found_in_a_text_is_not_shown_by_an_expectation() -> None:
    step = "  - id: a\n    execute: {process: UsrA}\n    verify: none\n    expect: [inputs.pin == '0']\n"
    rest = "inputs: {pin: {type: string, secret: true}}"
    world = World().carry_out(planned(step, rest=rest, inputs={"pin": "zq7"}))
    assert "zq7" not in repr(world.events)


BROKEN = "{'a': 1}[inputs.key[1:9]]"
PARTS = {
    "message": "    expect: [{that: result == 1, message: 'got {{ inputs.key[1:9] }}'}]\n",
    "message of a schema": "    expect: [{schema: false, message: 'got {{ inputs.key[1:9] }}'}]\n",
    "expectation": f'    expect: ["{BROKEN} == 1"]\n',
    "compared": f'    expect: ["result == {BROKEN}"]\n',
    "filter": "    expect: ['[{}] | map(attribute=inputs.key[1:9]) | list == []']\n",
    "pattern": "    expect: [\"'a' is match(inputs.key[1:9] ~ '(')\"]\n",
    "condition": f'    if: "{BROKEN}"\n',
    "output": f'    outputs: {{x: "{BROKEN}"}}\n',
    "loop": f'    for_each: "{BROKEN}"\n',
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS.keys())
def test_a_part_of_a_secret_is_in_no_event(part: str) -> None:
    made = planned(
        "  - id: a\n    execute: {process: UsrA, result: R}\n    verify: none\n" + part,
        rest="inputs: {key: {type: string, secret: true}}",
        inputs={"key": "Zq7kXw9Pm2vR"},
    )
    world = World(answers=["other"]).carry_out(made)
    assert world.end.status != "passed"
    assert "q7kXw9Pm" not in made.secrets.mask(repr(world.events))


@pytest.mark.parametrize("where", ["vars: {v: '{{ [1][inputs.key[1:9]] }}'}", "outputs: {v: '[1][inputs.key[1:9]]'}"])
def test_a_part_of_a_secret_is_in_no_error_of_the_run(where: str) -> None:
    rest = "inputs: {key: {type: string, secret: true}}\n" + where
    made = planned("  - pause: 1ms\n", rest=rest, inputs={"key": "Zq7kXw9Pm2vR"})
    world = World().carry_out(made)
    assert world.end.status != "passed"
    assert "q7kXw9Pm" not in made.secrets.mask(repr(world.events))


LOOPS = {
    "an item of a secret list": "for_each: inputs.keys\n    expect: ['result == item[1:9]']\n",
    "an item with a secret in it": "for_each: ['{{ inputs.keys[0] }}']\n    expect: ['result == item[1:9]']\n",
    "a later attempt to undo": "for_each: inputs.keys\n    undo: {execute: {process: UsrU, parameters: "
    "{P: '{{ item[1:9] }}'}}}\n  - execute: {process: UsrA}\n    verify: none\n    expect: [false]\n",
    "an output of turns": "for_each: inputs.keys\n    outputs: {x: 'item'}\n"
    "  - execute: {process: UsrA, parameters: {P: '{{ steps.a.outputs.x[0][1:9] }}'}}\n"
    "    expect: [false]\n    verify: none\n",
}


@pytest.mark.parametrize("rest", LOOPS.values(), ids=LOOPS.keys())
def test_a_part_of_an_item_that_is_a_secret_is_in_no_event(rest: str) -> None:
    made = planned(
        "  - id: a\n    execute: {process: UsrA, result: R}\n    verify: none\n    " + rest,
        rest="inputs: {keys: {type: array, secret: true}}",
        inputs={"keys": ["Zq7kXw9Pm2vR"]},
    )
    world = World(answers=["other"]).carry_out(made)
    assert world.end.status != "passed"
    assert "q7kXw9Pm" not in made.secrets.mask(repr(world.effects) + repr(world.events))


INNER = (
    "runner: 1\nname: inner\ninputs: {key: {type: string}}\nsteps:\n"
    "  - id: i\n    execute: {process: UsrI, result: R}\n    verify: none\n"
)


def test_an_input_of_an_included_job_that_is_made_from_a_secret_is_one() -> None:
    outer = planned("  - pause: 1s\n", rest="inputs: {key: {secret: true}}", inputs={"key": "Zq7kXw9Pm2vR"})
    inner = INNER + "    expect: ['result == inputs.key[1:9]']\n"
    made = including(outer, inner, inputs={"key": "{{ inputs.key }}"})
    world = World(answers=["other"]).carry_out(made)
    assert world.end.status == "failed"
    assert "q7kXw9Pm" not in made.secrets.mask(repr(world.events))


def test_the_results_within_an_included_job_whose_result_is_secret_are_so_too() -> None:
    outer = planned("  - id: o\n    pause: 1s\n    secret: true\n")
    world = World(answers=["Zq7kXw9Pm2vR"]).carry_out(including(outer, INNER, inputs={"key": "x"}))
    assert world.finished("o/i").result == "***"


@pytest.mark.parametrize("found", ["result[0].k[1:9]", "turns[0].result.k[1:9]"])
def test_an_output_of_an_included_job_that_is_made_from_a_secret_is_one_in_turns_too(found: str) -> None:
    outer = planned(
        "  - id: a\n    for_each: [1]\n    pause: 1s\n"
        f"  - execute: {{process: UsrB, result: R}}\n    verify: none\n    expect: ['result == steps.a.{found}']\n",
        rest="inputs: {key: {secret: true}}",
        inputs={"key": "Zq7kXw9Pm2vR"},
    )
    made = including(outer, INNER + "outputs: {k: inputs.key}\n", inputs={"key": "{{ inputs.key }}"})
    world = World(answers=["other", "other"]).carry_out(made)
    assert world.end.status == "failed"
    assert "q7kXw9Pm" not in made.secrets.mask(repr(world.events))


def seconds_of_calls(world: World) -> list[float]:
    return [effect.seconds for effect in world.effects if isinstance(effect, Send)]


def test_an_attempt_has_the_time_of_its_step_else_of_the_job_else_of_the_target() -> None:
    steps = (
        "  - execute: {process: UsrA}\n    verify: none\n    timeout: 7s\n"
        "  - execute: {process: UsrA}\n    verify: none\n"
    )
    assert seconds_of_calls(World().carry_out(planned(steps))) == [7.0, 100.0]
    assert seconds_of_calls(World().carry_out(planned(steps, rest="defaults: {timeout: 9s}"))) == [7.0, 9.0]
    assert seconds_of_calls(World().carry_out(replace(planned(steps), times=Times(timeout=5.0)))) == [7.0, 5.0]


def test_a_step_with_always_is_carried_out_after_a_failure() -> None:
    steps = (
        "  - id: a\n    execute: {process: UsrA}\n"
        "  - id: b\n    if: always()\n    execute: {process: UsrB}\n"
        "  - id: c\n    execute: {process: UsrC}\n"
    )
    world = World(answers=[refused()]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a": "failed", "b": "passed", "c": "skipped: stopped"}


def test_a_result_that_is_to_stay_a_text_is_asked_for_as_one() -> None:
    step = "  - execute: {process: UsrA, result: R, decode: text}\n    verify: none\n"
    (send,) = (effect for effect in World().carry_out(planned(step)).effects if isinstance(effect, Send))
    assert isinstance(send.call, ExecuteCall)
    assert send.call.decode == "text"


def test_an_output_of_the_job_that_is_made_from_a_secret_is_one() -> None:
    rest = "inputs: {token: {type: string, secret: true}}\noutputs: {half: 'inputs.token[:8]'}"
    step = "  - execute: {process: UsrA}\n    verify: none\n"
    made = planned(step, rest=rest, inputs={"token": "s3cret-token"})
    World().carry_out(made)
    assert made.secrets.mask("it begins with s3cret-t") == "it begins with ***"


def test_a_stop_that_is_reported_between_two_steps_begins_no_other_one() -> None:
    steps = (
        "  - id: a\n    execute: {process: UsrA}\n    undo: {execute: {process: UsrBack}}\n"
        "  - id: b\n    execute: {process: UsrB}\n"
        "finally:\n  - id: clean\n    execute: {process: UsrClean}\n"
    )
    world = World(heard=["", "", "SIGINT"]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {
        "a": "passed",
        "b": "skipped: stopped",
        "undo/a": "passed",
        "clean": "passed",
    }
    assert (world.end.status, world.end.exit_code, world.end.undo) == ("cancelled", 130, "complete")


def test_a_stop_during_the_last_call_cancels_the_run_only_where_something_is_undone_for_it() -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\nfinally:\n  - id: clean\n    execute: {process: UsrClean}\n"
    world = World(heard=["", "", "SIGTERM"]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a": "passed", "clean": "passed"}
    assert "closing SIGTERM" in world.story
    assert (world.end.status, world.end.exit_code) == ("passed", 0)
    undone = steps.replace("UsrA}", "UsrA}\n    undo: {execute: {process: UsrBack}}")
    cancelled = World(heard=["", "", "SIGTERM"]).carry_out(planned(undone))
    assert cancelled.statuses_of_rows() == {"a": "passed", "undo/a": "passed", "clean": "passed"}
    assert (cancelled.end.status, cancelled.end.exit_code) == ("cancelled", 143)


def test_a_stop_in_finally_of_a_run_that_is_carried_out_whole_takes_nothing_from_it() -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\nfinally:\n  - id: clean\n    execute: {process: UsrClean}\n"
    steps += "  - {id: mail, if: failure(), execute: {process: UsrMail}}\n"
    world = World(heard=["", "", "", "", "SIGTERM"]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a": "passed", "clean": "passed", "mail": "skipped: condition"}
    assert "closing done" in world.story
    assert (world.end.status, world.end.exit_code) == ("passed", 0)
    failing = World(heard=["", "", "", "", "SIGTERM"]).carry_out(
        planned(steps.replace("UsrClean}", "UsrClean}\n    expect: [1 == 2]"))
    )
    assert failing.statuses_of_rows()["mail"] == "passed"
    assert (failing.end.status, failing.end.exit_code) == ("cancelled", 143)


def test_a_stop_between_two_turns_begins_no_other_one() -> None:
    steps = "  - id: a\n    for_each: [1, 2, 3]\n    execute: {process: UsrA}\n"
    world = World(heard=["", "", "", "SIGINT"]).carry_out(planned(steps))
    left_out = {"a[1]": "skipped: stopped", "a[2]": "skipped: stopped"}
    assert world.statuses_of_rows() == {"a[0]": "passed", **left_out}
    assert skipped_by(world) == {"a[1]": ("stopped", None), "a[2]": ("stopped", None)}
    assert world.end.exit_code == 130


def test_a_stop_before_the_first_turn_leaves_the_whole_step_out() -> None:
    steps = "  - id: a\n    for_each: [1, 2, 3]\n    execute: {process: UsrA}\n"
    world = World(heard=["", "SIGINT"]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a": "skipped: stopped"}


def test_a_stop_between_two_elements_of_a_chain_begins_no_other_one() -> None:
    one = "0193a0c4-0000-7000-8000-00000000000"
    steps = f"  - id: a\n    elements: [{one}1, {one}2]\n"
    world = World(heard=["", "", "SIGINT"]).carry_out(planned(steps))
    assert world.statuses_of_rows() == {"a[0]": "passed", "a": "error", "a[1]": "skipped: stopped"}
    assert world.end.exit_code == 130


def test_a_row_that_a_stop_left_out_names_the_step_that_stopped_the_run() -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\n  - id: b\n    pause: 1s\n"
    steps += "  - id: c\n    if: always()\n    pause: 1s\n  - id: d\n    if: failure() and false\n    pause: 1s\n"
    world = World(answers=[refused()]).carry_out(planned(steps))
    assert skipped_by(world) == {"b": ("stopped", "a"), "d": ("condition", None)}


def test_a_row_that_a_signal_left_out_names_no_step() -> None:
    steps = "  - id: a\n    pause: 1s\n  - id: b\n    pause: 1s\n"
    world = World(stop_at={1: "SIGINT"}).carry_out(planned(steps))
    assert skipped_by(world) == {"b": ("stopped", None)}


def test_what_a_signal_leaves_out_of_finally_names_no_step_though_one_had_stopped_the_run() -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\n  - id: b\n    pause: 1s\n"
    rest = "finally:\n  - {id: c, pause: 1s}\n  - {id: d, pause: 1s}\n"
    world = World(answers=[refused()], stop_at={3: "SIGINT"}, over=True).carry_out(planned(steps, rest=rest))
    assert skipped_by(world) == {"b": ("stopped", "a"), "d": ("stopped", None)}


def skipped_by(world: World) -> dict[str, tuple[str, str | None]]:
    return {event.row.key: (event.reason, event.by) for event in world.events if isinstance(event, StepSkipped)}

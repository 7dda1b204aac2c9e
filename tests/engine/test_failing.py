"""Stories of processes that fail: at which element, as far as that log tells, and that nothing is lost by asking."""

from dataclasses import dataclass, field

import pytest
from stories import World, including, planned, refused, unanswered

from runner.engine.effects import Send
from runner.foundation.values import Json, JsonObject
from runner.service.calls import Answered, Ending, ReadElements

EXECUTE = "  - id: a\n    execute: {process: UsrAdd, result: R}\n"
START = "  - id: a\n    execute: {process: UsrAdd}\n"
RUN = "  - id: a\n    run: {process: UsrAdd}\n"
WAIT = "  - id: a\n    wait: {process_id: 00000000-0000-0000-0000-000000000001}\n"
DONE: JsonObject = {"uid": "1", "caption": "Read", "status": "done", "error": None}
APPROVE: JsonObject = {"uid": "7d8f", "caption": "Approve", "status": "error", "error": "No such contact"}
REPORTED = 'the process failed at the element "Approve": Divide by zero; the element says: No such contact'
ALONE = "the process failed: Divide by zero"
INNER = "runner: 1\nname: inner\nsteps:\n  - id: one\n    run: {process: UsrAdd}\n"


@dataclass
class Closed(World):
    """A site that shows its processes, and refuses its log of elements."""

    refusal: Ending = field(default_factory=lambda: refused(403))

    def _ending(self, send: Send) -> Ending:
        return self.refusal if isinstance(send.call, ReadElements) else super()._ending(send)


class Late(World):
    """The row of a process is not in the log yet when it is asked for."""

    def _row(self, _: str) -> Ending:
        return Answered(value=None)


def failing(step: str, *elements: Json, world: World | None = None) -> World:
    """The step carried out against a process that fails at these elements."""
    site = world or World(statuses=["error"])
    site.elements = [list(elements)]
    return site.carry_out(planned(step))


def said(world: World, key: str = "a") -> str:
    error = world.finished(key).error
    assert error is not None
    return error.message


def test_a_process_that_failed_and_has_no_row_yet_is_not_said_to_have_no_reason() -> None:
    site = said(failing(RUN, world=Late(statuses=["error"])))
    assert site == "the process failed, and the process log shows no row of it"


@pytest.mark.parametrize("step", [EXECUTE, RUN])
def test_a_process_that_failed_is_reported_with_its_element(step: str) -> None:
    world = failing(step, DONE, APPROVE)

    assert said(world) == REPORTED
    assert (world.finished("a").status, world.end.exit_code) == ("failed", 1)
    assert world.sent.count("read elements") == 1


def test_so_is_one_that_was_waited_for() -> None:
    waited = World()
    waited.add_row("UsrAdd", "error")

    assert said(failing(WAIT, APPROVE, world=waited)) == REPORTED


def test_so_is_one_that_was_not_answered_and_found_in_the_log() -> None:
    world = failing(START, APPROVE, world=World(answers=[unanswered()], statuses=["error"]))

    assert said(world) == REPORTED
    assert world.finished("a").verified == "inferred"


def test_so_is_one_that_is_settled_after_the_run() -> None:
    world = World(
        answers=[unanswered()], statuses=["running"], late_rows=3, verdicts=[{"as": "unknown"}, {"as": "log"}]
    )
    world.later = ["error"]

    failing(START.replace("UsrAdd", "UsrAdd, until: done"), APPROVE, world=world)

    assert said(world) == 'the process failed at the element "Approve": No such contact'
    assert world.end.exit_code == 1


def test_a_process_that_was_cancelled_is_reported_with_the_element_that_failed() -> None:
    failed = APPROVE | {"error": None}

    world = failing(RUN, DONE, failed, world=World(statuses=["cancelled"]))

    assert said(world) == 'the process was cancelled at the element "Approve", and the process log gives no reason'


@pytest.mark.parametrize("elements", [[], [DONE]])
def test_a_log_of_elements_that_shows_no_failure_changes_nothing(elements: list[Json]) -> None:
    assert said(failing(RUN, *elements)) == ALONE


def test_a_log_of_elements_that_is_refused_is_asked_once_and_changes_nothing() -> None:
    world = failing(RUN, world=Closed(statuses=["error"]))

    assert said(world) == ALONE
    assert world.sent.count("read elements") == 1


def test_a_process_that_passed_is_not_asked_for_its_elements() -> None:
    assert "read elements" not in World().carry_out(planned(RUN)).sent


def test_none_of_several_processes_that_all_failed_is_asked_for_its_elements() -> None:
    crowd = World(statuses=["error"], crowd=["error"], owner=None)

    assert "read elements" not in failing(EXECUTE, APPROVE, world=crowd).sent


def test_verify_none_reads_no_elements() -> None:
    world = failing(f"{RUN}    verify: none\n", APPROVE)

    assert "read elements" not in world.sent
    assert world.finished("a").status == "failed"


def test_a_stop_while_the_elements_are_read_leaves_the_step_failed() -> None:
    reading = sum("read" in line or "send" in line for line in failing(RUN).story)
    world = failing(
        f"{RUN}  - id: b\n    run: {{process: UsrB}}\n", world=World(statuses=["error"], stop_at={reading: "SIGINT"})
    )

    assert world.sent[-1] == "read elements"
    assert said(world) == ALONE
    assert world.statuses_of_rows() == {"a": "failed", "b": "skipped: stopped"}
    assert (world.end.status, world.end.exit_code) == ("cancelled", 130)


def test_a_time_that_is_over_before_the_elements_are_read_leaves_the_step_failed() -> None:
    whole = failing(RUN)
    almost = len(whole.sent) - 1
    made = planned(RUN, rest=f"timeout: {almost}s")

    world = World(statuses=["error"], elements=[[APPROVE]]).carry_out(made)

    assert "read elements" not in world.sent
    assert said(world) == ALONE
    assert (world.finished("a").status, world.end.exit_code) == ("failed", 1)


def test_a_stop_in_an_included_job_leaves_its_step_failed_and_cuts_the_job() -> None:
    made = including(planned("  - id: outer\n    pause: 1s\n"), INNER, inputs={})
    reading = sum("send" in line for line in World(statuses=["error"]).carry_out(made).story)

    world = World(statuses=["error"], stop_at={reading: "SIGTERM"}).carry_out(made)

    assert world.statuses_of_rows() == {"outer/one": "failed", "outer": "error"}
    assert (said(world, "outer/one"), said(world, "outer")) == (ALONE, "stopped by SIGTERM")


def test_what_a_failed_process_has_left_in_its_parameters_is_no_output() -> None:
    steps = (
        "  - id: a\n    execute: {process: UsrA, result: Out}\n    outputs: {o: result}\n    on_failure: continue\n"
        '  - id: b\n    execute: {process: UsrB, parameters: {In: "{{ steps.a.outputs.o }}"}}\n'
    )
    world = World(answers=["left"], statuses=["error"]).carry_out(planned(steps))
    assert world.finished("a").outputs == {}
    error = world.finished("b").error
    assert error is not None
    assert (error.code, "step `a` has no outputs: it ended as `failed`" in error.message) == ("E207", True)
    assert world.executed == 1

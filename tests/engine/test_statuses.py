"""What the statuses of rows in the process log mean for a call that was answered: of one row, and of several."""

import pytest
from stories import World, not_sent, planned, unanswered

from runner.foundation.values import Json, JsonObject
from runner.runs.events import StepFinished
from runner.service.calls import Ending, RunProcessCall

ONCE = "  - id: a\n    execute: {process: UsrA}\n"
READ = ONCE + "    effect: read\n"
DONE = ONCE.replace("UsrA}", "UsrA, until: done}")
STARTED = ONCE.replace("UsrA}", "UsrA, until: started}")
INSERT = "{insert: {entity: Lead, values: {Name: a}}, starts: UsrA, until: started}"
SIGNAL = f"  - id: a\n    signal: {INSERT}\n    effect: once\n"
STILL = (
    "the process is still running: write `until: started` if that is enough, or `until: done` to wait for its end, "
    "which does not come while it waits for a person or a later step"
)


class Repeated(World):
    """Something on the way repeats the call: it starts the process twice."""

    def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
        super().add_row(process, status, owner=owner, parent=parent)
        super().add_row(process, self.statuses.pop(0), owner=owner, parent=parent)


def end(world: World, steps: str) -> StepFinished:
    world.tables = world.read_record
    return world.carry_out(planned(steps)).finished("a")


@pytest.mark.parametrize("steps", [ONCE, DONE, STARTED, SIGNAL])
def test_a_status_that_nobody_knows_proves_nothing_of_a_call_that_must_not_happen_twice(steps: str) -> None:
    found = end(World(statuses=["suspended"]), steps)
    shown = found.error.message if found.error else " ".join(found.warnings)
    assert found.verified is None
    assert shown == "not verified: the process log shows the status suspended, which is not known"
    assert found.status == "unknown"


@pytest.mark.parametrize(("last", "status"), [("cancelled", "failed"), ("done", "passed")])
@pytest.mark.parametrize("before", ["inactive", "cancelling"])
def test_a_process_that_has_not_begun_or_is_being_cancelled_is_followed_to_its_end(
    before: str, last: str, status: str
) -> None:
    found = end(World(statuses=[before], later=[before, last]), DONE)
    assert (found.status, found.verified) == (status, status == "passed")


@pytest.mark.parametrize(("steps", "runs_as"), [(STARTED, "us"), (SIGNAL, "us"), (SIGNAL, "them")])
def test_a_process_that_has_not_begun_has_not_started_either(steps: str, runs_as: str) -> None:
    found = end(World(statuses=["inactive"], runs_as=runs_as), steps)
    assert (found.status, found.verified) == ("passed", None)
    assert found.warnings == ("not verified: the process log shows that it has not begun yet",)


@pytest.mark.parametrize("steps", [ONCE, STARTED])
def test_a_call_without_an_answer_has_not_happened_as_long_as_its_process_has_not_begun(steps: str) -> None:
    found = end(World(answers=[unanswered()], statuses=["inactive"]), steps)
    assert (found.status, found.verified) == ("unknown", None)
    assert found.error
    assert found.error.message == "the process log shows that it has not begun yet"


def test_a_process_that_is_being_cancelled_fails() -> None:
    found = end(World(statuses=["cancelling"]), STARTED)
    assert found.error
    assert found.error.message == "the process is being cancelled, and the process log gives no reason"


class Masked(World):
    """The user may not read the status: it is null in each row."""

    def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
        super().add_row(process, status, owner=owner, parent=parent)
        self.rows[0]["status"] = None


@pytest.mark.parametrize("steps", [ONCE, DONE, STARTED, SIGNAL, ONCE + "    verify: log\n"])
@pytest.mark.parametrize("status", ["done", "error", "running"])
def test_a_row_without_a_status_proves_nothing_either(steps: str, status: str) -> None:
    found = end(Masked(statuses=[status]), steps)
    shown = found.error.message if found.error else " ".join(found.warnings)
    assert found.verified is None
    assert shown == "not verified: the process log shows its row without a status"
    assert found.status == "unknown"


def test_a_row_without_a_status_settles_no_call_in_doubt() -> None:
    found = end(Masked(statuses=["done"], answers=[unanswered()]), ONCE)
    assert found.error is not None
    assert (found.status, found.error.message) == ("unknown", "the process log shows its row without a status")


def test_a_row_without_a_status_is_a_warning_where_the_call_may_be_repeated() -> None:
    found = end(Masked(statuses=["error"]), READ)
    assert (found.status, found.verified, len(found.warnings)) == ("passed", None, 1)


def test_it_is_a_warning_where_the_call_may_be_repeated() -> None:
    found = end(World(statuses=["suspended"]), READ)
    assert (found.status, found.verified, len(found.warnings)) == ("passed", None, 1)


@pytest.mark.parametrize(
    ("steps", "warnings"),
    [(ONCE, (STILL,)), (STARTED, ()), (ONCE.replace("UsrA}", "UsrA, result: Out, until: started}"), ())],
)
def test_a_process_that_runs_has_started_and_a_warning_says_so_where_nobody_asked_for_that(
    steps: str, warnings: tuple[str, ...]
) -> None:
    found = end(World(statuses=["running"], answers=[1]), steps)
    assert (found.status, found.verified, found.warnings) == ("passed", True, warnings)


@pytest.mark.parametrize("steps", [DONE, "  - id: a\n    run: {process: UsrA}\n"])
def test_a_process_that_has_not_ended_in_time_is_unknown_and_named_with_the_element_at_which_it_waits(
    steps: str,
) -> None:
    elements: list[list[Json]] = [
        [
            {"id": "e1", "status": "done", "caption": "Read"},
            {"id": "e2", "status": "running", "caption": "Approve"},
        ]
    ]
    answer: JsonObject = {"process_id": "00000000-0000-0000-0000-000000000001", "status": "running", "results": {}}
    found = end(World(statuses=["running"], answers=[answer], elements=elements), steps)
    assert found.status == "unknown"
    assert found.error
    assert found.error.message == (
        "the process still runs after 10 min; nobody knows how it will end; now it waits at `Approve`"
    )


class Gone(World):
    """A site that goes away after the call: no single row can be read."""

    def _row(self, process_id: str) -> Ending:
        return not_sent(f"nobody answers for {len(process_id)}")


@pytest.mark.parametrize("steps", [DONE, "  - id: a\n    run: {process: UsrA}\n"])
def test_a_process_whose_row_cannot_be_read_any_more_is_not_said_to_run(steps: str) -> None:
    answer: JsonObject = {"process_id": "00000000-0000-0000-0000-000000000001", "status": "running", "results": {}}
    found = end(Gone(statuses=["running"], answers=[answer]), steps)
    assert found.status == "unknown"
    assert found.error
    assert "still runs" not in found.error.message
    assert "nobody answers for 36" in found.error.message


@pytest.mark.parametrize(
    ("status", "then"),
    [
        ("running", "it still ran when the call was answered"),
        ("Done", "its answer has `Done` in the place of the number of a status"),
    ],
)
def test_an_answer_without_a_status_is_not_said_to_be_of_a_running_process(status: str, then: str) -> None:
    found = end(World(statuses=[status]), "  - id: a\n    run: {process: UsrA}\n    verify: none\n")
    assert found.status == "unknown"
    assert found.error
    assert f"{then}, and the process log is not read" in found.error.message


@pytest.mark.parametrize("statuses", [["running", "done"], ["done", "running"]])
def test_each_of_two_starts_of_one_call_has_to_end_where_the_end_is_waited_for(statuses: list[str]) -> None:
    found = end(Repeated(statuses=statuses), DONE)
    assert found.status == "unknown"
    assert found.error
    assert found.error.message.startswith("the process still runs after 10 min")


def test_both_starts_of_one_call_may_have_what_was_asked_for_and_a_warning_says_so() -> None:
    found = end(Repeated(statuses=["running", "done"]), STARTED)
    assert (found.status, found.verified) == ("passed", None)
    assert "started 2 times for one call" in found.warnings[0]


def test_two_starts_of_one_call_that_ended_otherwise_leave_it_in_doubt() -> None:
    found = end(Repeated(statuses=["done", "error"]), ONCE)
    assert (found.status, found.verified) == ("unknown", None)
    assert found.error
    assert "started 2 times for one call" in found.error.message
    assert found.error.message.endswith("not all of them passed")


@pytest.mark.parametrize("effect", ["once", "idempotent"])
def test_a_run_that_was_answered_as_done_fails_where_the_log_that_was_read_says_so(effect: str) -> None:
    class Late(World):
        """What follows the answer fails."""

        def _run(self, call: RunProcessCall) -> Ending:
            ending = super()._run(call)
            self.rows[0] |= {"status": "error", "error": "boom"}
            return ending

    found = end(Late(), f"  - id: a\n    run: {{process: UsrA}}\n    effect: {effect}\n")
    if effect == "once":
        assert (found.status, found.error and found.error.message) == ("failed", "the process failed: boom")
    else:
        assert (found.status, found.verified) == ("passed", True), "its row is not read"

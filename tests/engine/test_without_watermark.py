"""Calls before which the log could not be read: a site that is slow for a moment, and answers again after the call."""

import pytest
from msgspec.structs import replace
from stories import World, planned, unanswered

from runner.engine.effects import Ask, Outcome, Send, Sleep
from runner.foundation.values import JsonObject
from runner.runs.events import StepFinished
from runner.service.calls import Ending, ExecuteCall

ONCE = "  - id: a\n    execute: {process: UsrA}\n    timeout: 2s\n"
READ = ONCE + "    effect: read\n"
FIRST, SECOND = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
NOT_BEFORE = "not verified: the process log could not be read before the call"


def slow_before(*statuses: str, **more: object) -> World:
    """The reading before the call gets no answer in the call's own time."""
    return World(statuses=list(statuses), needs={"read watermark": 60.0}, **more)  # type: ignore[arg-type]


def ended(world: World) -> tuple[str, object, str]:
    row = world.finished("a")
    return row.status.value, row.verified, row.error.message if row.error else " ".join(row.warnings)


@pytest.mark.parametrize("status", ["error", "cancelled"])
def test_a_process_that_failed_leaves_a_call_in_doubt_that_must_not_happen_twice(status: str) -> None:
    world = slow_before(status).carry_out(planned(ONCE))
    failed = f"{NOT_BEFORE}; a start since then failed: {world.rows[0]['id']}"
    assert ended(world) == ("unknown", None, failed)


def test_a_process_that_failed_fails_a_call_that_may_be_repeated() -> None:
    status, verified, message = ended(slow_before("error").carry_out(planned(READ)))
    assert (status, verified) == ("failed", None)
    assert message.startswith("the process failed")


@pytest.mark.parametrize("status", ["done", "running"])
@pytest.mark.parametrize("step", [ONCE, READ])
def test_a_process_that_has_not_failed_is_not_verified(step: str, status: str) -> None:
    assert ended(slow_before(status).carry_out(planned(step))) == ("passed", None, NOT_BEFORE)


def test_a_failure_beside_another_start_is_none_of_a_call_that_may_be_repeated() -> None:
    class Shared(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            super().add_row(process, "error", owner=owner, parent=parent)

    status, verified, message = ended(Shared(needs={"read watermark": 60.0}).carry_out(planned(READ)))
    assert (status, verified) == ("passed", None)
    assert "a start since then failed" in message


@pytest.mark.parametrize("step", [ONCE, READ])
def test_a_call_of_which_the_log_shows_no_start_is_not_verified(step: str) -> None:
    world = slow_before("done", never_begun=frozenset({1})).carry_out(planned(step))
    assert ended(world) == ("passed", None, NOT_BEFORE)


def test_where_a_start_failed_and_another_still_runs_the_failure_is_what_is_named() -> None:
    class Shared(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            super().add_row(process, "running", owner=owner, parent=parent)

    until_done = ONCE.replace("UsrA}", "UsrA, until: done}")
    status, verified, message = ended(
        Shared(statuses=["error"], needs={"read watermark": 60.0}).carry_out(planned(until_done))
    )
    assert (status, verified) == ("unknown", None)
    assert f"{NOT_BEFORE}; a start since then failed: {FIRST}" in message


def test_a_row_of_before_the_call_is_no_sign() -> None:
    world = slow_before("done")
    world.add_row("UsrA", "error")
    world.t = 60.0
    assert ended(world.carry_out(planned(ONCE))) == ("passed", None, NOT_BEFORE)


def test_a_late_row_of_a_call_before_a_break_is_no_sign() -> None:
    class Resumed(World):
        """The run breaks off in its pause. After the second call the log shows the row of the first, too."""

        def _outcome(self, effect: Send | Sleep | Ask) -> Outcome:
            outcome = super()._outcome(effect)
            return replace(outcome, resumed=True) if isinstance(effect, Sleep) and effect.seconds > 1 else outcome

        def _execute(self, call: ExecuteCall) -> Ending:
            ending = super()._execute(call)
            self.needs = {"read watermark": 60.0}
            self.shown_from[SECOND] = 0.0 if self.executed > 1 else 1000.0
            return ending

    first = "  - id: z\n    execute: {process: UsrA}\n  - pause: 30s\n"
    world = Resumed(statuses=["error", "done"])
    world.add_row("UsrA")
    world.t = 60.0
    assert ended(world.carry_out(planned(first + ONCE))) == ("passed", None, NOT_BEFORE)


def test_a_row_of_another_run_is_no_sign() -> None:
    taken: JsonObject = {"taken": [], "rival": False}

    class Shared(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            super().add_row(process, "error", owner=owner, parent=parent)
            taken["taken"] = [self.rows[0]["id"]]

    world = Shared(needs={"read watermark": 60.0}, others=taken)
    assert ended(world.carry_out(planned(ONCE))) == ("passed", None, NOT_BEFORE)


def test_a_row_of_another_user_is_no_sign() -> None:
    class Shared(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            super().add_row(process, "error", owner="them", parent=parent)

    world = Shared(needs={"read watermark": 60.0})
    assert ended(world.carry_out(planned(ONCE))) == ("passed", None, NOT_BEFORE)


def test_a_site_that_gives_no_time_is_not_searched_for_rows_of_all_times() -> None:
    world = slow_before("error", tells_time=False).carry_out(planned(ONCE))
    assert ended(world) == ("passed", None, NOT_BEFORE)
    assert world.sent.count("read rows") == 0


def test_a_log_that_is_not_answered_after_the_call_either_is_not_verified() -> None:
    class Closing(World):
        def _next(self) -> Ending:
            self.log = unanswered("the log does not answer")
            return super()._next()

    world = Closing(statuses=["error"], needs={"read watermark": 60.0}).carry_out(planned(ONCE))
    assert ended(world) == ("passed", None, "not verified: the process log could not be read: the log does not answer")


AFTER_ANOTHER = "  - id: z\n    execute: {process: UsrZ}\n    timeout: 2s\n" + ONCE
"""An answer before the call brings the server's time."""


@pytest.mark.parametrize(("row", "status"), [("done", "passed"), ("error", "failed")])
def test_a_call_that_was_not_answered_is_settled_by_the_one_start_since(row: str, status: str) -> None:
    world = slow_before("done", row, answers=[None, unanswered()]).carry_out(planned(AFTER_ANOTHER))
    found = world.finished("a")
    assert (found.status, found.verified, found.process_id) == (status, "inferred", SECOND)
    assert world.executed == 2


@pytest.mark.parametrize(
    ("owner", "crowd", "why"),
    [
        ("us", ["done"], "the process log shows 2 starts that may be it"),
        ("them", [], f"the process log shows a start since the call, {SECOND}, which is another user's"),
        (None, [], "the process log shows one start, and does not show whether it is ours"),
    ],
)
def test_it_stays_in_doubt_where_anybody_else_may_have_started_the_process(
    owner: str | None, crowd: list[str], why: str
) -> None:
    by = owner

    class Shared(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            self.rows[0]["owner"] = by if owner == "us" else owner
            if process == "UsrA":
                self.crowd = crowd

    world = Shared(answers=[None, unanswered()], needs={"read watermark": 60.0}).carry_out(planned(AFTER_ANOTHER))
    status, verified, message = ended(world)
    assert (status, verified) == ("unknown", None)
    assert why in message
    assert world.executed == 2


def test_it_is_settled_when_the_log_shows_it_later() -> None:
    looks: list[JsonObject] = [{"as": "log"}] * 9
    late = slow_before(
        "done", "done", answers=[None, unanswered()], lags=[0.0, 18.2], verdicts=[{"as": "unknown"}, *looks]
    )
    world = late.carry_out(planned(AFTER_ANOTHER))
    ends = [event.status for event in world.events if isinstance(event, StepFinished) and event.key == "a"]
    assert ends == ["unknown", "passed"]


def test_where_the_site_gives_no_time_a_person_is_sent_to_the_log() -> None:
    world = slow_before("done", answers=[unanswered()], tells_time=False).carry_out(planned(ONCE))
    error = world.finished("a").error
    assert error
    assert "could not be read before the call, and the site gave no time since which to read it" in error.message
    assert error.hint
    assert error.hint.startswith("look for it in the process log of the site, and say how it ended with `resume --step")


UNTIL_DONE = "  - id: a\n    execute: {process: UsrA, until: done}\n    timeout: 2s\n"


@pytest.mark.parametrize(
    ("later", "status", "message"),
    [
        (["running", "done"], "passed", NOT_BEFORE),
        (
            ["running", "error"],
            "unknown",
            f"{NOT_BEFORE}; a start since then failed: {'0' * 8}-0000-0000-0000-{1:012d}",
        ),
        (["running"] * 90, "unknown", "the process still runs after 2 s; nobody knows how it will end"),
    ],
)
def test_a_process_whose_end_is_waited_for_is_followed(later: list[str], status: str, message: str) -> None:
    assert ended(slow_before("running", later=later).carry_out(planned(UNTIL_DONE))) == (status, None, message)


def signalled(*statuses: str, steps: str = "", **more: object) -> World:
    world = slow_before(*statuses, **more)
    world.tables = world.read_record
    signal = "  - id: a\n    signal: {insert: {entity: Lead, values: {Name: x}}, starts: UsrA}\n    timeout: 2s\n"
    return world.carry_out(planned(signal + steps))


@pytest.mark.parametrize("status", ["error", "cancelled"])
def test_a_process_that_a_record_started_and_that_failed_leaves_the_change_in_doubt(status: str) -> None:
    world = signalled(status, runs_as="system", steps="    effect: once\n")
    failed = f"{NOT_BEFORE}; a start since then failed: {world.rows[0]['id']}"
    assert ended(world) == ("unknown", None, failed)
    may_be_repeated = ended(signalled(status))
    assert (may_be_repeated[0], may_be_repeated[2][:11]) == ("failed", "the process")


def test_a_process_that_a_record_started_is_not_verified_where_nothing_failed() -> None:
    assert ended(signalled("done")) == ("passed", None, NOT_BEFORE)
    assert ended(signalled("running", later=["done"])) == ("passed", None, NOT_BEFORE)


def test_a_process_that_a_record_started_late_is_waited_for() -> None:
    assert ended(signalled("error", lags=[9.0]))[0] == "failed"


def test_a_record_that_started_nothing_is_an_error_without_a_reading_before_it_too() -> None:
    status, verified, message = ended(signalled(deaf=True))
    assert (status, verified) == ("error", None)
    assert "shows no start of `UsrA`" in message

"""Rows of the process log that come late: none is taken for another call than its own."""

import pytest
from stories import World, moment, planned, refused, unanswered

from runner.engine.effects import Ask, QueryPeers, Send, Sleep
from runner.engine.process_log import WATERMARK
from runner.foundation.values import Json, JsonObject
from runner.runs.events import StepFinished
from runner.service.calls import CallFailed, Ending, ReadRows

TWO = "  - id: a\n    execute: {process: UsrA}\n  - id: b\n    execute: {process: UsrA}\n"
CHARGE = "  - id: b\n    if: always()\n    execute: {process: UsrA}\n"
LATER = "the process log shows a start that may be that of `{}`, whose row has not come: "


def late(lag: float, *statuses: str) -> World:
    return World(lags=[lag] * 4, statuses=list(statuses), call_seconds=0.0)


def ended(world: World, key: str) -> tuple[str, object]:
    row = world.finished(key)
    return row.status.value, row.verified


def said(row: StepFinished) -> str:
    return row.error.message if row.error else " ".join(row.warnings)


def test_a_late_row_of_an_earlier_call_does_not_verify_the_next_one() -> None:
    world = late(1.5, "done", "error").carry_out(planned(TWO))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", None), ("passed", None))
    assert "the process log shows a row for 2 calls, and not which of them is this call's" in said(world.finished("b"))
    assert world.finished("b").process_id is None


@pytest.mark.parametrize("effect", ["idempotent", "read"])
def test_a_call_that_may_be_repeated_does_not_pass_where_each_row_that_may_be_its_own_has_failed(effect: str) -> None:
    more = f"    effect: {effect}\n    retry: {{max_attempts: 2, on: [unanswered]}}\n"
    twice = "".join(f"  - id: {key}\n    execute: {{process: UsrA}}\n{more}" for key in "ab")
    answers: list[Json | CallFailed] = [unanswered(), None, None]
    world = World(answers=answers, never_begun=frozenset({1}), statuses=["done", "error"]).carry_out(planned(twice))
    assert ended(world, "b") == ("error", None)
    assert "the process log shows a start that failed" in said(world.finished("b"))


def test_where_the_log_has_to_verify_a_call_the_rows_of_both_calls_are_awaited() -> None:
    strict = TWO + "    verify: log\n"
    world = late(1.5, "done", "done").carry_out(planned(strict))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", None), ("passed", True))
    world = World(lags=[1.5, 1000.0], statuses=["done", "done"], call_seconds=0.0).carry_out(planned(strict))
    assert ended(world, "b") == ("unknown", None)
    assert "a row for 2 calls" in said(world.finished("b"))


def test_where_a_late_row_may_be_of_either_call_and_has_failed_nothing_passes() -> None:
    world = late(1.5, "error", "done").carry_out(planned(TWO))
    assert ended(world, "b") == ("unknown", None)
    both = late(1.5, "error", "error").carry_out(planned(TWO))
    assert ended(both, "b") == ("failed", False), "the second row is awaited"


def test_where_the_rows_of_both_calls_have_come_both_are_judged_by_them() -> None:
    caught_up = World(lags=[1.5, 1.0], statuses=["done", "done"], call_seconds=0.0).carry_out(planned(TWO))
    assert (ended(caught_up, "a"), ended(caught_up, "b")) == (("passed", None), ("passed", True))
    failed = World(lags=[1.5, 1.0], statuses=["error", "error"], call_seconds=0.0).carry_out(planned(TWO))
    assert ended(failed, "b") == ("failed", False)
    differing = World(lags=[1.5, 1.0], statuses=["done", "error"], call_seconds=0.0).carry_out(planned(TWO))
    assert ended(differing, "b") == ("unknown", None)


def test_a_late_row_that_has_come_before_the_next_call_is_none_of_its_own() -> None:
    steps = TWO.replace("  - id: b", "  - pause: 5s\n  - id: b")
    world = World(lags=[1.5, 1000.0], statuses=["done", "error"], call_seconds=0.0).carry_out(planned(steps))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", None), ("passed", None))
    assert said(world.finished("b")) == "not verified: the process log shows no row of this call"
    world = late(0.5, "done", "error").carry_out(planned(steps))
    assert ended(world, "b") == ("failed", False)


@pytest.mark.parametrize(("lag", "status"), [(2.0, "failed"), (14.0, "failed"), (16.0, "passed")])
def test_a_late_row_is_awaited_where_the_log_has_shown_starts_of_the_process(lag: float, status: str) -> None:
    world = World(lags=[0.0, lag], statuses=["done", "error"], call_seconds=0.0).carry_out(planned(TWO))
    assert (ended(world, "a")[0], ended(world, "b")[0]) == ("passed", status)


def test_after_a_row_that_has_not_come_none_is_awaited() -> None:
    three = TWO + "  - id: c\n    execute: {process: UsrA}\n"
    world = World(lags=[0.0, 1000.0, 1000.0], statuses=["done"] * 3, call_seconds=0.0).carry_out(planned(three))
    assert [ended(world, key) for key in "abc"] == [("passed", True), ("passed", None), ("passed", None)]
    assert world.pauses.count(0.75) == 2
    assert 15.0 < sum(world.pauses) < 20.0, "the target's `settle`, once, and a second"


def test_a_call_that_never_began_is_not_settled_by_the_late_row_of_an_earlier_one() -> None:
    world = late(4.0, "done")
    world.answers, world.never_begun = [None, unanswered()], frozenset({2})
    world.carry_out(planned(TWO))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", None), ("unknown", None))
    assert LATER.format("a") in said(world.finished("b"))


NOT_YET: JsonObject = {"as": "unknown"}
LOOK: JsonObject = {"as": "log"}
WAIT = "  - if: always()\n    pause: 60s\n"


def test_the_late_row_of_an_earlier_call_is_given_to_it_before_a_call_without_an_answer_is_judged() -> None:
    world = World(lags=[30.0, 30.0], answers=[None, unanswered()], verdicts=[NOT_YET, LOOK])
    world.carry_out(planned(TWO + WAIT))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", None), ("passed", "inferred"))
    assert world.finished("b").process_id == str(world.rows[0]["id"])


@pytest.mark.parametrize(
    ("statuses", "until", "came"),
    [
        (["done", "done"], "done", ("passed", "inferred")),
        (["running", "running"], "started", ("passed", "inferred")),
        (["error", "error"], "done", ("failed", "inferred")),
        (["error", "done"], "done", ("unknown", None)),
        (["running", "running"], "done", ("unknown", None)),
    ],
)
def test_where_as_many_rows_have_come_as_calls_lack_theirs_each_has_happened(
    statuses: list[str], until: str, came: tuple[str, object]
) -> None:
    steps = TWO.replace("UsrA", f"UsrA, until: {until}").replace("  - id: b", "    verify: none\n  - id: b")
    world = World(
        statuses=statuses, lags=[30.0] * 2, answers=[None, unanswered()], verdicts=[NOT_YET, LOOK], call_seconds=0.1
    )
    world.carry_out(planned(steps + WAIT))
    assert ended(world, "b") == came
    assert world.finished("b").process_id is None
    if len(set(statuses)) > 1:
        assert "2 starts for as many calls (done, error), and not which of them is this call's" in said(
            world.finished("b")
        )


@pytest.mark.parametrize("third", [{"owner": "them"}, {"owner": "us"}])
def test_a_row_more_than_calls_that_lack_theirs_settles_none(third: dict[str, str]) -> None:
    steps = TWO.replace("  - id: b", "    verify: none\n  - id: b")
    world = World(lags=[30.0] * 3, answers=[None, unanswered()], verdicts=[NOT_YET, LOOK], call_seconds=0.1)
    world.t = 0.3
    world.add_row("UsrA", owner=third["owner"])
    world.t = 0.0
    world.carry_out(planned(steps + WAIT))
    assert ended(world, "b")[0] == ("passed" if third["owner"] == "them" else "unknown")


def test_a_step_in_doubt_whose_row_came_before_a_later_step_is_settled_by_it() -> None:
    world = World(lags=[20.0, 0.0], answers=[unanswered(), None], verdicts=[NOT_YET, LOOK])
    world.carry_out(planned("  - id: a\n    execute: {process: UsrA}\n" + WAIT + CHARGE))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", "inferred"), ("passed", True))
    assert [world.finished(key).process_id for key in "ab"] == [str(row["id"]) for row in world.rows[::-1]]


def test_a_row_that_was_given_to_a_step_in_doubt_while_its_process_ran_is_read_again() -> None:
    world = World(
        statuses=["running"], later=["error"], lags=[20.0], answers=[unanswered(), None], verdicts=[NOT_YET, LOOK]
    ).carry_out(planned("  - id: a\n    execute: {process: UsrA}\n" + WAIT + CHARGE))
    assert (ended(world, "a"), ended(world, "b")) == (("failed", "inferred"), ("passed", True))


@pytest.mark.parametrize("known_at", [0.0, 42.5])
def test_the_row_of_another_run_whose_process_failed_puts_no_later_call_in_doubt(known_at: float) -> None:
    """Though by its time it may have been that of an earlier call, whose row has not come either. Whose it is may be
    known only while the later call is verified.
    """

    class Others(World):
        def _rows(self, call: ReadRows) -> Ending:
            is_known = self.t >= known_at
            self.others = {"taken": [str(self.rows[-1]["id"])] if is_known else [], "rival": not is_known}
            return super()._rows(call)

    world = Others(lags=[41.0, 900.0, 900.0])  # it comes while `b` is verified
    world.add_row("UsrA", "error")
    world.rows[0]["started"] = moment(2.5)
    world.carry_out(planned("  - id: a\n    execute: {process: UsrA}\n  - pause: 30s\n" + CHARGE))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", None), ("passed", None))


def test_a_row_that_several_runs_may_have_made_is_kept_from_a_later_call_only() -> None:
    class Shared(World):
        def known_of(self, query: QueryPeers) -> JsonObject:
            shared: list[Json] = [self.rows[-1]["id"]] if self.rows and query.keys is not None else []
            return {"taken": shared, "of_nobody": shared, "rival": False}

    world = Shared(lags=[20.0, 0.0], answers=[unanswered(), None], verdicts=[NOT_YET, LOOK])
    world.carry_out(planned("  - id: a\n    execute: {process: UsrA}\n" + WAIT + CHARGE))
    assert (ended(world, "a"), ended(world, "b")[0]) == (("unknown", None), "passed")
    assert LATER.format("b") in said(world.finished("a")), "its row is there"


def test_the_late_row_of_a_step_in_doubt_does_not_settle_a_later_step() -> None:
    world = late(16.0, "done")
    world.answers, world.never_begun = [unanswered(), unanswered()], frozenset({2})
    world.carry_out(planned("  - id: a\n    execute: {process: UsrA}\n" + CHARGE))
    assert (ended(world, "a"), ended(world, "b")) == (("unknown", None), ("unknown", None))
    assert "shows no start of it" in said(world.finished("b"))


def test_where_one_row_came_for_two_calls_the_other_row_is_none_of_a_third() -> None:
    world = World(lags=[2.0, 6.5], call_seconds=0.0, never_begun=frozenset({3}), tells_time=False)
    world.carry_out(planned(TWO + "  - pause: 5s\n" + CHARGE.replace("id: b", "id: c") + "    verify: log\n"))
    assert "a row for 2 calls" in said(world.finished("b"))
    assert ended(world, "c") == ("unknown", None)
    assert "a row for 2 calls" in said(world.finished("c"))
    asked = [each for each in world.effects if isinstance(each, QueryPeers) and not each.still_waits]
    assert {each.keys for each in asked} == {()}, "nobody knows whose"


def test_the_log_is_read_since_the_newest_row_that_is_known() -> None:
    world = World().carry_out(planned(TWO))
    calls = [effect.call for effect in world.effects if isinstance(effect, Send)]
    since = [call.since for call in calls if isinstance(call, ReadRows) and call.top != WATERMARK]
    assert since == [None, world.rows[1]["started"]]


def test_what_never_began_by_a_persons_word_keeps_no_row_from_the_next() -> None:
    world = late(0.0, "done")
    world.answers, world.never_begun = [unanswered(), None, unanswered()], frozenset({1})
    world.verdicts = [{"as": "retry"}]
    world.carry_out(planned(TWO))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", True), ("passed", "inferred"))


def test_a_start_that_is_known_by_its_id_is_none_of_a_later_call() -> None:
    steps = "  - id: a\n    run: {process: UsrA}\n  - id: b\n    execute: {process: UsrA}\n"
    world = late(0.0, "done", "done").carry_out(planned(steps))
    assert (ended(world, "b"), world.finished("b").process_id) == (("passed", True), world.rows[0]["id"])


def test_more_rows_than_are_read_at_once_settle_nothing() -> None:
    crowd = ["done"] * ReadRows(process="UsrA").top
    world = World(answers=[unanswered()], crowd=crowd).carry_out(planned(CHARGE))
    assert ended(world, "b") == ("unknown", None)
    assert "the process log could not be read" in said(world.finished("b"))
    answered = World(crowd=crowd).carry_out(planned(CHARGE))
    assert ended(answered, "b") == ("passed", None)
    assert "or more: too many to distinguish" in said(answered.finished("b"))


@pytest.mark.parametrize("old", [WATERMARK - 1, WATERMARK, WATERMARK + 1])
def test_old_rows_of_one_moment_are_all_known_before_a_call(old: int) -> None:
    world = World(answers=[unanswered()], lost=True)
    for _ in range(old):
        world.add_row("UsrA")
    for row in world.rows:
        row["started"] = "2026-01-31T09:00:00Z"
    assert ended(world.carry_out(planned(CHARGE)), "b") == ("unknown", None)


def test_a_row_that_is_in_doubt_among_several_is_not_settled_by_one_that_comes_later() -> None:
    verdicts: list[JsonObject] = [{"as": "unknown"}, {"as": "log"}]
    world = World(lags=[2.5, 0.0], statuses=["done", "error"], verdicts=verdicts, call_seconds=0.0)
    world.carry_out(planned(TWO, rest="finally: [{pause: 5s}]"))
    assert world.verdicts == []
    assert ended(world, "b") == ("unknown", None)


def test_a_second_attempt_is_not_judged_by_the_row_of_the_first() -> None:
    retried = "    effect: idempotent\n    retry: {max_attempts: 2, on: [unanswered], initial: 1ms}\n"
    world = World(answers=[unanswered()], lags=[0.0, 5.0], statuses=["done", "error"], call_seconds=0.0)
    world.carry_out(planned("  - id: a\n    execute: {process: UsrA}\n" + retried))
    assert ended(world, "a") == ("passed", None)
    assert "a row for 2 calls" in said(world.finished("a"))


@pytest.mark.parametrize(("seconds", "verified"), [(1, None), (90, None), (120, True)])
def test_a_call_that_never_began_counts_until_its_time_is_over_by_the_servers_clock(
    seconds: int, verified: object
) -> None:
    first = "  - id: a\n    execute: {process: UsrA}\n    effect: read\n    on_failure: ignore\n"
    rest = f"  - pause: {seconds}s\n  - id: b\n    execute: {{process: UsrA}}\n"
    world = World(answers=[unanswered()], never_begun=frozenset({1}), call_seconds=0.2).carry_out(planned(first + rest))
    assert ended(world, "b") == ("passed", verified)


def test_where_the_server_gives_no_time_a_call_that_never_began_counts_for_ever() -> None:
    first = "  - id: a\n    execute: {process: UsrA}\n    effect: read\n    on_failure: ignore\n"
    rest = "  - pause: 1h\n  - id: b\n    execute: {process: UsrA}\n"
    world = World(answers=[unanswered()], never_begun=frozenset({1}), tells_time=False).carry_out(planned(first + rest))
    assert ended(world, "b") == ("passed", None)


def test_a_start_that_was_turned_away_keeps_no_row_from_a_later_one() -> None:
    world = World(answers=[refused(403), unanswered()])
    world.carry_out(planned("  - id: a\n    execute: {process: UsrA}\n    on_failure: continue\n" + CHARGE))
    assert ended(world, "b") == ("passed", "inferred")


@pytest.mark.parametrize(("rival", "status"), [(False, "passed"), (True, "unknown")])
def test_what_was_queued_is_not_found_where_another_run_may_have_started_it(*, rival: bool, status: str) -> None:
    world = World(statuses=["queued"], later=["done"], others={"taken": [], "rival": rival})
    world.carry_out(planned("  - id: a\n    run: {process: UsrA}\n"))
    assert world.finished("a").status == status


def test_a_status_that_nobody_knows_proves_nothing_of_a_run() -> None:
    world = World(statuses=["running"], later=["suspended"]).carry_out(planned("  - id: a\n    run: {process: UsrA}\n"))
    assert world.finished("a").status == "unknown"
    assert "shows the status suspended, which is not known" in said(world.finished("a"))


@pytest.mark.parametrize("lag", [4.0, 9.0, 14.0])
@pytest.mark.parametrize(("status", "verdict"), [("error", ("failed", False)), ("done", ("passed", True))])
def test_where_the_end_is_waited_for_and_no_answer_shows_it_a_row_is_searched_for_as_long_as_without_an_answer(
    lag: float, *, status: str, verdict: tuple[str, bool]
) -> None:
    step = "  - id: a\n    execute: {process: UsrA, until: done}\n"
    world = World(statuses=[status], lags=[lag], call_seconds=0.1).carry_out(planned(step))
    assert ended(world, "a") == verdict
    assert world.t < 2.0 * lag + 2.0, "and seen soon after it has come"
    assert world.sent.count("read rows") <= 8
    at_once = World(statuses=[status], lags=[lag], call_seconds=0.1).carry_out(
        planned(step.replace("until: done", "result: Out"))
    )
    assert ended(at_once, "a") == ("passed", None)


def test_a_row_that_never_comes_is_searched_for_until_the_time_to_settle_is_over() -> None:
    step = "  - id: a\n    execute: {process: UsrA, until: done}\n"
    world = World(lags=[100.0], call_seconds=0.1).carry_out(planned(step))
    assert ended(world, "a") == ("passed", None)
    assert 15.0 <= world.t < 16.0


def test_only_where_there_is_no_row_at_all_it_is_searched_for_longer() -> None:
    first = "  - id: a\n    execute: {process: UsrA}\n    effect: read\n    on_failure: ignore\n"

    def readings(action: str) -> int:
        world = World(answers=[unanswered()], never_begun=frozenset({1}), call_seconds=0.1)
        world.carry_out(planned(f"{first}  - id: b\n    execute: {{process: UsrA, {action}}}\n"))
        assert ended(world, "b") == ("passed", None)
        return world.sent.count("read rows")

    assert readings("until: done") == readings("result: Out")


def test_where_the_jobs_time_is_over_before_a_step_ends_as_it_would_without_that_patience() -> None:
    step = "  - id: a\n    execute: {process: UsrA, until: done}\n"
    world = World(lags=[100.0], call_seconds=0.1).carry_out(planned(step, rest="timeout: 5s"))
    assert ended(world, "a") == ("passed", None)
    assert 4.0 <= world.t < 5.0
    running = World(statuses=["running"], lags=[3.0], call_seconds=0.1)
    running.carry_out(planned(step, rest="timeout: 5s"))
    assert ended(running, "a") == ("unknown", None)
    assert "it has started, and the time was over" in said(running.finished("a"))
    assert running.finished("a").process_id == "00000000-0000-0000-0000-000000000001"
    looked = World(statuses=["running"], verdicts=[{"as": "log"}], call_seconds=0.1)
    looked.carry_out(planned(step, rest="timeout: 5s"))
    assert said(looked.finished("a")).startswith("the process still runs; nobody knows"), (
        "it was not followed for 10 min"
    )


class Background(World):
    """What is queued begins half a minute after its answer."""

    def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
        is_queued = status == "running"
        super().add_row(process, "done" if is_queued else status, owner=owner, parent=parent)
        if is_queued:
            self.rows[0]["started"] = moment(self.t + 30.0)
            self.shown_from[str(self.rows[0]["id"])] = self.t + 30.0


@pytest.mark.parametrize(
    "first",
    [
        "run: {process: UsrA, until: started}\n  - pause: 29s\n",
        "run: {process: UsrA, until: started}\n    timeout: 10s\n  - pause: 29s\n",
        "run: {process: UsrA}\n    timeout: 29s\n",
        "run: {process: UsrA}\n    timeout: 10s\n  - pause: 19s\n    if: always()\n",
    ],
)
def test_what_was_queued_is_none_of_a_later_call_however_late_it_begins(first: str) -> None:
    world = Background(statuses=["queued"], never_begun=frozenset({1}), call_seconds=0.2)
    world.carry_out(planned(f"  - id: a\n    {first}{CHARGE}    verify: log\n"))
    assert ended(world, "b") == ("unknown", None)
    assert "a row for 2 calls" in said(world.finished("b"))


def test_what_was_queued_and_has_begun_is_no_more_waited_for() -> None:
    steps = "  - id: a\n    run: {process: UsrA}\n" + CHARGE
    world = World(statuses=["queued", "done"], later=["done"]).carry_out(planned(steps))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", "inferred"), ("passed", True))


def test_a_pause_that_is_too_short_for_the_clock_is_not_made_again_and_again() -> None:
    class Coarse(World):
        """A pause ends a moment too early, as by the rounding of its clock."""

        def _takes(self, effect: Send | Sleep | Ask) -> float:
            assert len(self.effects) < 200
            return max(0.0, super()._takes(effect) - (1e-9 if isinstance(effect, Sleep) else 0.0))

    world = Coarse(lags=[100.0], call_seconds=0.0)
    world.carry_out(planned("  - id: a\n    execute: {process: UsrA, until: done}\n"))
    assert ended(world, "a") == ("passed", None)


class Queue(World):
    """Each start waits for 20 s, and begins only then."""

    def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
        now, self.t = self.t, self.t + 20.0
        super().add_row(process, status, owner=owner, parent=parent)
        self.t = now


@pytest.mark.parametrize(
    ("first", "end", "pause"),
    [
        ("execute: {process: UsrA}\n    verify: none", "passed", 8),
        ("execute: {process: UsrA}", "passed", 8),
        ("signal: {insert: {entity: Lead, values: {Name: x}}, starts: UsrA}", "error", 1),
    ],
)
def test_the_row_of_a_start_that_waited_in_the_background_does_not_verify_the_next(
    first: str, end: str, pause: int
) -> None:
    second = CHARGE.replace("UsrA", "UsrA, until: done")
    steps = f"  - id: a\n    {first}\n  - {{if: always(), pause: {pause}s}}\n{second}    verify: log\n"
    world = Queue(statuses=["done", "error"], call_seconds=0.0).carry_out(planned(steps))
    assert world.finished("a").status == end
    assert ended(world, "b") == ("unknown", None)
    assert "for 2 calls" in said(world.finished("b"))
    still_waits = [each.key for each in world.effects if isinstance(each, QueryPeers) and each.still_waits]
    assert still_waits == ([] if first != "execute: {process: UsrA}" else ["a"])


def test_a_start_whose_result_was_answered_does_not_wait() -> None:
    steps = "  - id: a\n    execute: {process: UsrA, result: Out}\n  - {pause: 8s}\n"
    world = Queue(statuses=["done", "done"], answers=[5], call_seconds=0.0)
    world.carry_out(planned(steps + CHARGE.replace("UsrA", "UsrA, until: done")))
    assert (world.finished("a").status, ended(world, "b")) == ("passed", ("passed", "inferred"))
    assert not [each for each in world.effects if isinstance(each, QueryPeers) and each.still_waits]

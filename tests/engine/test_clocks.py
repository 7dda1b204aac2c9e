"""A site whose `Date` and log are of two clocks: a start is judged by the watermark alone, where that is proved."""

import pytest
from stories import World, moment, planned, unanswered

from runner.engine.effects import Ask, Send, Sleep
from runner.foundation.values import Json, JsonObject
from runner.runs.events import AttemptFailed, Trouble
from runner.service.calls import Answered, CallFailed, Ending, FailureKind, QueryCall, ReadRows

ONE = "  - id: a\n    execute: {process: UsrA}\n"
STRICT = ONE + "    verify: log\n"
HOUR = 3600.0
NEAR = "a start at another time by the server's clock"


class Skewed(World):
    """Rows bear a time that is so many seconds ahead of the server's `Date`."""

    ahead = 0.0

    def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
        super().add_row(process, status, owner=owner, parent=parent)
        self.rows[0]["started"] = moment(self.t + self.ahead + len(self.rows) / 1_000_000)


def skewed(ahead: float, *statuses: str, old: bool = False) -> Skewed:
    world = Skewed(statuses=list(statuses))
    world.ahead = ahead
    if old:
        world.add_row("UsrA")
    return world


def ended(world: World, key: str) -> tuple[str, object]:
    row = world.finished(key)
    return row.status.value, row.verified


def said(world: World, key: str) -> str:
    row = world.finished(key)
    return row.error.message if row.error else " ".join(row.warnings)


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("ahead", [3 * HOUR, -3 * HOUR])
def test_where_the_log_is_of_another_clock_its_rows_are_verdicts_by_the_watermark_alone(
    ahead: float, *, old: bool
) -> None:
    assert ended(skewed(ahead, "done", old=old).carry_out(planned(STRICT)), "a") == ("passed", True)
    assert ended(skewed(ahead, "error", old=old).carry_out(planned(STRICT)), "a") == ("failed", False)
    assert ended(skewed(ahead, "error", old=old).carry_out(planned(ONE)), "a") == ("failed", False)


@pytest.mark.parametrize("ahead", [3 * HOUR, -3 * HOUR])
def test_all_later_starts_of_the_run_are_judged_so_too(ahead: float) -> None:
    steps = ONE + STRICT.replace("id: a", "id: b") + "  - pause: 20m\n" + STRICT.replace("id: a", "id: c")
    world = skewed(ahead, "done", "done", "error").carry_out(planned(steps))
    assert [ended(world, key) for key in "abc"] == [("passed", True), ("passed", True), ("failed", False)]


@pytest.mark.parametrize("ahead", [3 * HOUR, -3 * HOUR])
def test_a_start_that_was_not_answered_is_inferred_as_where_no_time_is_reported(ahead: float) -> None:
    world = skewed(ahead)
    world.answers = [unanswered()]
    assert ended(world.carry_out(planned(ONE)), "a") == ("passed", "inferred")


@pytest.mark.parametrize(("status", "came"), [("done", "passed"), ("error", "unknown")])
def test_where_the_clocks_differ_by_minutes_nothing_is_proved_and_nothing_verified(status: str, came: str) -> None:
    world = skewed(-300.0, status).carry_out(planned(ONE))
    assert ended(world, "a") == (came, None)
    assert "a start at another time by the server's clock" in said(world, "a")
    assert ended(skewed(-300.0, status).carry_out(planned(STRICT)), "a") == ("unknown", None)


@pytest.mark.parametrize("ahead", [-1.5, -2.0, -2.5, -3.0, -4.0, -6.0])
@pytest.mark.parametrize("more", ["", "    until: done\n"])
def test_a_process_that_failed_never_passes_as_its_row_may_be_of_the_call_before(ahead: float, more: str) -> None:
    one = ONE.replace("{process: UsrA}", "{process: UsrA, until: done}") if more else ONE
    steps = "".join(one.replace("id: a", f"id: {key}") + "    on_failure: continue\n" for key in "abc")
    world = skewed(ahead, "done", "error", "done").carry_out(planned(steps))
    assert ended(world, "b") in {("failed", False), ("unknown", None)}


@pytest.mark.parametrize("ahead", [-3.0, -300.0])
def test_a_row_whose_process_a_call_was_answered_with_proves_that_the_clocks_differ(ahead: float) -> None:
    run = "  - id: r\n    run: {process: UsrA}\n"
    after = skewed(ahead, "done", "done", "error").carry_out(planned(run + STRICT + STRICT.replace("id: a", "id: b")))
    assert [ended(after, key) for key in "rab"] == [("passed", True), ("passed", True), ("failed", False)]
    before = skewed(ahead).carry_out(planned(ONE + run + STRICT.replace("id: a", "id: b")))
    assert [ended(before, key) for key in "arb"] == [("passed", None), ("passed", True), ("passed", True)]
    assert "the process log and the `Date` of answers are of two clocks" in said(before, "a")


def test_a_row_of_the_calls_own_time_proves_no_difference() -> None:
    run = "  - id: r\n    run: {process: UsrA}\n"
    world = Late(never_begun=frozenset({1})).carry_out(planned(run.replace("UsrA", "UsrB") + STRICT))
    assert ended(world, "a") == ("unknown", None)


def test_a_doubt_names_the_start_at_another_time_and_no_word_of_a_person_repeats_it_unseen() -> None:
    world = skewed(-300.0)
    world.answers = [unanswered()]
    world.verdicts = [{"as": "retry"}, {"as": "unknown"}]
    world.carry_out(planned(ONE))
    doubts = [event.error for event in world.events if isinstance(event, AttemptFailed) and event.kind == "in_doubt"]
    assert f"no start of it so far, and a start may still appear there; {NEAR}: " in doubts[0].message
    error = world.finished("a").error
    assert error is not None
    assert error.code == "E403"
    assert "the process log shows a start that may be it" in error.message
    assert world.sent.count("execute UsrA") == 1


class LongAfter(World):
    """A person answers after minutes; the log then shows a start that began so many seconds before, or after, now."""

    ahead = 0.0

    def _rows(self, call: ReadRows) -> Ending:
        if not self.verdicts and not self.rows:
            self.t += 600.0
            self.add_row("UsrA")
            self.rows[0]["started"] = moment(self.t + self.ahead)
        return super()._rows(call)


@pytest.mark.parametrize(("ahead", "sent"), [(-100.0, 2), (100.0, 1)])
def test_only_a_start_of_another_clock_or_of_its_time_keeps_a_call_from_being_repeated(ahead: float, sent: int) -> None:
    world = LongAfter(answers=[unanswered()], lost=True, verdicts=[{"as": "retry"}])
    world.ahead = ahead
    world.carry_out(planned(ONE))
    assert world.sent.count("execute UsrA") == sent


class Late(World):
    """The row of another machine's start, which began so many seconds before, comes with the call."""

    before = 300.0

    def _rows(self, call: ReadRows) -> Ending:
        if self.executed and not self.rows:
            self.add_row("UsrA")
            self.rows[0]["started"] = moment(self.t - self.before)
        return super()._rows(call)


@pytest.mark.parametrize("before", [30.0, 300.0, 590.0])
def test_the_row_of_another_machines_start_that_comes_late_is_still_none_of_the_call(before: float) -> None:
    world = Late(never_begun=frozenset({1}))
    world.before = before
    assert ended(world.carry_out(planned(STRICT)), "a") == ("unknown", None)
    assert "the process log shows no row of this call, but a start at another time" in said(world, "a")


def test_rows_of_other_owners_and_parts_of_processes_prove_nothing() -> None:
    class Others(Skewed):
        def _next(self) -> Ending:
            self.add_row("UsrA", owner="them")
            self.rows[0]["started"] = moment(self.t - 3 * HOUR)
            return super()._next()

    world = Others(never_begun=frozenset({1})).carry_out(planned(STRICT))
    assert ended(world, "a") == ("unknown", None)


@pytest.mark.parametrize(("status", "came"), [("done", ("passed", True)), ("error", ("unknown", None))])
def test_a_start_that_nobody_verified_counts_as_where_no_time_is_reported(
    status: str, came: tuple[str, object]
) -> None:
    between = "  - id: z\n    execute: {process: UsrA}\n    verify: none\n"
    world = skewed(3 * HOUR, "done", status, "done")
    world.carry_out(planned(STRICT + between + STRICT.replace("id: a", "id: b")))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", True), came)


class SetBack(Skewed):
    """The clock of the whole site is set back before its first start, after the watermark or before it."""

    before_watermark = False

    def dated(self, ending: Ending) -> Ending:
        ahead = self.ahead if self.before_watermark or self.sent[-1] != "read watermark" else 0.0
        self.t += ahead
        dated = super().dated(ending)
        self.t -= ahead
        return dated


def set_back(*statuses: str, answers: "list[Json | CallFailed] | None" = None) -> SetBack:
    world = SetBack(statuses=list(statuses), answers=answers or [])
    world.ahead = -3 * HOUR
    world.rows.append({**row_of_noon(), "started": moment(-10.0)})
    return world


def row_of_noon() -> JsonObject:
    world = World()
    world.add_row("UsrA")
    return {**world.rows[0], "id": "0" * 36}


def test_where_the_clock_was_set_back_a_start_that_failed_is_a_sign_and_none_that_passed_a_proof() -> None:
    assert ended(set_back("done").carry_out(planned(ONE)), "a") == ("passed", None)
    world = set_back("error").carry_out(planned(ONE))
    assert ended(world, "a") == ("unknown", None)
    assert f"{NEAR}: {world.rows[0]['id']} (error, " in said(world, "a")
    assert ended(set_back("done").carry_out(planned(STRICT)), "a") == ("unknown", None)


def test_rows_of_the_future_hide_no_start_once_their_time_was_read() -> None:
    def started_ahead(*statuses: str, answers: "list[Json | CallFailed] | None" = None) -> SetBack:
        world = set_back(*statuses, answers=answers)
        world.before_watermark = True
        return world

    assert ended(started_ahead("done").carry_out(planned(STRICT)), "a") == ("passed", True)
    assert ended(started_ahead("error").carry_out(planned(STRICT)), "a") == ("failed", False)
    two = STRICT + STRICT.replace("id: a", "id: b")
    world = started_ahead("done", "error").carry_out(planned(two))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", True), ("failed", False))
    lost = started_ahead("done", answers=[unanswered()]).carry_out(planned(ONE))
    assert ended(lost, "a") == ("passed", "inferred")
    assert lost.sent.count("execute UsrA") == 1


def test_where_the_clock_was_set_back_a_start_that_was_turned_away_is_not_made_again() -> None:
    class Repeated(SetBack):
        def _next(self) -> Ending:
            ending = super()._next()
            if isinstance(ending, CallFailed) and self.executed == 0:
                self.add_row("UsrA")
            return ending

    away = CallFailed(kind=FailureKind.TURNED_AWAY, trouble=Trouble(code="E304", message="sign in"), status=401)
    world = Repeated(answers=[away])
    world.ahead = -3 * HOUR
    world.rows.append({**row_of_noon(), "started": moment(-10.0)})
    world.carry_out(planned(ONE))
    assert (world.sent.count("execute UsrA"), ended(world, "a")) == (1, ("unknown", None))
    no_one = set_back(answers=[away]).carry_out(planned(ONE))
    assert (no_one.sent.count("execute UsrA"), ended(no_one, "a")[0]) == (2, "passed")


@pytest.mark.parametrize("jump", [-HOUR, -600.0])
@pytest.mark.parametrize("whole_site", [True, False])
@pytest.mark.parametrize("status", ["unknown", "passed"])
def test_where_the_clock_is_set_back_after_a_start_the_next_that_was_turned_away_is_not_made_again(
    jump: float, status: str, *, whole_site: bool
) -> None:
    class SetBackLater(World):
        def dated(self, ending: Ending) -> Ending:
            ahead = jump if whole_site and self.rows else 0.0
            self.t += ahead
            dated = super().dated(ending)
            self.t -= ahead
            return dated

        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            self.rows[0]["started"] = moment(self.t + (jump if len(self.rows) > 1 else 0.0))

        def _next(self) -> Ending:
            ending = super()._next()
            if isinstance(ending, CallFailed) and status == "unknown":
                self.add_row("UsrA")
            return ending

    away = CallFailed(kind=FailureKind.TURNED_AWAY, trouble=Trouble(code="E304", message="sign in"), status=401)
    world = SetBackLater(answers=[None, away]).carry_out(planned(ONE.replace("id: a", "id: z") + ONE))
    assert (world.finished("a").status, world.sent.count("execute UsrA")) == (status, 2 if status == "unknown" else 3)


@pytest.mark.parametrize("ahead", [60.0, 3 * HOUR, -3 * HOUR])
def test_where_the_log_is_of_another_clock_what_came_in_a_pause_is_none_of_the_next_call(ahead: float) -> None:
    class Crowded(Skewed):
        """Another machine starts the process in the pause, and the row of the call after it does not come."""

        def _takes(self, effect: Send | Sleep | Ask) -> float:
            if isinstance(effect, Sleep) and effect.seconds == 60.0:
                self.add_row("UsrA")
            return super()._takes(effect)

    world = Crowded(never_begun=frozenset({2}))
    world.ahead = ahead
    world.carry_out(planned(STRICT + "  - pause: 60s\n" + STRICT.replace("id: a", "id: b")))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", True), ("unknown", None))


@pytest.mark.parametrize("verify", ["auto", "log"])
@pytest.mark.parametrize("ahead", [-200.0, -HOUR])
def test_what_was_turned_away_after_a_start_that_nobody_verified_is_searched_for_since_the_watermark(
    ahead: float, verify: str
) -> None:
    class Repeated(Skewed):
        def _next(self) -> Ending:
            ending = super()._next()
            if isinstance(ending, CallFailed):
                self.add_row("UsrA")
            return ending

    away = CallFailed(kind=FailureKind.TURNED_AWAY, trouble=Trouble(code="E310", message="later"), status=429)
    world = Repeated(answers=[None, away])
    world.ahead = ahead
    before = "  - id: z\n    execute: {process: UsrA}\n    verify: none\n"
    world.carry_out(planned(f"{before}{ONE}    verify: {verify}\n"))
    assert (world.sent.count("execute UsrA"), ended(world, "a")[0]) == (2, "unknown")


def test_what_began_at_that_time_by_the_clock_before_is_read_only_where_no_row_is_found() -> None:
    world = skewed(3 * HOUR, "done", old=True).carry_out(planned(ONE))
    assert world.sent.count("read rows") == 2  # once before the call, as the newest row there is of the future


class Farm(Skewed):
    """Every second start is carried out by a node whose clock is so many seconds ahead of the other's."""

    by = 0.0

    def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
        self.ahead = self.by * (self.executed % 2 == 0)
        super().add_row(process, status, owner=owner, parent=parent)


def farm(by: float, *statuses: str, old: int = 0) -> Farm:
    world = Farm(statuses=list(statuses), call_seconds=0.1)
    world.by = by
    world.rows += [{**row_of_noon(), "id": f"old-{number}", "started": moment(-number)} for number in range(old)]
    return world


STEPS = "".join(ONE.replace("id: a", f"id: {key}") for key in "abcd")


@pytest.mark.parametrize(("by", "old"), [(-4.0, 0), (-4.0, 3), (-4.0, 40), (-60.0, 0), (-60.0, 3)])
def test_a_process_that_failed_on_a_node_whose_clock_is_behind_is_no_green_step(by: float, old: int) -> None:
    world = farm(by, "done", "error", old=old).carry_out(planned(STEPS))
    assert [ended(world, key)[0] for key in "ab"] == ["passed", "unknown"]
    assert f"{NEAR}: {world.rows[0]['id']} (error, " in said(world, "b")


def test_such_a_row_is_none_of_a_later_call() -> None:
    repeatable = STEPS.replace("{process: UsrA}\n", "{process: UsrA}\n    effect: idempotent\n")
    world = farm(-4.0, "done", "error", "done", "done").carry_out(planned(repeatable))
    assert [ended(world, key)[0] for key in "abcd"] == ["passed"] * 4
    assert f"{world.rows[2]['id']} (error, " in said(world, "b")


def test_a_row_that_was_there_before_is_none_of_the_call_even_where_the_log_has_many() -> None:
    world = farm(-4.0, "done", "done", old=40)
    for each in world.rows:
        each["status"] = "error"
    assert [ended(world.carry_out(planned(STEPS)), key)[0] for key in "abcd"] == ["passed"] * 4


@pytest.mark.parametrize(("since", "is_warned"), [("'2026-01-31T09:00:00Z'", True), ("run", False)])
def test_failures_since_a_moment_are_not_counted_by_a_log_of_another_clock(since: str, *, is_warned: bool) -> None:
    def nothing(call: QueryCall) -> Ending:
        row: JsonObject = {"Id": "a0", "UId": "ua", "Name": "UsrA", "SysSchemaId": "sa", "VersionParentUId": None}
        return Answered(value={"records": [row] if call.entity == "VwProcessLib" else [], "next": None})

    world = skewed(-5 * HOUR, "done")
    world.tables = nothing
    watch = f"  - id: b\n    failures: {{processes: ['Usr*'], since: {since}, for: 1s}}\n"
    world.carry_out(planned(ONE + watch))
    assert ended(world, "b")[0] == "passed"
    assert ("the process log has other times than the answers of the site" in said(world, "b")) is is_warned

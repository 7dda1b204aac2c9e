"""A row of the process log belongs to one call at most, and what may be somebody else's proves nothing."""

import pytest
from msgspec.structs import replace
from stories import WATERMARK, World, http_date, moment, planned, refused, unanswered

from runner.engine.effects import Ask, Outcome, QueryPeers, Send, Sleep
from runner.foundation.values import Json, JsonObject, items
from runner.planning.plan import Plan
from runner.runs.events import AttemptFailed, LogUnreadable, StepFinished, Trouble
from runner.runs.evidence import Unverified
from runner.runs.store import SET_ASIDE
from runner.service.calls import (
    NOW,
    Answered,
    CallFailed,
    Ending,
    ExecuteCall,
    FailureKind,
    ReadRows,
    RunProcessCall,
    WhoAmI,
    WhoIsUser,
)

ONE = "  - id: a\n    execute: {process: UsrA}\n"
STRICT = ONE + "    verify: log\n"
RUN = "  - id: a\n    run: {process: UsrA}\n"


def ended(world: World, key: str) -> tuple[str, object]:
    row = world.finished(key)
    return row.status.value, row.verified


def said(row: StepFinished) -> str:
    return row.error.message if row.error else " ".join(row.warnings)


def row_id(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"


def turned_away(*, status: int = 401, final: bool = False) -> CallFailed:
    code = "E304" if status == 401 else "E310"
    return CallFailed(
        kind=FailureKind.TURNED_AWAY,
        trouble=Trouble(code=code, message="sign in"),
        status=status,
        final=final,
    )


class Repeated(World):
    """A proxy repeats the call after `before` others, which has happened, and hands on the answer to the second."""

    before = 0

    def _next(self) -> Ending:
        ending = super()._next()
        if isinstance(ending, CallFailed) and ending.kind is FailureKind.TURNED_AWAY and self.executed == self.before:
            self.add_row("UsrA")
        return ending


class RepeatedAfterOne(Repeated):
    before = 1


# every start counts, whatever its `verify` is (6)


def test_a_start_that_nobody_verifies_is_counted_as_lacking_its_row() -> None:
    first = "  - id: z\n    execute: {process: UsrA}\n    verify: none\n"
    world = World(lags=[0.1, 60.0], statuses=["done", "error"], call_seconds=0.0)
    world.carry_out(planned(first + STRICT))
    assert ended(world, "a") == ("unknown", None)


def test_where_its_row_has_come_by_then_the_next_one_has_its_own() -> None:
    first = "  - id: z\n    execute: {process: UsrA}\n    verify: none\n  - pause: 1s\n"
    world = World(lags=[0.1, 0.0], statuses=["error", "done"], call_seconds=0.0).carry_out(planned(first + STRICT))
    assert (ended(world, "a"), world.finished("a").process_id) == (("passed", True), row_id(2))


@pytest.mark.parametrize("between", [16, 19, 25])
def test_a_start_is_not_forgotten_before_its_row_has_come(between: int) -> None:
    steps = f"{ONE.replace('id: a', 'id: z')}  - pause: {between}s\n{STRICT}"
    world = World(lags=[19.0, 19.0], statuses=["done", "error"], call_seconds=0.0).carry_out(planned(steps))
    assert ended(world, "a") == ("unknown", None)


def test_a_start_is_not_forgotten_where_the_server_gives_no_time_either() -> None:
    steps = f"{ONE.replace('id: a', 'id: z')}  - pause: 15s\n{STRICT}"
    world = World(lags=[16.5, 60.0], statuses=["done", "error"], call_seconds=0.0, tells_time=False)
    world.carry_out(planned(steps))
    assert ended(world, "a") == ("unknown", None)
    assert "a row for 2 calls" in said(world.finished("a"))


# parts of other processes (8)


def test_the_row_of_a_sub_process_is_no_start_of_ours() -> None:
    class Nested(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent or row_id(9))

    assert ended(Nested().carry_out(planned(STRICT)), "a") == ("unknown", None)
    assert ended(Nested(answers=[unanswered()]).carry_out(planned(ONE)), "a") == ("unknown", None)


# what began outside of the attempt's time (9)


@pytest.mark.parametrize(
    ("seconds", "status"), [(60, "passed"), (116, "passed"), (118.5, "unknown"), (9000, "unknown")]
)
def test_a_start_that_began_after_the_attempts_time_is_none_of_it(seconds: float, status: str) -> None:
    world = World(answers=[unanswered()], lost=True, call_seconds=0.0, verdicts=[{"as": "unknown"}, {"as": "log"}])
    made = planned(ONE + f"finally: [{{pause: {seconds}s}}]\n")

    started = Later(world, began=seconds)
    started.carry_out(made)
    assert ended(started, "a")[0] == status


class Later(World):
    """Somebody else with the same account starts the process so many seconds after the first call."""

    def __init__(self, like: World, *, began: float) -> None:
        super().__init__(**{name: getattr(like, name) for name in ("answers", "lost", "call_seconds", "verdicts")})
        self.began = began

    def _rows(self, call: object) -> Ending:
        if self.t >= self.began and not self.rows:
            self.add_row("UsrA")
            self.rows[0]["started"] = moment(self.began)
        return super()._rows(call)  # type: ignore[arg-type]  # a reading of rows


def test_a_start_from_before_the_call_verifies_nothing_however_late_its_row_is_shown() -> None:
    class Late(World):
        def _next(self) -> Ending:
            self.add_row("UsrA")
            self.rows[0]["started"] = moment(self.t - 4.0)
            return super()._next()

    world = Late(never_begun=frozenset({1, 2}), call_seconds=0.0)
    world.carry_out(planned("  - id: z\n    execute: {process: UsrZ}\n  - pause: 10s\n" + STRICT))
    assert ended(world, "a") == ("unknown", None)


@pytest.mark.parametrize(("status", "came"), [("done", "passed"), ("error", "unknown")])
def test_a_new_start_at_another_time_by_the_servers_clock_is_reported(status: str, came: str) -> None:
    class Skewed(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            self.rows[0]["started"] = moment(self.t - 300)

    world = Skewed(statuses=[status]).carry_out(planned(ONE))
    assert ended(world, "a") == (came, None)
    assert f"a start at another time by the server's clock: {row_id(1)} ({status}, " in said(world.finished("a"))


def test_where_the_server_gives_no_time_a_start_seen_after_a_break_proves_nothing() -> None:
    world = World(answers=[unanswered()], lost=True, verdicts=[{"as": "unknown"}, {"as": "log"}], tells_time=False)
    later = Later(world, began=150.0)
    later.tells_time = False
    later.carry_out(planned(ONE + "finally: [{pause: 200s}]\n"))
    assert ended(later, "a") == ("unknown", None)
    assert "nothing shows whether it began in time" in said(later.finished("a"))
    assert later.finished("a").unverified is Unverified.BY_HAND


def test_an_inferred_start_is_no_verdict_where_the_log_has_to_give_one() -> None:
    world = World(answers=[unanswered()]).carry_out(planned(STRICT))
    assert ended(world, "a") == ("unknown", None)
    error, unverified = world.finished("a").error, world.finished("a").unverified
    assert error is not None
    assert f"one start that may be it ({row_id(1)}, done), and `verify: log` takes no guess" in error.message
    assert str(error.hint).endswith("`reconcile` cannot settle it")
    assert unverified is Unverified.BY_HAND


@pytest.mark.parametrize("status", ["done", "error"])
def test_a_row_that_another_run_may_have_made_verifies_nothing(status: str) -> None:
    rival: JsonObject = {"taken": [], "rival": True}
    world = World(others=rival, statuses=[status]).carry_out(planned(STRICT))
    assert ended(world, "a") == ("unknown", None)
    assert "another run may have started it at the same time" in said(world.finished("a"))


def test_another_run_that_may_have_made_the_row_is_named() -> None:
    by: JsonObject = {"run": "0194", "step": "pay", "began": "2026-01-31T09:00:00Z", "folder": "/there"}
    by |= {"until": "2026-01-31T09:02:00Z"}
    world = World(others={"taken": [], "rival": True, "by": by}).carry_out(planned(STRICT))
    who = "another run (0194, step `pay`, begun at 2026-01-31T09:00:00Z, in /there)"
    advice = "if `runner show 0194` there prints a command, settle that run first"
    assert f"{who} may have started it at the same time; {advice}" in said(world.finished("a"))
    later = "calls that begin after 2026-01-31T09:02:00Z do not depend on it"
    assert f"{advice}; else compare this row on the site with both calls; {later}" in said(world.finished("a"))
    anything: JsonObject = {**by, "step": ""}
    del anything["folder"]
    world = World(others={"taken": [], "rival": True, "by": anything}).carry_out(planned(STRICT))
    assert "another run (0194, begun at 2026-01-31T09:00:00Z) may have started" in said(world.finished("a"))


def test_a_step_that_takes_no_turn_reads_how_it_would_find_its_own_row() -> None:
    by: JsonObject = {"run": "0194", "step": "pay", "began": "2026-01-31T09:00:00Z", "until": "2026-01-31T09:02:00Z"}
    rival: JsonObject = {"taken": [], "rival": True, "by": by}
    world = World(others=rival).carry_out(planned(ONE + "    effect: read\n"))
    (warning,) = world.finished("a").warnings
    assert "may have started it at the same time; with `verify: log` executes of a process take turns" in warning
    (warning,) = World(others=rival).carry_out(planned(ONE)).finished("a").warnings
    assert "with `verify: log`" not in warning


def test_what_is_lost_of_other_folders_is_named_with_what_to_compare() -> None:
    lost: JsonObject = {"file": "/state/rows.sqlite", "since": "2026-01-31T09:00:00Z"}
    world = World(others={"taken": [], "rival": True, "lost": lost}).carry_out(planned(STRICT))
    assert (
        "a run of another folder may have started it at the same time; /state/rows.sqlite was deleted or replaced, so "
        "that it is not known what other folders started before 2026-01-31T09:00:00Z; compare the row with the call on "
        "the site: its time and its parameters"
    ) in said(world.finished("a"))


class Beside(World):
    """With each start another run makes one."""

    def _execute(self, call: ExecuteCall) -> Ending:
        self.add_row(call.process, "error")
        return super()._execute(call)


@pytest.mark.parametrize(
    ("kind", "status", "came"), [(World, "done", "passed"), (World, "error", "error"), (Beside, "error", "failed")]
)
def test_what_may_be_repeated_does_not_wait_for_other_runs_and_never_passes_by_failures_alone(
    kind: type[World], status: str, came: str
) -> None:
    """A failed row that may be the other run's, while this call's may still come, is no failure of this call."""
    rival: JsonObject = {"taken": [], "rival": True}
    world = kind(others=rival, statuses=[status]).carry_out(planned(ONE + "    effect: read\n"))
    assert (ended(world, "a"), world.pauses) == ((came, None), [])
    sentences = " ".join([said(world.finished("a")), *world.finished("a").warnings])
    assert "another run may have started it at the same time" in sentences


class SoonSettled(World):
    """After a moment the other run has its own row."""

    def _outcome(self, effect: Send | Sleep | Ask) -> Outcome:
        if isinstance(effect, Sleep):
            self.others = {"taken": [], "rival": False}
        return super()._outcome(effect)


def test_a_call_that_must_not_happen_twice_waits_until_it_is_known_whose_its_row_is() -> None:
    rival: JsonObject = {"taken": [], "rival": True}
    world = SoonSettled(others=rival).carry_out(planned(STRICT))
    assert (ended(world, "a"), world.pauses) == (("passed", True), [0.25])


def test_what_may_be_repeated_waits_for_a_row_that_comes_late() -> None:
    world = World(lags=[0.5], call_seconds=0.0).carry_out(planned(ONE + "    effect: read\n"))
    assert (ended(world, "a"), world.pauses) == (("passed", True), [0.25, 0.75])


def test_a_row_that_belongs_to_another_run_verifies_nothing() -> None:
    world = World(others={"taken": [row_id(1)], "rival": False}).carry_out(planned(STRICT))
    assert ended(world, "a") == ("unknown", None)
    assert "shows no row of this call" in said(world.finished("a"))


def test_rows_of_our_own_user_that_were_there_before_are_handed_on_with_how_long_ago_they_began() -> None:
    world = World(call_seconds=0.0)
    for number, owner in enumerate(("us", "them", "us"), start=1):
        world.add_row("UsrA", owner=owner, parent=row_id(9) if number == 3 else None)
        world.rows[0]["started"] = moment(-10.0 * number)
    world.carry_out(planned(ONE))
    [asked] = [effect for effect in world.effects if isinstance(effect, QueryPeers)]
    [(known, ago)] = asked.before
    assert known == row_id(1)
    assert ago == pytest.approx(10.0, abs=1.0)


def test_the_next_call_of_a_run_knows_how_long_ago_the_rows_of_before_were_read() -> None:
    world = World(call_seconds=0.5)
    world.add_row("UsrA", owner="us")
    world.rows[0]["started"] = moment(-10.0)
    world.carry_out(
        planned("  - id: a\n    execute: {process: UsrA}\n  - pause: 20s\n  - id: b\n    execute: {process: UsrA}\n")
    )
    read = [effect.before_read for effect in world.effects if isinstance(effect, QueryPeers)]
    assert read == [pytest.approx(1.5, abs=1.0), pytest.approx(22.5, abs=1.0)]


def test_where_the_server_gives_no_time_no_row_of_before_is_handed_on() -> None:
    world = World(tells_time=False)
    world.add_row("UsrA")
    world.carry_out(planned(ONE))
    assert [effect.before for effect in world.effects if isinstance(effect, QueryPeers)] == [()]


# `run` with `verify: log` (11)


@pytest.mark.parametrize("until", ["done", "started"])
@pytest.mark.parametrize(("effect", "status"), [("once", "unknown"), ("read", "error")])
def test_a_run_that_the_log_does_not_show_is_not_verified(until: str, effect: str, status: str) -> None:
    class Hidden(World):
        def _row(self, process_id: str) -> Ending:
            self.rows.clear()
            return super()._row(process_id)

    step = f"  - id: a\n    run: {{process: UsrA, until: {until}}}\n    effect: {effect}\n    verify: log\n"
    world = Hidden().carry_out(planned(step))
    assert ended(world, "a") == (status, None)
    assert "the process log shows no row of it" in said(world.finished("a"))
    assert ended(Hidden().carry_out(planned(step.replace("log", "auto"))), "a") == ("passed", True)


@pytest.mark.parametrize("failure", [refused(403), unanswered()])
def test_a_run_whose_log_cannot_be_read_is_not_verified(failure: CallFailed) -> None:
    class Closing(World):
        def _run(self, call: RunProcessCall) -> Ending:
            ending = super()._run(call)
            self.log = failure
            return ending

    world = Closing().carry_out(planned(RUN + "    verify: log\n"))
    assert ended(world, "a") == ("unknown", None)
    assert not any(isinstance(event, LogUnreadable) for event in world.events), "it was read before"


def test_a_run_whose_row_comes_within_a_second_is_verified() -> None:
    class Hesitant(World):
        looks = 0

        def _row(self, process_id: str) -> Ending:
            self.looks += 1
            ending = super()._row(process_id)
            return Answered(value=None) if self.looks < 3 else ending

    assert ended(Hesitant().carry_out(planned(RUN + "    verify: log\n")), "a") == ("passed", True)


def test_an_answer_that_names_the_process_of_another_call_proves_nothing() -> None:
    class Mixed(World):
        def _run(self, call: RunProcessCall) -> Ending:
            super()._run(call)
            return Answered(value={"process_id": row_id(1), "status": "done", "results": {}})

    world = Mixed().carry_out(planned(RUN + RUN.replace("id: a", "id: b")))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", True), ("unknown", None))
    assert world.finished("b").error == Trouble(
        code="E215",
        message=f"the answer names the process {row_id(1)}, which another call has started",
        hint="look at the process log of the site; something on the way may mix up answers",
    )


# a call that was turned away (12)


@pytest.mark.parametrize("behind", [-20.0, 3.0, 20.0])
def test_a_start_that_was_turned_away_is_not_made_again_where_a_new_row_began_by_another_clock(behind: float) -> None:
    class Skewed(Repeated):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            self.rows[0]["started"] = moment(self.t - behind)

    world = Skewed(answers=[turned_away()], call_seconds=0.0).carry_out(planned(ONE))
    assert world.sent.count("execute UsrA") == 1
    assert ended(world, "a")[0] in ("unknown", "passed")


class Ahead(Repeated):
    """The log's clock is so many seconds `ahead` of `Date`."""

    ahead = 0.0

    def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
        super().add_row(process, status, owner=owner, parent=parent)
        self.rows[0]["started"] = moment(self.t + self.ahead)


@pytest.mark.parametrize("ahead", [0.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("status", ["done", "error"])
def test_the_late_row_of_a_start_that_was_turned_away_does_not_verify_its_repetition(ahead: float, status: str) -> None:
    world = Ahead(answers=[turned_away()], statuses=[status], lags=[3.6, 3.6], call_seconds=0.0)
    world.ahead = ahead
    world.carry_out(planned(ONE))
    assert world.sent.count("execute UsrA") == 2
    assert "started 2 times" in said(world.finished("a"))
    assert ended(world, "a") == (("passed", None) if status == "done" else ("unknown", None))


@pytest.mark.parametrize("ahead", [-1.0, -0.5, 0.0, 1.0])
def test_a_call_that_was_made_again_is_verified_also_where_the_logs_clock_is_a_second_behind(ahead: float) -> None:
    world = Ahead(answers=[turned_away()], call_seconds=0.05)
    world.ahead, world.before = ahead, 9
    world.carry_out(planned(ONE))
    assert (world.sent.count("execute UsrA"), ended(world, "a"), world.t < 10.0) == (2, ("passed", True), True)


@pytest.mark.parametrize("ahead", [2.5, 4.0, 60.0, 3600.0])
def test_a_start_that_was_turned_away_is_not_made_again_where_its_row_is_of_the_future(ahead: float) -> None:
    world = Ahead(answers=[turned_away()], call_seconds=0.0)
    world.ahead = ahead
    world.carry_out(planned(f"{ONE}    verify: none\n"))
    assert (world.sent.count("execute UsrA"), ended(world, "a")) == (1, ("unknown", None))


@pytest.mark.parametrize("ahead", [-3600.0, -200.0, -3.0, 4.0])
@pytest.mark.parametrize("verify", ["auto", "log"])
def test_the_watermark_decides_also_beside_an_earlier_start_that_nobody_verified(verify: str, ahead: float) -> None:
    before = "  - id: z\n    execute: {process: UsrA}\n    verify: none\n"
    world = Ahead(answers=[None, turned_away()], call_seconds=0.5)
    world.ahead, world.before = ahead, 1
    world.carry_out(planned(f"{before}{ONE}    verify: {verify}\n"))
    assert world.sent.count("execute UsrA") == 2


@pytest.mark.parametrize("status", [401, 429])
@pytest.mark.parametrize("verify", ["auto", "log", "none"])
def test_a_start_that_happened_and_was_turned_away_is_never_made_again(status: int, verify: str) -> None:
    step = f"{ONE}    verify: {verify}\n"
    world = Repeated(answers=[turned_away(status=status)]).carry_out(planned(step))
    assert world.sent.count("execute UsrA") == 1
    assert ended(world, "a") == (("passed", "inferred") if verify == "auto" else ("unknown", None))


@pytest.mark.parametrize("verify", ["auto", "log", "none"])
def test_a_session_that_is_over_is_mended_and_the_call_made_again_where_the_log_shows_no_start(verify: str) -> None:
    world = World(answers=[turned_away()], call_seconds=0.0).carry_out(planned(f"{ONE}    verify: {verify}\n"))
    assert world.sent.count("execute UsrA") == 2
    assert ended(world, "a") == ("passed", None if verify == "none" else True)
    assert world.finished("a").attempts == 1


def test_a_session_that_is_not_accepted_twice_is_not_tried_a_third_time() -> None:
    world = World(answers=[turned_away()] * 3).carry_out(planned(ONE))
    assert (world.sent.count("execute UsrA"), ended(world, "a")) == (2, ("error", None))


def test_one_that_asks_to_be_called_later_is_searched_for_again_before_each_repetition() -> None:
    class Slow(World):
        def _takes(self, effect: object) -> float:
            if self.t > 2.0 and not self.rows:
                self.add_row("UsrA")
                self.rows[0]["started"] = moment(0.2)
            return super()._takes(effect)  # type: ignore[arg-type]  # whatever the engine asks for

    late = replace(turned_away(status=429), retry_after=20.0)
    world = Slow(answers=[late], call_seconds=0.1).carry_out(planned(ONE))
    assert (world.sent.count("execute UsrA"), ended(world, "a")) == (1, ("passed", "inferred"))


@pytest.mark.parametrize("place", [3, 4, 5])
def test_one_that_is_stopped_before_the_log_was_read_gets_no_row_that_began_long_after_it(place: int) -> None:
    class Later(World):
        def _rows(self, call: ReadRows) -> Ending:
            if "finished unknown 130" in self.story and not self.rows:
                self.t += 30.0
                self.add_row("UsrA")
            return super()._rows(call)

    world = Later(answers=[turned_away()], stop_at={place: "SIGINT"}, verdicts=[{"as": "log"}], call_seconds=0.1)
    world.carry_out(planned(ONE))
    assert (world.sent.count("execute UsrA"), ended(world, "a")) == (1, ("unknown", None))
    assert len(world.rows) == 1


class Rival(World):
    """Another run starts the process while our call is turned away; it knows the id of its row since the run's end."""

    def _next(self) -> Ending:
        ending = super()._next()
        if isinstance(ending, CallFailed) and not self.rows:
            self.add_row("UsrA")
        return ending

    def carry_out(self, made: Plan) -> "Rival":
        self.others = {"taken": [], "rival": True}
        super().carry_out(made)
        return self

    def _rows(self, call: ReadRows) -> Ending:
        if "finished unknown 4" in self.story:
            self.others = {"taken": [row_id(1)], "rival": False}
        return super()._rows(call)


@pytest.mark.parametrize("answer", [turned_away(), refused(unproved=True)])
def test_a_call_that_was_turned_away_is_no_longer_in_doubt_when_the_only_row_is_known_to_be_anothers(
    answer: CallFailed,
) -> None:
    world = Rival(answers=[answer], verdicts=[{"as": "unknown"}, {"as": "log"}]).carry_out(planned(ONE))
    ends = [event.status.value for event in world.events if isinstance(event, StepFinished)]
    assert world.sent.count("execute UsrA") == 1
    assert ends == ["unknown", "error" if answer.kind is FailureKind.TURNED_AWAY else "failed"]


class Began(World):
    """The first call has happened although it was turned away or refused."""

    def _next(self) -> Ending:
        ending = super()._next()
        if isinstance(ending, CallFailed) and not self.rows:
            self.add_row("UsrA", self.statuses.pop(0))
        return ending


@pytest.mark.parametrize("answer", [turned_away(), refused(unproved=True)])
@pytest.mark.parametrize("before", [[], [{"as": "unknown"}]])
@pytest.mark.parametrize(
    ("status", "steps"),
    [
        ("running", "  - id: a\n    execute: {process: UsrA, until: done}\n    timeout: 20s\n"),
        ("done", "  - id: a\n    execute: {process: UsrA, result: Out}\n    expect: [result == 1]\n"),
    ],
)
def test_a_call_that_was_turned_away_and_has_its_row_is_neither_refused_nor_made_again_after_another_look(
    answer: CallFailed, before: list[JsonObject], status: str, steps: str
) -> None:
    world = Began(answers=[answer], statuses=[status], verdicts=[*before, {"as": "log"}]).carry_out(planned(steps))
    assert world.sent.count("execute UsrA") == 1
    assert ended(world, "a")[0] == "unknown"
    assert world.finished("a").process_id == row_id(1)


class Unrivalled(Began):
    """Another run may have made the row, until a later step of ours begins."""

    def _rows(self, call: ReadRows) -> Ending:
        self.others = {"taken": [], "rival": "begin z" not in self.story}
        return super()._rows(call)


def test_a_row_that_was_given_to_a_call_in_doubt_before_a_later_call_shows_that_it_happened() -> None:
    world = Unrivalled(answers=[turned_away()], statuses=["done"], verdicts=[{"as": "unknown"}, {"as": "log"}])
    world.carry_out(planned(ONE, rest="finally:\n  - id: z\n    execute: {process: UsrA}\n"))
    assert ended(world, "a") == ("passed", "inferred")
    assert world.finished("a").process_id == row_id(1)


@pytest.mark.parametrize("log", [refused(403), unanswered()])
def test_where_the_log_cannot_be_read_it_is_in_doubt(log: CallFailed) -> None:
    world = World(answers=[turned_away()], log=log).carry_out(planned(ONE))
    assert (world.sent.count("execute UsrA"), ended(world, "a")) == (1, ("unknown", None))


class HandedOn(World):
    """A proxy refuses a call that it has handed on."""

    def _next(self) -> Ending:
        ending = super()._next()
        if isinstance(ending, CallFailed) and ending.unproved:
            self.add_row("UsrA")
        return ending


@pytest.mark.parametrize(
    ("kind", "lags", "sent", "status"),
    [(World, [], 3, "passed"), (RepeatedAfterOne, [], 2, "unknown"), (RepeatedAfterOne, [0.0, 1.5], 2, "unknown")],
)
def test_a_call_without_a_watermark_is_sent_again_where_each_row_is_that_of_an_answered_call_before(
    kind: type[World], lags: list[float], sent: int, status: str
) -> None:
    steps = "".join(f"{ONE.replace('id: a', f'id: {key}')}    verify: none\n" for key in "za")
    world = kind(answers=[None, turned_away()], lags=lags, call_seconds=0.1).carry_out(planned(steps))
    assert (world.sent.count("execute UsrA"), world.finished("a").status) == (sent, status)


@pytest.mark.parametrize(
    ("lags", "effect", "codes"),
    [
        ([], "once", ("UsrA",)),
        ([0.5], "once", ("UsrA", f"{SET_ASIDE}UsrA")),
        ([0.5], "idempotent", ("UsrA",)),
    ],
)
def test_refused_calls_of_other_runs_count_where_the_row_of_a_once_call_comes_late(
    lags: list[float], effect: str, codes: tuple[str, ...]
) -> None:
    world = World(lags=lags, call_seconds=0.0).carry_out(planned(f"{ONE}    effect: {effect}\n"))
    asked = [each.codes for each in world.effects if isinstance(each, QueryPeers) and each.rows]
    assert (ended(world, "a"), asked) == (("passed", True), [codes])


@pytest.mark.parametrize("ahead", [-10_800.0, 10_800.0, None])
def test_they_do_not_where_no_time_tells_what_began_shortly_after_their_refusal(ahead: float | None) -> None:
    """The log's clock is hours ahead or behind, or answers have no `Date`: else each refusal would be a rival."""
    world = Ahead(lags=[0.5], call_seconds=0.0, tells_time=ahead is not None)
    world.ahead = ahead or 0.0
    world.carry_out(planned(ONE))
    asked = [each.codes for each in world.effects if isinstance(each, QueryPeers) and each.rows]
    assert asked == [("UsrA",)]


def test_a_row_that_keeps_a_refused_call_from_being_sent_again_is_named() -> None:
    steps = f"{ONE.replace('id: a', 'id: z')}    verify: none\n  - pause: 3s\n{ONE}"
    world = World(answers=[None, turned_away()], lags=[4.0], call_seconds=0.0).carry_out(planned(steps))
    assert (world.sent.count("execute UsrA"), ended(world, "a")) == (2, ("unknown", None))
    assert f"a start at another time by the server's clock: {row_id(1)}" in said(world.finished("a"))


class HandedOnLate(HandedOn):
    """Rows come late, by a clock that is a second ahead of `Date`, which is written late from the first looks on."""

    def dated(self, ending: Ending) -> Ending:
        date = http_date(self.t - 1.0 if self.t > 0.0 else 0.0)
        return ending if super().dated(ending) is ending else replace(ending, date=date)

    def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
        super().add_row(process, status, owner=owner, parent=parent)
        self.rows[0]["started"] = moment(self.t + 1.000_001)


@pytest.mark.parametrize(
    ("lags", "answer", "outcome", "process_id"),
    [
        ([3.5, 1000.0], None, ("passed", None), None),
        ([3.5, 1000.0], unanswered(), ("unknown", None), None),
        ([0.5], None, ("passed", "inferred"), row_id(2)),
        ([0.5], unanswered(), ("passed", "inferred"), row_id(2)),
    ],
)
def test_the_late_row_of_a_refused_call_proves_nothing_of_the_next_step(
    lags: list[float], answer: Json, outcome: tuple[str, object], process_id: str | None
) -> None:
    first = f"{ONE.replace('id: a', 'id: z')}    on_failure: continue\n"
    site = HandedOnLate(answers=[refused(500, unproved=True), answer], lags=lags, call_seconds=0.0)
    world = site.carry_out(planned(first + ONE))
    assert (ended(world, "a"), world.finished("a").process_id) == (outcome, process_id)
    if process_id is None:
        assert f"the call of `z`, which was refused, may have started {row_id(1)}" in said(world.finished("a"))


@pytest.mark.parametrize("step", [ONE, RUN])
@pytest.mark.parametrize("status", [302, 403])
@pytest.mark.parametrize("verify", ["auto", "none"])
def test_a_start_that_a_proxy_has_handed_on_and_refused_is_found_in_the_log(
    step: str, status: int, verify: str
) -> None:
    site = HandedOn(answers=[refused(status, unproved=True)])
    world = site.carry_out(planned(f"{step}    verify: {verify}\n"))
    assert ended(world, "a") == (("passed", "inferred") if verify == "auto" else ("unknown", None))


@pytest.mark.parametrize("step", [ONE, RUN])
@pytest.mark.parametrize(("gone", "status"), [(True, "unknown"), (False, "failed")])
def test_a_row_that_may_be_that_of_a_refused_call_counts_also_where_the_log_shows_it_no_more(
    step: str, status: str, *, gone: bool
) -> None:
    class Archived(HandedOn):
        """The only row may be of another run at first. Then the log does not show it any more, or it is of that run."""

        def pause(self) -> None:
            if gone:
                self.rows.clear()
            else:
                self.others = {"taken": [row_id(1)], "rival": False}

        def _takes(self, effect: Send | Sleep | Ask) -> float:
            if isinstance(effect, Sleep):
                self.pause()
            return super()._takes(effect)

    site = Archived(answers=[refused(500, unproved=True)], others={"taken": [], "rival": True})
    assert ended(site.carry_out(planned(step)), "a")[0] == status


@pytest.mark.parametrize("step", [ONE, RUN])
def test_a_refusal_that_may_be_a_proxys_is_the_services_where_the_log_shows_no_start(step: str) -> None:
    world = World(answers=[refused(unproved=True)]).carry_out(planned(step))
    assert (ended(world, "a"), world.t < 20.0) == (("failed", None), True)
    assert [each.seconds for each in world.effects if isinstance(each, Sleep)] == [0.25, 0.75, 2.0]
    assert said(world.finished("a")) == "no right"


@pytest.mark.parametrize(
    ("answer", "call_seconds", "sent", "status"),
    [
        (refused(unproved=True), 8.0, 1, "unknown"),
        (refused(unproved=True), 1.0, 2, "passed"),
        (turned_away(status=429), 8.0, 1, "unknown"),
        (turned_away(status=429), 1.0, 2, "passed"),
        (turned_away(), 8.0, 2, "passed"),
    ],
)
def test_what_a_gateway_answers_seconds_after_the_call_has_left_is_no_answer(
    answer: CallFailed, call_seconds: float, sent: int, status: str
) -> None:
    world = World(answers=[answer], needs={"execute UsrA": call_seconds}, never_begun=frozenset({1}))
    world.carry_out(planned(f"{ONE}    retry: {{max_attempts: 2, on: [not_sent, refused]}}\n"))
    assert (world.sent.count("execute UsrA"), world.finished("a").status) == (sent, status)
    if status == "unknown":
        assert "8 s after the call had left, so that it may have happened all the same" in said(world.finished("a"))


def test_a_fault_or_an_answer_that_proves_it_says_so_however_late_it_comes() -> None:
    for answer, status in ((refused(500, unproved=True), "failed"), (refused(403), "failed")):
        world = World(answers=[answer], needs={"execute UsrA": 8.0}).carry_out(planned(ONE))
        assert world.finished("a").status == status


@pytest.mark.parametrize("log", [refused(403), unanswered()])
def test_it_is_in_doubt_where_the_log_cannot_be_read(log: CallFailed) -> None:
    world = World(answers=[refused(unproved=True)], log=log).carry_out(planned(ONE))
    assert ended(world, "a") == ("unknown", None)
    assert said(world.finished("a")).startswith("it may or may not have happened: no right; ")


LOCKED = CallFailed(kind=FailureKind.NOT_SENT, trouble=Trouble(code="E303", message="locked"), status=200, final=True)


@pytest.mark.parametrize(
    "step",
    [
        "  - id: a\n    wait: {process_id: 00000000-0000-0000-0000-000000000001}\n",
        "  - id: a\n    execute: {process: UsrA, until: done}\n",
        "  - id: a\n    run: {process: UsrA, until: done}\n",
    ],
)
def test_after_a_refused_sign_in_no_process_is_waited_for(step: str) -> None:
    class Locks(World):
        def _row(self, process_id: str) -> Ending:
            del process_id
            return LOCKED

    world = Locks(statuses=["running"]).carry_out(planned(step))
    assert (world.finished("a").status in ("unknown", "error"), world.t < 30.0) == (True, True)
    assert "locked" in said(world.finished("a"))


class ShutOut(World):
    """No call is accepted in any session, but for the question who we are, where there is an `owner`."""

    def _ending(self, send: Send) -> Ending:
        return (
            turned_away(final=True) if isinstance(send.call, WhoAmI) and self.owner is None else super()._ending(send)
        )


@pytest.mark.parametrize("verify", ["auto", "none"])
@pytest.mark.parametrize(("owner", "status"), [(None, "error"), ("us", "unknown")])
def test_a_session_that_is_accepted_nowhere_has_started_nothing(owner: str | None, status: str, verify: str) -> None:
    world = ShutOut(answers=[turned_away()], log=turned_away(final=True), owner=owner)
    world.carry_out(planned(f"{ONE}    verify: {verify}\n"))
    assert (ended(world, "a")[0], world.sent.count("execute UsrA")) == (status, 1)
    if status == "error":
        assert said(world.finished("a")) == "sign in"


@pytest.mark.parametrize("answer", [None, unanswered()])
def test_a_log_that_was_read_before_is_asked_again_where_another_sign_in_has_ended_the_session(
    answer: CallFailed | None,
) -> None:
    refusals = [turned_away(final=True)]

    class Ended(World):
        def _rows(self, call: ReadRows) -> Ending:
            return refusals.pop() if self.executed and refusals else super()._rows(call)

    world = Ended(answers=[answer]).carry_out(planned(ONE))
    assert ended(world, "a") == ("passed", True if answer is None else "inferred")
    assert not [event for event in world.events if isinstance(event, LogUnreadable)]


@pytest.mark.parametrize("answer", [refused(unproved=True), turned_away(status=429)])
def test_what_else_it_is_answered_may_have_come_after_the_start(answer: CallFailed) -> None:
    world = ShutOut(answers=[answer], log=turned_away(final=True), owner=None).carry_out(planned(ONE))
    assert ended(world, "a") == ("unknown", None)


def test_where_there_is_no_log_at_the_address_either_nothing_is_there_to_be_started() -> None:
    world = World(answers=[refused(404, unproved=True)], log=refused(404)).carry_out(planned(ONE))
    assert ended(world, "a") == ("failed", None)


def test_a_refusal_that_may_be_a_proxys_counts_as_a_start_that_may_still_come() -> None:
    read_only = ONE.replace("id: a", "id: z") + "    effect: read\n    on_failure: continue\n"
    world = World(answers=[refused(unproved=True)], lags=[0.1]).carry_out(planned(read_only + STRICT))
    assert ended(world, "a") == ("unknown", None)


@pytest.mark.parametrize("began", [False, True])
@pytest.mark.parametrize(
    "again", ["    retry: {max_attempts: 2, on: [refused]}\n", "    on_failure: continue\n" + STRICT]
)
def test_a_fault_of_a_call_that_may_be_repeated_leaves_later_calls_verified(*, again: str, began: bool) -> None:
    site = (HandedOn if began else World)(answers=[refused(500, unproved=True)])
    steps = f"{ONE.replace('id: a', 'id: z')}    effect: read\n    verify: log\n{again}"
    world = site.carry_out(planned(steps))
    assert ended(world, "a" if STRICT in again else "z") == ("passed", True)


@pytest.mark.parametrize("verify", ["auto", "none"])
def test_a_post_that_is_turned_away_is_searched_for_too_as_some_gateways_repeat_it(verify: str) -> None:
    world = World(answers=[turned_away()], log=refused(403)).carry_out(planned(f"{RUN}    verify: {verify}\n"))
    assert (world.sent.count("run UsrA"), ended(world, "a")) == (1, ("unknown", None))
    shown = World(answers=[turned_away()]).carry_out(planned(f"{RUN}    verify: {verify}\n"))
    assert (shown.sent.count("run UsrA"), ended(shown, "a")) == (2, ("passed", True)), "the log shows no start"


class LogAwayBefore(Repeated):
    def _rows(self, call: ReadRows) -> Ending:
        return unanswered() if call.top == WATERMARK else super()._rows(call)


@pytest.mark.parametrize(("kind", "verify"), [(Repeated, "none"), (LogAwayBefore, "auto")])
def test_a_start_near_a_call_without_a_watermark_that_was_turned_away_is_not_taken_for_its_own(
    kind: type[World], verify: str
) -> None:
    world = kind(answers=[turned_away()]).carry_out(planned(f"{ONE}    verify: {verify}\n"))
    assert (world.sent.count("execute UsrA"), ended(world, "a")) == (1, ("unknown", None))
    assert f"which was not read before the call, shows {row_id(1)}" in said(world.finished("a"))


@pytest.mark.parametrize(("verify", "sent", "status"), [("log", 1, "unknown"), ("auto", 2, "passed")])
def test_with_verify_log_a_call_is_sent_again_only_after_the_whole_time_in_which_its_row_may_come(
    verify: str, sent: int, status: str
) -> None:
    class Later(Repeated):
        def _rows(self, call: ReadRows) -> Ending:
            return super()._rows(call) if self.t > 14 or not self.rows else Answered(value=[])

    world = Later(answers=[turned_away()]).carry_out(planned(f"{RUN}    verify: {verify}\n"))
    assert (world.sent.count("run UsrA"), ended(world, "a")[0]) == (sent, status)


def test_what_may_be_repeated_is_not_searched_for() -> None:
    world = World(answers=[turned_away()]).carry_out(planned(ONE + "    effect: read\n    verify: none\n"))
    assert world.sent == ["execute UsrA", "execute UsrA"]


def executes(world: World) -> list[Send]:
    return [each for each in world.effects if isinstance(each, Send) and isinstance(each.call, ExecuteCall)]


@pytest.mark.parametrize("verify", ["auto", "log", "none"])
@pytest.mark.parametrize("timeout", [20.0, 2.0])
def test_a_call_in_a_fresh_session_has_the_time_that_the_first_has_left(timeout: float, verify: str) -> None:
    """To read the log in between has a time of its own; with none left the call would be tried in a third session."""
    step = f"{ONE}    timeout: {timeout}s\n    verify: {verify}\n"
    world = World(answers=[turned_away()], call_seconds=0.5).carry_out(planned(step))
    assert [each.seconds for each in executes(world)] == [timeout, timeout - 0.5]
    assert (ended(world, "a")[0], world.t > 3.0) == ("passed", True)


def said_to_have_begun_nothing(world: World) -> list[str]:
    return [each.key for each in world.effects if isinstance(each, QueryPeers) and each.nothing_began]


def test_others_are_reported_once_of_a_call_that_was_turned_away_and_began_nothing() -> None:
    world = World(answers=[turned_away()]).carry_out(planned(ONE))
    assert (said_to_have_begun_nothing(world), ended(world, "a")) == (["a"], ("passed", True))
    polling = ONE.replace("UsrA", "UsrA, result: Out") + (
        "    effect: read\n    retry: {max_attempts: 3, on: [expectation]}\n    expect: [result == 1]\n"
    )
    world = World(answers=[turned_away(), 0, 1]).carry_out(planned(polling))
    assert said_to_have_begun_nothing(world) == ["a"]
    assert ended(world, "a") == ("passed", True)


def test_the_row_of_a_call_that_was_turned_away_and_may_be_repeated_is_none_of_its_repetition() -> None:
    class Failing(Repeated):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status if self.rows else "error", owner=owner, parent=parent)

    world = Failing(answers=[turned_away()], tells_time=False).carry_out(planned(f"{ONE}    effect: read\n"))
    assert ended(world, "a") == ("passed", True)
    assert said_to_have_begun_nothing(world) == []


def test_others_are_reported_of_a_refusal_that_may_be_a_proxys_where_the_log_shows_no_start() -> None:
    world = World(answers=[refused(unproved=True)]).carry_out(planned(ONE))
    assert (said_to_have_begun_nothing(world), ended(world, "a")) == (["a"], ("failed", None))
    assert said_to_have_begun_nothing(World(answers=[refused()]).carry_out(planned(ONE))) == [], "by the answer"


def test_a_call_that_was_turned_away_and_began_nothing_is_none_that_lacks_its_row() -> None:
    step = f"{ONE}    effect: read\n"
    assert ended(World(answers=[turned_away()], call_seconds=0.1).carry_out(planned(step)), "a") == ("passed", True)


def test_a_session_that_is_refused_for_good_is_not_tried_again() -> None:
    world = World(answers=[turned_away(final=True)]).carry_out(planned(f"{ONE}    effect: read\n"))
    assert len(executes(world)) == 1


def test_an_element_that_was_turned_away_is_executed_in_a_fresh_session_as_no_site_executes_it_twice() -> None:
    step = "  - id: a\n    element: {uid: 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11}\n    effect: once\n"
    again = World(answers=[turned_away()]).carry_out(planned(step))
    assert (len(again.sent), ended(again, "a")[0]) == (2, "passed")
    for answer, given in ((turned_away(status=429), step), (turned_away(), step.replace("}", ", parameters: {X: 1}}"))):
        doubted = World(answers=[answer]).carry_out(planned(given))
        assert (len(doubted.sent), ended(doubted, "a")[0]) == (1, "unknown")


# several starts for one call (13)


class Twice(World):
    """A gateway repeats the GET; `both` are the statuses that the log shows."""

    both: tuple[str, str] = ("done", "done")

    def _next(self) -> Ending:
        self.add_row("UsrA", self.both[0])
        self.statuses = [self.both[1]]
        return super()._next()


def twice(first: str, second: str, step: str = ONE, *, later: tuple[str, ...] = ()) -> World:
    world = Twice(later=list(later))
    world.both = (first, second)
    return world.carry_out(planned(step))


SENTENCE = f"started 2 times for one call: {row_id(2)}, {row_id(1)}"


class SentAgain(Twice):
    """The run broke off in the call, and `resume` has sent it again; `extra` rows are of nobody known."""

    extra = 0

    def _outcome(self, effect: Send | Sleep | Ask) -> Outcome:
        outcome = super()._outcome(effect)
        is_call = isinstance(effect, Send) and isinstance(effect.call, ExecuteCall)
        for _ in range(self.extra if is_call else 0):
            self.add_row("UsrA")
        return replace(outcome, resumed=True) if is_call else outcome


@pytest.mark.parametrize(("extra", "says"), [(0, True), (1, False)])
@pytest.mark.parametrize("first", ["done", "error"])
def test_a_start_by_resume_is_none_that_a_gateway_or_another_program_has_made(
    first: str, extra: int, *, says: bool
) -> None:
    world = SentAgain()
    world.both, world.extra = (first, "done"), extra
    world.carry_out(planned(f"{ONE}    effect: read\n"))
    assert ended(world, "a") == ("passed", None)
    (warning,) = world.finished("a").warnings
    own = f"started 2 times, as it seems once before the run broke off and once by its resume: {row_id(2)}, {row_id(1)}"
    assert (own in warning) is says
    assert ("started 3 times for one call" in warning) is not says
    assert ("another program" in warning) is (not says and first == "done")


def test_a_break_after_the_answer_explains_no_second_start() -> None:
    class Later(Twice):
        def _outcome(self, effect: Send | Sleep | Ask) -> Outcome:
            outcome = super()._outcome(effect)
            has_answered = isinstance(effect, Send) and self.executed > 0 and isinstance(effect.call, ReadRows)
            return replace(outcome, resumed=True) if has_answered else outcome

    world = Later()
    world.carry_out(planned(f"{ONE}    effect: read\n"))
    assert SENTENCE in said(world.finished("a"))
    assert "`execute_method: post`" in said(world.finished("a"))


TO_ITS_END = "  - id: a\n    execute: {process: UsrA, until: done}\n"


def test_two_starts_for_one_call_are_reported_and_never_verified() -> None:
    world = twice("done", "done")
    assert ended(world, "a") == ("passed", None)
    (warning,) = world.finished("a").warnings
    assert SENTENCE in warning
    assert "`execute_method: post`" in warning
    assert "another program or run that started the process with the same account" in warning
    assert world.finished("a").process_id is None


@pytest.mark.parametrize(("effect", "status"), [("once", "unknown"), ("read", "error")])
def test_two_starts_are_never_green_where_the_log_has_to_tell(effect: str, status: str) -> None:
    world = twice("done", "done", f"{STRICT}    effect: {effect}\n")
    assert ended(world, "a") == (status, None)
    error = world.finished("a").error
    assert error
    assert (error.code, SENTENCE in error.message) == ("E214", True)


@pytest.mark.parametrize("first", ["done", "error"])
def test_a_run_that_a_gateway_has_repeated_is_not_verified_where_the_log_has_to_say_it(first: str) -> None:
    world = twice(first, "done", f"{RUN}    verify: log\n")
    assert ended(world, "a") == ("unknown", None)
    assert SENTENCE in said(world.finished("a"))


@pytest.mark.parametrize("first", ["done", "error"])
def test_a_run_that_a_gateway_has_repeated_passes_by_its_own_process_and_says_so(first: str) -> None:
    world = twice(first, "done", RUN)
    assert ended(world, "a") == ("passed", None)
    assert SENTENCE in said(world.finished("a"))
    assert ("not all of them passed" in said(world.finished("a"))) is (first == "error")
    assert SENTENCE not in said(twice("done", "done", f"{RUN}    effect: idempotent\n").finished("a"))


def test_the_rows_of_runs_before_are_not_read_again_and_again() -> None:
    class Counting(World):
        most = 0

        def _rows(self, call: ReadRows) -> Ending:
            ending = super()._rows(call)
            self.most = max(self.most, len(items(ending.value))) if isinstance(ending, Answered) else self.most
            return ending

    loop = "  - id: a\n    for_each: [1, 2, 3, 4, 5, 6]\n    run: {process: UsrA}\n"
    world = Counting().carry_out(planned(loop))
    assert isinstance(world, Counting)
    assert (world.most, ended(world, "a[5]")) == (2, ("passed", True))


@pytest.mark.parametrize("first", ["done", "error"])
def test_the_process_of_a_run_that_a_gateway_has_repeated_is_known_to_later_steps(first: str) -> None:
    world = twice(first, "done", f'{RUN}  - id: b\n    wait: {{process_id: "{{{{ steps.a.process_id }}}}"}}\n')
    assert (world.finished("a").process_id, ended(world, "b")) == (row_id(2), ("passed", True))


@pytest.mark.parametrize("status", ["done", "running"])
def test_no_later_look_verifies_a_run_that_a_gateway_has_repeated(status: str) -> None:
    world = Twice(later=["done"], verdicts=[{"as": "unknown"}, {"as": "log"}])
    world.both = ("error", status)
    world.answers = [{"process_id": row_id(2), "status": status, "results": {}}]
    world.carry_out(planned(f"{RUN}    verify: log\n"))
    assert ended(world, "a") == ("unknown", None)


def test_a_run_whose_row_is_alone_is_verified() -> None:
    world = World().carry_out(planned(f"{RUN}    verify: log\n{RUN.replace('id: a', 'id: b')}    verify: log\n"))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", True), ("passed", True))


def test_two_starts_that_failed_are_a_failure() -> None:
    world = twice("error", "cancelled")
    assert ended(world, "a") == ("failed", False)
    assert world.finished("a").warnings == (SENTENCE,)


@pytest.mark.parametrize(("effect", "status"), [("once", "unknown"), ("read", "passed")])
def test_two_starts_of_which_one_failed_settle_nothing(effect: str, status: str) -> None:
    world = twice("error", "done", f"{ONE}    effect: {effect}\n")
    assert ended(world, "a") == (status, None)
    assert SENTENCE in said(world.finished("a"))
    strict = twice("error", "done", f"{STRICT}    effect: {effect}\n")
    assert ended(strict, "a") == ("unknown" if effect == "once" else "error", None)


def test_two_starts_that_run_are_followed_to_their_ends() -> None:
    world = twice("running", "running", TO_ITS_END, later=("done", "done"))
    assert (ended(world, "a"), SENTENCE in said(world.finished("a"))) == (("passed", None), True)
    failed = twice("running", "running", TO_ITS_END, later=("error", "error"))
    assert ended(failed, "a") == ("failed", False)


def test_the_second_of_two_starts_is_none_of_the_next_call() -> None:
    class OnceTwice(World):
        def _next(self) -> Ending:
            if not self.rows:
                self.add_row("UsrA")
            return super()._next()

    world = OnceTwice().carry_out(planned(ONE + ONE.replace("id: a", "id: b")))
    assert (ended(world, "a"), ended(world, "b")) == (("passed", None), ("passed", True))
    assert world.finished("b").process_id == row_id(3)


# how long it took


def test_a_process_settled_from_the_log_took_the_time_that_it_took_there() -> None:
    class Lasted(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            self.rows[0]["completed"] = moment(self.t + 6.25)

    step = ONE + "    outputs: {took: seconds}\n"
    world = Lasted(answers=[unanswered()], call_seconds=0.1)
    world.carry_out(planned(step + "  - id: b\n    pause: 1s\n", rest="outputs: {took: steps.a.seconds}"))
    assert world.finished("a").seconds == pytest.approx(6.25, abs=0.01)
    assert world.finished("a").outputs == {"took": pytest.approx(6.25, abs=0.01)}
    assert world.end.outputs == {"took": pytest.approx(6.25, abs=0.01)}


# what sites leave out, or write twice


class Ownerless(World):
    """Rows of the log do not say whose they are."""

    def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
        super().add_row(process, status, owner=owner, parent=parent)
        self.rows[0]["owner"] = None


@pytest.mark.parametrize("until", ["done", "started"])
def test_a_row_that_shows_no_owner_is_inferred_to_be_that_of_an_answered_call_and_no_proof(until: str) -> None:
    step = ONE.replace("}", f", until: {until}}}")
    row = Ownerless(statuses=["done"]).carry_out(planned(step)).finished("a")
    assert (row.status.value, row.verified) == ("passed", "inferred")
    assert "give the user the right to read its `OwnerId`" in said(row)
    strict = step + "    verify: log\n"
    row = Ownerless(statuses=["done"]).carry_out(planned(strict)).finished("a")
    assert (row.status.value, row.verified) == ("unknown", None)
    assert ended(Ownerless(statuses=["error"]).carry_out(planned(strict)), "a") == ("failed", False)


def test_rows_without_an_owner_settle_no_call_in_doubt() -> None:
    world = Ownerless(answers=[unanswered()])
    world.carry_out(planned(ONE))
    assert ended(world, "a") == ("unknown", None)
    assert "does not show whether it is ours" in said(world.finished("a"))


class Doubled(World):
    """Each answer shows each row twice."""

    def _rows(self, call: ReadRows) -> Ending:
        ending = super()._rows(call)
        assert isinstance(ending, Answered)
        assert isinstance(ending.value, list)
        return replace(ending, value=[row for row in ending.value for _ in range(2)])


def test_a_row_that_an_answer_shows_twice_is_one_start() -> None:
    world = Doubled()
    world.carry_out(planned(STRICT))
    assert ended(world, "a") == ("passed", True)


def test_a_row_that_another_run_may_have_made_settles_no_earlier_start() -> None:
    class Settled(World):
        """A row of another run appears, which is known to be its own only after the second call."""

        def _execute(self, call: ExecuteCall) -> Ending:
            ending = super()._execute(call)
            if self.executed == 1:
                self.add_row("UsrA")
            else:
                self.others = {"taken": [row_id(2)], "rival": False}
            return ending

    world = Settled(
        lags=[7.0, 0.0],
        call_seconds=0.0,
        never_begun=frozenset({2}),
        others={"taken": [], "rival": True},
        tells_time=False,
    )
    world.carry_out(planned(ONE.replace("id: a", "id: z") + "  - pause: 5s\n" + STRICT))
    assert ended(world, "a") == ("unknown", None)
    assert "a row for 2 calls" in said(world.finished("a"))


def test_a_late_row_is_written_down_as_that_of_the_start_it_settles() -> None:
    world = World(lags=[3.0, 0.0], call_seconds=0.0)
    world.carry_out(planned(ONE.replace("id: a", "id: z") + "  - pause: 5s\n" + STRICT))
    asked = [(effect.keys, effect.rows) for effect in world.effects if isinstance(effect, QueryPeers)]
    assert asked == [(None, ()), (("z",), (row_id(1),)), (("a",), (row_id(2),))], "`z` still waits, then has its row"


@pytest.mark.parametrize("named", [True, False])
def test_a_row_that_does_not_say_when_it_began_may_be_of_any_call_and_of_any_run(*, named: bool) -> None:
    class Unreported(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            self.rows[0]["started"] = self.rows[0]["started"] if named else "soon"

    world = Unreported().carry_out(planned(STRICT))
    assert [effect.timed for effect in world.effects if isinstance(effect, QueryPeers)] == [named]
    assert ended(world, "a") == ("passed", True)


@pytest.mark.parametrize(("is_broken", "came"), [(True, ("unknown", None)), (False, ("passed", "inferred"))])
def test_where_the_server_gives_no_time_a_start_that_is_seen_after_a_break_is_not_inferred(
    *, is_broken: bool, came: tuple[str, object]
) -> None:
    class Resumed(World):
        """The run breaks off in its first pause; somebody else starts the process meanwhile."""

        def _outcome(self, effect: Send | Sleep | Ask) -> Outcome:
            outcome = super()._outcome(effect)
            if not isinstance(effect, Sleep) or self.rows:
                return outcome
            self.add_row("UsrA")
            return replace(outcome, resumed=is_broken)

    world = Resumed(answers=[unanswered()], lost=True, tells_time=False).carry_out(planned(ONE))
    assert ended(world, "a") == came


@pytest.mark.parametrize(("account", "came"), [("us", ("passed", "inferred")), ({NOW: "us"}, ("unknown", None))])
def test_a_row_of_who_is_signed_in_now_is_none_of_a_call_before_the_break(
    account: Json, came: tuple[str, object]
) -> None:
    class Resumed(World):
        """The run breaks off in its first pause, and goes on, perhaps with another account."""

        is_broken = False

        def _ending(self, send: Send) -> Ending:
            if not isinstance(send.call, WhoAmI | WhoIsUser):
                return super()._ending(send)
            return Answered(value=account) if self.is_broken else unanswered()

        def _outcome(self, effect: Send | Sleep | Ask) -> Outcome:
            outcome = super()._outcome(effect)
            is_break = isinstance(effect, Sleep) and self.executed > 0 and not self.is_broken
            self.is_broken = self.is_broken or is_break
            return replace(outcome, resumed=True) if is_break else outcome

    world = Resumed(answers=[unanswered()], lags=[8.0]).carry_out(planned(ONE))
    assert ended(world, "a") == came


def test_where_what_other_folders_started_is_lost_only_a_person_settles_a_doubt() -> None:
    lost: JsonObject = {"file": "/state/rows.sqlite", "since": "2026-01-31T09:00:00Z"}
    for answer, by_hand in (({"lost": lost}, True), ({}, False)):
        world = World(answers=[unanswered()], others={"taken": [], "rival": True, **answer}).carry_out(planned(ONE))
        doubts = [event for event in world.events if isinstance(event, AttemptFailed) and event.kind == "in_doubt"]
        assert [event.by_hand is True for event in doubts] == [by_hand]


@pytest.mark.parametrize("effect", ["once", "idempotent"])
@pytest.mark.parametrize(
    ("seconds", "lags", "second", "sentence"),
    [
        (0.1, [4.0, 60.0], "error", f"sent again, and the first may have started {row_id(1)}"),
        (1.0, [9.0, 60.0], "error", f"sent again, and the first may have started {row_id(1)}"),
        (0.1, [4.0, 10.0], "done", f"started 2 times for one call: {row_id(2)}, {row_id(1)}"),
        (1.0, [9.0, 10.0], "done", f"started 2 times for one call: {row_id(2)}, {row_id(1)}"),
    ],
)
def test_the_late_row_of_a_call_that_was_turned_away_does_not_verify_its_repetition(
    seconds: float, lags: list[float], second: str, *, sentence: str, effect: str
) -> None:
    class Failing(Repeated):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, second if self.rows else status, owner=owner, parent=parent)

    def finished(verify: str) -> StepFinished:
        world = Failing(answers=[turned_away()], lags=[*lags], call_seconds=seconds)
        return world.carry_out(planned(f"{ONE}    effect: {effect}\n    verify: {verify}\n")).finished("a")

    row = finished("auto")
    assert (row.status.value, row.verified) == ("passed", None)
    assert sentence in said(row)
    assert finished("log").status.value == ("unknown" if effect == "once" else "error")


class Timer(World):
    """Beside each call a timer starts the process, for nobody; the call's own row comes late."""

    def _execute(self, call: ExecuteCall) -> Ending:
        self.lags = [30.0, 0.0]
        ending = super()._execute(call)
        self.add_row("UsrA")
        self.rows[0]["owner"] = None
        return ending


@pytest.mark.parametrize(("owner", "verified"), [("us", None), ("them", None), (None, "inferred")])
def test_a_row_without_an_owner_is_nobodys_where_the_log_shows_those_of_others(
    owner: str | None, *, verified: str | None
) -> None:
    """Where it shows none at all, its user may not read them."""
    world = Timer()
    world.add_row("UsrA")
    world.rows[0]["owner"] = owner
    assert ended(world.carry_out(planned(ONE)), "a") == ("passed", verified)


def test_a_call_that_is_made_again_is_verified_where_the_log_counts_whole_seconds() -> None:
    class Whole(World):
        def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
            super().add_row(process, status, owner=owner, parent=parent)
            self.rows[0]["started"] = moment(float(int(self.t)))

    world = Whole(answers=[turned_away()], call_seconds=0.01)
    assert ended(world.carry_out(planned(ONE)), "a") == ("passed", True)


def test_where_the_site_gives_no_time_nothing_verifies_a_call_that_is_made_again() -> None:
    world = World(answers=[turned_away()], tells_time=False).carry_out(planned(ONE))
    assert ended(world, "a") == ("passed", None)
    assert f"sent again, and the first may have started {row_id(1)}" in said(world.finished("a"))


@pytest.mark.parametrize(
    ("step", "log"), [(ONE, refused(403)), (ONE, unanswered()), (ONE + "    verify: none\n", None)]
)
def test_a_fault_is_a_refusal_where_the_log_is_not_read(step: str, log: CallFailed | None) -> None:
    world = World(answers=[refused(500, unproved=True)], log=log).carry_out(planned(step))
    assert (world.end.exit_code, world.sent.count("execute UsrA")) == (1, 1)

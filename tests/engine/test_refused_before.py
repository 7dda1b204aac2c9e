"""A run that is carried out once more: what was refused in it may have happened all the same, and is looked for."""

import pytest
from msgspec.structs import replace
from stories import World, moment, planned, refused

from runner.foundation.values import JsonObject
from runner.planning import plan_file
from runner.planning.plan import stored
from runner.runs.events import AttemptFailed, CallSent, Line, StepFinished, Trouble
from runner.runs.refused_starts import RefusedStart, refused_starts
from runner.runs.status import Status
from runner.service.calls import Answered, CallFailed, ReadRows

ONE = "  - id: a\n    execute: {process: UsrA}\n"
BEFORE = RefusedStart(key="a", process="UsrA", run="r1", status=403, seconds=2.0, at=1769850000.0)
"""Refused when the story begins, at 09:00:00 of the server's time."""


def row(began: float, **known: str) -> JsonObject:
    found: JsonObject = {"id": "p-1", "name": "A", "completed": moment(began), "status": "done", "owner": "us"}
    return found | {"schema": "schema of UsrA", "started": moment(began), "parent": None, "error": None, **known}


def again(world: World, before: RefusedStart = BEFORE, *, step: str = ONE) -> World:
    return world.carry_out(replace(planned(step), refused=(before,)))


@pytest.mark.parametrize("mark", [None, moment(-100.0)])
def test_a_start_that_the_log_shows_by_now_is_not_made_again(mark: str | None) -> None:
    before = replace(BEFORE, marked=True, mark=mark)
    world = again(World(rows=[row(-0.5)]), before)
    assert world.sent.count("execute UsrA") == 0
    trouble = world.finished("a").error
    assert trouble is not None
    assert (world.finished("a").status, trouble.code) == (Status.UNKNOWN, "E401")
    assert "run r1 made the call, which was refused with 403" in trouble.message
    assert f"a start that may be it: p-1 (done, {moment(-0.5)}); so it was not made again" in trouble.message


@pytest.mark.parametrize("step", [ONE, ONE.replace("execute", "run")])
@pytest.mark.parametrize("tells_time", [True, False])
def test_it_is_found_also_where_an_earlier_step_has_started_the_process(step: str, *, tells_time: bool) -> None:
    before = replace(BEFORE, key="b", marked=True, mark=moment(-100.0), at=BEFORE.at if tells_time else None)
    world = again(World(rows=[row(-0.5)], tells_time=tells_time), before, step=step + step.replace("id: a", "id: b"))
    assert [world.finished(key).status for key in "ab"] == [Status.PASSED, Status.UNKNOWN]
    trouble = world.finished("b").error
    assert trouble is not None
    assert "a start that may be it: p-1 (" in trouble.message


@pytest.mark.parametrize(
    ("rows", "before"),
    [
        ([], BEFORE),
        ([row(-60.0)], BEFORE),
        ([row(60.0)], BEFORE),
        ([row(-0.5, owner="them")], replace(BEFORE, marked=True)),
        ([row(-0.5)], replace(BEFORE, process="UsrB")),
        ([row(-0.5)], replace(BEFORE, key="b")),
    ],
)
def test_what_can_be_no_start_of_the_refused_call_is_in_nobodys_way(
    rows: list[JsonObject], before: RefusedStart
) -> None:
    world = again(World(rows=rows), before)
    assert (world.sent.count("execute UsrA"), world.finished("a").status) == (1, Status.PASSED)


def test_soon_after_it_was_refused_a_row_is_waited_for_that_comes_when_its_process_ends() -> None:
    class Ending(World):
        def _rows(self, call: ReadRows) -> Answered | CallFailed:
            self.rows = [row(-0.5)] if self.t > 10.0 else []
            return super()._rows(call)

    world = again(Ending())
    assert (world.sent.count("execute UsrA"), world.finished("a").status) == (0, Status.UNKNOWN)
    assert again(Ending(), replace(BEFORE, status=500)).sent.count("execute UsrA") == 1, "a fault ends the call"
    assert max(again(Ending(), replace(BEFORE, at=1769850000.0 - 20)).pauses) < 1.0, "it would have come"


def test_a_row_that_belongs_to_another_call_is_in_nobodys_way() -> None:
    world = again(World(rows=[row(-0.5)], others={"taken": ["p-1"], "rival": False}))
    assert world.sent.count("execute UsrA") == 1


def test_where_the_log_cannot_be_read_a_warning_says_what_is_not_known() -> None:
    world = again(World(log=refused(403)))
    assert world.sent.count("execute UsrA") == 1
    assert "whether it started the process is not known" in world.finished("a").warnings[0]


@pytest.mark.parametrize(("verdict", "sent"), [("passed", 0), ("failed", 0), ("retry", 0)])
def test_a_person_says_how_it_ended_and_it_is_sent_only_against_the_log(verdict: str, sent: int) -> None:
    world = again(World(rows=[row(-0.5)], verdicts=[{"as": verdict, "key": "a"}]))
    assert world.sent.count("execute UsrA") == sent
    world = again(World(rows=[row(-0.5)], verdicts=[{"as": "retry", "key": "a", "even_though": True}]))
    assert world.sent.count("execute UsrA") == 1


SENT = CallSent(
    key="a", effect="once", call={"kind": "execute", "process": "UsrA"}, watermark={"started": "2026"}, t=1.0
)
NO = Trouble(code="E205", message="blocked")
DATE = "Sat, 31 Jan 2026 09:00:00 GMT"
UNPROVED = AttemptFailed(key="a", t=3.0, kind="refused", error=NO, status=403, date=DATE, unproved=True)
ENDED = StepFinished(key="a", t=5.0, status=Status.FAILED, seconds=4.0, attempts=1, error=NO)
FOUND = replace(BEFORE, marked=True, mark="2026")


def found_in(*events: CallSent | AttemptFailed | StepFinished, before: RefusedStart = BEFORE) -> list[RefusedStart]:
    lines = [Line(seq=0, at="", prev="", sha256="", event=event) for event in events]
    return list(refused_starts("r1", lines, before=[before]))


def test_the_events_of_a_run_say_what_was_refused_and_may_have_happened() -> None:
    assert found_in(SENT, UNPROVED, ENDED) == [FOUND]
    assert found_in(SENT, replace(UNPROVED, date=None), ENDED) == [replace(FOUND, at=None)]
    assert found_in(SENT, UNPROVED, replace(ENDED, status=Status.PASSED, error=None)) == []
    assert found_in(SENT, replace(UNPROVED, unproved=False), ENDED) == []


def test_a_start_stays_refused_until_its_call_is_made_or_somebody_has_checked_the_site() -> None:
    assert found_in() == [BEFORE]
    assert found_in(SENT) == []
    assert found_in(replace(ENDED, error=Trouble(code="E213", message="somebody checked"))) == []
    assert found_in(replace(ENDED, status=Status.PASSED, error=None)) == [BEFORE]


def test_a_stored_plan_holds_them_as_that_of_a_fleet_which_another_machine_carries_out() -> None:
    made = replace(planned(ONE), refused=(BEFORE,))
    read = plan_file.from_record(stored(made))
    assert read is not None
    assert read.refused == (BEFORE,)

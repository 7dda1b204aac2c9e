"""Stories of `failures`: what counts, since when, for how long, and that nothing uncounted is ever green."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace
from stories import World, including, planned, refused, unanswered

from runner.foundation.values import Json, JsonObject
from runner.runs.events import StepFinished
from runner.service.calls import Answered, CallFailed, Ending, QueryCall

ERROR = "f942c08d-b6e2-df11-971b-001d60e938c6"
LIBRARY: list[Json] = [
    {"Id": "a0", "UId": "ua", "Name": "UsrA", "SysSchemaId": "sa", "VersionParentUId": None},
    {"Id": "a1", "UId": "ub", "Name": "UsrA_v1", "SysSchemaId": "sb", "VersionParentUId": "UA"},
    {"Id": "c0", "UId": "uc", "Name": "OtherC", "SysSchemaId": "sc", "VersionParentUId": None},
]
WATCH = '  - id: a\n    failures: {processes: ["Usr*"], for: 1m}\n'


@dataclass
class Log:
    """The log of a site whose clock goes with the run's. A failure shows from its second on."""

    failed: list[tuple[float, str]] = field(default_factory=list)
    newest: str | None = "2026-01-31T09:00:00Z"
    library: list[Json] = field(default_factory=lambda: [*LIBRARY])
    started: str = "2026-01-31T09:00:30Z"
    broken: Callable[[float, QueryCall], CallFailed | None] = lambda _t, _call: None
    world: World = field(default_factory=World)
    asked: list[QueryCall] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    pages: int = 0
    circle: bool = False

    def carry_out(self, steps: str, *, rest: str = "") -> World:
        self.world.tables = self.answer
        return self.world.carry_out(planned(steps, rest=rest))

    def answer(self, call: QueryCall) -> Ending:
        self.asked.append(call)
        if (failure := self.broken(self.world.t, call)) is not None:
            return failure
        page = int(call.next or 0)
        if self.circle or page < self.pages:  # a server that filters page by page
            return Answered(value={"records": [], "next": "1" if self.circle else str(page + 1)})
        if call.entity == "VwProcessLib":
            return Answered(value={"records": self.library, "next": None})
        if call.filter is None:
            rows: list[Json] = [{"Id": "n", "StartDate": self.newest}] if self.newest else []
            return Answered(value={"records": rows, "next": None})
        self.looks.append(self.world.t)
        since = call.filter.partition("StartDate ge ")[2].partition(" ")[0]
        shown = [(number, schema) for number, (t, schema) in self._failed() if t <= self.world.t]
        found: list[Json] = [_row(number, schema, self.started) for number, schema in shown if self.started >= since]
        return Answered(value={"records": found, "next": None})

    def _failed(self) -> list[tuple[int, tuple[float, str]]]:
        return [*enumerate(self.failed, 1)]


def test_pages_without_records_may_lead_to_the_failed_rows() -> None:
    log = Log(failed=[(40.0, "sa")], pages=2)
    world = log.carry_out(WATCH)
    assert world.end.exit_code == 1
    assert max(int(call.next or 0) for call in log.asked) == 2


def test_a_row_that_an_answer_shows_twice_is_a_single_failure() -> None:
    class Shifted(Log):
        def _failed(self) -> list[tuple[int, tuple[float, str]]]:
            return super()._failed() * 2

    world = Shifted(failed=[(40.0, "sa")]).carry_out(WATCH.replace("for: 1m", "for: 1m, at_most: 1"))
    assert world.end.exit_code == 0


def test_pages_in_a_circle_are_no_log_without_failures() -> None:
    assert Log(circle=True).carry_out(WATCH).end.exit_code == 3


def _row(number: int, schema: str, started: str) -> JsonObject:
    return {
        "Id": f"F{number}",
        "Name": "Bill an order",
        "StartDate": started,
        "SysSchemaId": schema,
        "ErrorDescription": f"Reason {number}\n   at X()",
    }


def end(world: World, key: str = "a") -> StepFinished:
    return world.finished(key)


def test_a_time_without_failures_is_watched_to_its_end_and_passes() -> None:
    world = Log().carry_out(WATCH + "    expect: [result.count == 0]\n")
    assert (end(world).status, end(world).result) == ("passed", {"count": 0, "failed": []})
    assert 60 <= world.t <= 75


def test_it_fails_as_soon_as_one_failure_too_many_shows_and_names_it() -> None:
    world = Log(failed=[(20.0, "sa")]).carry_out(WATCH)
    error = end(world).error
    assert error
    assert (end(world).status, error.code, world.end.exit_code) == ("failed", "E218", 1)
    assert error.message == "1 failed since the run began; `at_most` is 0: `UsrA` (Bill an order, f1): Reason 1…"
    assert end(world).result["failed"][0]["error"] == "Reason 1\n   at X()"
    assert world.t <= 35


def test_as_many_as_may_fail_pass() -> None:
    two = WATCH.replace("for: 1m", "for: 1m, at_most: 2")
    assert end(Log(failed=[(20.0, "sa"), (30.0, "sb")]).carry_out(two)).status == "passed"
    assert end(Log(failed=[(20.0, "sa"), (30.0, "sb"), (31.0, "sa")]).carry_out(two)).status == "failed"


def test_versions_count_by_their_root_and_other_processes_do_not_count() -> None:
    of_family = WATCH.replace("Usr*", "UsrA")
    world = Log(failed=[(20.0, "sb")]).carry_out(of_family)
    assert end(world).result["failed"][0]["process"] == "UsrA"
    assert end(Log(failed=[(20.0, "sc")]).carry_out(of_family)).status == "passed"


def test_an_instance_that_had_failed_and_is_continued_counts_when_it_fails_again() -> None:
    class Continued(Log):
        def answer(self, call: QueryCall) -> Ending:
            if "CompleteDate" not in call.select:
                return super().answer(call)
            self.looks.append(self.world.t)
            ended = "2026-01-31T09:00:40Z" if self.world.t > 40 else "2026-01-31T08:59:00Z"
            return Answered(value={"records": [{**_row(1, "sa", self.started), "CompleteDate": ended}], "next": None})

    log = Continued()
    world = log.carry_out("  - id: b\n    pause: 1s\n" + WATCH)
    assert end(world).status == "failed"
    assert log.looks[-1] > 40


def test_what_had_failed_before_the_run_began_does_not_count() -> None:
    log = Log(failed=[(0.0, "sa")])
    assert end(log.carry_out("  - id: b\n    pause: 1s\n" + WATCH)).status == "passed"
    began = next(call for call in log.asked if call.filter)
    assert began.filter == (
        f"Status/Id eq {ERROR} and (StartDate ge 2026-01-31T08:00:00Z or CompleteDate ge 2026-01-31T08:00:00Z)"
    )


@pytest.mark.parametrize("started", ["2026-01-31T08:59:55Z", "2026-01-31T08:01:00Z"])
def test_what_fails_meanwhile_counts_though_its_row_says_that_it_began_before_the_newest(started: str) -> None:
    assert end(Log(failed=[(0.0, "sa"), (20.0, "sa")], started=started).carry_out(WATCH)).status == "failed"
    assert end(Log(failed=[(0.0, "sa")], started=started).carry_out(WATCH)).status == "passed"


@pytest.mark.parametrize(("watched", "code", "warned"), [("", "UsrA", 1), (", for: 1m", "UsrA", 0), ("", "OtherC", 0)])
def test_where_the_log_lacks_a_row_of_what_the_run_started_nobody_knows_whether_it_failed(
    watched: str, code: str, warned: int
) -> None:
    steps = f"  - id: x\n    execute: {{process: {code}, result: R}}\n" + WATCH.replace(", for: 1m", watched)
    log = Log(world=World(lags=[30.0]))
    found = end(log.carry_out(steps))
    assert (found.status, len(found.warnings)) == ("passed", warned)
    assert all("of what this run started: UsrA; a longer `for` gives it time" in warning for warning in found.warnings)


@pytest.mark.parametrize(("since", "status"), [("run", "failed"), ("y", "passed")])
def test_a_process_that_has_failed_by_its_answer_counts_though_its_row_does_not_show(since: str, status: str) -> None:
    class Hidden(World):
        def _row(self, process_id: str) -> Ending:
            del process_id
            return Answered(value=None)

    steps = "  - id: x\n    run: {process: UsrA}\n    on_failure: continue\n  - id: y\n    pause: 1s\n"
    watch = WATCH.replace("for: 1m", f"since: {since}") + "    if: always()\n"
    found = end(Log(world=Hidden(statuses=["error"])).carry_out(steps + watch))
    assert found.status == status
    if found.error is not None:
        assert "`UsrA` (UsrA, 00000000-0000-0000-0000-000000000001): the answer" in found.error.message


def test_a_row_that_comes_late_is_looked_at_once_more() -> None:
    steps = "  - id: x\n    execute: {process: UsrA, result: R}\n" + WATCH.replace("for: 1m", "for: 40s")
    quiet = Log(world=World(lags=[30.0]))
    assert end(quiet.carry_out(steps)).status == "passed"
    assert quiet.looks[-1] - quiet.looks[-2] <= 2.0  # seconds of the calls between them, and no pause
    late = Log(world=World(lags=[30.0]), failed=[(quiet.looks[-2] + 0.5, "sa")])
    assert end(late.carry_out(steps)).status == "failed"


def test_a_row_of_the_future_hides_no_failure() -> None:
    log = Log(failed=[(20.0, "sa")], newest="2026-02-10T09:00:00Z")
    assert end(log.carry_out(WATCH)).status == "failed"


def test_times_that_no_filter_can_hold_hide_no_failure() -> None:
    log = Log(failed=[(40.0, "sa")], newest="/Date(1769850000000)/", started="/Date(1769846400000)/")
    assert log.carry_out(WATCH).end.exit_code == 1
    assert log.asked[1].filter == f"Status/Id eq {ERROR}"
    without_zone = Log(newest="2026-01-31T09:00:00")
    without_zone.carry_out(WATCH)
    assert "StartDate ge 2026-01-31T09:00:00 " in str(without_zone.asked[1].filter)


def test_in_an_empty_log_every_failure_counts() -> None:
    world = Log(failed=[(20.0, "sa")], newest=None).carry_out(WATCH)
    assert end(world).status == "failed"


def test_the_moment_of_the_run_is_read_before_its_first_step_does_anything() -> None:
    world = Log(failed=[(2.5, "sa")]).carry_out("  - id: b\n    pause: 30s\n" + WATCH)
    assert world.story[:4] == ["begin b", "send query", "send query", "pause 30"]
    assert end(world).status == "failed"


@pytest.mark.parametrize(("since", "status"), [("b", "failed"), ("c", "passed")])
def test_failures_since_a_step_are_those_since_it_began(since: str, status: str) -> None:
    steps = "  - id: b\n    pause: 30s\n  - id: c\n    pause: 30s\n"
    watch = WATCH.replace("for: 1m", f"for: 1m, since: {since}")
    assert end(Log(failed=[(20.0, "sa")]).carry_out(steps + watch)).status == status


def test_a_moment_is_asked_for_as_it_is() -> None:
    log = Log()
    steps = WATCH.replace("for: 1m", "since: '{{ inputs.at }}'")
    assert end(log.carry_out(steps, rest="inputs: {at: {default: '2026-01-31T10:00:00+02:00'}}")).status == "passed"
    assert [call.filter for call in log.asked if call.filter] == [
        f"Status/Id eq {ERROR} and (StartDate ge 2026-01-31T08:00:00Z or CompleteDate ge 2026-01-31T08:00:00Z)"
    ]


def test_what_failed_since_a_moment_is_reported_with_that_moment() -> None:
    steps = WATCH.replace("for: 1m", "for: 1m, since: '{{ inputs.at }}'")
    world = Log(failed=[(20.0, "sa")]).carry_out(steps, rest="inputs: {at: {default: '2026-01-31T08:00:00Z'}}")
    error = end(world).error
    assert error is not None
    assert error.message.startswith("1 failed since 2026-01-31T08:00:00Z; ")


def test_a_template_that_gives_no_moment_fails() -> None:
    steps = WATCH.replace("for: 1m", "since: '{{ target.name }}'")
    assert end(Log().carry_out(steps)).status == "failed"


def test_since_a_moment_after_the_watch_nothing_is_counted() -> None:
    steps = WATCH.replace("for: 1m", "for: 1m, since: '{{ inputs.at }}'")
    log = Log(world=World(tells_time=True))
    error = end(log.carry_out(steps, rest="inputs: {at: {default: '2030-01-31T10:00:00Z'}}")).error
    assert error
    assert (error.code, error.hint) == ("E219", "write a moment that is over, or `since: run`")
    assert "`since` is 2030-01-31T10:00:00Z, and the clock of the site shows 20" in error.message


def test_a_step_that_was_not_carried_out_is_no_moment() -> None:
    steps = "  - id: b\n    if: false\n    pause: 1s\n" + WATCH.replace("for: 1m", "since: b")
    world = Log().carry_out(steps)
    error = end(world).error
    assert error
    assert (end(world).status, error.code) == ("error", "E219")


@pytest.mark.parametrize("entity", ["SysProcessLog", "VwProcessLib"])
def test_what_cannot_be_read_is_an_error_and_never_green(entity: str) -> None:
    log = Log(broken=lambda _t, call: refused() if call.entity == entity else None)
    world = log.carry_out(WATCH)
    error = end(world).error
    assert error
    assert (end(world).status, error.code, world.end.exit_code) == ("error", "E219", 3)


def test_a_log_that_is_lost_while_it_is_watched_is_an_error_at_once() -> None:
    world = Log(broken=lambda t, call: refused() if t > 20 and call.filter else None).carry_out(WATCH)
    assert (end(world).status, world.t < 40) == ("error", True)


def test_a_site_that_restarts_meanwhile_is_watched_on() -> None:
    log = Log(broken=lambda t, _call: unanswered() if 20 < t < 40 else None, failed=[(30.0, "sa")])
    assert end(log.carry_out(WATCH)).status == "failed"
    quiet = Log(broken=lambda t, _call: unanswered() if 20 < t < 40 else None)
    assert end(quiet.carry_out(WATCH)).status == "passed"


def test_a_site_that_does_not_come_back_is_an_error() -> None:
    world = Log(broken=lambda t, _call: unanswered() if t > 20 else None).carry_out(WATCH)
    assert (end(world).status, world.end.exit_code) == ("error", 3)


def test_a_pattern_that_no_process_matches_is_an_error() -> None:
    world = Log().carry_out(WATCH.replace('"Usr*"', '"Usr*", "UsrBil*"'))
    error = end(world).error
    assert error
    assert (end(world).status, "`UsrBil*`" in error.message) == ("error", True)


def test_a_process_that_came_after_the_library_was_read_counts() -> None:
    log = Log(failed=[(20.0, "sn")])
    later: JsonObject = {"Id": "n", "UId": "un", "Name": "UsrNew", "SysSchemaId": "sn", "VersionParentUId": None}
    known = log.broken

    def grows(t: float, call: QueryCall) -> CallFailed | None:
        if t > 15 and later not in log.library:
            log.library.append(later)
        return known(t, call)

    log.broken = grows
    assert end(log.carry_out(WATCH)).result["failed"][0]["process"] == "UsrNew"


def test_a_failed_instance_of_a_process_that_is_not_shown_cannot_be_counted_unless_all_are() -> None:
    hidden = (20.0, "hidden")
    world = Log(failed=[hidden]).carry_out(WATCH)
    error = end(world).error
    assert error is not None
    assert (end(world).status, error.code) == ("error", "E219")
    assert "a failed instance, f1, of a process that the library of processes does not show" in error.message
    assert end(Log(failed=[hidden, (20.0, "sa")]).carry_out(WATCH)).status == "failed"
    of_all = end(Log(failed=[hidden]).carry_out(WATCH.replace("Usr*", "*")))
    assert of_all.status == "failed"
    assert of_all.error is not None
    assert "a process that the library of processes does not show (Bill an order, f1)" in of_all.error.message


def test_a_library_that_is_too_long_to_be_read_is_an_error() -> None:
    others: list[Json] = [{"Id": f"x{number}", "Name": "Other"} for number in range(10_000)]
    library = [*LIBRARY, *others]
    world = Log(library=library).carry_out(WATCH)
    error = end(world).error
    assert error is not None
    assert (end(world).status, error.code) == ("error", "E219")
    assert "it lists 10,000 processes or more" in error.message


def test_a_library_without_a_column_is_read_whole() -> None:
    log = Log(broken=lambda _t, call: refused(400) if call.entity == "VwProcessLib" and call.select else None)
    assert end(log.carry_out(WATCH)).status == "passed"


def test_an_included_job_counts_since_the_whole_run_began() -> None:
    inner = "runner: 1\nname: inner\nsteps:\n  - id: a\n    failures: {processes: [UsrA]}\n"
    made = including(planned("  - id: o\n    pause: 1s\n  - id: b\n    pause: 1s\n"), inner, inputs={})
    first, second = made.steps
    made = replace(made, steps=(second, first), job=replace(made.job, moments=frozenset({"run"})))
    log = Log(failed=[(2.5, "sa")])
    log.world.tables = log.answer
    log.world.carry_out(made)
    assert log.world.finished("o/a").status == "failed"


def test_a_secret_step_shows_no_reasons() -> None:
    world = Log(failed=[(20.0, "sa")]).carry_out(WATCH + "    secret: true\n")
    assert end(world).result == "***"
    assert "Reason" not in str(end(world).error)

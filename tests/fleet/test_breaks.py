"""Workers that break off at any commit, connections that break at any statement, and who takes their runs over."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from fleets import Fleet, charges

from runner.execution.fleet_run import FleetRuns
from runner.fleet import log as fleet_log
from runner.fleet.database import Cursor, FleetConnection, Link, NoDatabaseError
from runner.fleet.log import FencedLog
from runner.fleet.store import FleetStore
from runner.runs.history import past_runs
from runner.runs.store import FencedError

pytestmark = pytest.mark.slow

FINALLY = "finally:\n  - id: {mark}\n    execute: {{process: UsrRefund, parameters: {{Mark: {mark}}}}}\n"


class CrashError(BaseException):
    """The process ends here."""


def crash_at(number: int, *, after: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, left = FencedLog.commit, [number]

    def broken(log: FencedLog) -> None:
        if not log.waits:
            return
        left[0] -= 1
        if left[0] == 0 and not after:
            raise CrashError
        commit(log)
        if left[0] == 0:
            raise CrashError

    monkeypatch.setattr(FencedLog, "commit", broken)


def test_a_crash_at_any_commit_starts_nothing_twice_and_makes_nothing_green_that_did_not_happen(
    here: Fleet, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The long form crashes at each commit; the short one at every third, so that over before and after all differ."""
    step = 1 if request.config.getoption("--long") else 3
    crashed, number, statuses = True, 0, Counter[str]()
    while crashed:
        number, crashed = number + step, False
        for after in (False, True):
            marks = [f"m{number}_{int(after)}{one}" for one in "abz"]
            run = here.put(f"j{number}-{int(after)}", charges(*marks[:2]) + FINALLY.format(mark=marks[2]))
            with here.runs("first") as runs:
                crash_at(number, after=after, monkeypatch=monkeypatch)
                try:
                    runs.carry(run)
                except CrashError:
                    crashed = True
                monkeypatch.undo()
                monkeypatch.chdir(here.folder)
                runs.carry(run)
            starts, result = here.starts(), here.result(run)
            assert result.finished
            statuses[str(result.status)] += 1
            for row in result.steps:
                assert starts[row.key] <= 1
                assert str(row.status) != "passed" or starts[row.key] == 1
    assert set(statuses) <= {"passed", "unknown"}
    assert statuses["passed"] >= 2
    assert number > 8


def break_at(number: int, *, when: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the connection break at a statement of this number, before it is carried out or before its answer comes."""
    attempt, left = Link.attempt, [number]

    def broken(link: Link, do: Callable[[FleetConnection], Cursor]) -> Cursor:
        def once(connection: FleetConnection) -> Cursor:
            left[0] -= 1
            is_now = left[0] == 0
            if is_now and when == "before":
                connection.execute("select pg_terminate_backend(pg_backend_pid())")
            cursor = do(connection)
            if is_now:
                connection.execute("select pg_terminate_backend(pg_backend_pid())")
            return cursor

        return attempt(link, once)

    monkeypatch.setattr(Link, "attempt", broken)
    return left


def test_a_connection_that_breaks_at_any_statement_changes_nothing_of_a_run(
    here: Fleet, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The long form breaks it at each statement; the short one at every ninth."""
    step = 1 if request.config.getoption("--long") else 9
    number, left = 0, [0]
    while left[0] <= 0:
        number += step
        for when in ("before", "after"):
            name = f"j{number}-{when}"
            run = here.put(name, charges(f"m{number}{when}a", f"m{number}{when}b"))
            with here.runs() as runs, monkeypatch.context() as patched:
                left = break_at(number, when=when, monkeypatch=patched)
                assert runs.carry(run).state == "ended"
            assert here.states()[name] == "passed"
    assert {*here.starts().values()} == {1}
    assert here.sql("select count(*) from turns") == [(0,)]
    assert number > 20
    store = FleetStore(here.dsn)
    assert len(past_runs(store.history())) == len(here.states()), "each run is in the history"
    store.close()


def test_a_run_whose_last_worker_wrote_a_line_while_it_was_taken_over_goes_on(
    here: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.put("a", charges("a1", "a2"))
    commit, reopen, late = FencedLog.commit, FleetStore.reopen, list[FencedLog]()

    def slow(log: FencedLog) -> None:
        if log.commits == 4 and log.waits:
            late.append(log)
            raise CrashError
        commit(log)

    def too_late(store: FleetStore, run: str) -> FencedLog:
        while late:
            log = late.pop()
            commit(log)
            log.link.close()
        return reopen(store, run)

    with here.runs() as runs, monkeypatch.context() as patched:
        patched.setattr(FencedLog, "commit", slow)
        with pytest.raises(CrashError):
            runs.carry(run)
        patched.setattr(FencedLog, "commit", commit)
        patched.setattr(FleetStore, "reopen", too_late)
        assert late
        assert runs.carry(run).state == "parked"
        assert not late
        assert runs.carry(run).state == "ended"
    assert here.states()["a"] in ("passed", "unknown")
    assert here.starts()["a1"] <= 1
    assert here.starts()["a2"] <= 1


def test_a_run_whose_events_cannot_be_read_in_an_outage_waits_for_no_person(
    here: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.put("a", charges("a1", "a2"))
    with here.runs() as runs:
        crash_at(4, after=True, monkeypatch=monkeypatch)
        with pytest.raises(CrashError):
            runs.carry(run)
        monkeypatch.undo()
        monkeypatch.chdir(here.folder)

        events, left = FleetStore.events, [1]

        def cut_off(store: FleetStore, run: str) -> Iterator[bytes]:
            if left:
                left.pop()
                raise NoDatabaseError("the database: gone for longer than anybody waits")
            return events(store, run)

        with monkeypatch.context() as patched:
            patched.setattr(FleetStore, "events", cut_off)
            with pytest.raises(NoDatabaseError):
                runs.carry(run)
        assert here.states() == {"a": "running"}
        assert runs.carry(run).state == "ended"


def test_what_a_worker_was_killed_before_it_said_of_an_ended_run_the_next_says(
    here: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.sandbox.set_fault("drop_after", "UsrCharge")
    run = here.put("a", charges("a1", more=", result: Receipt") + "    expect: [result is defined]\n")

    def killed(*_: object) -> None:
        raise CrashError

    with here.runs() as runs:
        with monkeypatch.context() as patched:
            patched.setattr("runner.execution.fleet_run.history.remember", killed)
            with pytest.raises(CrashError):
                runs.carry(run)
        assert here.sql("select state, status, in_doubt from runs") == [("ended", "unknown", 0)]
        for _ in range(2):
            assert runs.carry(run).state == "over"
    assert here.sql("select state, status, in_doubt from runs") == [("ended", "unknown", 1)]
    assert here.sql("select count(*) from history") == [(1,)]


def test_a_worker_that_slept_before_it_sends_sends_nothing_of_a_run_that_was_taken_over(
    here: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.put("a", charges("a1", "a2"))
    check, asleep, awake, found = FencedLog.check_fence, threading.Event(), threading.Event(), []
    monkeypatch.setattr(fleet_log, "_FRESH", 0.0)

    def sleepy(log: FencedLog) -> None:
        sent = here.sql("select count(*) from events where kind = 'call.sent' and line like '%%\"once\"%%'")
        if threading.current_thread().name == "sleeper" and sent == [(1,)]:
            asleep.set()
            awake.wait(300)
        check(log)

    monkeypatch.setattr(FencedLog, "check_fence", sleepy)
    with here.runs("sleeper") as sleeper, here.runs("other") as other:
        thread = threading.Thread(target=lambda: found.append(_fenced(sleeper, run)), name="sleeper")
        thread.start()
        assert asleep.wait(300)
        assert other.carry(run).state == "ended"
        awake.set()
        thread.join()
    assert found == [True]
    assert here.starts()["a1"] == 0
    assert str(here.result(run).status) == "unknown", "it was noted as sent, and the log shows no start"


def _fenced(runs: FleetRuns, run: str) -> bool:
    try:
        runs.carry(run)
    except FencedError:
        return True
    return False


def test_a_turn_of_a_run_whose_worker_died_is_waited_for_and_then_the_run_is_parked(
    here: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = here.put("a", charges("a1")), here.put("b", charges("b1"))
    monkeypatch.setattr("runner.fleet.turns.PATIENCE", 0.2)
    with here.runs() as runs:
        crash_at(3, after=True, monkeypatch=monkeypatch)
        with pytest.raises(CrashError):
            runs.carry(first)
        monkeypatch.undo()
        monkeypatch.chdir(here.folder)
        monkeypatch.setattr("runner.fleet.turns.PATIENCE", 0.2)
        if here.sql("select count(*) from turns") == [(1,)]:
            assert runs.carry(second).state == "parked"
            assert here.starts()["b1"] == 0
        runs.carry(first)
        assert runs.carry(second).state == "ended"
    assert here.starts()["b1"] == 1

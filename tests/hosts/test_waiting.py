"""What a run waits for that is nobody's work: it takes none of its time, can be seen, and ends with a stop."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from journals import EVENTS, new_journal, read, reopened
from no_other_runs import NoOtherRuns
from stories import RUN, planned, unanswered

from runner.foundation.values import Json, record
from runner.hosts.local import LocalHost
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.runs.events import CallSent, Waited, WaitsFor
from runner.runs.evidence import LockHolder
from runner.runs.result import RunResult, fold
from runner.service.calls import Answered, Call, CallFailed, Ending, ExecuteCall, FailureKind, ReadRow, ReadRows
from runner.service.gate import Gate, Pace
from runner.service.outages import not_wanted

START = "  - id: a\n    execute: {process: UsrA}\n"
PLAIN = START + "    verify: none\n"
NEXT = PLAIN.replace("id: a", "id: b").replace("UsrA", "UsrB")
READS = (PLAIN + NEXT).replace("verify: none", "verify: none\n    effect: read")


@dataclass
class Site:
    """A process takes three seconds of a clock that nothing else moves, but what is waited for."""

    now: float = 0.0
    pace: Pace | None = None
    rows: list[Json] = field(default_factory=list)
    sent: list[Call] = field(default_factory=list)

    @property
    def has_read_log(self) -> bool:
        return any(isinstance(call, ReadRows | ExecuteCall) for call in self.sent)

    def clock(self) -> float:
        return self.now

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        if self.pace is not None:
            self.pace.wait_for_turn(gate)
        if not gate.may_leave():
            return not_wanted("here")
        self.sent.append(call)
        match call:
            case ReadRows():
                return Answered(value=[*self.rows])
            case ExecuteCall():
                self.now += 3
                row = {"started": "2026", "status": "done", "owner": None, "error": None}
                self.rows.insert(0, {"id": f"r{len(self.rows)}", **row})
                return Answered(value=None) if seconds >= 3 else unanswered()
            case _:
                return CallFailed(kind=FailureKind.REFUSED, trouble=unanswered().trouble)


class Waits(Stop):
    """Waiting moves the clock; `tells` is what happens meanwhile."""

    def __init__(self, site: Site, *, tells: str = "") -> None:
        super().__init__(grace=1000.0, clock=site.clock)
        self.site = site
        self.tells = tells

    def wait(self, seconds: float) -> None:
        self.site.now += 1 if self.tells else seconds
        if self.tells:
            self.request(self.tells)


class BackgroundSite(Site):
    """Each process still runs when its call is answered, and all end once `count` of them have been started."""

    def __init__(self, *, count: int) -> None:
        super().__init__()
        self.count = count
        self.all_started = threading.Event()

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        if isinstance(call, ReadRow):
            assert gate.may_leave()
            return Answered(value=next(row for row in map(record, self.rows) if row["id"] == call.process_id))
        answer = super().perform(call, seconds, gate=gate)
        is_over = len(self.rows) == self.count
        self.rows = [{**record(row), "status": "done" if is_over else "running"} for row in self.rows]
        if is_over:
            self.all_started.set()
        return answer


class FollowsTogether(Waits):
    """A pause lasts until all processes of the site have been started."""

    site: BackgroundSite

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        assert self.site.all_started.wait(300)


def host(folder: Path, site: Site, *, turn: Turn | None = None, stop: Stop | None = None) -> LocalHost:
    opened = reopened if folder.exists() else new_journal
    return LocalHost(
        caller=site,
        journal=opened(folder),
        stop=stop or Waits(site),
        turn=turn or Turn(Turns()),
        ask=lambda _text, _stop, _seconds: True,
        owned=NoOtherRuns(),
        clock=site.clock,
        draw=lambda: 0.0,
    )


def paced(rate: float) -> Site:
    site = Site()
    site.pace = Pace(rate, clock=site.clock)
    return site


def result(folder: Path) -> RunResult:
    return fold(read(folder).lines)


def waits(folder: Path) -> list[tuple[WaitsFor, float, float | None]]:
    found = [line.event for line in read(folder).lines]
    return [(event.what, event.t, event.seconds) for event in found if isinstance(event, Waited)]


def until_it_waits(carrying: LocalHost) -> None:
    while not any(isinstance(line.event, Waited) for line in carrying.journal.lines):
        time.sleep(0.001)


def test_waiting_for_a_turn_takes_no_time_of_the_job(tmp_path: Path) -> None:
    site, turns = Site(), Turns()
    another = Turn(turns)
    another.take("UsrA", Stop(grace=1.0))
    carrying = host(tmp_path / "run", site, turn=Turn(turns))
    thread = threading.Thread(target=carrying.carry, args=(planned(START, rest="timeout: 8s"), RUN))
    thread.start()
    until_it_waits(carrying)
    assert not site.has_read_log
    site.now += 100
    another.give_back()
    thread.join(300)

    ended = result(tmp_path / "run")
    assert (ended.status, ended.exit_code, ended.seconds) == ("passed", 0, 3.0)
    assert waits(tmp_path / "run") == [(WaitsFor.TURN, 0.0, None), (WaitsFor.TURN, 0.0, 100.0)]


def test_a_start_that_a_stop_meets_while_it_waits_for_its_turn_does_not_leave(tmp_path: Path) -> None:
    site, turns, stop = Site(), Turns(), Stop(grace=30.0)
    Turn(turns).take("UsrA", stop)
    carrying = host(tmp_path / "run", site, turn=Turn(turns), stop=stop)
    thread = threading.Thread(target=carrying.carry, args=(planned(START), RUN))
    thread.start()
    until_it_waits(carrying)
    stop.request("SIGTERM")
    thread.join(300)
    assert (site.has_read_log, result(tmp_path / "run").exit_code) == (False, 143)


def test_a_process_that_is_under_way_in_the_background_holds_no_turn_once_its_row_is_known(tmp_path: Path) -> None:
    site, turns = BackgroundSite(count=2), Turns()
    folders = [tmp_path / "first", tmp_path / "second"]
    hosts = [host(folder, site, turn=Turn(turns), stop=FollowsTogether(site)) for folder in folders]
    steps = planned(START.replace("UsrA", "UsrA, until: done"))
    threads = [threading.Thread(target=each.carry, args=(steps, RUN)) for each in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert [result(folder).exit_code for folder in folders] == [0, 0]
    ids = [result(folder).steps[0].process_id for folder in folders]
    assert sorted(map(str, ids)) == ["r0", "r1"]


@pytest.mark.parametrize("side_by_side", [False, True])
def test_four_runs_of_one_process_come_to_the_same_one_after_the_other_and_side_by_side(
    tmp_path: Path,
    side_by_side: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """Each takes three seconds of a job's eight; the fourth begins nine seconds after the first."""
    site, turns = Site(), Turns()
    another = Turn(turns)
    hosts = [host(tmp_path / str(number), site, turn=Turn(turns)) for number in range(4)]
    steps = planned(START, rest="timeout: 8s")
    threads = [threading.Thread(target=one.carry, args=(steps, RUN)) for one in hosts]
    if side_by_side:
        another.take("UsrA", Stop(grace=1.0))
    for thread in threads:
        thread.start()
        if not side_by_side:
            thread.join(300)
    if side_by_side:
        for one in hosts:
            until_it_waits(one)
        another.give_back()
    for thread in threads:
        thread.join(300)
    ended = [result(tmp_path / str(number)) for number in range(4)]
    assert [one.exit_code for one in ended] == [0] * 4
    assert [one.seconds for one in ended] == [3.0] * 4


def test_waiting_for_a_rate_takes_no_time_of_the_job_and_none_of_the_attempt(tmp_path: Path) -> None:
    steps = (PLAIN + NEXT).replace("verify: none", "verify: none\n    timeout: 4s")
    host(tmp_path / "run", paced(0.01)).carry(planned(steps, rest="timeout: 8s"), RUN)
    ended = result(tmp_path / "run")
    assert ([step.status for step in ended.steps], ended.seconds) == (["passed", "passed"], 6.0)
    assert waits(tmp_path / "run") == [(WaitsFor.RATE, 3.0, None), (WaitsFor.RATE, 3.0, 97.0)]


def test_a_short_wait_for_a_rate_takes_no_time_either_and_no_line(tmp_path: Path) -> None:
    site = paced(1 / 3.5)
    host(tmp_path / "run", site).carry(planned(PLAIN + NEXT), RUN)
    assert (result(tmp_path / "run").seconds, site.now, waits(tmp_path / "run")) == (6.0, 6.5, [])


class Needed:
    """Turns that no other program takes. `until` is the latest moment until which each was needed."""

    def __init__(self, site: Site) -> None:
        self.handed_on = dict[str, bool]()
        self.until = 0.0
        self.gaps = list[float]()
        self.site = site

    def take(self, process: str, holder: LockHolder | None) -> bool:
        del holder
        self.handed_on[process] = False
        return True

    def holder(self, process: str) -> None:
        del process

    def extend(self, process: str, *, seconds: float) -> None:
        del process
        self.gaps.append(self.site.now - self.until)
        self.until = self.site.now + seconds

    def give_back(self, process: str) -> None:
        del process
        self.gaps.append(self.site.now - self.until)


def test_who_waits_for_a_rate_needs_its_turn_meanwhile(tmp_path: Path) -> None:
    site = paced(0.005)
    needed = Needed(site)
    host(tmp_path / "run", site, turn=Turn(Turns(lambda: needed), settle=15.0)).carry(planned(START), RUN)
    assert site.now > 800
    assert max(needed.gaps) <= 60, "the margin of a turn"


def test_a_start_that_a_stop_meets_while_it_waits_for_the_rate_does_not_leave(tmp_path: Path) -> None:
    site = paced(0.01)
    host(tmp_path / "run", site, stop=Waits(site, tells="SIGINT")).carry(planned(PLAIN + NEXT), RUN)
    assert [call.process for call in site.sent if isinstance(call, ExecuteCall)] == ["UsrA"]
    assert [line.event.key for line in read(tmp_path / "run").lines if isinstance(line.event, CallSent)] == ["a"]
    ended = result(tmp_path / "run")
    assert (ended.status, ended.exit_code, site.now) == ("cancelled", 130, 4.0)  # the wait ended at once


def test_a_call_that_never_left_is_in_the_journal_before_its_failure(tmp_path: Path) -> None:
    class Closed(Site):
        def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
            del call, seconds, gate
            return CallFailed(kind=FailureKind.NOT_SENT, trouble=unanswered().trouble, final=True)

    host(tmp_path / "run", Closed()).carry(planned(PLAIN), RUN)
    types = [type(line.event).__name__ for line in read(tmp_path / "run").lines]
    assert types[2:4] == ["CallSent", "AttemptFailed"]
    assert result(tmp_path / "run").exit_code == 3


@pytest.mark.parametrize("steps", [READS, PLAIN + NEXT])
def test_a_run_that_broke_off_anywhere_goes_on_with_the_time_that_it_had(tmp_path: Path, steps: str) -> None:
    """Also while it waited, before its call was written down: then nothing had left, and nothing is in doubt."""
    made = planned(steps, rest="timeout: 8s")
    host(tmp_path / "whole", paced(0.01)).carry(made, RUN)
    lines = (tmp_path / "whole" / EVENTS).read_bytes().splitlines(keepends=True)
    is_in_doubt = [b'"call.sent"' in line and b'"once"' in line for line in lines]
    for count in range(1, len(lines)):
        folder = tmp_path / str(count)
        host(folder, Site()).journal.close()
        (folder / EVENTS).write_bytes(b"".join(lines[:count]))
        carrying = host(folder, Site())
        carrying.carry(made, RUN, earlier=tuple(carrying.journal.lines))
        carrying.journal.close()
        ended = result(folder)
        assert ended.exit_code == (4 if is_in_doubt[count - 1] else 0), lines[count - 1]
        assert ended.seconds <= 6.0

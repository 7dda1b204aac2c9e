"""Each row of the table of what breaks, carried out: by the engine alone, and by the local host with its journal."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest
from breakages import BREAKAGES, Came, Meanwhile, Way
from journals import EVENTS, new_journal, read, reopened
from no_other_runs import NoOtherRuns
from stories import RUN, World, planned

from runner.engine.effects import Send
from runner.foundation.problems import ExitCode
from runner.hosts.local import LocalHost
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.job.model import StepEffect
from runner.planning.plan import Plan
from runner.runs.journal import Journal
from runner.runs.result import fold
from runner.runs.store import StoreError
from runner.service.calls import Call, Ending, ExecuteCall
from runner.service.gate import Gate

GRACE = 30.0

ALL = [
    pytest.param(way, id=f"{row}-{number}")
    for row, breakage in enumerate(BREAKAGES, start=1)
    for number, way in enumerate(breakage.ways, start=1)
]
OF_THE_SITE = [given for given in ALL if isinstance(given.values[0], Way) and given.values[0].meanwhile is None]


@pytest.mark.parametrize("way", OF_THE_SITE)
def test_the_engine_alone_comes_to_what_the_table_says(way: Way) -> None:
    world = deepcopy(way.site).carry_out(plan_of(way))
    row = world.finished("a")
    code = ExitCode(world.end.exit_code)
    sent = world.sent.count("execute UsrA")
    assert Came(status=row.status, exit_code=code, sent=sent, verified=row.verified, flaky=row.flaky) == way.came


@pytest.mark.parametrize("way", ALL)
def test_a_run_and_its_report_come_to_what_the_table_says(way: Way, tmp_path: Path) -> None:
    caller = Caller(way=way, world=deepcopy(way.site), folder=tmp_path / "run")
    caller.carry_out(plan_of(way))
    result = fold(read(caller.folder).lines)
    row = next(step for step in result.steps if step.key == "a")
    code, sent = result.exit_code, caller.sent
    assert Came(status=row.status, exit_code=code, sent=sent, verified=row.verified, flaky=row.flaky) == way.came


def test_the_table_is_short_enough_to_be_read() -> None:
    assert len(BREAKAGES) <= 22
    assert max(len(cell) for breakage in BREAKAGES for cell in breakage.cells) <= 90


def plan_of(way: Way) -> Plan:
    return planned(f"  - id: a\n    {way.step}\n", rest=way.rest)


class KilledError(Exception):
    """The process is gone, with whatever it was about to do."""


class Patient(Stop):
    """Waits in the time of the world, which takes none of ours."""

    def __init__(self, world: World) -> None:
        super().__init__(grace=GRACE, clock=lambda: world.t)
        self._world = world

    def wait(self, seconds: float) -> None:
        self._world.t += seconds


@dataclass(slots=True, kw_only=True)
class Caller:
    """The site of one way, with the host that calls it; during the first call happens what the way says."""

    way: Way
    world: World
    folder: Path
    sent: int = 0
    stop: Stop | None = None

    def carry_out(self, made: Plan) -> None:
        self.stop = Patient(self.world)
        journal = new_journal(self.folder, made.secrets, now=now)
        try:
            with limits_kept():
                self._host(journal).carry(made, RUN)
        except KilledError:
            journal.close()
            journal = reopened(self.folder, made.secrets, now=now)
            self._host(journal).carry(made, RUN, earlier=tuple(journal.lines))
        except StoreError:
            assert self.way.meanwhile is Meanwhile.DISK_FULL
        journal.close()

    def _host(self, journal: Journal) -> LocalHost:
        assert self.stop is not None
        return LocalHost(
            caller=self,
            journal=journal,
            stop=self.stop,
            turn=Turn(Turns()),
            ask=lambda _text, _stop, _seconds: True,
            owned=NoOtherRuns(),
            clock=lambda: self.world.t,
            draw=lambda: 0.0,
        )

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        assert gate.may_leave()
        effect = StepEffect.ONCE if isinstance(call, ExecuteCall) else StepEffect.READ
        ending = self.world.answer(Send(key="a", call=call, effect=effect, seconds=seconds))
        if isinstance(call, ExecuteCall):
            self.sent += 1
            if self.sent == 1:
                self._meanwhile()
        return ending

    def _meanwhile(self) -> None:
        assert self.stop is not None
        match self.way.meanwhile:
            case Meanwhile.KILLED:
                raise KilledError
            case Meanwhile.SIGNAL:
                self.stop.request("SIGINT")
            case Meanwhile.GRACE_OVER:
                self.stop.request("SIGINT")
                self.world.t += GRACE
            case Meanwhile.DISK_FULL:
                size = (self.folder / EVENTS).stat().st_size
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
            case None:
                pass


@contextmanager
def limits_kept() -> Iterator[None]:
    """Whatever size files were limited to meanwhile, they may grow again afterwards, and no half bytecode is kept."""
    before, sys.dont_write_bytecode = (resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode), True
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before[0])
        sys.dont_write_bytecode = before[1]


def now() -> str:
    return "2026-01-31T09:00:00.000Z"

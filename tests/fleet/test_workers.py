"""Workers as processes: killed, drained, asleep, cut off. Calls that must not happen twice are counted at the site."""

import os
import re
import signal
import subprocess
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from fleets import Fleet, at_site, charges, until
from postgres import Cluster

from runner.cli.main import ended

pytestmark = pytest.mark.slow


OPEN = {"queued", "running", "parked"}


def over(here: Fleet) -> None:
    until(lambda: not OPEN & {*here.states().values()}, why=lambda: (here.states(), here.said()))


def sound(here: Fleet, runs: int, calls: int) -> None:
    """Nothing was started twice, and what is green happened."""
    starts = here.starts()
    assert max(starts.values()) == 1, starts
    assert {*here.states().values()} <= {"passed", "unknown"}
    for (run,) in here.sql("select id::text from runs"):
        for row in here.result(str(run)).steps:
            assert str(row.status) != "passed" or starts[row.key] == 1
    assert len(here.states()) == runs
    assert sum(starts.values()) >= runs * calls - 6


def put(here: Fleet, runs: int, calls: int) -> None:
    """Jobs of calls which take 100 ms each."""
    here.stand.set_fault("slow", "UsrCharge", times=None, seconds=0.1)
    for run in range(runs):
        here.put(f"j{run}", charges(*(f"j{run}c{call}" for call in range(calls))))


def holder(here: Fleet, among: Collection[int]) -> int | None:
    """Of these processes one that carries out a run which has sent something; None where all have ended."""
    found: list[int] = []

    def is_there() -> bool:
        workers = here.sql("select worker from runs where state = 'running' and seq > 8 and worker is not null")
        pids = (int(str(worker).split(":")[1]) for (worker,) in workers)
        found[:] = [pid for pid in pids if pid in among]
        return bool(found) or not OPEN & {*here.states().values()}

    until(is_there, why=here.said)
    return found[0] if found else None


def test_runs_of_workers_that_are_killed_stopped_and_drained_are_taken_over(
    here: Fleet, request: pytest.FixtureRequest
) -> None:
    """The long form does it ten times over."""
    rounds = 10 if request.config.getoption("--long") else 1
    put(here, runs=4, calls=6 * rounds)
    workers = {worker.pid: worker for worker in (here.worker("-j", "2", dead=6.0) for _ in range(2))}
    gone: set[int] = set()
    stopped: list[int] = []
    for _ in range(rounds):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):
            pid = holder(here, [pid for pid in workers if pid not in gone])
            if pid is None:
                break
            gone.add(pid)
            os.kill(pid, number)
            if number == signal.SIGSTOP:
                stopped.append(pid)
            elif workers[pid].wait(60) == 0:
                assert number == signal.SIGTERM
            added = here.worker("-j", "2", dead=6.0)
            workers[added.pid] = added
        for pid in stopped:
            until(partial(_has_lost_its_runs, here, pid), why=here.said)
            os.kill(pid, signal.SIGCONT)
            with suppress(subprocess.TimeoutExpired):  # it may have given its run back just before it fell asleep
                assert workers[pid].wait(10) == 75, "what it carried out was taken over"
        stopped.clear()
    over(here)
    for worker in workers.values():
        worker.terminate()
        worker.wait(60)
    sound(here, 4, 6 * rounds)


def test_a_worker_ends_when_the_queue_is_empty_and_leaves_runs_that_only_newer_ones_can_resume(
    here: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    here.put("a", charges("a1"), lock="l")
    here.put("b", charges("b1"), lock="l")
    newer = here.put("newer", charges("n1"))
    here.sql("update runs set replay = 2 where id = %s", newer)
    here.sql("update procrastinate_jobs set queue_name = queue_name('here', 2) where args->>'run' = %s", newer)
    worker = here.worker("--once", "-j", "2", "--alive", "alive")
    assert worker.wait(60) == 0, here.said()
    assert here.states() == {"a": "passed", "b": "passed", "newer": "queued"}
    assert ended(["status", "--db", here.dsn]) == 0
    assert "1 run in the queue: nobody serves `here`" in capsys.readouterr().out
    started, finished = (
        [str(at) for (at,) in here.sql(f"select line::json->>'at' from events where kind = '{kind}' order by 1")]
        for kind in ("run.started", "run.finished")
    )
    assert started[1] >= finished[0], "runs with one lock are carried out one after another"
    assert re.search(r"worker \S+ takes runs of here", here.said())
    assert " parked" not in here.said(), "nothing was in the way of these runs"
    assert (here.folder / "alive").exists()


def _has_lost_its_runs(here: Fleet, pid: int) -> bool:
    return here.sql("select 1 from runs where worker like %s", f"%:{pid}:%") == []


@pytest.fixture
def cut_off(own_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.chdir(tmp_path)
    own_cluster.start()
    own_cluster.make_template()
    with at_site(own_cluster.new_database(), tmp_path) as made:
        yield made


def test_an_outage_of_the_database_is_waited_for_and_starts_nothing_twice(cut_off: Fleet, own_cluster: Cluster) -> None:
    put(cut_off, runs=3, calls=6)
    worker = cut_off.worker("-j", "3")
    holder(cut_off, [worker.pid])
    own_cluster.stop()
    own_cluster.start()
    over(cut_off)
    worker.terminate()
    assert worker.wait(60) == 0, cut_off.said()
    sound(cut_off, 3, 6)


def test_a_worker_without_a_database_for_long_ends_with_3(here: Fleet) -> None:
    worker = here.worker("--db", "postgresql://127.0.0.1:1/none", dead=1.0)
    assert worker.wait(60) == 3
    assert "no database for" in here.said()

"""Workers as processes: killed, drained, asleep, cut off. Calls that must not happen twice are counted at the site."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator
from itertools import pairwise

import pytest
from fleets import Fleet, charges, until

from runner.cli.main import ended
from runner.fleet import database
from runner.version import REPLAY

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
    passed = [*here.states().values()].count("passed")  # the others are in doubt, at any of their calls
    assert sum(starts.values()) >= passed * calls


def put(here: Fleet, runs: int, calls: int) -> None:
    """Jobs of calls which take 100 ms each."""
    here.sandbox.set_fault("slow", "UsrCharge", times=None, seconds=0.1)
    for run in range(runs):
        here.put(f"j{run}", charges(*(f"j{run}c{call}" for call in range(calls))))


def holder(here: Fleet, among: Collection[int], *, least: int = 8) -> int | None:
    """Of these processes one that carries out a run which has sent something, with more than so many events; None where
    all have ended.
    """
    found: list[int] = []

    def is_there() -> bool:
        workers = here.sql("select worker from runs where state = 'running' and seq > %s and worker is not null", least)
        pids = (int(str(worker).split(":")[1]) for (worker,) in workers)
        found[:] = [pid for pid in pids if pid in among]
        return bool(found) or not OPEN & {*here.states().values()}

    until(is_there, why=here.said)
    return found[0] if found else None


def test_a_worker_that_slept_while_its_runs_were_taken_over_sends_nothing_more_and_ends_with_75(here: Fleet) -> None:
    put(here, runs=2, calls=8)
    zombie = here.worker("-j", "2", dead=2.0)
    holder(here, [zombie.pid])
    os.kill(zombie.pid, signal.SIGSTOP)
    other = here.worker("-j", "2", dead=2.0)
    until(lambda: here.sql("select 1 from runs where worker like %s", f"%:{zombie.pid}:%") == [], why=here.said)
    os.kill(zombie.pid, signal.SIGCONT)
    assert zombie.wait(300) == 75, here.said()
    over(here)
    other.terminate()
    assert other.wait(300) == 0
    sound(here, 2, 8)


def test_a_run_that_another_version_has_begun_waits_for_a_worker_of_that_version(here: Fleet) -> None:
    put(here, runs=1, calls=8)
    newer = here.worker(replay=REPLAY + 1, dead=2.0)
    holder(here, [newer.pid])
    newer.kill()
    older = here.worker(dead=2.0)
    here.put("later", charges("l1").replace("UsrCharge", "UsrRefund"))  # whose turn nobody has
    until(lambda: here.states() == {"j0": "running", "later": "passed"}, why=here.said)
    until(lambda: "is queued again" in here.said(), why=here.said)
    assert here.sql("select queue_name from procrastinate_jobs where status = 'todo'") == [(f"here#{REPLAY + 1}",)]
    newer = here.worker(replay=REPLAY + 1, dead=2.0)
    over(here)
    for worker in (older, newer):
        worker.terminate()
        assert worker.wait(300) == 0
    assert here.sql("select job, replay from runs order by job") == [("j0", REPLAY + 1), ("later", REPLAY)]
    assert here.result(str(here.sql("select id::text from runs where job = 'j0'")[0][0])).resumed == 1
    assert max(here.starts().values()) == 1


def test_runs_with_one_lock_are_never_carried_out_at_once_by_two_workers_and_a_killed_one_frees_the_lock(
    here: Fleet,
) -> None:
    here.sandbox.set_fault("slow", "UsrCharge", times=None, seconds=0.1)
    names = [f"j{number}" for number in range(5)]
    for name in names:
        here.put(name, charges(f"{name}a", f"{name}b"), lock="tours")
    under_way = set[object]()

    def have_ended() -> bool:
        under_way.update(here.sql("select count(*) from procrastinate_jobs where status = 'doing'"))
        return not OPEN & {*here.states().values()}

    workers = [here.worker("-j", "2", dead=2.0) for _ in range(2)]
    killed = holder(here, [worker.pid for worker in workers], least=4)
    for worker in workers:
        if worker.pid == killed:
            worker.kill()
    until(have_ended, why=lambda: (here.states(), here.said()))
    assert under_way <= {(0,), (1,)}
    assert len(here.states()) == 5
    assert max(here.starts().values()) == 1
    assert {*here.states().values()} <= {"passed", "unknown"}
    assert "is queued again: its worker is silent" in here.said()
    times = here.sql("select min(line::json->>'at'), max(line::json->>'at') from events group by run order by 1")
    for (_, ends), (begins, _) in pairwise(times):
        assert str(begins) >= str(ends), "the next begins when the one before has ended, also after a takeover"


def test_runs_that_wait_for_the_turn_of_a_killed_run_leave_it_a_slot(here: Fleet) -> None:
    """All slots are taken by runs that wait, and only the run that has the turn could end their waiting."""
    put(here, runs=1, calls=8)
    killed = here.worker(dead=2.0)
    holder(here, [killed.pid])
    killed.kill()
    for number in range(4):
        here.put(f"waits{number}", charges(f"w{number}"))
    other = here.worker("-j", "2", dead=2.0)
    over(here)
    other.terminate()
    assert other.wait(300) == 0
    assert max(here.starts().values()) == 1
    assert {*here.states().values()} <= {"passed", "unknown"}
    assert [here.states()[f"waits{number}"] for number in range(4)] == ["passed"] * 4


def test_a_worker_ends_when_the_queue_is_empty_and_leaves_runs_that_only_newer_ones_can_resume(
    here: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    here.put("a", charges("a1"), lock="l")
    here.put("b", charges("b1"), lock="l")
    newer = here.put("newer", charges("n1"))
    here.sql("update runs set replay = %s where id = %s", REPLAY + 1, newer)
    here.sql(
        "update procrastinate_jobs set queue_name = queue_name('here', %s) where args->>'run' = %s", REPLAY + 1, newer
    )
    worker = here.worker("--once", "-j", "2", "--alive", "alive")
    assert worker.wait(300) == 0, here.said()
    assert here.states() == {"a": "passed", "b": "passed", "newer": "queued"}
    assert ended(["status", "--db", here.dsn]) == 0
    assert "1 run has begun and has not ended: no worker of `here` is alive" in capsys.readouterr().out
    started, finished = (
        [str(at) for (at,) in here.sql(f"select line::json->>'at' from events where kind = '{kind}' order by 1")]
        for kind in ("run.started", "run.finished")
    )
    assert started[1] >= finished[0], "runs with one lock are carried out one after another"
    assert re.search(r"worker \S+ takes runs of here", here.said())
    assert " parked" not in here.said(), "nothing was in the way of these runs"
    assert (here.folder / "alive").exists()


def test_a_worker_that_is_to_end_with_the_queue_takes_over_first_what_a_killed_worker_held(here: Fleet) -> None:
    put(here, runs=1, calls=8)
    killed = here.worker(dead=2.0)
    holder(here, [killed.pid])
    killed.kill()
    once = here.worker("--once", dead=2.0)
    assert once.wait(300) == 0, here.said()
    assert not OPEN & {*here.states().values()}
    assert set(here.starts().values()) <= {1}  # none where it was killed as its first call left
    assert "is queued again: its worker is silent" in here.said()


def test_a_worker_that_is_to_end_with_the_queue_is_not_content_while_a_silent_worker_holds_a_run(here: Fleet) -> None:
    put(here, runs=1, calls=8)
    killed = here.worker(dead=1.0)
    holder(here, [killed.pid])
    killed.kill()
    with database.connect(here.dsn) as sql, sql.transaction():
        sql.execute("select from procrastinate_jobs for update")  # nobody can take it over
        assert here.worker("--once", dead=1.0).wait(300) == 3
    assert "1 run still open: the worker is silent" in here.said()


@pytest.fixture
def role(here: Fleet) -> Iterator[str]:
    """A user of the database that may do nothing in it; its name needs quotes."""
    name = f'"a-worker-{os.getpid()}"'
    here.sql(f"create role {name} login")
    yield name
    here.sql(f"drop owned by {name}")
    here.sql(f"drop role {name}")


def dsn_of(here: Fleet, role: str) -> str:
    return here.dsn.replace("postgres@", role.strip('"') + "@")


def test_a_worker_that_may_not_write_says_so_before_it_takes_anything(here: Fleet, role: str) -> None:
    here.sql(f"grant usage on schema runner to {role}")
    here.sql(f"grant select on all tables in schema runner to {role}")
    assert here.worker("--once", dsn=dsn_of(here, role)).wait(300) == 2, here.said()
    assert re.search("denied for table attempts: user `.*` has no right to insert, update, delete\n", here.said())
    assert "takes runs of" not in here.said()


@pytest.mark.parametrize(
    "missing", ["insert on runs", "delete on workers", "usage on sequence procrastinate_jobs_id_seq"]
)
def test_a_worker_needs_each_right_and_what_its_hint_grants_is_enough(here: Fleet, role: str, missing: str) -> None:
    here.put("a", charges("a1"))
    here.sql(f"grant usage on schema runner to {role}")
    here.sql(f"grant select, insert, update, delete on all tables in schema runner to {role}")
    here.sql(f"grant usage on all sequences in schema runner to {role}")
    here.sql(f"revoke {missing} from {role}")
    assert here.worker("--once", dsn=dsn_of(here, role)).wait(300) == 2, here.said()
    right, _, name = missing.partition(" on ")
    assert re.search(rf"denied for (table )?{name}: user `a-worker-\d+` has no right to {right}\n", here.said())
    here.sql(f"revoke all on all tables in schema runner from {role}")
    here.sql(f"revoke all on all sequences in schema runner from {role}")
    here.sql(f"revoke all on schema runner from {role}")
    hint = re.search(r"hint: let the owner of the tables run `(.*)`", here.said())
    assert hint is not None
    for statement in hint[1].split("; "):
        here.sql(statement)
    assert here.worker("--once", dsn=dsn_of(here, role)).wait(300) == 0, here.said()
    assert here.states() == {"a": "passed"}


def test_a_queue_that_breaks_off_again_and_again_is_begun_again_ever_later_and_does_not_end_well(here: Fleet) -> None:
    here.sql("create function refuse() returns trigger language plpgsql as $$ begin raise 'no more workers'; end $$")
    here.sql("create trigger refuse before insert on procrastinate_workers for each row execute function refuse()")
    assert here.worker("--once", patience=2.0).wait(300) == 3, here.said()
    lines = [line for line in here.said().splitlines() if "broke off" in line]
    *again, last = [line.partition("broke off: ")[2] for line in lines]
    assert again == [f"no more workers; it is begun again in {2**number} s" for number in range(len(again))]
    assert again, "the first time it is begun again, however busy the machine is"
    assert last == "no more workers; runs may be left"


def test_a_worker_whose_file_for_probes_cannot_be_written_says_so_before_it_takes_anything(here: Fleet) -> None:
    assert here.worker("--once", "--alive", "nowhere/alive").wait(300) == 2
    assert "the file nowhere/alive cannot be written: No such file or directory; probes" in here.said()
    assert "takes runs of" not in here.said()


def test_a_worker_whose_file_for_probes_cannot_be_written_any_more_still_reads_orders(here: Fleet) -> None:
    run = here.put("a", "steps:\n  - pause: 10m\n")
    folder = here.folder / "probes"
    folder.mkdir()
    worker = here.worker("--alive", "probes/alive")
    until(lambda: here.states() == {"a": "running"}, why=here.said)
    folder.rename(here.folder / "moved")
    until(lambda: "the file probes/alive cannot be written: No such file or directory\n" in here.said(), why=here.said)
    assert ended(["stop", run, "--db", here.dsn]) == 0
    until(lambda: here.states() == {"a": "cancelled"}, why=lambda: (here.states(), here.said()))
    worker.terminate()
    assert worker.wait(300) == 0
    assert here.said().count("cannot be written") == 1


def test_what_libraries_warn_of_is_a_line_of_the_workers_messages() -> None:
    code = """
import asyncio, logging, warnings
from runner.fleet.library_messages import library_messages

async def broken():
    raise ValueError("ours\\nor theirs")

async def main():
    asyncio.create_task(broken())
    await asyncio.sleep(0.01)
    logging.getLogger("procrastinate.worker").error("a run is parked")
    logging.getLogger("psycopg").warning("query cancellation failed: gone\\nThis probably means")
    warnings.warn("odd", RuntimeWarning)

with library_messages(print):
    asyncio.run(main())
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ended.stderr == ""
    assert [line.partition(": ")[0] for line in ended.stdout.splitlines()] == ["asyncio", "psycopg", "py.warnings"]
    assert "ValueError('ours\\nor theirs')" in ended.stdout
    assert "This probably means" not in ended.stdout


def test_a_worker_that_the_server_does_not_let_in_does_not_wait_for_that(here: Fleet) -> None:
    worker = here.worker(dsn=here.dsn.replace("postgres@", "nobody@"), patience=600.0)
    assert worker.wait(300) == 2
    assert "hint: create the role" in here.said()


def test_a_worker_without_a_database_for_long_ends_with_3(here: Fleet) -> None:
    worker = here.worker(dsn="postgresql://127.0.0.1:1/none", patience=1.0)
    assert worker.wait(300) == 3
    assert "no database for" in here.said()

"""What a run of a fleet waits for ends with the worker, with a stop, and else in its time."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import sites
from fleets import Fleet, in_thread, until
from gates import Time
from sites import SIGNED_IN, Answer, site, xml

from runner.fleet import leaving, turns
from runner.fleet.database import Link
from runner.fleet.leaving import Leaving
from runner.fleet.store import FleetStore
from runner.fleet.turns import DrainedStop, FleetPace, FleetTurn
from runner.hosts.stop import Stop
from runner.hosts.turns import RunLeftError
from runner.runs.store import FencedError

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("how", ["drained", "stopped"])
def test_a_wait_ends_when_the_worker_gives_its_runs_back_or_the_run_is_stopped(how: str) -> None:
    drained = threading.Event()
    stop = DrainedStop(grace=300.0, drained=drained)
    thread = in_thread(lambda: stop.wait(300.0))
    time.sleep(0.25)
    assert thread.is_alive()
    if how == "drained":
        drained.set()
    else:
        stop.request("SIGINT")
    thread.join(300)
    assert not thread.is_alive()


def test_a_wait_after_the_stop_takes_its_time_within_the_grace() -> None:
    stop = DrainedStop(grace=0.3, drained=threading.Event())
    stop.request("SIGINT")
    began = time.monotonic()
    stop.wait(0.15)
    assert time.monotonic() - began >= 0.14
    stop.wait(300.0)
    assert stop.is_over()


@pytest.fixture
def links(fleet: str) -> Iterator[tuple[Link, Link]]:
    with closing(Link(fleet)) as one, closing(Link(fleet)) as other:
        yield one, other


def paces(links: tuple[Link, Link], clock: Time, *, rate: float) -> tuple[FleetPace, FleetPace]:
    """Those of two machines, whose clock, and that of the server, is `clock`."""
    one, other = (
        FleetPace(link, url="https://site.example", rate=rate, clock=clock.clock, now=clock.clock) for link in links
    )
    return one, other


def test_calls_of_two_machines_to_one_site_are_evenly_spaced(links: tuple[Link, Link]) -> None:
    clock = Time()
    made, left = paces(links, clock, rate=4.0), []
    for number in range(8):
        made[number % 2].wait_for_turn(clock)
        left.append(clock.now)
    assert left == [100.0 + number / 4 for number in range(8)]
    clock.now += 60.0  # nobody saves turns up
    for number in range(3):
        made[number % 2].wait_for_turn(clock)
        left.append(clock.now)
    assert left[-3:] == [161.75, 162.0, 162.25]


def test_a_turn_that_nobody_wants_any_more_goes_to_the_next(links: tuple[Link, Link]) -> None:
    clock = Time()
    one, other = paces(links, clock, rate=0.1)
    one.wait_for_turn(clock)
    stopped = Time(now=clock.now, stops_at=clock.now + 3.0)
    assert (
        FleetPace(links[0], url="https://site.example", rate=0.1, clock=stopped.clock, now=stopped.clock).wait_for_turn(
            stopped
        )
        == 3.0
    )
    clock.now = stopped.now
    assert other.wait_for_turn(clock) == 7.0


@pytest.fixture
def stores(fleet: str) -> Iterator[tuple[FleetStore, FleetStore]]:
    with closing(FleetStore(fleet, worker="one")) as one, closing(FleetStore(fleet, worker="other")) as other:
        yield one, other


FIRST, SECOND = (f"0194d2a0-0000-7000-8000-00000000000{number}" for number in (1, 2))


def turn_of(store: FleetStore, run: str) -> FleetTurn:
    log = store.log_of(run) or store.create(run)
    return FleetTurn(log, site="site")


def takes(turn: FleetTurn, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(turns, "PATIENCE", 0.2)
    try:
        return turn.take("UsrCharge", Stop(grace=1.0))
    except RunLeftError:
        return False


@pytest.mark.parametrize("how", ["parked", "killed"])
def test_a_run_that_nobody_carries_out_has_its_turn_only_as_long_as_a_start_of_it_may_get_its_row(
    how: str, stores: tuple[FleetStore, FleetStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stores
    assert takes(turn_of(one, FIRST), monkeypatch)
    log = one.log_of(FIRST)
    assert log is not None
    waiting, link = turn_of(other, SECOND), other.link
    assert not takes(waiting, monkeypatch), "its worker is about to start the process"
    if how == "parked":
        leaving.leave(log, Leaving(state="parked"))
    else:
        link.run("update runs set updated_at = now() - interval '31 s' where id = %(run)s", {"run": FIRST})
    link.run(
        "insert into starts (run, key, site, process, began, ends) "
        "values (%(run)s, 'a', 'site', 'UsrCharge', epoch() - 100, epoch() + 60)",
        {"run": FIRST},
    )
    assert not takes(waiting, monkeypatch), "its start may get its row"
    link.run("update starts set ends = epoch() - 4")
    assert not takes(waiting, monkeypatch), "the server counts whole seconds"
    link.run("update starts set ends = epoch() - 6")
    assert takes(waiting, monkeypatch)
    assert link.run("select run::text, state from turns join runs on id = run").fetchall() == [(SECOND, "running")]
    assert link.run("select state from runs where id = %(run)s", {"run": FIRST}).fetchall() == [("parked",)]
    with pytest.raises(FencedError):
        log.append(b'{"type":"call.sent"}', durable=True)


def test_a_run_whose_worker_is_silent_for_long_but_alive_has_its_turn(
    stores: tuple[FleetStore, FleetStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stores
    assert takes(turn_of(one, FIRST), monkeypatch)
    other.link.run("update runs set updated_at = now() - interval '1 h' where id = %(run)s", {"run": FIRST})
    other.link.run(
        "insert into procrastinate_jobs (queue_name, task_name, status, args) "
        "values ('here', 'carry', 'doing', jsonb_build_object('run', %(run)s::text))",
        {"run": FIRST},
    )
    assert not takes(turn_of(other, SECOND), monkeypatch), "it pauses, as in the middle of its row"


def test_a_run_that_is_carried_on_after_others_had_its_turn_takes_it_again(
    stores: tuple[FleetStore, FleetStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stores
    assert takes(turn_of(one, FIRST), monkeypatch)
    log = one.log_of(FIRST)
    assert log is not None
    leaving.leave(log, Leaving(state="parked"))
    log.close()
    second = turn_of(other, SECOND)
    assert takes(second, monkeypatch)
    resumed = FleetTurn(one.reopen(FIRST), site="site")
    assert not takes(resumed, monkeypatch)
    second.give_back()
    assert takes(resumed, monkeypatch)


def test_a_site_counts_no_more_calls_a_second_from_two_workers_than_its_rate_allows(here: Fleet) -> None:
    """Counted at the site, which is none of ours and has a clock of its own."""
    came: list[float] = []

    def answer(_method: str, path: str) -> Answer:
        came.append(time.monotonic())
        return SIGNED_IN if "AuthService" in path else xml("")

    rate, calls = 10.0, 8
    with site(answer, sign_in=None) as served:
        (here.folder / "targets.yaml").write_text(f"{sites.targets(served.url)}    rate: {rate:g}/s\n")
        for name in ("a", "b"):
            steps = "".join(
                f"  - execute: {{process: Usr{name}{number}}}\n    effect: read\n" for number in range(calls)
            )
            here.put(name, f"defaults: {{verify: none}}\nsteps:\n{steps}")
        workers = [here.worker(), here.worker()]
        until(lambda: {*here.states().values()} == {"passed"}, why=here.said)
        for worker in workers:
            worker.terminate()
            assert worker.wait(300) == 0
    assert len(served.executes()) == 2 * calls
    assert came[-1] - came[0] > 0.8 * (len(came) - 1) / rate

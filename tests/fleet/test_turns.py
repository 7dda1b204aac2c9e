"""What a run of a fleet waits for ends with the worker, with a stop, and else in its time."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import sites
from fleets import Fleet, in_thread, until
from gates import Time
from sites import SIGNED_IN, Told, site, xml

from runner.fleet.link import Link
from runner.fleet.turns import DrainedStop, FleetPace

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("how", ["drained", "stopped"])
def test_a_wait_ends_when_the_worker_gives_its_runs_back_or_the_run_is_stopped(how: str) -> None:
    drained = threading.Event()
    stop = DrainedStop(grace=300.0, goes_on=lambda: not drained.is_set())
    thread = in_thread(lambda: stop.wait(300.0))
    time.sleep(0.25)
    assert thread.is_alive()
    if how == "drained":
        drained.set()
    else:
        stop.request("SIGINT")
    thread.join(30)
    assert not thread.is_alive()


def test_a_wait_after_the_stop_takes_its_time_within_the_grace() -> None:
    stop = DrainedStop(grace=0.3, goes_on=lambda: True)
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


def test_a_site_counts_no_more_calls_a_second_from_two_workers_than_its_rate_allows(here: Fleet) -> None:
    """Counted at the site, which is none of ours and has a clock of its own."""
    came: list[float] = []

    def answer(_method: str, path: str) -> Told:
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
            assert worker.wait(60) == 0
    assert len(served.executes()) == 2 * calls
    assert came[-1] - came[0] > 0.8 * (len(came) - 1) / rate

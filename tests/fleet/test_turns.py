"""What a run of a fleet waits for ends with the worker, with a stop, and else in its time."""

import threading
import time

import pytest
from fleets import in_thread

from runner.fleet.turns import DrainedStop


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

"""A stop that a signal asks for, whatever its handler interrupts."""

import signal
import subprocess
import sys

import pytest
from running import TIME

from runner.hosts.stop import Stop, listening

pytestmark = pytest.mark.slow

SIGNALS = """
import random, signal
from runner.hosts.stop import Stop

signal.signal(signal.SIGALRM, lambda *_: stop.request("SIGALRM"))
for _ in range(2000):
    stop = Stop(grace=0.0)
    signal.setitimer(signal.ITIMER_REAL, random.uniform(0.00002, 0.0004))
    while stop.why is None:
        stop.wait(0.000001)
"""


def test_a_signal_may_come_at_any_moment_of_a_wait() -> None:
    """A handler that asked for a lock of the wait that it interrupts would never return."""
    subprocess.run([sys.executable, "-c", SIGNALS], check=True, timeout=TIME)


def test_only_a_second_ctrl_c_gives_up() -> None:
    """GitHub sends SIGTERM seven seconds after SIGINT, which is no second wish of a person."""
    stop, heard = Stop(grace=300.0), list[str]()
    with listening(stop, heard=heard.append):
        came = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.raise_signal(number)
            came.append((stop.why, stop.given_up))
    assert came == [("SIGINT", False)] * 3 + [("SIGINT", True)]
    assert heard == ["SIGINT"]

"""A stop that a signal asks for, whatever its handler interrupts."""

import subprocess
import sys

import pytest
from running import TIME

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

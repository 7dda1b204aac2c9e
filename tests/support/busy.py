"""A machine that is too busy: processes that use a processor each, beside the tests of `pytest --busy 16`.

With eight for each processor a test has a ninth of it. What fails then waits for a time where it should wait for a
condition.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOOKS = 0.2
"""Seconds after which a busy process looks whether anybody wants it still."""


@contextmanager
def busy(number: int) -> "Iterator[list[subprocess.Popen[bytes]]]":
    """So many processes that use a processor each, until the context ends, or this process does."""
    command = [sys.executable, __file__, str(os.getpid())]
    processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(number)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _use_a_processor(parent: int) -> None:
    while os.getppid() == parent:
        ends = time.monotonic() + _LOOKS
        while time.monotonic() < ends:
            pass


if __name__ == "__main__":
    _use_a_processor(int(sys.argv[1]))

"""Commands that tests begin end with their test."""

import fcntl
import os
import resource
import signal
from pathlib import Path

import pytest
from running import PIPE, ForkedCommand, is_readable, start

pytestmark = pytest.mark.slow


def test_a_command_that_is_under_way_for_ever_is_killed_where_its_test_fails(tmp_path: Path) -> None:
    (tmp_path / "sandbox").mkdir()
    served = start("sandbox", str(tmp_path / "sandbox"), "--port", "0", stdout=PIPE)
    with pytest.raises(ZeroDivisionError):
        _fail_beside(served)
    assert served.returncode == -signal.SIGKILL


HIGH = 1100
"""The number of a file, which `select` does not take."""


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= HIGH, reason="no file has such a number")
def test_a_file_of_a_high_number_is_waited_for() -> None:
    reading, writing = os.pipe()
    high = fcntl.fcntl(reading, fcntl.F_DUPFD, HIGH)
    assert not is_readable(high, 0)
    os.write(writing, b"x")
    assert is_readable(high, 1)
    for file in (reading, writing, high):
        os.close(file)


def _fail_beside(served: ForkedCommand) -> None:
    with served:
        assert served.out.readline()
        raise ZeroDivisionError

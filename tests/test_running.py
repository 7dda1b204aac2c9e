"""Commands that tests begin end with their test."""

import signal
from pathlib import Path

import pytest
from running import PIPE, ForkedCommand, start

pytestmark = pytest.mark.slow


def test_a_command_that_is_under_way_for_ever_is_killed_where_its_test_fails(tmp_path: Path) -> None:
    (tmp_path / "sandbox").mkdir()
    served = start("sandbox", str(tmp_path / "sandbox"), "--port", "0", stdout=PIPE)
    with pytest.raises(ZeroDivisionError):
        _fail_beside(served)
    assert served.returncode == -signal.SIGKILL


def _fail_beside(served: ForkedCommand) -> None:
    with served:
        assert served.out.readline()
        raise ZeroDivisionError

"""`pytest --busy`: that a machine is as busy as a test wants it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import busy
import pytest

pytestmark = pytest.mark.slow


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


def processor_time(pid: int) -> int:
    """What the process has used, in hundredths of a second; -1 where it is no more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return -1
    return -1 if fields[0] == "Z" else int(fields[11]) + int(fields[12])


def test_each_busy_process_uses_a_processor_until_the_context_ends() -> None:
    with busy.busy(2) as processes:
        pids = [process.pid for process in processes]
        until(lambda: all(processor_time(pid) > 30 for pid in pids))
    assert [processor_time(pid) for pid in pids] == [-1, -1]


def test_busy_processes_end_with_the_process_that_has_started_them(tmp_path: Path) -> None:
    program = (
        "import busy, pathlib, signal\n"
        "with busy.busy(1) as (process,):\n"
        "    pathlib.Path('new').write_text(str(process.pid))\n"
        "    pathlib.Path('new').rename('pid')\n"
        "    signal.pause()\n"
    )
    path = os.pathsep.join(sys.path)
    with subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": path}) as parent:
        until((tmp_path / "pid").exists)
        pid = int((tmp_path / "pid").read_text())
        until(lambda: processor_time(pid) > 10)
        parent.send_signal(signal.SIGKILL)
    until(lambda: processor_time(pid) == -1)

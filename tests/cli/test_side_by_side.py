"""What is printed of several runs: a table where little is wanted, lines that are redrawn at a terminal."""

import os
import pty
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from running import DEVNULL, start

from runner.cli.main import ended

pytestmark = pytest.mark.slow

JOB = "runner: 1\nname: {name}\ntarget: one\ndefaults: {{verify: none}}\nsteps:\n  - id: nap\n    pause: {pause}\n"
TARGETS = "runner: 1\ntargets:\n" + "".join(f"  {name}: {{sandbox: doubles}}\n" for name in ("one", "two", "three"))


@pytest.fixture(autouse=True)
def _in_a_project_of_its_own() -> None:
    Path("targets.yaml").write_text(TARGETS)
    Path("doubles").mkdir()
    Path("doubles/UsrNothing.yaml").write_text("runner: 1\nprocesses:\n  UsrNothing: {}\n")


def write(name: str, *, pause: str = "1ms") -> None:
    Path(f"{name}.job.yaml").write_text(JOB.format(name=name, pause=pause))


def test_a_matrix_of_twelve_runs_with_little_printed_is_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", "c", "d"):
        write(name)
    assert ended(["run", ".", "-q", "-j", "4", "-t", "one", "-t", "two", "-t", "three"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert [line.split()[:3] for line in lines[:2]] == [["JOB", "one", "two"], ["✓", "a", "passed"]]
    assert lines[5:] == ["12 runs: 12 passed", "  exit 0: everything selected passed"]
    assert printed.err == ""


def test_a_run_that_has_ended_makes_room_before_its_reports_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        write(name)
    begun: list[int] = []

    def stored(*_: object) -> None:
        begun.append(len(list(Path(".runner/runs").iterdir())))

    monkeypatch.setattr("runner.execution.stored_reports.remember", stored)
    assert ended(["run", "."]) == 0
    assert begun == [2, 3, 3]


@pytest.mark.parametrize(("jobs", "seconds"), [(2, 10.0), (1, 0.3)], ids=["side by side", "in turn"])
def test_side_by_side_a_run_that_has_passed_makes_room_while_its_end_is_written_to_the_disk(
    monkeypatch: pytest.MonkeyPatch, jobs: int, seconds: float
) -> None:
    write("a")
    assert makes_room(monkeypatch, jobs=jobs, seconds=seconds) is (jobs > 1)


def test_a_run_that_did_not_pass_makes_no_room_before_its_end_is_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a")
    failing = Path("a.job.yaml")
    failing.write_text(failing.read_text() + "outputs: {no: run.id | int}\n")
    assert not makes_room(monkeypatch, jobs=2, seconds=0.3, code=1)


def makes_room(monkeypatch: pytest.MonkeyPatch, *, jobs: int, seconds: float, code: int = 0) -> bool:
    """Whether another run begins while the end of `a` is being written to the disk, and `b` still goes on."""
    for name in ("b", "c"):
        write(name, pause="1m")
    answered, found = threading.Event(), list[bool]()

    def sync(_: int) -> None:
        if threading.current_thread().name == "run a@one" and not found:
            runs = Path(".runner/runs")
            found.append(has_come(lambda: len(list(runs.iterdir())) > jobs, seconds=seconds))
            answered.set()

    monkeypatch.setattr("os.fsync", sync)
    monkeypatch.setattr("runner.hosts.stop.Stop.wait", lambda _, s: s < 1 or answered.wait(60))
    assert ended(["run", ".", "-j", str(jobs)]) == code
    return found[0]


def test_no_more_runs_than_side_by_side_wait_for_the_disk_beside_those_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("a", "b", "c", "d", "e", "f"):
        write(name)
    begun: list[int] = []

    def sync(_: int) -> None:
        if threading.current_thread().name.startswith("run ") and not begun:
            has_come(lambda: bool(begun) or count() > 4, seconds=1.0)
            begun.append(count())

    def count() -> int:
        return len(list(Path(".runner/runs").iterdir()))

    monkeypatch.setattr("os.fsync", sync)
    assert ended(["run", ".", "-j", "2"]) == 0
    assert begun[0] == 4


def has_come(condition: Callable[[], bool], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (is_there := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return is_there


def test_a_terminal_shows_what_each_run_does_and_how_many_are_done() -> None:
    for name in ("a", "b"):
        write(name, pause="400ms")
    shown = at_a_terminal("run", ".", "-j", "2")
    assert "a@one  nap" in shown
    assert "0 of 2 runs done" in shown
    assert "passed: a@one: 1 passed" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_where_only_stderr_is_a_terminal_stdout_gets_plain_lines(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(name, pause="400ms")
    with Path(tmp_path / "out.txt").open("w") as out:
        shown = at_a_terminal("run", ".", "-j", "2", stdout=out.fileno())
    printed = Path(tmp_path / "out.txt").read_text()
    assert "0 of 2 runs done" in shown
    assert "passed: a@one" not in shown
    assert "passed: a@one" in printed
    assert "\x1b" not in printed


def test_a_run_that_waits_for_the_lock_of_another_is_counted_with_its_name() -> None:
    for name in ("a", "b", "c"):
        write(name, pause="400ms")
        job = Path(f"{name}.job.yaml")
        job.write_text(job.read_text().replace("target: one", "target: one\nconcurrency: billing"))
    shown = at_a_terminal("run", ".", "-j", "3")
    assert "0 of 3 runs done; 2 wait for lock billing" in shown
    assert "1 of 3 runs done; 1 waits for lock billing" in shown


def at_a_terminal(*words: str, stdout: int | None = None) -> str:
    """All that a terminal gets of a command, whose exit code is 0."""
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR"}}
    command = start(
        *words,
        stdin=DEVNULL,
        stdout=slave if stdout is None else stdout,
        stderr=slave,
        env={**environment, "TERM": "xterm"},
    )
    os.close(slave)
    found = b""
    try:
        while piece := os.read(master, 4096):
            found += piece
    except OSError:  # Linux ends a terminal so
        pass
    os.close(master)
    assert command.wait() == 0, found.decode()
    return found.decode()

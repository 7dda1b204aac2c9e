"""`apply` that is killed at each write of its ledger, or anywhere: the next one ends it, and nothing starts twice.

The sandbox's own log counts what was started. `pytest --long tests/crash` kills many times more.
"""

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from counted import COUNTED
from doomed import KILLED
from doomed_ledger import POWER_LOST, killed, statements
from running import DEVNULL, PIPE, TIME, carried_out, start
from sandboxes import ServedSandbox, doubled, serve_sandbox

from runner.cli.main import ended as exit_code_of

pytestmark = pytest.mark.crash

JOB = """runner: 1
name: {name}
target: here
steps:
  - {{id: first, execute: {{process: UsrTick, parameters: {{Mark: "{name} first"}}}}}}
  - {{id: second, execute: {{process: UsrTick, parameters: {{Mark: "{name} second"}}}}}}
"""
NAMES = ("a", "b", "c")
EACH = {f"{name} {step}" for name in NAMES for step in ("first", "second")}
SETTLED = (0, 4)
"""All passed, or something is unknown: the log could not tell."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedSandbox]:
    (tmp_path / "doubles").mkdir()
    double = Path(__file__).parent / "jobs" / "sandbox" / "UsrTick.process.yaml"
    shutil.copy(double, tmp_path / "doubles")
    work = tmp_path / "work"
    (work / "specs").mkdir(parents=True)
    for name in NAMES:
        (work / "specs" / f"{name}.job.yaml").write_text(JOB.format(name=name))
    monkeypatch.chdir(work)
    monkeypatch.setenv("PATH", "")
    with serve_sandbox(tmp_path / "doubles", tmp_path / "started.sqlite") as served:
        (work / "targets.yaml").write_text(served.targets())
        yield served


def started(here: ServedSandbox) -> Counter[str]:
    assert not doubled(here.starts())
    return Counter(start.mark for start in here.starts())


def fresh() -> None:
    shutil.rmtree(".runner", ignore_errors=True)


def test_an_apply_that_is_killed_at_any_write_of_the_ledger_is_ended_by_the_next_and_starts_nothing_twice(
    here: ServedSandbox, pytestconfig: pytest.Config, record_property: Callable[[str, object], None]
) -> None:
    for name in NAMES[1:]:
        Path(f"specs/{name}.job.yaml").unlink()
    command = ["apply", "specs", "-q"]
    number = statements(command)
    every = 1 if pytestconfig.getoption("--long") else 2
    dooms = [(moment, at) for at in range(1, number + 1) for moment in ("before", "after")][::every]
    for index, (moment, at) in enumerate(dooms):
        fresh()
        Path("specs/a.job.yaml").write_text(JOB.format(name=f"n{index}"))
        assert killed(command, moment, at) == KILLED, (moment, at)
        assert exit_code_of(["apply", "specs"]) == 0, (moment, at)
        assert exit_code_of(["apply", "specs"]) == 0, (moment, at)
        starts = started(here)
        assert {starts[f"n{index} first"], starts[f"n{index} second"]} == {1}, (moment, at)
    record_property(f"{COUNTED}applies killed at a write of the ledger", len(dooms))


def test_a_loss_of_power_after_any_write_of_the_ledger_loses_no_version_and_starts_nothing_twice(
    here: ServedSandbox,
) -> None:
    for name in NAMES[1:]:
        Path(f"specs/{name}.job.yaml").unlink()
    command = ["apply", "specs", "-q"]
    for at in range(1, statements(command) + 1):
        fresh()
        Path("specs/a.job.yaml").write_text(JOB.format(name=f"n{at}"))
        assert killed(command, POWER_LOST, at) == KILLED, at
        assert exit_code_of(["apply", "specs"]) == 0, at
        starts = started(here)
        assert {starts[f"n{at} first"], starts[f"n{at} second"]} == {1}, at


def test_applies_that_are_killed_anywhere_start_nothing_twice_and_come_to_their_end(
    here: ServedSandbox, pytestconfig: pytest.Config, record_property: Callable[[str, object], None]
) -> None:
    rounds = 40 if pytestconfig.getoption("--long") else 2
    chance = random.Random(7)
    kills = 0
    for number in range(rounds):
        fresh()
        for name in NAMES:
            Path(f"specs/{name}.job.yaml").write_text(JOB.format(name=f"n{number}{name}"))
        code, seconds = KILLED, 0.2
        while code == KILLED:
            with start("apply", "specs", "-j", "3", stdout=DEVNULL, stderr=DEVNULL) as process:
                ends = time.monotonic() + chance.uniform(0.02, seconds)
                while process.poll() is None and time.monotonic() < ends:
                    time.sleep(0.005)
                process.kill()
                code = process.wait()
            seconds *= 1.5  # on a busy machine it would else never begin
            kills += code == KILLED
        assert code in SETTLED
        ended = carried_out("apply", "specs")
        starts = started(here)
        assert all(starts[f"n{number}{mark}"] <= 1 for mark in EACH)
        if ended.returncode == 0:
            assert all(starts[f"n{number}{mark}"] == 1 for mark in EACH), ended
    record_property(f"{COUNTED}applies killed anywhere", kills)


def test_two_applies_at_once_carry_each_version_out_once(here: ServedSandbox) -> None:
    both = [start("apply", "specs", "-q", "--wait", "60s", stderr=PIPE) for _ in range(2)]
    ends = [process.communicate(TIME) for process in both]
    for process in both:
        process.close()
    assert [process.returncode for process in both] == [0, 0], ends
    assert set(started(here)) == EACH

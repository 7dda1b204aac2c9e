"""Turns over all folders of runs: whose turn it is, and that nobody waits for a program that is gone, or hangs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.runs.evidence import LockHolder
from runner.runs.files.turn_files import TurnFiles

SITE = "http://localhost:80"
MINE, OTHERS = LockHolder(job="a@here", run="r-1"), LockHolder(job="b@here", run="r-2")


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def here(tmp_path: Path, clock: Clock) -> TurnFiles:
    return turns(tmp_path, "/here", clock)


@pytest.fixture
def there(tmp_path: Path, clock: Clock) -> TurnFiles:
    return turns(tmp_path, "/there", clock)


def turns(folder: Path, place: str, clock: Clock, *, site: str = SITE) -> TurnFiles:
    return TurnFiles(folder / "state" / "turns", site=site, place=place, now=clock)


def test_another_folder_waits_for_a_turn_and_learns_which_run_has_it_and_where(
    here: TurnFiles, there: TurnFiles
) -> None:
    assert here.take("UsrA", MINE)
    assert not there.take("UsrA", OTHERS)
    assert there.holder("UsrA") == LockHolder(job="a@here", run="r-1", folder="/here")
    here.give_back("UsrA")
    assert there.take("UsrA", OTHERS)


def test_a_run_of_the_same_folder_is_named_without_it(tmp_path: Path, here: TurnFiles, clock: Clock) -> None:
    assert here.take("UsrA", MINE)
    another = turns(tmp_path, "/here", clock)
    assert not another.take("UsrA", OTHERS)
    assert another.holder("UsrA") == MINE


def test_a_folder_whose_name_is_not_utf_8_takes_turns_and_is_named_as_far_as_it_can_be(
    tmp_path: Path, there: TurnFiles, clock: Clock
) -> None:
    odd = turns(tmp_path, "/caf\udce9", clock)
    assert odd.take("UsrA", LockHolder(job="caf\udce9@here", run="r-1"))
    assert not there.take("UsrA", OTHERS)
    assert there.holder("UsrA") == LockHolder(job="caf\ufffd@here", run="r-1", folder="/caf\ufffd")
    assert odd.holder("UsrA") == LockHolder(job="caf\ufffd@here", run="r-1")


def test_other_processes_and_other_sites_are_free(tmp_path: Path, here: TurnFiles, clock: Clock) -> None:
    assert here.take("UsrA", MINE)
    assert turns(tmp_path, "/there", clock).take("UsrB", OTHERS)
    assert turns(tmp_path, "/there", clock, site="http://other:80").take("UsrA", OTHERS)


def test_a_turn_is_free_when_its_program_is_killed(tmp_path: Path, there: TurnFiles) -> None:
    program = (
        "import sys; from pathlib import Path; from runner.runs.files.turn_files import TurnFiles;"
        f"print(TurnFiles(Path(sys.argv[1]), site={SITE!r}, place='/here').take('UsrA', None), flush=True);"
        "sys.stdin.readline()"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "state" / "turns")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "True\n"
        assert not there.take("UsrA", OTHERS)
        assert there.holder("UsrA") is None, "it named no run"
        child.kill()
        child.wait()
        assert there.take("UsrA", OTHERS)


def test_who_hangs_for_longer_than_its_call_may_take_is_not_waited_for(
    here: TurnFiles, there: TurnFiles, clock: Clock
) -> None:
    assert here.take("UsrA", MINE)
    here.extend("UsrA", seconds=100.0)
    clock.now += 159.0
    assert not there.take("UsrA", OTHERS)
    clock.now += 2.0
    assert not there.take("UsrA", OTHERS), "its holder may be about to say so"
    clock.now += 1.0
    assert there.take("UsrA", OTHERS)
    assert not there.handed_on["UsrA"]
    there.give_back("UsrA")
    here.extend("UsrA", seconds=100.0)
    assert not there.take("UsrA", OTHERS), "it goes on"
    here.give_back("UsrA")
    assert there.take("UsrA", OTHERS)


def test_a_turn_is_had_for_a_minute_before_its_call_leaves(here: TurnFiles, there: TurnFiles, clock: Clock) -> None:
    assert here.take("UsrA", MINE)
    for seconds in (58.0, 1.5):
        clock.now += seconds
        assert not there.take("UsrA", OTHERS)


def test_each_holder_that_hangs_is_given_a_moment_to_say_so(here: TurnFiles, there: TurnFiles, clock: Clock) -> None:
    assert here.take("UsrA", MINE)
    clock.now += 61.0
    assert not there.take("UsrA", OTHERS)
    here.extend("UsrA", seconds=1.0)
    assert not there.take("UsrA", OTHERS)
    clock.now += 62.0
    assert not there.take("UsrA", OTHERS)
    here.give_back("UsrA")
    assert there.take("UsrA", OTHERS)
    there.give_back("UsrA")
    clock.now += 1.0
    assert here.take("UsrA", MINE)
    clock.now += 61.0
    assert not there.take("UsrA", OTHERS)


def test_who_does_not_wait_for_a_turn_leaves_its_file_to_the_holder(
    tmp_path: Path, here: TurnFiles, there: TurnFiles, clock: Clock
) -> None:
    assert here.take("UsrA", MINE)
    another = turns(tmp_path, "/elsewhere", clock)
    clock.now += 61.0
    assert not another.take("UsrA", OTHERS)
    assert not there.take("UsrA", OTHERS)
    clock.now += 1.0
    assert there.take("UsrA", OTHERS)
    there.extend("UsrA", seconds=1000.0)
    assert another.take("UsrA", OTHERS)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_who_cannot_write_on_a_full_disk_how_long_it_needs_its_turn_has_a_turn_for_as_long_as_most_need(
    tmp_path: Path, here: TurnFiles, there: TurnFiles, clock: Clock
) -> None:
    assert here.take("UsrA", MINE)
    (file,) = (tmp_path / "state/turns").glob("*.turn")
    os.truncate(file, 0)
    for _ in range(5):
        assert not there.take("UsrA", OTHERS)
        os.truncate(file, 0)
        clock.now += 30.0
    clock.now += 31.0
    assert there.take("UsrA", OTHERS)


def test_a_program_with_many_runs_steps_aside_for_another_that_waits(
    here: TurnFiles, there: TurnFiles, clock: Clock
) -> None:
    assert here.take("UsrA", MINE)
    assert not there.take("UsrA", OTHERS)
    here.give_back("UsrA")
    assert not here.take("UsrA", MINE)
    assert there.take("UsrA", OTHERS)
    there.give_back("UsrA")
    clock.now += 0.2
    assert here.take("UsrA", MINE)


def test_a_program_does_not_wait_long_for_another_that_has_gone(
    here: TurnFiles, there: TurnFiles, clock: Clock
) -> None:
    assert here.take("UsrA", MINE)
    assert not there.take("UsrA", OTHERS)
    here.give_back("UsrA")
    assert not here.take("UsrA", MINE)
    clock.now += 0.3
    assert here.take("UsrA", MINE)
    here.give_back("UsrA")
    assert here.take("UsrA", MINE), "nobody waits any more"


def test_what_was_read_of_the_log_is_handed_on_only_where_nobody_else_had_the_turn(
    here: TurnFiles, there: TurnFiles
) -> None:
    def has_it(files: TurnFiles, holder: LockHolder) -> bool:
        assert files.take("UsrA", holder)
        files.give_back("UsrA")
        return files.handed_on["UsrA"]

    assert [has_it(here, MINE), has_it(here, OTHERS)] == [False, True]
    assert [has_it(there, OTHERS), has_it(here, MINE), has_it(here, MINE)] == [False, False, True]


def test_without_a_folder_for_them_turns_are_not_shared(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").touch()
    for place in ("/here", "/there"):
        files = turns(tmp_path / "file", place, clock)
        assert files.take("UsrA", MINE)
        assert files.handed_on["UsrA"]
        assert files.holder("UsrA") is None
        files.extend("UsrA", seconds=1.0)
        files.give_back("UsrA")

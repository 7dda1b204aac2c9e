"""What kept runs say of how they ended: read from their first and last lines alone."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from journals import EVENTS, RUN_STARTED, ends, new_journal
from msgspec.structs import replace

from runner.runs.events import AnyEvent, CallAnswered, Paused, RunFinished, RunStarted, RunStatus
from runner.runs.files.store import FileRunStore
from runner.runs.store import NotReachedError
from runner.runs.stored_runs import failed_runs, load, newest_runs
from runner.secrets.redact import Secrets


@pytest.fixture
def ids() -> Iterator[str]:
    return (f"0193a0c4-0000-7000-8000-{number:012d}" for number in count())


def started(job: str = "smoke", *, case: str | None = None, target: str = "here") -> RunStarted:
    return replace(RUN_STARTED, job=job, case=case, target=replace(RUN_STARTED.target, name=target))


def finished(status: str) -> RunFinished:
    return RunFinished(t=1.0, status=RunStatus(status), exit_code=0 if status == "passed" else 1)


def keep(root: Path, run: str, *events: AnyEvent) -> Path:
    journal = new_journal(root / run, Secrets(), now=lambda: "2026-01-31T09:00:00.000Z")
    for event in events:
        journal.append(event)
    journal.close()
    return root / run


def test_the_ends_of_a_journal_are_its_first_and_its_last_line(tmp_path: Path) -> None:
    between = [Paused(key="a", t=0.0, seconds=1.0) for _ in range(1000)]
    folder = keep(tmp_path, "run", started(), *between, finished("passed"))
    first, last = ends(folder)
    assert (first.event, last.event) == (started(), finished("passed"))
    assert last.seq == 1002


@pytest.mark.parametrize("size", [10, 100_000, 2_000_000])
def test_a_last_line_of_any_length_is_found_whole(tmp_path: Path, size: int) -> None:
    long = CallAnswered(key="a", t=0.0, value=["x" * 1000] * (size // 1000))
    folder = keep(tmp_path, "run", started(), long)
    if size > 256 * 1024:  # such a result lies apart; here it is put back into the line
        text = (folder / EVENTS).read_text().splitlines()
        (folder / EVENTS).write_text(text[0] + "\n" + text[1].replace('"bytes"', f'"x":"{"y" * size}","bytes"') + "\n")
    assert [type(line.event) for line in ends(folder)] == [RunStarted, CallAnswered]


@pytest.mark.slow
def test_the_ends_of_a_torn_journal_are_those_of_its_whole_lines(tmp_path: Path) -> None:
    paused = Paused(key="a", t=0.0, seconds=1.0)
    folder = keep(tmp_path, "run", started(), paused, finished("passed"))
    events = (folder / EVENTS).read_bytes()
    ends_of = {0: [], 1: [started()], 2: [started(), paused], 3: [started(), finished("passed")]}
    for cut in range(len(events) + 1):
        (folder / EVENTS).write_bytes(events[:cut])
        assert [line.event for line in ends(folder)] == ends_of[events[:cut].count(b"\n")]


def test_the_newest_of_each_run_counts(tmp_path: Path, ids: Iterator[str]) -> None:
    keep(tmp_path, next(ids), started("mended"), finished("failed"))
    keep(tmp_path, next(ids), started("broken"), finished("passed"))
    keep(tmp_path, next(ids), started("mended"), finished("passed"))
    keep(tmp_path, next(ids), started("broken"), finished("unknown"))
    assert failed_runs(newest_runs(FileRunStore(tmp_path), {})).keys() == {("broken", None, "here")}


def test_cases_and_targets_are_runs_of_their_own(tmp_path: Path, ids: Iterator[str]) -> None:
    keep(tmp_path, next(ids), started(case="one"), finished("failed"))
    keep(tmp_path, next(ids), started(case="two"), finished("passed"))
    keep(tmp_path, next(ids), started(case="one", target="there"), finished("passed"))
    assert failed_runs(newest_runs(FileRunStore(tmp_path), {})).keys() == {("smoke", "one", "here")}


def test_a_run_that_broke_off_has_not_passed(tmp_path: Path, ids: Iterator[str]) -> None:
    keep(tmp_path, next(ids), started())
    assert failed_runs(newest_runs(FileRunStore(tmp_path), {})).keys() == {("smoke", None, "here")}


def test_what_is_no_run_says_nothing(tmp_path: Path, ids: Iterator[str]) -> None:
    (tmp_path / next(ids)).mkdir()
    folder = keep(tmp_path, next(ids), started(), finished("failed"))
    (folder / EVENTS).write_text("nonsense\n")
    assert failed_runs(newest_runs(FileRunStore(tmp_path), {})) == {}
    assert failed_runs(newest_runs(FileRunStore(tmp_path / "nowhere"), {})) == {}


def test_a_store_that_goes_away_while_a_run_is_read_is_no_mistake_of_the_command(tmp_path: Path) -> None:
    class GoingAway(FileRunStore):
        def events(self, run: str) -> Iterator[bytes]:
            raise NotReachedError(f"the server closed the connection before {run}")

    with pytest.raises(NotReachedError):
        load(GoingAway(tmp_path), "01940000-0000-7000-8000-000000000000")

"""Whose rows are over all folders, when the file that all of them share is lost, or cannot be opened for a while."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from runner.runs.files.owned_rows import RowsOfRun
from runner.runs.files.row_database import RowDatabase
from runner.runs.files.rows_of_folders import RowsOfFolders, SharedFile, machine
from runner.runs.store import Others, RowQuery, SentStarts

SITE = "https://one.example:443 integration"
A = frozenset({"a"})
ONCE = {"a": 1}
query = partial(RowQuery, key="a", codes=("UsrA",), rows=("1",), keys=("a",))


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Folders:
    """Folders of one user; each has a program of its own, which has one run."""

    def __init__(self, place: Path, now: Clock) -> None:
        self.file = place / "state" / "rows.sqlite"
        self._place, self._now = place, now
        self._open: list[RowDatabase] = []

    def run(self, folder: str, *, name: str | None = None) -> RowsOfFolders:
        place = self._place / folder
        own = RowDatabase(place / ".rows.sqlite", now=self._now)
        place.mkdir(exist_ok=True)
        self.shared = RowDatabase(self.file, place=place, now=self._now)
        self._open += [own, self.shared]
        return RowsOfFolders(SharedFile(own, self.shared), run=name or folder, site=SITE, settle=15.0)

    def began(self, folder: str) -> RowsOfFolders:
        rows = self.run(folder)
        rows.begin("a", "UsrA", seconds=100.0)
        return rows

    def close(self) -> None:
        for database in self._open:
            database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folders(tmp_path: Path, clock: Clock) -> Iterator[Folders]:
    made = Folders(tmp_path, clock)
    yield made
    made.close()


Loss: TypeAlias = Callable[[Path], object]


def deleted_whole(file: Path) -> None:
    for path in file.parent.glob("rows.sqlite*"):
        path.unlink()


def replaced(file: Path) -> None:
    other = file.with_name("other")
    database = sqlite3.connect(other)
    database.execute("CREATE TABLE other (id TEXT)")
    database.close()
    other.replace(file)


def emptied(file: Path) -> None:
    os.truncate(file, 0)


_LOSSES = [
    pytest.param(Path.unlink, id="deleted"),
    pytest.param(deleted_whole, id="deleted with all that is beside it"),
    pytest.param(replaced, id="replaced"),
    pytest.param(emptied, id="emptied"),
]


@pytest.mark.parametrize("lose", _LOSSES)
def test_where_the_shared_file_is_lost_in_the_middle_of_a_run_its_later_starts_are_known_to_other_folders(
    folders: Folders, lose: Loss
) -> None:
    first = folders.began("first")
    lose(folders.file)
    first.begin("b", "UsrA", seconds=100.0)
    assert folders.began("second").ask(query()).rival


@pytest.mark.parametrize("lose", _LOSSES)
def test_so_are_those_from_before_and_the_rows_that_it_has(folders: Folders, clock: Clock, lose: Loss) -> None:
    first = folders.began("first")
    assert first.ask(query()) == Others()
    first.begin("b", "UsrA", seconds=100.0)
    lose(folders.file)
    first.ask(query(key="other", rows=(), keys=None))
    clock.now += 200.0
    second = folders.began("second")
    assert second.ask(query(rows=("1", "2"), keys=None)) == Others(taken=("1",)), "the start `b` is over for long"
    assert second.ask(query(timed=False, rows=("2",))).rival


@pytest.mark.parametrize("lose", _LOSSES)
def test_so_it_is_where_two_runs_have_it_open_and_notice_it_one_after_the_other(folders: Folders, lose: Loss) -> None:
    first, second = folders.began("first"), folders.began("second")
    lose(folders.file)
    for each in (first, second, first, second):
        each.begin("b", "UsrA", seconds=100.0)
    first.never_began("b")
    third = folders.began("third")
    assert third.ask(query()).rival
    first.never_began("a")
    first.never_began("b")
    assert third.ask(query()).rival
    for key in ("a", "b", "b"):
        second.never_began(key)
    assert third.ask(query()) == Others()


def test_starts_whose_row_nobody_reads_are_known_too(folders: Folders) -> None:
    first = folders.run("first")
    first.begin("a", "UsrA", seconds=100.0, is_read=False)
    second = folders.began("second")
    folders.file.unlink()
    first.begin("b", "UsrA", seconds=100.0, is_read=False)
    assert second.ask(query()).by is not None
    for key in ("a", "b"):
        first.never_began(key)
    first.flush()
    assert second.ask(query()).by is None


@pytest.mark.parametrize("is_flushed", [False, True])
def test_what_began_while_the_shared_file_was_locked_is_known_when_it_can_be_opened_again(
    folders: Folders, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, is_flushed: bool
) -> None:
    monkeypatch.setattr("runner.runs.files.row_database.PATIENCE", 0.0)
    folders.began("before")
    locked = sqlite3.connect(folders.file, isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    first = folders.began("first")
    assert folders.shared.trouble == f"{folders.file}: database is locked"
    first.leave("a")
    first.answer("a")
    locked.execute("ROLLBACK")
    clock.now += 6.0
    if is_flushed:
        first.flush()
        clock.now += 300.0
        first.time_out("a")
    else:
        first.begin("b", "UsrA", seconds=100.0)
    assert folders.began("second").ask(query()).rival
    locked.close()


def test_a_run_that_is_resumed_is_known_to_a_shared_file_that_was_lost_since(folders: Folders) -> None:
    folders.began("first")
    folders.close()
    folders.file.unlink()
    folders.run("first").ask(query(rows=(), keys=None))
    assert folders.began("second").ask(query()).rival


def test_a_copy_of_the_folder_that_knows_no_start_of_the_run_takes_none_from_the_shared_file(folders: Folders) -> None:
    folders.began("first")
    copy = folders.run("copy", name="first")
    copy.ask(query(rows=(), keys=None))
    other = folders.file.with_name("other")
    database = sqlite3.connect(folders.file)
    database.execute("VACUUM INTO ?", (str(other),))  # as who puts a backup of it in its place
    database.close()
    deleted_whole(folders.file)
    other.replace(folders.file)
    copy.ask(query(rows=(), keys=None))
    assert folders.began("second").ask(query()).rival


def is_lost(others: Others) -> bool:
    return others.rival and others.by is None and others.lost is not None


@pytest.mark.parametrize("lose", _LOSSES)
def test_what_other_folders_had_in_a_shared_file_that_is_lost_may_be_of_the_rows_of_earlier_calls(
    folders: Folders, clock: Clock, lose: Loss
) -> None:
    folders.began("first")
    folders.began("second").ask(query())
    folders.close()
    lose(folders.file)
    clock.now += 10_000.0
    assert is_lost(folders.run("first").ask(query()))
    assert is_lost(folders.run("first").ask(query())), "also when the folder has known the new file for long"
    assert folders.run("second").ask(query(certain=True)) == Others()
    assert not folders.run("first").ask(query(rows=(), keys=None, key="other")).rival, "it has started nothing"
    clock.now += 200.0
    later = folders.run("first")
    later.begin("b", "UsrA", seconds=100.0)
    assert later.ask(query(key="b", keys=("b",), rows=("2",))).lost is None


def test_so_are_rows_of_a_call_soon_after_it_was_lost(folders: Folders, clock: Clock) -> None:
    folders.began("first")
    folders.began("second")
    folders.close()
    folders.file.unlink()
    soon = folders.run("first")
    soon.begin("b", "UsrA", seconds=100.0)
    assert is_lost(soon.ask(query(key="b", keys=("b",), rows=("2",))))
    clock.now += 130.0
    soon.begin("c", "UsrA", seconds=100.0)
    assert is_lost(soon.ask(query(key="c", keys=("c",), rows=("3",), timed=False)))
    assert soon.ask(query(key="c", keys=("c",), rows=("3",))).lost is None


def test_nothing_is_lost_where_a_folder_sees_a_shared_file_for_the_first_time(folders: Folders) -> None:
    first, second = folders.began("first"), folders.began("second")
    second.never_began("a")
    assert first.ask(query()) == Others()


def test_a_folder_that_another_machine_has_begun_knows_nothing_of_a_loss(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.runs.files.rows_of_folders.machine", lambda: "there")
    folders.began("first")
    folders.close()
    folders.file.unlink()
    monkeypatch.setattr("runner.runs.files.rows_of_folders.machine", lambda: "here")
    assert folders.run("first").ask(query()) == Others()


@pytest.mark.parametrize(("ci", "is_another"), [("true", True), ("", False)])
def test_a_machine_that_was_started_anew_is_another_in_ci_only(
    monkeypatch: pytest.MonkeyPatch, ci: str, *, is_another: bool
) -> None:
    monkeypatch.setenv("CI", ci)
    names = set()
    for boot in ("b1", "b2"):
        monkeypatch.setattr(
            Path, "read_text", lambda path, boot=boot: boot if path.name == "boot_id" else "1 (a)" + " 7" * 30
        )
        names.add(machine())
    assert len(names) == 1 + is_another


def test_nothing_is_said_of_a_file_that_could_always_be_opened(folders: Folders) -> None:
    folders.began("first")
    folders.file.unlink()
    folders.began("first")
    assert folders.shared.trouble is None


def test_which_file_of_all_folders_a_folder_has_seen_is_asked_once_and_again_of_a_new_own_file(
    tmp_path: Path, clock: Clock
) -> None:
    own = RowDatabase(tmp_path / ".rows.sqlite", now=clock)
    file = SharedFile(own, RowDatabase(tmp_path / "state" / "rows.sqlite", place=tmp_path, now=clock))

    def seen_after(run: str) -> int:
        RowsOfFolders(file, run=run, site=SITE, settle=15.0, is_new=True).begin("a", "UsrA", seconds=100.0)
        with own.changing() as database:
            (found,) = database.execute("SELECT count(*) FROM seen").fetchone()
            database.execute("DELETE FROM seen")
        return int(found)

    assert [seen_after("first"), seen_after("second")] == [1, 0]
    own.file.unlink()
    assert [seen_after("third"), seen_after("fourth")] == [1, 0]
    own.close()
    file.shared.close()


def test_a_new_run_does_not_read_through_what_its_folder_has_brought_along(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RowsOfRun, "stored", lambda _: pytest.fail("the whole file was read"))
    own = RowDatabase(tmp_path / ".rows.sqlite", now=clock)
    shared = RowDatabase(tmp_path / "state" / "rows.sqlite", place=tmp_path, now=clock)
    for run in ("first", "second"):
        RowsOfFolders(SharedFile(own, shared), run=run, site=SITE, settle=15.0, is_new=True).begin(
            "a", "UsrA", seconds=100.0
        )
    assert RowsOfFolders(SharedFile(own, shared), run="third", site=SITE, settle=15.0, is_new=True).ask(query()).rival
    own.close()
    shared.close()


def test_a_start_that_its_folder_does_not_know_or_that_has_a_row_was_sent_for_certain(folders: Folders) -> None:
    first = folders.began("first")
    assert first.sent() == SentStarts(calls=ONCE), "a kill may have come before it left"
    assert folders.run("copy", name="first").sent() == SentStarts(calls=ONCE, certain=A)
    assert first.ask(query()) == Others()
    assert first.sent() == folders.run("copy", name="first").sent() == SentStarts(calls=ONCE, certain=A)
    assert folders.run("other").sent() == SentStarts()


def test_calls_of_a_row_that_may_have_begun_something_are_counted(folders: Folders) -> None:
    first = folders.began("first")
    first.never_began("a", is_certain=False)
    first.begin("a", "UsrA", seconds=100.0)
    assert first.sent() == SentStarts(calls={"a": 2})
    first.never_began("a")
    assert first.sent() == SentStarts(calls=ONCE)
    first.begin("a", "UsrA", seconds=100.0)
    assert first.ask(query()) == Others()
    assert first.sent() == SentStarts(calls={"a": 2}, certain=A), "only the last has the row"


def test_a_kill_between_the_two_files_makes_a_start_none_that_was_sent_for_certain(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, begin = folders.run("first"), RowsOfRun.begin
    begun: list[str] = []

    def begin_or_die(rows: RowsOfRun, key: str, process: str, *, seconds: float, is_read: bool = True) -> None:
        if begun:
            raise KeyboardInterrupt
        begun.append(key)
        begin(rows, key, process, seconds=seconds, is_read=is_read)

    monkeypatch.setattr(RowsOfRun, "begin", begin_or_die)
    with pytest.raises(KeyboardInterrupt):
        first.begin("a", "UsrA", seconds=100.0)
    assert folders.run("first").sent() == SentStarts(calls=ONCE)

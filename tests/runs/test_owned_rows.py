"""Whose rows of a process log are: each belongs to one call at most, in all runs of a folder, pruned or not."""

import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest
from msgspec.structs import replace

from runner.fleet.rows import FleetRows
from runner.fleet.store import FleetStore
from runner.foundation import server_time
from runner.runs.files.owned_rows import RowsOfRun
from runner.runs.files.row_database import RowDatabase
from runner.runs.files.row_tables import KEPT
from runner.runs.files.rows_of_folders import RowsOfFolders, SharedFile
from runner.runs.pending_starts import AFTER, LATE, NEAR
from runner.runs.store import SET_ASIDE, Others, Rival, RowQuery, StoreError

pytestmark = pytest.mark.slow

SITE = "http://localhost:80"
query = partial(RowQuery, codes=("UsrA",))
LAST = NEAR + AFTER
"""Seconds after the end of a start for which it is a rival of the next."""
TAKES = ("a",)
"""The rows of the report to which a row of the log is given."""


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


AskedRows: TypeAlias = RowsOfRun | RowsOfFolders | FleetRows


class OwnedByFleet:
    """Runs of a fleet are named by UUIDs."""

    def __init__(self, dsn: str, now: Callable[[], float | None] = lambda: None) -> None:
        self._store = FleetStore(dsn, now=now)

    def rows_of(self, run: str, site: str, settle: float) -> FleetRows:
        return self._store.owned_rows(str(uuid.uuid5(uuid.NAMESPACE_DNS, run)), site=site, settle=settle)

    def close(self) -> None:
        self._store.close()


class OwnedByFolders:
    """Each run is in a folder of its own, which it shares with no other."""

    def __init__(self, folder: Path, now: Clock) -> None:
        self._folder, self._now = folder, now
        self._shared = RowDatabase(folder / "state" / "rows.sqlite", now=now)
        self._own: dict[str, RowDatabase] = {}

    def rows_of(self, run: str, site: str, settle: float, *, is_new: bool = False) -> RowsOfFolders:
        if run not in self._own:
            self._own[run] = RowDatabase(self._folder / f"{len(self._own)}.sqlite", now=self._now)
        return RowsOfFolders(SharedFile(self._own[run], self._shared), run=run, site=site, settle=settle, is_new=is_new)

    def close(self) -> None:
        for database in (self._shared, *self._own.values()):
            database.close()


Owned: TypeAlias = RowDatabase | OwnedByFleet | OwnedByFolders


@pytest.fixture
def files(tmp_path: Path, clock: Clock) -> Iterator[RowDatabase]:
    made = RowDatabase(tmp_path / ".rows.sqlite", now=clock)
    yield made
    made.close()


@pytest.fixture
def folders(tmp_path: Path, clock: Clock) -> OwnedByFolders:
    return OwnedByFolders(tmp_path, clock)


@pytest.fixture(params=["files", "folders", "fleet"])
def owned(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Owned]:
    kind: str = request.param
    found = request.getfixturevalue(kind)
    made: Owned = OwnedByFleet(found, now=clock) if kind == "fleet" else found
    yield made
    made.close()


def run(owned: Owned, name: str, *, site: str = SITE, settle: float = 15.0) -> AskedRows:
    if isinstance(owned, RowDatabase):
        return RowsOfRun(owned, run=name, site=site, settle=settle)
    return owned.rows_of(name, site, settle)


def began(owned: Owned, name: str, *, site: str = SITE) -> AskedRows:
    """A run whose start is under way."""
    rows = run(owned, name, site=site)
    rows.begin("a", "UsrA", seconds=100.0)
    return rows


def answered(owned: Owned, name: str) -> AskedRows:
    """A run whose start was answered, and that does nothing more for a while."""
    rows = began(owned, name)
    rows.answer("a")
    rows.flush()
    return rows


def test_a_row_that_belongs_to_a_call_is_taken_for_every_other_run(owned: Owned) -> None:
    first = began(owned, "first")
    assert first.ask(query(key="a", rows=("1",), keys=TAKES)) == Others()
    assert began(owned, "second").ask(query(key="a", rows=("1", "2"), keys=TAKES)) == Others(taken=("1",))
    assert first.ask(query(key="a", rows=("1",), keys=None)) == Others()


def test_what_was_only_asked_for_belongs_to_nobody(owned: Owned) -> None:
    first = began(owned, "first")
    first.ask(query(key="a", rows=("1",), keys=None))
    first.never_began("a")
    assert began(owned, "second").ask(query(key="a", rows=("1",), keys=TAKES)) == Others()


@pytest.mark.parametrize("is_read", [True, False])
def test_a_refused_start_that_the_log_did_not_show_counts_only_for_a_call_without_an_answer(
    owned: Owned, clock: Clock, *, is_read: bool
) -> None:
    first, second = run(owned, "first"), run(owned, "second")
    first.begin("a", "UsrA", seconds=10.0, is_read=is_read)
    first.never_began("a", is_certain=False)
    first.flush()
    second.begin("a", "UsrA", seconds=10.0)
    asked = query(key="a", rows=("1",), keys=TAKES)
    assert second.ask(replace(asked, codes=("UsrA", f"{SET_ASIDE}UsrA"))).rival
    assert second.ask(asked) == Others()
    clock.now += NEAR + 1
    third = began(owned, "third")
    assert third.ask(replace(asked, rows=("2",), codes=("UsrA", f"{SET_ASIDE}UsrA"))) == Others()


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize(("later", "rival"), [(AFTER - 0.5, True), (AFTER + 0.5, False)])
def test_a_refused_start_counts_for_calls_that_begin_until_shortly_after_its_refusal(
    owned: Owned, clock: Clock, *, is_read: bool, later: float, rival: bool
) -> None:
    first, second = run(owned, "first"), run(owned, "second")
    first.begin("a", "UsrA", seconds=10.0, is_read=is_read)
    first.answer("a")
    clock.now += later
    first.never_began("a", is_certain=False)
    first.flush()
    second.begin("a", "UsrA", seconds=10.0)
    assert second.ask(query(key="a", rows=("1",), codes=("UsrA", f"{SET_ASIDE}UsrA"), keys=TAKES)).rival is rival


def test_the_folders_of_the_runs_need_not_be_there_any_more(tmp_path: Path, files: RowDatabase, clock: Clock) -> None:
    began(files, "first").ask(query(key="a", rows=("1",), keys=TAKES))
    files.close()
    again = RowDatabase(tmp_path / ".rows.sqlite", now=clock)
    assert began(again, "second").ask(query(key="a", rows=("1",), keys=TAKES)).taken == ("1",)
    again.close()


def test_a_start_without_its_row_is_a_rival_of_one_that_was_under_way_at_the_same_time(
    owned: Owned, clock: Clock
) -> None:
    first = began(owned, "first")
    clock.now += 100
    second = began(owned, "second")
    assert second.ask(query(key="a", rows=("1",), keys=TAKES)).rival
    first.ask(query(key="a", rows=("1",), keys=None))
    second.never_began("a")
    assert first.ask(query(key="a", rows=("1",), keys=TAKES)) == Others()


def test_an_old_start_without_its_row_is_no_rival_of_a_call_whose_row_is_known_already(
    owned: Owned, clock: Clock
) -> None:
    answered(owned, "old")
    clock.now += 1000
    call = began(owned, "call")
    assert call.ask(query(key="a", rows=("1",), keys=TAKES)) == Others()
    assert run(owned, "call").ask(query(key="a", rows=("1",), keys=TAKES)) == Others()
    assert run(owned, "call").ask(query(key="a", rows=("2",), keys=TAKES)).rival


@pytest.mark.parametrize("seconds", [1, 116, 3600, 30 * 24 * 3600])
def test_whether_it_is_one_does_not_depend_on_when_the_log_is_read(owned: Owned, clock: Clock, seconds: int) -> None:
    first = began(owned, "first")
    began(owned, "second")
    clock.now += seconds
    assert first.ask(query(key="a", rows=("1",), keys=TAKES)).rival


@pytest.mark.parametrize(("folder", "named"), [("there", True), ("here", False), (None, False)])
def test_a_rival_is_named_with_its_step_and_another_folder_that_has_its_run(
    tmp_path: Path, clock: Clock, folder: str | None, *, named: bool
) -> None:
    there, here = (
        RowDatabase(tmp_path / "rows.sqlite", place=tmp_path / place, now=clock) for place in ("there", "here")
    )
    if folder is not None:
        (tmp_path / folder / "first").mkdir(parents=True)
    began(there, "first")
    by = began(here, "second").ask(query(key="a", rows=("1",), keys=TAKES)).by
    place = str(tmp_path / "there") if named else None
    until = "1970-01-12T13:48:42Z"
    assert by == Rival(run="first", key="a", began="1970-01-12T13:46:40Z", until=until, folder=place)
    clock.now += 123.0
    later = run(here, "later")
    later.begin("a", "UsrA", seconds=100.0)
    run(here, "second").never_began("a")
    assert later.ask(query(key="a", rows=("1",), keys=TAKES)) == Others()
    there.close()
    here.close()


def test_a_rival_is_named_with_times_of_the_clock_as_it_is_set_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_since = time.time
    monkeypatch.setattr(time, "time", lambda: set_since() - 3600.0)
    rows = RowDatabase(tmp_path / "rows.sqlite")
    rows.now()
    monkeypatch.undo()
    before = server_time.odata_time(time.time())
    began(rows, "first")
    by = began(rows, "second").ask(query(key="a", rows=("1",), keys=TAKES)).by
    rows.close()
    assert by is not None
    assert before <= by.began <= server_time.odata_time(time.time())


@pytest.mark.parametrize("keys", [None, TAKES])
def test_what_others_know_is_written_down_with_the_rows_that_are_only_asked_for(keys: tuple[str, ...] | None) -> None:
    until = "1970-01-12T13:48:40Z"
    by = Rival(run="first", key="a", began="1970-01-12T13:46:40Z", until=until, folder="/there")
    found = Others(taken=("1",), rival=True, by=by).answer(query(key="a", rows=("1", "2"), keys=keys))
    named = {"run": "first", "step": "a", "began": "1970-01-12T13:46:40Z", "until": until, "folder": "/there"}
    assert found == {"taken": ["1"], "rival": True, "by": named} | ({} if keys else {"rows": ["2"]})


def test_a_start_that_may_have_left_long_after_its_time_is_a_rival_of_those_that_began_since(
    owned: Owned, clock: Clock
) -> None:
    """Its program was stopped between the last question and the first byte, and nobody answered it in time."""
    first = began(owned, "first")
    first.leave("a")
    clock.now += 300.0
    second = began(owned, "second")
    first.time_out("a")
    assert second.ask(query(key="a", rows=("1",), keys=TAKES)).rival
    clock.now += 123.0
    run(owned, "second").never_began("a")
    assert began(owned, "third").ask(query(key="a", rows=("1",), keys=TAKES)) == Others()


def test_one_that_was_not_answered_in_its_time_is_none_of_those_that_began_after_it(owned: Owned, clock: Clock) -> None:
    first = began(owned, "first")
    clock.now += 100.5
    first.time_out("a")
    clock.now += 23.0
    assert began(owned, "second").ask(query(key="a", rows=("1",), keys=TAKES)) == Others()


def test_one_that_was_over_before_is_none(owned: Owned, clock: Clock) -> None:
    began(owned, "first")
    answered(owned, "answered")
    clock.now += 23
    assert began(owned, "second").ask(query(key="a", rows=("1",), keys=TAKES)).rival
    run(owned, "first").never_began("a")
    assert run(owned, "second").ask(query(key="a", rows=("1",), keys=TAKES)) == Others()


@pytest.mark.parametrize(("seconds", "is_rival"), [(116.9, True), (117.1, False)])
def test_a_later_start_is_a_rival_as_long_as_its_row_may_be_of_an_earlier_call(
    owned: Owned, clock: Clock, seconds: float, *, is_rival: bool
) -> None:
    first = began(owned, "first")
    clock.now += seconds
    began(owned, "second")
    assert first.ask(query(key="a", rows=("1",), keys=TAKES)).rival == is_rival


@pytest.mark.parametrize(
    ("site", "process"), [("http://localhost:81", "UsrA"), ("http://localhost:80/app", "UsrA"), (SITE, "B")]
)
def test_starts_elsewhere_are_no_rivals(owned: Owned, site: str, process: str) -> None:
    run(owned, "first", site=site).begin("a", process, seconds=100.0)
    assert not began(owned, "second").ask(query(key="a", rows=("1",), keys=TAKES)).rival


def test_a_run_is_no_rival_of_itself(owned: Owned) -> None:
    first = began(owned, "first")
    first.begin("b", "UsrA", seconds=100.0)
    assert first.ask(query(key="a", rows=("1",), keys=TAKES)) == Others()


def test_a_process_that_an_answer_names_is_taken_where_another_call_of_the_same_run_has_it(owned: Owned) -> None:
    first = began(owned, "first")
    first.ask(query(key="a", rows=("1",), keys=TAKES, certain=True))
    first.begin("b", "UsrA", seconds=100.0)
    assert first.ask(query(key="b", rows=("1",), keys=("b",), certain=True)).taken == ("1",)
    assert first.ask(query(key="a", rows=("1",), keys=TAKES, certain=True)) == Others()


def test_a_rival_matters_not_where_the_id_is_certain(owned: Owned) -> None:
    began(owned, "first")
    assert began(owned, "second").ask(query(key="a", rows=("1",), keys=TAKES, certain=True)) == Others()


@pytest.mark.parametrize("kind", ["files", "fleet"])
def test_one_of_many_that_look_at_a_row_at_once_has_it(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    def opened() -> Owned:
        if kind == "files":
            return RowDatabase(tmp_path / ".rows.sqlite")
        return OwnedByFleet(request.getfixturevalue("fleet"))

    stores = [opened() for _ in range(8)]
    meeting, found = threading.Barrier(8), []

    def look(number: int) -> None:
        rows = run(stores[number], f"run {number}")
        meeting.wait(300)
        found.append(rows.ask(query(key="a", rows=("1",), keys=TAKES, certain=True)).taken)

    threads = [threading.Thread(target=look, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert sorted(found) == [()] + [("1",)] * 7


def test_a_new_file_that_another_program_opens_at_the_same_time_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(tmp_path / ".rows.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(time, "sleep", lambda _: other.in_transaction and other.execute("COMMIT"))
    rows = RowDatabase(tmp_path / ".rows.sqlite", now=lambda: 0.0)
    with rows.changing() as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    rows.close()
    other.close()


def test_what_is_older_than_the_log_of_any_site_is_forgotten(tmp_path: Path, files: RowDatabase, clock: Clock) -> None:
    began(files, "first").ask(query(key="a", rows=("1",), keys=TAKES))
    files.close()
    clock.now += KEPT + 1
    again = RowDatabase(tmp_path / ".rows.sqlite", now=clock)
    assert began(again, "second").ask(query(key="a", rows=("1",), keys=TAKES)) == Others()
    again.close()


def test_what_is_old_is_searched_for_once_a_day(tmp_path: Path, files: RowDatabase, clock: Clock) -> None:
    def left_when_opened() -> list[tuple[str]]:
        again = RowDatabase(tmp_path / ".rows.sqlite", now=clock)
        with again.changing() as database:
            found = database.execute("SELECT id FROM row").fetchall()
        again.close()
        return found

    with files.changing() as database:
        database.execute("INSERT INTO row VALUES ('1', 'first', 'a', 0.0)")
    clock.now += KEPT
    assert left_when_opened() == []
    with files.changing() as database:
        database.execute("INSERT INTO row VALUES ('1', 'first', 'a', 0.0)")
    assert left_when_opened() == [("1",)]
    clock.now += 24 * 3600.0
    assert left_when_opened() == []


def test_what_cannot_be_written_down_lets_nothing_leave_and_nothing_be_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    rows = run(RowDatabase(tmp_path / "file" / ".rows.sqlite"), "first")
    with pytest.raises(StoreError):
        rows.begin("a", "UsrA", seconds=100.0)
    assert rows.ask(query(key="a", rows=("1",), keys=TAKES)).rival


def test_without_a_file_that_all_folders_share_a_folder_knows_its_own_runs(tmp_path: Path, clock: Clock) -> None:
    nowhere = RowDatabase(Path(os.devnull, "state", "rows.sqlite"), now=clock)
    own = RowDatabase(tmp_path / ".rows.sqlite", now=clock)
    first, second = (
        RowsOfFolders(SharedFile(own, nowhere), run=name, site=SITE, settle=15.0) for name in ("first", "second")
    )
    first.begin("a", "UsrA", seconds=100.0)
    assert first.ask(query(key="a", rows=("1",), keys=TAKES)) == Others()
    second.begin("a", "UsrA", seconds=100.0)
    assert second.ask(query(key="a", rows=("1",), keys=TAKES)) == Others(taken=("1",))
    own.close()


def test_what_a_run_started_while_the_shared_file_could_not_be_opened_is_in_it_later(
    tmp_path: Path, clock: Clock
) -> None:
    in_the_way = tmp_path / "state"
    in_the_way.touch()
    shared = RowDatabase(in_the_way / "rows.sqlite", now=clock)
    first, second = (
        RowsOfFolders(
            SharedFile(RowDatabase(tmp_path / f"{name}.sqlite", now=clock), shared), run=name, site=SITE, settle=15.0
        )
        for name in ("first", "second")
    )
    first.begin("a", "UsrA", seconds=100.0)
    in_the_way.unlink()
    clock.now += 6.0
    first.flush()
    second.begin("a", "UsrA", seconds=100.0)
    assert second.ask(query(key="a", rows=("1",), keys=TAKES)).rival
    shared.close()


def test_stand_ins_of_a_site_on_this_machine_may_number_their_processes_alike(tmp_path: Path, clock: Clock) -> None:
    shared = RowDatabase(tmp_path / "state" / "rows.sqlite", place=tmp_path, now=clock)

    def taken(folder: str, site: str) -> tuple[str, ...]:
        own = RowDatabase(tmp_path / f"{folder}.sqlite", now=clock)
        rows = RowsOfFolders(SharedFile(own, shared), run=folder, site=site, settle=15.0)
        rows.begin("a", "UsrA", seconds=100.0)
        found = rows.ask(query(key="a", rows=("1",), keys=TAKES, certain=True)).taken
        own.close()
        return found

    assert taken("first", "http://localhost:1") == ()
    assert taken("second", "http://localhost:2") == ()
    assert taken("fourth", "http://localhost:1") == ("1",)
    assert taken("fifth", "https://one.example:443") == ()
    assert taken("sixth", "https://alias.example:443") == ("1",), "ids of real sites are never the same"
    shared.close()


def test_what_another_folder_owned_before_it_was_carried_here_is_known(tmp_path: Path, clock: Clock) -> None:
    """As of runs that the cache of a CI service brings along: the file of all folders has not heard of them."""
    own = RowDatabase(tmp_path / ".rows.sqlite", now=clock)
    run(own, "first").begin("a", "UsrA", seconds=100.0)
    shared = RowDatabase(tmp_path / "state" / "rows.sqlite", now=clock)
    second = RowsOfFolders(SharedFile(own, shared), run="second", site=SITE, settle=15.0)
    second.begin("a", "UsrA", seconds=100.0)
    assert second.ask(query(key="a", rows=("1",), keys=TAKES)).rival
    run(own, "first").ask(query(key="a", rows=("1",), keys=TAKES, certain=True))
    assert second.ask(query(key="a", rows=("1",), keys=TAKES)).taken == ("1",)
    own.close()
    shared.close()


def test_a_start_whose_row_comes_late_stays_a_rival_where_no_servers_time_keeps_rows_apart(
    owned: Owned, clock: Clock
) -> None:
    """The first start was answered, and its row has not come; a call that begins long after must not take it."""
    answered(owned, "first")
    clock.now += 60.0
    second = began(owned, "second")
    assert second.ask(query(key="a", rows=("1",), keys=TAKES, timed=False)).rival
    assert second.ask(query(key="a", rows=("1",), keys=TAKES, timed=True)) == Others()


def test_a_start_that_was_over_just_before_is_a_rival_as_the_servers_time_counts_whole_seconds(
    owned: Owned, clock: Clock
) -> None:
    first = run(owned, "first", settle=1.0)
    first.begin("a", "UsrA", seconds=100.0)
    first.answer("a")
    clock.now += 2.0
    second = run(owned, "second", settle=1.0)
    second.begin("a", "UsrA", seconds=100.0)
    assert second.ask(query(key="a", rows=("1",), keys=TAKES)).rival


def test_a_start_whose_row_was_there_before_the_next_call_is_no_rival_of_it(owned: Owned, clock: Clock) -> None:
    """As of a step with `verify: none`: nobody reads its row for it, and none of the runs after it was verified."""
    answered(owned, "unread")
    for number in range(2, 6):
        clock.now += 8.0
        after = began(owned, str(number))
        after.answer("a")
        before = [(f"{earlier}", 8.0 * (number - earlier)) for earlier in range(1, number)]
        assert after.ask(query(key="a", rows=(str(number),), keys=TAKES, before=tuple(before))) == Others()
    assert began(owned, "last").ask(query(key="a", rows=("1",), keys=TAKES)).taken == ("1",)


def test_a_start_that_never_gets_its_row_makes_no_later_run_unverified_but_those_while_it_is_waited_for(
    owned: Owned, clock: Clock
) -> None:
    answered(owned, "rowless")
    verified = []
    for number in range(2, 8):
        clock.now += 8.0
        after = began(owned, str(number))
        after.answer("a")
        before = [(f"{earlier}", 8.0 * (number - earlier)) for earlier in range(2, number)]
        found = after.ask(query(key="a", rows=(str(number),), keys=TAKES, before=tuple(before)))
        verified.append(not found.rival)
    assert verified == [False, False, True, True, True, True]


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([], id="no row was there"),
        pytest.param([("1", 40.0)], id="it began long before the start"),
        pytest.param([("1", 0.0)], id="it began after the answer"),
        pytest.param([("owned", 8.0)], id="it belongs to another call"),
    ],
)
def test_a_row_that_is_not_of_the_start_leaves_it_a_rival(
    owned: Owned, clock: Clock, before: list[tuple[str, float]]
) -> None:
    other = began(owned, "other")
    assert other.ask(query(key="a", rows=("owned",), keys=TAKES, certain=True)) == Others()
    answered(owned, "unread")
    clock.now += 8.0
    assert began(owned, "next").ask(query(key="a", rows=("2",), keys=TAKES, before=tuple(before))).rival


@pytest.mark.parametrize("is_read", [True, False])
def test_a_start_that_was_queued_may_begin_long_after_its_answer(owned: Owned, clock: Clock, *, is_read: bool) -> None:
    queued = run(owned, "queued")
    queued.begin("a", "UsrA", seconds=10.0, is_read=is_read)
    queued.queue("a")
    queued.flush()
    clock.now += 1800.0
    after = began(owned, "after")
    after.answer("a")
    assert after.ask(query(key="a", rows=("1",), keys=TAKES, before=())).rival
    clock.now += 60.0
    assert (
        began(owned, "next").ask(query(key="a", rows=("2",), keys=TAKES, before=(("0", 70.0), ("1", 60.0)))) == Others()
    )
    clock.now += LATE + LAST
    assert began(owned, "last").ask(query(key="a", rows=("3",), keys=TAKES)) == Others()


def test_a_row_that_was_there_before_a_call_is_not_of_a_start_that_began_after_it(owned: Owned, clock: Clock) -> None:
    own = began(owned, "own")
    own.answer("a")
    clock.now += 1.0
    began(owned, "later").answer("a")
    assert own.ask(query(key="a", rows=("2",), keys=TAKES, before=(("1", 1.5),))).rival


def test_one_row_for_two_starts_that_were_under_way_together_leaves_both_rivals(owned: Owned, clock: Clock) -> None:
    for name in ("one", "two"):
        answered(owned, name)
    clock.now += 8.0
    following = began(owned, "next")
    assert following.ask(query(key="a", rows=("3",), keys=None, before=(("1", 8.0),))).rival
    assert not following.ask(query(key="a", rows=("3",), keys=None, before=(("1", 8.0), ("2", 8.0)))).rival


def test_rows_that_starts_of_two_runs_have_made_are_taken_by_neither(owned: Owned, clock: Clock) -> None:
    """Which of the two has made which is not known, as where a call takes long on its way."""
    for name in ("one", "two"):
        answered(owned, name)
    clock.now += 8.0
    began(owned, "next").ask(query(key="a", rows=("3",), keys=TAKES, before=(("1", 8.0), ("2", 8.0))))
    for name in ("one", "two"):
        found = run(owned, name).ask(query(key="a", rows=("1", "2"), keys=TAKES))
        assert found == Others(taken=("1", "2"), of_nobody=("1", "2"))


def test_a_call_takes_the_row_of_these_that_its_answer_names(owned: Owned, clock: Clock) -> None:
    for name in ("one", "two"):
        answered(owned, name)
    clock.now += 8.0
    began(owned, "next").ask(query(key="a", rows=("3",), keys=TAKES, before=(("1", 8.0), ("2", 8.0))))
    assert run(owned, "one").ask(query(key="a", rows=("2",), keys=TAKES, certain=True)) == Others()
    assert run(owned, "two").ask(query(key="a", rows=("2",), keys=TAKES, certain=True)).taken == ("2",)


def test_they_may_be_of_a_call_that_is_to_be_made_again(owned: Owned, clock: Clock) -> None:
    """A call that was turned away although it had happened is made again where no row may be its own."""
    for name in ("one", "two"):
        answered(owned, name)
    clock.now += 8.0
    began(owned, "next").ask(query(key="a", rows=("3",), keys=TAKES, before=(("1", 8.0), ("2", 8.0))))
    assert run(owned, "one").ask(query(key="a", rows=("1", "2"))).taken == ()
    assert run(owned, "one").ask(query(key="a", rows=("1", "2"), keys=())).taken == ("1", "2")


def test_a_row_of_a_start_that_is_over_is_not_given_to_a_start_that_is_under_way(owned: Owned, clock: Clock) -> None:
    """Of two starts at once the second waits in a gateway, and may begin when the next call is made."""
    answered(owned, "over")
    clock.now += 1.0
    began(owned, "hangs")
    clock.now += 30.0
    lost = began(owned, "lost")
    assert lost.ask(query(key="a", rows=("2",), keys=TAKES, before=(("1", 31.0),))).rival


def test_a_row_of_an_answered_start_is_not_given_to_an_unanswered_start_whose_time_is_over_too(
    owned: Owned, clock: Clock
) -> None:
    """As where a gateway answers 502 and starts nothing: the only row is that of the call after it."""
    lost = run(owned, "lost")
    lost.begin("a", "UsrA", seconds=10.0)
    clock.now += 4.0
    answered(owned, "answered")
    clock.now += 23.5
    began(owned, "third").ask(query(key="a", rows=("2",), keys=TAKES, before=(("1", 23.5),)))
    clock.now += 20.0
    assert lost.ask(query(key="a", rows=("1",), keys=TAKES)).of_nobody == ("1",)


def test_a_row_that_was_read_before_a_start_began_is_not_of_it(owned: Owned, clock: Clock) -> None:
    """As in a run that reads the log once, and whose next call is made when another program has begun."""
    began(owned, "hangs")
    clock.now += 30.0
    before, lost = (("1", 30.0),), began(owned, "lost")
    assert lost.ask(query(key="a", rows=("2",), keys=TAKES, before=before, before_read=30.2)).rival
    assert lost.ask(query(key="a", rows=("2",), keys=TAKES, before=before, before_read=29.8)) == Others()


def test_runs_one_after_another_are_verified_again_when_a_start_that_hung_is_over(owned: Owned, clock: Clock) -> None:
    began(owned, "hangs")
    first, verified = clock.now, []
    for number in range(20):
        after, marked = began(owned, str(number)), clock.now
        clock.now += 10.0
        after.answer("a")
        before = tuple((str(earlier), clock.now - first - 10.0 * earlier) for earlier in range(number))
        asked = query(key="a", rows=(str(number),), keys=TAKES, before=before, before_read=clock.now - marked)
        verified.append(not after.ask(asked).rival)
    assert verified == [False] * 9 + [True] * 11


def test_an_answer_ends_the_start_that_it_is_of_also_where_the_next_of_its_row_begins_at_once(
    owned: Owned, clock: Clock
) -> None:
    """As after a session that was not accepted: its call is made again in a fresh session."""
    first = began(owned, "first")
    first.answer("a")
    clock.now += 0.1
    first.begin("a", "UsrA", seconds=100.0)
    first.answer("a")
    first.flush()
    clock.now += 25.0
    assert began(owned, "second").ask(query(key="a", rows=("1",), keys=TAKES)) == Others()


@pytest.mark.parametrize(("slack", "rival"), [(0.0, False), (75.0, True)])
def test_a_start_whose_time_is_known_badly_may_have_the_row_of_a_start_that_was_over_before(
    owned: Owned, clock: Clock, slack: float, *, rival: bool
) -> None:
    first, second = (run(owned, name) for name in ("first", "second"))
    first.begin("a", "UsrA", seconds=5.0)
    clock.now += 75.0
    second.begin("a", "UsrA", seconds=5.0)
    assert second.ask(query(key="a", rows=("1",), keys=TAKES, slack=slack)).rival is rival


def test_the_time_of_a_start_begins_when_it_leaves(owned: Owned, clock: Clock) -> None:
    """As where the journal hangs between what is stored of a start and its call, or the machine sleeps."""
    slow = began(owned, "slow")
    clock.now += 200.0
    lost = began(owned, "lost")
    slow.leave("a")
    assert lost.ask(query(key="a", rows=("1",), keys=TAKES)).rival


def test_an_answer_does_not_end_the_next_start_of_its_row(owned: Owned, clock: Clock) -> None:
    first = began(owned, "first")
    first.answer("a")
    clock.now += 0.1
    first.begin("a", "UsrA", seconds=300.0)
    first.flush()
    clock.now += 200.0
    assert began(owned, "second").ask(query(key="a", rows=("1",), keys=TAKES)).rival


def test_an_earlier_start_of_the_same_run_may_have_made_the_row_that_was_there_before(
    owned: Owned, clock: Clock
) -> None:
    answered(owned, "other")
    own = began(owned, "own")
    own.answer("a")
    clock.now += 8.0
    own.begin("b", "UsrA", seconds=100.0)
    assert own.ask(query(key="b", rows=("3",), keys=None, before=(("1", 8.0),))).rival


Next: TypeAlias = Callable[[AskedRows], object]


@pytest.mark.parametrize(
    "then",
    [
        pytest.param(lambda rows: rows.begin("b", "UsrB", seconds=100.0), id="the next start"),
        pytest.param(lambda rows: rows.never_began("b"), id="a start that begins nothing"),
        pytest.param(lambda rows: rows.ask(RowQuery(key="b", codes=("UsrB",), rows=("9",))), id="whose a row is"),
        pytest.param(lambda rows: rows.flush(), id="what takes long"),
    ],
)
def test_until_it_is_stored_that_a_start_was_answered_it_is_under_way_for_others(
    files: RowDatabase, clock: Clock, then: Next
) -> None:
    first = began(files, "first")
    first.answer("a")
    clock.now += 23.0
    assert began(files, "second").ask(query(key="a", rows=("1",), keys=None)).rival
    then(first)
    assert not run(files, "second").ask(query(key="a", rows=("1",), keys=None)).rival


def test_the_answers_of_a_second_are_stored_at_once(files: RowDatabase, clock: Clock) -> None:
    first = run(files, "first")
    for key in ("a", "b", "c"):
        first.begin(key, "UsrA", seconds=100.0)
        first.answer(key)
        assert open_starts(files, clock) == ord(key) - ord("a") + 1
        clock.now += 0.4
    first.begin("d", "UsrA", seconds=100.0)
    assert open_starts(files, clock) == 1


def test_starts_whose_row_nobody_reads_are_stored_at_once(files: RowDatabase, clock: Clock) -> None:
    first = run(files, "first")
    for key in ("a", "b", "c"):
        first.begin(key, "UsrA", seconds=100.0, is_read=False)
        first.answer(key)
        assert stored_keys(files) == [""]
        clock.now += 0.4
    first.begin("d", "UsrA", seconds=100.0, is_read=False)
    assert stored_keys(files) == ["a", "b", "c", ""]
    assert open_starts(files, clock) == 1
    first.flush()
    assert stored_keys(files) == ["a", "b", "c", "d"]


def test_each_of_many_is_stored_in_its_order(files: RowDatabase) -> None:
    first, keys = run(files, "first"), [f"a[{number}]" for number in range(250)]
    for key in keys:
        first.begin(key, "UsrA", seconds=100.0, is_read=False)
    first.flush()
    assert stored_keys(files) == keys


@pytest.mark.parametrize(
    "then",
    [
        pytest.param(lambda rows: rows.begin("b", "UsrB", seconds=100.0), id="the next start"),
        pytest.param(lambda rows: rows.ask(RowQuery(key="b", codes=("UsrB",), rows=("9",))), id="whose a row is"),
        pytest.param(lambda rows: rows.leave("a"), id="a start that leaves late"),
    ],
)
def test_so_they_are_before_anything_follows(files: RowDatabase, clock: Clock, then: Next) -> None:
    first = run(files, "first")
    first.begin("a", "UsrA", seconds=100.0, is_read=False)
    clock.now += 1.0
    then(first)
    assert [key for key in stored_keys(files) if key != "b"] == ["a"]


def test_one_of_them_that_begins_nothing_is_not_stored(files: RowDatabase) -> None:
    first = run(files, "first")
    for key in ("a", "b", "b"):
        first.begin(key, "UsrA", seconds=100.0, is_read=False)
    first.never_began("a")
    first.never_began("b")
    first.flush()
    assert stored_keys(files) == ["b"]


def test_they_are_stored_once_also_where_a_start_that_began_nothing_is_forgotten_meanwhile(files: RowDatabase) -> None:
    first = run(files, "first")
    first.begin("a", "UsrA", seconds=100.0)
    first.begin("b", "UsrA", seconds=100.0, is_read=False)
    first.never_began("a")
    first.flush()
    assert stored_keys(files) == ["b"]


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize(("seconds", "is_rival"), [(114.9 + LAST, True), (115.1 + LAST, False)])
def test_a_start_that_leaves_late_is_under_way_for_all_of_its_time_from_then_on(
    files: RowDatabase, clock: Clock, seconds: float, *, is_rival: bool, is_read: bool
) -> None:
    slow = run(files, "slow")
    slow.begin("a", "UsrA", seconds=100.0, is_read=is_read)
    clock.now += 50.0
    slow.leave("a")
    clock.now += seconds
    assert began(files, "next").ask(query(key="a", rows=("1",), keys=TAKES)).rival == is_rival


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize(("seconds", "is_rival"), [(14.9 + LAST, True), (15.1 + LAST, False)])
def test_a_start_that_was_answered_is_under_way_until_the_row_may_have_come(
    files: RowDatabase, clock: Clock, seconds: float, *, is_rival: bool, is_read: bool
) -> None:
    quick = run(files, "quick")
    quick.begin("a", "UsrA", seconds=100.0, is_read=is_read)
    clock.now += 1.0
    quick.answer("a")
    quick.flush()
    clock.now += seconds
    assert began(files, "next").ask(query(key="a", rows=("1",), keys=TAKES)).rival == is_rival


def test_an_answer_lets_no_start_be_under_way_for_longer_than_its_time(files: RowDatabase, clock: Clock) -> None:
    late = run(files, "late")
    late.begin("a", "UsrA", seconds=1.0, is_read=False)
    clock.now += 10.0
    late.answer("a")
    late.flush()
    clock.now += 6.1 + LAST
    assert not began(files, "next").ask(query(key="a", rows=("1",), keys=TAKES)).rival


def test_they_are_as_good_as_stored_for_every_other_run(owned: Owned, clock: Clock) -> None:
    unread = run(owned, "unread")
    for key in ("a", "b"):
        unread.begin(key, "UsrA", seconds=100.0, is_read=False)
        unread.answer(key)
    clock.now += 3.0
    following = began(owned, "next")
    assert following.ask(query(key="a", rows=("3",), keys=None, before=(("1", 3.0),))).rival
    unread.flush()
    assert following.ask(query(key="a", rows=("3",), keys=None, before=(("1", 3.0),))).rival
    following.never_began("a")
    clock.now += 1.0
    later = began(owned, "later")
    assert not later.ask(query(key="a", rows=("3",), keys=None, before=(("1", 4.0), ("2", 4.0)))).rival


def test_what_a_run_that_was_killed_has_not_stored_may_have_made_any_number_of_rows(
    files: RowDatabase, clock: Clock
) -> None:
    killed = run(files, "killed")
    for key in ("a", "b"):
        killed.begin(key, "UsrA", seconds=10.0, is_read=False)
        killed.answer(key)
    clock.now += 8.0
    before = (("1", 8.0), ("2", 8.0), ("3", 8.0))
    assert began(files, "next").ask(query(key="a", rows=("4",), keys=TAKES, before=before)).rival
    run(files, "next").never_began("a")
    clock.now += 27.0
    assert began(files, "later").ask(query(key="a", rows=("4",), keys=TAKES)) == Others()


def test_a_row_that_it_may_have_made_is_not_given_to_a_start_that_is_under_way(
    files: RowDatabase, clock: Clock
) -> None:
    run(files, "killed").begin("a", "UsrA", seconds=1.0, is_read=False)
    began(files, "hangs")
    clock.now += 30.0
    lost = began(files, "lost")
    before = (("1", 30.0), ("2", 30.0))
    assert lost.ask(query(key="a", rows=("3",), keys=TAKES, before=before)).rival


def test_a_run_that_is_resumed_counts_what_it_had_not_stored(files: RowDatabase, clock: Clock) -> None:
    """A start of another run at that time may have made one of the rows that it finds for both of its calls."""
    killed = run(files, "killed")
    killed.begin("a", "UsrA", seconds=1.0, is_read=False)
    answered(files, "other")
    clock.now += 100.0
    resumed = run(files, "killed")
    resumed.begin("b", "UsrA", seconds=1.0)
    assert resumed.ask(query(key="b", rows=("1", "2"), keys=("a", "b"))).rival


def stored_keys(files: RowDatabase) -> list[str]:
    with files.changing() as database:
        return [key for (key,) in database.execute("SELECT key FROM start ORDER BY number")]


def open_starts(files: RowDatabase, clock: Clock) -> int:
    """How many starts have more time left than an answer leaves them."""
    with files.changing() as database:
        (count,) = database.execute("SELECT count(*) FROM start WHERE ends > ?", (clock.now + 20.0,)).fetchone()
    return int(count)


def test_a_thousand_starts_wait_for_no_checkpoint(tmp_path: Path, files: RowDatabase) -> None:
    """It would wait for the disk, and all runs for it."""
    rows = run(files, "first")
    rows.begin("0", "UsrA", seconds=100.0)
    before = (tmp_path / ".rows.sqlite").stat().st_size
    for number in range(1, 1000):
        rows.begin(str(number), "UsrA", seconds=100.0)
    assert (tmp_path / ".rows.sqlite").stat().st_size == before


def test_whose_a_row_is_takes_no_longer_with_thousands_of_earlier_starts(files: RowDatabase, clock: Clock) -> None:
    """Steps with `verify: none` leave theirs for 90 days."""
    run(files, "old").begin("first", "UsrA", seconds=100.0)
    clock.now += 3600.0
    alone = run(files, "alone")
    steps_of_a_question(files, alone, "a")  # the first asks what was before
    few = steps_of_a_question(files, alone, "b")
    for number in range(1000):
        run(files, "old").begin(str(number), "UsrA", seconds=100.0)
    clock.now += 3600.0
    among_many = run(files, "among many")
    steps_of_a_question(files, among_many, "a")
    assert steps_of_a_question(files, among_many, "b") < few + 100


def test_whose_a_row_is_takes_five_statements_where_no_other_run_lacks_its_own(files: RowDatabase) -> None:
    """Each costs more than it computes: what SQLite needs is not in the processor's cache any more."""
    alone = new_run(files, "alone")
    alone.begin("a", "UsrA", seconds=100.0)
    alone.answer("a")
    statements: list[str] = []
    with files.changing() as database:
        database.set_trace_callback(statements.append)
    assert alone.ask(query(key="a", rows=("1",), keys=TAKES)) == Others()
    assert [text.split()[0] for text in statements[1:]] == ["BEGIN", "SELECT", "INSERT", "DELETE", "COMMIT"]


def test_the_first_question_of_a_new_run_takes_no_longer_either(files: RowDatabase, clock: Clock) -> None:
    few = steps_of_a_question(files, new_run(files, "alone"), "a")
    for number in range(1000):
        run(files, "old").begin(str(number), "UsrA", seconds=100.0)
    clock.now += 3600.0
    assert steps_of_a_question(files, new_run(files, "new"), "a") <= few + 100


@pytest.mark.parametrize("owned", ["files", "folders"], indirect=True)
def test_a_start_that_began_after_now_is_of_a_clock_that_was_set_back_and_is_a_rival(
    owned: Owned, clock: Clock
) -> None:
    clock.now += 3600.0
    began(owned, "ahead")
    clock.now -= 3600.0
    own = began(owned, "own")
    clock.now += 1.0
    own.answer("a")
    assert own.ask(query(key="a", rows=("1",), keys=TAKES)).rival


def test_a_start_of_a_new_run_is_its_own_where_the_clock_is_set_back(owned: Owned, clock: Clock) -> None:
    """Another run's start of the same time is a rival, one that was long over is none."""
    old = run(owned, "old")
    old.begin("o", "UsrA", seconds=1.0)
    old.answer("o")
    clock.now += 3600.0
    new = new_run(owned, "new")
    clock.now -= 1800.0
    new.begin("a", "UsrA", seconds=1.0)
    new.answer("a")
    clock.now += 1800.0
    assert new.ask(query(key="a", rows=("1",), keys=("a",))) == Others()


def new_run(owned: Owned, name: str) -> AskedRows:
    if isinstance(owned, OwnedByFleet):
        return run(owned, name)
    if isinstance(owned, OwnedByFolders):
        return owned.rows_of(name, SITE, 15.0, is_new=True)
    return RowsOfRun(owned, run=name, site=SITE, settle=15.0, is_new=True)


def steps_of_a_question(files: RowDatabase, rows: AskedRows, key: str) -> int:
    """How many steps SQLite takes to say whose the row of a start is, in hundreds."""
    rows.begin(key, "UsrA", seconds=100.0)
    counted: list[None] = []
    with files.changing() as database:
        database.set_progress_handler(lambda: counted.append(None), 100)
    assert rows.ask(query(key=key, rows=(str(uuid.uuid4()),), keys=(key,))) == Others()
    with files.changing() as database:
        database.set_progress_handler(None, 0)
    return 100 * len(counted)


def test_a_row_that_they_may_have_made_is_given_to_no_start_that_hangs_however_late_they_are_stored(
    owned: Owned, clock: Clock
) -> None:
    """They are stored after the start of the call that asks, and began before it all the same."""
    unread = run(owned, "unread")
    unread.begin("a", "UsrA", seconds=100.0, is_read=False)
    began(owned, "hangs")
    unread.answer("a")
    clock.now += 3.0
    following = began(owned, "next")
    unread.flush()
    assert following.ask(query(key="a", rows=("2",), keys=TAKES, before=(("1", 3.0),))).rival
    following.never_began("a")
    clock.now += 60.0
    assert began(owned, "lost").ask(query(key="a", rows=("3",), keys=TAKES, timed=True)).rival


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock of this system counts on")
@pytest.mark.parametrize("by", [3600.0, -3600.0])
def test_that_somebody_sets_the_clock_of_this_machine_hides_no_start_of_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: float
) -> None:
    first, counted = RowDatabase(tmp_path / ".rows.sqlite"), time.time
    began(first, "first")
    monkeypatch.setattr(time, "time", lambda: counted() + by)
    second = RowDatabase(tmp_path / ".rows.sqlite")
    assert began(second, "second").ask(query(key="a", rows=("1",), keys=TAKES)).rival
    assert began(first, "third").ask(query(key="a", rows=("1",), keys=TAKES)).rival
    first.close()
    second.close()

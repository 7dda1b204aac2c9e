"""What every store of runs promises, tried with files and with PostgreSQL: what is there, what outlives a run. What
only the store of one machine has: who gets a claim, files of sandboxes.
"""

import errno
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path, PosixPath

import pytest

from runner.fleet.store import FleetStore
from runner.foundation.problems import UsageError
from runner.runs.files.store import FileRunStore
from runner.runs.store import (
    Holder,
    LocalRunStore,
    Part,
    RerunUnderWay,
    RowQuery,
    RunLockedError,
    RunOfPlan,
    RunStore,
    StoreError,
)

pytestmark = pytest.mark.slow

OLD, NEW = "01940000-0000-7000-8000-000000000000", "01950000-0000-7000-8000-000000000000"
BOTH = ("files", "fleet")


@pytest.fixture
def local(tmp_path: Path) -> LocalRunStore:
    made = FileRunStore(tmp_path / "runs")
    made.prepare()
    return made


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest) -> Iterator[RunStore]:
    kind: str = request.param
    made: RunStore = (
        request.getfixturevalue("local") if kind == "files" else FleetStore(request.getfixturevalue("fleet"))
    )
    made.prepare()
    yield made
    made.close()


def another(store: RunStore, folder: Path, request: pytest.FixtureRequest) -> RunStore:
    """The same store, as another process opens it."""
    if isinstance(store, FleetStore):
        return FleetStore(request.getfixturevalue("fleet"))
    return FileRunStore(folder / "runs")


def test_runs_are_listed_the_oldest_first_all_or_since_one(store: RunStore) -> None:
    assert store.runs() == []
    for run in (NEW, OLD):
        store.create(run).close()
    assert store.runs() == [OLD, NEW]
    assert store.runs(since=NEW) == store.runs(since=OLD[:-1] + "1") == [NEW]
    assert [*store.newest()] == [NEW, OLD]


def test_who_needs_the_newest_run_looks_at_no_other(local: LocalRunStore) -> None:
    for run in (NEW, OLD):
        local.create(run).close()
    newest = local.newest()
    assert next(newest) == NEW
    local.delete(OLD)
    assert [*newest] == []


def test_a_run_that_is_deleted_is_listed_no_more(local: LocalRunStore) -> None:
    for run in (NEW, OLD):
        local.create(run).close()
    local.delete(OLD)
    assert local.runs() == [NEW]


def test_a_run_is_new_once(store: RunStore) -> None:
    log = store.create(OLD)
    log.append(b"{}", durable=True)
    log.close()
    with pytest.raises(StoreError):
        store.create(OLD)


def test_only_folders_with_events_are_runs(local: RunStore, tmp_path: Path) -> None:
    (tmp_path / "runs" / "notes").mkdir()
    assert local.runs() == []
    assert FileRunStore(tmp_path / "nowhere").runs() == []


def test_parts_are_replaced_whole(local: LocalRunStore) -> None:
    local.create(OLD).close()
    for part in (Part.PLAN, Part.REPORT, Part.JUNIT, Part.PAGE):
        for content in ("first", "grün\n"):
            local.put(OLD, part, content)
        assert local.get(OLD, part) == "grün\n".encode()


def test_a_large_part_comes_in_pieces_as_it_was_when_they_were_asked_for(local: LocalRunStore) -> None:
    local.create(OLD).close()
    local.put(OLD, Part.REPORT, iter([b"gr\xc3", b"\xbcn", b"\n" * 200_000]))
    pieces = local.pieces(OLD, Part.REPORT)
    local.put(OLD, Part.REPORT, "another")
    assert b"".join(pieces) == "grün".encode() + b"\n" * 200_000
    with pytest.raises(StoreError):
        local.pieces(OLD, Part.JUNIT)


def test_a_large_result_is_there_with_the_line_that_names_it(store: RunStore) -> None:
    log = store.create(OLD)
    for _ in range(2):
        log.put_result("ab", b'["large"]')
    assert log.result("ab") == b'["large"]'
    log.append(b'{"$result": "ab"}', durable=True)
    log.close()
    log = store.reopen(OLD)
    assert log.result("ab") == b'["large"]'
    with pytest.raises(StoreError):
        log.result("none")
    log.close()


def test_the_history_takes_lines_and_changes_and_outlives_the_runs(store: RunStore) -> None:
    assert store.history() == b""
    store.create(OLD).close()
    assert [store.append_history(b"one"), store.append_history("grün".encode())] == [4, 10]
    if not store.name.is_fleet:
        FileRunStore(Path(str(store.name))).delete(OLD)
    store.change_history(lambda content: content.replace(b"one", b"1"))
    assert store.append_history(b"2") == 10
    assert store.history() == "1\ngrün\n2\n".encode()


def test_events_come_back_byte_for_byte_while_they_are_written(store: RunStore) -> None:
    log = store.create(OLD)
    assert (store.get(OLD, Part.EVENTS), store.ends(OLD)) == (b"", [])
    for line in (b'{"a": 1}', "grün".encode(), b"last"):
        log.append(line, durable=False)
    log.commit()
    assert store.get(OLD, Part.EVENTS) == b'{"a": 1}\n' + "grün".encode() + b"\nlast\n"
    assert store.ends(OLD) == [b'{"a": 1}', b"last"]
    assert store.is_being_written(OLD)
    log.close()


def test_a_reopened_run_has_its_events_and_takes_more(store: RunStore) -> None:
    log = store.create(OLD)
    log.append(b"one", durable=False)
    log.close()
    log = store.reopen(OLD)
    assert [*store.events(OLD)] == [b"one\n"]
    log.append(b"two", durable=True)
    assert store.get(OLD, Part.EVENTS) == b"one\ntwo\n"
    log.check_fence()
    log.close()


def test_a_run_in_a_file_is_opened_by_one_at_a_time_with_its_events_as_they_are(
    local: RunStore, tmp_path: Path
) -> None:
    store = local
    log = store.create(OLD)
    log.append(b"one", durable=True)
    with pytest.raises(RunLockedError):
        store.reopen(OLD)
    log.close()
    with (tmp_path / "runs" / OLD / "events.jsonl").open("ab") as file:
        file.write(b"to")
    log = store.reopen(OLD)
    assert [*store.events(OLD)] == [b"one\n", b"to"]
    log.drop_torn_line()
    log.append(b"two", durable=False)
    assert store.get(OLD, Part.EVENTS) == b"one\ntwo\n"
    log.close()


@pytest.mark.parametrize("torn", [1, 20 * 1024, 600 * 1024])
def test_a_torn_line_is_taken_away_without_reading_the_lines_before_it(
    local: RunStore, tmp_path: Path, torn: int
) -> None:
    local.create(OLD).close()
    file = tmp_path / "runs" / OLD / "events.jsonl"
    whole = b"x" * 40 * 1024 * 1024 + b"\n"
    file.write_bytes(whole + b"y" * torn)
    log = local.reopen(OLD)
    tracemalloc.start()
    log.drop_torn_line()
    assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    tracemalloc.stop()
    log.append(b"two", durable=False)
    log.close()
    assert (file.stat().st_size, local.ends(OLD)[-1]) == (len(whole) + len(b"two\n"), b"two")


def test_nothing_is_left_of_a_journal_that_is_one_torn_line(local: RunStore, tmp_path: Path) -> None:
    local.create(OLD).close()
    file = tmp_path / "runs" / OLD / "events.jsonl"
    file.write_bytes(b"y" * 100_000)
    log = local.reopen(OLD)
    log.drop_torn_line()
    log.close()
    assert file.read_bytes() == b""


def test_what_is_not_there_is_an_error_that_names_its_place(store: RunStore) -> None:
    with pytest.raises(StoreError, match=f"{OLD}.*(not there|No such file)|plan.json.*{OLD}.*not there"):
        store.get(OLD, Part.PLAN)
    with pytest.raises(StoreError, match=f"no run {OLD}|{OLD}/events.*No such file"):
        store.reopen(OLD)
    with pytest.raises(StoreError, match=OLD):
        store.get(OLD, Part.EVENTS)
    with pytest.raises(StoreError, match=OLD):
        next(iter(store.events(OLD)))


def test_a_plan_is_claimed_once_and_keeps_its_runs_when_they_are_deleted(local: LocalRunStore) -> None:
    assert local.runs_of_plan("../key") is None
    assert local.claim_plan("../key")
    assert not local.claim_plan("../key")
    assert local.runs_of_plan("../key") == [RunOfPlan(run="")]
    local.create(OLD).close()
    local.add_run_of_plan("../key", OLD)
    local.delete(OLD)
    local.release_plan("../key")
    assert [use.run for use in local.runs_of_plan("../key") or ()] == ["", OLD]


def test_a_claim_of_which_no_run_came_can_be_released(local: LocalRunStore) -> None:
    assert local.claim_plan("key")
    local.release_plan("key")
    assert local.runs_of_plan("key") is None
    assert local.claim_plan("key")


def test_a_plan_that_is_claimed_in_a_folder_is_claimed_in_all_folders_of_the_user(
    local: LocalRunStore, tmp_path: Path
) -> None:
    other = FileRunStore(tmp_path / "elsewhere")
    assert local.claim_plan("key")
    assert not other.claim_plan("key")
    local.release_plan("key")
    assert other.claim_plan("key")
    other.add_run_of_plan("key", OLD)
    assert not local.claim_plan("key")
    local.add_run_of_plan("key", NEW)
    local.release_plan("key")
    place = str(tmp_path / "elsewhere")
    assert local.runs_of_plan("key") == [
        RunOfPlan(run="", folder=place),
        RunOfPlan(run=OLD, folder=place),
        RunOfPlan(run=NEW),
    ]
    assert local.beside(place).name.text == place


def test_a_folder_that_went_to_another_machine_has_its_plans_with_it(
    local: LocalRunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert local.claim_plan("key")
    local.add_run_of_plan("key", OLD)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    there = FileRunStore(tmp_path / "runs")
    assert not there.claim_plan("key")
    assert there.runs_of_plan("key") == [RunOfPlan(run=OLD)]


def test_a_plan_is_known_to_the_folder_where_nothing_can_be_written_for_all_and_a_warning_says_so(
    local: LocalRunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").write_text("no folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert local.claim_plan("key")
    local.add_run_of_plan("key", OLD)
    assert not local.claim_plan("key")
    (warning,) = local.warnings()
    assert "in other folders nobody knows that this plan was carried out" in warning.message
    assert str(tmp_path / "state") in warning.message
    assert local.warnings() == ()


def test_a_line_of_the_plans_of_all_folders_that_was_stored_in_part_names_no_run(
    local: LocalRunStore, tmp_path: Path
) -> None:
    assert local.claim_plan("key")
    (shared,) = Path(os.environ["XDG_STATE_HOME"]).glob("creatio-runner/plans/*")
    shared.write_text(shared.read_text() + '["/elsewhere", "019')
    assert FileRunStore(tmp_path / "elsewhere").runs_of_plan("key") == [
        RunOfPlan(run="", folder=str(tmp_path / "runs"))
    ]


def test_a_sandbox_finds_its_file_of_before_and_no_file_of_another(local: LocalRunStore) -> None:
    first = local.sandbox_file(8080, earlier=None)
    first.write_text("what happened")
    assert local.sandbox_file(8081, earlier=8080) == first
    assert first.read_text() == "what happened"
    assert not local.sandbox_file(8080, earlier=None).exists(), "that of another run on this port, long ago"


def test_old_sandboxes_are_deleted_and_newer_ones_stay(local: LocalRunStore) -> None:
    old, new = (local.sandbox_file(port, earlier=None) for port in (8080, 8081))
    for file, moment in ((old, 1000.0), (new, 3000.0)):
        file.write_text("x")
        os.utime(file, (moment, moment))
    local.delete_sandboxes(before=2000.0)
    assert (old.exists(), new.exists()) == (False, True)


def test_rows_that_belong_to_a_run_are_known_to_another_process_after_its_end(
    store: RunStore, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rows = store.owned_rows(OLD, site="https://a", settle=15.0)
    rows.begin("a", "UsrA", seconds=10.0)
    rows.ask(RowQuery(codes=("UsrA",), key="a", rows=("1",), keys=("a",), certain=True, timed=True))
    store.close()
    other_store = another(store, tmp_path, request)
    other = other_store.owned_rows(NEW, site="https://a", settle=15.0)
    assert other.ask(RowQuery(codes=("UsrA",), key="b", rows=("1",), keys=None, certain=False, timed=True)).taken == (
        "1",
    )
    other_store.close()


ME = Holder(pid=1, run=OLD, job="a@here", since="2026-01-01T00:00:00Z", command="runner rerun last")


def test_a_rerun_is_claimed_by_one_command_until_that_has_ended(local: LocalRunStore, tmp_path: Path) -> None:
    other, third = FileRunStore(tmp_path / "runs"), FileRunStore(tmp_path / "runs")
    assert local.claim_reruns(lambda: [OLD, NEW], ME) is None
    assert other.claim_reruns(lambda: ["other"], ME) is None
    assert third.claim_reruns(lambda: [NEW], ME) == RerunUnderWay(claimed=NEW, holder=ME)
    assert third.claim_reruns(lambda: ["nobody's", "other"], ME) == RerunUnderWay(claimed="other", holder=ME)
    local.close()
    assert third.claim_reruns(lambda: [NEW], ME) is None
    assert other.claim_reruns(lambda: [NEW], ME) == RerunUnderWay(claimed=NEW, holder=ME)


def test_a_claim_of_a_rerun_ends_with_a_program_that_is_killed(local: LocalRunStore, tmp_path: Path) -> None:
    script = f"""import os, signal
from pathlib import Path, PosixPath
from runner.runs.files.store import FileRunStore
from runner.runs.store import Holder
holder = Holder(pid=1, run="", job="", since="", command="")
assert FileRunStore(Path({str(tmp_path / "runs")!r})).claim_reruns(lambda: [{OLD!r}], holder) is None
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    assert len(list((tmp_path / "runs" / ".reruns").iterdir())) == 2
    assert local.claim_reruns(lambda: [OLD], ME) is None
    local.close()
    assert [path.name for path in (tmp_path / "runs" / ".reruns").iterdir()] == ["lock"]


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_claim_that_is_gone_before_it_is_read_is_none(
    local: LocalRunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_taken: bool
) -> None:
    other = FileRunStore(tmp_path / "runs")
    assert other.claim_reruns(lambda: [OLD], ME) is None

    def look(path: Path) -> bool:
        path.unlink()
        return is_taken

    monkeypatch.setattr("runner.foundation.private_files.is_locked", look)
    assert local.claim_reruns(lambda: [OLD], ME) is None


def test_a_claim_of_which_nobody_can_say_whether_it_is_held_is_not_free(
    local: LocalRunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a program has no file descriptors left."""
    other, opened = FileRunStore(tmp_path / "runs"), os.open
    assert other.claim_reruns(lambda: [OLD], ME) is None

    def open_few(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags == os.O_RDONLY and Path(path).parent.name == ".reruns":
            raise OSError(errno.EMFILE, "Too many open files", str(path))
        return opened(path, flags, mode)

    with monkeypatch.context() as few:
        few.setattr(os, "open", open_few)
        with pytest.raises(StoreError, match="Too many open files"):
            local.claim_reruns(lambda: [OLD], ME)
    assert local.claim_reruns(lambda: [OLD], ME) == RerunUnderWay(claimed=OLD, holder=ME)


def test_while_a_command_chooses_what_to_carry_out_once_more_no_other_does(
    local: LocalRunStore, tmp_path: Path
) -> None:
    other, order = FileRunStore(tmp_path / "runs"), list[str]()

    def choose_second() -> list[str]:
        order.append("second")
        return []

    second = threading.Thread(target=lambda: other.claim_reruns(choose_second, ME))

    def choose() -> list[str]:
        second.start()
        second.join(0.2)
        order.append("first")
        return []

    local.claim_reruns(choose, ME)
    second.join()
    assert order == ["first", "second"]


class NotOurs(PosixPath):
    """A path that this user may not look at, which nothing keeps root from, where it ends with `end`."""

    end = "?"

    def __fspath__(self) -> str:
        path = super().__fspath__()
        if path.endswith(self.end):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return path


def test_a_run_of_another_user_is_a_run_and_not_taken_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = ("0193a0c4-0000-7000-8000-000000000001", "0193a0c4-0000-7000-8000-000000000002")
    for name in (*ids, "lost+found"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "events.jsonl").touch()
    monkeypatch.setattr(NotOurs, "end", f"{ids[1]}/events.jsonl")
    assert FileRunStore(NotOurs(tmp_path)).runs() == [*ids, "lost+found"]
    monkeypatch.setattr(NotOurs, "end", "lost+found/events.jsonl")
    assert FileRunStore(NotOurs(tmp_path)).runs() == [*ids]


def test_a_folder_of_runs_that_may_not_be_read_is_not_taken_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NotOurs, "end", tmp_path.name)
    with pytest.raises(UsageError, match="Permission denied"):
        FileRunStore(NotOurs(tmp_path)).runs()

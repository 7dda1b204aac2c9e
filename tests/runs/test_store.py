"""What every store of runs promises, tried with files: what is there, what outlives a run, who gets a claim."""

import os
from pathlib import Path

import pytest

from runner.runs.files.store import FileRunStore
from runner.runs.store import Part, RunLockedError, RunStore, StoreError


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    made = FileRunStore(tmp_path / "runs")
    made.prepare()
    return made


def test_runs_are_listed_the_oldest_first_and_nothing_else_is(store: RunStore, tmp_path: Path) -> None:
    for run in ("0195", "0194"):
        store.create(run).close()
    (tmp_path / "runs" / "notes").mkdir()
    assert store.runs() == ["0194", "0195"]
    store.delete("0194")
    assert store.runs() == ["0195"]
    assert FileRunStore(tmp_path / "nowhere").runs() == []


def test_events_come_back_byte_for_byte_while_they_are_written(store: RunStore) -> None:
    log = store.create("0194")
    assert (store.get("0194", Part.EVENTS), store.ends("0194")) == (b"", [])
    for line in (b'{"a": 1}', "grün".encode(), b"last"):
        log.append(line, durable=False)
    assert store.get("0194", Part.EVENTS) == b'{"a": 1}\n' + "grün".encode() + b"\nlast\n"
    assert store.ends("0194") == [b'{"a": 1}', b"last"]
    assert store.is_being_written("0194")
    log.close()


def test_a_run_is_opened_by_one_at_a_time_with_its_events_as_they_are(store: RunStore, tmp_path: Path) -> None:
    log = store.create("0194")
    log.append(b"one", durable=True)
    with pytest.raises(RunLockedError):
        store.reopen("0194")
    log.close()
    with (tmp_path / "runs" / "0194" / "events.jsonl").open("ab") as file:
        file.write(b"to")
    log, events = store.reopen("0194")
    assert events == b"one\nto"
    log.drop_torn_line()
    log.append(b"two", durable=False)
    assert store.get("0194", Part.EVENTS) == b"one\ntwo\n"
    log.close()


def test_what_is_not_there_is_an_error_that_names_its_place(store: RunStore) -> None:
    with pytest.raises(StoreError, match=r"0194/plan\.json: No such file"):
        store.get("0194", Part.PLAN)
    with pytest.raises(StoreError, match=r"0194/events\.jsonl: No such file"):
        store.reopen("0194")


def test_a_plan_is_claimed_once_and_keeps_its_runs_when_they_are_deleted(store: RunStore) -> None:
    assert store.runs_of_plan("../key") is None
    assert store.claim_plan("../key")
    assert not store.claim_plan("../key")
    assert store.runs_of_plan("../key") == []
    store.create("0194").close()
    store.add_run_of_plan("../key", "0194")
    store.delete("0194")
    store.release_plan("../key")
    assert store.runs_of_plan("../key") == ["0194"]


def test_a_claim_of_which_no_run_came_can_be_released(store: RunStore) -> None:
    assert store.claim_plan("key")
    store.release_plan("key")
    assert store.runs_of_plan("key") is None
    assert store.claim_plan("key")


def test_a_sandbox_finds_its_file_of_before_and_no_file_of_another(store: RunStore) -> None:
    first = store.sandbox_file(8080, earlier=None)
    first.write_text("what happened")
    assert store.sandbox_file(8081, earlier=8080) == first
    assert first.read_text() == "what happened"
    assert not store.sandbox_file(8080, earlier=None).exists(), "that of another run on this port, long ago"


def test_old_sandboxes_are_deleted_and_newer_ones_stay(store: RunStore) -> None:
    old, new = (store.sandbox_file(port, earlier=None) for port in (8080, 8081))
    for file, moment in ((old, 1000.0), (new, 3000.0)):
        file.write_text("x")
        os.utime(file, (moment, moment))
    store.delete_sandboxes(before=2000.0)
    assert (old.exists(), new.exists()) == (False, True)


def test_rows_that_belong_to_a_run_are_known_to_another_process_after_its_end(store: RunStore, tmp_path: Path) -> None:
    rows = store.owned_rows("0194", site="https://a", settle=15.0)
    rows.begin("a", "UsrA", seconds=10.0)
    rows.ask("a", ("UsrA",), rows=["1"], keys=("a",), certain=True, timed=True)
    store.close()
    other = FileRunStore(tmp_path / "runs").owned_rows("0195", site="https://a", settle=15.0)
    assert other.ask("b", ("UsrA",), rows=["1"], keys=None, certain=False, timed=True).taken == ("1",)

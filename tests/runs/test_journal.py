"""The journal: private, append-only, chained, free of secrets, and readable after any cut."""

import json
import os
import stat
from collections.abc import Iterator
from io import BytesIO
from itertools import count
from pathlib import Path

import msgspec
import pytest
from journals import EVENTS, PLAN, RUN_STARTED, new_journal, read, reopened, store_of

from runner.runs.events import (
    CallAnswered,
    CallSent,
    Check,
    Paused,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    Section,
    StepFinished,
    StepSkipped,
    StepStarted,
    TargetName,
)
from runner.runs.journal import Journal, parse, parse_line, utc_now
from runner.runs.safe_events import LARGE
from runner.runs.status import Status
from runner.runs.store import Part, StoreError
from runner.secrets.redact import Secrets


def clock() -> Iterator[str]:
    return (f"2026-01-31T09:00:{second:02d}.000Z" for second in count())


def opened(folder: Path, secrets: Secrets | None = None) -> Journal:
    ticks = clock()
    return new_journal(folder, secrets or Secrets(), now=lambda: next(ticks))


def finished(result: object) -> StepFinished:
    return StepFinished(key="a", t=1.0, status=Status.PASSED, seconds=1.0, attempts=1, result=result)


def test_each_line_holds_the_hash_of_the_line_before(tmp_path: Path) -> None:
    journal = opened(tmp_path / "run")
    for number in range(3):
        journal.append(Paused(key="a", t=float(number), seconds=1.0))
    reading = read(tmp_path / "run")
    assert reading.flaw is None
    assert [line.prev for line in reading.lines] == ["0" * 64, *[line.sha256 for line in reading.lines[:-1]]]
    assert journal.head == reading.lines[-1].sha256
    assert list(reading.lines) == journal.lines


def test_an_edited_line_shows_as_the_next_ones_flaw(tmp_path: Path) -> None:
    journal = opened(tmp_path / "run")
    for number in range(4):
        journal.append(Paused(key="a", t=float(number), seconds=1.0))
    file = tmp_path / "run" / EVENTS
    file.write_text(file.read_text().replace('"t":1.0', '"t":9.0'))
    assert read(tmp_path / "run").flaw == 3


def test_an_earlier_reading_counts_until_the_journal_changes(tmp_path: Path) -> None:
    journal = opened(tmp_path / "run")
    journal.append(Paused(key="a", t=1.0, seconds=1.0))
    content = (tmp_path / "run" / EVENTS).read_bytes()
    earlier = parse(BytesIO(content))

    again, more = parse(BytesIO(content), known=earlier), parse(BytesIO(content + content), known=earlier)
    assert again == earlier
    assert again.lines[0] is more.lines[0] is earlier.lines[0]
    assert more.flaw == 2
    assert parse(BytesIO(content.replace(b'"t":1.0', b'"t":9.0')), known=earlier).lines != earlier.lines


@pytest.mark.parametrize(
    ("ours", "theirs"), [(b'"v":2', b'"v":3'), (b'"seq":1', b'"seq":"1"'), (b'"prev":"', b'"prev":1,"":"')]
)
def test_a_line_whose_frame_is_not_ours_is_no_line(tmp_path: Path, ours: bytes, theirs: bytes) -> None:
    journal = opened(tmp_path / "run")
    journal.append(Paused(key="a", t=1.0, seconds=1.0))
    line = (tmp_path / "run" / EVENTS).read_bytes().rstrip()

    assert parse_line(line) is not None
    assert parse_line(line.replace(ours, theirs)) is None


def test_a_line_that_is_no_event_is_a_flaw_and_the_others_are_read(tmp_path: Path) -> None:
    journal = opened(tmp_path / "run")
    for number in range(3):
        journal.append(Paused(key="a", t=float(number), seconds=1.0))
    file = tmp_path / "run" / EVENTS
    lines = file.read_text().splitlines()
    lines[1] = '{"type": "nonsense"}'
    file.write_text("\n".join(lines) + "\n")
    reading = read(tmp_path / "run")
    assert (reading.flaw, len(reading.lines)) == (2, 2)


def test_a_journal_cut_at_any_byte_gives_the_lines_before_the_cut(tmp_path: Path) -> None:
    journal = opened(tmp_path / "run")
    for number in range(3):
        journal.append(Paused(key="a", t=float(number), seconds=1.0))
    file = tmp_path / "run" / EVENTS
    content = file.read_bytes()
    for cut in range(len(content)):
        file.write_bytes(content[:cut])
        reading = read(tmp_path / "run")
        assert len(reading.lines) == content[:cut].count(b"\n")
        assert reading.flaw is None
        assert reading.torn == (content[:cut] != b"" and not content[:cut].endswith(b"\n"))


def test_the_folder_and_its_files_are_private(tmp_path: Path) -> None:
    journal = opened(tmp_path / "run")
    journal.append(finished("x" * (LARGE + 1)))
    store_of(tmp_path / "run").put("run", Part.PLAN, "{}")
    for path in (tmp_path / "run").rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_a_secret_never_reaches_the_file_and_leaves_a_named_hole(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.add("inputs.token", "s3cret-token")
    journal = opened(tmp_path / "run", secrets)
    journal.append(CallSent(t=0, key="a", effect="once", call={"kind": "execute", "parameters": {"T": "s3cret-token"}}))
    written = (tmp_path / "run" / EVENTS).read_text()
    assert "s3cret-token" not in written
    assert "[inputs.token" in written
    assert read(tmp_path / "run").flaw is None
    assert "s3cret-token" not in repr(journal.lines)


def test_a_secret_is_cut_out_of_what_was_given_whatever_its_name_is(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.add("inputs.token", "s3cret-token")
    journal = opened(tmp_path / "run", secrets)
    given = {"t": "x s3cret-token", "key": "s3cret-token"}
    journal.append(msgspec.structs.replace(RUN_STARTED, inputs=given, given=given))
    journal.append(msgspec.structs.replace(finished(None), item=given))
    row = Row(key="a[1]", id="a", name="a", kind="execute", section=Section.STEPS, index=1, line=1)
    journal.append(StepSkipped(row=row, reason="stopped", item=given))
    assert "s3cret-token" not in (tmp_path / "run" / EVENTS).read_text()


def test_a_secret_that_is_one_of_our_own_words_does_not_break_an_event(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.add("inputs.token", "passed")
    journal = opened(tmp_path / "run", secrets)
    row = Row(key="a", id="a", name="passed", kind="execute", section=Section.STEPS, index=None, line=1)
    journal.append(StepStarted(row=row, t=0.0))
    journal.append(finished("passed"))
    first, second = (line.event for line in read(tmp_path / "run").lines)
    assert isinstance(first, StepStarted)
    assert isinstance(second, StepFinished)
    assert first.row.name != "passed"
    assert second.status is Status.PASSED
    assert second.result != "passed"


@pytest.mark.parametrize("word", ["sandbox", "message", "parameters", "passed", "process"])
def test_a_secret_that_is_one_of_our_own_keys_does_not_break_an_event(tmp_path: Path, word: str) -> None:
    secrets = Secrets()
    secrets.add("target.password", word)
    journal = opened(tmp_path / "run", secrets)
    target = TargetName(name=f"at {word}", url=f"https://{word}", sandbox=False)
    journal.append(msgspec.structs.replace(RUN_STARTED, target=target, inputs={word: word}))
    call = {"kind": "execute", "process": word, "parameters": {word: word}, "result": None}
    journal.append(CallSent(t=0, key="a", effect="once", call=call))
    journal.append(msgspec.structs.replace(finished([word]), checks=(Check(that="x", passed=True, message=word),)))
    reading = read(tmp_path / "run")
    assert (len(reading.lines), reading.flaw) == (3, None)
    first = reading.lines[0].event
    assert isinstance(first, RunStarted)
    assert word not in first.target.url


def test_a_large_result_lies_in_a_file_of_its_own_once(tmp_path: Path) -> None:
    journal = opened(tmp_path / "run")
    large = ["x" * 1000] * 400
    journal.append(CallAnswered(key="a", t=1.0, value=large))
    journal.append(finished(large))
    files = list((tmp_path / "run" / "results").iterdir())
    assert len(files) == 1
    assert json.loads(files[0].read_text()) == large
    event = read(tmp_path / "run").lines[1].event
    assert isinstance(event, StepFinished)
    assert event.result == {"$result": f"sha256:{files[0].stem}", "bytes": files[0].stat().st_size}


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Not a directory"):
        opened(tmp_path / "file" / "run")
    (tmp_path / "run").mkdir()
    with pytest.raises(StoreError, match="exists"):
        opened(tmp_path / "run")


def test_a_sealed_journal_takes_nothing_more(tmp_path: Path) -> None:
    journal = opened(tmp_path / "run")
    journal.append(Paused(key="a", t=0.0, seconds=1.0))
    journal.seal()
    with pytest.raises(StoreError):
        journal.append(Paused(key="a", t=1.0, seconds=1.0))
    assert len(read(tmp_path / "run").lines) == 1


@pytest.mark.parametrize("lines", [0, 1])
def test_a_run_that_was_given_up_says_so_where_it_had_begun(tmp_path: Path, lines: int) -> None:
    journal = opened(tmp_path / "run")
    for number in range(lines):
        journal.append(Paused(key="a", t=float(number), seconds=1.0))
    journal.seal(Paused(key="last", t=1.0, seconds=1.0))
    assert len(read(tmp_path / "run").lines) == 2 * lines


def test_the_time_of_a_line_is_utc_to_the_millisecond() -> None:
    moment = utc_now()
    assert len(moment) == len("2026-01-31T09:00:00.000Z")
    assert moment.endswith("Z")


def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by the inode of each file and folder that is brought to disk."""
    found: list[int] = []
    real = os.fsync

    def fsync(file: int) -> None:
        found.append(os.fstat(file).st_ino)
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_a_call_that_must_not_happen_twice_and_the_end_of_a_run_are_on_disk_before_they_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(tmp_path / "run")
    events = (tmp_path / "run" / EVENTS).stat().st_ino
    found = synced(monkeypatch)
    heard: list[int] = []
    journal.listeners.append(lambda _line: heard.append(found.count(events)))
    journal.append(Paused(key="a", t=0.0, seconds=1.0))
    journal.append(CallSent(t=0, key="a", effect="once", call={}), durable=True)
    journal.append(CallAnswered(key="a", t=1.0, value=None))
    journal.append(RunFinished(t=2.0, status=RunStatus.PASSED, exit_code=0))
    assert heard == [0, 1, 1, 2]


def test_what_a_run_needs_is_on_disk_with_its_first_durable_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it nothing is waited for: a run that is lost with all its lines has sent nothing that must not be lost."""
    found = synced(monkeypatch)
    folder = tmp_path / "a" / "b" / "run"
    store = store_of(folder)
    store.prepare()
    assert {path.stat().st_ino for path in (tmp_path, tmp_path / "a")} <= set(found)
    found.clear()
    journal = opened(folder)
    store.put("run", Part.PLAN, "{}")
    journal.append(Paused(key="a", t=0.0, seconds=1.0))
    assert found == []
    journal.append(CallSent(t=0, key="a", effect="once", call={}), durable=True)
    assert {path.stat().st_ino for path in (folder / EVENTS, folder / PLAN, folder, folder.parent)} == set(found)
    found.clear()
    journal.append(CallSent(t=0, key="b", effect="once", call={}), durable=True)
    assert found == [(folder / EVENTS).stat().st_ino]


def test_a_result_that_is_stored_apart_is_on_disk_before_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line whose result a loss of power took would keep the run from going on."""
    journal = opened(tmp_path / "run")
    found = synced(monkeypatch)
    journal.append(finished("x" * (LARGE + 1)))
    results = tmp_path / "run" / "results"
    (file,) = results.iterdir()
    assert found == [results.parent.stat().st_ino, file.stat().st_ino, results.stat().st_ino]


def test_a_run_that_is_resumed_is_brought_to_disk_whoever_began_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    opened(folder).close()
    store_of(folder).put("run", Part.PLAN, "{}")
    found = synced(monkeypatch)
    reopened(folder).append(CallSent(t=0, key="a", effect="once", call={}), durable=True)
    assert {path.stat().st_ino for path in (folder / EVENTS, folder / PLAN, folder, tmp_path)} == set(found)


def test_a_report_that_can_be_drawn_again_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(tmp_path / "run")
    found = synced(monkeypatch)
    for part in (Part.REPORT, Part.JUNIT, Part.PAGE):
        store_of(tmp_path / "run").put("run", part, "{}")
    assert found == []
    assert store_of(tmp_path / "run").get("run", Part.REPORT) == b"{}"

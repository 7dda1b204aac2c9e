"""A journal that another process left behind: gone on with, by one writer at a time, and read back as it was meant."""

import json
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import EVENTS, is_being_written, new_journal, read, reopened, store_of

from runner.foundation.values import Json
from runner.runs.events import (
    AnyEvent,
    CallAnswered,
    CallSent,
    Check,
    Paused,
    RunClosing,
    RunFinished,
    RunStatus,
    StepFinished,
    UndoFinished,
)
from runner.runs.status import Status
from runner.runs.store import Part, RunLockedError, StoreError
from runner.secrets.redact import Secrets

pytestmark = pytest.mark.slow

LARGE_LIST: list[Json] = ["s3cret-token " * 80] * 400


def knowing_a_token() -> Secrets:
    secrets = Secrets()
    secrets.add("inputs.token", "s3cret-token")
    return secrets


def left_behind(folder: Path, *events: AnyEvent, secrets: Secrets | None = None) -> None:
    journal = new_journal(folder, secrets)
    for event in events:
        journal.append(event)
    journal.close()


def pauses(count: int) -> list[AnyEvent]:
    return [Paused(key="a", t=float(number), seconds=1.0) for number in range(count)]


def finished(result: object) -> StepFinished:
    return StepFinished(key="a", t=1.0, status=Status.PASSED, seconds=1.0, attempts=1, result=result)


@contextmanager
def another_process(folder: Path, *, new: bool = False) -> Iterator[subprocess.Popen[str]]:
    """One that holds the journal of `folder` until it is killed."""
    program = (
        "import sys; from pathlib import Path; from runner.runs.files.store import FileRunStore; "
        "folder = Path(sys.argv[1]); store = FileRunStore(folder.parent); "
        "log = (store.create if sys.argv[2] == 'new' else store.reopen)(folder.name); "
        "print('held', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", program, str(folder), "new" if new else "old"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_reopened_journal_goes_on_in_the_chain(tmp_path: Path) -> None:
    left_behind(tmp_path / "run", *pauses(3))
    journal = reopened(tmp_path / "run")
    assert (journal.lines, journal.head) == ([*read(tmp_path / "run").lines], journal.lines[-1].sha256)
    journal.append(Paused(key="b", t=9.0, seconds=1.0))
    reading = read(tmp_path / "run")
    assert (reading.flaw, reading.torn, [line.seq for line in reading.lines]) == (None, False, [1, 2, 3, 4])
    assert list(reading.lines) == journal.lines
    assert journal.head == reading.lines[-1].sha256


def test_a_journal_cut_at_any_byte_goes_on_behind_its_last_whole_line(tmp_path: Path) -> None:
    left_behind(tmp_path / "run", *pauses(3))
    file = tmp_path / "run" / EVENTS
    content = file.read_bytes()
    for cut in range(len(content) + 1):
        file.write_bytes(content[:cut])
        journal = reopened(tmp_path / "run")
        whole = content[:cut].count(b"\n")
        assert len(journal.lines) == whole
        assert file.read_bytes() == content[: content[:cut].rfind(b"\n") + 1]
        journal.append(Paused(key="b", t=9.0, seconds=1.0))
        journal.close()
        reading = read(tmp_path / "run")
        assert (len(reading.lines), reading.flaw, reading.torn) == (whole + 1, None, False)


def test_a_journal_that_was_edited_is_reported_and_left_as_it_is(tmp_path: Path) -> None:
    left_behind(tmp_path / "run", *pauses(4))
    file = tmp_path / "run" / EVENTS
    file.write_bytes(file.read_bytes().replace(b'"t":1.0', b'"t":9.0') + b'{"torn')
    content = file.read_bytes()
    journal = reopened(tmp_path / "run")
    assert journal.flaw == 3
    assert file.read_bytes() == content


def test_a_sound_journal_has_no_flaw(tmp_path: Path) -> None:
    assert new_journal(tmp_path / "run").flaw is None
    left_behind(tmp_path / "other", *pauses(4))
    assert reopened(tmp_path / "other").flaw is None


def test_a_journal_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        reopened(tmp_path / "run")


def test_a_journal_is_written_by_one_process_at_a_time(tmp_path: Path) -> None:
    with another_process(tmp_path / "run", new=True):
        assert is_being_written(tmp_path / "run")
        with pytest.raises(RunLockedError, match=EVENTS):
            reopened(tmp_path / "run")
    assert not is_being_written(tmp_path / "run")
    reopened(tmp_path / "run").close()


def test_one_that_is_under_way_with_a_journal_keeps_others_away_too(tmp_path: Path) -> None:
    left_behind(tmp_path / "run", *pauses(1))
    assert not is_being_written(tmp_path / "run")
    with another_process(tmp_path / "run"), pytest.raises(RunLockedError):
        reopened(tmp_path / "run")


def test_within_one_process_a_journal_has_one_writer(tmp_path: Path) -> None:
    journal = new_journal(tmp_path / "run")
    with pytest.raises(RunLockedError):
        reopened(tmp_path / "run")
    assert is_being_written(tmp_path / "run")
    journal.close()
    assert not is_being_written(tmp_path / "run")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which files a process has open")
def test_a_journal_that_was_refused_is_not_kept_open(tmp_path: Path) -> None:
    journal = new_journal(tmp_path / "run")
    open_files = len([*Path("/proc/self/fd").iterdir()])
    with pytest.raises(RunLockedError):
        reopened(tmp_path / "run")
    assert len([*Path("/proc/self/fd").iterdir()]) == open_files
    journal.close()


def test_a_folder_without_a_journal_is_not_being_written(tmp_path: Path) -> None:
    assert not is_being_written(tmp_path / "none")


def test_asking_whether_it_is_written_keeps_no_writer_away(tmp_path: Path) -> None:
    left_behind(tmp_path / "run", *pauses(1))
    for _ in range(20):
        assert not is_being_written(tmp_path / "run")
    reopened(tmp_path / "run").close()


EVENTS_OF_ALL_KINDS: list[AnyEvent] = [
    CallSent(t=0, key="a", effect="once", call={"kind": "execute", "parameters": {"T": "s3cret-token"}}),
    CallAnswered(key="a", t=1.0, value={"s3cret-token": ["x s3cret-token", "\ue000[no hole]", 1.5, None]}),
    CallAnswered(key="a", t=1.0, value=LARGE_LIST),
    finished(LARGE_LIST),
    finished({"$result": "sha256:" + "0" * 64, "bytes": 3}),
    StepFinished(
        key="a",
        t=1.0,
        status=Status.FAILED,
        seconds=1.0,
        attempts=1,
        checks=(Check(that="s3cret-token", passed=False, message="no"),),
        warnings=("s3cret-token",),
    ),
    RunFinished(t=1.0, status=RunStatus.PASSED, exit_code=0, outputs={"a": "s3cret-token"}),
]


@pytest.mark.parametrize("event", EVENTS_OF_ALL_KINDS, ids=lambda event: type(event).__name__)
def test_an_event_is_reported_beforehand_as_it_is_read_back(tmp_path: Path, event: AnyEvent) -> None:
    journal = new_journal(tmp_path / "written", knowing_a_token())
    written = journal.as_written(event)
    assert [path.name for path in (tmp_path / "written").iterdir()] == [EVENTS]
    assert journal.lines == []
    journal.append(event)
    assert read(tmp_path / "written").lines[0].event == written


ANSWERS: list[Json] = [
    None,
    "s3cret-token",
    {"s3cret-token": ["x s3cret-token y", "\ue000[inputs.token]", "\ue000"]},
    LARGE_LIST,
    {"$result": "sha256:" + "0" * 64, "bytes": 3},
    {"$result": "sha256:" + "0" * 64, "bytes": "s3cret-token"},
    {"$result": "sha256:" + "0" * 64, "bytes": 3, "forgotten": True},
    {"$result": 1, "bytes": 3},
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: repr(answer)[:30])
def test_an_answer_is_read_back_as_it_came(tmp_path: Path, answer: Json) -> None:
    left_behind(tmp_path / "run", CallAnswered(key="a", t=1.0, value=answer), secrets=knowing_a_token())
    for path in (tmp_path / "run").rglob("*.*"):
        assert path.is_dir() or "s3cret-token" not in path.read_text()
    journal = reopened(tmp_path / "run", knowing_a_token())
    event = journal.lines[0].event
    assert isinstance(event, CallAnswered)
    assert journal.value_of(event.value) == answer


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["s3cret-token", "\ue000", "\ue000[inputs.token]", "$result", "sha256:", "xs3cret-token"]
)
answers = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(answer=answers)
def test_any_answer_is_read_back_as_it_came(answer: Json) -> None:
    with tempfile.TemporaryDirectory() as folder:
        left_behind(Path(folder) / "run", CallAnswered(key="a", t=1.0, value=answer), secrets=knowing_a_token())
        journal = reopened(Path(folder) / "run", knowing_a_token())
        event = journal.lines[0].event
        assert isinstance(event, CallAnswered)
        assert journal.value_of(event.value) == answer
        journal.close()


def test_a_hole_that_nobody_can_fill_is_no_value(tmp_path: Path) -> None:
    answered = CallAnswered(key="a", t=1.0, value=["s3cret-token"])
    left_behind(tmp_path / "run", answered, secrets=knowing_a_token())
    journal = reopened(tmp_path / "run")
    event = journal.lines[0].event
    assert isinstance(event, CallAnswered)
    with pytest.raises(LookupError, match=r"inputs\.token"):
        journal.value_of(event.value)


def test_a_large_result_that_was_changed_or_is_gone_is_no_value(tmp_path: Path) -> None:
    left_behind(tmp_path / "run", finished(LARGE_LIST))
    journal = reopened(tmp_path / "run")
    event = journal.lines[0].event
    assert isinstance(event, StepFinished)
    (file,) = (tmp_path / "run" / "results").iterdir()
    file.write_text(json.dumps(["something else"]))
    with pytest.raises(LookupError, match="was changed"):
        journal.value_of(event.result)
    file.unlink()
    with pytest.raises(LookupError, match="No such file"):
        journal.value_of(event.result)


def test_a_large_result_that_was_cut_off_while_it_was_written_is_written_again(tmp_path: Path) -> None:
    left_behind(tmp_path / "first", finished(LARGE_LIST))
    (whole,) = (tmp_path / "first" / "results").iterdir()
    left_behind(tmp_path / "run", *pauses(1))
    (tmp_path / "run" / "results").mkdir()
    (tmp_path / "run" / "results" / (whole.name + ".part")).write_bytes(whole.read_bytes()[:100])
    journal = reopened(tmp_path / "run")
    journal.append(finished(LARGE_LIST))
    (file,) = (tmp_path / "run" / "results").iterdir()
    assert file.read_bytes() == whole.read_bytes()


def test_a_kept_file_takes_the_place_of_an_earlier_one_and_stays_private(tmp_path: Path) -> None:
    new_journal(tmp_path / "run")
    store_of(tmp_path / "run").put("run", Part.REPORT, "a long first text")
    store_of(tmp_path / "run").put("run", Part.REPORT, "short")
    assert (tmp_path / "run" / "report.json").read_text() == "short"
    assert stat.S_IMODE((tmp_path / "run" / "report.json").stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [EVENTS, "report.json"]


@pytest.mark.parametrize("word", ["complete", "incomplete", "SIGTERM", "stopped"])
def test_a_secret_that_is_a_word_of_ours_does_not_change_how_a_run_ended(tmp_path: Path, word: str) -> None:
    secrets = Secrets()
    secrets.add("inputs.token", word)
    events: list[AnyEvent] = [
        RunClosing(t=1.0, why=word),
        UndoFinished(t=1.0, undo=word),
        RunFinished(t=1.0, status=RunStatus.FAILED, exit_code=1, undo=word),
    ]
    left_behind(tmp_path / "run", *events, secrets=secrets)
    assert [line.event for line in read(tmp_path / "run").lines] == events

"""The history of runs: what a line holds, and the bounds of all of them."""

import json
import threading
from pathlib import Path

import pytest
from journals import RUN_STARTED, new_journal, read
from msgspec.structs import replace
from running import TIME

from runner.runs import history
from runner.runs.events import (
    AnyEvent,
    Asked,
    Check,
    Row,
    RunFinished,
    RunStatus,
    Section,
    StepFinished,
    StepStarted,
    Trouble,
)
from runner.runs.evidence import VerdictBy, VerdictSource
from runner.runs.files import history as history_file
from runner.runs.files.store import FileRunStore
from runner.runs.history import PastRun, bounded, history_line, past_runs, remember
from runner.runs.result import RunResult, fold
from runner.runs.status import Status
from runner.secrets.redact import Secrets


def line(run: int, *, job: str = "smoke", status: str = "passed", digest: str = "d") -> bytes:
    past = PastRun(
        run=f"{run:04d}", at="", job=job, case=None, target="t", digest=digest, commit="", status=status, ms=1, steps={}
    )
    return history._encoder.encode(past)  # noqa: SLF001  a line as it is written


def lines(*found: bytes) -> bytes:
    return b"".join(one + b"\n" for one in found)


def result_of(tmp_path: Path, *events: AnyEvent, secrets: Secrets | None = None) -> RunResult:
    journal = new_journal(tmp_path / "0194", secrets)
    started = replace(
        RUN_STARTED,
        case="red",
        inputs={"phone": "+1 202 555 0100"},
        digest="sha256:" + "ab" * 32,
        commit="c0ffee" * 6,
    )
    for event in (started, *events, RunFinished(t=2.0, status=RunStatus.FAILED, exit_code=1)):
        journal.append(event)
    journal.close()
    return fold(read(tmp_path / "0194").lines)


def step(key: str, status: Status, *, error: Trouble | None = None, checks: tuple[Check, ...] = ()) -> list[AnyEvent]:
    row = Row(key=key, id=None, name="Ada Lovelace", kind="execute", section=Section.STEPS, index=None, line=1)
    finished = StepFinished(
        key=key,
        t=1.0,
        status=status,
        seconds=0.25,
        attempts=1,
        result="Ada",
        outputs={"phone": "0100"},
        error=error,
        checks=checks,
    )
    return [StepStarted(row=row, t=0.0), finished]


def test_a_line_counts_the_turns_of_a_step_together_and_holds_no_value(tmp_path: Path) -> None:
    trouble = Trouble(code="E201", message="`result` is \"Ada\", not 'Eve'")
    result = result_of(
        tmp_path,
        *step("each[0]/read", Status.PASSED),
        *step("each[1]/read", Status.FAILED, error=trouble),
        *step("look", Status.FAILED, error=trouble, checks=(Check(that="result == inputs.name", passed=False),)),
    )
    text = history_line(result).decode()
    past = json.loads(text)
    assert past["steps"] == {
        "each[]/read": [1, 0, 1, 0, [250], ["E201", "`result` is …, not …"]],
        "look": [0, 0, 1, 0, [], ["E201", "result == inputs.name"]],
    }
    assert [past[key] for key in ("job", "case", "target", "digest", "commit", "status", "ms")] == [
        "smoke",
        "red",
        "here",
        "abababababababab",
        "c0ffeec0ffee",
        "failed",
        2000,
    ]
    assert not [value for value in ("Ada", "Eve", "0100") if value in text]


def test_a_row_that_a_person_calls_passed_has_no_time(tmp_path: Path) -> None:
    by = VerdictBy(how=VerdictSource.OPTION, user="ada", ci_user=None)
    asked = Asked(key="a", t=1.0, value={"as": "passed"}, by=by)
    ended = step("a", Status.PASSED)
    result = result_of(tmp_path, ended[0], asked, ended[1], *step("b", Status.PASSED))
    steps = json.loads(history_line(result))["steps"]
    assert (steps["a"][4], steps["b"][4]) == ([], [250])


def test_no_secret_reaches_the_history(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.add("inputs.token", "canary-4711")
    trouble = Trouble(code="E305", message="no answer for canary-4711\nin time " + "x" * 200)
    text = history_line(result_of(tmp_path, *step("a", Status.ERROR, error=trouble), secrets=secrets)).decode()
    code, message = json.loads(text)["steps"]["a"][-1]
    assert (code, message[:23], len(message)) == ("E305", "no answer for ***\\u000a", 120)
    assert "canary" not in text


def test_the_last_line_of_a_run_counts_and_what_is_no_line_is_passed_over() -> None:
    content = (
        lines(line(2, status="unknown"), line(1), b"nonsense", b'{"v": 2}', line(2, status="passed")) + b'{"v":1,"r'
    )
    assert [(run.run, run.status) for run in past_runs(content)] == [("0001", "passed"), ("0002", "passed")]
    assert [(run.run, run.status) for run in past_runs(bounded(content))] == [("0001", "passed"), ("0002", "passed")]
    assert bounded(content).count(b"\n") == 2


def test_the_newest_hundred_of_each_name_are_left() -> None:
    many = [line(number, job=job) for number, job in zip(range(210), ["a"] * 105 + ["b"] * 105, strict=True)]
    left = past_runs(bounded(lines(*many)))
    assert [run.run for run in left] == [f"{n:04d}" for n in (*range(5, 105), *range(110, 210))]


@pytest.mark.slow
def test_all_names_together_stay_below_eight_mebibytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_BYTES", 20_000)
    monkeypatch.setattr(history, "_STEP", 5_000)
    store = FileRunStore(tmp_path)
    store.prepare()
    written_line = line(0)
    for number in range(400):
        size = store.append_history(line(number, job=f"job-{number:03d}"))
        if size // 5_000 != (size - len(written_line) - 1) // 5_000:
            store.change_history(bounded)
        assert len(store.history()) <= 20_000 + 5_000 + 2 * len(written_line)
    assert past_runs(store.history())[-1].run == "0399"


def test_a_history_that_has_grown_is_brought_within_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_STEP", 1 << 12)
    store = FileRunStore(tmp_path / "runs")
    store.prepare()
    store.change_history(lambda _: lines(*(line(number) for number in range(30))) * 2)
    before = len(past_runs(store.history()))
    result = result_of(tmp_path)
    for _ in range(40):
        remember(store, result)
    assert len(store.history()) < 2 * (1 << 12)
    assert len(past_runs(store.history())) == before + 1


def test_lines_of_several_writers_are_all_there_though_the_history_is_written_anew_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_file, "_LOOKS", int(TIME * 100))  # who waits for the lock does so on a busy disk, too
    FileRunStore(tmp_path).prepare()

    def write(writer: int) -> None:
        store = FileRunStore(tmp_path)
        for number in range(25):
            store.append_history(line(writer * 100 + number, job=f"job-{writer}"))
            store.change_history(bounded)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(past_runs(FileRunStore(tmp_path).history())) == 100


def test_a_line_after_one_that_was_torn_is_a_line_of_its_own(tmp_path: Path) -> None:
    store = FileRunStore(tmp_path)
    store.prepare()
    (tmp_path / "history.jsonl").write_bytes(line(1) + b"\n" + line(2)[:20])
    store.append_history(line(3))
    assert [run.run for run in past_runs(store.history())] == ["0001", "0003"]
    assert (tmp_path / "history.jsonl").read_bytes().endswith(line(3) + b"\n")

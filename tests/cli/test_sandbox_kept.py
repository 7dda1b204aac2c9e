"""A sandbox that a command starts by itself: a run that is killed, and gone on with, finds it as it left it."""

import base64
import json
import shutil
import time
from pathlib import Path

import pytest
from journals import EVENTS
from running import DEVNULL, start

from runner.cli.main import ended

pytestmark = pytest.mark.slow

SPECS = Path(__file__).parents[2] / "specs"
RUNS = Path(".runner/runs")
JOB = """runner: 1
name: kept
target: sandbox
steps:
  - id: add
    execute: {process: UsrAddNewExternalContact, parameters: {ContactName: "Ada"}, result: ContactId}
  - id: rest
    pause: 2s
  - id: look
    query: {entity: Contact, filter: "Id eq {{ steps.add.result }}"}
    expect: [result | length == 1]
"""


@pytest.fixture(autouse=True)
def _beside_the_shipped_sandbox(tmp_path: Path) -> None:
    shutil.copytree(SPECS / "sandbox", tmp_path / "sandbox")
    (tmp_path / "kept.job.yaml").write_text(JOB)


SECRET = "hunter2/\u00e4'42"
SECRET_JOB = """runner: 1
name: kept
target: sandbox
inputs: {token: {type: string, secret: true}}
vars: {made: "key {{ inputs.token | b64encode }}"}
steps:
  - id: add
    execute: {process: UsrAddNewExternalContact, parameters: {ContactName: "x{{ inputs.token }}"}, result: ContactId}
  - id: made
    execute: {process: UsrAddNewExternalContact, parameters: {ContactName: "{{ vars.made }}"}, result: ContactId}
  - id: rest
    pause: 2s
  - id: look
    query: {entity: Contact, filter: "Name eq {{ ('x' ~ inputs.token) | odata }}"}
    expect:
      - result | length == 1
      - result[0].Name == "x" ~ inputs.token
      - result[0].Id == steps.add.result
"""


def sandbox_files() -> list[Path]:
    return sorted(Path(".runner/.sandboxes").glob("*.sqlite*"))


def test_a_run_that_was_killed_leaves_no_secret_and_finds_what_it_had_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("kept.job.yaml").write_text(SECRET_JOB)
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", SECRET)
    kill_behind_the_first_step()
    left = [file for file in Path(".runner").rglob("*") if file.is_file()]
    assert sandbox_files()[0] in left
    made = base64.b64encode(SECRET.encode())
    for text in (SECRET.encode(), json.dumps(SECRET)[1:-1].encode(), b"hunter2", made, made[:12]):
        assert not [file for file in left if text in file.read_bytes()]
    ended(["resume", "last", "-q", "--report-json", "r.json"])
    (run,) = json.loads(Path("r.json").read_text())["runs"]
    assert [(step["key"], step["status"]) for step in run["steps"]] == [
        ("add", "passed"),
        ("made", "passed"),
        ("rest", "passed"),
        ("look", "passed"),
    ]
    assert "hunter2" not in capsys.readouterr().out


def kill_behind_the_first_step() -> None:
    process = start("run", "kept.job.yaml", stdout=DEVNULL)
    end = time.monotonic() + 300  # so long only where the machine is busy
    while not any('"step.started","row":{"key":"rest"' in file.read_text() for file in RUNS.glob(f"*/{EVENTS}")):
        assert time.monotonic() < end
        time.sleep(0.01)
    process.kill()
    process.wait()


def test_a_run_that_was_killed_finds_what_it_had_done() -> None:
    kill_behind_the_first_step()
    assert sandbox_files() != []
    assert ended(["resume", "last", "-q", "--report-json", "r.json"]) == 0
    (run,) = json.loads(Path("r.json").read_text())["runs"]
    assert [(step["key"], step["status"]) for step in run["steps"]] == [
        ("add", "passed"),
        ("rest", "passed"),
        ("look", "passed"),
    ]


def test_where_it_was_deleted_the_run_goes_on_with_a_new_one() -> None:
    kill_behind_the_first_step()
    for file in sandbox_files():
        file.unlink()
    assert ended(["resume", "last", "-q"]) == 1


def test_runs_that_are_settled_leave_nothing_of_it() -> None:
    Path("kept.job.yaml").write_text(JOB.replace("2s", "1ms"))
    assert ended(["run", "kept.job.yaml", "-q"]) == 0
    assert sandbox_files() == []


def test_what_it_keeps_goes_with_old_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    kill_behind_the_first_step()
    assert ended(["resume", "last", "-q"]) == 0
    later = time.time() + 3 * 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    assert ended(["runs", "--prune", "1d"]) == 0
    assert sandbox_files() == []

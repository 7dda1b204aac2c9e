"""`runner runs` for programs, and only the newest."""

import json
from pathlib import Path

import pytest

from runner.cli.main import ended

JOB = "runner: 1\nname: a\ntarget: sandbox\nsteps: [{pause: 1ms}]\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sandbox").mkdir()
    Path("a.job.yaml").write_text(JOB)
    Path("b.job.yaml").write_text(JOB.replace("name: a", "name: b") + "cases: [{name: red, inputs: {}}]\n")


def test_runs_as_json_are_for_programs_the_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    assert ended(["run", "b.job.yaml"]) == 0
    capsys.readouterr()
    assert ended(["runs", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["format"] == 1
    assert [(run["job"], run["case"], run["target"]) for run in found["runs"]] == [
        ("b", "red", "sandbox"),
        ("a", None, "sandbox"),
    ]
    first = found["runs"][0]
    told = {key: first[key] for key in ("status", "exit_code", "finished", "going_on", "changed", "next")}
    assert told == {
        "status": "passed",
        "exit_code": 0,
        "finished": True,
        "going_on": False,
        "changed": False,
        "next": [],
    }
    assert ended(["show", first["id"]]) == 0


def test_a_run_that_broke_off_tells_a_program_what_it_needs_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    (events,) = Path(".runner/runs").glob("*/events.jsonl")
    events.write_bytes(events.read_bytes().splitlines(keepends=True)[0])
    (events.parent / "report.json").unlink()
    capsys.readouterr()
    ended(["runs", "--format", "json"])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["finished"], run["next"]) == (False, [f"runner resume {run['id']}"])


def test_only_the_newest_are_listed_where_a_limit_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    assert ended(["run", "b.job.yaml"]) == 0
    capsys.readouterr()
    assert ended(["runs", "-n", "1"]) == 0
    out = capsys.readouterr().out
    assert "b[red]@sandbox" in out
    assert "a@sandbox" not in out


def test_without_runs_the_list_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["runs", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"format": 1, "runs": []}

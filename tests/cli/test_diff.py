"""`runner diff`: two stored runs, and its exit codes."""

import json
from pathlib import Path

import pytest

from runner.cli.main import ended

JOB = """runner: 1
name: a
target: sandbox
inputs: {n: {type: integer, default: 1}}
steps: [{id: look, pause: 1ms, expect: ['inputs.n == 1']}]
"""


@pytest.fixture(autouse=True)
def _its_files() -> None:
    Path("sandbox").mkdir()
    Path("a.job.yaml").write_text(JOB)


def runs() -> list[str]:
    return sorted(folder.name for folder in Path(".runner/runs").iterdir())


def test_the_same_run_twice_is_exit_0_and_another_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert [ended(["run", "a.job.yaml"]), ended(["run", "a.job.yaml"])] == [0, 0]
    assert ended(["run", "a.job.yaml", "-i", "n=2"]) == 1
    first, second, third = runs()
    capsys.readouterr()
    assert ended(["diff", first, first]) == 0
    assert "the same but for ids and times" in capsys.readouterr().out
    assert ended(["diff", first, second, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["same"] is True
    values = [*found["differences"], *(value for row in found["rows"] for value in row["differences"])]
    assert {value["path"] for value in values} <= {"seconds"}  # they differ where the machine was busy in one of them
    assert ended(["diff", first, third, "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["same"] is False
    assert {"path": "inputs.n", "first": 1, "second": 2} in found["differences"]
    assert [row["key"] for row in found["rows"]] == ["look"]


def test_a_job_whose_text_has_changed_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    Path("a.job.yaml").write_text(JOB.replace("1ms", "2ms"))
    assert ended(["run", "a.job.yaml"]) == 0
    capsys.readouterr()
    assert ended(["diff", *runs()]) == 1
    assert capsys.readouterr().out.splitlines()[2] == "  the job's files changed: a.job.yaml"


def test_a_run_that_is_not_there_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    assert ended(["diff", "last", "ffff"]) == 2
    assert "no run in .runner/runs begins with `ffff`" in capsys.readouterr().err


def test_of_several_runs_that_are_meant_the_newest_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert [ended(["run", "a.job.yaml"]), ended(["run", "a.job.yaml"])] == [0, 0]
    first, second = runs()
    assert ended(["diff", "last", "0"]) == 2
    assert f"give more of the id: `{second}`, `{first}`" in capsys.readouterr().err


def test_a_run_alone_is_compared_with_the_one_of_its_job_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.job.yaml").write_text(JOB.replace("name: a", "name: b"))
    assert [ended(["run", "a.job.yaml"]), ended(["run", "b.job.yaml"])] == [0, 0]
    assert ended(["run", "a.job.yaml", "-i", "n=2"]) == 1
    first, other, last = runs()
    capsys.readouterr()
    assert ended(["diff", "last"]) == 1
    assert [line.split()[2].strip(",") for line in capsys.readouterr().out.splitlines()[:2]] == [first, last]
    assert ended(["diff", other]) == 2
    assert f"no run of the same job, case and target before {other}" in capsys.readouterr().err

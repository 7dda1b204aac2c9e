"""What `runs`, `history` and `diff` print for programs fits the shipped schemas, and has no key beside them."""

import json
from pathlib import Path

import pytest
from strict_schema import flaws

from runner.cli.main import ended
from runner.foundation.values import JsonObject

JOB = """runner: 1
name: a
target: sandbox
inputs: {n: {type: integer, default: 1}, gone: {type: boolean, default: false}}
cases: [{name: red, inputs: {n: 2}}, {name: green, inputs: {n: 1}}]
steps:
  - id: look
    pause: 1ms
    expect: ['inputs.n == 1']
  - id: each
    for_each: [1, 2]
    if: not inputs.gone
    execute: {process: UsrA, parameters: {X: "{{ item }}"}}
"""
DOUBLE = "runner: 1\nprocess: UsrA\nparameters: {X: {type: integer, direction: in}}\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sandbox").mkdir()
    Path("sandbox/UsrA.process.yaml").write_text(DOUBLE)
    Path("a.job.yaml").write_text(JOB)


def printed(capsys: pytest.CaptureFixture[str], name: str, *arguments: str, exits: int = 0) -> JsonObject:
    """What the verb `name` prints, which fits the schema of this name."""
    capsys.readouterr()
    assert ended([name, *arguments, "--format", "json"]) == exits
    found: JsonObject = json.loads(capsys.readouterr().out)
    assert flaws(name, found) == []
    return found


def stored() -> list[str]:
    return sorted(folder.name for folder in Path(".runner/runs").iterdir())


def test_stored_runs_fit_their_schema_whatever_became_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "runs")
    assert ended(["run", "a.job.yaml"]) == 1
    events = Path(".runner/runs", stored()[0], "events.jsonl")
    whole = events.read_text()
    printed(capsys, "runs")
    events.write_text("".join(whole.splitlines(keepends=True)[:3]))
    broken = printed(capsys, "runs")
    assert not all(run["finished"] for run in broken["runs"])  # type: ignore[index, union-attr, call-overload]  # records
    events.write_text(whole.replace('"a"', '"b"'))
    printed(capsys, "runs")
    events.write_text("")
    printed(capsys, "runs")


def test_the_history_fits_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "history")
    for _ in range(2):
        assert ended(["run", "a.job.yaml"]) == 1
    names = printed(capsys, "history")["names"]
    assert isinstance(names, list)
    assert len(names) == 2


def test_differences_of_runs_fit_their_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml"]) == 1
    assert ended(["run", "a.job.yaml", "-k", "green", "-i", "gone=true"]) == 0
    red, green, gone = stored()
    assert printed(capsys, "diff", red, red)["same"] is True
    assert printed(capsys, "diff", red, green, exits=1)["same"] is False
    assert printed(capsys, "diff", green, gone, exits=1)["rows"]


@pytest.mark.parametrize("name", ["runs", "history", "diff", "apply"])
def test_schemas_of_what_is_printed_are_printed_too(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert ended(["schema", name]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == name

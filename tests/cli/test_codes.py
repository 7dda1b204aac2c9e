"""Mistakes on the command line that stand in no file, by their codes."""

from pathlib import Path

import pytest

from runner.cli.main import ended

JOB = """runner: 1
name: short
target: sandbox
inputs: {pin: {type: string, secret: true}}
steps:
  - pause: 1ms
"""


def test_a_run_that_is_not_there_is_e152(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["show", "0194"]) == 2
    assert "error[E152]: there is no run in .runner/runs" in capsys.readouterr().err


def test_a_secret_that_is_too_short_to_be_hidden_everywhere_is_e135(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path("sandbox")).mkdir()
    Path("sandbox/UsrA.process.yaml").write_text("runner: 1\nprocess: UsrA\n")
    Path("a.job.yaml").write_text(JOB)
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_PIN", "12")
    assert ended(["run", "a.job.yaml", "-q"]) == 0
    assert "warning[E135]: secret `inputs.pin` is so short" in capsys.readouterr().err


def test_the_same_short_secret_of_seven_runs_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("sandbox").mkdir()
    Path("sandbox/UsrA.process.yaml").write_text("runner: 1\nprocess: UsrA\n")
    names = ", ".join(f"{{name: c{number}}}" for number in range(7))
    Path("a.job.yaml").write_text(JOB + f"cases: [{names}]\n")
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_PIN", "12")
    assert ended(["run", "a.job.yaml", "-q"]) == 0
    assert capsys.readouterr().err.count("E135") == 1


def test_a_secret_that_nobody_gives_is_not_too_short(capsys: pytest.CaptureFixture[str]) -> None:
    Path("sandbox").mkdir()
    Path("sandbox/UsrA.process.yaml").write_text("runner: 1\nprocess: UsrA\n")
    Path("a.job.yaml").write_text(JOB.replace("type: string, secret", "type: [string, 'null'], default: null, secret"))
    assert ended(["run", "a.job.yaml", "-q"]) == 0
    assert "E135" not in capsys.readouterr().err

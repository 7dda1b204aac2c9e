"""Mistakes on the command line: each is refused before anything is sent, and says what was probably meant."""

from pathlib import Path

import pytest

from runner.cli.main import ended

JOB = """runner: 1
name: contact-smoke
tags: [smoke, contacts]
target: sandbox
inputs:
  phone: {type: string, default: x}
  limit: {type: integer, default: 1}
steps: [{pause: 1ms}]
"""
TARGETS = "runner: 1\ntargets: {sandbox: {sandbox: sandbox}, staging: {url: https://staging.example.com}}\n"
MISTAKES = {
    "validat a.job.yaml": "did you mean `validate`?",
    "check a.job.yaml": "did you mean `validate`?",
    "lint a.job.yaml": "did you mean `validate`?",
    "test a.job.yaml": "did you mean `run`?",
    "exec a.job.yaml": "did you mean `run`?",
    "dry-run a.job.yaml": "did you mean `plan`?",
    "serve": "did you mean `sandbox`?",
    "rerun last": "did you mean `resume`?",
    "run a.job.yml": "did you mean `a.job.yaml`?",
    "run A.job.yaml": "did you mean `a.job.yaml`?",
    "run a.yaml": "did you mean `a.job.yaml`?",
    "run a": "did you mean `a.job.yaml`?",
    "run a.job.yaml -i phon=1": "did you mean `phone`?",
    "run a.job.yaml -i Phone=1": "did you mean `phone`?",
    "run a.job.yaml -i phone": "write `-i NAME=VALUE`",
    "run a.job.yaml -i phone:1": "write `-i NAME=VALUE`",
    "run a.job.yaml -i limit=ten": "`ten` is not a whole number",
    "run a.job.yaml -i limit=1.5": "1.5 is not a whole number",
    "run a.job.yaml -i phone=@phone.txt": "a value that begins with `@` names a file",
    "run a.job.yaml -t stagin": "did you mean `staging`?",
    "run a.job.yaml -t Sandbox": "did you mean `sandbox`?",
    "run a.job.yaml -t prod": "has `sandbox`, `staging`",
    "run a.job.yaml --tags smoke&&contacts": "words with `and`",
    "run a.job.yaml --tags smoke,contacts": "words with `and`",
    "run a.job.yaml --tags (smoke": "words with `and`",
    "run a.job.yaml --tag smoke": "--tags",
    "run a.job.yaml --grace 30": "as in `30s`",
    "run a.job.yaml --wait-lock 10": "as in `30s`",
    "run a.job.yaml -j 0": "range 1",
    "run a.job.yaml --junit out.xml": "--report-junit",
    "run a.job.yaml --inputs input.yaml": "did you mean `inputs.yaml`?",
    "run a.job.yaml --targets target.yaml": "did you mean `targets.yaml`?",
    "validate a.job.yaml --format junit": "'sarif'",
    "explain E10": "near are E100",
    "runs --prune 30": "`30d`",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "a.job.yaml").write_text(JOB)
    (tmp_path / "targets.yaml").write_text(TARGETS)
    (tmp_path / "inputs.yaml").write_text("phone: y\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_on_the_command_line_is_told_with_what_was_meant(
    line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = ended(line.split())

    told = capsys.readouterr()
    assert code == 2, told.out
    assert MISTAKES[line] in told.err + told.out
    assert not (folder / ".runner").exists()


def test_a_target_that_is_an_address_is_told_where_addresses_stand(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.job.yaml").write_text(JOB.replace("target: sandbox", "target: https://staging.example.com"))

    assert ended(["validate", "a.job.yaml"]) == 2

    told = capsys.readouterr().out
    assert "a.job.yaml:4:9: error[E141]" in told
    assert "its `url` stands under this name in targets.yaml" in told


@pytest.mark.parametrize("written", ["env.PASSWORD", "{env.PASSWORD}"])
def test_a_variable_without_its_braces_is_told_where_a_target_signs_in(
    written: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    auth = f'auth: {{username: "{{{{ env.USER }}}}", password: "{written}"}}'
    (folder / "targets.yaml").write_text(f"runner: 1\ntargets: {{s: {{url: https://example.com, {auth}}}}}\n")

    ended(["validate", "targets.yaml"])

    assert 'write `"{{ env.NAME }}"`' in capsys.readouterr().out

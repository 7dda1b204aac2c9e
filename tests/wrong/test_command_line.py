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
    "run a.job.yaml --dry-run": "`runner plan` prints what would be sent",
    "run a.job.yaml -e phone=1": "`-i NAME=VALUE` gives an input",
    "run a.job.yaml --environment staging": "`-t NAME` names a target",
    "run a.job.yaml --parallel 4": "`-j N`",
    "run a.job.yaml -k a -k b": "`--keyword` is given 2 times, and takes one value",
    "run a.job.yaml --tags smoke --tags slow": "`--tags` is given 2 times, and takes one value",
}
NOTHING = {
    "run a.job.yaml --tags smok": "no job fits `--tags smok`; did you mean `smoke`?: nothing was selected",
    "run a.job.yaml --tags nightly": "no job fits `--tags nightly`; the tags are `contacts`, `smoke`: nothing",
    "run a.job.yaml -k contact-smok3": "no run is called like `contact-smok3`; did you mean `contact-smoke`?: nothing",
    "run a.job.yaml -k red": "no run is called like `red`; the jobs are `contact-smoke`: nothing",
    "run sandbox": "there is no *.job.yaml in sandbox: nothing was selected, so nothing ran",
    "plan sandbox": "there is no *.job.yaml in sandbox: nothing was selected",
    "validate sandbox": "there is no *.job.yaml in sandbox",
    "list sandbox": "there is no *.job.yaml in sandbox",
    "validate other": "`b.job.yml` is not read, unless it is called `b.job.yaml`",
    "validate above": "above/below has some, and folders below are not entered: name it",
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


@pytest.mark.parametrize("line", NOTHING)
def test_where_nothing_is_selected_it_is_told_why(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "above" / "below").mkdir(parents=True)
    (folder / "above" / "below" / "b.job.yaml").write_text(JOB)
    (folder / "other").mkdir()
    (folder / "other" / "b.job.yml").write_text(JOB)
    (folder / "other" / "a.yaml").write_text("records: {}\n")

    assert ended(line.split()) == 5

    assert NOTHING[line] in capsys.readouterr().err


def test_a_tag_and_a_keyword_that_fit_different_jobs_are_told_to_be_too_much_together(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b.job.yaml").write_text(JOB.replace("contact-smoke", "other").replace("smoke, contacts", "nightly"))

    assert ended(["run", ".", "--tags", "nightly", "-k", "contact"]) == 5

    assert "no run fits both `--tags` and `-k`: nothing was selected" in capsys.readouterr().err


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

"""The commands that are printed as what comes next can be typed as they are, also of a protected target and of a job
with a secret input.
"""

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from captured import Capture
from sandboxes import ServedSandbox, serve_sandbox

from runner.cli.main import ended

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: pay
target: here
inputs: {token: {type: string, secret: true}}
steps:
  - id: charge
    execute: {process: UsrCharge, parameters: {Token: "{{ inputs.token }}"}, result: Number}
  - id: note
    execute: {process: UsrNote, parameters: {Number: "{{ steps.charge.result }}"}}
"""
CHARGE = """runner: 1
process: UsrCharge
parameters: {Token: {type: text, direction: in}, Number: {type: integer, direction: out}}
activities: [{set: {Number: 7}}]
"""
NOTE = """runner: 1
process: UsrNote
parameters: {Number: {type: integer, direction: in}}
activities: [{fail: no such number, if: parameters.Number == 13}]
"""
GIVEN = ["-i", "token=@FILE", "--confirm", "here"]
VARIABLE = "CREATIO_RUNNER_INPUT_TOKEN"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedSandbox]:
    for name in list(os.environ):
        if name.startswith("CREATIO_"):
            monkeypatch.delenv(name)
    Path("doubles").mkdir()
    Path("doubles/UsrCharge.process.yaml").write_text(CHARGE)
    Path("doubles/UsrNote.process.yaml").write_text(NOTE)
    Path("FILE").write_text("s3cret-t0ken\n")
    Path("pay.job.yaml").write_text(JOB)
    with serve_sandbox(tmp_path / "doubles") as served:
        Path("targets.yaml").write_text(served.targets() + "    protected: true\n")
        yield served


def typed(command: str, *more: str) -> int:
    words = shlex.split(command)
    assert words[0] == "runner"
    return ended([*words[1:], *more])


def commands(text: str) -> list[str]:
    """The commands under `what next:`."""
    return [line.strip() for line in text.partition("what next:")[2].splitlines() if line.startswith("    runner ")]


def listed(capsys: Capture) -> list[str]:
    """The same as `runs` lists them for programs."""
    capsys.readouterr()
    assert ended(["runs", "--format", "json", "-n", "1"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    return [*run["next"]]


def test_what_settles_a_run_in_doubt_at_a_protected_target_can_be_typed_as_it_is_printed(
    site: ServedSandbox, capsys: Capture
) -> None:
    site.set_fault("drop_before", "UsrCharge")
    assert ended(["run", "pay.job.yaml", *GIVEN, "--hold"]) == 4
    resume, reconcile, verdict = commands(capsys.readouterr().out)
    assert resume.endswith("-i token=@FILE --confirm here --hold")
    assert reconcile.endswith("-i token=@FILE")
    assert "-i token=@FILE --confirm here --step charge --as passed --result 'JSON' --hold" in verdict
    assert listed(capsys) == [resume, reconcile, verdict]
    assert typed(reconcile) == 4
    assert typed(resume) == 4
    assert typed(verdict.replace("JSON", "7")) == 0
    assert len(site.starts()) == 1


def test_a_secret_that_came_from_a_variable_is_read_from_it_again_and_the_variable_is_named(
    site: ServedSandbox, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.set_fault("drop_before", "UsrCharge")
    monkeypatch.setenv(VARIABLE, "s3cret-t0ken")
    assert ended(["run", "pay.job.yaml", "--confirm", "here", "--hold"]) == 4
    output = capsys.readouterr().out
    resume, reconcile, verdict = commands(output)
    assert "token=" not in resume + reconcile + verdict
    assert output.count(f"; secret input `token` is read from {VARIABLE}\n") == 3
    assert typed(reconcile) == 4
    assert typed(verdict.replace("JSON", "7")) == 0


def test_a_run_that_failed_is_carried_out_once_more_by_the_command_that_is_printed(
    site: ServedSandbox, capsys: Capture
) -> None:
    Path("pay.job.yaml").write_text(JOB.replace("steps.charge.result", "13"))
    assert ended(["run", "pay.job.yaml", *GIVEN, "--report-html", "page.html"]) == 1
    mended, rerun = commands(capsys.readouterr().out)
    assert mended == "runner run pay.job.yaml -t here -i token=@FILE --confirm here"
    assert rerun.endswith("-i token=@FILE --confirm here")
    assert f'<code class="cmd">{rerun}</code>' in Path("page.html").read_text()
    assert typed(rerun) == 1
    assert len(site.starts()) == 4


def test_a_file_that_is_to_be_mended_first_is_run_by_the_command_that_is_printed(
    site: ServedSandbox, capsys: Capture
) -> None:
    expect = "    expect: [result > 'a']\n"
    Path("pay.job.yaml").write_text(JOB.replace("result: Number}\n", f"result: Number}}\n{expect}"))
    assert ended(["run", "pay.job.yaml", *GIVEN]) == 1
    for command in commands(capsys.readouterr().out):
        assert command.endswith("--confirm here")
        assert typed(command, *([] if "@FILE" in command else GIVEN[:2])) == 1
    assert len(site.starts()) > 1


@pytest.mark.parametrize("value", ["Anna", "", "12", "null", '"Anna"', "@home"])
def test_an_input_that_takes_a_text_or_null_is_given_again_as_it_was(capsys: Capture, value: str) -> None:
    Path("a.job.yaml").write_text(
        'runner: 1\nname: a\ntarget: sandbox\ninputs: {n: {type: [string, "null"], default: x}}\n'
        "outputs: {n: inputs.n}\nsteps: [{id: one, query: {entity: Contact}, expect: [result | length > 1000]}]\n"
    )
    Path("sandbox").mkdir()
    Path("sandbox/records.yaml").write_text("Contact: [{Name: x}]")
    Path("value").write_text(value)
    assert ended(["run", "a.job.yaml", "-i", "n=@value", "--report-json", "1.json"]) == 1
    command, _ = commands(capsys.readouterr().out)
    if value.startswith("@"):
        assert command.endswith("-i n=@FILE")
        return
    assert typed(command, "--report-json", "2.json") == 1
    then, now = (json.loads(Path(f"{name}.json").read_text())["runs"][0]["outputs"] for name in (1, 2))
    assert now == then == {"n": None if value == "null" else value}


@pytest.mark.parametrize(("job", "code"), [(JOB.replace("steps.charge.result", "13"), 1), (JOB, 4)])
def test_commands_name_the_targets_file_that_the_command_named_and_reach_the_same_site(
    site: ServedSandbox, capsys: Capture, *, job: str, code: int
) -> None:
    Path("pay.job.yaml").write_text(job)
    Path("targets.yaml").rename("others.yaml")
    Path("targets.yaml").write_text("runner: 1\ntargets: {here: {url: 'http://127.0.0.1:9', runtime: net}}\n")
    if code == 4:
        site.set_fault("drop_before", "UsrCharge")
    assert ended(["run", "pay.job.yaml", *GIVEN, "--targets", "others.yaml", "--report-md", "a.md"]) == code
    printed = commands(capsys.readouterr().out)
    assert len(printed) > 1
    for command in printed:
        assert " --targets others.yaml " in f"{command} "
        assert command in Path("a.md").read_text()
        assert typed(command.replace("'JSON'", "7")) != 3
    capsys.readouterr()
    assert ended(["runs", "--format", "json"]) == 0
    again = json.loads(capsys.readouterr().out)["runs"][0]["rerun"]["command"]
    assert " --targets others.yaml " in again


def test_apply_prints_how_it_is_typed_again_with_its_confirmation_and_its_secret(
    site: ServedSandbox, capsys: Capture
) -> None:
    Path("pay.job.yaml").write_text(JOB.replace("steps.charge.result", "13"))
    assert ended(["apply", "pay.job.yaml", *GIVEN]) == 1
    command = next(part for part in capsys.readouterr().err.split("`") if part.startswith("runner apply"))
    assert command == "runner apply pay.job.yaml --confirm here -i token=@FILE --retry failed"
    assert typed(command) == 1
    assert len(site.starts()) == 4


def test_a_run_of_a_stored_plan_that_broke_off_is_resumed_by_the_command_that_refuses_it(
    site: ServedSandbox, capsys: Capture
) -> None:
    assert ended(["plan", "pay.job.yaml", *GIVEN[:2], "--out", "pay.plan.json"]) == 0
    site.set_fault("drop_before", "UsrCharge")
    assert ended(["run", "pay.plan.json", *GIVEN, "--hold"]) == 4
    capsys.readouterr()
    assert ended(["run", "pay.plan.json", *GIVEN]) == 6
    resume = next(part for part in capsys.readouterr().err.split("`") if part.startswith("runner resume"))
    assert resume.endswith("-i token=@FILE --confirm here")
    assert typed(resume) == 4

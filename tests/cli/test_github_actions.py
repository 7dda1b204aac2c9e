"""In GitHub Actions what did not pass is annotated, and the step has a summary, without any option."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from runner.cli.main import ended
from runner.cli.reports import MOST_BYTES

JOB = """
runner: 1
name: a
target: sandbox
steps:
  - {id: pause, pause: 1ms}
  - {id: check, query: {entity: SysAdminUnit}, expect: ["result | length > 7000"]}
"""


@pytest.fixture(autouse=True)
def _in_github_actions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    Path("sandbox").mkdir()
    Path("a.job.yaml").write_text(JOB)


def annotated(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("::error")]


def test_a_row_that_failed_is_annotated_at_its_line(capfd: pytest.CaptureFixture[str]) -> None:
    Path("summary.md").write_text("before\n")
    assert ended(["run", "a.job.yaml", "-q"]) == 1
    (line,) = annotated(capfd.readouterr().err)
    assert line.startswith(
        "::error file=a.job.yaml,line=7,title=failed%3A check in a@sandbox::failed: check in a@sandbox"
    )
    summary = Path("summary.md").read_text()
    assert summary.startswith("before\n<!-- creatio-runner -->\n### `a@sandbox: failed`")


def test_why_no_run_began_is_annotated(capfd: pytest.CaptureFixture[str]) -> None:
    Path("a.job.yaml").write_text(JOB.replace("query", "qurey"))
    assert ended(["run", "a.job.yaml"]) == 2
    assert annotated(capfd.readouterr().err)[0].startswith("::error title=E104,file=a.job.yaml,line=7,")
    assert "E104" in Path("summary.md").read_text()


@pytest.mark.parametrize("named", ["größe a.job.yaml", "../jobs/größe a.job.yaml"])
def test_in_a_folder_of_the_checkout_files_are_named_as_the_repository_names_them(
    named: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Path(".git").mkdir()
    Path("my jobs").mkdir()
    Path("jobs").symlink_to("my jobs")
    (tmp_path / "my jobs" / "größe a.job.yaml").write_text(JOB)
    (tmp_path / "my jobs" / "targets.yaml").write_text("runner: 1\ntargets: {sandbox: {sandbox: ../sandbox}}\n")
    monkeypatch.chdir("my jobs")
    where = "my jobs/größe a.job.yaml" if named[0] == "g" else "jobs/größe a.job.yaml"
    assert ended(["run", named, "-q"]) == 1
    assert annotated(capfd.readouterr().err)[0].startswith(f"::error file={where},line=7,")
    Path("größe a.job.yaml").write_text(JOB.replace("query", "qurey"))
    assert ended(["run", named]) == 2
    assert annotated(capfd.readouterr().err)[0].startswith(f"::error title=E104,file={where},line=7,")
    assert ended(["validate", named, "--format", "github"]) == 2
    assert annotated(capfd.readouterr().out)[0].startswith(f"::error title=E104,file={where},line=7,")
    assert ended(["validate", named, "--format", "gitlab"]) == 2
    assert json.loads(capfd.readouterr().out)[0]["location"]["path"] == where
    assert ended(["validate", named, "--format", "sarif"]) == 2
    (run,) = json.loads(capfd.readouterr().out)["runs"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == quote(where)


def test_a_summary_never_grows_beyond_what_github_shows_and_a_warning_says_so(
    capfd: pytest.CaptureFixture[str],
) -> None:
    Path("summary.md").write_text("x" * (MOST_BYTES - 10))
    assert ended(["run", "a.job.yaml", "-q"]) == 1
    assert Path("summary.md").stat().st_size == MOST_BYTES - 10
    assert "more than 1,000,000 bytes, of which GitHub shows nothing" in capfd.readouterr().err


def test_elsewhere_nothing_is_annotated(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert ended(["run", "a.job.yaml", "-q"]) == 1
    assert annotated(capfd.readouterr().err) == []
    assert not Path("summary.md").exists()

"""The hooks that ship, carried out by the real pre-commit in a repository of somebody who uses them.

The hook's repository holds nothing but our file of hooks, and `language` is set to take the `runner` that is installed:
to build an environment needs the network. All else is as it is for a user.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import ANY

import pytest

from runner.cli.main import ended

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent
RIGHT = "runner: 1\nname: right\nsteps:\n  - execute: {process: UsrGetAllContacts}\n"
WRONG = "runner: 1\nname: wrong\nsteps:\n  - execute: {proces: UsrGetAllContacts}\n"


def environment(home: Path) -> dict[str, str]:
    """Of git and pre-commit: nothing of the user's own settings, and our `runner` first."""
    return {
        "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "PRE_COMMIT_HOME": str(home / "cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A repository that offers our hooks, with the tag `v1`."""
    folder = tmp_path / "ours"
    folder.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", folder)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "hooks"], ["tag", "v1"]):
        subprocess.run(["git", *command], cwd=folder, env=environment(tmp_path), check=True)
    return folder


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    folder = tmp_path / "theirs"
    (folder / "specs").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=folder, env=environment(tmp_path), check=True)
    return folder


def hooked(theirs: Path, ours: Path, hook: str) -> tuple[int, str]:
    """Exit code and words of pre-commit over all that is staged."""
    settings = f"repos:\n  - repo: {ours}\n    rev: v1\n    hooks:\n      - id: {hook}\n        language: unsupported\n"
    (theirs / ".pre-commit-config.yaml").write_text(settings)
    return committed(theirs, environment(ours.parent))


def committed(theirs: Path, own: dict[str, str]) -> tuple[int, str]:
    subprocess.run(["git", "add", "-A"], cwd=theirs, env=own, check=True)
    done = subprocess.run(
        [TOOLS / "pre-commit", "run"], cwd=theirs, env=own, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_commit_with_a_mistake_is_refused_with_its_place(theirs: Path, ours: Path) -> None:
    (theirs / "specs" / "a.job.yaml").write_text(WRONG)
    code, output = hooked(theirs, ours, "creatio-runner-validate")
    assert code == 1
    assert "specs/a.job.yaml:4:15: error[E104]: unknown key `proces` in `execute`" in output


def test_only_what_is_committed_is_checked_and_each_file_as_what_it_is(theirs: Path, ours: Path) -> None:
    (theirs / "specs" / "a.job.yaml").write_text(RIGHT)
    (theirs / "targets.yaml").write_text("runner: 1\ntargets: {here: {sandbox: sandbox}}\n")
    (theirs / "sandbox").mkdir()
    (theirs / "sandbox" / "UsrX.process.yaml").write_text("runner: 1\nprocess: UsrX\n")
    (theirs / "notes.yaml").write_text("proces: x\n")
    code, output = hooked(theirs, ours, "creatio-runner-validate")
    assert code == 0, output
    assert "Passed" in output


def test_without_a_file_of_ours_the_hook_is_skipped(theirs: Path, ours: Path) -> None:
    (theirs / "notes.yaml").write_text("proces: x\n")
    code, output = hooked(theirs, ours, "creatio-runner-validate")
    assert (code, "Skipped" in output) == (0, True)


def test_the_hook_for_all_finds_a_job_that_a_change_elsewhere_has_broken(theirs: Path, ours: Path) -> None:
    (theirs / "specs" / "a.job.yaml").write_text(RIGHT + "target: staging\n")
    (theirs / "targets.yaml").write_text("runner: 1\ntargets: {here: {sandbox: sandbox}}\n")
    (theirs / "sandbox").mkdir()
    code, output = hooked(theirs, ours, "creatio-runner-validate-all")
    assert code == 1
    assert "specs/a.job.yaml:5:9: error[E141]: unknown target `staging`" in output


CASES = "runner: 1\nname: months\ninputs: {days: {type: integer}}\ncases: months.csv\nsteps: [{pause: 1ms}]\n"


def test_the_hook_for_all_finds_a_table_of_cases_that_is_broken(theirs: Path, ours: Path) -> None:
    (theirs / "specs" / "a.job.yaml").write_text(CASES)
    (theirs / "specs" / "months.csv").write_text("name,days\nmay,thirty\n")
    code, output = hooked(theirs, ours, "creatio-runner-validate-all")
    assert code == 1
    assert "specs/months.csv:2:5: error[E132]" in output


@pytest.fixture
def begun(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project that `runner init` starts, with all of it committed."""
    monkeypatch.chdir(theirs)
    assert ended(["init"]) == 0
    own = environment(theirs.parent)
    assert committed(theirs, own) == (0, ANY)
    subprocess.run(["git", "commit", "-q", "-m", "begun"], cwd=theirs, env=own, check=True)
    return theirs


def test_a_new_project_has_a_hook_that_finds_mistakes_in_folders_below(begun: Path) -> None:
    (begun / "jobs").mkdir()
    (begun / "jobs" / "x.job.yaml").write_text(WRONG)
    code, output = committed(begun, environment(begun.parent))
    assert code == 1
    assert "jobs/x.job.yaml:4:15: error[E104]" in output


def test_a_new_project_has_a_hook_that_finds_a_mistake_in_what_a_job_leans_on(begun: Path) -> None:
    (begun / "months.job.yaml").write_text(CASES + "target: sandbox\n")
    (begun / "months.csv").write_text("name,days\nmay,31\n")
    own = environment(begun.parent)
    code, output = committed(begun, own)
    assert code == 0, output
    subprocess.run(["git", "commit", "-q", "-m", "months"], cwd=begun, env=own, check=True)
    (begun / "months.csv").write_text("name,days\nmay,thirty\n")
    code, output = committed(begun, own)
    assert code == 1
    assert "months.csv:2:5: error[E132]" in output

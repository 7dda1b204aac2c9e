"""What git knows of the folder of a job."""

import subprocess
from pathlib import Path

from runner.foundation.git import Checkout, checkout_of


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.invalid"]
    ran = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_a_checkout_has_a_commit_and_is_dirty_as_soon_as_a_file_of_it_differs(tmp_path: Path) -> None:
    assert checkout_of(tmp_path) == Checkout()
    git(tmp_path, "init", "-q")
    assert checkout_of(tmp_path) == Checkout()
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "first")
    (tmp_path / "report.json").write_text("of no commit")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert checkout_of(tmp_path) == Checkout(commit=commit, dirty=False)
    (tmp_path / "a").write_text("2")
    assert checkout_of(tmp_path) == Checkout(commit=commit, dirty=True)

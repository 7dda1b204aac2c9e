"""The jobs that ship pass against the sandbox that ships, one by one and all together."""

import shutil
from pathlib import Path

import pytest

from runner.cli.main import ended

SPECS = Path(__file__).parents[2] / "specs"
JOBS = sorted(path.name for path in SPECS.glob("*.job.yaml"))


@pytest.fixture(autouse=True)
def _in_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(SPECS, tmp_path / "specs")
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("job", JOBS)
def test_a_job_that_ships_passes(job: str) -> None:
    assert ended(["run", f"specs/{job}"]) == 0


def test_all_of_them_pass_side_by_side_and_so_does_the_runbook() -> None:
    assert ended(["run", "specs", "specs/runbooks", "--yes", "-j", "4"]) == 0


def test_each_of_them_is_shown_in_their_readme() -> None:
    readme = (SPECS / "README.md").read_text()
    assert [job for job in JOBS if f"`{job}`" not in readme] == []

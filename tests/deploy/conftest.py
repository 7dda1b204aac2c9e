from collections.abc import Iterator
from pathlib import Path

import pytest
from deployed_scripts import JOB
from postgres import fleet, own_cluster, postgres
from sites import Executes, Site, site, targets

__all__ = ["fleet", "own_cluster", "postgres"]


@pytest.fixture
def answers() -> Executes:
    return Executes()


@pytest.fixture
def served(answers: Executes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    (checkout / "jobs").mkdir()
    monkeypatch.chdir(checkout)
    Path("jobs/good.job.yaml").write_text(JOB.format("good"))
    with site(answers) as there:
        Path("jobs/targets.yaml").write_text(targets(there.url) + "    settle: 100ms\n")
        yield there

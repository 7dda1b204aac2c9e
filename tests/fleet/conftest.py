from collections.abc import Iterator
from pathlib import Path

import pytest
from fleets import Fleet, at_site
from postgres import fleet, own_cluster, postgres

__all__ = ["fleet", "own_cluster", "postgres"]


@pytest.fixture
def here(fleet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A fleet whose jobs are in the current folder, and a site that has the process `UsrCharge`."""
    monkeypatch.chdir(tmp_path)
    with at_site(fleet, tmp_path) as made:
        yield made

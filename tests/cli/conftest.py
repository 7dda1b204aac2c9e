from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they are is tested in `engine/` and `project/`, with a clock that the test holds."""
    monkeypatch.setattr("runner.engine.start._LOOKS", (0.01, 0.02))
    monkeypatch.setattr("runner.project.pulling._PAUSE", 0.01)

"""A worker reads its sites from a targets file, and names no folder of jobs."""

import pytest

from runner.cli.main import ended


def test_without_a_targets_file_the_hint_names_what_a_worker_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["worker", "-t", "staging", "--db", "postgresql://db/runner"]) == 2
    err = capsys.readouterr().err
    assert "or name it with `--targets FILE`" in err
    assert "name the folder of the jobs" not in err

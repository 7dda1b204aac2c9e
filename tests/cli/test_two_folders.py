"""Two folders of runs at one time, as two checkouts of one user: the starts of a process on a site take turns."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import PIPE, start
from sandboxes import ServedSandbox, serve_sandbox

from runner.cli.main import ended
from runner.foundation.site_key import site_key
from runner.runs.evidence import LockHolder
from runner.runs.files.store import FileRunStore

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: a
target: here
steps:
  - id: add
    execute: {process: UsrAdd}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ServedSandbox]:
    """A project whose target is a site that other folders know, too."""
    (tmp_path / "doubles").mkdir()
    (tmp_path / "doubles/UsrAdd.process.yaml").write_text("runner: 1\nprocess: UsrAdd\n")
    with serve_sandbox(tmp_path / "doubles") as served:
        Path("targets.yaml").write_text(served.targets())
        Path("a.job.yaml").write_text(JOB)
        yield served


def test_a_run_waits_for_the_start_of_another_folder_and_says_for_which(site: ServedSandbox) -> None:
    turns = FileRunStore(Path("/elsewhere/runs")).turns(site_key(site.url))
    assert turns.take("UsrAdd", LockHolder(job="b@there", run="r-1"))
    with start("run", "a.job.yaml", "-v", stdout=PIPE) as command:
        assert command.stdout is not None
        waits = next(line for line in command.stdout if b"waits: add" in line)
        assert b"its turn: `b@there` (run r-1 in /elsewhere/runs) starts the same process" in waits
        assert site.starts() == []
        turns.give_back("UsrAdd")
        assert b"not verified" not in command.stdout.read()
        assert command.wait() == 0
    assert len(site.starts()) == 1
    (events,) = [file.read_text().splitlines() for file in Path(".runner/runs").glob("*/events.jsonl")]
    begun, over = [event for line in events if (event := json.loads(line))["type"] == "waited"]
    assert begun["held_by"] == over["held_by"] == {"job": "b@there", "run": "r-1", "folder": "/elsewhere/runs"}


def test_a_call_that_is_not_verified_names_the_run_of_another_folder_that_is_in_its_way(
    site: ServedSandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere/r-1").mkdir(parents=True)
    store = FileRunStore(tmp_path / "elsewhere")
    store.owned_rows("r-1", site=site_key(site.url), settle=0.1).begin("pay", "UsrAdd", seconds=100.0)
    store.close()
    assert ended(["run", "a.job.yaml"]) == 0
    printed = capsys.readouterr().out
    assert "warning: not verified: another run (r-1, step `pay`, begun at 20" in printed
    assert f"Z, in {tmp_path}/elsewhere) may have started it at the same time" in printed


def test_that_the_runs_of_other_folders_are_not_known_is_said_once(
    site: ServedSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    Path("b.job.yaml").write_text(JOB.replace("name: a", "name: b"))
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    printed = capsys.readouterr().err
    assert printed.count("warning[E311]: what other folders of runs had started was not known all the time: ") == 1
    assert "hint: end the program that holds this file, or move the file away where it is damaged" in printed
    assert len(site.starts()) == 2


def test_a_user_without_a_home_has_no_other_folders(
    site: ServedSandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert ended(["run", "a.job.yaml"]) == 0
    assert "E311" not in capsys.readouterr().err
    assert len(site.starts()) == 1

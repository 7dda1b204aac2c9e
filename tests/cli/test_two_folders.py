"""Two folders of runs at one time, as two checkouts of one user: the starts of a process on a site take turns."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import PIPE, start
from sandboxes import Stand, stand

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
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """A project whose target is a site that other folders know, too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "doubles").mkdir()
    (tmp_path / "doubles/UsrAdd.process.yaml").write_text("runner: 1\nprocess: UsrAdd\n")
    with stand(tmp_path / "doubles") as served:
        Path("targets.yaml").write_text(served.targets())
        Path("a.job.yaml").write_text(JOB)
        yield served


def test_a_run_waits_for_the_start_of_another_folder_and_says_for_which(site: Stand) -> None:
    turns = FileRunStore(Path("/elsewhere/runs")).turns(site_key(site.url, "Supervisor"))
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
    begun, ended = [event for line in events if (event := json.loads(line))["type"] == "waited"]
    assert begun["held_by"] == ended["held_by"] == {"job": "b@there", "run": "r-1", "folder": "/elsewhere/runs"}

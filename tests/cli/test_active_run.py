import subprocess
from pathlib import Path
from typing import cast

import pytest
from journals import new_journal, store_of
from stories import RUN, planned

from runner.cli.main import ended
from runner.execution.active_run import ActiveRun
from runner.project.sites import ReadySite
from runner.runs.events import Paused, RunClosing, RunFinished, RunStatus
from runner.runs.result import fold


def test_the_result_is_that_of_the_whole_journal_however_far_its_listener_is(tmp_path: Path) -> None:
    journal = new_journal(tmp_path / "run")
    store, site = store_of(tmp_path / "run"), cast("ReadySite", None)
    run = ActiveRun(store=store, plan=planned("  - pause: 1s\n"), facts=RUN, journal=journal, site=site)
    assert run.result == fold((), run=RUN.run, store=store.name)
    journal.append(Paused(key="1", t=1.0, seconds=1.0))
    assert run.result == fold(journal.lines, run=RUN.run, store=store.name)
    run.progress.take(journal.lines[0])
    journal.append(RunClosing(t=2.0, why="done"))
    assert run.result.closing
    run.progress.take(journal.lines[1])
    journal.append(RunFinished(t=3.0, status=RunStatus.PASSED, exit_code=0))
    run.progress.take(journal.lines[2])
    assert run.result == fold(journal.lines, store=store.name)
    assert run.result.finished


def test_reports_are_stored_of_a_result_until_the_journal_has_more(tmp_path: Path) -> None:
    journal = new_journal(tmp_path / "run")
    store, site = store_of(tmp_path / "run"), cast("ReadySite", None)
    run = ActiveRun(store=store, plan=planned("  - pause: 1s\n"), facts=RUN, journal=journal, site=site)
    assert run.reported.stored_in is None
    run.in_reports = run.reported.result
    before = run.reported
    journal.append(RunClosing(t=2.0, why="done"))
    assert (before.stored_in, run.reported.stored_in) == (store, None)


def test_a_command_asks_git_once_for_the_commit_of_all_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a large checkout that takes a second."""
    subprocess.run(["git", "init", "-q"], check=True)
    Path("git").write_text("#!/bin/sh\necho >>asked\necho '# branch.oid 0123456789'\n")
    Path("git").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    Path("doubles").mkdir()
    Path("targets.yaml").write_text("runner: 1\ntargets: {here: {sandbox: doubles}}\n")
    cases = "cases: [{name: a, inputs: {}}, {name: b, inputs: {}}]\n"
    Path("a.job.yaml").write_text(f"runner: 1\nname: a\ntarget: here\n{cases}steps:\n  - pause: 1ms\n")
    assert ended(["run", "a.job.yaml"]) == 0
    journals = [path.read_text() for path in Path(".runner/runs").glob("*/events.jsonl")]
    assert ['"commit":"0123456789"' in written for written in journals] == [True, True]
    assert Path("asked").read_text() == "\n"
    assert ended(["run", "a.job.yaml"]) == 0
    assert Path("asked").read_text() == "\n\n"

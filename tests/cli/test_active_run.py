from pathlib import Path
from typing import cast

from journals import new_journal, store_of
from stories import RUN, planned

from runner.execution.active_run import ActiveRun
from runner.project.sites import ReadySite
from runner.runs.events import Paused, RunClosing, RunFinished, RunStatus
from runner.runs.result import fold


def test_the_result_is_that_of_the_whole_journal_however_far_its_listener_is(tmp_path: Path) -> None:
    journal = new_journal(tmp_path / "run")
    store, site = store_of(tmp_path / "run"), cast("ReadySite", None)
    run = ActiveRun(store=store, plan=planned("  - pause: 1s\n"), facts=RUN, journal=journal, site=site)
    assert run.result == fold((), run=RUN.id)
    journal.append(Paused(key="1", t=1.0, seconds=1.0))
    assert run.result == fold(journal.lines, run=RUN.id)
    run.progress.take(journal.lines[0])
    journal.append(RunClosing(t=2.0, why="done"))
    assert run.result.closing
    run.progress.take(journal.lines[1])
    journal.append(RunFinished(t=3.0, status=RunStatus.PASSED, exit_code=0))
    run.progress.take(journal.lines[2])
    assert run.result == fold(journal.lines)
    assert run.result.finished

"""Where a step that takes long is reported, with a clock that the test holds."""

from pathlib import Path
from typing import cast

import pytest
from journals import new_journal, store_of
from stories import RUN, planned

from runner.execution.active_run import ActiveRun
from runner.project.sites import ReadySite
from runner.runs.events import Row, Section, StepFinished, StepStarted
from runner.runs.journal import Journal
from runner.runs.status import Status
from runner.secrets.redact import Secrets
from runner.terminal import output
from runner.terminal.run_console import RunConsole

PLAN = planned("  - id: nap\n    pause: 10m\n")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(output.MessageStream):
    def isatty(self) -> bool:
        return True

    def drawing(self) -> "Terminal":
        return self


def begun(telling: RunConsole, folder: Path) -> Journal:
    """The journal of a run whose first step is under way."""
    journal = new_journal(folder, Secrets(), now=lambda: "2026-01-31T09:00:00.000Z")
    run = ActiveRun(store=store_of(folder), plan=PLAN, facts=RUN, journal=journal, site=cast("ReadySite", None))
    journal.listeners.append(telling.started(run))
    row = Row(key="nap", id="nap", name="Wait", kind="pause", section=Section.STEPS, index=None, line=1)
    journal.append(StepStarted(row=row, t=0.0))
    return journal


def telling(
    clock: Clock, *, out: output.MessageStream | None = None, quiet: bool = False, side_by_side: bool = False
) -> RunConsole:
    wanted = out or output.MessageStream("stdout")
    return RunConsole(out=wanted, quiet=quiet, verbose=False, side_by_side=side_by_side, clock=clock)


def lines(console: RunConsole, clock: Clock, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is said in a minute and a bit, looked at five times a second."""
    for _ in range(5 * 61):
        console.look(())
        clock.now += 0.2
    printed = capsys.readouterr()
    assert "still running" not in printed.out
    return printed.err.splitlines()


@pytest.mark.parametrize("side_by_side", [False, True])
@pytest.mark.parametrize("quiet", [False, True])
def test_a_step_that_takes_long_is_reported_on_stderr_also_where_little_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, side_by_side: bool, quiet: bool
) -> None:
    clock = Clock()
    console = telling(clock, quiet=quiet, side_by_side=side_by_side)
    begun(console, tmp_path / "run")
    assert lines(console, clock, capsys) == ["still running after 1 min: story@here  nap  Wait, 1 min"]


def test_a_terminal_that_is_redrawn_shows_it_and_needs_no_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    clock = Clock()
    console = telling(clock, out=Terminal("stderr"))
    begun(console, tmp_path / "run")
    assert not any("still running" in line for line in lines(console, clock, capsys))
    console.close()


def test_of_runs_side_by_side_a_row_that_did_not_pass_is_printed_before_its_run_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("CI", raising=False)
    console = telling(Clock(), out=Terminal("stderr"), side_by_side=True)
    journal = begun(console, tmp_path / "run")
    journal.append(StepFinished(key="nap", t=1.2, status=Status.FAILED, seconds=1.2, attempts=1))
    printed = capsys.readouterr().err
    assert "story@here  nap  (failed, 1.2 s)" in printed
    console.close()

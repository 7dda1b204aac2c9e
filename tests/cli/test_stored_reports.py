"""A report that is stored with the only run of a command is copied. Of several, JSON copies each run from its own."""

from pathlib import Path

import pytest
from journals import new_journal, store_of
from msgspec.structs import replace

from runner.cli import reports
from runner.cli.main import ended
from runner.foundation.problems import ExitCode, Problem
from runner.reports import json as as_json
from runner.reports.reported import ReportedCommand, ReportedRun, alone
from runner.runs.events import RunClosing
from runner.runs.files.store import FileRunStore
from runner.runs.result import fold
from runner.runs.store import Part

STORED = "stored, in Köln"


@pytest.fixture
def reported(tmp_path: Path) -> ReportedRun:
    journal, store = new_journal(tmp_path / "run"), store_of(tmp_path / "run")
    journal.append(RunClosing(t=2.0, why="done"))
    for part in (Part.REPORT, Part.JUNIT):
        store.put("run", part, STORED)
    return ReportedRun(result=fold(journal.lines, run="run"), lines=journal.lines, stored_in=store)


def test_the_stored_reports_of_the_only_run_are_copied(reported: ReportedRun, tmp_path: Path) -> None:
    assert _written(tmp_path, ReportedCommand(runs=[reported], exit_code=reported.result.exit_code)) == [STORED] * 2


def test_to_stdout_they_are_copied_too(reported: ReportedRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(reported.stored_in, FileRunStore)
    content = f"a{'ö' * 100_000}\n"  # more than a piece, which may end within a letter
    reported.stored_in.put(reported.result.id, Part.REPORT, content)
    command = ReportedCommand(runs=[reported], exit_code=reported.result.exit_code)
    reports.write(reports.ReportPlaces(by_format={"json": "-"}), command)
    assert capsys.readouterr().out == content


def test_a_report_that_says_more_than_the_stored_one_is_drawn(reported: ReportedRun, tmp_path: Path) -> None:
    code, problem = reported.result.exit_code, Problem(code="E311", message="a")
    for command in (
        ReportedCommand(runs=[reported, reported], exit_code=code),
        ReportedCommand(runs=[reported], exit_code=code, problems=[problem]),
        ReportedCommand(runs=[reported], exit_code=ExitCode.INTERRUPTED),
        ReportedCommand(runs=[ReportedRun(result=reported.result, lines=reported.lines)], exit_code=code),
    ):
        assert STORED not in _written(tmp_path, command)


def test_each_of_several_runs_is_copied_from_its_own_report(reported: ReportedRun, tmp_path: Path) -> None:
    assert isinstance(reported.stored_in, FileRunStore)
    drawn, code, events = replace(reported, stored_in=None), reported.result.exit_code, reported.result.events.encode()
    content = b"".join(as_json.report(alone(drawn))).replace(events, b"copied")
    reported.stored_in.put(reported.result.id, Part.REPORT, iter([content]))
    both = b"".join(as_json.report(ReportedCommand(runs=[drawn, drawn], exit_code=code)))
    written, _ = _written(tmp_path, ReportedCommand(runs=[reported, reported], exit_code=code))
    assert written == both.replace(events, b"copied").decode()


def test_a_report_that_is_not_there_any_more_is_drawn(reported: ReportedRun, tmp_path: Path) -> None:
    (tmp_path / reported.result.id / Part.REPORT.value).unlink()
    drawn, as_junit = _written(tmp_path, ReportedCommand(runs=[reported], exit_code=reported.result.exit_code))
    assert drawn.startswith("{")
    assert as_junit == STORED


def test_a_report_is_not_copied_onto_itself(reported: ReportedRun, tmp_path: Path) -> None:
    place = tmp_path / reported.result.id / Part.REPORT.value
    places = reports.ReportPlaces(by_format={"json": str(place)})
    reports.write(places, ReportedCommand(runs=[reported], exit_code=reported.result.exit_code))
    assert place.read_text().startswith("{")


def test_what_a_run_writes_is_what_is_stored_with_it() -> None:
    Path("doubles").mkdir()
    Path("targets.yaml").write_text("runner: 1\ntargets: {here: {sandbox: doubles}}\n")
    Path("a.job.yaml").write_text("runner: 1\nname: a\ntarget: here\nsteps: [{pause: 1ms}]\n")
    assert ended(["run", "a.job.yaml", "--report-json", "out.json", "--report-junit", "out.xml"]) == 0
    (run,) = Path(".runner/runs").iterdir()
    assert (run / "report.json").read_bytes() == Path("out.json").read_bytes()
    assert (run / "junit.xml").read_bytes() == Path("out.xml").read_bytes()


def _written(folder: Path, command: ReportedCommand) -> list[str]:
    """The JSON and the JUnit report of the command."""
    files = {"json": folder / "out.json", "junit": folder / "out.xml"}
    reports.write(reports.ReportPlaces(by_format={name: str(file) for name, file in files.items()}), command)
    return [file.read_text() for file in files.values()]

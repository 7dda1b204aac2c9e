"""A fault of ours in one run: the runs beside it come to their end, all are in the reports, and the exit is 70.

What somebody else breaks, as a folder that is deleted meanwhile, is no fault of ours.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from journals import before_each_line
from sites import NOTHING, Answer, Site, site, targets, xml

from runner.cli.main import ended

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: {name}
target: here
defaults: {{verify: none}}
steps: [{{execute: {{process: UsrOne}}}}, {{pause: 200ms}}, {{execute: {{process: UsrTwo}}}}]
finally: [{{execute: {{process: UsrTidy}}}}]
"""
REPORTS = ("--report-json", "r.json", "--report-junit", "r.xml", "--report-html", "r.html")


def answer(_method: str, path: str) -> Answer:
    return xml(None) if "/Execute" in path else NOTHING


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("a", "b", "c", "d"):
        Path(f"{name}.job.yaml").write_text(JOB.format(name=name))
    with site(answer) as served:
        Path("targets.yaml").write_text(targets(served.url))
        yield served


def reported() -> dict[str, str]:
    """The status of each run in the JSON report, by its job."""
    return {run["job"]: run["status"] for run in json.loads(Path("r.json").read_text())["runs"]}


def problems() -> list[str]:
    return [problem["message"] for problem in json.loads(Path("r.json").read_text())["problems"]]


def break_down(line: int) -> None:
    if line == 2:  # once: another file may get its number later
        raise KeyError("a fault of ours")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_fault_in_one_run_lets_the_others_come_to_their_end_and_begins_no_more(
    jobs: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], here: Site
) -> None:
    before_each_line(2, break_down, monkeypatch)
    assert ended(["run", "a.job.yaml", "b.job.yaml", "c.job.yaml", "d.job.yaml", "-j", jobs, *REPORTS]) == 70
    printed = capsys.readouterr().err
    assert reported() == {"a": "passed", "b": "error"}
    assert len(here.executes()) == 3
    fault, left_out = problems()
    assert fault.startswith("a fault of this program in b@here: KeyError: 'a fault of ours'")
    assert left_out == "the command ended before these runs began: c@here, d@here"
    assert printed.count("error[E700]") == 1
    assert "no further run begins; those that are under way come to their end" in printed
    assert "not begun: c@here, d@here" in printed
    assert "a fault of this program in b@here" in Path("r.xml").read_text()
    assert "a fault of this program in b@here" in Path("r.html").read_text()
    assert [path.read_text().count("KeyError") > 0 for path in Path().glob("creatio-runner-*.log")] == [True]


def test_a_fault_beside_the_runs_loses_none_of_them(monkeypatch: pytest.MonkeyPatch, here: Site) -> None:
    calls: list[object] = []

    def broken(*_: object) -> None:
        calls.append(None)
        raise KeyError("a fault of ours")

    monkeypatch.setattr("runner.execution.stored_reports.remember", broken)
    assert ended(["run", "a.job.yaml", "b.job.yaml", "c.job.yaml", "-j", "2", *REPORTS]) == 70
    assert reported() == {"a": "passed", "b": "passed", "c": "passed"}
    assert len(here.executes()) == 9
    assert len(calls) == len(problems()) == 3


@pytest.mark.parametrize("at", ["started", "look"])
def test_a_fault_of_the_console_ends_no_run_that_is_under_way_and_holds_up_nobody(
    at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    really = getattr(__import__("runner.terminal.run_console", fromlist=["RunConsole"]).RunConsole, at)

    def broken(console: object, given: object) -> object:
        calls.append(given)
        if len(calls) > 1:
            raise KeyError("a fault of ours")
        return really(console, given)

    monkeypatch.setattr(f"runner.terminal.run_console.RunConsole.{at}", broken)
    assert ended(["run", "a.job.yaml", "b.job.yaml", "c.job.yaml", "-j", "2", *REPORTS]) == 70
    assert reported()["a"] == "passed"
    assert len(calls) == 2


def test_a_report_that_cannot_be_drawn_costs_no_other_its_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> str:
        raise KeyError("a fault of ours")

    monkeypatch.setattr("runner.reports.html.page.report", broken)
    assert ended(["run", "a.job.yaml", *REPORTS, "--report-md", "r.md"]) == 70
    assert reported() == {"a": "passed"}
    assert "a@here" in Path("r.xml").read_text()
    assert "a@here" in Path("r.md").read_text()
    assert not Path("r.html").exists()
    assert "E700]: a fault of this program while the reports were written: KeyError" in capsys.readouterr().err


def deleting(folder: Path) -> Callable[[str, str], Answer]:
    """A site that deletes a folder when a process is first executed."""

    def deletes(method: str, path: str) -> Answer:
        if "/Execute" in path:
            shutil.rmtree(folder, ignore_errors=True)
        return answer(method, path)

    return deletes


def test_a_current_folder_that_is_deleted_while_a_run_is_under_way_is_no_fault_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "deleted"
    here.mkdir()
    with site(deleting(here)) as served, monkeypatch.context() as elsewhere:
        Path("targets.yaml").write_text(targets(served.url))
        elsewhere.chdir(here)
        assert ended(["run", str(tmp_path / "a.job.yaml")]) == 3
        printed = capsys.readouterr().err
        assert "events.jsonl was moved or deleted while the run was under way" in printed
        assert "= hint: put it back, and `runner resume` goes on with the run; where it is lost" in printed
        assert len(served.executes()) == 1
        assert ended(["runs"]) == 2
        assert "error[E150]: the current folder cannot be reached by its path: No such file" in capsys.readouterr().err


def test_a_version_whose_events_are_deleted_while_it_is_under_way_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    with site(deleting(Path(".runner/runs"))) as served:
        Path("targets.yaml").write_text(targets(served.url))
        assert ended(["apply", "a.job.yaml"]) == 3
        capsys.readouterr()
        assert ended(["apply", "a.job.yaml"]) == 4
        assert "its events are not in " in capsys.readouterr().err
        assert len(served.executes()) == 1


def test_a_plan_takes_the_place_of_a_link_to_itself() -> None:
    Path("p.json").symlink_to("p.json")
    assert ended(["plan", "a.job.yaml", "--out", "p.json"]) == 0
    assert ended(["run", "p.json"]) == 0


def test_a_target_whose_name_is_too_long_for_a_file_has_no_catalogue() -> None:
    Path("targets.yaml").write_text(Path("targets.yaml").read_text().replace("here:", f"{'t' * 300}:"))
    assert ended(["validate", "a.job.yaml", "-t", "t" * 300]) == 0

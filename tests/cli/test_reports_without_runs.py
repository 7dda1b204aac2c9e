"""A command that ends before any run writes its reports all the same, with why: no empty page looks green."""

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace
from sites import NOTHING, Answer, site, targets, xml

from runner.cli import reports
from runner.cli.main import ended
from runner.foundation.problems import ExitCode
from runner.reports.formats import FORMATS
from runner.reports.reported import ReportedCommand, ReportValues

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schema" / "report.schema.json").read_text())
JOB = "runner: 1\nname: a\ntarget: sandbox\nsteps: [{pause: 1ms}]\n"
CALL = "runner: 1\nname: b\ntarget: here\ndefaults: {verify: none}\nsteps: [{execute: {process: UsrB}}]\n"
SITE = """
runner: 1
targets:
  sandbox: {sandbox: sandbox}
  site: {url: "https://127.0.0.1:9", auth: {username: u, password: "{{ env.SITE_PASSWORD }}"}, protected: true}
"""
REPORTS = (
    "--report-json",
    "out.json",
    "--report-junit",
    "out.xml",
    "--report-jsonl",
    "out.jsonl",
    "--report-html",
    "out.html",
    "--report-md",
    "out.md",
    "--report-otlp",
    "out.otlp",
)


@pytest.fixture(autouse=True)
def _its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_PASSWORD", "correct-horse-battery")
    Path("sandbox").mkdir()
    Path("a.job.yaml").write_text(JOB)
    Path("targets.yaml").write_text(SITE)


def written(*words: str, code: int) -> list[str]:
    """The codes of the problems that both reports hold."""
    assert ended([*words, *REPORTS]) == code
    whole = json.loads(Path("out.json").read_text())
    Draft202012Validator(SCHEMA).validate(whole)
    assert whole["exit_code"] == code
    root = ET.parse("out.xml").getroot()
    assert root.get("errors") == str(len(whole["problems"])) != "0"
    codes = [problem["code"] for problem in whole["problems"]]
    assert [error.get("type") for error in root.iter("error")] == codes
    assert Path("out.jsonl").read_text() == ""
    [span] = json.loads(Path("out.otlp").read_text())["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (span["status"]["code"], len(span["events"])) == (2, len(codes))
    page = Path("out.html").read_text()
    assert f"<b>exit {code}</b>" in page
    assert all(found in page for found in codes)
    assert all(f"[{found}]" in Path("out.md").read_text() for found in codes)
    return codes


@pytest.mark.parametrize(
    ("words", "code", "problems"),
    [
        (["run", "a.job.yaml", "--bogus"], 2, ["E150"]),
        (["run"], 2, ["E150"]),
        (["run", "wrong.job.yaml"], 2, ["E104"]),
        (["run", "a.job.yaml", "-i", "nothing=1"], 2, ["E131"]),
        (["run", "a.job.yaml", "-k", "nosuch"], 5, ["E180"]),
        (["run", "a.job.yaml", "-t", "site"], 6, ["E160"]),
        (["resume", "nosuch"], 2, ["E152"]),
        (["resume", "last", "--as", "bogus"], 2, ["E150"]),
        (["reconcile", "nosuch"], 2, ["E152"]),
    ],
)
def test_the_reason_is_a_failed_entry_in_the_place_of_an_earlier_report(
    words: list[str], code: int, problems: list[str]
) -> None:
    Path("wrong.job.yaml").write_text(JOB.replace("steps:", "stpes:"))
    assert ended(["run", "a.job.yaml", *REPORTS]) == 0
    assert written(*words, code=code) == problems


def test_the_span_that_a_command_is_started_in_holds_its_run_also_when_it_is_exported_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    monkeypatch.setenv("TRACEPARENT", f"00-{trace}-{span}-01")
    assert ended(["run", "a.job.yaml", "--report-otlp", "then.otlp"]) == 0
    monkeypatch.delenv("TRACEPARENT")
    assert ended(["report", "last", "--report-otlp", "later.otlp"]) == 0
    assert Path("later.otlp").read_text() == Path("then.otlp").read_text()
    run = json.loads(Path("then.otlp").read_text())["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert (run["traceId"], run["parentSpanId"]) == (trace, span)


def test_a_site_that_is_not_ready_is_a_failed_entry() -> None:
    Path("targets.yaml").write_text(SITE.replace("protected: true", "ready: {for: 1s, every: 100ms}"))
    assert written("run", "a.job.yaml", "-t", "site", code=3) == ["E317", "E317"]


def test_a_report_whose_place_a_variable_names_is_written_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_REPORT_JUNIT", "from-variable.xml")
    assert ended(["run", "a.job.yaml", "--bogus"]) == 2
    assert "E150" in Path("from-variable.xml").read_text()


def test_an_empty_selection_that_is_allowed_is_no_problem() -> None:
    assert ended(["run", "a.job.yaml", "-k", "nosuch", "--allow-empty", *REPORTS]) == 0
    whole = json.loads(Path("out.json").read_text())
    assert (whole["status"], whole["exit_code"], whole["problems"]) == ("empty", 0, [])
    assert ended(["run", "a.job.yaml", "-k", "nosuch", "-i", "limit=3", "--allow-empty"]) == 0


def test_a_file_that_is_read_or_holds_something_else_is_never_written_over() -> None:
    Path("mine.xml").write_text("<project/>")
    before = Path("a.job.yaml").read_text()
    assert ended(["run", "a.job.yaml", "--report-json", "a.job.yaml", "--report-junit=mine.xml"]) == 2
    assert Path("a.job.yaml").read_text() == before
    assert Path("mine.xml").read_text() == "<project/>"


def test_no_report_is_written_where_two_are_in_one_place() -> None:
    assert ended(["run", "a.job.yaml", "--report-json", "x", "--report-junit", "x"]) == 2
    assert not Path("x").exists()


def test_a_report_that_can_be_written_names_why_another_cannot() -> None:
    Path("file").write_text("")
    assert ended(["run", "a.job.yaml", "--report-json", "file/out.json", "--report-junit", "out.xml"]) == 2
    why = f"E153: the report file/out.json cannot be written: {Path('file').absolute()} is a file"
    assert why in Path("out.xml").read_text()


def test_folders_of_a_report_that_are_not_there_are_made() -> None:
    assert ended(["run", "a.job.yaml", "-t", "nosuch", "--report-junit", "all reports/größe/out.xml"]) == 2
    assert "E141" in Path("all reports/größe/out.xml").read_text()


def test_a_report_on_stdout_is_the_only_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "a.job.yaml", "-t", "nosuch", "--report-json", "-"]) == 2
    assert [problem["code"] for problem in json.loads(capsys.readouterr().out)["problems"]] == ["E141"]


def test_other_verbs_write_no_reports_when_they_cannot_begin() -> None:
    assert ended(["report", "last", "--report-json", "out.json"]) == 2
    assert not Path("out.json").exists()


def test_no_first_part_is_left_of_a_report_that_a_fault_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pieces(_: ReportedCommand) -> Iterator[bytes]:
        yield b'{"format": 1,'
        raise ZeroDivisionError

    monkeypatch.setattr(reports, "FORMATS", [replace(FORMATS[0], write=pieces)])
    places = reports.ReportPlaces(by_format={"json": str(tmp_path / "out.json")}, values=ReportValues.ALL)
    with pytest.raises(ZeroDivisionError):
        reports.write(places, ReportedCommand(runs=(), exit_code=ExitCode.PASSED))
    assert (tmp_path / "out.json").read_text() == ""


@pytest.mark.parametrize("verb", ["run", "apply"])
def test_while_runs_are_under_way_no_report_is_that_of_the_command_before(verb: str) -> None:
    seen: list[str] = []

    def answer(_method: str, path: str) -> Answer:
        if "/Execute" not in path:
            return NOTHING
        seen.extend(Path(name).read_text() for name in REPORTS[1::2])
        seen.append(Path("linked.xml").read_text())
        return xml(1)

    Path("b.job.yaml").write_text(CALL)
    with site(answer) as served:
        Path("targets.yaml").write_text(targets(served.url))
        assert ended(["run", "a.job.yaml", "-t", "here", *REPORTS, "--report-ctrf", "kept.xml"]) == 0
        Path("linked.xml").symlink_to("kept.xml")
        assert ended([verb, "b.job.yaml", *REPORTS, "--report-ctrf", "linked.xml"]) == 0
    assert seen[:-1] == [""] * (len(REPORTS) // 2), "a kill would leave them so"
    assert seen[-1] != "", "/dev/stdout is a link, too"
    assert all('"passed"' in Path(name).read_text() for name in ("out.json", "linked.xml"))


def test_a_command_that_asks_for_no_report_empties_none() -> None:
    assert ended(["run", "a.job.yaml", *REPORTS]) == 0
    assert ended(["run", "a.job.yaml", "--report-json", os.devnull]) == 0
    assert all(Path(name).read_text() for name in REPORTS[1::2])


@pytest.mark.parametrize("options", [[], ["--report-json", "-"]], ids=["no report", "a report on stdout"])
def test_a_file_that_is_called_like_stdout_is_left_as_it_is(options: list[str]) -> None:
    Path("-").write_text("mine")
    assert ended(["run", "a.job.yaml", *options]) == 0
    assert Path("-").read_text() == "mine"

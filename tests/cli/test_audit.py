"""A run's events as evidence: the hash that is printed and reported, and what shows that a line was changed."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from captured import Capture
from journals import EVENTS, PLAN, REPORT
from sites import NOTHING, Answer, Site, site, targets, xml

from runner.cli.main import ended

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: billing
target: here
defaults: {verify: none}
steps:
  - id: open
    execute: {process: UsrOpen, result: Out}
  - id: charge
    execute: {process: UsrCharge}
"""
REPORTS = ("--report-json", "1.json", "--report-junit", "1.xml", "--report-jsonl", "1.jsonl")


def answer(_method: str, path: str) -> Answer:
    return xml(7) if "/Execute" in path else NOTHING


@pytest.fixture(autouse=True)
def here() -> Iterator[Site]:
    with site(answer) as served:
        Path("targets.yaml").write_text(targets(served.url))
        Path("a.job.yaml").write_text(JOB)
        yield served


@pytest.fixture
def printed(capsys: Capture) -> str:
    """What a run has printed with all ids that passed."""
    assert ended(["run", "a.job.yaml", "-v", *REPORTS]) == 0
    return capsys.readouterr().out


def folder() -> Path:
    (only,) = Path(".runner/runs").iterdir()
    return only


def lines() -> list[str]:
    return (folder() / EVENTS).read_text().splitlines(keepends=True)


def keep(changed: list[str]) -> None:
    (folder() / EVENTS).write_text("".join(changed))


def change_at(line: int) -> str:
    why = "it, or the line before it, was changed after it was written"
    return f"line {line} of {folder() / EVENTS} does not match: {why}\n"


def change_of_the_last(line: int) -> str:
    why = "the run's report knows another last line; it was changed, or the lines after it are gone"
    return f"line {line} of {folder() / EVENTS} does not match: {why}\n"


def test_the_hash_of_the_last_line_is_printed_and_is_in_every_report(printed: str) -> None:
    head = "sha256:" + hashlib.sha256(lines()[-1].rstrip("\n").encode()).hexdigest()
    assert f"  events: {folder()}, {head}\n" in printed
    for report in (Path("1.json"), folder() / REPORT):
        assert json.loads(report.read_text())["runs"][0]["events"] == head
    for xml_report in (Path("1.xml"), folder() / "junit.xml"):
        assert head in [one.get("value") for one in ET.parse(xml_report).iter("property")]
    assert "sha256:" + hashlib.sha256(Path("1.jsonl").read_text().splitlines()[-1].encode()).hexdigest() == head


@pytest.mark.usefixtures("printed")
def test_show_prints_the_same_hash_and_finds_a_chain_that_holds(capsys: Capture) -> None:
    assert ended(["show", "last"]) == 0
    head = hashlib.sha256(lines()[-1].rstrip("\n").encode()).hexdigest()
    assert f", sha256:{head}\n" in capsys.readouterr().out


@pytest.mark.usefixtures("printed")
def test_whichever_line_is_changed_show_names_the_first_that_does_not_match(capsys: Capture) -> None:
    whole = lines()
    for number in range(1, len(whole) + 1):
        keep([re.sub('"at":"20', '"at":"21', line) if at == number else line for at, line in enumerate(whole, 1)])
        assert ended(["show", "last"]) == 1
        expected = change_at(number + 1) if number < len(whole) else change_of_the_last(number)
        assert expected in capsys.readouterr().out
    keep(whole)
    assert ended(["show", "last"]) == 0


CHANGES: dict[str, Callable[[list[str]], list[str]]] = {
    "left out": lambda whole: [*whole[:3], *whole[4:]],
    "doubled": lambda whole: [*whole[:4], *whole[3:]],
    "swapped": lambda whole: [*whole[:3], whole[4], whole[3], *whole[5:]],
    "no JSON": lambda whole: [*whole[:3], "{}\n", *whole[4:]],
    "one between": lambda whole: [*whole[:3], whole[3].replace('"seq":4', '"seq":3'), *whole[3:]],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.usefixtures("printed")
def test_lines_that_are_missing_or_elsewhere_are_found(change: str, capsys: Capture) -> None:
    keep(CHANGES[change](lines()))
    assert ended(["show", "last"]) == 1
    assert change_at(5 if change == "doubled" else 4) in capsys.readouterr().out


@pytest.mark.parametrize("known_by", ["report", "history"])
@pytest.mark.parametrize("lost", ["emptied", "deleted"])
@pytest.mark.usefixtures("printed")
def test_of_a_run_whose_events_are_gone_nobody_says_that_nothing_was_sent(
    here: Site, capsys: Capture, lost: str, known_by: str
) -> None:
    keep([])
    if lost == "deleted":
        (folder() / EVENTS).unlink()
    if known_by == "history":
        (folder() / REPORT).unlink()
    asked = len(here.asked)
    for command, code in {"show": 1, "rerun": 2, "resume": 2}.items():
        assert ended([command, "last"]) == code
        out, err = capsys.readouterr()
        assert f"{folder() / EVENTS} has lost its lines: the " in out + err
        assert "nothing was sent" not in out + err
    assert ended(["runs"]) == 0
    assert re.search(r"billing@here .* its events were changed", capsys.readouterr().out)
    assert len(here.asked) == asked


@pytest.mark.usefixtures("printed")
def test_events_that_were_deleted_are_missed_although_no_history_knows_the_run(capsys: Capture) -> None:
    for gone in (folder() / EVENTS, folder() / REPORT, Path(".runner/history.jsonl")):
        gone.unlink()
    assert ended(["show", "last"]) == 1
    assert "has lost its lines: its plan is there" in capsys.readouterr().out


@pytest.mark.usefixtures("printed")
def test_show_says_that_the_report_of_a_run_that_has_ended_is_gone(capsys: Capture) -> None:
    assert ended(["show", "last"]) == 0
    assert "report" not in capsys.readouterr().out
    (folder() / REPORT).unlink()
    assert ended(["show", "last"]) == 0
    assert f"{folder() / REPORT} is gone: only a hash that is kept elsewhere can show" in capsys.readouterr().out


@pytest.mark.parametrize("left", [1, -1])
@pytest.mark.usefixtures("printed")
def test_an_end_that_was_cut_off_is_known_by_the_runs_own_report(left: int, capsys: Capture) -> None:
    keep(lines()[:left])
    assert ended(["show", "last"]) == 1
    assert change_of_the_last(max(len(lines()), 1)) in capsys.readouterr().out


@pytest.mark.usefixtures("printed")
def test_a_last_line_that_a_break_has_torn_is_no_change(capsys: Capture) -> None:
    (folder() / REPORT).unlink()  # it is drawn when a run has ended
    whole = lines()
    keep([*whole[:-1], whole[-1][:40]])
    assert ended(["show", "last"]) == 0
    assert "it broke off after its steps" in capsys.readouterr().out
    assert ended(["resume", "last"]) == 0


@pytest.mark.usefixtures("printed")
def test_what_follows_from_a_change_is_said_and_no_command_is_offered(here: Site, capsys: Capture) -> None:
    (folder() / REPORT).unlink()
    keep([line.replace("Execute UsrCharge", "Execute UsrOther") for line in lines()[:-3]])
    asked = len(here.asked)
    assert ended(["show", "last"]) == 1
    out = capsys.readouterr().out
    assert "  nobody can say any more what this run did, so it cannot be resumed; the site's process log can" in out
    assert "what next" not in out
    assert "it broke off" not in out, "nobody knows"
    assert ended(["runs"]) == 0
    out = capsys.readouterr().out
    assert "its events were changed" in out
    assert "needs next" not in out
    assert ended(["report", "last", *REPORTS]) != 0
    assert "does not match" in capsys.readouterr().err
    for verb in ("resume", "reconcile"):
        assert ended([verb, "last"]) == 2
        assert "error[E155]: line " in capsys.readouterr().err
    assert ended(["runs", "--prune", "1ms"]) == 0
    assert folder().is_dir()
    assert len(here.asked) == asked


@pytest.mark.usefixtures("printed")
def test_no_report_of_events_that_were_changed_is_green(capsys: Capture) -> None:
    (folder() / REPORT).unlink()
    keep([line.replace("Execute UsrCharge", "Execute UsrOther") for line in lines()])
    places = ["--report-junit", "j.xml", "--report-md", "s.md", "--report-html", "p.html", "--report-json", "r.json"]
    assert ended(["report", "last", *places]) == 1
    assert "the reports are written; exit 1\n" in capsys.readouterr().err
    for place in places[1::2]:
        assert "does not match" in Path(place).read_text()
    summary = Path("s.md").read_text()
    assert "### `events are not as they were written`\n\nexit 1: events are not as they were written\n" in summary
    assert "#### What is wrong with the events\n" in summary
    assert "not all runs started" not in Path("p.html").read_text()
    assert json.loads(Path("r.json").read_text())["status"] == "error"
    assert 'errors="1"' in Path("j.xml").read_text()


@pytest.mark.usefixtures("printed")
def test_a_plan_that_is_lost_is_reported_with_what_is_left_to_do(capsys: Capture) -> None:
    (folder() / REPORT).unlink()
    keep(lines()[:-1])
    plan, name = folder() / PLAN, folder().name
    whole = plan.read_text()
    for content in (whole[:100], whole.replace("UsrCharge", "UsrOther")):
        plan.write_text(content)
        assert ended(["resume", "last"]) == 2
        err = capsys.readouterr().err
        assert f"{plan}: error[E156]: the run's plan " in err
        assert f"nothing was sent; no command can resume this run: `runner show {name}` shows what it did" in err
    Path("a.job.yaml").write_text(JOB + "  - pause: 1ms\n")
    assert ended(["resume", "last"]) == 2
    assert "the run goes on" not in capsys.readouterr().err


@pytest.mark.usefixtures("printed")
def test_a_run_that_broke_off_before_it_began_is_cleared_away_with_the_old_ones(capsys: Capture) -> None:
    (folder() / REPORT).unlink()
    Path(".runner/history.jsonl").unlink()  # it knows runs that have ended
    keep([])
    assert ended(["show", "last"]) == 0
    assert (
        "  it broke off before it began: nothing was sent; if its command began other runs, do what `runner runs` "
        "says of them; else give the command once more\n" in capsys.readouterr().out
    )
    assert ended(["runs"]) == 0
    assert re.search(r"billing@here +\d+ ms +broke off before it began: nothing was sent", capsys.readouterr().out)
    assert ended(["runs", "--prune", "1ms"]) == 0
    assert capsys.readouterr().err == "1 run deleted\n"
    assert list(Path(".runner/runs").iterdir()) == []


@pytest.mark.usefixtures("printed")
def test_a_verdict_on_a_row_that_has_ended_says_how_it_ended(capsys: Capture) -> None:
    assert ended(["resume", "last", "--step", "open", "--as", "failed"]) == 2
    assert "is in doubt: it is passed\n" in capsys.readouterr().err

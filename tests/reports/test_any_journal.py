"""What holds for every report of every journal, cut off anywhere."""

import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
from examples import some
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from reported import command, json_report, jsonl_report, junit_report
from transcripts import transcript

from runner.foundation.problems import ExitCode
from runner.reports import runs
from runner.reports.console import PlainConsole
from runner.reports.sentences import Detail
from runner.runs import StoreName
from runner.runs.events import AnyEvent, Line, RunStatus, StepFinished, StepSkipped, StepStarted
from runner.runs.result import fold, tally
from runner.runs.status import Status

pytestmark = pytest.mark.slow

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Journals = st.SearchStrategy[list[AnyEvent]]

SCHEMAS = Path(__file__).parents[2] / "schema"

quick = settings(max_examples=some(30), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


def drawn_prefix(data: st.DataObject, journals: Journals, chain: Chain) -> list[Line]:
    lines = chain(data.draw(journals))
    return lines[: data.draw(st.integers(0, len(lines)))]


def acts_on_a_terminal(char: str) -> bool:
    """Controls, line separators, and what changes the direction of writing."""
    is_control = unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
    return is_control or unicodedata.bidirectional(char) in {
        "BN",
        "LRE",
        "RLE",
        "LRO",
        "RLO",
        "PDF",
        "LRI",
        "RLI",
        "PDI",
    }


def printed(lines: Sequence[Line], options: Detail) -> str:
    out = io.StringIO()
    plain = PlainConsole(out, options)
    for line in lines:
        plain.event(line)
    plain.close()
    return out.getvalue()


@quick
@given(data=st.data())
def test_a_run_passed_only_where_it_said_so(data: st.DataObject, journals: Journals, chain: Chain) -> None:
    lines = chain(data.draw(journals))
    for end in range(len(lines)):
        result = fold(lines[:end])
        assert not result.finished
        assert result.status in {RunStatus.UNKNOWN, RunStatus.ERROR}
        assert result.exit_code in {ExitCode.UNKNOWN, ExitCode.NO_ANSWER}
    assert fold(lines).finished


@quick
@given(data=st.data())
def test_every_row_that_began_is_counted_once(data: st.DataObject, journals: Journals, chain: Chain) -> None:
    lines = drawn_prefix(data, journals, chain)
    result = fold(lines)
    known = {line.event.row.key for line in lines if isinstance(line.event, StepStarted | StepSkipped)}
    assert sorted(step.key for step in result.steps) == sorted(known)
    assert sum(tally(result.steps).values()) == len(known)
    output = {line.event.key: line.event.status for line in lines if isinstance(line.event, StepFinished)}
    assert output.items() <= {step.key: step.status for step in result.steps}.items()


@quick
@given(data=st.data())
def test_the_account_of_a_run_is_what_was_printed_while_it_ran(
    data: st.DataObject, journals: Journals, chain: Chain
) -> None:
    lines = drawn_prefix(data, journals, chain)
    for options in (Detail(place=".runner/runs/x", store=StoreName(".runner/runs")), Detail(quiet=True)):
        assert transcript(fold(lines), options) == printed(lines, options)


@quick
@given(data=st.data())
def test_nothing_from_outside_acts_on_a_terminal_or_a_ci(data: st.DataObject, journals: Journals, chain: Chain) -> None:
    lines = drawn_prefix(data, journals, chain)
    output = printed(lines, Detail(verbose=True)) + runs.table([runs.Listed(result=fold(lines))])
    for line in output.split("\n"):
        assert not line.lstrip().startswith("::")
        assert not re.search(r"##\w*\[", line)
        assert not [char for char in line if acts_on_a_terminal(char)]


@quick
@given(data=st.data())
def test_a_junit_report_is_xml_that_counts_what_it_holds(data: st.DataObject, journals: Journals, chain: Chain) -> None:
    result = fold(drawn_prefix(data, journals, chain))
    root = ET.fromstring(junit_report(command(result)))
    for tag, attribute in (("testcase", "tests"), ("failure", "failures"), ("error", "errors")):
        assert root.get(attribute) == str(len(list(root.iter(tag))))
    is_red = any(True for tag in ("failure", "error") for _ in root.iter(tag))
    assert is_red == (result.status is not RunStatus.PASSED)
    doubtful = sum(case.get("type") == "unknown" for case in root.iter("error"))
    assert doubtful >= tally(result.steps)[Status.UNKNOWN]


@quick
@given(data=st.data())
def test_a_json_report_fits_its_schema_and_is_safe_to_print(
    data: st.DataObject, journals: Journals, chain: Chain
) -> None:
    result = fold(drawn_prefix(data, journals, chain))
    text = json_report(command(result), version="0.1.0")
    assert json.loads(text)["runs"][0]["status"] == result.status
    assert not list(validator("report").iter_errors(json.loads(text)))
    assert not [char for char in text if acts_on_a_terminal(char) and char != "\n"]
    assert "inputs.token" not in text


@quick
@given(data=st.data())
def test_lines_of_events_fit_their_schema_and_are_those_of_the_folder(
    data: st.DataObject, journals: Journals, chain: Chain
) -> None:
    lines = drawn_prefix(data, journals, chain)
    read = [json.loads(line) for line in jsonl_report(lines).splitlines()]
    assert not [flaw for line in read for flaw in validator("event").iter_errors(line)]
    assert [line["prev"] for line in read] == [line.prev for line in lines]
    assert [line["seq"] for line in read] == [line.seq for line in lines]

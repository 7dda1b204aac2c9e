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
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from reported import command, command_from, json_report, jsonl_report, junit_report
from transcripts import transcript

from runner.foundation.problems import ExitCode
from runner.reports import markdown, runs
from runner.reports.console import RunPage, plain
from runner.reports.sentences import Detail
from runner.runs.events import AnyEvent, Line, RunStatus, StepFinished, StepSkipped, StepStarted
from runner.runs.result import RunResult, fold, tally
from runner.runs.status import Status

pytestmark = pytest.mark.slow

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Journals = st.SearchStrategy[list[AnyEvent]]

SCHEMAS = Path(__file__).parents[2] / "schema"


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


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
    page = RunPage(plain(out), options)
    for line in lines:
        page.event(line)
    page.close()
    return out.getvalue()


@settings(max_examples=some(30))
@given(data=st.data())
def test_a_run_passed_only_where_it_said_so(data: st.DataObject, journals: Journals, chain: Chain) -> None:
    lines = chain(data.draw(journals))
    for end in range(len(lines)):
        result = fold(lines[:end])
        assert not result.finished
        assert result.status in {RunStatus.UNKNOWN, RunStatus.ERROR}
        assert result.exit_code in {ExitCode.UNKNOWN, ExitCode.NO_ANSWER}
    assert fold(lines).finished


@settings(max_examples=some(60))
@given(data=st.data())
def test_every_report_of_a_run_that_is_cut_off_anywhere_is_right(
    data: st.DataObject, journals: Journals, chain: Chain
) -> None:
    """Journals are dear to draw: all reports are of one."""
    whole = chain(data.draw(journals))
    lines = whole[: data.draw(st.integers(0, len(whole)))]
    result = fold(lines)
    _counts_each_row_that_began_once(lines, result)
    _is_printed_afterwards_as_while_it_ran(lines, result)
    _lets_nothing_from_outside_act_on_a_terminal_or_a_ci(lines, result)
    _is_junit_that_counts_what_it_holds(result)
    _is_json_that_fits_its_schema_and_is_safe_to_print(result)
    _has_lines_that_fit_their_schema_and_are_those_of_the_folder(lines)
    _is_a_bounded_summary_without_markup_from_outside(lines)


def _counts_each_row_that_began_once(lines: Sequence[Line], result: RunResult) -> None:
    known = {line.event.row.key for line in lines if isinstance(line.event, StepStarted | StepSkipped)}
    assert sorted(step.key for step in result.steps) == sorted(known)
    assert sum(tally(result.steps).values()) == len(known)
    output = {line.event.key: line.event.status for line in lines if isinstance(line.event, StepFinished)}
    assert output.items() <= {step.key: step.status for step in result.steps}.items()


def _is_printed_afterwards_as_while_it_ran(lines: Sequence[Line], result: RunResult) -> None:
    for options in (Detail(place=".runner/runs/x"), Detail(quiet=True)):
        assert transcript(result, options) == printed(lines, options)


def _lets_nothing_from_outside_act_on_a_terminal_or_a_ci(lines: Sequence[Line], result: RunResult) -> None:
    output = printed(lines, Detail(verbose=True)) + runs.table([runs.Listed(result=result)])
    for line in output.split("\n"):
        assert not line.lstrip().startswith("::")
        assert not re.search(r"##\w*\[", line)
        assert not [char for char in line if acts_on_a_terminal(char)]


def _is_junit_that_counts_what_it_holds(result: RunResult) -> None:
    root = ET.fromstring(junit_report(command(result)))
    for tag, attribute in (("testcase", "tests"), ("failure", "failures"), ("error", "errors")):
        assert root.get(attribute) == str(len(list(root.iter(tag))))
    is_red = any(True for tag in ("failure", "error") for _ in root.iter(tag))
    assert is_red == (result.status is not RunStatus.PASSED)
    doubtful = sum(case.get("type") == "unknown" for case in root.iter("error"))
    assert doubtful >= tally(result.steps)[Status.UNKNOWN]


def _is_json_that_fits_its_schema_and_is_safe_to_print(result: RunResult) -> None:
    text = json_report(command(result), version="0.1.0")
    assert json.loads(text)["runs"][0]["status"] == result.status
    assert not list(validator("report").iter_errors(json.loads(text)))
    assert not [char for char in text if acts_on_a_terminal(char) and char != "\n"]
    assert "inputs.token" not in text


def _has_lines_that_fit_their_schema_and_are_those_of_the_folder(lines: Sequence[Line]) -> None:
    read = [json.loads(line) for line in jsonl_report(lines).splitlines()]
    assert not [flaw for line in read for flaw in validator("event").iter_errors(line)]
    assert [line["prev"] for line in read] == [line.prev for line in lines]
    assert [line["seq"] for line in read] == [line.seq for line in lines]


def _is_a_bounded_summary_without_markup_from_outside(lines: Sequence[Line]) -> None:
    text = markdown.report(command_from(lines))
    assert len(text) <= markdown.LONGEST
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())

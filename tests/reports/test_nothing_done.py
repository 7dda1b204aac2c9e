"""A run that passed and has done nothing is not taken for one that did something, wherever it is read."""

import json
from collections.abc import Callable, Sequence

import pytest
from reported import command_from, json_report

from runner.reports.github import annotations
from runner.reports.html.page import report as page
from runner.reports.markdown import report as markdown
from runner.runs.events import AnyEvent, Line, Row, RunFinished, RunStarted, RunStatus, StepSkipped

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
WORDS = "no step was carried out"


@pytest.fixture
def idle(start: Callable[..., RunStarted], chain: Chain, row: Callable[..., Row]) -> Callable[..., list[Line]]:
    """The journal of a run, of this job, whose only step was skipped."""

    def journal(job: str = "a", status: RunStatus = RunStatus.PASSED) -> list[Line]:
        ended = RunFinished(t=1, status=status, exit_code=0 if status is RunStatus.PASSED else 1)
        return chain([start(job=job), StepSkipped(row=row("one"), reason="nothing"), ended])

    return journal


def test_the_reports_of_one_such_run_say_so(idle: Callable[..., list[Line]]) -> None:
    command = command_from(idle())
    assert json.loads(json_report(command))["runs"][0]["warnings"] == [WORDS]
    assert markdown(command).splitlines()[1] == f"### `a@sandbox: passed, but {WORDS}`"
    assert f"a@sandbox: passed, but {WORDS}" in page(command)
    assert annotations(command) == (
        "::warning file=specs/contact-smoke.job.yaml,line=1,title=nothing done in a@sandbox"
        f"::nothing done in a@sandbox%0A{WORDS}\n"
    )


def test_the_summary_of_several_counts_them(idle: Callable[..., list[Line]]) -> None:
    command = command_from(idle(), idle("b"))
    assert f"`all 2 runs passed, but of 2 of them {WORDS}`" in markdown(command)


def test_a_run_that_did_not_pass_says_why_and_not_this(idle: Callable[..., list[Line]]) -> None:
    command = command_from(idle(status=RunStatus.FAILED))
    assert WORDS not in markdown(command) + annotations(command)

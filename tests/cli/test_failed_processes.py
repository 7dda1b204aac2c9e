"""What a person reads, and a report holds, of a process that failed on a site over a real socket."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sites import NOTHING, Answer, site, targets, xml

from runner.cli.main import ended

pytestmark = pytest.mark.slow

PROCESS = "7a1d3c50-0000-4000-8000-000000000001"
ERROR = "f942c08d-b6e2-df11-971b-001d60e938c6"
DONE = "815c9586-b6e2-df11-971b-001d60e938c6"
GENERIC = "An error has occurred during the process execution. Please check the process log for details"
TRACE = "System.Exception: No such contact\n   at Terrasoft.Core.Process.UsrAdd.Execute(Context x) in C:\\a.cs:line 5"
ELEMENTS = [
    {"SchemaElementUId": "11111111-5a52-4b8f-9a54-2b6f0f8c1a11", "Caption": "Add it", "StatusId": ERROR},
    {"SchemaElementUId": "22222222-5a52-4b8f-9a54-2b6f0f8c1a11", "Caption": "Read it", "StatusId": DONE},
]
JOB = """runner: 1
name: a
target: here
steps:
  - id: add
    execute: {process: UsrAdd, result: R}
    effect: read
"""


def failing(path: str, *, log: str, elements: Answer) -> Answer:
    """The answer of a site on which UsrAdd has failed: with this text in its log."""
    if "/Execute" in path:
        return xml("a value that proves nothing")
    if "SysProcessElementLog" in path:
        return elements
    if "SysProcessLog" in path:
        row = {"Id": PROCESS, "StartDate": datetime.now(UTC).isoformat(), "StatusId": ERROR, "ErrorDescription": log}
        return Answer(body=json.dumps({"value": [row] if "$top=200" in path else []}))
    return NOTHING


def account_of(log: str, elements: Answer, *options: str) -> list[str]:
    """The requests of a run that fails so."""
    Path("a.job.yaml").write_text(JOB)
    with site(lambda _method, path: failing(path, log=log, elements=elements)) as here:
        Path("targets.yaml").write_text(targets(here.url))
        assert ended(["run", "a.job.yaml", "--report-json", "report.json", *options]) == 1
        return here.asked


def listed(*, error: str | None) -> Answer:
    first, *rest = ELEMENTS
    return Answer(body=json.dumps({"value": [{**first, "ErrorDescription": error}, *rest]}))


def reported() -> str:
    report = json.loads(Path("report.json").read_text())
    return str(report["runs"][0]["steps"][0]["error"]["message"])


def test_the_element_is_named_with_its_text_and_the_stack_trace_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    asked = account_of(GENERIC, listed(error=TRACE))

    out = capsys.readouterr().out
    cause = 'E203: the process failed at the element "Add it": System.Exception: No such contact (its stack trace: -v)'
    assert cause in out
    assert "Terrasoft" not in out
    (question,) = [line for line in asked if "SysProcessElementLog" in line]
    assert f"SysProcess/Id eq {PROCESS}" in question
    assert "Terrasoft" in reported()


def test_who_wants_it_all_sees_the_stack_trace(capsys: pytest.CaptureFixture[str]) -> None:
    account_of(TRACE, listed(error=None), "-v")

    out = capsys.readouterr().out
    assert 'the process failed at the element "Add it": System.Exception: No such contact' in out
    assert "at Terrasoft.Core.Process.UsrAdd.Execute" in out


@pytest.mark.parametrize(
    "elements",
    [
        NOTHING,
        Answer(status=403, body='{"Message":"no right"}'),
        Answer(body='{"Message":"No HTTP resource was found"}'),
        Answer(body='{"value":[]}'),
        Answer(body="<html>", kind="text/html"),
        Answer(body='{"value":[5,{"Caption":7,"StatusId":["x"]}]}'),
    ],
    ids=["missing", "refused", "unknown", "empty", "html", "odd"],
)
def test_a_log_of_elements_that_says_nothing_takes_nothing_away(
    elements: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    account_of("Divide by zero", elements)

    assert "E203: the process failed: Divide by zero\n" in capsys.readouterr().out
    assert reported() == "the process failed: Divide by zero"

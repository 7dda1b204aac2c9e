"""The CTRF report against the schema of its specification.

`ctrf.schema.json` is `schema/ctrf.schema.json` of https://github.com/ctrf-io/ctrf, at commit
84ddec55811b6a9bf9db3bf9638c9568cde88bb5, unchanged; copyright 2024 Matthew Poulton-White, under the MIT licence in
`LICENSE` beside it.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from examples import some
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from reported import command, command_from

from runner.foundation.problems import ExitCode, Problem
from runner.foundation.values import Json
from runner.reports.ctrf import report
from runner.reports.formats import FORMATS
from runner.runs.events import (
    AnyEvent,
    AttemptFailed,
    CallSent,
    Line,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFinished,
    StepStarted,
    Trouble,
)
from runner.runs.evidence import CiRun
from runner.runs.status import Status

pytestmark = pytest.mark.slow

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Story = list[AnyEvent]

VALIDATOR = Draft7Validator(
    json.loads(Path(__file__).with_name("ctrf.schema.json").read_text(encoding="utf-8")),
    format_checker=Draft7Validator.FORMAT_CHECKER,
)
SENT = CallSent(t=0, key="read", effect="read", call={})
TROUBLE = Trouble(code="E305", message="no answer in 1.0 s")


def _results(text: str) -> dict[str, Json]:
    """What the report holds; it fits the schema."""
    document = json.loads(text)
    assert [flaw.message for flaw in VALIDATOR.iter_errors(document)] == []
    found: dict[str, Json] = document["results"]
    return found


def _tests(text: str) -> dict[str, dict[str, Json]]:
    """The tests by their names."""
    listed = _results(text)["tests"]
    assert isinstance(listed, list)
    return {str(test["name"]): test for test in listed if isinstance(test, dict)}


def _ended(status: Status, **more: object) -> StepFinished:
    fields: dict[str, object] = {"key": "read", "t": 1.25, "status": status, "seconds": 1.25, "attempts": 1}
    return StepFinished(**(fields | more))  # type: ignore[arg-type]  # fields by name, for brevity


def test_a_row_is_a_test_with_all_that_ctrf_has_a_name_for(story: Story, chain: Chain) -> None:
    text = report(command_from(chain(story)), version="0.1.0")
    test = _tests(text)["read: Read it back"]
    extra, message = test.pop("extra"), str(test.pop("message"))
    assert message.startswith(
        "E201: an expectation is not met\nhint: look at the list\nnot met: `result | length > 0` is false\n"
        "help of the job: Ask the integration team.\nwhat next: runner reconcile "
    )
    assert test == {
        "testId": "contact-smoke@sandbox/read",
        "executionId": "0194d2a0-0000-7000-8000-000000000001/read",
        "name": "read: Read it back",
        "filePath": "specs/contact-smoke.job.yaml",
        "status": "failed",
        "rawStatus": "failed",
        "duration": 1200,
        "start": 1769850000021,
        "stop": 1769850001221,
        "suite": ["contact-smoke@sandbox", "steps"],
        "flaky": False,
        "retries": 4,
        "line": 7,
        "retryAttempts": [*({"attempt": at, "status": "failed"} for at in range(1, 6))],
    }
    assert extra == {
        "creatio-runner.row": {
            "kind": "execute",
            "process": "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11",
            "code": "E201",
            "remarks": [
                "met: result != null",
                "process: 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11",
                "help: The user needs a right.",
            ],
        }
    }


def test_the_summary_counts_what_the_report_holds(story: Story, chain: Chain) -> None:
    results = _results(report(command_from(chain(story)), version="0.1.0"))
    assert results["summary"] == {
        "tests": 5,
        "passed": 1,
        "failed": 2,
        "skipped": 1,
        "pending": 0,
        "other": 1,
        "flaky": 0,
        "suites": 1,
        "start": 1769850000000,
        "stop": 1769850001532,
        "duration": 1532,
        "extra": {
            "creatio-runner.command": {"status": "unknown", "exitCode": 4},
            "creatio-runner.events": {
                "0194d2a0-0000-7000-8000-000000000001": command_from(chain(story)).results[0].events
            },
        },
    }
    assert results["environment"] == {
        "commit": "0123456789012345678901234567890123456789",
        "testEnvironment": "sandbox",
        "healthy": False,
    }


def test_a_row_that_passed_later_is_flaky_and_has_its_attempts(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    failed = AttemptFailed(key="read", t=0.5, kind="unanswered", error=TROUBLE)
    ending = _ended(Status.PASSED, attempts=2, flaky=True)
    end = RunFinished(t=1.25, status=RunStatus.PASSED, exit_code=0)
    text = report(command_from(chain([start(), StepStarted(row=row("read"), t=0), SENT, failed, ending, end])))
    test = _tests(text)["read: Do read"]
    assert test["flaky"] is True
    assert test["retries"] == 1
    assert test["retryAttempts"] == [
        {"attempt": 1, "status": "failed", "message": "E305: no answer in 1.0 s"},
        {"attempt": 2, "status": "passed"},
    ]


def test_a_run_that_is_in_doubt_alone_is_a_test_that_failed(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    ending = _ended(Status.UNKNOWN, error=TROUBLE)
    end = RunFinished(t=1.25, status=RunStatus.UNKNOWN, exit_code=4)
    tests = _tests(report(command_from(chain([start(), StepStarted(row=row("read"), t=0), ending, end]))))
    assert [(name, test["status"], test["rawStatus"]) for name, test in tests.items()] == [
        ("read: Do read", "other", "unknown"),
        ("run", "failed", "unknown"),
    ]


def test_a_failure_that_does_not_count_turns_nothing_red(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    ignored = msgspec.structs.replace(row("read"), on_failure="ignore")
    end = RunFinished(t=1.25, status=RunStatus.PASSED, exit_code=0)
    events: Story = [start(), StepStarted(row=ignored, t=0), _ended(Status.FAILED, error=TROUBLE), end]
    (test,) = _tests(report(command_from(chain(events)))).values()
    assert (test["status"], test["rawStatus"]) == ("other", "failed, which does not count here")


def test_where_the_run_came_from_is_its_environment(start: Callable[..., RunStarted], chain: Chain) -> None:
    begun = start(ci=CiRun(url="https://ci.example.com/7", ref="main"), tags=("smoke",))
    results = _results(report(command_from(chain([begun]))))
    assert isinstance(results["environment"], dict)
    assert results["environment"]["buildUrl"] == "https://ci.example.com/7"
    assert results["environment"]["branchName"] == "main"


def test_why_no_run_began_is_a_test_that_failed() -> None:
    problem = Problem(code="E162", message="nobody can answer", hint="add `--yes`")
    text = report(command(problems=[problem], exit_code=ExitCode.REFUSED))
    (test,) = _tests(text).values()
    assert (test["name"], test["status"]) == ("E162", "failed")
    assert "nobody can answer" in str(test["message"])


def test_the_same_runs_make_the_same_report_and_others_another_id(story: Story, chain: Chain) -> None:
    whole, part = command_from(chain(story)), command_from(chain(story[:5]))
    assert report(whole) == report(whole)
    assert json.loads(report(whole))["reportId"] != json.loads(report(part))["reportId"]


def test_a_report_of_another_tool_is_never_written_over(story: Story, chain: Chain) -> None:
    (ctrf,) = [one for one in FORMATS if one.name == "ctrf"]
    assert ctrf.mark.match(report(command_from(chain(story))).encode())
    assert not ctrf.mark.match(b'{"reportFormat":"CTRF","specVersion":"0.0.0","generatedBy":"jest-ctrf 1.0"')


@settings(max_examples=some(30), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_beginning_of_any_journal_fits_the_schema_and_fails_where_the_run_did(
    data: st.DataObject, journals: st.SearchStrategy[Story], chain: Chain
) -> None:
    lines = chain(data.draw(journals))
    reported = command_from(lines[: data.draw(st.integers(0, len(lines)))])
    tests = _results(report(reported))["tests"]
    assert isinstance(tests, list)
    has_failed = any(isinstance(test, dict) and test["status"] == "failed" for test in tests)
    assert has_failed == (reported.results[0].status is not RunStatus.PASSED)


def test_the_schema_is_the_official_one() -> None:
    with pytest.raises(AssertionError, match="CTRF"):
        _results('{"reportFormat": "TAP", "specVersion": "0.0.0", "results": {"tests": []}}')

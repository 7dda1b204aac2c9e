import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from reported import command, command_from, junit_report

from runner.foundation.problems import ExitCode, Problem, Span
from runner.runs.events import (
    AnyEvent,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFinished,
    StepSkipped,
    StepStarted,
    TargetName,
    Trouble,
)
from runner.runs.result import RunResult, fold
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]


def suite_of(result: RunResult) -> ET.Element:
    suite = ET.fromstring(junit_report(command(result))).find("testsuite")
    assert suite is not None
    return suite


def cases_of(result: RunResult) -> dict[str, ET.Element]:
    return {case.get("name", ""): case for case in suite_of(result).iter("testcase")}


def element(case: ET.Element, tag: str) -> ET.Element:
    found = case.find(tag)
    assert found is not None
    return found


@pytest.fixture
def one_row(chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]) -> Callable[..., RunResult]:
    def folded(status: Status, run_status: RunStatus, **ending: object) -> RunResult:
        fields = {"key": "add", "t": 0.1, "status": status, "seconds": 0.1, "attempts": 1} | ending
        finished = StepFinished(**fields)  # type: ignore[arg-type]  # fields by name, for brevity
        began = StepStarted(row=row("add", name="add"), t=0.0)
        return fold(chain([start(), began, finished, RunFinished(t=0.1, status=run_status, exit_code=0)]))

    return folded


def test_a_run_is_a_suite_with_its_counts(story: list[AnyEvent], chain: Chain) -> None:
    suite = suite_of(fold(chain(story)))
    assert suite.attrib == {
        "name": "contact-smoke@sandbox",
        "tests": "5",
        "failures": "1",
        "errors": "2",
        "skipped": "1",
        "time": "1.532",
        "timestamp": "2026-01-31T09:00:00",
    }


def test_a_row_is_a_case_that_gives_its_place(story: list[AnyEvent], chain: Chain) -> None:
    case = cases_of(fold(chain(story)))["read: Read it back"]
    assert case.attrib == {
        "classname": "sandbox.contact-smoke",
        "name": "read: Read it back",
        "time": "1.200",
        "file": "specs/contact-smoke.job.yaml",
        "line": "7",
    }


def test_a_failed_row_is_a_failure_with_all_that_helps(story: list[AnyEvent], chain: Chain) -> None:
    failure = element(cases_of(fold(chain(story)))["read: Read it back"], "failure")
    assert failure.attrib == {"message": "E201: an expectation is not met", "type": "E201"}
    assert failure.text == (
        "E201: an expectation is not met\n"
        "hint: look at the list\n"
        "not met: `result | length > 0` is false\n"
        "met: result != null\n"
        "process: 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11\n"
        "help: The user needs a right.\n"
        "help of the job: Ask the integration team.\n"
        "what next: runner reconcile 0194d2a0-0000-7000-8000-000000000001\n"
        "  asks the process log again, and sends nothing else\n"
        "or: runner resume 0194d2a0-0000-7000-8000-000000000001 --step cleanup --as passed\n"
        "  if you have checked that it passed; `--as failed` if it failed or never began"
    )


def test_an_unknown_row_is_an_error(story: list[AnyEvent], chain: Chain) -> None:
    error = element(cases_of(fold(chain(story)))["cleanup: Delete it"], "error")
    assert error.attrib == {"message": "in doubt: cleanup may or may not have happened", "type": "unknown"}


def test_a_skipped_row_says_why(story: list[AnyEvent], chain: Chain) -> None:
    skipped = element(cases_of(fold(chain(story)))["onboard: Onboard"], "skipped")
    assert skipped.get("message") == "skipped: the run was stopped"


def test_a_warning_of_a_passed_row_is_in_its_output(story: list[AnyEvent], chain: Chain) -> None:
    case = cases_of(fold(chain(story)))["add: Add a contact"]
    assert [child.tag for child in case] == ["system-out"]
    assert element(case, "system-out").text == "warning: not verified: the process log cannot be read"


def test_the_hash_of_the_events_is_a_property(story: list[AnyEvent], chain: Chain) -> None:
    lines = chain(story)
    properties = {each.get("name"): each.get("value") for each in suite_of(fold(lines)).iter("property")}
    assert properties["events"] == f"sha256:{lines[-1].sha256}"
    assert properties["run"] == "0194d2a0-0000-7000-8000-000000000001"


def test_no_machine_is_named(story: list[AnyEvent], chain: Chain) -> None:
    assert "hostname" not in junit_report(command(fold(chain(story))))


def test_a_failure_that_does_not_count_turns_no_build_red(one_row: Callable[..., RunResult]) -> None:
    error = Trouble(code="E203", message="it failed")
    case = cases_of(one_row(Status.FAILED, RunStatus.PASSED, error=error))["add"]
    assert [child.tag for child in case] == ["skipped"]
    assert element(case, "skipped").attrib == {"message": "failed, which does not count here", "type": "E203"}
    assert element(case, "skipped").text == "failed, which does not count here\nE203: it failed"


def test_a_failure_that_the_job_ignores_is_no_failed_case_of_a_run_that_failed_nor_is_one_of_its_parts(
    chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    events: list[AnyEvent] = [start()]
    for key, fields in {"ignored": {"on_failure": "ignore"}, "ignored[0]": {}, "add": {}}.items():
        events.append(StepStarted(row=replace(row(key, name=key), **fields), t=0.0))
        events.append(StepFinished(key=key, t=0.1, status=Status.FAILED, seconds=0.1, attempts=1))
    result = fold(chain([*events, RunFinished(t=0.1, status=RunStatus.FAILED, exit_code=1)]))
    suite, cases = suite_of(result), cases_of(result)
    assert (suite.get("failures"), suite.get("skipped")) == ("1", "2")
    assert [child.tag for key in ("ignored", "ignored[0]") for child in cases[key]] == ["skipped", "skipped"]
    assert element(cases["add"], "failure") is not None


def test_an_unknown_row_is_red_even_in_a_run_that_claims_to_have_passed(one_row: Callable[..., RunResult]) -> None:
    assert suite_of(one_row(Status.UNKNOWN, RunStatus.PASSED)).get("errors") == "1"


@pytest.mark.parametrize(
    ("status", "tag"),
    [(RunStatus.REFUSED, "error"), (RunStatus.CANCELLED, "error"), (RunStatus.FAILED, "failure")],
)
def test_a_run_that_did_not_pass_is_red_though_its_rows_are_not(
    one_row: Callable[..., RunResult], status: RunStatus, tag: str
) -> None:
    case = cases_of(one_row(Status.PASSED, status))["run"]
    assert element(case, tag).get("message") == f"the run ended as {status}"


def test_a_run_that_broke_off_is_red(start: Callable[..., RunStarted], chain: Chain) -> None:
    error = element(cases_of(fold(chain([start()])))["run"], "error")
    assert error.text is not None
    assert "E312: the run broke off" in error.text


def test_why_a_run_ended_is_reported_beside_rows_that_are_red(
    chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    cases = cases_of(fold(chain([start(), StepStarted(row=row("a", name="a"), t=0)])))
    assert element(cases["a"], "error").text == (
        "E312: the run broke off in this step\n"
        "what next: runner resume 0194d2a0-0000-7000-8000-000000000001\n"
        "  goes on where it broke off; calls that were answered are not sent again"
    )
    assert element(cases["run"], "error").get("message") == "the run ended as error"


def test_a_case_is_kept_apart_by_target_job_and_case(start: Callable[..., RunStarted], chain: Chain) -> None:
    target = TargetName(name="staging", url="https://x", sandbox=False)
    suite = suite_of(fold(chain([start(case="eu", target=target)])))
    assert suite.get("name") == "contact-smoke[eu]@staging"
    assert [case.get("classname") for case in suite.iter("testcase")] == ["staging.contact-smoke[eu]"]


def test_no_runs_are_an_empty_document() -> None:
    root = ET.fromstring(junit_report(command()))
    assert (root.tag, root.get("tests"), len(root)) == ("testsuites", "0", 0)


@pytest.mark.slow
@given(data=st.data())
def test_any_text_is_xml_and_says_the_same_in_both_places(
    data: st.DataObject, texts: st.SearchStrategy[str], start: Callable[..., RunStarted], chain: Chain
) -> None:
    text = data.draw(texts)
    ending = RunFinished(t=1, status=RunStatus.ERROR, exit_code=3, error=Trouble(code="E307", message=text))
    error = element(cases_of(fold(chain([start(job=text or "job", file=text), ending])))["run"], "error")
    assert error.text is not None
    assert error.text.startswith("the run ended as error\nE307: ")


def test_why_no_run_began_is_a_red_case_at_its_place() -> None:
    span = Span(line=3, column=1, end_line=3, end_column=5)
    mistake = Problem(code="E104", message="unknown key", hint="write `steps`", file="a.job.yaml", span=span)
    root = ET.fromstring(junit_report(command(problems=[mistake, mistake], exit_code=ExitCode.INVALID)))
    assert (root.get("tests"), root.get("errors")) == ("2", "2")
    cases = list(root.iter("testcase"))
    assert [case.get("name") for case in cases] == ["E104 a.job.yaml", "E104 a.job.yaml (2)"]
    assert (cases[0].get("file"), cases[0].get("line")) == ("a.job.yaml", "3")
    error = element(cases[0], "error")
    assert (error.get("message"), error.get("type")) == ("E104: unknown key", "E104")
    assert error.text == "a.job.yaml:3:1: error[E104]: unknown key\n   = hint: write `steps`"


def test_the_newest_of_several_runs_of_one_name_is_written(start: Callable[..., RunStarted], chain: Chain) -> None:
    def ended(status: RunStatus, **changed: object) -> RunResult:
        return fold(chain([start(**changed), RunFinished(t=1, status=status, exit_code=0)]))

    newest = ended(RunStatus.FAILED, started_at="2026-01-31T09:00:02.000Z")
    older = ended(RunStatus.PASSED, started_at="2026-01-31T09:00:01.000Z")
    other = ended(RunStatus.PASSED, case="eu")
    same_name = ended(RunStatus.PASSED, file="other/contact-smoke.job.yaml", started_at="2026-01-31T09:00:03.000Z")
    root = ET.fromstring(junit_report(command(older, other, newest, older, same_name)))
    assert [(suite.get("name"), suite.get("failures")) for suite in root] == [
        ("contact-smoke@sandbox", "1"),
        ("contact-smoke[eu]@sandbox", "0"),
        ("contact-smoke@sandbox", "0"),
    ]


def test_a_failed_attempt_before_one_that_passed_is_a_flaky_failure(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    sent = CallSent(key="add", t=0.0, effect="idempotent", call={"kind": "execute"})
    lines = chain(
        [
            start(),
            StepStarted(row=row("add", name="add"), t=0.0),
            sent,
            AttemptFailed(key="add", t=0.1, kind="unanswered", error=Trouble(code="E305", message="no answer")),
            sent,
            CallAnswered(key="add", t=0.2, value=[]),
            AttemptFailed(key="add", t=0.2, kind="expectation", error=Trouble(code="E201", message="an empty list")),
            sent,
            AttemptFailed(key="add", t=0.3, kind="in_doubt", error=Trouble(code="E401", message="may have happened")),
            StepFinished(key="add", t=0.4, status=Status.PASSED, seconds=0.4, attempts=3, flaky=True),
            RunFinished(t=1, status=RunStatus.PASSED, exit_code=0),
        ]
    )
    root = ET.fromstring(junit_report(command_from(lines)))
    (case,) = root.iter("testcase")
    assert [child.tag for child in case] == ["flakyFailure", "flakyFailure", "system-out"]
    assert [(found.get("type"), found.get("message")) for found in case.iter("flakyFailure")] == [
        ("E305", "E305: no answer"),
        ("E201", "E201: an empty list"),
    ]
    assert (root.get("failures"), root.get("errors")) == ("0", "0")


@pytest.mark.parametrize("rows", [0, 1, 100, 101, 250])
def test_a_report_is_one_indented_document_however_many_rows_there_are(
    rows: int, start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    skipped = [StepSkipped(row=row(f"s{number}"), reason="condition") for number in range(rows)]
    run = fold(chain([start(), *skipped, RunFinished(t=1, status=RunStatus.FAILED, exit_code=1)]))
    text = junit_report(command(run))
    root = ET.fromstring(text)
    assert (root.get("tests"), len(list(root.iter("testcase")))) == (str(rows + 1), rows + 1)
    ET.indent(root)
    assert text == '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"

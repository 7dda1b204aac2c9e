import json
from collections.abc import Callable, Sequence

import msgspec
import pytest
from reported import command, json_report

from runner.foundation.problems import ExitCode, Problem
from runner.runs.events import AnyEvent, Line, Row, RunFinished, RunStarted, RunStatus, StepSkipped
from runner.runs.result import fold

Chain = Callable[[Sequence[AnyEvent]], list[Line]]


def test_a_report_holds_every_field_of_a_run(story: list[AnyEvent], chain: Chain) -> None:
    lines = chain(story)
    whole = json.loads(json_report(command(fold(lines)), version="1.2.3"))
    (run,) = whole.pop("runs")
    assert whole == {
        "format": 1,
        "tool": {"name": "creatio-runner", "version": "1.2.3"},
        "status": "unknown",
        "exit_code": 4,
        "started_at": "2026-01-31T09:00:00.000Z",
        "seconds": 1.532,
        "counts": {"passed": 1, "failed": 1, "error": 1, "skipped": 1, "unknown": 1},
        "problems": [],
    }
    run.pop("steps")
    assert run == {
        "id": "0194d2a0-0000-7000-8000-000000000001",
        "job": "contact-smoke",
        "file": "specs/contact-smoke.job.yaml",
        "case": None,
        "target": {"name": "sandbox", "url": "http://127.0.0.1:8080", "sandbox": True},
        "status": "unknown",
        "exit_code": 4,
        "started_at": "2026-01-31T09:00:00.000Z",
        "seconds": 1.532,
        "inputs": {"token": "***", "limit": 10},
        "outputs": {"contact": "c-1"},
        "undo": "none",
        "git": {"commit": "0123456789012345678901234567890123456789", "dirty": None},
        "digest": "sha256:" + "a" * 64,
        "events": f"sha256:{lines[-1].sha256}",
        "error": None,
        "warnings": [],
        "engine": None,
        "command": None,
        "rows": None,
        "tags": None,
        "description": None,
        "source": None,
        "ci": None,
        "access": None,
        "traceparent": None,
        "stop_ordered_by": None,
        "applied": None,
        "begun_by": None,
        "rerun_of": None,
        "waits": [],
    }


def test_a_report_holds_every_field_of_a_step(story: list[AnyEvent], chain: Chain) -> None:
    whole = json.loads(json_report(command(fold(chain(story))), version="1.2.3"))
    add, read, onboard, *_ = whole["runs"][0]["steps"]
    assert read == {
        "id": "read",
        "key": "read",
        "name": "Read it back",
        "kind": "execute",
        "section": "steps",
        "index": None,
        "status": "failed",
        "reason": None,
        "flaky": False,
        "verified": None,
        "attempts": 5,
        "seconds": 1.2,
        "process_id": "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11",
        "result": [],
        "outputs": {},
        "line": 7,
        "checks": [
            {"that": "result != null", "passed": True, "message": None, "differences": []},
            {
                "that": "result | length > 0",
                "passed": False,
                "message": "`result | length > 0` is false",
                "differences": [],
            },
        ],
        "warnings": [],
        "error": {"code": "E201", "message": "an expectation is not met", "hint": "look at the list"},
        "help": "The user needs a right.",
        "skipped_by": None,
        "effect": None,
        "on_failure": None,
        "process": None,
        "max_attempts": None,
        "unverified": None,
        "running": False,
        "item": None,
        "judged": None,
        "if": None,
        "each_attempt": [],
    }
    assert add["outputs"] == {"token": "***"}
    assert add["warnings"] == ["not verified: the process log cannot be read"]
    assert (onboard["status"], onboard["reason"]) == ("skipped", "stopped")


def test_several_runs_are_as_bad_as_the_worst(start: Callable[..., RunStarted], chain: Chain) -> None:
    def ended(at: str, status: RunStatus, code: int) -> list[Line]:
        return chain([start(started_at=at), RunFinished(t=1.50049, status=status, exit_code=code)])

    passed = fold(ended("2026-01-31T09:00:05.000Z", RunStatus.PASSED, 0))
    failed = fold(ended("2026-01-31T09:00:00.000Z", RunStatus.FAILED, 1))
    whole = json.loads(json_report(command(passed, failed), version="1"))
    assert (whole["status"], whole["exit_code"], whole["seconds"]) == ("failed", 1, 3.001)
    assert whole["started_at"] == "2026-01-31T09:00:00.000Z"


def test_a_value_that_looks_like_a_hole_comes_back(start: Callable[..., RunStarted], chain: Chain) -> None:
    run = fold(chain([start(inputs={"x": "\ue000\ue000[inputs.token]"})]))
    whole = json.loads(json_report(command(run), version="1"))
    assert whole["runs"][0]["inputs"] == {"x": "\ue000[inputs.token]"}


def test_a_delete_alone_is_escaped(start: Callable[..., RunStarted], chain: Chain) -> None:
    assert "\\u007f" in json_report(command(fold(chain([start(inputs={"x": "\x7f"})]))), version="1")


def test_texts_survive_the_escapes_that_make_them_safe(start: Callable[..., RunStarted], chain: Chain) -> None:
    hard = "\x1b[0m \x7f \u202e ##vso[x] ##[error] \U000e0041 😀"
    text = json_report(command(fold(chain([start(inputs={"x": hard})]))), version="1")
    assert json.loads(text)["runs"][0]["inputs"] == {"x": hard}
    assert "\u202e" not in text
    assert "##" not in text


def test_no_runs_are_empty_and_nothing_is_green() -> None:
    whole = json.loads(json_report(command(), version="1"))
    assert (whole["status"], whole["exit_code"], whole["started_at"], whole["runs"]) == ("empty", 5, "", [])


def test_why_no_run_began_is_a_problem_of_the_report() -> None:
    problem = Problem(code="E162", message="nobody can answer", hint="add `--yes`", file="a.job.yaml")
    refused = command(problems=[problem], exit_code=ExitCode.REFUSED)
    whole = json.loads(json_report(refused, version="1"))
    assert (whole["status"], whole["exit_code"], whole["runs"]) == ("refused", 6, [])
    assert [(found["code"], found["message"], found["file"]) for found in whole["problems"]] == [
        ("E162", "nobody can answer", "a.job.yaml")
    ]


def test_runs_that_passed_are_no_success_where_another_did_not_begin(
    start: Callable[..., RunStarted], chain: Chain
) -> None:
    passed = fold(chain([start(), RunFinished(t=1, status=RunStatus.PASSED, exit_code=0)]))
    problem = Problem(code="E151", message="the folder is full")
    whole = json.loads(json_report(command(passed, problems=[problem], exit_code=ExitCode.NO_ANSWER)))
    assert (whole["status"], whole["exit_code"]) == ("error", 3)


@pytest.mark.parametrize("rows", [0, 1, 100, 101, 250])
def test_the_pieces_of_a_report_are_one_indented_document(
    rows: int, start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    skipped = [StepSkipped(row=row(f"s{number}"), reason="##vso[x] \x7f") for number in range(rows)]
    run = fold(chain([start(), *skipped, RunFinished(t=1, status=RunStatus.PASSED, exit_code=0)]))
    text = json_report(command(run, run), version="1")
    assert text == msgspec.json.format(text, indent=2) + "\n"
    assert [len(one["steps"]) for one in json.loads(text)["runs"]] == [rows, rows]

"""Cancelling over a real socket: in the sandbox, and on a site that refuses it."""

import json
from pathlib import Path

import pytest
from sites import NOTHING, Answer, site, targets

from runner.cli.main import ended

DOUBLE = "runner: 1\nprocess: UsrApprove\nactivities:\n  - element: {caption: Approve}\n"
JOB = """runner: 1
name: a
target: sandbox
steps:
  - id: start
    run: {process: UsrApprove, until: started}
    undo: {cancel: {process_id: "{{ process_id }}"}}
  - id: fails
    query: {entity: SysAdminUnit}
    expect: [result | length == 0]
finally:
  - id: again
    cancel: {process_id: "{{ steps.start.process_id }}"}
    expect: [process_status == "cancelled"]
"""
RUNNING = {"Id": "7a1d3c50-0000-4000-8000-000000000001", "StatusId": "ed2ae277-b6e2-df11-971b-001d60e938c6"}


def test_undo_cancels_a_parked_process_of_the_sandbox_and_a_second_time_nothing_is_left_to_do() -> None:
    Path("sandbox").mkdir()
    Path("sandbox/a.process.yaml").write_text(DOUBLE)
    Path("targets.yaml").write_text("runner: 1\ntargets:\n  sandbox: {sandbox: sandbox}\n")
    Path("a.job.yaml").write_text(JOB)
    assert ended(["run", "a.job.yaml", "--report-json", "report.json"]) == 1
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    steps = {step["key"]: step for step in run["steps"]}
    assert steps["undo/start"]["status"] == "passed"
    assert steps["undo/start"]["result"]["status"] == "cancelled"
    assert (steps["again"]["status"], steps["again"]["verified"]) == ("passed", True)


def test_a_missing_right_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(_method: str, path: str) -> Answer:
        if "CancelExecution" in path:
            words = "Current user does not have sufficient permissions to run CanCancelProcess"
            return Answer(status=500, body=json.dumps({"Message": words, "ExceptionType": "SecurityException"}))
        return Answer(body=json.dumps({"value": [RUNNING]})) if "SysProcessLog" in path else NOTHING

    job = f"runner: 1\nname: a\ntarget: here\nsteps:\n  - cancel: {{process_id: {RUNNING['Id']}}}\n"
    Path("a.job.yaml").write_text(job)
    with site(answer) as here:
        Path("targets.yaml").write_text(targets(here.url))
        assert ended(["run", "a.job.yaml"]) == 1
    assert "give the user the operation right `CanCancelProcess`" in capsys.readouterr().out

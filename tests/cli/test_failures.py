"""Watching for failures over a real socket: in the sandbox, whose failed processes count since the run began."""

import json
from pathlib import Path

import pytest

from runner.cli.main import ended

BAD = "runner: 1\nprocess: UsrBill\nactivities: [fail: Divide by zero]\n"
GOOD = "runner: 1\nprocess: UsrShip\nactivities: [set: {}]\n"
JOB = """runner: 1
name: a
target: sandbox
steps:
  - {id: bill, execute: {process: UsrBill}, on_failure: ignore}
  - id: watch
    failures: {processes: ["Usr*"], since: SINCE, at_most: MOST}
"""


@pytest.fixture(autouse=True)
def _a_project() -> None:
    Path("sandbox").mkdir()
    Path("sandbox/UsrBill.process.yaml").write_text(BAD)
    Path("sandbox/UsrShip.process.yaml").write_text(GOOD)
    Path("targets.yaml").write_text("runner: 1\ntargets:\n  sandbox: {sandbox: sandbox}\n")


@pytest.mark.parametrize(
    ("since", "most", "code"), [("run", 0, 1), ("run", 1, 0), ("bill", 0, 1), ("watch_from", 0, 0)]
)
def test_a_failure_of_the_sandbox_counts_since_the_moment_that_is_asked_for(since: str, most: int, code: int) -> None:
    job = JOB.replace("SINCE", since).replace("MOST", str(most))
    if since == "watch_from":
        job = job.replace("  - id: watch\n", "  - {id: watch_from, pause: 1ms}\n  - id: watch\n")
    Path("a.job.yaml").write_text(job)
    assert ended(["run", "a.job.yaml", "--report-json", "report.json"]) == code
    steps = json.loads(Path("report.json").read_text())["runs"][0]["steps"]
    found = next(step for step in steps if step["key"] == "watch")
    if code:
        assert found["error"]["code"] == "E218"
        assert "`UsrBill`" in found["error"]["message"]
        assert "Divide by zero" in found["error"]["message"]
        assert [row["process"] for row in found["result"]["failed"]] == ["UsrBill"]


def test_a_pattern_is_checked_before_anything_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.job.yaml").write_text(JOB.replace("SINCE", "run").replace("MOST", "0").replace('"Usr*"', "UsrBil"))
    assert ended(["run", "a.job.yaml"]) == 2
    assert "did you mean `UsrBill`?" in capsys.readouterr().err

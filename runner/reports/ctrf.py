"""The CTRF report (ctrf.io): a test a row.

Tools turn red by `failed` alone: an unknown outcome is `other` with our status, and then the run is a failed test, too.
"""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from runner.foundation.problems import Problem
from runner.foundation.values import JsonObject
from runner.reports.attempts import earlier_failures
from runner.reports.causes import uncounted
from runner.reports.mistakes import named_in_ci, text
from runner.reports.reported import ReportedCommand
from runner.reports.run_again import to_settle_or_rerun
from runner.reports.safe import clean, json_document
from runner.reports.spans import TimedRow, TimedRun, timed_runs, wall_seconds
from runner.reports.words import (
    because,
    failing_step,
    name_in_ci,
    reasons,
    remarks,
    run_title,
    run_trouble,
    trouble_lines,
)
from runner.runs.events import RunStatus, Trouble
from runner.runs.status import RED, Status
from runner.version import VERSION

SPEC_VERSION: Final = "0.0.0"  # as the specification numbers itself until its first version
_STATUS: Final = {
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.ERROR: "failed",
    Status.SKIPPED: "skipped",
    Status.UNKNOWN: "other",
}


def report(command: ReportedCommand, *, version: str = VERSION) -> str:
    """An indented JSON object; `version` is this program's. Times are whole milliseconds."""
    runs = timed_runs(command.runs)
    tests = [test for run in runs for test in _tests(run)]
    tests += [_problem(name, problem) for name, problem in named_in_ci(command.errors)]
    document: JsonObject = {
        "reportFormat": "CTRF",
        "specVersion": SPEC_VERSION,
        "generatedBy": f"creatio-runner {version}",
        "reportId": str(uuid5(NAMESPACE_URL, "/".join([version, *(run.result.events for run in runs)]))),
        "results": {
            "tool": {"name": "creatio-runner", "version": version},
            "summary": _summary(command, runs, tests),
            "tests": [*tests],
            "environment": _environment(command, runs),
        },
    }
    return json_document(document)


def _summary(command: ReportedCommand, runs: Sequence[TimedRun], tests: Sequence[JsonObject]) -> JsonObject:
    counts: JsonObject = {
        status: sum(test["status"] == status for test in tests)
        for status in ("passed", "failed", "skipped", "pending", "other")
    }
    start = min((_began(run) for run in runs), default=0)
    stop = max((_began(run) + _milliseconds(run.seconds) for run in runs), default=0)
    return {
        "tests": len(tests),
        **counts,
        "flaky": sum(test.get("flaky") is True for test in tests),
        "suites": len(runs) + bool(command.errors),
        "start": start,
        "stop": stop,
        "duration": stop - start,
        "extra": {
            "creatio-runner.command": {"status": command.status, "exitCode": int(command.exit_code)},
            "creatio-runner.events": {run.result.id: run.result.events for run in runs},
        },
    }


def _environment(command: ReportedCommand, runs: Sequence[TimedRun]) -> JsonObject:
    """What the runs share, or the first that knows it."""
    links = [run.ci for run in runs if run.ci is not None]
    known = {
        "commit": next((run.result.commit for run in runs if run.result.commit), None),
        "branchName": next((link.ref for link in links if link.ref), None),
        "buildUrl": next((link.url for link in links if link.url), None),
        "testEnvironment": ", ".join(dict.fromkeys(run.result.target.name for run in runs)),
    }
    found: JsonObject = {name: clean(value) for name, value in known.items() if value}
    return found | {"healthy": command.status == RunStatus.PASSED}


def _tests(run: TimedRun) -> Iterator[JsonObject]:
    """The message of the row that speaks for the run ends with what comes next."""
    earlier, does_not_count = earlier_failures(run), uncounted(run.result)
    speaks, to_go_on = failing_step(run.result), to_settle_or_rerun(run)
    has_failed = False
    for row in run.rows:
        counts = row.step.key not in does_not_count
        test = _test(run, row, earlier.get(row.step.key, ()), counts=counts)
        if row.step is speaks:
            test["message"] = "\n".join([str(test["message"]), *to_go_on])
        has_failed |= test["status"] == "failed"
        yield test
    if run.result.status is not RunStatus.PASSED and not has_failed:
        yield _run_itself(run, to_go_on if speaks is None else ())


def _test(run: TimedRun, row: TimedRow, earlier: Sequence[Trouble], *, counts: bool) -> JsonObject:
    step, start = row.step, _began(run) + _milliseconds(row.start)
    found = _named(run, name_in_ci(step), step.key)
    found |= {
        "status": _STATUS[step.status] if counts else "other",
        "rawStatus": str(step.status) if counts else f"{step.status}, which does not count here",
        "duration": _milliseconds(step.seconds),
        "start": start,
        "stop": start + _milliseconds(step.seconds),
        "suite": [run_title(run.result), str(step.section)],
        "flaky": step.flaky,
        "retries": max(step.attempts - 1, 0),
        "extra": {"creatio-runner.row": _facts(row)},
    }
    if step.line:
        found["line"] = step.line
    if step.status is Status.SKIPPED:
        found["message"] = f"skipped: {because(step)}"
    elif step.status in RED:
        found["message"] = "\n".join(reasons(step)) or str(step.status)
    if step.attempts > 1:
        found["retryAttempts"] = [*_attempts(row, earlier)]
    return found


def _named(run: TimedRun, name: str, place: str) -> JsonObject:
    """What identifies a test: in every run, and in this run."""
    found: JsonObject = {
        "testId": clean(f"{run_title(run.result)}/{place}"),
        "executionId": clean(f"{run.result.id}/{place}"),
        "name": clean(name) or "a step without a name",
    }
    if run.result.file:
        found["filePath"] = clean(run.result.file)
    if run.tags:
        found["tags"] = [clean(tag) for tag in run.tags]
    return found


def _facts(row: TimedRow) -> JsonObject:
    """What CTRF has no name for."""
    step = row.step
    facts = {
        "kind": step.kind,
        "effect": step.effect,
        "evidence": row.sureness.value,
        "process": step.process_id,
        "code": step.error.code if step.error else None,
    }
    found: JsonObject = {name: clean(value) for name, value in facts.items() if value}
    return found | ({"remarks": [*lines]} if (lines := remarks(step)) else {})


def _attempts(row: TimedRow, earlier: Sequence[Trouble]) -> Iterator[JsonObject]:
    """Every attempt, the last with the row's status; without its message where events lack the failure."""
    step = row.step
    for number in range(1, step.attempts):
        failed = earlier[number - 1] if number <= len(earlier) else None
        message: JsonObject = {"message": "\n".join(trouble_lines(failed))} if failed else {}
        yield {"attempt": number, "status": "failed", **message}
    yield {"attempt": step.attempts, "status": _STATUS[step.status]}


def _run_itself(run: TimedRun, to_go_on: Sequence[str]) -> JsonObject:
    """The test that failed where no row says so: the run was refused, stopped, broke off, or is in doubt."""
    result, start = run.result, _began(run)
    return _named(run, "run", "run") | {
        "status": "failed",
        "rawStatus": str(result.status),
        "duration": _milliseconds(run.seconds),
        "start": start,
        "stop": start + _milliseconds(run.seconds),
        "suite": [run_title(result)],
        "message": "\n".join([*run_trouble(result), *to_go_on]),
    }


def _problem(name: str, problem: Problem) -> JsonObject:
    """Why the command, or a run of it, did not begin."""
    found: JsonObject = {
        "name": name,
        "status": "failed",
        "rawStatus": "error",
        "duration": 0,
        "suite": ["creatio-runner" if problem.run is None else clean("@".join(problem.run))],
        "message": text([problem]).rstrip("\n"),
    }
    if problem.file is not None:
        found |= {"filePath": clean(problem.file), "line": problem.span.line if problem.span else 1}
    return found


def _began(run: TimedRun) -> int:
    """Milliseconds since 1970; 0 where the run does not say."""
    return _milliseconds(wall_seconds(run.result.started_at))


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)

"""The JSON report, `format: 1`: everything that is known of the runs, for programs.

No value is shortened and nothing is left out but the secrets, which are `***`.
"""

import msgspec

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, JsonObject
from runner.reports import mistakes
from runner.reports.reported import ReportedCommand
from runner.reports.safe import safe_json, without_holes
from runner.runs.events import Trouble
from runner.runs.result import RunResult, StepResult, tally
from runner.version import VERSION

FORMAT = 1
MARK = lazy_pattern(rb'\{\s*"format":\s*[0-9]+,\s*"tool":\s*\{\s*"name":\s*"creatio-runner"')
"""How such a report begins, and no other file."""
_STEP = (
    *("id", "key", "name", "kind", "section", "index", "status", "reason", "flaky", "verified", "attempts", "seconds"),
    *("process_id", "result", "outputs", "line", "checks", "warnings", "error", "help"),
)
"""The keys of a row in their order: fields of `StepResult`."""


def report(command: ReportedCommand, *, version: str = VERSION) -> str:
    """One indented JSON object that holds all runs; `version` is this program's. `seconds` adds up what they took."""
    results = command.results
    whole = {
        "format": FORMAT,
        "tool": {"name": "creatio-runner", "version": version},
        "status": command.status,
        "exit_code": int(command.exit_code),
        "started_at": min((result.started_at for result in results), default=""),
        "seconds": _rounded(sum(result.seconds for result in results)),
        "counts": tally(step for result in results for step in result.steps),
        "problems": mistakes.records(command.problems),
        "runs": [_run(result) for result in results],
    }
    return safe_json(msgspec.json.format(without_holes(msgspec.json.encode(whole)), indent=2).decode()) + "\n"


def _run(result: RunResult) -> JsonObject:
    target = result.target
    return {
        "id": result.id,
        "job": result.job,
        "file": result.file,
        "case": result.case,
        "target": {"name": target.name, "url": target.url, "sandbox": target.sandbox},
        "status": result.status,
        "exit_code": int(result.exit_code),
        "started_at": result.started_at,
        "seconds": _rounded(result.seconds),
        "inputs": result.inputs,
        "outputs": result.outputs,
        "undo": result.undo,
        "git": {"commit": result.commit},
        "digest": result.digest,
        "events": result.events,
        "error": _trouble(result.error),
        "steps": [_step(step) for step in result.steps],
    }


def _step(step: StepResult) -> JsonObject:
    checks: list[Json] = [{"that": one.that, "passed": one.passed, "message": one.message} for one in step.checks]
    own: JsonObject = {name: getattr(step, name) for name in _STEP}
    return own | {"seconds": _rounded(step.seconds), "checks": checks, "error": _trouble(step.error)}


def _trouble(trouble: Trouble | None) -> JsonObject | None:
    return None if trouble is None else {"code": trouble.code, "message": trouble.message, "hint": trouble.hint}


def _rounded(seconds: float) -> float:
    return round(seconds, 3)

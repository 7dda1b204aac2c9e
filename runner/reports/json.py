"""The JSON report, `format: 1`: everything that is known of the runs, for programs.

No value is shortened and nothing is left out but the secrets, which are `***`.
"""

from collections.abc import Sequence

import msgspec
from msgspec import UnsetType

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, JsonObject
from runner.reports import mistakes
from runner.reports.attempt_calls import RowAttempts, attempts_by_row, wait
from runner.reports.reported import ReportedCommand, ReportedRun
from runner.reports.safe import safe_json, without_holes
from runner.runs.events import Check, Line, RunStarted, Trouble, Waited
from runner.runs.result import StepResult, tally
from runner.version import VERSION

FORMAT = 1
MARK = lazy_pattern(rb'\{\s*"format":\s*[0-9]+,\s*"tool":\s*\{\s*"name":\s*"creatio-runner"')
"""How such a report begins, and no other file."""
_STEP = (
    *("id", "key", "name", "kind", "section", "index", "status", "reason", "flaky", "verified", "attempts", "seconds"),
    *("process_id", "result", "outputs", "line", "checks", "warnings", "error", "help"),
)
"""The keys of a row in their order: fields of `StepResult`."""
_EVIDENCE = ("skipped_by", "effect", "on_failure", "process", "max_attempts", "unverified", "judged")
"""Likewise, but null in runs of earlier versions."""
_BEGINNING = ("engine", "command", "rows", "tags", "description", "source", "dirty", "ci", "access", "traceparent")
"""Fields of `RunStarted`, null in runs of earlier versions."""


def report(command: ReportedCommand, *, version: str = VERSION) -> str:
    """One indented JSON object that holds all runs; `version` is this program's. `seconds` adds up what they took."""
    formatted = msgspec.json.format(without_holes(_encoded(command, version)), indent=2) + b"\n"
    text = formatted.decode()
    del formatted  # that of ten thousand steps has 25 MB
    return safe_json(text)


def _encoded(command: ReportedCommand, version: str) -> bytes:
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
        "runs": [_run(run) for run in command.runs],
    }
    return msgspec.json.encode(whole)


def _run(run: ReportedRun) -> dict[str, object]:
    """Rows are encoded one by one: as objects, those of ten thousand steps take 40 MB."""
    result, began = run.result, _beginning(run.lines)
    target = result.target
    attempts = attempts_by_row(run.lines)
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
        "git": {"commit": result.commit, "dirty": began.pop("dirty")},
        "digest": result.digest,
        "events": result.events,
        "error": _trouble(result.error),
        **began,
        "waits": [wait(line.event) for line in run.lines if isinstance(line.event, Waited) and not line.event.key],
        "steps": [msgspec.Raw(msgspec.json.encode(_step(step, attempts.get(step.key)))) for step in result.steps],
    }


def _beginning(lines: Sequence[Line]) -> JsonObject:
    """What the first event says of the run; null is what it does not say."""
    first = lines[0].event if lines else None
    began = first if isinstance(first, RunStarted) else None
    return {name: _fact(began, name) for name in _BEGINNING}


def _step(step: StepResult, attempts: RowAttempts | None) -> JsonObject:
    own: JsonObject = {name: getattr(step, name) for name in _STEP}
    evidence: JsonObject = {name: _fact(step, name) for name in _EVIDENCE}
    return {
        **own,
        "seconds": _rounded(step.seconds),
        "checks": [_check(check) for check in step.checks],
        "error": _trouble(step.error),
        **evidence,
        "if": _fact(step, "condition"),
        "each_attempt": [] if attempts is None else attempts.records(),
    }


def _check(check: Check) -> JsonObject:
    differences: Json = [] if isinstance(check.differences, UnsetType) else msgspec.to_builtins(check.differences)
    return {"that": check.that, "passed": check.passed, "message": check.message, "differences": differences}


def _fact(of: RunStarted | StepResult | None, name: str) -> Json:
    """A fact as JSON; null where an earlier version did not write it down."""
    value = getattr(of, name, None)
    return None if isinstance(value, UnsetType) else msgspec.to_builtins(value)


def _trouble(trouble: Trouble | None) -> JsonObject | None:
    return None if trouble is None else {"code": trouble.code, "message": trouble.message, "hint": trouble.hint}


def _rounded(seconds: float) -> float:
    return round(seconds, 3)

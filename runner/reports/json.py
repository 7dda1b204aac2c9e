"""The JSON report, `format: 1`: all that is known of the runs, uncut, for programs. Secrets are `***`."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import asdict

from runner.foundation.lazy import lazy_pattern
from runner.reports import mistakes
from runner.reports.attempts import records, wait
from runner.reports.reported import ReportedCommand, ReportedRun
from runner.reports.safe import shown_json
from runner.reports.spans import TimedRow, timed
from runner.reports.summary import run_warnings
from runner.runs.events import run_started
from runner.runs.result import StepResult, tally
from runner.version import VERSION

MARK = lazy_pattern(rb'\{\s*"format":\s*[0-9]+,\s*"tool":\s*\{\s*"name":\s*"creatio-runner"')
"""How such a report begins, and no other file."""
_STEP = (
    *("id", "key", "name", "kind", "section", "index", "status", "reason", "flaky", "verified", "attempts", "seconds"),
    *("process_id", "result", "outputs", "line", "checks", "warnings", "error", "help", "skipped_by", "effect"),
    *("on_failure", "process", "max_attempts", "unverified", "running", "item", "judged"),
)
"""The keys of a row in their order: fields of `StepResult`."""
_RESULT = (
    *("id", "job", "file", "case", "target", "status", "exit_code", "started_at", "seconds", "inputs", "outputs"),
    "undo",
)
"""The first keys of a run: fields of `RunResult`."""
_RUN_FIELDS = (
    *("engine", "command", "rows", "tags", "description", "source", "dirty", "ci", "access", "traceparent", "applied"),
    *("begun_by", "rerun_of"),
)
"""Fields of `RunStarted`, null where it is lost."""


def report(command: ReportedCommand, *, version: str = VERSION) -> str:
    """Indented JSON of all runs. `seconds` adds up what the runs took."""
    results = command.results
    whole = {
        "format": 1,
        "tool": {"name": "creatio-runner", "version": version},
        "status": command.status,
        "exit_code": int(command.exit_code),
        "started_at": min((result.started_at for result in results), default=""),
        "seconds": _rounded(sum(result.seconds for result in results)),
        "counts": {
            status.value: number
            for status, number in tally(step for result in results for step in result.steps).items()
        },
        "problems": mistakes.records(command.problems),
        "runs": [*map(_run, command.runs)],
    }
    return msgspec.json.format(shown_json(msgspec.json.encode(whole)), indent=2).decode() + "\n"


def _run(run: ReportedRun) -> dict[str, object]:
    result, first, timed_run = run.result, run_started(run.lines), timed(run.lines, result=run.result)
    began = dict.fromkeys(_RUN_FIELDS) if first is None else _values(first, _RUN_FIELDS)
    git = {"commit": result.commit, "dirty": began.pop("dirty")}
    record = _values(result, _RESULT) | {"seconds": _rounded(result.seconds), "git": git}
    record |= _values(result, ("digest", "events", "error")) | {"warnings": list(run_warnings(result))}
    record |= {"stop_ordered_by": result.stop_ordered_by, **began, "waits": [*map(wait, timed_run.waits)]}
    timed_rows = {row.step.key: row for row in timed_run.rows}
    return record | {"steps": [_step(step, timed_rows.get(step.key)) for step in result.steps]}


def _values(record: object, names: Iterable[str]) -> dict[str, object]:
    return {name: getattr(record, name) for name in names}


def _step(step: StepResult, timed_row: TimedRow | None) -> dict[str, object]:
    row = _values(step, _STEP) | {"if": step.condition, "seconds": _rounded(step.seconds)}
    attempts = [] if timed_row is None else records(timed_row)
    return row | {"checks": [*map(asdict, step.checks)], "each_attempt": attempts}


def _rounded(seconds: float) -> float:
    return round(seconds, 3)

"""The span of a command that did not begin a run, or not all of them: why, as its events."""

import os
import time
import uuid
from collections.abc import Mapping
from typing import Final

from runner.foundation.problems import ExitCode, Problem
from runner.foundation.trace_context import ids_of, traceparent
from runner.foundation.values import Json, JsonObject
from runner.reports.otlp_request import INTERNAL, LONGEST_MESSAGE, attributes, request, resource, status
from runner.reports.reported import ReportedCommand
from runner.reports.safe import clean
from runner.reports.words import shortened
from runner.runs.events import run_started

_MOST_PROBLEMS: Final = 50
_RESULTS: Final = {
    ExitCode.PASSED: "skip",
    ExitCode.NOTHING_SELECTED: "skip",
    ExitCode.HUNG_UP: "cancellation",
    ExitCode.INTERRUPTED: "cancellation",
    ExitCode.TERMINATED: "cancellation",
}


def command_request(command: ReportedCommand, environ: Mapping[str, str]) -> str:
    """One line. The trace is that of `$TRACEPARENT`, else by the id that the runs share, else new."""
    outer = ids_of(traceparent(environ))
    now = str(time.time_ns())
    first = command.errors[0] if command.errors else None
    span: JsonObject = {
        "traceId": outer[0] if outer else _id_of_command(command) or os.urandom(16).hex(),
        "spanId": os.urandom(8).hex(),
        "name": "runner",
        "kind": INTERNAL,
        "startTimeUnixNano": now,
        "endTimeUnixNano": now,
        "attributes": attributes(_facts(command, first)),
        "events": [_event(problem, now) for problem in command.errors[:_MOST_PROBLEMS]],
        **status(first.message if first is not None else None),
    }
    if outer:
        span["parentSpanId"] = outer[1]
    return request([span], resource(environ, {}))


def _facts(command: ReportedCommand, first: Problem | None) -> JsonObject:
    return {
        "cicd.pipeline.result": _RESULTS.get(command.exit_code, "error"),
        "error.type": first.code if first is not None else None,
        "creatio.status": command.status,
        "creatio.exit_code": int(command.exit_code),
        "creatio.problems": len(command.errors),
    }


def _event(problem: Problem, now: str) -> Json:
    facts: JsonObject = {
        "creatio.code": problem.code,
        "message": shortened(clean(problem.message), LONGEST_MESSAGE),
        "creatio.hint": None if problem.hint is None else shortened(clean(problem.hint), LONGEST_MESSAGE),
        "code.file.path": problem.file,
    }
    return {"timeUnixNano": now, "name": "problem", "attributes": attributes(facts)}


def _id_of_command(command: ReportedCommand) -> str | None:
    for run in command.runs:
        first = run_started(run.lines)
        try:
            return uuid.UUID(str(first.command)).hex if first is not None and first.command else None
        except ValueError:
            continue
    return None

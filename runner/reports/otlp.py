"""Traces in OTLP/JSON: run, row, and what the row did.

Ids are made from the run's id and the place in it, so that a second export is the same trace; `$TRACEPARENT` is the
parent. Times are active seconds after the run's start. Names are those of the semantic conventions, or begin with
`creatio`. No value is in a trace. Runs that did not begin are a span of the command.
"""

import hashlib
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.problems import Problem
from runner.foundation.sentences import shortened
from runner.foundation.trace_context import ids_of, traceparent
from runner.foundation.values import Json, JsonObject, canonical, compact
from runner.reports.reported import ReportedCommand
from runner.reports.safe import clean, safe_json
from runner.reports.spans import RowNode, RowSpan, SpanKind, SpanNode, TimedRow, TimedRun, timed, tree, wall_seconds
from runner.reports.words import run_title
from runner.runs.events import Line, RunStatus, run_started
from runner.runs.status import RED, Status
from runner.version import VERSION

MOST_SPANS: Final = 2000  # spans of a request: a collector refuses requests of more than 20 MiB
_PORTS: Final = {"http": 80, "https": 443}
_NO_ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType({})
_MOST_PROBLEMS: Final = 50
_PIPELINE_RESULT = {"passed": "success", "failed": "failure", "cancelled": "cancellation", "empty": "skip"}
_SUITE_STATUS = {RunStatus.PASSED: "success", RunStatus.CANCELLED: "aborted"}
_CASE_STATUS = {Status.PASSED: "pass", Status.SKIPPED: None}
_NAMES = {SpanKind.LOG: "read the process log", SpanKind.WAIT: "wait", SpanKind.ASK: "ask", SpanKind.SIGN_IN: "sign in"}
_ON_THE_WIRE = frozenset({SpanKind.CALL, SpanKind.LOG})
_DEPENDS_ON_NOTHING = frozenset({SpanKind.WAIT, SpanKind.ASK, SpanKind.SIGN_IN})
_INTERNAL: Final = 1
_CLIENT: Final = 3
_LONGEST_MESSAGE: Final = 500
_LONGEST_VALUE: Final = 4000
_SERVICE: Final = "creatio-runner"
_ERROR: Final = 2


def report(command: ReportedCommand, environ: Mapping[str, str] = _NO_ENVIRONMENT) -> str:
    """Requests of an exporter, each on a line. `environ` may name the service, and hold attributes of the resource."""
    runs = enumerate((run.lines for run in command.runs), 1)
    found = [request for number, lines in runs for request in _requests(lines, number, environ)]
    if command.errors or not found:
        found.append(_command_request(command, environ))
    return "".join(request + "\n" for request in found)


def _requests(lines: Sequence[Line], number: int, environ: Mapping[str, str]) -> Iterator[str]:
    if not lines:
        return
    run = timed(lines, number=number)
    spans = list(_spans(run, lines[0].at))
    run_facts: JsonObject = {
        "deployment.environment.name": run.result.target.name or None,
        "vcs.ref.head.revision": run.result.commit,
    }
    for start in range(0, len(spans), MOST_SPANS):
        yield _written(spans[start : start + MOST_SPANS], _resource(environ, run_facts))


class _Trace(Struct, frozen=True, kw_only=True):
    """`zero`: when the run began, in ns since 1970; `root`: the URL of its site; `parent`: the span above the next."""

    run: str
    id: str
    zero: int
    root: str
    parent: str = ""

    def span_id(self, place: str) -> str:
        return hashlib.sha256(f"{self.run}/{place}".encode()).hexdigest()[:16]

    def below(self, place: str) -> "_Trace":
        return replace(self, parent=self.span_id(place))

    def at(self, seconds: float) -> str:
        return str(self.zero + round(seconds * 1e9))

    def span(self, place: str, name: str, start: float, end: float, **more: Json) -> JsonObject:
        found: JsonObject = {"traceId": self.id, "spanId": self.span_id(place), "name": clean(name)}
        if self.parent:
            found["parentSpanId"] = self.parent
        return found | {"startTimeUnixNano": self.at(start), "endTimeUnixNano": self.at(max(end, start))} | more


def _spans(run: TimedRun, at: str) -> Iterator[JsonObject]:
    """The run, then its rows, each with what it did. `at` is when its first line was written."""
    result, first = run.result, run.started
    outer = ids_of(first.traceparent if first is not None else None)
    trace = _Trace(
        run=result.id,
        id=outer[0] if outer else _trace_id(result.id),
        zero=round(wall_seconds(result.started_at or at) * 1000) * 1_000_000,
        root=result.target.url.rstrip("/"),
        parent=outer[1] if outer else "",
    )
    yield _run_span(run, trace)
    yield from _row_spans(tree(run.rows), run, trace.below(""))


def _run_span(run: TimedRun, trace: _Trace) -> JsonObject:
    result, ci = run.result, run.ci
    passed = result.status is RunStatus.PASSED
    facts: JsonObject = {
        "cicd.pipeline.name": result.job,
        "cicd.pipeline.run.id": result.id,
        "cicd.pipeline.result": _PIPELINE_RESULT.get(result.status, "error"),
        "test.suite.name": run_title(result),
        "test.suite.run.status": _SUITE_STATUS.get(result.status, "failure"),
        "error.type": None if passed else str(result.status),
        "vcs.ref.head.name": ci.ref if ci else None,
        "creatio.ci.url": ci.url if ci else None,
        "creatio.target.url": result.target.url,
        "creatio.case": result.case,
        "creatio.status": str(result.status),
        "creatio.exit_code": int(result.exit_code),
        "creatio.undo": result.undo,
        "creatio.events": result.events,
    }
    bad = None if passed else result.error.message if result.error else str(result.status)
    more: JsonObject = {"kind": _INTERNAL, "attributes": _attributes(facts), **_status(bad)}
    return trace.span("", f"run {result.job}", 0.0, run.seconds, **more)


def _row_spans(nodes: Sequence[SpanNode], run: TimedRun, trace: _Trace) -> Iterator[JsonObject]:
    """Rows below the rows that hold them; turns that no row holds lie side by side."""
    for node in nodes:
        if not isinstance(node, RowNode):
            yield from _row_spans(node.turns, run, trace)
            continue
        row = node.row
        yield _row_span(row, run, trace)
        below = trace.below(row.step.key)
        sent: Counter[str] = Counter()
        for index, span in enumerate(row.spans):
            if span.kind is not SpanKind.FAILURE:
                call = canonical(span.call)
                yield _part_span(span, f"{row.step.key}#{index}", below, resent=sent[call])
                sent[call] += 1
        yield from _row_spans(node.parts, run, below)


def _row_span(row: TimedRow, run: TimedRun, trace: _Trace) -> JsonObject:
    step = row.step
    is_red = step.status in RED
    facts: JsonObject = {
        "test.case.name": f"{run_title(run.result)}/{step.key}",
        "test.case.result.status": _CASE_STATUS.get(step.status, "fail"),
        "creatio.step.key": step.key,
        "creatio.step.kind": step.kind,
        "creatio.step.section": str(step.section),
        "creatio.status": str(step.status),
        "creatio.attempts": step.attempts,
        "creatio.flaky": step.flaky or None,
        "creatio.proof": str(row.sureness) or None,
        "creatio.process.id": step.process_id,
        "code.file.path": run.result.file,
        "code.line.number": step.line or None,
        "error.type": step.error.code if is_red and step.error else None,
    }
    bad = (step.error.message if step.error else str(step.status)) if is_red else None
    failures: list[Json] = [_event(span, trace) for span in row.spans if span.kind is SpanKind.FAILURE]
    more: JsonObject = {"kind": _INTERNAL, "attributes": _attributes(facts), **_status(bad)}
    if failures:
        more["events"] = failures
    return trace.span(step.key, step.id or step.key, row.start, row.end, **more)


def _part_span(span: RowSpan, place: str, trace: _Trace, *, resent: int) -> JsonObject:
    """What a row did. `resent` is how often it had made the same call before."""
    call = span.call
    failed = not span.is_ok and span.kind not in _DEPENDS_ON_NOTHING
    what = call.get("process") or call.get("entity") or ""
    facts: JsonObject = {
        "creatio.call": call.get("kind"),
        "creatio.process": call.get("process"),
        "creatio.effect": span.effect or None,
        **(_http(span, trace, resent=resent) if span.kind in _ON_THE_WIRE else _other(span, trace)),
        "error.type": _error_type(span) if failed else None,
    }
    bad = (span.trouble.message if span.trouble else span.why) if failed else None
    name = _NAMES.get(span.kind) or f"{call.get('kind', 'call')} {what}".strip()
    is_client = span.kind in _ON_THE_WIRE or span.kind is SpanKind.SIGN_IN
    more: JsonObject = {
        "kind": _CLIENT if is_client else _INTERNAL,
        "attributes": _attributes(facts),
        **_status(bad),
    }
    return trace.span(place, name, span.start, span.end, **more)


def _http(span: RowSpan, trace: _Trace, *, resent: int) -> JsonObject:
    """A call over HTTP. The query of its URL is left out: it holds what was sent."""
    request = span.request
    return {
        "creatio.outcome": "answered" if span.is_ok else span.why or None,
        "http.request.method": request.method if request else None,
        "http.request.resend_count": resent or None,
        "http.response.status_code": span.status,
        "http.response.body.size": span.size,
        "url.full": trace.root + request.path.partition("?")[0] if request else None,
        **_server(trace),
    }


def _other(span: RowSpan, trace: _Trace) -> JsonObject:
    match span.kind:
        case SpanKind.SIGN_IN:
            return {"creatio.auth.kind": span.why or None, **_server(trace)}
        case SpanKind.WAIT:
            waited = span.value if isinstance(span.value, float | int) else span.seconds
            return {"creatio.wait.reason": span.why or None, "creatio.wait.seconds": float(waited)}
        case _:
            return {}


def _server(trace: _Trace) -> JsonObject:
    try:
        parts = urlsplit(trace.root)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return {}
    return {"server.address": parts.hostname, "server.port": port}


def _error_type(span: RowSpan) -> str:
    """A status of HTTP that is an error, else how the call failed."""
    if span.status is not None and span.status >= HTTPStatus.BAD_REQUEST:
        return str(span.status)
    return span.why or "unanswered"


def _event(span: RowSpan, trace: _Trace) -> Json:
    """An attempt that failed by itself, and not by a call."""
    message = span.trouble.message if span.trouble else ""
    facts = _attributes({"message": shortened(clean(message), _LONGEST_MESSAGE)})
    return {"timeUnixNano": trace.at(span.start), "name": clean(span.why), "attributes": facts}


def _trace_id(run: str) -> str:
    try:
        return uuid.UUID(run).hex
    except ValueError:  # its first line is lost, or it is none of ours
        return hashlib.sha256(run.encode()).hexdigest()[:32]


def _command_request(command: ReportedCommand, environ: Mapping[str, str]) -> str:
    """A line. The trace is that of `$TRACEPARENT`, else by the id that the runs share, else new."""
    outer = ids_of(traceparent(environ))
    now = str(time.time_ns())
    first = command.errors[0] if command.errors else None
    span: JsonObject = {
        "traceId": outer[0] if outer else _id_of_command(command) or os.urandom(16).hex(),
        "spanId": os.urandom(8).hex(),
        "name": "runner",
        "kind": _INTERNAL,
        "startTimeUnixNano": now,
        "endTimeUnixNano": now,
        "attributes": _attributes(_facts(command, first)),
        "events": [_problem_event(problem, now) for problem in command.errors[:_MOST_PROBLEMS]],
        **_status(first.message if first is not None else None),
    }
    if outer:
        span["parentSpanId"] = outer[1]
    return _written([span], _resource(environ, {}))


def _facts(command: ReportedCommand, first: Problem | None) -> JsonObject:
    return {
        "cicd.pipeline.result": _PIPELINE_RESULT.get(command.status, "error"),
        "error.type": first.code if first is not None else None,
        "creatio.status": command.status,
        "creatio.exit_code": int(command.exit_code),
        "creatio.problems": len(command.errors),
    }


def _problem_event(problem: Problem, now: str) -> Json:
    facts: JsonObject = {
        "creatio.code": problem.code,
        "message": shortened(clean(problem.message), _LONGEST_MESSAGE),
        "creatio.hint": None if problem.hint is None else shortened(clean(problem.hint), _LONGEST_MESSAGE),
        "code.file.path": problem.file,
    }
    return {"timeUnixNano": now, "name": "problem", "attributes": _attributes(facts)}


def _id_of_command(command: ReportedCommand) -> str | None:
    for run in command.runs:
        first = run_started(run.lines)
        try:
            return uuid.UUID(str(first.command)).hex if first is not None and first.command else None
        except ValueError:
            continue
    return None


def _written(spans: Sequence[JsonObject], resource: JsonObject) -> str:
    """A line. `resource` are its attributes by their names."""
    scope: JsonObject = {"scope": {"name": _SERVICE, "version": VERSION}, "spans": [*spans]}
    of_resource: JsonObject = {"resource": {"attributes": _attributes(resource)}, "scopeSpans": [scope]}
    return safe_json(compact({"resourceSpans": [of_resource]}))


def _resource(environ: Mapping[str, str], facts: JsonObject) -> JsonObject:
    """What sends the spans. `facts` are what we know of it."""
    found: JsonObject = {"service.name": _SERVICE, "service.version": VERSION, **facts}
    found |= _given_attributes(environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    if name := environ.get("OTEL_SERVICE_NAME", "").strip():
        found["service.name"] = name
    return found


def _given_attributes(text: str) -> JsonObject:
    """Pairs `name=value` with commas between, values percent-encoded; a part that is no pair makes all none."""
    found: JsonObject = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = (part.strip() for part in pair.partition("="))
        if not sign or not name:
            return {}
        found[unquote(name)] = unquote(value)
    return found


def _attributes(values: JsonObject) -> list[Json]:
    """Without those that are None."""
    return [{"key": clean(key), "value": _value(value)} for key, value in values.items() if value is not None]


def _status(bad: str | None) -> JsonObject:
    """What is not red has no status: that is for whoever reads the trace to decide."""
    if bad is None:
        return {}
    return {"status": {"code": _ERROR, "message": shortened(clean(bad), _LONGEST_MESSAGE)}}


def _value(value: Json) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": shortened(clean(str(value)), _LONGEST_VALUE)}

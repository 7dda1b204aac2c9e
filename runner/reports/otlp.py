"""Traces in OTLP/JSON: run, row, and what the row did, as a collector of OpenTelemetry reads them.

The trace is the run: its id is the run's UUID, and a span's id is a hash of the run and the place in it. So a run that
is exported twice is one trace. Times are active seconds after the start of the run: what passes between a run and its
resume is left out.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from runner.foundation.values import Json, JsonObject
from runner.reports.safe import clean, safe_json
from runner.reports.spans import Node, RowNode, RowSpan, SpanKind, TimedRow, TimedRun, timed, tree
from runner.reports.words import RED, shortened, title
from runner.runs.events import Line, RunStatus, Status
from runner.version import VERSION

MOST_SPANS: Final = 2000
"""Spans of one request: a collector refuses requests of more than 20 MiB."""
_LONGEST_MESSAGE: Final = 500
_LONGEST_VALUE: Final = 4000
_SERVICE: Final = "creatio-runner"
_INTERNAL, _CLIENT = 1, 3
_ERROR: Final = 2

_PIPELINE_RESULT = {
    RunStatus.PASSED: "success",
    RunStatus.FAILED: "failure",
    RunStatus.CANCELLED: "cancellation",
}
_SUITE_STATUS = {RunStatus.PASSED: "success", RunStatus.CANCELLED: "aborted"}
_CASE_STATUS = {Status.PASSED: "pass", Status.SKIPPED: None}
_NAMES = {SpanKind.LOG: "read the process log", SpanKind.WAIT: "wait", SpanKind.ASK: "ask"}
_ON_THE_WIRE = frozenset({SpanKind.CALL, SpanKind.LOG})
_DEPENDS_ON_NOTHING = frozenset({SpanKind.WAIT, SpanKind.ASK})


def report(runs: Sequence[Sequence[Line]]) -> str:
    """Requests of an exporter, one a line, from the lines of each run's journal."""
    return "".join(request + "\n" for number, lines in enumerate(runs, 1) for request in _requests(lines, number))


def _requests(lines: Sequence[Line], number: int) -> Iterator[str]:
    if not lines:
        return
    run = timed(lines, number=number)
    spans = list(_spans(run, lines[0].at))
    for start in range(0, len(spans), MOST_SPANS):
        scope = {"scope": {"name": _SERVICE, "version": VERSION}, "spans": spans[start : start + MOST_SPANS]}
        whole = {"resourceSpans": [{"resource": {"attributes": _attributes(_resource(run))}, "scopeSpans": [scope]}]}
        yield safe_json(json.dumps(whole, ensure_ascii=False, separators=(",", ":")))


def _resource(run: TimedRun) -> JsonObject:
    return {
        "service.name": _SERVICE,
        "service.version": VERSION,
        "deployment.environment.name": run.result.target.name or None,
        "vcs.ref.head.revision": run.result.commit,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trace:
    """`zero` is when the run began, in nanoseconds since 1970; `parent` the id of the span that holds the next."""

    run: str
    id: str
    zero: int
    server: str
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


def _spans(run: TimedRun, first: str) -> Iterator[JsonObject]:
    """The run, then its rows, each with what it did. `first` is when the first line was written."""
    result = run.result
    host = urlsplit(result.target.url).hostname if result.target.url else None
    trace = _Trace(
        run=result.id, id=_trace_id(result.id), zero=_nanoseconds(result.started_at or first), server=host or ""
    )
    yield _run_span(run, trace)
    yield from _row_spans(tree(run.rows), run, trace.below(""))


def _run_span(run: TimedRun, trace: _Trace) -> JsonObject:
    result = run.result
    passed = result.status is RunStatus.PASSED
    attributes: JsonObject = {
        "cicd.pipeline.name": result.job,
        "cicd.pipeline.run.id": result.id,
        "cicd.pipeline.result": _PIPELINE_RESULT.get(result.status, "error"),
        "test.suite.name": title(result),
        "test.suite.run.status": _SUITE_STATUS.get(result.status, "failure"),
        "error.type": None if passed else str(result.status),
        "creatio.target.url": result.target.url,
        "creatio.case": result.case,
        "creatio.status": str(result.status),
        "creatio.exit_code": int(result.exit_code),
        "creatio.undo": result.undo,
        "creatio.events": result.events,
    }
    bad = None if passed else result.error.message if result.error else str(result.status)
    more: JsonObject = {"kind": _INTERNAL, "attributes": _attributes(attributes), **_status(bad)}
    return trace.span("", f"run {result.job}", 0.0, run.seconds, **more)


def _row_spans(nodes: Sequence[Node], run: TimedRun, trace: _Trace) -> Iterator[JsonObject]:
    """Rows below the rows that hold them; turns that no row holds lie side by side."""
    for node in nodes:
        if not isinstance(node, RowNode):
            yield from _row_spans(node.turns, run, trace)
            continue
        row = node.row
        yield _row_span(row, run, trace)
        below = trace.below(row.step.key)
        for index, span in enumerate(row.spans):
            if span.kind is not SpanKind.FAILURE:
                yield _call_span(span, f"{row.step.key}#{index}", below)
        yield from _row_spans(node.parts, run, below)


def _row_span(row: TimedRow, run: TimedRun, trace: _Trace) -> JsonObject:
    step = row.step
    is_red = step.status in RED
    attributes: JsonObject = {
        "test.case.name": f"{title(run.result)}/{step.key}",
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
    more: JsonObject = {"kind": _INTERNAL, "attributes": _attributes(attributes), **_status(bad)}
    if failures:
        more["events"] = failures
    return trace.span(step.key, step.id or step.key, row.start, row.end, **more)


def _call_span(span: RowSpan, place: str, trace: _Trace) -> JsonObject:
    call = span.call
    is_call = span.kind in _ON_THE_WIRE
    failed = not span.is_ok and span.kind not in _DEPENDS_ON_NOTHING
    what = call.get("process") or call.get("entity") or ""
    attributes: JsonObject = {
        "creatio.call": call.get("kind"),
        "creatio.process": call.get("process"),
        "creatio.effect": span.effect or None,
        "creatio.outcome": "answered" if span.is_ok else span.why or None,
        "http.response.status_code": span.status,
        "server.address": trace.server or None if is_call else None,
        "error.type": (span.why or "unanswered") if failed else None,
    }
    bad = (span.trouble.message if span.trouble else span.why) if failed else None
    name = _NAMES.get(span.kind) or f"{call.get('kind', 'call')} {what}".strip()
    more: JsonObject = {
        "kind": _CLIENT if is_call else _INTERNAL,
        "attributes": _attributes(attributes),
        **_status(bad),
    }
    return trace.span(place, name, span.start, span.end, **more)


def _event(span: RowSpan, trace: _Trace) -> Json:
    """An attempt that failed by itself, and not by a call."""
    message = span.trouble.message if span.trouble else ""
    attributes = _attributes({"message": shortened(clean(message), _LONGEST_MESSAGE)})
    return {"timeUnixNano": trace.at(span.start), "name": clean(span.why), "attributes": attributes}


def _status(bad: str | None) -> JsonObject:
    """What is not red has no status: that is for whoever reads the trace to decide."""
    if bad is None:
        return {}
    return {"status": {"code": _ERROR, "message": shortened(clean(bad), _LONGEST_MESSAGE)}}


def _attributes(values: JsonObject) -> list[Json]:
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value is not None]


def _value(value: Json) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case _:
            return {"stringValue": shortened(clean(str(value)), _LONGEST_VALUE)}


def _trace_id(run: str) -> str:
    try:
        return uuid.UUID(run).hex
    except ValueError:  # its first line is lost, or it is none of ours
        return hashlib.sha256(run.encode()).hexdigest()[:32]


def _nanoseconds(moment: str) -> int:
    try:
        return round(datetime.fromisoformat(moment).timestamp() * 1000) * 1_000_000
    except ValueError:
        return 0

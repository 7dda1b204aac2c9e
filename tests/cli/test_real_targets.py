"""`runner run` against targets with everything that a real site may need, over real sockets."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest
from captured import Capture
from sites import NOTHING, Answer, site, xml

from runner.cli.main import ended

JOB = """runner: 1
name: reading
steps:
  - id: read
    execute: {process: UsrRead, result: Out}
    effect: read
    verify: none
    retry: {max_attempts: 1, on: [not_sent]}
    expect: [result == 1]
"""
TOKEN = "t0ken-of-the-client"
SECRET = "s3cret-of-the-client"
CONTROLLED = ("CREATIO_", "CLIO_HOME", "LOCALAPPDATA")


@pytest.fixture(autouse=True)
def _its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(CONTROLLED):
            monkeypatch.delenv(name)
    Path("a.job.yaml").write_text(JOB)


def oauth(method: str, path: str) -> Answer:
    """A site that is its own identity service, and repeats the token where a result should be."""
    if path.endswith("/connect/token"):
        return Answer(body=json.dumps({"access_token": TOKEN, "expires_in": 3600}))
    return xml(f"you sent {TOKEN} for {SECRET}") if method == "GET" and "/Execute" in path else NOTHING


def everything_written(capsys: Capture, *, but: str) -> str:
    captured = capsys.readouterr()
    files = [path.read_text(errors="replace") for path in Path().rglob("*") if path.is_file() and path.name != but]
    return "".join([captured.out, captured.err, *files])


def test_a_token_and_what_it_is_asked_for_with_reach_no_screen_no_report_and_no_event(capsys: Capture) -> None:
    with site(oauth) as here:
        Path("targets.yaml").write_text(
            f"runner: 1\ntargets:\n  here:\n    url: {here.url}\n    identity_url: {here.url}\n"
            f"    auth: {{client_id: the-client, client_secret: {SECRET}}}\n    headers: {{X-Key: gateway-key}}\n"
        )
        assert (
            ended(["run", "a.job.yaml", "-t", "here", "-v", "--report-junit", "j.xml", "--report-json", "r.json"]) == 1
        )
    assert [headers.get("Authorization") for headers in here.headers] == [None, f"Bearer {TOKEN}"]
    assert [headers.get("X-Key") for headers in here.headers] == [None, "gateway-key"]
    written = everything_written(capsys, but="targets.yaml")
    assert "you sent *** for ***" in written
    for secret in (TOKEN, SECRET, "the-client", "gateway-key"):
        assert secret not in written


def test_the_environment_alone_can_be_a_target(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    with site(lambda _method, _path: xml(1)) as here:
        monkeypatch.setenv("CREATIO_URL", here.url)
        monkeypatch.setenv("CREATIO_RUNTIME", "net")
        monkeypatch.setenv("CREATIO_USERNAME", "integration")
        assert ended(["run", "a.job.yaml", "-t", "env"]) == 2
        assert here.asked == []
        assert "`CREATIO_PASSWORD` is not set" in capsys.readouterr().err
        monkeypatch.setenv("CREATIO_PASSWORD", "pa55-w0rd")
        assert ended(["run", "a.job.yaml", "-t", "env"]) == 0
    assert here.executes() == ["GET /ServiceModel/ProcessEngineService.svc/UsrRead/Execute?ResultParameterName=Out"]
    assert "pa55-w0rd" not in everything_written(capsys, but="")


def test_an_environment_of_clio_can_be_a_target(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    with site(lambda _method, _path: xml(1)) as here:
        dev = {"uri": here.url, "LOGIN": "integration", "Password": "pa55-w0rd", "isnetcore": True}
        Path("clio").mkdir()
        registry = json.dumps({"environments": {"dev": dev}}).encode()
        Path("clio/appsettings.json").write_bytes(b"\xef\xbb\xbf" + registry)
        monkeypatch.setenv("CLIO_HOME", "clio")
        assert ended(["run", "a.job.yaml", "-t", "clio:dev"]) == 0
        assert ended(["run", "a.job.yaml", "-t", "clio:dve"]) == 2
    assert len(here.executes()) == 1
    assert Path("clio/appsettings.json").read_bytes() == b"\xef\xbb\xbf" + registry
    written = everything_written(capsys, but="appsettings.json")
    assert "did you mean `clio:dev`?" in written
    assert "pa55-w0rd" not in written


def test_a_file_of_authorities_that_is_not_there_is_exit_2(capsys: Capture) -> None:
    Path("targets.yaml").write_text("runner: 1\ntargets: {here: {url: 'https://localhost:1', ca_file: ca.pem}}\n")
    assert ended(["run", "a.job.yaml", "-t", "here"]) == 2
    assert "E142" in capsys.readouterr().err


def test_a_proxy_that_wants_a_password_is_exit_3_and_its_address_is_not_shown(capsys: Capture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def serve() -> None:
            with proxy.accept()[0] as line:
                line.recv(65536)
                line.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        port = proxy.getsockname()[1]
        Path("targets.yaml").write_text(
            f"runner: 1\ntargets:\n  here: {{url: 'https://crm.example', proxy: 'http://127.0.0.1:{port}'}}\n"
        )
        assert ended(["run", "a.job.yaml", "-t", "here"]) == 3
    out = capsys.readouterr().out
    assert "the proxy wants a name and a password" in out
    assert f"127.0.0.1:{port}" not in out


def test_a_mistake_in_a_targets_file_shows_no_secret_of_it(capsys: Capture) -> None:
    Path("targets.yaml").write_text(
        "runner: 1\ntargets:\n  here:\n    url: https://crm.example\n"
        "    auth:\n      username: integration\n      pasword: pa55-w0rd\n"
    )
    assert ended(["validate", "a.job.yaml"]) == 2
    captured = capsys.readouterr()
    assert "      pasword: ***" in captured.out + captured.err
    Path("targets.yaml").write_text('runner: 1\ntargets:\n  here:\n    auth:\n      password: "pa55-w0rd\n')
    assert ended(["validate", "a.job.yaml"]) == 2
    written = capsys.readouterr()
    assert "pa55-w0rd" not in captured.out + captured.err + written.out + written.err


def test_what_another_target_lacks_here_stops_no_run_and_a_mistake_in_the_file_stops_all(capsys: Capture) -> None:
    def answer(_method: str, path: str) -> Answer:
        return xml(1) if "/Execute" in path else NOTHING

    with site(answer) as here:
        named = f"  dev: {{url: '{here.url}', auth: {{username: a, password: geheim-1}}}}\n"
        lacking = "url: 'https://{{ env.NO_HOST }}', auth: {username: a, password: \"{{ file('/no/such/file') }}\"}"
        Path("targets.yaml").write_text(f"runner: 1\ntargets:\n{named}  prod: {{{lacking}}}\n")
        for verb in ("validate", "plan", "run", "doctor"):
            specs = [] if verb == "doctor" else ["a.job.yaml"]
            assert ended([verb, *specs, "-t", "dev"]) in ((0, 3) if verb == "doctor" else (0,)), verb
        assert "NO_HOST" not in "".join(capsys.readouterr())
        assert ended(["run", "a.job.yaml", "-t", "prod"]) == 2
        assert "NO_HOST" in capsys.readouterr().err
        calls = len(here.asked)
        Path("targets.yaml").write_text(f"runner: 1\ntargets:\n{named}  prod: {{{lacking.replace('auth', 'auht')}}}\n")
        assert ended(["run", "a.job.yaml", "-t", "dev"]) == 2, "one invalid file, and nothing is sent"
        assert "did you mean `auth`?" in capsys.readouterr().err
        assert len(here.asked) == calls


@pytest.mark.parametrize(("target", "file"), [("env", "env.catalog.yaml"), ("clio:dev", "dev.catalog.yaml")])
def test_jobs_are_checked_against_the_catalogue_of_a_target_that_is_in_no_file(
    target: str, file: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with site(lambda _method, _path: xml(1)) as here:
        sign_in = {"CREATIO_URL": here.url, "CREATIO_USERNAME": "integration", "CREATIO_PASSWORD": "pa55-w0rd"}
        for name, value in sign_in.items():
            monkeypatch.setenv(name, value)
        dev = {"Uri": here.url, "Login": "integration", "Password": "pa55-w0rd"}
        Path("appsettings.json").write_text(json.dumps({"Environments": {"dev": dev}}))
        monkeypatch.setenv("CLIO_HOME", ".")
        assert ended(["validate", "a.job.yaml", "-t", target]) == 0
        assert f"`{target}` has no catalogue" in capsys.readouterr().err
        Path(file).write_text(
            f"runner: 1\nsite: {here.url}\nprocesses: {{UsrReed: {{runnable: true, parameters: {{}}}}}}\n"
        )
        for verb in ("validate", "plan", "run"):
            assert ended([verb, "a.job.yaml", "-t", target]) == 2, verb
            captured = capsys.readouterr()
            assert "error[E144]" in captured.out + captured.err, verb
            assert f"`runner catalog pull -t {target}`" in captured.out + captured.err, verb
    assert here.asked == []

"""`runner doctor`: a line for each step of the way, and where it ends."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from captured import Capture
from sites import COOKIES, NOTHING, REFUSED, Answer, Site, site, targets

from runner.cli.main import ended

pytestmark = pytest.mark.slow

CERTIFICATES = Path(__file__).parents[1] / "service" / "certificates"
STEPS = [
    "targets file",
    "target",
    "name resolution",
    "connection",
    "TLS",
    "sign-in",
    "services",
    "right to run",
    "process log",
    "process library",
    "elements",
    "clock",
]
SIGNED_IN = ["ok", "ok", "ok", "ok", "not tried", "ok"]


def verdicts(out: str) -> dict[str, str]:
    """The verdict of each step, of one target."""
    lines = [line for line in out.splitlines() if line.startswith("  ") and line[2] != " "]
    return {line[13:28].strip(): line[2:11].strip() for line in lines}


def json_of(value: object) -> Answer:
    return Answer(body=json.dumps(value))


def good(method: str, path: str) -> Answer:
    """A site where all is well, as far as the doctor asks."""
    if "GetCurrentUserInfo" in path:
        return json_of({"contactId": "410a6e1c-5f3a-4b7e-9d21-0a1b2c3d4e01"})
    if method == "POST" and path.endswith("/RunProcess"):
        return json_of({"success": False, "errorInfo": {"message": "Process UsrNobodyHasThis was not found"}})
    return json_of({"value": []}) if "/odata/SysProcessLog" in path else NOTHING


def doctor(here: Site, *options: str) -> int:
    Path("targets.yaml").write_text(targets(here.url))
    return ended(["doctor", *options])


def test_a_sandbox_is_well_at_every_step_and_nothing_is_started(capsys: Capture) -> None:
    assert ended(["init", "."]) == 0
    capsys.readouterr()
    assert ended(["doctor", "-t", "sandbox"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("doctor sandbox\n")
    assert verdicts(out) == dict.fromkeys(STEPS, "ok") | {"TLS": "not tried"}


def test_a_site_is_asked_for_nothing_that_could_start_a_process(capsys: Capture) -> None:
    with site(good) as here:
        assert doctor(here, "-t", "here") == 0
        calls = [line.partition("ProcessEngineService.svc/")[2] for line in here.asked]
        assert [call for call in calls if call] == ["RunProcess"]
    found = verdicts(capsys.readouterr().out)
    assert (found["sign-in"], found["right to run"], found["process log"]) == ("ok", "unsure", "ok")
    assert (found["process library"], found["elements"]) == ("unsure", "unsure")


def test_a_refused_sign_in_ends_the_way_but_the_clocks_are_compared(capsys: Capture) -> None:
    with site(good, sign_in=REFUSED) as here:
        assert doctor(here) == 3
        assert len([line for line in here.asked if "AuthService" in line]) == 1
    out = capsys.readouterr().out
    found = verdicts(out)
    assert (found["connection"], found["sign-in"], found["clock"]) == ("ok", "failed", "ok")
    assert (found["right to run"], found["process log"]) == ("not tried", "not tried")
    assert "Wrong name or password" in out
    assert "try: check `auth` of the target" in out


def test_a_missing_right_is_reported_with_its_name(capsys: Capture) -> None:
    def answer(method: str, path: str) -> Answer:
        return Answer(status=403) if path.endswith("/RunProcess") else good(method, path)

    with site(answer) as here:
        assert doctor(here) == 3
    out = capsys.readouterr().out
    assert verdicts(out)["right to run"] == "failed"
    assert "CanRunBusinessProcesses" in out


def test_a_log_that_cannot_be_read_is_reported(capsys: Capture) -> None:
    with site(lambda method, path: NOTHING if "/odata/" in path else good(method, path)) as here:
        assert doctor(here) == 3
    assert verdicts(capsys.readouterr().out)["process log"] == "failed"


def test_a_cache_that_gives_the_log_to_anybody_is_reported(capsys: Capture) -> None:
    def answer(method: str, path: str) -> Answer:
        if "AuthService" not in path:
            return good(method, path)
        return Answer(body='{"Code":0}', headers=tuple(("Set-Cookie", cookie) for cookie in COOKIES))

    with site(answer, sign_in=None) as here:
        assert doctor(here) == 0
    out = capsys.readouterr().out
    assert verdicts(out)["process log"] == "unsure"
    assert "was given to a call without a sign-in, too: by a cache, it seems" in out


@pytest.mark.parametrize(("runtime", "right", "prefix"), [("net", "net-framework", "/0"), ("net-framework", "net", "")])
def test_a_wrong_runtime_is_reported_as_that(runtime: str, right: str, prefix: str, capsys: Capture) -> None:
    def answer(method: str, path: str) -> Answer:
        is_there = path.startswith((f"{prefix}/ServiceModel", f"{prefix}/odata"))
        return good(method, path) if is_there else NOTHING

    with site(answer) as here:
        Path("targets.yaml").write_text(targets(here.url) + f"    runtime: {runtime}\n")
        assert ended(["doctor"]) == 3
    out = capsys.readouterr().out
    found = verdicts(out)
    assert (found["sign-in"], found["services"], found["right to run"]) == ("ok", "failed", "not tried")
    assert f"try: write `runtime: {right}` in the target" in out
    assert "SysProcessLog" not in out


def test_the_contact_is_learnt_from_sysadminunit_where_the_site_does_not_say_who_we_are(capsys: Capture) -> None:
    def answer(method: str, path: str) -> Answer:
        if "GetCurrentUserInfo" in path:
            return NOTHING
        if "/odata/SysAdminUnit" in path:
            return json_of({"value": [{"ContactId": "410A6E1C-5f3a-4b7e-9d21-0a1b2c3d4e01"}]})
        return good(method, path)

    with site(answer) as here:
        assert doctor(here) == 0
        assert any("Name eq 'integration'" in line for line in here.asked)
    out = capsys.readouterr().out
    assert verdicts(out)["sign-in"] == "ok"
    assert "contact 410a6e1c-5f3a-4b7e-9d21-0a1b2c3d4e01" in out


def test_nobody_listening_ends_the_way_at_the_connection(capsys: Capture) -> None:
    with site(good) as here:
        pass
    assert doctor(here) == 3
    found = verdicts(capsys.readouterr().out)
    assert list(found) == STEPS
    assert found["connection"] == "failed"
    assert set(list(found.values())[4:]) == {"not tried"}


def test_a_missing_variable_is_exit_2_and_nothing_is_tried(capsys: Capture) -> None:
    with site(good) as here:
        Path("targets.yaml").write_text(targets(here.url).replace("pa55-w0rd", '"{{ env.NOT_SET }}"'))
        assert ended(["doctor", "-t", "here"]) == 2
        assert here.asked == []
    out = capsys.readouterr().out
    assert verdicts(out) == dict.fromkeys(STEPS, "not tried") | {"targets file": "ok", "target": "failed"}
    assert "NOT_SET" in out


def test_several_targets_are_gone_to_one_after_the_other(capsys: Capture) -> None:
    with site(good) as here:
        more = "  there: {url: 'http://127.0.0.1:1'}\n"
        Path("targets.yaml").write_text(targets(here.url) + more)
        assert ended(["doctor", "-t", "there", "-t", "here"]) == 3
    out = capsys.readouterr().out
    assert out.index("doctor there") < out.index("doctor here")


def test_without_a_name_it_is_the_only_site_there_is(capsys: Capture) -> None:
    with site(good) as here:
        Path("targets.yaml").write_text(targets(here.url) + "  box: {sandbox: box}\n")
        assert ended(["doctor"]) == 0
        Path("targets.yaml").write_text(targets(here.url) + "  there: {url: 'https://there.example.com'}\n")
        assert ended(["doctor"]) == 2
    captured = capsys.readouterr()
    assert captured.out.startswith("doctor here\n")
    assert "name the target with `-t`: `here`, `there`" in captured.err


def test_the_targets_file_is_that_of_the_spec_and_a_wrong_name_is_reported(capsys: Capture) -> None:
    Path("jobs").mkdir()
    with site(good) as here:
        Path("jobs/targets.yaml").write_text(targets(here.url))
        assert ended(["doctor", "jobs"]) == 0
        assert ended(["doctor", "jobs/any.job.yaml", "-t", "her"]) == 2
        assert ended(["doctor", "jobs", "-t", "staging"]) == 2
    captured = capsys.readouterr()
    assert "jobs/targets.yaml" in captured.out
    assert "did you mean `here`?" in captured.err
    assert "known in jobs/targets.yaml: `here`" in captured.err


@pytest.mark.parametrize("command", [["doctor"], ["catalog", "check"]])
def test_where_there_is_neither_a_targets_file_nor_a_sandbox_it_is_said_where_it_searched(
    command: list[str], capsys: Capture, tmp_path: Path
) -> None:
    assert ended(command) == 2
    output = capsys.readouterr().err
    assert f"there is no targets.yaml in `{tmp_path}`" in output
    assert "hint: go to the folder of the jobs, or name their targets with `--targets FILE`" in output
    assert "begin a project with `runner init FOLDER`" in output


def test_a_run_where_there_is_neither_is_answered_with_how_a_project_begins(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "a.job.yaml").write_text("runner: 1\nname: a\nsteps: [{pause: 1ms}]\n")
    assert ended(["run", "a.job.yaml"]) == 2
    assert "hint: begin a project with `runner init FOLDER`" in capsys.readouterr().err
    (tmp_path / "sandbox").mkdir()
    assert ended(["run", "a.job.yaml"]) == 2
    assert "hint: name a target with `-t`: `sandbox`" in capsys.readouterr().err


@contextmanager
def behind_tls() -> Iterator[int]:
    """A port behind a certificate of the tests' own authority; whatever is asked there is answered with 404."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "trusted.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listening.accept()
                except OSError:
                    return
                with suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as line:
                    line.recv(65536)
                    line.sendall(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def test_a_private_authority_is_trusted_where_the_target_names_it(capsys: Capture) -> None:
    with behind_tls() as port:
        plain = f"runner: 1\ntargets:\n  here:\n    url: https://localhost:{port}\n"
        Path("targets.yaml").write_text(plain)
        assert ended(["doctor"]) == 3
        assert verdicts(capsys.readouterr().out)["TLS"] == "failed"
        Path("targets.yaml").write_text(plain + f"    ca_file: {CERTIFICATES / 'authority.pem'}\n")
        ended(["doctor"])
    out = capsys.readouterr().out
    assert verdicts(out)["TLS"] == "ok"
    assert "a certificate for localhost, 127.0.0.1, by Authority of the tests" in out


def test_the_environment_is_a_target_too(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    with site(good) as here:
        monkeypatch.setenv("CREATIO_URL", here.url)
        monkeypatch.setenv("CREATIO_USERNAME", "integration")
        monkeypatch.setenv("CREATIO_PASSWORD", "pa55-w0rd")
        assert ended(["doctor", "-t", "env"]) == 0
    assert capsys.readouterr().out.startswith("doctor env\n")


def test_no_secret_and_no_control_character_is_shown_whatever_the_site_says(capsys: Capture) -> None:
    output = Answer(body=json.dumps({"Code": 1, "Message": "no \x1b[31m pa55-w0rd for integration"}))
    with site(good, sign_in=output) as here:
        assert doctor(here) == 3
    out = capsys.readouterr().out
    assert "pa55-w0rd" not in out
    assert "integration" not in out
    assert "\x1b" not in out


def test_a_proxy_is_gone_to_without_saying_where_it_is(capsys: Capture) -> None:
    with site(good) as here:
        proxied = targets("https://example.com") + "    proxy: http://localhost:1\n"
        Path("targets.yaml").write_text(proxied)
        assert ended(["doctor"]) == 3
        Path("targets.yaml").write_text(proxied.replace("localhost:1", here.url.removeprefix("http://")))
        assert ended(["doctor"]) == 3
    out = capsys.readouterr().out
    assert "the proxy has an address" in out
    assert "the proxy refuses connections" in out
    assert "check `proxy` of the target" in out
    assert "check `url` of the target" not in out
    assert "the proxy answers in" in out
    assert "localhost" not in out
    assert "127.0.0.1" not in out


def test_a_mistake_in_the_targets_file_of_seven_jobs_is_reported_once(capsys: Capture) -> None:
    Path("targets.yaml").write_text("runner: 1\ntargets: {here: {urls: https://a.example}}\n")
    names = [f"{number}.job.yaml" for number in range(7)]
    for name in names:
        Path(name).write_text("runner: 1\nname: a\nsteps: [{pause: 1s}]\n")
    assert ended(["doctor", *names]) == 2
    assert capsys.readouterr().err.count("error[E104]") == 1

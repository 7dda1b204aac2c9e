"""`runner show RUN --curl`: what it prints is carried out by a shell, and the sandbox receives what the run sent."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from captured import Capture
from recorded import ReceivedRequest, Recorder, recorded
from sandboxes import serve_sandbox

from runner.cli.main import ended

pytestmark = pytest.mark.slow

DOUBLE = """runner: 1
process: UsrEcho
parameters:
  Text: {type: text, direction: in}
  Out: {type: text, direction: out}
activities:
  - set: {Out: done}
"""
HOSTILE = (
    'it\'s "here"',
    "two\nlines\r\n\tand a tab",
    "$HOME `id` $(id) ${IFS} \\ !history !!",
    "@/etc/passwd",
    "<&>|;*?[a]{b}~#",
    "héllo 日本 😀 \u202eabc\u200b\x7f",
    "100% a+b=c&d ##[error] ::error::",
    "-X DELETE",
    "'; exit 3; '",
    " blanks ",
)
TARGETS = """runner: 1
targets:
  here:
    url: {url}
    auth: {{username: Supervisor, password: Supervisor}}
    allow: {{entities: [Contact]}}
    settle: 100ms
"""
HEAD = """runner: 1
name: a
target: here
inputs:
  text: {type: string, default: x}
  texts: {type: array, default: []}
steps:
"""
WITH_SECRET = HEAD.replace("steps:", "  token: {type: string, secret: true}\nsteps:")
EXECUTE = '  - id: call\n    execute: {process: UsrEcho, parameters: {Text: "{{ inputs.text }}"}, result: Out}\n'
RUN = '  - id: call\n    run: {process: UsrEcho, parameters: {Text: "{{ inputs.text }}"}, results: [Out]}\n'


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A sandbox that is called like a site; every request to it is written down."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    folder = tmp_path / "doubles"
    folder.mkdir()
    (folder / "UsrEcho.process.yaml").write_text(DOUBLE)
    with serve_sandbox(folder) as served, recorded(served.url) as recorder:
        Path("targets.yaml").write_text(TARGETS.format(url=recorder.url))
        yield recorder


def run(steps: str, capsys: Capture, *arguments: str, head: str = HEAD, exits: int = 0) -> None:
    Path("a.job.yaml").write_text(head + steps)
    assert ended(["run", "a.job.yaml", *arguments]) == exits, capsys.readouterr()
    capsys.readouterr()


def curl(capsys: Capture, *arguments: str) -> str:
    assert ended(["show", "last", "--curl", *arguments]) == 0
    return capsys.readouterr().out


def carried_out(script: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """The script, by a shell that knows the account of the sandbox, and the secrets."""
    account = {"CREATIO_USERNAME": "Supervisor", "CREATIO_PASSWORD": "Supervisor"}
    environment = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "LANG": "C.UTF-8", **account, **variables}
    done = subprocess.run(
        ["bash"], input=script.encode(), env=environment, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def sent_and_repeated(site: Recorder, part: str, script: str, **variables: str) -> list[ReceivedRequest]:
    sent = site.of(part)
    site.requests.clear()
    carried_out(script, **variables)
    assert site.requests == sent
    return sent


@pytest.mark.parametrize(("steps", "part"), [(EXECUTE, "/UsrEcho/Execute"), (RUN, "/RunProcess")], ids=["get", "post"])
def test_the_sandbox_receives_character_by_character_what_the_run_sent(
    site: Recorder, capsys: Capture, steps: str, part: str
) -> None:
    Path("inputs.json").write_text(json.dumps({"texts": HOSTILE}))
    steps = steps.replace("inputs.text", "item").replace("id: call\n", "id: call\n    for_each: inputs.texts\n")
    run(steps, capsys, "--inputs", "inputs.json")
    script = curl(capsys, "call")
    assert script.count("# CAREFUL: this starts the process UsrEcho again\n") == len(HOSTILE)
    assert len(sent_and_repeated(site, part, script)) == len(HOSTILE)
    assert "\u202e" not in script
    assert "##[" not in script


SECRETS = ("plain-secret", 'it\'s "so" \\ se/cr+et % &\n\ttwo\x7f lines', "ключ 日本 $HOME `id`")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_a_variable_and_is_sent_as_it_was(site: Recorder, capsys: Capture, secret: str) -> None:
    Path("inputs.json").write_text(json.dumps({"token": secret}))
    steps = f"{EXECUTE}{RUN.replace('id: call', 'id: other')}"
    run(steps.replace("inputs.text", "inputs.token"), capsys, "--inputs", "inputs.json", head=WITH_SECRET)
    for step, part in (("call", "/UsrEcho/Execute"), ("other", "/RunProcess")):
        script = curl(capsys, step)
        assert "plain-secret" not in script
        assert "${INPUTS_TOKEN:?}" in script
        sent = site.of(part)
        carried_out(script, INPUTS_TOKEN=secret)
        assert site.of(part) == [*sent, *sent]
        in_the_query = step == "call"
        assert (sent[0].body == b"", "?" in sent[0].path) == (in_the_query, in_the_query), "schema/README.md says so"


def test_nothing_is_sent_without_the_secret(site: Recorder, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "long-enough")
    run(EXECUTE.replace("inputs.text", "inputs.token"), capsys, head=WITH_SECRET)
    script = curl(capsys, "call")
    site.requests.clear()
    with pytest.raises(AssertionError, match="INPUTS_TOKEN"):
        carried_out(script)
    assert site.requests == []


def test_all_variables_are_named_at_the_top_and_without_them_not_even_the_sign_in_is_sent(
    site: Recorder, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "long-enough")
    run(EXECUTE.replace("inputs.text", "inputs.token"), capsys, head=WITH_SECRET)
    script = curl(capsys, "call")
    top = script.partition("SITE=")[0] + script.partition("json() {")[0]
    for name in ("CREATIO_USERNAME", "CREATIO_PASSWORD", "INPUTS_TOKEN"):
        assert f'"${{{name}:?}}"' in top
    before = site.sign_ins
    with pytest.raises(AssertionError, match="INPUTS_TOKEN"):
        carried_out(script)
    assert site.sign_ins == before > 0


@pytest.mark.parametrize("kind", ["password", "client"])
def test_nothing_is_sent_after_a_sign_in_that_failed(site: Recorder, capsys: Capture, kind: str) -> None:
    if kind == "client":
        client = TARGETS.replace("username: Supervisor, password", "client_id: sandbox, client_secret")
        client = client.replace("client_secret: Supervisor", "client_secret: sandbox")
        Path("targets.yaml").write_text(f"{client.format(url=site.url)}    identity_url: {site.url}\n")
    run(EXECUTE, capsys, "-i", "text=x")
    script = curl(capsys, "call")
    site.requests.clear()
    wrong = {"CREATIO_PASSWORD": "wrong", "CREATIO_CLIENT_ID": "sandbox", "CREATIO_CLIENT_SECRET": "wrong"}
    with pytest.raises(AssertionError, match="the sign-in failed: nothing else was sent"):
        carried_out(script, **wrong)
    assert not site.of("/Execute")


def test_a_terminal_into_which_it_is_pasted_stays_open(site: Recorder, capsys: Capture) -> None:
    run(EXECUTE, capsys, "-i", "text=x")
    pasted = f"{curl(capsys, 'call')}echo still-$((40 + 2))\n"
    site.requests.clear()
    done = subprocess.run(
        ["bash", "--norc", "-i"],
        input=pasted.encode(),
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere"},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert b"still-42" in done.stdout
    assert b"CREATIO_USERNAME" in done.stderr
    assert site.requests == []


def test_the_session_goes_along_as_the_run_sent_it(site: Recorder, capsys: Capture) -> None:
    run(EXECUTE, capsys, "-i", "text=x")
    sent = site.of("/Execute")
    script = curl(capsys, "call")
    done = carried_out(script)
    assert site.of("/Execute") == [*sent, *sent]
    assert site.headers["forceusesession"] == "true"
    assert site.headers["bpmcsrf"]
    assert "BPMCSRF=" in site.headers["cookie"]
    assert "application/json" in site.headers["accept"]
    assert b"done" in done.stdout
    assert site.headers["bpmcsrf"] not in script


def test_an_oauth_client_asks_for_a_token_as_the_run_did(site: Recorder, capsys: Capture) -> None:
    target = TARGETS.replace("username: Supervisor, password: Supervisor", "client_id: sandbox, client_secret: sandbox")
    Path("targets.yaml").write_text(f"{target.format(url=site.url)}    identity_url: {site.url}\n")
    run(EXECUTE, capsys)
    script = curl(capsys, "call")
    sent = site.of("/Execute")
    done = carried_out(script, CREATIO_CLIENT_ID="sandbox", CREATIO_CLIENT_SECRET="sandbox")
    assert site.of("/Execute") == [*sent, *sent]
    assert site.headers["authorization"].startswith("Bearer ")
    assert site.headers["authorization"].partition(" ")[2] not in script
    assert b"done" in done.stdout


LOOP = (
    '  - id: each\n    for_each: [one, "t w o"]\n'
    '    execute: {process: UsrEcho, parameters: {Text: "{{ item }}"}}\n    effect: idempotent\n    verify: none\n'
)


def test_a_loop_is_its_turns_and_a_turn_is_itself(site: Recorder, capsys: Capture) -> None:
    run(LOOP, capsys, "-i", "text=-")
    both = curl(capsys, "each")
    assert "CAREFUL" not in both
    assert len(sent_and_repeated(site, "/Execute", both)) == 2
    site.requests.clear()
    carried_out(curl(capsys, "each[1]"))
    assert [request.path.rpartition("?")[2] for request in site.requests] == ["Text=t%20w%20o"]


def test_without_a_step_all_that_was_sent_is_printed_with_one_sign_in(site: Recorder, capsys: Capture) -> None:
    run(LOOP + EXECUTE + "  - id: wait\n    pause: 1ms\n", capsys, "-i", "text=x")
    script = curl(capsys)
    assert script.count("AuthService.svc/Login") == 1
    assert len(sent_and_repeated(site, "/Execute", script)) == 3


QUERY = """  - id: read
    query: {entity: Contact, filter: "Name eq {{ inputs.text | odata }}"}
"""


def test_records_are_read_with_the_filter_that_the_run_sent(site: Recorder, capsys: Capture) -> None:
    run(QUERY, capsys, "-i", "text=O'Neil & Söhne + 1", exits=1)  # no such entity here
    assert len(sent_and_repeated(site, "/odata/Contact", curl(capsys, "read"))) == 1


def test_an_empty_post_has_no_content_type(site: Recorder, capsys: Capture) -> None:
    Path("targets.yaml").write_text(TARGETS.format(url=site.url) + "    execute_method: post\n")
    run(EXECUTE, capsys, "-i", "text=x")
    (sent,) = sent_and_repeated(site, "/Execute", curl(capsys, "call"))
    assert (sent.method, sent.content_type, sent.body) == ("POST", None, b"")


def test_a_target_with_headers_has_a_variable_for_each(site: Recorder, capsys: Capture) -> None:
    Path("targets.yaml").write_text(TARGETS.format(url=site.url) + "    headers: {X-Gateway: open-sesame}\n")
    run(EXECUTE, capsys, "-i", "text=x")
    script = curl(capsys, "call")
    assert "open-sesame" not in script
    carried_out(script, HEADER_X_GATEWAY="open-sesame")
    assert site.headers["x-gateway"] == "open-sesame"


def test_an_unknown_step_is_answered_with_the_nearest(site: Recorder, capsys: Capture) -> None:
    run(LOOP, capsys, "-i", "text=-")
    assert ended(["show", "last", "--curl", "eahc"]) == 2
    assert "hint: did you mean `each`?" in capsys.readouterr().err
    assert site.requests


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("  - id: it\n    pause: 1ms\n", "step `it` sent nothing: it is a `pause`"),
        (EXECUTE.replace("id: call", "id: it\n    if: 1 == 2"), "step `it` sent nothing: it was skipped"),
    ],
)
def test_a_step_that_sent_nothing_is_a_clear_error(site: Recorder, capsys: Capture, step: str, why: str) -> None:
    run(f"  - id: first\n    pause: 1ms\n{step}", capsys, "-i", "text=-")
    assert ended(["show", "last", "--curl", "it"]) == 2
    assert f"error[E182]: {why}" in capsys.readouterr().err
    assert not site.of("Execute")


def test_a_run_of_which_no_call_left_gets_a_sentence(site: Recorder, capsys: Capture) -> None:
    run(EXECUTE, capsys, "-i", "text=-")
    (events,) = Path(".runner/runs").glob("*/events.jsonl")
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    for line in lines:
        line.pop("request", None)
    events.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert ended(["show", "last", "--curl", "call"]) == 2
    assert "step `call` sent nothing\n" in capsys.readouterr().err
    assert site.requests


def test_a_request_over_8_kib_is_named_and_left_out(site: Recorder, capsys: Capture) -> None:
    Path("inputs.json").write_text(json.dumps({"text": "x" * 9000}))
    run(LOOP + RUN, capsys, "--inputs", "inputs.json")
    script = curl(capsys)
    assert "bytes of query and body are not in the events" in script
    assert script.count("/Execute") == 2
    assert ended(["show", "last", "--curl", "call"]) == 2
    assert "is over 8 KiB" in capsys.readouterr().err
    assert site.requests


def test_a_step_without_the_option_is_shown_with_all_that_is_known_of_it(site: Recorder, capsys: Capture) -> None:
    run(f"  - id: rest\n    pause: 1ms\n{EXECUTE}", capsys, "-i", "text=-")
    assert ended(["show", "last", "call"]) == 0
    shown = capsys.readouterr().out
    assert [line.split(":")[0].strip() for line in shown.splitlines()[:4]] == [
        "begun",
        "signed in",
        "sent",
        "answered",
    ]
    assert "  ✓ call" in shown
    assert "rest" not in shown
    assert site.requests


def test_a_step_that_the_run_does_not_have_is_refused_with_the_nearest(site: Recorder, capsys: Capture) -> None:
    run(EXECUTE, capsys, "-i", "text=-")
    assert ended(["show", "last", "cal"]) == 2
    assert "did you mean `call`?" in capsys.readouterr().err
    assert site.requests


def test_a_run_against_several_targets_is_shown_by_its_own(site: Recorder, capsys: Capture) -> None:
    other = TARGETS.format(url=site.url.replace("127.0.0.1", "localhost")).partition("targets:\n")[2]
    Path("targets.yaml").write_text(TARGETS.format(url=site.url) + other.replace("here:", "there:"))
    run(EXECUTE, capsys, "-i", "text=-", "-t", "here", "-t", "there")
    assert f"SITE='{site.url.replace('127.0.0.1', 'localhost')}'\n" in curl(capsys, "call")


def test_a_call_that_was_sent_several_times_is_printed_once(site: Recorder, capsys: Capture) -> None:
    step = EXECUTE.replace("UsrEcho", "UsrNothing").replace("id: call\n", "id: call\n    effect: idempotent\n")
    run(
        f"{step}    verify: none\n    retry: {{max_attempts: 2, initial: 1ms, on: [refused]}}\n",
        capsys,
        "-i",
        "text=-",
        exits=1,
    )
    script = curl(capsys)
    assert script.count("/Execute") == 1
    assert "sent 2 times\n" in script
    assert "# call: refused, HTTP" in script
    assert len(site.of("/Execute")) == 2

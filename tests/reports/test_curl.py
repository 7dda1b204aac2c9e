"""Calls as commands of curl: how they sign in, and what a shell makes of their words."""

import subprocess

import pytest
from msgspec import UNSET

from runner.foundation.percent import encoded
from runner.foundation.values import compact
from runner.reports import curl
from runner.reports.shell import FUNCTIONS, JSON, URL, Variables, comment, quoted
from runner.runs.events import TargetName
from runner.runs.evidence import SentRequest, SiteAccess
from runner.secrets.redact import Secrets
from runner.service.site import COMMON_HEADERS

SITE = TargetName(name="here", url="https://here.example", sandbox=False)
SANDBOX = TargetName(name="here", url="http://127.0.0.1:1234", sandbox=True)
HARD = 'it\'s "x" \\ $HOME `id` !! \n\r\t\b\f\v\x01\x7f é 日本 😀 \u202e\u200b ##[x] @f & + % ~ . - _ / ; ünï'


def output_of_shell(script: str, **variables: str) -> str:
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **variables}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, check=True)
    return done.stdout.decode()


def access(auth: str | None, identity_url: str | None = None) -> SiteAccess:
    return SiteAccess(auth=auth, identity_url=identity_url, headers=())


@pytest.mark.parametrize("text", [HARD, "", "'", "@file", "-n", "\n", "##", "a'''b"])
def test_a_word_of_the_shell_is_the_text_itself(text: str) -> None:
    assert output_of_shell(f"printf %s {quoted(text)}") == text


def test_what_cannot_be_seen_and_what_a_ci_obeys_is_not_in_a_word() -> None:
    word = quoted(HARD)
    assert word.replace(" ", "").isprintable()
    assert "##" not in word


def test_the_shell_writes_a_secret_in_a_url_as_the_run_does() -> None:
    assert output_of_shell(f'{FUNCTIONS[URL]}\nurlencode "$X"', X=HARD) == encoded(HARD)


def test_the_shell_writes_a_secret_in_json_as_the_run_does() -> None:
    assert output_of_shell(f"{FUNCTIONS[JSON]}\nprintf '\"'; json \"$X\"; printf '\"'", X=HARD) == compact(HARD)


def test_a_comment_does_nothing_even_where_a_shell_takes_it_for_a_command() -> None:
    hostile = comment("a `touch /tmp/x` $(id); b & c > d | e 'f \" g\nh")
    assert hostile == "# a touch /tmp/x __id__ b _ c _ d _ e _f _ g_h"


def test_each_secret_has_a_variable_of_its_own() -> None:
    variables = Variables()
    secrets = Secrets()
    for name, value in (("inputs.a", "first-value"), ("inputs-a", "other-value"), ("path", "third-value")):
        secrets.add(name, value)
    cut = [str(secrets.cut(value)) for value in ("first-value", "other-value", "third-value", "first-value")]
    words = [variables.word(text) for text in cut]
    assert words == ['"${INPUTS_A:?}"', '"${INPUTS_A_2:?}"', '"${SECRET_PATH:?}"', '"${INPUTS_A:?}"']


def test_a_secret_that_is_a_number_is_one_in_the_body() -> None:
    secrets = Secrets()
    secrets.add("inputs.pin", "123456")
    body = secrets.cut({"pin": 123456})
    command = curl.call_curl(SentRequest(method="POST", path="/run", body=body), {}, effect="read")
    assert """--data-raw '{"pin":'"${INPUTS_PIN_IN_JSON:?}"'}'""" in command.rest


def test_a_secret_that_was_sent_in_base64_has_a_variable_that_says_so() -> None:
    secrets = Secrets()
    secrets.add("inputs.token", "long-enough")
    text = str(secrets.cut("bG9uZy1lbm91Z2g="))
    command = curl.call_curl(SentRequest(method="GET", path="/x", query=(("A", text),)), {}, effect="read")
    assert any("the secret inputs.token, written as base64" in line for line in command.before)


def test_a_path_with_a_hole_is_encoded_around_it() -> None:
    path = "/odata/Contact(\ue000[inputs.token],ö x)/%20"
    rest = curl.call_curl(SentRequest(method="DELETE", path=path), {}, effect="read").rest
    assert """'/odata/Contact('"${INPUTS_TOKEN_IN_URL:?}"',%C3%B6%20x)/%20'""" in rest
    assert "-X DELETE" in rest


def test_oauth_clients_ask_their_identity_service_for_a_token() -> None:
    run = curl.run_curl(SITE, access("client_credentials", "https://here-is.example"))
    assert "IDENTITY='https://here-is.example'\n" in run.sign_in
    assert "/connect/token" in run.sign_in
    assert '-H "Authorization: Bearer ${TOKEN:?}"' in run.begin
    assert "BPMCSRF" not in run.sign_in + run.begin


def test_where_nobody_signs_in_no_sign_in_is_printed() -> None:
    run = curl.run_curl(SITE, access(None))
    assert run.setup.endswith("(\nSITE='https://here.example'\n")
    assert run.sign_in == ""
    assert "COOKIES" not in run.begin


def test_a_reader_signs_in_by_himself_where_no_shell_can() -> None:
    run = curl.run_curl(SITE, access("a key\n`id`"))
    assert run.sign_in.splitlines() == ["# add to each call how to sign in with a key_id"]
    assert "ForceUseSession" not in run.begin


def test_a_sandbox_is_signed_in_to_by_its_only_user() -> None:
    run = curl.run_curl(SANDBOX, access("password"))
    assert "(\n# the sandbox of a run ends with it" in run.setup
    assert "CREATIO_PASSWORD=Supervisor" in run.sign_in
    assert "CREATIO_PASSWORD=" not in curl.run_curl(SITE, access("password")).sign_in


def test_the_kinds_of_answers_that_are_asked_for_are_those_of_the_run() -> None:
    assert dict(COMMON_HEADERS)["Accept"] == curl.ACCEPT


@pytest.mark.parametrize(
    ("call", "again"),
    [
        ({"kind": "execute", "process": "UsrA"}, "this starts the process UsrA again"),
        ({"kind": "change", "process": "UsrA"}, "this starts the process UsrA again"),
        ({"kind": "cancel"}, "this does again what must happen only once"),
    ],
)
def test_a_call_that_must_not_happen_twice_is_marked(call: dict[str, str], again: str) -> None:
    request = SentRequest(method="GET", path="/x", body=UNSET)
    assert curl.call_curl(request, dict(call), effect="once").before == (f"# CAREFUL: {again}",)
    assert curl.call_curl(request, dict(call), effect="idempotent").before == ()

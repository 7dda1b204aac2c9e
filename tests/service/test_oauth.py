import json
import math
from urllib.parse import parse_qsl

import pytest

from runner.service.auth import CLIENT_CREDENTIALS, client_credentials
from runner.service.calls import CallFailed, FailureKind
from runner.service.failures import answer_of
from runner.service.session import Session, renewed
from runner.service.site import Reply, Request, Site

IDENTITY = Site(url="https://id.example/sso", prefix="")
CLIENT = CLIENT_CREDENTIALS.credentials(client_id="runner", client_secret="s+cr&t /ü")
PAGE = b"<html><head><title>Home</title></head></html>"
LOGIN = b"<html><script src='/Login/NuiLogin.js'></script></html>"


def reply(body: object, status: int = 200, **headers: str) -> Reply:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, headers=headers, body=written)


def asked(answer: Reply, *, now: float = 0.0) -> tuple[Request, Session | CallFailed]:
    asking = client_credentials.sign_in(IDENTITY, CLIENT.by_key, now)
    request = next(asking)
    with pytest.raises(StopIteration) as ended:
        asking.send(answer_of(answer, IDENTITY))
    return request, ended.value.value


def session(**answer: object) -> Session:
    _, found = asked(reply({"access_token": "t0ken", "token_type": "Bearer", **answer}), now=1000.0)
    assert isinstance(found, Session)
    return found


def refusal(answer: Reply) -> CallFailed:
    _, found = asked(answer)
    assert isinstance(found, CallFailed)
    assert found.kind is FailureKind.NOT_SENT
    assert "s+cr" not in repr(found)
    return found


def test_a_token_is_asked_for_by_a_form_that_carries_nothing_of_a_session() -> None:
    request, _ = asked(reply({}))

    assert (request.method, request.path) == ("POST", "/connect/token")
    assert dict(parse_qsl((request.body or b"").decode(), strict_parsing=True)) == {
        "client_id": "runner",
        "client_secret": "s+cr&t /ü",
        "grant_type": "client_credentials",
    }
    names = {name.lower() for name, _ in request.headers}
    assert not names & {"cookie", "bpmcsrf", "forceusesession", "authorization"}


def test_a_bearer_call_carries_its_token_and_nothing_else() -> None:
    found = session()

    assert found.headers == (("Authorization", "Bearer t0ken"),)
    assert "t0ken" not in repr(found)


def test_a_bearer_session_takes_no_cookies() -> None:
    found = session()

    assert renewed(found, ["BPMCSRF=c; path=/", "BPMSESSIONID=s"]) is found


@pytest.mark.parametrize(
    ("seconds", "ends"),
    [
        (3600, 1000 + 3540),
        ("3600", 1000 + 3540),
        (10, 1000 + 9),
        (0, math.inf),
        (-5, math.inf),
        (None, math.inf),
        (True, math.inf),
        ("soon", math.inf),
    ],
)
def test_a_token_is_given_up_shortly_before_its_end(seconds: object, ends: float) -> None:
    assert session(expires_in=seconds).ends == ends


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (reply({"error": "invalid_client"}, 400), "id.example refused the sign-in: invalid_client"),
        (reply({"error": "invalid_client"}, 401), "id.example refused the sign-in: invalid_client"),
        (
            reply({"error": "unauthorized_client", "error_description": "Not\nactive"}, 400),
            "id.example refused the sign-in: unauthorized_client: Not active",
        ),
        (reply(b"", 401), "id.example refused the sign-in: "),
        (reply(b"", 403), "id.example refused the sign-in: id.example answered 403 Forbidden"),
        (reply(b"", 404), "no token at /connect/token: id.example answered 404 Not Found"),
        (reply(b"bad", 400), "no token at /connect/token: id.example answered 400 Bad Request"),
        (reply(LOGIN), "no sign-in: id.example answered with its login page in place of a token"),
        (reply(PAGE), "no sign-in: id.example answered with a web page with the title `Home` in place of a token"),
        (reply(b"<html></html>"), "no sign-in: id.example answered with a web page in place of a token"),
        (
            reply(b"", 302, location="/Login/NuiLogin.aspx"),
            "no sign-in: id.example answered with its login page in place of a token",
        ),
        (
            reply(b"", 301, location="https://x.example/"),
            "no sign-in: id.example redirects (301 Moved Permanently) to `https://x.example/`, which is",
        ),
        (reply(PAGE, 404), "no sign-in: id.example answered 404 Not Found: Home"),
        (reply(PAGE, 403), "no sign-in: id.example answered 403 Forbidden: Home"),
        (reply({"error": "invalid_client"}), "id.example refused the sign-in: invalid_client"),
    ],
)
def test_a_plain_no_is_final(answer: Reply, said: str) -> None:
    found = refusal(answer)

    assert (found.trouble.code, found.final) == ("E303", True)
    assert found.trouble.message.startswith(said)
    assert found.trouble.message in (found.no_session, f"no sign-in: {found.no_session}")
    assert found.trouble.hint


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (reply({"error": "invalid_scope"}, 400), "by `client_credentials`, with its scopes"),
        (reply({"error": "invalid_client"}, 400), "check `client_id` and `client_secret`"),
        (reply(PAGE, 403), "let its rules pass `/connect/token`"),
        (reply(PAGE, 404), "must be the address of the identity service"),
        (reply(b"", 301, location="https://x.example/"), "put it into `identity_url`"),
    ],
)
def test_a_refusal_of_the_identity_service_says_what_to_change(answer: Reply, hint: str) -> None:
    assert hint in (refusal(answer).trouble.hint or "")


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (reply(b"", 429), "E310", "no sign-in: id.example answered 429 Too Many Requests"),
        (reply(b"", 503), "E309", "no sign-in: id.example answered 503 Service Unavailable"),
        (reply(PAGE, 502), "E309", "no sign-in: id.example answered 502 Bad Gateway: Home"),
    ],
)
def test_trouble_may_be_over_in_a_minute(answer: Reply, code: str, said: str) -> None:
    found = refusal(answer)

    assert (found.trouble.code, found.final) == (code, False)
    assert found.trouble.message.startswith(said)
    assert found.trouble.message in (found.no_session, f"no sign-in: {found.no_session}")


@pytest.mark.parametrize(
    "answer",
    [
        reply({}),
        reply([]),
        reply(b"\xff"),
        reply({"access_token": ""}),
        reply({"access_token": "a\r\nCookie: x"}),
        reply({"access_token": 1}),
    ],
)
def test_an_answer_without_a_token_is_an_answer_and_nothing_is_asked_again(answer: Reply) -> None:
    found = refusal(answer)

    assert (found.trouble.code, found.final) == ("E307", True)
    assert found.trouble.message == "no sign-in: the answer of id.example makes no sense: it holds no `access_token`"


def test_no_token_is_kept_with_an_answer_that_was_not_understood() -> None:
    _, found = asked(reply({"access_token": "t0ken with blanks"}))
    assert isinstance(found, CallFailed)
    assert found.body is None
    _, refused = asked(reply({"error": "invalid_client", "trace": "42"}, 400))
    assert isinstance(refused, CallFailed)
    assert refused.body == "error: invalid_client\ntrace: 42"


def test_hints_speak_of_the_address_that_was_called() -> None:
    for answer in (reply(b"", 404), reply(LOGIN), reply({}), reply(b"\xff")):
        assert "`identity_url`" in (refusal(answer).trouble.hint or "")

import json
from collections.abc import Iterable

import pytest

from runner.service import outages
from runner.service.auth import PASSWORD, password
from runner.service.calls import CallFailed, FailureKind
from runner.service.failures import answer_of
from runner.service.session import Session, not_signed_in, renewed, session
from runner.service.site import Reply, Request, Site

SITE = Site(url="https://site.example")
USER = PASSWORD.credentials(username="Ann", password="p4ss/ü")
COOKIES = ("BPMLOADER=l; path=/; HttpOnly", ".ASPXAUTH=a; path=/; HttpOnly", "BPMCSRF=c; path=/", "UserName=u; path=/")
WELCOME = {"Code": 0, "Message": "", "Exception": None, "PasswordChangeUrl": None, "RedirectUrl": None}


def reply(body: object, status: int = 200, cookies: Iterable[str] = (), **headers: str) -> Reply:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, headers=headers, body=written, cookies=tuple(cookies))


def signed_in(*replies: Reply, site: Site = SITE) -> tuple[list[Request], Session | CallFailed]:
    """Hand the generator `replies` one after the other, and see what it asks and what it returns."""
    signing_in = password.sign_in(site, USER.by_key, 0.0)
    asked = [next(signing_in)]
    for answer in replies:
        try:
            asked.append(signing_in.send(answer_of(answer, site)))
        except StopIteration as ended:
            return asked, ended.value
    raise AssertionError("it asks for more")


@pytest.mark.parametrize("prefix", ["/0", ""])
def test_signing_in_is_asked_at_the_root_on_both_runtimes(prefix: str) -> None:
    asked, found = signed_in(reply(WELCOME, cookies=COOKIES), site=Site(url="https://x", prefix=prefix))
    assert [(request.method, request.path) for request in asked] == [("POST", "/ServiceModel/AuthService.svc/Login")]
    assert asked[0].body == '{"UserName":"Ann","UserPassword":"p4ss/ü","TimeZoneOffset":0}'.encode()
    assert isinstance(found, Session)
    assert dict(found.headers) == {
        "ForceUseSession": "true",
        "BPMCSRF": "c",
        "Cookie": "BPMLOADER=l; .ASPXAUTH=a; BPMCSRF=c; UserName=u",
    }


def test_a_missing_bpmcsrf_is_fetched_with_one_more_page() -> None:
    asked, found = signed_in(reply(WELCOME, cookies=COOKIES[:2]), reply(b"", 302, cookies=("BPMCSRF=late; path=/",)))
    assert (asked[1].method, asked[1].path) == ("GET", "/0/")
    assert dict(asked[1].headers)["Cookie"] == "BPMLOADER=l; .ASPXAUTH=a"
    assert isinstance(found, Session)
    assert dict(found.headers)["BPMCSRF"] == "late"


def test_a_site_without_bpmcsrf_is_worked_with_all_the_same() -> None:
    _, found = signed_in(reply(WELCOME, cookies=COOKIES[:2]), reply(b"", 404))
    assert isinstance(found, Session)
    assert dict(found.headers) == {"ForceUseSession": "true", "Cookie": "BPMLOADER=l; .ASPXAUTH=a"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"Code": 1, "Message": "Wrong user or password"}, "site.example refused the sign-in: Wrong user or password"),
        ({"Code": 1, "Exception": {"Message": "Locked"}}, "site.example refused the sign-in: Locked"),
        ({"Code": 2, "Message": None, "Exception": None}, "site.example refused the sign-in"),
    ],
)
def test_a_refusal_behind_a_200_is_final_and_in_the_services_words(answer: object, said: str) -> None:
    _, found = signed_in(reply(answer, cookies=COOKIES))
    assert isinstance(found, CallFailed)
    assert (found.kind, found.trouble.code, found.final) == (FailureKind.NOT_SENT, "E303", True)
    assert found.trouble.message == said


def test_a_password_that_must_be_changed_says_so() -> None:
    for code in (1, 0):
        url = "/Login/ChangePassword.aspx"
        _, found = signed_in(reply({"Code": code, "Message": "Expired", "PasswordChangeUrl": url}))
        assert isinstance(found, CallFailed)
        assert "has to be changed" in (found.trouble.hint or "")


def test_a_second_step_of_the_sign_in_is_named_by_its_page() -> None:
    for code in (0, 3):
        _, found = signed_in(reply({"Code": code, "Message": "", "RedirectUrl": "/Login/TwoFactor.html"}))
        assert isinstance(found, CallFailed)
        assert (found.trouble.code, found.final) == ("E303", True)
        assert "a second step at `/Login/TwoFactor.html`" in (found.trouble.hint or "")


def test_a_page_that_a_signed_in_user_is_led_to_is_no_second_step() -> None:
    _, found = signed_in(reply({**WELCOME, "RedirectUrl": "/Nui/ViewModule.aspx"}, cookies=COOKIES))
    assert not isinstance(found, CallFailed)


LOGIN = b"<html><head><title>Sign in</title></head><body>/Login/</body></html>"


def test_a_gateway_that_wants_a_sign_in_of_its_own_is_not_taken_for_a_wrong_password() -> None:
    _, found = signed_in(reply(b"", 401, **{"www-authenticate": 'Basic realm="gate"'}))
    assert isinstance(found, CallFailed)
    assert (found.refused_sign_in, found.final) == (False, True)
    assert (found.trouble.hint or "").startswith("a server before the application asks for Basic: ")


@pytest.mark.parametrize(
    ("answer", "code", "final", "said"),
    [
        (
            reply(b"", 401),
            "E303",
            True,
            "site.example refused the sign-in: site.example answered 401 Unauthorized",
        ),
        (reply(b"", 403), "E303", True, "site.example refused the sign-in: site.example answered 403 Forbidden"),
        (reply(b"", 404), "E303", True, "no sign-in at /ServiceModel/AuthService.svc/Login: site.example answered 404"),
        (
            reply(b"", 302, location="https://x/y"),
            "E303",
            True,
            "no sign-in at /ServiceModel/AuthService.svc/Login: site",
        ),
        (
            reply(LOGIN),
            "E307",
            True,
            "no sign-in: the answer of site.example makes no sense: it is a web page with the",
        ),
        (reply(b""), "E307", True, "no sign-in: the answer of site.example makes no sense: it is empty"),
        (
            reply(b"<string>"),
            "E307",
            True,
            "no sign-in: the answer of site.example makes no sense: it is no whole XML",
        ),
        (
            reply({"a": 1}),
            "E307",
            True,
            "no sign-in: the answer of site.example makes no sense: it is no record with a",
        ),
        (
            reply([]),
            "E307",
            True,
            "no sign-in: the answer of site.example makes no sense: it is no record with a `Code`",
        ),
        (reply(b"", 204), "E307", True, "no sign-in: the answer of site.example makes no sense: it is empty"),
        (reply(b"", 429), "E310", False, "no sign-in: site.example answered 429 Too Many Requests"),
        (reply(b"", 503), "E309", False, "no sign-in: site.example answered 503 Service Unavailable"),
        (
            reply({"Message": "Deep"}, 500),
            "E303",
            False,
            "no sign-in at /ServiceModel/AuthService.svc/Login: site.example",
        ),
    ],
)
def test_whatever_else_is_answered_the_call_was_not_sent(answer: Reply, code: str, final: bool, said: str) -> None:  # noqa: FBT001  a column of the table
    _, found = signed_in(answer)
    assert isinstance(found, CallFailed)
    assert (found.kind, found.trouble.code, found.final) == (FailureKind.NOT_SENT, code, final)
    assert found.trouble.message.startswith(said)
    assert found.no_session
    assert found.trouble.message in (found.no_session, f"no sign-in: {found.no_session}")
    assert "p4ss" not in repr(found)


def test_later_cookies_are_added_and_taken_back() -> None:
    known = session({"BPMCSRF": "c", "old": "1"})
    found = renewed(
        known, ["BPMSESSIONID=s; path=/; HttpOnly", "old=; expires=Tue, 12-Oct-1999 00:00:00 GMT", "", "x", "=y"]
    )
    assert found.cookies == {"BPMCSRF": "c", "BPMSESSIONID": "s"}
    assert known.cookies == {"BPMCSRF": "c", "old": "1"}


@pytest.mark.parametrize(
    ("location", "root"),
    [
        ("https://www.site.example/ServiceModel/AuthService.svc/Login", "https://www.site.example"),
        ("https://site.example:8443/ServiceModel/AuthService.svc/Login?x=1", "https://site.example:8443"),
        ("/app/ServiceModel/AuthService.svc/Login", "https://site.example/app"),
        ("https://ann:pw@crm.example/a/ServiceModel/AuthService.svc/Login", "https://crm.example/a"),
    ],
)
def test_a_sign_in_that_is_redirected_shows_the_address_to_write(location: str, root: str) -> None:
    _, found = signed_in(reply(b"", 301, location=location))

    assert isinstance(found, CallFailed)
    assert (found.kind, found.trouble.code, found.final) == (FailureKind.NOT_SENT, "E303", True)
    said = f"no sign-in: site.example redirects to `{root}`, so that `url` of the target is wrong"
    assert found.trouble.message == said
    assert found.trouble.hint == f"if that is the site, write `url: {root}`; nothing was sent there"


@pytest.mark.parametrize(
    ("location", "said", "hint"),
    [
        ("/Login/NuiLogin.aspx", "site.example answered with its login page", "check `auth`"),
        ("https://site.example/ServiceModel/AuthService.svc/Login", "answered with its login page", "check `auth`"),
        ("https://sso.example/login", "login page of another host, `sso.example`", "check `auth`"),
        ("https://crm.example/start", "to `https://crm.example/start`, which is on another host", "put it into `url`"),
    ],
)
def test_a_redirect_to_anything_else_is_no_address_of_the_site(location: str, said: str, hint: str) -> None:
    _, found = signed_in(reply(b"", 302, location=location))

    assert isinstance(found, CallFailed)
    assert said in found.trouble.message
    assert hint in (found.trouble.hint or "")


def test_nobody_is_sent_to_the_process_log_for_want_of_a_sign_in() -> None:
    late = not_signed_in(outages.no_answer(TimeoutError(), "x:1", 5)).trouble
    assert (late.message, late.hint) == ("no sign-in: x:1 did not answer within 5 s", "raise `timeout`")
    assert not_signed_in(outages.no_answer(EOFError(), "x:1", 5)).trouble.hint is None

import json

import httpx
import pytest

LOGIN = "/ServiceModel/AuthService.svc/Login"
EXECUTE = "/0/ServiceModel/ProcessEngineService.svc/UsrEcho/Execute"
PASSWORD = {"UserName": "Supervisor", "UserPassword": "Supervisor"}


@pytest.fixture
def stranger(echo: httpx.Client) -> httpx.Client:
    """The client without its session."""
    echo.cookies.clear()
    del echo.headers["BPMCSRF"]
    return echo


def test_the_four_cookies_come_in_the_documented_order(stranger: httpx.Client) -> None:
    reply = stranger.post(LOGIN, json=PASSWORD)
    cookies = reply.headers.get_list("set-cookie")
    assert [cookie.split("=")[0] for cookie in cookies] == ["BPMLOADER", ".ASPXAUTH", "BPMCSRF", "UserName"]
    for cookie in cookies:
        value, *attributes = [part.strip() for part in cookie.partition("=")[2].split(";")]
        assert value
        assert "=" not in value
        assert "path=/" in attributes
        assert ("HttpOnly" in attributes) is cookie.startswith(".ASPXAUTH")


def test_a_sign_in_that_worked_says_so_and_nothing_else(stranger: httpx.Client) -> None:
    reply = stranger.post(LOGIN, json=PASSWORD)
    assert reply.text == '{"Code":0,"Message":"","Exception":null,"PasswordChangeUrl":null,"RedirectUrl":null}'


@pytest.mark.parametrize(
    "body",
    [
        b'{"UserName":"Supervisor","UserPassword":"wrong"}',
        b'{"UserName":"nobody","UserPassword":"Supervisor"}',
        b'{"UserName":{},"UserPassword":[]}',
        b"{}",
        b"[]",
        b"",
        b"\xff",
        b"[" * 100_000,
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)
def test_a_refused_sign_in_is_200_with_code_1_an_exception_and_no_cookie(stranger: httpx.Client, body: bytes) -> None:
    reply = stranger.post(LOGIN, content=body)
    assert reply.status_code == 200
    assert '"Code":1' in reply.text
    assert reply.json()["Exception"]["Message"] == reply.json()["Message"] != ""
    assert "set-cookie" not in reply.headers


def test_signing_in_ignores_a_stale_session_and_further_keys(stranger: httpx.Client) -> None:
    headers = {"BPMCSRF": "stale", "Cookie": ".ASPXAUTH=stale; BPMCSRF=stale"}
    reply = stranger.post(LOGIN, json={**PASSWORD, "WorkspaceName": "Default", "TimeZoneOffset": -120}, headers=headers)
    assert reply.json()["Code"] == 0


def test_signing_in_happens_at_the_root_alone(stranger: httpx.Client) -> None:
    assert stranger.post("/0" + LOGIN, json=PASSWORD).status_code == 401


def test_who_is_signed_in_cannot_sign_in_elsewhere_either(echo: httpx.Client) -> None:
    assert echo.post("/0" + LOGIN, json=PASSWORD).status_code == 401


@pytest.mark.parametrize("path", [EXECUTE, "/odata/Contact", "/0/no/such/thing"])
def test_a_call_without_a_session_is_refused_in_json(stranger: httpx.Client, path: str) -> None:
    reply = stranger.get(path)
    assert reply.status_code == 401
    assert reply.json() == {
        "Message": "Authentication failed.",
        "StackTrace": None,
        "ExceptionType": "System.InvalidOperationException",
    }


@pytest.mark.parametrize("sent", [{}, {"BPMCSRF": ""}, {"BPMCSRF": "wrong"}])
def test_a_call_without_the_right_bpmcsrf_is_forbidden(echo: httpx.Client, sent: dict[str, str]) -> None:
    del echo.headers["BPMCSRF"]
    assert echo.get(EXECUTE, headers=sent).status_code == 403


def test_no_other_header_is_asked_for(echo: httpx.Client) -> None:
    for accept in ("application/xml", "application/json; odata=verbose", "*/*", "text/plain"):
        headers = {"Accept": accept, "Content-Type": "application/json; charset=utf-8"}
        assert echo.get(EXECUTE, headers=headers).status_code == 200


def test_two_sessions_live_side_by_side_and_do_not_mix(echo: httpx.Client) -> None:
    first = dict(echo.cookies)
    reply = echo.post(LOGIN, json=PASSWORD)
    second = dict(reply.cookies)
    echo.cookies.clear()
    assert first[".ASPXAUTH"] != second[".ASPXAUTH"]
    for session, csrf, status in ((first, first, 200), (second, second, 200), (first, second, 403)):
        headers = {"Cookie": f".ASPXAUTH={session['.ASPXAUTH']}", "BPMCSRF": csrf["BPMCSRF"]}
        assert echo.get(EXECUTE, headers=headers).status_code == status


def test_a_user_learns_who_they_are(echo: httpx.Client) -> None:
    replies = [
        echo.post(f"{prefix}/ServiceModel/UserInfoService.svc/GetCurrentUserInfo", json={}) for prefix in ("", "/0")
    ]
    assert [reply.status_code for reply in replies] == [200, 200]
    said = json.loads(replies[0].text)
    assert sorted(said) == ["contactId", "cultureName", "userId", "userName"]
    assert said["userName"] == "Supervisor"


@pytest.mark.parametrize("prefix", ["/0", ""])
def test_whoever_asks_whether_the_site_is_healthy_is_answered(stranger: httpx.Client, prefix: str) -> None:
    assert stranger.get(f"{prefix}/api/HealthCheck/Ping").status_code == 200


def test_a_session_ends_by_signing_out(echo: httpx.Client) -> None:
    assert echo.post("/ServiceModel/AuthService.svc/Logout").status_code == 200
    assert echo.get("/odata/Contact").status_code == 401

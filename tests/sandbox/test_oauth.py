import json
from base64 import b64encode

import httpx
import pytest
from starlette.requests import Request

from runner.sandbox.sign_in import SUPERVISOR, Tokens

FORM = {"client_id": "sandbox", "client_secret": "sandbox", "grant_type": "client_credentials"}
ADDRESSES = ["/connect/token", "/0/connect/token"]


@pytest.fixture
def stranger(echo: httpx.Client) -> httpx.Client:
    """The client without its session."""
    echo.cookies.clear()
    del echo.headers["BPMCSRF"]
    return echo


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_client_is_given_a_token_and_calls_with_nothing_else(stranger: httpx.Client, address: str) -> None:
    said = stranger.post(address, data=FORM).json()
    assert (said["expires_in"], said["token_type"]) == (3600, "Bearer")
    assert "set-cookie" not in stranger.post(address, data=FORM).headers
    for scheme in ("Bearer", "bearer"):
        headers = {"Authorization": f"{scheme} {said['access_token']}"}
        assert stranger.get("/0/odata/SysProcessLog/$count", headers=headers).text == "0"
        service = "/0/ServiceModel/UserInfoService.svc/GetCurrentUserInfo"
        assert stranger.post(service, headers=headers).json()["userName"] == "Supervisor"


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("scheme", "credentials"),
    [("Basic", "sandbox:sandbox"), ("basic", "sandbox:sandbox"), ("Basic", "sand%62ox:s%61ndbox")],
)
def test_a_client_may_be_in_the_header(stranger: httpx.Client, address: str, scheme: str, credentials: str) -> None:
    headers = {"Authorization": f"{scheme} {b64encode(credentials.encode()).decode()}"}
    said = stranger.post(address, data={"grant_type": "client_credentials"}, headers=headers).json()
    headers = {"Authorization": f"Bearer {said['access_token']}"}
    assert stranger.get("/0/odata/SysProcessLog/$count", headers=headers).text == "0"


@pytest.mark.parametrize(
    "credentials", [b"sandbox:wrong", b"wrong:sandbox", b"sandbox", b":", b"\xff:\xff", b"sandbox:sandbox:"]
)
def test_another_client_in_the_header_is_refused_as_headers_are(stranger: httpx.Client, credentials: bytes) -> None:
    headers = {"Authorization": f"Basic {b64encode(credentials).decode()}"}
    reply = stranger.post("/connect/token", data={"grant_type": "client_credentials"}, headers=headers)
    assert (reply.status_code, reply.json()) == (401, {"error": "invalid_client"})
    assert reply.headers["www-authenticate"] == 'Basic realm="sandbox"'


def test_a_header_that_is_no_base64_is_refused(stranger: httpx.Client) -> None:
    headers = {"Authorization": "Basic sandbox:sandbox"}
    assert (
        stranger.post("/connect/token", data={"grant_type": "client_credentials"}, headers=headers).status_code == 401
    )


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({**FORM, "client_secret": "wrong"}, "invalid_client"),
        ({**FORM, "client_id": "wrong"}, "invalid_client"),
        ({"grant_type": "client_credentials"}, "invalid_client"),
        ({}, "invalid_client"),
        ({**FORM, "grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_anything_else_is_refused_in_the_words_of_the_standard(
    stranger: httpx.Client, address: str, form: dict[str, str], error: str
) -> None:
    reply = stranger.post(address, data=form)
    assert (reply.status_code, reply.json()) == (400, {"error": error})


def test_a_body_that_is_no_form_is_refused(stranger: httpx.Client) -> None:
    assert stranger.post("/connect/token", content=b"\xff\x00%%%=&&").status_code == 400


@pytest.mark.parametrize("header", ["Bearer unknown", "bearer  x"])
def test_a_token_that_nobody_gave_is_401(echo: httpx.Client, header: str) -> None:
    reply = echo.get("/odata/SysProcessLog", headers={"Authorization": header})
    assert reply.status_code == 401
    assert reply.json()["Message"] == "Authentication failed."
    assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_another_way_to_authorize_is_none_and_the_session_counts(echo: httpx.Client) -> None:
    assert echo.get("/odata/SysProcessLog", headers={"Authorization": "Basic eDp5"}).status_code == 200


def test_a_token_lives_an_hour() -> None:
    now = [0.0]
    tokens = Tokens(lambda: "t", clock=lambda: now[0])
    body = "&".join(f"{name}={value}" for name, value in FORM.items()).encode()
    assert json.loads(bytes(tokens.give(body).body))["access_token"] == "t"
    request = Request({"type": "http", "headers": [(b"authorization", b"Bearer t")]})
    now[0] = 3599
    assert tokens.user_of(request) is SUPERVISOR
    now[0] = 3600
    assert getattr(tokens.user_of(request), "status_code", None) == 401

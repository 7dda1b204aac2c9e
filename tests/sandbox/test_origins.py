"""Whom the sandbox answers: programs of this machine and its own page, and no page of another site."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from runner.project.sites import serve_sandbox
from runner.sandbox.activities import Surroundings
from runner.sandbox.app import StandIn
from runner.sandbox.doubles import Doubles
from runner.sandbox.server import served
from runner.sandbox.store import Store

Folder = Callable[[Mapping[str, str]], Path]
LOGIN = "/ServiceModel/AuthService.svc/Login"
CREDENTIALS = {"UserName": "Supervisor", "UserPassword": "Supervisor"}


@pytest.fixture
def caller(folder: Folder) -> Iterator[httpx.Client]:
    """Somebody on this machine who has not signed in."""
    files = {"a.process.yaml": "runner: 1\nprocess: UsrA\nactivities: [element: {caption: Approve}]\n"}
    with served(folder(files)) as url, httpx.Client(base_url=url, trust_env=False, verify=False) as client:
        yield client


FOREIGN = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Host": "elsewhere.example"},
    {"Host": "elsewhere.example:80", "Origin": "http://elsewhere.example:80"},
    {"Host": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "document"},
]
CALLS = [
    ("POST", "/sandbox/faults", {"fault": "slow"}),
    ("DELETE", "/sandbox/faults", None),
    ("POST", "/sandbox/instances", {"process": "UsrA"}),
    ("POST", "/sandbox/elements", {"element": "x"}),
    *(("GET", f"/sandbox/{name}", None) for name in ("live", "processes", "instances", "entities", "faults", "calls")),
    ("GET", "/sandbox/entities/SysProcessLog", None),
    ("GET", "/sandbox/calls/1", None),
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_site_does_nothing_and_sees_nothing(caller: httpx.Client, headers: dict[str, str]) -> None:
    for method, path, body in CALLS:
        reply = caller.request(method, path, json=body, headers=headers)
        assert reply.status_code == 403, path
        assert "only this machine and the sandbox's own page may ask" in reply.json()["error"]
    assert caller.get("/sandbox/faults").json() == caller.get("/sandbox/instances").json() == []


@pytest.mark.parametrize("headers", [*FOREIGN[:-1], {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}])
def test_a_page_of_another_site_does_not_hold_ours(caller: httpx.Client, headers: dict[str, str]) -> None:
    reply = caller.get("/", headers=headers)
    assert (reply.status_code, reply.content) == (200, b"")


def test_a_link_on_another_site_leads_to_the_page(caller: httpx.Client) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert "<h1>Sandbox</h1>" in caller.get("/", headers=headers).text


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://localhost.elsewhere.example:8080"])
def test_a_page_of_another_site_does_not_sign_in_to_the_service_either(caller: httpx.Client, origin: str) -> None:
    host = origin.partition("://")[2] or "127.0.0.1"
    for headers in ({"Origin": origin}, {"Origin": origin, "Host": host}):
        reply = caller.post(LOGIN, json=CREDENTIALS, headers=headers)
        assert (reply.status_code, reply.content, list(reply.cookies)) == (403, b"", [])


@pytest.mark.parametrize("headers", [{}, {"Host": "sandbox.internal"}, {"Origin": "http://localhost:3000"}])
def test_the_service_answers_under_any_name_whoever_sends_no_foreign_origin(
    caller: httpx.Client, headers: dict[str, str]
) -> None:
    assert caller.post(LOGIN, json=CREDENTIALS, headers=headers).json()["Code"] == 0


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:1", "[::1]:1"])
def test_the_page_is_seen_under_each_name_of_this_machine(caller: httpx.Client, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert caller.get("/sandbox/faults", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("caller", "status"),
    [("127.0.0.1", 200), ("127.9.9.9", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("192.0.2.7", 403)],
)
def test_another_machine_is_answered_by_the_service_alone(caller: str, status: int) -> None:
    assert asked("GET", "/sandbox/faults", caller) == status
    assert asked("GET", "/", caller) == 200
    assert asked("POST", "/ServiceModel/AuthService.svc/Login", caller) == 200


def asked(method: str, path: str, caller: str) -> int:
    """The status that the application answers a caller at this address with."""
    store = Store({})
    surroundings = Surroundings(store=store, now=lambda: "", new_id=lambda: "")
    app = StandIn(Doubles(), surroundings, new_token=lambda: "t", clock=lambda: 0.0, page_size=1)
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": (caller, 1),
        "state": {},
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    running = app(scope, receive, send)
    with pytest.raises(StopIteration):
        running.__await__().__next__()
    store.close()
    return int(sent[0]["status"])


def test_the_sandbox_of_a_run_shows_what_happens_to_no_other_user_of_the_machine(tmp_path: Path) -> None:
    with serve_sandbox(tmp_path) as url, httpx.Client(base_url=url, trust_env=False, verify=False) as caller:
        assert {caller.get(f"/sandbox/{name}").status_code for name in ("instances", "faults", "calls")} == {401}
        assert "<title>" not in caller.get("/").text
        assert caller.post("/sandbox/instances", json={"process": "UsrA"}).status_code >= 400

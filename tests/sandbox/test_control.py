"""What the sandbox shows of itself, and to whom. How the page looks in a browser is in `browser/`."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from runner.sandbox.activities import Surroundings
from runner.sandbox.app import StandIn
from runner.sandbox.doubles import Doubles
from runner.sandbox.server import served
from runner.sandbox.store import Store

Folder = Callable[[Mapping[str, str]], Path]
SignIn = Callable[[str], httpx.Client]
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"
FILES = {
    "a.process.yaml": """
runner: 1
process: UsrA
caption: The first
parameters: {Name: {type: text}, Key: {type: guid, direction: out}}
activities: [element: {into: Key, caption: Approve}, fail: Never]
""",
    "b.process.yaml": "runner: 1\nprocess: UsrB\n",
}


@pytest.fixture
def url(folder: Folder) -> Iterator[str]:
    with served(folder(FILES)) as served_at:
        yield served_at


@pytest.fixture
def caller(url: str) -> Iterator[httpx.Client]:
    """Somebody on this machine who has not signed in."""
    with httpx.Client(base_url=url, trust_env=False, verify=False) as client:
        yield client


def test_processes_are_listed_with_their_parameters_and_how_often_each_was_started(
    url: str, caller: httpx.Client, signed_in: SignIn
) -> None:
    client = signed_in(url)
    client.get(f"{SERVICE}/UsrA/Execute")
    client.get(f"{SERVICE}/UsrA/Execute")
    parameters = [
        {"name": "Name", "type": "text", "direction": "in"},
        {"name": "Key", "type": "guid", "direction": "out"},
    ]
    assert caller.get("/sandbox/processes").json() == [
        {"process": "UsrA", "caption": "The first", "parameters": parameters, "starts": 2},
        {"process": "UsrB", "caption": "UsrB", "parameters": [], "starts": 0},
    ]


def test_instances_are_listed_with_what_they_hold_newest_first(url: str, signed_in: SignIn) -> None:
    client = signed_in(url)
    client.get(f"{SERVICE}/UsrA/Execute?Name=Anna")
    client.get(f"{SERVICE}/UsrB/Execute")
    newest, oldest = client.get("/sandbox/instances").json()
    assert (newest["process"], newest["status"], newest["elements"]) == ("UsrB", "done", [])
    (element,) = oldest["elements"]
    assert (oldest["status"], oldest["error"], oldest["completed"]) == ("running", None, None)
    assert oldest["parameters"] == {"Name": "Anna", "Key": element["id"]}
    assert (element["caption"], element["status"]) == ("Approve", "running")
    client.get(f"{SERVICE}/ExecProcElByUId/{element['id']}")
    oldest = client.get("/sandbox/instances").json()[1]
    assert (oldest["status"], oldest["error"]) == ("error", "Never")


def test_a_hundred_instances_are_shown_at_most(url: str, signed_in: SignIn) -> None:
    client = signed_in(url)
    for _ in range(105):
        client.get(f"{SERVICE}/UsrB/Execute")
    assert len(client.get("/sandbox/instances").json()) == 100
    assert client.get("/sandbox/processes").json()[1]["starts"] == 105


def test_calls_are_listed_but_not_those_that_look_on(url: str, signed_in: SignIn) -> None:
    client = signed_in(url)
    client.post("/sandbox/faults", json={"fault": "drop_after", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(f"{SERVICE}/UsrB/Execute?Name=%C3%A9%20b")
    client.get("/")
    listed = client.get("/sandbox/calls").json()
    assert [(each["method"], each["address"], each["status"], each["fault"]) for each in listed] == [
        ("GET", f"{SERVICE}/UsrB/Execute?Name=é b", None, "drop_after"),
        ("POST", "/ServiceModel/AuthService.svc/Login", 200, None),
    ]
    assert all(each["seconds"] >= 0 for each in listed)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_page_lets_nothing_run_but_its_own_script(caller: httpx.Client, method: str) -> None:
    first, second = (caller.request(method, "/") for _ in range(2))
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    policy = first.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert policy != second.headers["content-security-policy"]


def test_the_page_fetches_nothing_from_elsewhere(caller: httpx.Client) -> None:
    page = caller.get("/").text
    assert "http" not in page.replace('http-equiv="refresh"', "")
    assert "src=" not in page


@pytest.mark.parametrize("path", ["/sandbox/nothing", "/sandbox/faults/1"])
def test_what_is_not_there_is_404(caller: httpx.Client, path: str) -> None:
    assert caller.get(path).status_code == 404


FOREIGN = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Host": "elsewhere.example"},
    {"Host": "elsewhere.example:80", "Origin": "http://elsewhere.example:80"},
    {"Host": ""},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_site_sets_nothing_and_sees_nothing(caller: httpx.Client, headers: dict[str, str]) -> None:
    reply = caller.post("/sandbox/faults", json={"fault": "slow"}, headers=headers)
    assert reply.status_code == 403
    assert reply.json() == {"error": "the sandbox answers this on its own machine alone"}
    assert caller.get("/sandbox/instances", headers=headers).status_code == 403
    root = caller.get("/", headers=headers)
    assert (root.status_code, root.content) == (200, b"")
    assert caller.get("/sandbox/faults").json() == []


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

"""What the sandbox shows of itself. To whom is in `test_origins.py`; how the page looks in a browser in `browser/`."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from runner.sandbox.doubles import STAMPS
from runner.sandbox.server import served

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
    reply = caller.request(method, "/")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    html = caller.get("/").text
    for kind in ("style", "script"):
        (text,) = re.findall(f"<{kind}>(.*?)</{kind}>", html, re.DOTALL)
        assert f"{kind}-src 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'; " in policy


def test_the_page_fetches_nothing_from_elsewhere(caller: httpx.Client) -> None:
    page = caller.get("/").text
    assert "http" not in page.replace('http-equiv="refresh"', "")
    assert "src=" not in page


@pytest.mark.parametrize("path", ["/sandbox/nothing", "/sandbox/faults/1"])
def test_what_is_not_there_is_404(caller: httpx.Client, path: str) -> None:
    assert caller.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/?process=UsrA", "/sandbox/live?instance=x&skip=-1&call=nothing&entity=Nope"])
def test_an_address_that_opens_what_is_not_there_shows_the_rest(caller: httpx.Client, path: str) -> None:
    reply = caller.get(path)
    assert reply.status_code == 200
    assert "The first" in reply.text


RECORDS = """
runner: 1
process: UsrAdd
parameters: {Name: {type: text}}
activities: [insert: {entity: Mark, values: {Name: "{{ parameters.Name }}", Rank: 1}}]
"""


@pytest.fixture
def marks(folder: Folder, signed_in: SignIn) -> Iterator[httpx.Client]:
    """A sandbox with 60 records of `Mark`."""
    with served(folder({"a.process.yaml": RECORDS})) as url:
        client = signed_in(url)
        for number in range(60):
            client.get(f"{SERVICE}/UsrAdd/Execute", params={"Name": f"<{number}>"})
        yield client


def test_entities_are_listed_with_the_number_of_their_records_the_folders_own_first(marks: httpx.Client) -> None:
    listed = marks.get("/sandbox/entities").json()
    assert listed[0] == {"entity": "Mark", "records": 60}
    assert {"entity": "SysProcessLog", "records": None} in listed


def test_records_of_an_entity_come_newest_first_fifty_at_once(marks: httpx.Client) -> None:
    first = marks.get("/sandbox/entities/Mark").json()
    assert (first["columns"], first["skip"], first["all"]) == (["Id", "Name", "Rank", *STAMPS], 0, 60)
    assert [row["Name"] for row in first["records"]] == [f"<{number}>" for number in range(59, 9, -1)]
    rest = marks.get("/sandbox/entities/Mark?skip=50").json()
    assert [row["Name"] for row in rest["records"]] == [f"<{number}>" for number in range(9, -1, -1)]
    assert marks.get("/sandbox/entities/Mark?skip=60").json()["records"] == []
    assert len(marks.get("/sandbox/entities/SysProcessLog").json()["records"]) == 50


def test_an_entity_that_is_not_there_is_404(caller: httpx.Client) -> None:
    assert caller.get("/sandbox/entities/Nope").status_code == 404


def test_the_page_leads_to_older_records_and_back(marks: httpx.Client) -> None:
    first = marks.get("/?entity=Mark").text
    assert "1 to 50 of 60, newest first" in first
    assert 'href="?entity=Mark&amp;skip=50">Older' in first
    assert 'href="?entity=Mark">Newer' in marks.get("/?entity=Mark&skip=50").text


def test_a_call_is_opened_with_what_was_sent_and_answered(url: str, signed_in: SignIn) -> None:
    client = signed_in(url)
    body = {"schemaName": "UsrA", "parameterValues": [{"name": "Name", "value": "é"}], "resultParameterNames": []}
    answer = client.post(f"{SERVICE}/RunProcess", json=body)
    number = client.get("/sandbox/calls").json()[0]["number"]
    call = client.get(f"/sandbox/calls/{number}").json()
    assert '"value":"é"' in call["sent"]["text"]
    assert call["answer"] == {"text": answer.text, "size": len(answer.content), "whole": True}
    assert client.get("/sandbox/calls/99").status_code == 404


def test_the_first_16_kib_of_a_long_body_are_stored(url: str, signed_in: SignIn) -> None:
    client = signed_in(url)
    client.post(f"{SERVICE}/RunProcess", content=b"x" * 20_000)
    sent = client.get(f"/sandbox/calls/{client.get('/sandbox/calls').json()[0]['number']}").json()["sent"]
    assert (len(sent["text"]), sent["size"], sent["whole"]) == (16 * 1024, 20_000, False)


@pytest.mark.parametrize("path", ["/ServiceModel/AuthService.svc/Login", "/connect/token", "/0/connect/token?x=1"])
def test_no_body_of_a_sign_in_is_stored(caller: httpx.Client, path: str) -> None:
    form = {"client_id": "sandbox", "client_secret": "sandbox", "grant_type": "client_credentials", "x": "s3cret"}
    caller.post(path, data=form)
    call = caller.get("/sandbox/calls/1").json()
    assert call["hides_bodies"] is True
    assert call["sent"]["size"] == call["answer"]["size"] == 0
    assert "s3cret" not in caller.get("/?call=1").text


def test_the_part_that_left_of_an_answer_that_was_cut_is_shown(url: str, signed_in: SignIn) -> None:
    client = signed_in(url)
    client.post("/sandbox/faults", json={"fault": "half_body", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(f"{SERVICE}/RunProcess", json={"schemaName": "UsrB", "resultParameterNames": []})
    call = client.get(f"/sandbox/calls/{client.get('/sandbox/calls').json()[0]['number']}").json()
    assert call["answer"]["text"].startswith('{"processId":')
    assert not call["answer"]["text"].endswith("}")

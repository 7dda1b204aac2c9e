"""The requests recorded in `tests/wire/`, which the client must write: here the sandbox must understand them.

Where it can be brought into the recorded situation, it must answer what was recorded, too. Some recordings show what
only another site would do (another text of the namespace, an entity that is missing): those are sent for their request
alone.
"""

import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

FOLDER = Path(__file__).parents[1] / "wire"
UID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
FILES = {
    "a.process.yaml": """
runner: 1
process: UsrGetAllContacts
parameters: {ContactList: {type: records, direction: out, items: {Id: guid, Name: text}}}
activities: [select: {entity: Contact, into: ContactList}]
""",
    "b.process.yaml": """
runner: 1
process: UsrCount
parameters: {Count: {type: integer, direction: out}}
activities: [set: {Count: 42}]
""",
    "c.process.yaml": f"""
runner: 1
process: UsrAdd
parameters:
  Name: {{type: text}}
  Note: {{type: text}}
  Age: {{type: integer}}
  Rate: {{type: decimal}}
  Active: {{type: boolean}}
  Owner: {{type: lookup}}
  Rows: {{type: records}}
  NewId: {{type: guid, direction: out}}
activities:
  - fail: A value did not arrive
    if: >-
      parameters.Name != "Müller & Söhne +1 #2/3" or parameters.Note != "" or parameters.Age != 42
      or parameters.Rate != 0.5 or not parameters.Active or parameters.Rows != [{{"Id": 1}}]
  - set: {{NewId: {UID}}}
""",
    "d.process.yaml": f"runner: 1\nprocess: UsrStart\nactivities: [element: {{uid: {UID}}}]",
    "e.process.yaml": "runner: 1\nprocess: UsrBad\nactivities: [fail: No]",
    "f.process.yaml": "runner: 1\nprocess: UsrLater\nfaults: [{fault: queued, seconds: 60}]",
    "records.yaml": "Contact: [{Id: c4ed336c-3e9b-40fe-8b82-5632476472b4, Name: Andrew Baker & Sons}]",
}
SAME_BODY = {
    *("execute-collection", "execute-parameters", "execute-unknown-result", "execute-fault"),
    *("execute-started", "execute-wrong-bpmcsrf", "sign-in", "sign-in-refused", "who-am-i", "complete-refused"),
    *("run", "run-collection", "run-failed", "run-queued", "run-refused", "run-started", "token-refused"),
    *("change-delete", "change-insert", "change-update"),
    "read-schema-refused",
}
UNDERSTOOD = {
    *("cancel", "complete", "element-path", "element-query", "execute-number", "execute-on-net", "execute-post"),
    *("elements", "element-data", "library", "library-all", "log-row", "log-rows", "log-rows-by-schema", "who-is-user"),
    *("family", "family-root"),
    *("execute-with-a-token", "query", "query-next", "query-on-net", "token"),
}
OTHER_SITES = {
    *("change-unknown-entity", "execute-unrouted", "log-unknown-entity", "query-unknown-entity"),
    *("read-schema", "read-schema-without-metadata", "read-schema-unknown-service", "family-hidden"),
}
TOKEN = b"client_id=sandbox&client_secret=sandbox&grant_type=client_credentials"


def message(name: str, mark: str) -> bytes:
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    written = [line[2:] for line in lines if line.startswith(mark)]
    end = written.index("")
    return ("\r\n".join(written[:end]) + "\r\n\r\n" + "\n".join(written[end + 1 :])).encode()


def answered(client: httpx.Client, request: bytes) -> tuple[str, bytes]:
    """Status line and body that the sandbox answers `request` with, once its session is that of `client`."""
    session = {"BPMCSRF": client.headers["BPMCSRF"], "Cookie": f".ASPXAUTH={client.cookies['.ASPXAUTH']}"}
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.decode().split("\r\n") if line.partition(":")[0] not in session]
    lines += [f"{name}: {value}" for name, value in session.items()] + ["Connection: close"]
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=300) as line:
        line.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        reply = b"".join(iter(lambda: line.recv(65536), b""))
    head, _, body = reply.partition(b"\r\n\r\n")
    return head.decode().partition("\r\n")[0], body


def meaning(body: bytes) -> object:
    """What is left of a body when its XML has been read; `<a/>` is `<a></a>`."""
    if not body.startswith(b"<string"):
        return body.decode()
    tree = ET.fromstring(body)
    return tree.tag, tree.text


@pytest.fixture
def recorded_at(site: Callable[[Mapping[str, str]], httpx.Client]) -> httpx.Client:
    return site(FILES)


def with_ids_of(recorded: bytes, body: bytes) -> bytes:
    """`body` with the ids of `recorded` where a process was started: those are new each time."""
    found = re.search(rb'"processId":"([^"]+)"', recorded)
    if found is None:
        return body
    return re.sub(rb'"processId":"(?!0{8})[^"]+"', b'"processId":"%s"' % found[1], body)


def start(client: httpx.Client) -> str:
    """Start it; the id of the element that it waits at."""
    assert client.get("/0/ServiceModel/ProcessEngineService.svc/UsrStart/Execute").status_code == 200
    (held,) = client.get("/odata/SysProcessElementData").json()["value"]
    return str(held["Id"])


@pytest.mark.parametrize("name", sorted(SAME_BODY))
def test_a_recorded_request_is_answered_as_it_was(recorded_at: httpx.Client, name: str) -> None:
    uid = UID
    if name == "complete-refused":
        uid = start(recorded_at)
        recorded_at.get(f"/ServiceModel/ProcessEngineService.svc/ExecProcElByUId/{uid}")
    if name == "execute-wrong-bpmcsrf":
        recorded_at.headers["BPMCSRF"] = "wrong"
    request, reply = message(name, ">").replace(UID.encode(), uid.encode()), message(name, "<")
    if name == "sign-in":
        request = request.replace("Sürprise".encode(), b"Supervisor").replace(b": 71", b": 72")
    status, body = answered(recorded_at, request)
    head, _, expected = reply.partition(b"\r\n\r\n")
    assert status == head.decode().partition("\r\n")[0]
    if name == "complete-refused":
        body = body.replace(b'"errorCode":null', b'"errorCode":"Error"')
    if name == "change-insert":
        body = re.sub(rb',"CreatedOn":[^}]*', b"", body)
    assert meaning(with_ids_of(expected, body)) == meaning(expected)


@pytest.mark.parametrize("name", sorted(UNDERSTOOD))
def test_a_recorded_request_is_understood(recorded_at: httpx.Client, name: str) -> None:
    uid = start(recorded_at)
    request = message(name, ">").replace(UID.encode(), uid.encode())
    if name == "execute-with-a-token":
        token = recorded_at.post("/connect/token", content=TOKEN).json()["access_token"]
        request = request.replace(b"3f6c1c5e9a0b4d7e", token.encode())
    status, body = answered(recorded_at, request)
    assert status == "HTTP/1.1 200 OK"
    assert b"Message" not in body
    assert b"success" not in body or b'"success":true' in body


def test_every_recorded_exchange_is_sent_or_known_to_be_of_another_site() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == SAME_BODY | UNDERSTOOD | OTHER_SITES

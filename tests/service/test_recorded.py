"""The exchanges recorded in `tests/wire/`: what the client must write, byte for byte, and read from the reply.

A file holds a sentence, the call, the request (`> `), the reply (`< `), and how the call ends: `= value` or
`! kind code message`. The host is written `site.example`, the program's version `VERSION`.
"""

import json
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.foundation.values import Json
from runner.service import calls
from runner.service.auth import CLIENT_CREDENTIALS, PASSWORD, Credentials
from runner.service.client import Client
from runner.service.site import CallOptions, ExecuteMethod, Site
from runner.service.site import ElementIdPlace as ElementPlace
from runner.version import VERSION

FOLDER = Path(__file__).parent.parent / "wire"
RECORDED = sorted(FOLDER.glob("*.txt"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    call: str
    arguments: dict[str, Json]
    site: dict[str, str]
    request: bytes
    reply: bytes
    ending: str


def recording(path: Path) -> Recording:
    lines = path.read_text(encoding="utf-8").splitlines()
    name, _, arguments = next(line for line in lines if line.startswith("call ")).removeprefix("call ").partition(" ")
    site = next((line.removeprefix("site ") for line in lines if line.startswith("site ")), "{}")
    return Recording(
        call=name,
        arguments=json.loads(arguments),
        site=json.loads(site),
        request=message(lines, ">"),
        reply=at_loopback(message(lines, "<")),
        ending=lines[-1],
    )


def message(lines: list[str], mark: str) -> bytes:
    written = [line[2:] for line in lines if line.startswith(mark)]
    end = written.index("")
    return ("\r\n".join(written[:end]) + "\r\n\r\n" + "\n".join(written[end + 1 :])).encode()


def at_loopback(reply: bytes) -> bytes:
    """The reply as a server on this machine gives it, which is called by another name."""
    head, _, body = reply.partition(b"\r\n\r\n")
    body = body.replace(b"site.example", b"127.0.0.1")
    return re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head) + b"\r\n\r\n" + body


def served(replies: dict[str, bytes]) -> tuple[int, list[bytes]]:
    """A server that answers by what the request line holds, and keeps the requests."""
    requests: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listening, listening.accept()[0] as line:
            while request := received(line):
                requests.append(request)
                first = request.partition(b"\r\n")[0].decode()
                reply = next(reply for part, reply in replies.items() if part in first)
                if not reply:
                    return
                line.sendall(reply)

    threading.Thread(target=serve, daemon=True).start()
    port: int = listening.getsockname()[1]
    return port, requests


def received(line: socket.socket) -> bytes:
    found = b""
    while b"\r\n\r\n" not in found:
        if not (chunk := line.recv(65536)):
            return b""
        found += chunk
    length = re.search(rb"Content-Length: (\d+)", found)
    body = found.partition(b"\r\n\r\n")[2]
    missing = int(length[1]) - len(body) if length else 0
    return found + (line.recv(missing, socket.MSG_WAITALL) if missing else b"")


def without_place(written: bytes, port: int) -> tuple[str, list[str], str]:
    """The request line without the option that no other reading has, the headers in any order, the body."""
    text = written.decode().replace(f"127.0.0.1:{port}", "site.example").replace(f"runner/{VERSION}", "runner/VERSION")
    head, _, body = text.partition("\r\n\r\n")
    first, *headers = head.split("\r\n")
    return re.sub(r"&_=[0-9a-f]+(?= HTTP)", "", first), sorted(headers), body


SIGNING_IN = {"sign_in": ("/Login ", "sign-in"), "ask_token": ("/connect/token ", "token")}
"""What a recording of signing in is called, with its mark in the request line and the recording that succeeds."""
CALLS: dict[str, Callable[..., calls.Call]] = {
    name: getattr(calls, name)
    for name in (
        "ExecuteCall",
        "ElementCall",
        "CompleteCall",
        "RunProcessCall",
        "CancelCall",
        "ChangeCall",
        "QueryCall",
        "ReadRows",
        "ReadRow",
        "ReadElementData",
        "ReadElements",
        "FindProcess",
        "FindFamily",
        "FindHiddenFamily",
        "ReadFamily",
        "ReadSchema",
        "WhoAmI",
        "WhoIsUser",
    )
}


def credentials_of(found: Recording) -> Credentials:
    """Those of the call that signs in, where that is what was recorded; else any."""
    given = {key: str(value) for key, value in found.arguments.items()}
    if found.call == "ask_token":
        return CLIENT_CREDENTIALS.credentials(**given)
    if found.site.get("auth") == "client":
        return CLIENT_CREDENTIALS.credentials(client_id="sandbox", client_secret="sandbox")
    if found.call == "sign_in":
        return PASSWORD.credentials(**given)
    return PASSWORD.credentials(username="Supervisor", password="Supervisor")


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_exchange_is_written_and_read_as_it_is(path: Path) -> None:
    found = recording(path)
    signing_in = found.call in SIGNING_IN
    replies = {mark: recording(FOLDER / f"{name}.txt").reply for mark, name in SIGNING_IN.values()}
    if signing_in:
        replies = dict.fromkeys(replies, found.reply)
    port, requests = served(replies | {"": b"" if signing_in else found.reply})
    site = Site(
        url=f"http://127.0.0.1:{port}/",
        prefix=found.site.get("prefix", "/0"),
        calls=CallOptions(
            element_call=ElementPlace(found.site.get("element_call", "path")),
            execute_method=ExecuteMethod(found.site.get("execute_method", "get")),
        ),
    )
    client = Client(site, credentials=credentials_of(found))
    call = calls.WhoAmI() if signing_in else CALLS[found.call](**found.arguments)

    ending = client.perform(call, 5)
    client.close()

    assert without_place(requests[0 if signing_in else 1], port) == without_place(found.request, port)
    if found.ending == "= signed in":
        assert len(requests) == 2
    elif isinstance(ending, calls.Answered):
        assert found.ending == f"= {json.dumps(ending.value, ensure_ascii=False)}"
    else:
        said = f"! {ending.kind} {ending.trouble.code} {ending.trouble.message}"
        assert said.replace(f"127.0.0.1:{port}", "site.example") == found.ending


def test_every_call_is_recorded() -> None:
    assert {recording(path).call for path in RECORDED} == {*CALLS, *SIGNING_IN}

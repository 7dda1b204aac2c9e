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

from runner.service import calls
from runner.service.client import Client
from runner.service.wire import Site
from runner.targets.model import ElementCall as ElementPlace
from runner.targets.model import ExecuteMethod, Password
from runner.values import Json
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
        reply=message(lines, "<"),
        ending=lines[-1],
    )


def message(lines: list[str], mark: str) -> bytes:
    written = [line[2:] for line in lines if line.startswith(mark)]
    end = written.index("")
    return ("\r\n".join(written[:end]) + "\r\n\r\n" + "\n".join(written[end + 1 :])).encode()


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
    """The request line, the headers in any order, the body."""
    text = written.decode().replace(f"127.0.0.1:{port}", "site.example").replace(f"runner/{VERSION}", "runner/VERSION")
    head, _, body = text.partition("\r\n\r\n")
    first, *headers = head.split("\r\n")
    return first, sorted(headers), body


CALLS: dict[str, Callable[..., calls.Call]] = {
    name: getattr(calls, name)
    for name in (
        "ExecuteCall",
        "ElementCall",
        "CompleteCall",
        "ReadRows",
        "ReadRow",
        "FindProcess",
        "WhoAmI",
        "WhoIsUser",
    )
}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_exchange_is_written_and_read_as_it_stands(path: Path) -> None:
    found = recording(path)
    signing_in = found.call == "sign_in"
    login = found.reply if signing_in else recording(FOLDER / "sign-in.txt").reply
    port, requests = served({"/Login ": login, "": b"" if signing_in else found.reply})
    site = Site(
        url=f"http://127.0.0.1:{port}/",
        prefix=found.site.get("prefix", "/0"),
        element_call=ElementPlace(found.site.get("element_call", "path")),
        execute_method=ExecuteMethod(found.site.get("execute_method", "get")),
    )
    credentials = {"username": "Supervisor", "password": "Supervisor"}
    credentials.update({key: str(value) for key, value in found.arguments.items() if signing_in})
    client = Client(site, password=Password(**credentials))
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
    assert {recording(path).call for path in RECORDED} == {*CALLS, "sign_in"}

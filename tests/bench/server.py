"""A server as fast as Python allows, for the benchmark alone: it answers what a site would, and checks nothing.

It shares no code with the runner or its sandbox. Run as a program it prints its port and serves until it is killed.
"""

import itertools
import json
import re
import socket
import threading
import time
import uuid
from collections import defaultdict, deque
from datetime import UTC, datetime
from email.utils import formatdate
from functools import cache, lru_cache
from itertools import takewhile
from urllib.parse import unquote
from xml.sax.saxutils import escape

NAMESPACE = "http://schemas.microsoft.com/2003/10/Serialization/"
COOKIES = "".join(
    f"Set-Cookie: {cookie}; path=/\r\n" for cookie in ("BPMLOADER=a", ".ASPXAUTH=b", "BPMCSRF=c", "UserName=d")
)
DONE = "815c9586-b6e2-df11-971b-001d60e938c6"
NOBODY = "00000000-0000-0000-0000-000000000000"
OWNER = "11111111-1111-1111-1111-111111111111"

SLOW = 0.02
"""Seconds that `UsrSlow` takes."""

MORE = [
    {"Id": f"{OWNER[:-3]}{number:03d}", "Name": f"contact <{number}> \u00e4", "Score": number} for number in range(250)
]
"""The further records of `UsrLarge`: its result has 25 KB."""

_numbers = itertools.count(1)
_requests = itertools.count()
_rows: defaultdict[str, deque[dict[str, str]]] = defaultdict(lambda: deque(maxlen=40))
"""The newest rows of the process log, by the id of their schema."""
_OF_SCHEMA = re.compile("SysSchema/Id eq ([0-9a-f-]{36})(?: and StartDate ge ([^&]+))?")
_codes: dict[str, str] = {}
"""The processes that were asked for, by the id of their schema."""


def answer(path: str) -> bytes:
    if path == "/requests":
        return reply(str(next(_requests)))
    next(_requests)
    if "/Execute" in path:
        return execute(path, path.partition("ProcessEngineService.svc/")[2].partition("/")[0])
    if "SysProcessLog" in path:
        asked = _OF_SCHEMA.search(unquote(path))
        rows, since = (_rows[asked[1]], asked[2]) if asked else ((), None)
        found = [*rows][:20] if since is None else list(takewhile(lambda row: row["StartDate"] >= since, [*rows]))
        return reply(json.dumps({"value": found}))
    if "VwProcessLib" in path:
        return reply(json.dumps({"value": library(unquote(path))}))
    if "AuthService" in path:
        return reply(
            '{"Code":0,"Message":"","Exception":null,"PasswordChangeUrl":null,"RedirectUrl":null}', more=COOKIES
        )
    if "GetCurrentUserInfo" in path:
        return reply(json.dumps({"contactId": OWNER}))
    return reply("{}")


def execute(path: str, process: str) -> bytes:
    """Start the process, as the log has it from now on."""
    started, number = moment(), next(_numbers)
    if "UsrSlow" in process:
        time.sleep(SLOW)
    _rows[schema_of(process)].appendleft(
        {
            "Id": f"22222222-2222-2222-2222-{number:012d}",
            "Name": "Bench",
            "StartDate": started,
            "CompleteDate": moment(),
            "StatusId": DONE,
            "OwnerId": OWNER,
            "ErrorDescription": "",
        }
    )
    records = json.dumps([{"Id": str(number), "Name": "a contact", "Score": 42}, *(MORE if "UsrLarge" in path else ())])
    return reply(f'<string xmlns="{NAMESPACE}">{escape(json.dumps(records))}</string>', kind="application/xml")


def library(path: str) -> list[dict[str, object]]:
    """The one version of the process that is asked for, by its code or by its id."""
    if code := re.search(r"Name eq '([^']+)'", path):
        schema = schema_of(code[1])
        _codes[schema] = code[1]
    elif found := re.search(r"UId eq ([0-9a-f-]{36})", path):
        schema = found[1]
    else:
        return []
    common = {"Id": schema, "UId": schema, "SysSchemaId": schema, "Name": _codes.get(schema, "")}
    return [{**common, "Version": 1, "Enabled": True, "IsActiveVersion": True, "VersionParentUId": NOBODY}]


@cache
def schema_of(process: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, process))


def moment() -> str:
    """Now, as the log writes it; each is later than the one before."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


@lru_cache(maxsize=1)
def date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def reply(body: str, *, kind: str = "application/json", more: str = "") -> bytes:
    content = body.encode()
    head = f"HTTP/1.1 200 OK\r\nDate: {date(int(time.time()))}\r\nContent-Type: {kind}\r\n{more}"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pending = b""
    while received := connection.recv(65536):
        pending += received
        while b"\r\n\r\n" in pending:
            head, _, pending = pending.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            missing = int(length[1]) - len(pending) if length else 0
            while missing > 0:
                more = connection.recv(65536)
                pending += more
                missing -= len(more)
            pending = pending[int(length[1]) :] if length else pending
            connection.sendall(answer(head.split(b" ", 2)[1].decode()))
    connection.close()


def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()

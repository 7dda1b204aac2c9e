"""A server as fast as Python allows, for the benchmark alone: it answers what a site would, and checks nothing.

It shares no code with the runner or its sandbox. Run as a program it prints its port and serves until it is killed.
"""

import itertools
import json
import re
import socket
import threading
import time
from collections import deque
from xml.sax.saxutils import escape

NAMESPACE = "http://schemas.microsoft.com/2003/10/Serialization/"
COOKIES = "".join(
    f"Set-Cookie: {cookie}; path=/\r\n" for cookie in ("BPMLOADER=a", ".ASPXAUTH=b", "BPMCSRF=c", "UserName=d")
)
DONE = "815c9586-b6e2-df11-971b-001d60e938c6"
OWNER = "11111111-1111-1111-1111-111111111111"

SLOW = 0.02
"""Seconds that `UsrSlow` takes."""

MORE = [
    {"Id": f"{OWNER[:-3]}{number:03d}", "Name": f"contact <{number}> \u00e4", "Score": number} for number in range(250)
]
"""The further records of `UsrLarge`: its result has 25 KB."""

_numbers = itertools.count(1)
_requests = itertools.count()
_rows: deque[dict[str, str]] = deque(maxlen=40)


def answer(path: str) -> bytes:
    if path == "/requests":
        return reply(str(next(_requests)))
    next(_requests)
    if "/Execute" in path:
        if "UsrSlow" in path:
            time.sleep(SLOW)
        number = next(_numbers)
        _rows.appendleft(
            {
                "Id": f"22222222-2222-2222-2222-{number:012d}",
                "Name": "Bench",
                "StartDate": f"2026-01-31T09:00:00.{number:07d}Z",
                "CompleteDate": "2026-01-31T10:00:00Z",
                "StatusId": DONE,
                "OwnerId": OWNER,
                "ErrorDescription": "",
            }
        )
        records = json.dumps(
            [{"Id": str(number), "Name": "a contact", "Score": 42}, *(MORE if "UsrLarge" in path else ())]
        )
        return reply(f'<string xmlns="{NAMESPACE}">{escape(json.dumps(records))}</string>', kind="application/xml")
    if "SysProcessLog" in path:
        since = re.search(r"2026-01-31T09(?::|%3A)00(?::|%3A)00\.(\d{7})Z", path)
        low = int(since[1]) if since else 0
        rows = [row for row in _rows if int(row["StartDate"][20:27]) >= low]
        return reply(json.dumps({"value": rows if since else rows[:1]}))
    if "AuthService" in path:
        return reply(
            '{"Code":0,"Message":"","Exception":null,"PasswordChangeUrl":null,"RedirectUrl":null}', more=COOKIES
        )
    if "GetCurrentUserInfo" in path:
        return reply(json.dumps({"contactId": OWNER}))
    return reply("{}")


def reply(body: str, *, kind: str = "application/json", more: str = "") -> bytes:
    content = body.encode()
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(content)}\r\n\r\n".encode() + content


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

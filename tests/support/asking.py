"""The program `runner` that `forked_runner` puts on a PATH: it asks for a command with its own streams, folder and
environment, and ends as that does. It begins in 15 ms, since it imports next to nothing.
"""

import json
import os
import socket
import sys

REQUEST = 1 << 20
"""Bytes that a request has at most."""


def ask(address: str) -> int:
    """The exit code of `runner` with the arguments of this program."""
    request = {"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109  quick
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        socket.send_fds(line, [json.dumps(request).encode() + b"\n"], [0, 1, 2])
        with line.makefile("rb") as answer:
            code = int(answer.readline())
    if code < 0:
        os.kill(os.getpid(), -code)
    return code

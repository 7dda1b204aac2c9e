"""A program `runner` for scripts that other programs begin, such as a shell: each command is forked as `running` does,
which saves half a second of a processor.
"""

import json
import os
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from asking import REQUEST
from running import TIME, start

_PROGRAM = """#!{python} -IS
import sys
sys.path.insert(0, {support!r})
from asking import ask
sys.exit(ask({address!r}))
"""


@contextmanager
def forked_runner() -> Iterator[Path]:
    """A folder with `runner` alone, whose commands are forked as long as the context lasts."""
    with TemporaryDirectory(prefix="runner-") as place, socket.socket(socket.AF_UNIX) as listener:
        folder, address = Path(place, "bin"), str(Path(place, "asked"))
        listener.bind(address)
        listener.listen()
        folder.mkdir()
        support = str(Path(__file__).parent)
        (folder / "runner").write_text(_PROGRAM.format(python=sys.executable, support=support, address=address))
        (folder / "runner").chmod(0o755)
        with ThreadPoolExecutor() as pool:
            serving = pool.submit(_serve, listener, pool)
            try:
                yield folder
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                serving.result()


def _serve(listener: socket.socket, pool: ThreadPoolExecutor) -> None:
    while True:
        try:
            line, _ = listener.accept()
        except OSError:  # the context is over
            return
        pool.submit(_carry_out, line)


def _carry_out(line: socket.socket) -> None:
    with line, line.makefile("rb") as reading:
        begun, streams, _, _ = socket.recv_fds(line, REQUEST, 3)
        request = json.loads(begun if begun.endswith(b"\n") else begun + reading.readline())
        stdin, stdout, stderr = streams
        process = start(
            *request["arguments"],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=request["environment"],
            folder=Path(request["folder"]),
        )
        for file in streams:
            os.close(file)
        with process:
            line.sendall(b"%d\n" % process.wait(TIME))

"""A network between a worker and its database that a test can break: connections pass through a port of this process.

`CUT` ends connections and refuses new ones, `SILENT` lets nothing through and ends nothing, `DEAF` lets through what is
asked, loses the answers, and then cuts.
"""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Final

_SIZE: Final = 65_536
_LOOK: Final = 0.02


class Trouble(Enum):
    CUT = "cut"
    SILENT = "silent"
    DEAF = "deaf"


class Network:
    """Listens at `port` and passes on to `to` on loopback. `trouble` may be set at any time."""

    def __init__(self, to: int) -> None:
        self.trouble: Trouble | None = None
        self.lost = 0
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0)
        self._ends = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._other: dict[socket.socket, socket.socket] = {}
        self._asks: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._pass, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        self._ends.set()
        self._thread.join()
        for end in [*self._other]:
            self._end(end)
        self._listener.close()
        self._selector.close()

    def _pass(self) -> None:
        while not self._ends.wait(0):
            trouble = self.trouble
            if trouble is Trouble.SILENT:
                self._ends.wait(_LOOK)
                continue
            if trouble is Trouble.CUT:
                for end in [*self._other]:
                    self._end(end)
            with suppress(BlockingIOError):
                self._accept(self._listener.accept()[0], refused=trouble is not None)
            if not self._other:
                self._ends.wait(_LOOK)
            for key, _ in self._selector.select(_LOOK) if self._other else ():
                self._forward(key.fileobj, deaf=trouble is Trouble.DEAF)  # type: ignore[arg-type]  # only sockets are in

    def _accept(self, client: socket.socket, *, refused: bool) -> None:
        try:
            if refused:
                raise ConnectionRefusedError
            server = socket.create_connection(("127.0.0.1", self._to), timeout=60)
        except OSError:
            client.close()
            return
        self._asks.add(client)
        for end, other in ((client, server), (server, client)):
            end.settimeout(None)
            self._other[end] = other
            self._selector.register(end, selectors.EVENT_READ)

    def _forward(self, end: socket.socket, *, deaf: bool) -> None:
        other = self._other.get(end)
        if other is None:
            return
        try:
            content = end.recv(_SIZE)
            if deaf and content and end not in self._asks:
                self.lost += 1
                content = b""
            elif content:
                other.sendall(content)
        except OSError:
            content = b""
        if not content:
            self._end(end)

    def _end(self, end: socket.socket) -> None:
        other = self._other.pop(end, None)
        if other is None:
            return
        del self._other[other]
        for one in (end, other):
            self._asks.discard(one)
            self._selector.unregister(one)
            one.close()


@contextmanager
def network(to: int) -> Iterator[Network]:
    made = Network(to)
    try:
        yield made
    finally:
        made.close()

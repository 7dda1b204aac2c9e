"""One connection to one origin: a socket or TLS with a total deadline, and HTTP/1.1 on it, read by h11.

A deadline is a point of time on the clock: every wait is for what is left of it. An answer belongs to the request
before it and to no other: where bytes come that nobody asked for, the connection is not used again.
Raised are `NotConnectedError` while nothing has been sent; after that what the socket or h11 raises, `TimeoutError`
among it, and `EOFError` where the connection ends before the answer is whole.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from runner.service.bodies import LARGEST_BODY, TooLargeError
from runner.service.gate import Clock
from runner.service.libraries import h11

_CHUNK: Final = 64 * 1024
_LONGEST_HEAD: Final = 100 * 1024


class NotConnectedError(Exception):
    """Nothing was sent. Its cause is what the socket, TLS or the proxy reported."""


class UnwantedError(Exception):
    """The request is not wanted any more. Nothing was sent."""


class SpokeFirstError(Exception):
    """Something came on a connection on which nothing had been asked yet. Nothing was sent on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request to `origin`, a scheme, a host and a port, as it goes over a connection.

    `leaves` is asked just before its first byte is sent: where it says no, nothing is.
    """

    origin: tuple[str, str, int]
    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    deadline: float
    leaves: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer that was read to its end, but is still packed as it came."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = field(repr=False)


class SocketStream:
    """Bytes to and from a host, over a socket or TLS. `clock` gives the time that a deadline is on."""

    def __init__(self, line: socket.socket, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._begun = False

    def read(self, deadline: float) -> bytes:
        """What has come, nothing at the end. Over TLS an end without its own sign is no end, but a line that broke."""
        self._begun = False
        self._wait_until(deadline)
        return self._line.recv(_CHUNK)

    def write(self, buffer: bytes, deadline: float) -> None:
        """Write all of `buffer`.

        Where the first write of a request fails at once, not one byte of it has left: that is no connection, and the
        call may be repeated.
        """
        rest = memoryview(buffer)
        while rest:
            self._wait_until(deadline)
            try:
                count = self._line.send(rest)
            except OSError as error:
                if self._begun or isinstance(error, TimeoutError):
                    raise
                raise NotConnectedError from error
            self._begun = True
            rest = rest[count:]

    def has_come(self) -> bool:
        """Whether bytes, or the end, have come that nobody asked for. What TLS says to itself is none of them.

        The stream is not to be used any more where they have: one of the bytes may be lost.
        """
        try:
            self._line.settimeout(0)
            self._line.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):  # TLS may have sent a ticket for a later session
            return False
        except OSError:
            pass
        return True

    def close(self) -> None:
        self._line.close()

    def with_tls(self, context: ssl.SSLContext, host: str, deadline: float) -> "SocketStream":
        """The same line under TLS. Raises `OSError`, and `ValueError` for a host that TLS cannot ask for."""
        try:
            self._wait_until(deadline)
            line = context.wrap_socket(self._line, server_hostname=host, suppress_ragged_eofs=False)
        except (OSError, ValueError):
            self.close()
            raise
        return SocketStream(line, self._clock)

    def _wait_until(self, deadline: float) -> None:
        """Let the next operation of the socket take what is left, all its waits together."""
        left = deadline - self._clock()
        if left <= 0:
            raise TimeoutError
        self._line.settimeout(left)


class Connection:
    """HTTP/1.1 over a stream: one request and its answer after the other."""

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)

    def has_come(self) -> bool:
        return self._stream.has_come()

    def close(self) -> None:
        self._stream.close()

    def ask(self, outgoing: Outgoing) -> Incoming:
        """Send a request and read its answer to the end. Raises `TooLargeError`, too.

        A server may answer before all is written, and close: so an answer is read also where writing broke half way.
        """
        if not outgoing.leaves():
            raise UnwantedError
        try:
            self._send(outgoing)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
        while not isinstance(head := self._event(outgoing.deadline), h11.Response):
            pass  # what comes before it announces it
        chunks, size = [], 0
        while isinstance(event := self._event(outgoing.deadline), h11.Data):
            size += len(event.data)
            if size > LARGEST_BODY:
                raise TooLargeError
            chunks.append(bytes(event.data))
        return Incoming(head.status_code, list(head.headers), b"".join(chunks))

    def make_ready(self) -> bool:
        """Whether another request may be sent: the answer was read whole, and nothing has come after it."""
        http = self._http
        if http.our_state is not h11.DONE or http.their_state is not h11.DONE or http.trailing_data[0]:
            return False
        http.start_next_cycle()
        return not self.has_come()

    def _send(self, outgoing: Outgoing) -> None:
        head = h11.Request(method=outgoing.method, target=outgoing.target, headers=outgoing.headers)
        parts = [self._http.send(head)]
        parts += [self._http.send(h11.Data(data=outgoing.body))] if outgoing.body else []
        parts.append(self._http.send(h11.EndOfMessage()))
        for part in filter(None, parts):
            self._stream.write(part, outgoing.deadline)

    def _event(self, deadline: float) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            received = self._stream.read(deadline)
            if not received and self._http.their_state is h11.SEND_RESPONSE:
                raise EOFError
            self._http.receive_data(received)
            if not received:
                return self._last_event()
        return event

    def _last_event(self) -> object:
        """The end of an answer without a length, if it is one."""
        with contextlib.suppress(h11.RemoteProtocolError):
            return self._http.next_event()
        raise EOFError

"""A connection to an origin: a socket or TLS with a total deadline, and HTTP/1.1 on it, read by h11.

A deadline is a point of time. A connection on which bytes come that nobody asked for is not used again. It raises
`NotConnectedError` before anything is sent; then what the socket or h11 raises, and `EOFError` for half an answer.
"""

import contextlib
import select
import socket
import ssl
import sys
from collections.abc import Callable
from math import ceil
from typing import ClassVar, Final, TypeAlias

from runner.foundation.discreet import Discreet
from runner.service.bodies import LARGEST_BODY, TooLargeError
from runner.service.gate import Clock
from runner.service.libraries import h11

_CHUNK: Final = 64 * 1024
_LONGEST_HEAD: Final = 100 * 1024
_LONGEST_WAIT: Final = 1_000_000.0  # seconds of a wait: the system counts milliseconds in 32 bits
_NOT_YET: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


Lines: TypeAlias = tuple[tuple[bytes, bytes], ...]  # names and values of headers


class NotConnectedError(Exception):
    """Nothing was sent; its cause says why."""


class UnwantedError(Exception):
    """The request is not wanted any more. Nothing was sent."""


class SpokeFirstError(Exception):
    """Something came on a connection on which nothing had been asked yet. Nothing was sent on it."""


class Outgoing(Discreet, frozen=True, kw_only=True):
    """A request to `origin`: scheme, host and port."""

    NOT_SHOWN: ClassVar = frozenset({"headers", "body"})

    origin: tuple[str, str, int]
    method: str
    target: bytes
    headers: Lines
    body: bytes | None = None
    deadline: float
    leaves: Callable[[], bool]  # asked before the first byte on each connection; at its no nothing is sent


class Incoming(Discreet, frozen=True):
    """An answer that was read to its end, but is still packed as it came."""

    NOT_SHOWN: ClassVar = frozenset({"body"})

    status: int
    headers: Lines
    body: bytes


class SocketStream:
    """Bytes to and from a host, over a socket or TLS, which never blocks. `clock` has the time of deadlines."""

    def __init__(self, line: socket.socket, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._begun = False
        line.settimeout(0)

    def read(self, deadline: float) -> bytes:
        """What has come, nothing at the end. An end of TLS without its sign is a broken connection."""
        if self._begun:
            self._begun = False
            self._wait(self._left(deadline), writes=False)
        while True:
            left = self._left(deadline)
            try:
                return self._line.recv(_CHUNK)
            except _NOT_YET as error:
                self._wait(left, writes=isinstance(error, ssl.SSLWantWriteError))

    def write(self, buffer: bytes, deadline: float) -> None:
        """Write all of `buffer`. Where the first write of a request fails at once, the call may be repeated."""
        rest = memoryview(buffer)
        while rest:
            left = self._left(deadline)
            try:
                count = self._line.send(rest)
            except _NOT_YET as error:
                self._wait(left, writes=not isinstance(error, ssl.SSLWantReadError))
                continue
            except OSError as error:
                if self._begun or isinstance(error, TimeoutError):
                    raise
                raise NotConnectedError from error
            self._begun = True
            rest = rest[count:]

    def has_come(self) -> bool:
        """Whether bytes or the end have come that nobody asked for, but for TLS itself. Then it is not used again."""
        try:
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
            self._line.settimeout(self._left(deadline))
            line = context.wrap_socket(self._line, server_hostname=host, suppress_ragged_eofs=False)
        except (OSError, ValueError):
            self.close()
            raise
        return SocketStream(line, self._clock)

    def _left(self, deadline: float) -> float:
        """Seconds to the deadline. Raises `TimeoutError` where it has passed."""
        left = deadline - self._clock()
        if left <= 0:
            raise TimeoutError
        return left

    def _wait(self, seconds: float, *, writes: bool) -> None:
        """Wait until it can be written, or read: TLS may have to write before it reads, and the other way round."""
        if not _is_ready(self._line, min(seconds, _LONGEST_WAIT), writes=writes):
            raise TimeoutError


if sys.platform == "win32":

    def _is_ready(line: socket.socket, seconds: float, *, writes: bool) -> bool:
        lines = [line]
        ready = select.select([] if writes else lines, lines if writes else [], lines if writes else [], seconds)
        return any(ready)

else:

    def _is_ready(line: socket.socket, seconds: float, *, writes: bool) -> bool:
        waiting = select.poll()
        waiting.register(line, select.POLLOUT if writes else select.POLLIN)
        return bool(waiting.poll(ceil(seconds * 1000)))


class Connection:
    """HTTP/1.1 over a stream: a request and its answer, then the next."""

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        self._checked: tuple[Lines, h11.Request] | None = None

    def has_come(self) -> bool:
        return self._stream.has_come()

    def close(self) -> None:
        self._stream.close()

    def ask(self, outgoing: Outgoing) -> Incoming:
        """Send a request and read its answer, also where writing broke: it may come early. Raises `TooLargeError`."""
        try:
            self._send(outgoing)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
        self._receive(outgoing.deadline)  # h11 has nothing to read before
        while type(head := self._event(outgoing.deadline)) is not h11.Response:
            pass  # what comes before it announces it
        chunks, size = [], 0
        while type(event := self._event(outgoing.deadline)) is h11.Data:
            size += len(event.data)
            if size > LARGEST_BODY:
                raise TooLargeError
            chunks.append(bytes(event.data))
        return Incoming(head.status_code, tuple(head.headers.raw_items()), b"".join(chunks))

    def make_ready(self) -> bool:
        """Whether another request may be sent: the answer was read whole, and nothing came after it so far."""
        http = self._http
        if http.our_state is not h11.DONE or http.their_state is not h11.DONE or http.trailing_data[0]:
            return False
        http.start_next_cycle()
        return True

    def _head(self, outgoing: Outgoing) -> h11.Request:
        """The head of a request. The headers of most are those of the request before, which h11 has checked."""
        lines = outgoing.headers
        known = self._checked[1].headers if self._checked is not None and self._checked[0] == lines else [*lines]
        head = h11.Request(method=outgoing.method, target=outgoing.target, headers=known)
        self._checked = (lines, head)
        return head

    def _send(self, outgoing: Outgoing) -> None:
        parts = [self._http.send(self._head(outgoing))]
        parts += [self._http.send(h11.Data(data=outgoing.body))] if outgoing.body else []
        parts.append(self._http.send(h11.EndOfMessage()))
        for part in filter(None, parts):
            self._stream.write(part, outgoing.deadline)

    def _event(self, deadline: float) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if not self._receive(deadline):
                return self._last_event()
        return event

    def _receive(self, deadline: float) -> bool:
        """Hand what has come to h11. False at the end, which ends an answer at most if its head was read."""
        received = self._stream.read(deadline)
        if not received and self._http.their_state is h11.SEND_RESPONSE:
            raise EOFError
        self._http.receive_data(received)
        return bool(received)

    def _last_event(self) -> object:
        """The end of an answer without a length, if it is an end."""
        with contextlib.suppress(h11.RemoteProtocolError):
            return self._http.next_event()
        raise EOFError

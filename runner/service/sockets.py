"""Sockets with a total deadline: every wait is for what is left of it.

A deadline is a point of time on the clock, None for no end. What a broken socket means is told in `outages`: its own
exception is the cause of httpx's, wrapped in a `ProxyError` where it broke on the way to a proxy.
"""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from runner.service.libraries import httpx
from runner.service.tunnel import Proxy, ProxyError, ask

Clock: TypeAlias = Callable[[], float]

Address: TypeAlias = tuple[
    socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
]
"""What `socket.getaddrinfo` tells of one way to a host."""
LookUp: TypeAlias = Callable[[str, int], Sequence[Address]]

CONNECT_SECONDS: Final = 20.0
"""A connection that takes longer will not come: by then the system has asked four times."""


def _addresses(host: str, port: int) -> Sequence[Address]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Connector:
    """Opens streams to hosts, on `clock`, through `proxy` where there is one."""

    def __init__(self, clock: Clock, *, proxy: Proxy | None = None, look_up: LookUp = _addresses) -> None:
        self._clock = clock
        self._proxy = proxy
        self._look_up = look_up

    def connect(self, host: str, port: int, deadline: float) -> "Stream":
        """A stream to the host. Raises `httpx.ConnectTimeout` and `httpx.ConnectError`."""
        limit = min(deadline, self._clock() + CONNECT_SECONDS)
        if self._proxy is not None:
            return Stream(self._through(self._proxy, (host, port), limit), self._clock)
        try:
            return Stream(self._line(host, port, limit), self._clock)
        except (OSError, UnicodeError) as error:
            raise _while_connecting(error) from error

    def _line(self, host: str, port: int, limit: float) -> socket.socket:
        """Try each address of `host` for its share of the time left: the first may lead nowhere."""
        addresses = self._found(host, port, limit)
        failure: OSError = OSError("the host has no address")
        for number, address in enumerate(addresses):
            left = limit - self._clock()
            try:
                return _connected(address, left / (len(addresses) - number))
            except OSError as error:
                failure = error
        raise failure

    def _found(self, host: str, port: int, limit: float) -> Sequence[Address]:
        """The addresses of `host`. Nothing cuts the system's own look-up short, so a thread of its own waits for it."""
        with contextlib.suppress(OSError, UnicodeError):  # an address needs no look-up
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        found: list[Sequence[Address] | OSError | UnicodeError] = []

        def look() -> None:
            try:
                found.append(self._look_up(host, port))
            except (OSError, UnicodeError) as error:
                found.append(error)

        looking = threading.Thread(target=look, name=f"look up {host}", daemon=True)
        looking.start()
        looking.join(max(0.0, limit - self._clock()))
        if not found:
            raise TimeoutError
        if isinstance(found[0], OSError | UnicodeError):
            raise found[0]
        return found[0]

    def _through(self, proxy: Proxy, place: tuple[str, int], limit: float) -> socket.socket:
        """A tunnel to `place`. Whatever breaks on the way is the proxy's doing, also a time that is over."""
        try:
            line = self._line(proxy.host, proxy.port, limit)
            try:
                ask(line, proxy, place=place, left=lambda: limit - self._clock())
            except BaseException:
                line.close()
                raise
        except ProxyError as error:
            raise httpx.ConnectError(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error)) from ProxyError(cause=error)
        return line


def _connected(address: Address, seconds: float) -> socket.socket:
    if seconds <= 0:
        raise TimeoutError
    family, kind, protocol, _, place = address
    line = socket.socket(family, kind, protocol)
    try:
        line.settimeout(seconds)
        # Without it the body of a POST, written after its head, would wait for the head's receipt.
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.connect(place)
    except OSError:
        line.close()
        raise
    return line


class Stream:
    """Bytes to and from a host, over a socket or TLS. Raises what `httpx` names for it."""

    def __init__(self, line: socket.socket, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._begun = False
        self._is_readable = _watch(line)

    def read(self, max_bytes: int, deadline: float | None) -> bytes:
        """What has come, nothing at the end. Over TLS an end without its own sign is no end, but a line that broke."""
        self._begun = False
        try:
            self._wait_until(deadline)
            return self._line.recv(max_bytes)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    def write(self, buffer: bytes, deadline: float | None) -> None:
        """Write all of `buffer`.

        Where the first write of a request fails at once, not one byte of it has left: that is no connection, and the
        call may be repeated.
        """
        rest = memoryview(buffer)
        while rest:
            try:
                self._wait_until(deadline)
                count = self._line.send(rest)
            except TimeoutError as error:
                raise httpx.WriteTimeout(str(error)) from error
            except OSError as error:
                raise (httpx.WriteError if self._begun else httpx.ConnectError)(str(error)) from error
            self._begun = True
            rest = rest[count:]

    def has_come(self) -> bool:
        """Whether bytes, or the end, have come that nobody asked for. What TLS says to itself is none of them.

        The stream is not to be used any more where they have: one of the bytes may be lost.
        """
        line = self._line
        if not isinstance(line, ssl.SSLSocket):
            return self._is_readable()
        try:
            if not line.pending() and not self._is_readable():
                return False
            line.settimeout(0)
            line.recv(1)
        except ssl.SSLWantReadError:  # a ticket for a later session, perhaps
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        self._line.close()

    def with_tls(self, context: ssl.SSLContext, host: str, deadline: float | None) -> "Stream":
        try:
            self._wait_until(deadline)
            line = context.wrap_socket(self._line, server_hostname=host, suppress_ragged_eofs=False)
            return Stream(line, self._clock)
        except (OSError, ValueError) as error:  # ValueError: a host that TLS cannot ask for
            self.close()
            raise _while_connecting(error) from error

    def _wait_until(self, deadline: float | None) -> None:
        """Let the next operation of the socket take what is left, all its waits together."""
        left = None if deadline is None else deadline - self._clock()
        if left is not None and left <= 0:
            raise TimeoutError
        self._line.settimeout(left)


def _while_connecting(error: Exception) -> httpx.TransportError:
    return (httpx.ConnectTimeout if isinstance(error, TimeoutError) else httpx.ConnectError)(str(error))


def _watch(line: socket.socket) -> Callable[[], bool]:
    """Something that tells whether bytes, or the end, have come on `line`."""
    number = line.fileno()
    if not hasattr(select, "poll"):  # Windows
        return lambda: bool(select.select([number], [], [], 0)[0])
    asked = select.poll()
    asked.register(number, select.POLLIN)
    return lambda: bool(asked.poll(0))

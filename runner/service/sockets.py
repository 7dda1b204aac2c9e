"""Sockets for httpcore with a total deadline: every wait is for what is left of it.

Each `timeout` that httpcore hands in is taken for a point of time on the clock, not for a number of seconds.
What a broken socket means is told in `outages`: its own exception travels as the argument of httpcore's, wrapped in a
`ProxyError` where it broke on the way to a proxy.
Looking up a host's name is the system's business, and the one wait that a deadline cannot cut short.
"""

import select
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from runner.service.libraries import httpcore
from runner.service.tunnel import Proxy, ProxyError, ask

Clock: TypeAlias = Callable[[], float]

Address: TypeAlias = tuple[
    socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
]
"""What `socket.getaddrinfo` tells of one way to a host."""

CONNECT_SECONDS: Final = 20.0
"""A connection that takes longer will not come: by then the system has asked four times."""


def _addresses(host: str, port: int) -> Sequence[Address]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class SocketBackend(httpcore.NetworkBackend):
    """Opens connections for httpcore, on `clock`, through `proxy` where there is one."""

    def __init__(
        self,
        clock: Clock,
        *,
        proxy: Proxy | None = None,
        look_up: Callable[[str, int], Sequence[Address]] = _addresses,
    ) -> None:
        self._clock = clock
        self._proxy = proxy
        self._look_up = look_up

    def connect_tcp(  # noqa: PLR0917  httpcore's signature
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        del local_address, socket_options  # of httpcore's port, and never given by us
        limit = self._clock() + CONNECT_SECONDS
        limit = min(timeout or limit, limit)
        if self._proxy is not None:
            return DeadlineStream(self._through(self._proxy, (host, port), limit), self._clock)
        try:
            return DeadlineStream(self._line(host, port, limit), self._clock)
        except (OSError, UnicodeError) as error:
            raise _while_connecting(error) from error

    def _line(self, host: str, port: int, limit: float) -> socket.socket:
        """Try each address of `host` for its share of the time left: the first may lead nowhere."""
        addresses = self._look_up(host, port)
        failure: OSError = OSError("the host has no address")
        for number, address in enumerate(addresses):
            left = limit - self._clock()
            try:
                return _connected(address, left / (len(addresses) - number))
            except OSError as error:
                failure = error
        raise failure

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
            raise httpcore.ConnectError(error) from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(ProxyError(cause=error)) from error
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


class DeadlineStream(httpcore.NetworkStream):
    def __init__(self, line: socket.socket, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._begun = False
        self._has_come = _watch(line)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._begun = False
        try:
            self._wait_until(timeout)
            return self._line.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(error) from error
        except OSError as error:
            raise httpcore.ReadError(error) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of `buffer`.

        Where the first write of a request fails at once, not one byte of it has left: that is no connection, and the
        call may be repeated. httpcore swallows a later WriteError, to read the answer of a server that closed early.
        """
        rest = memoryview(buffer)
        while rest:
            try:
                self._wait_until(timeout)
                count = self._line.send(rest)
            except TimeoutError as error:
                raise httpcore.WriteTimeout(error) from error
            except OSError as error:
                raise (httpcore.WriteError if self._begun else httpcore.ConnectError)(error) from error
            self._begun = True
            rest = rest[count:]

    def close(self) -> None:
        self._line.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            self._wait_until(timeout)
            return DeadlineStream(ssl_context.wrap_socket(self._line, server_hostname=server_hostname), self._clock)
        except (OSError, ValueError) as error:  # ValueError: a host that TLS cannot ask for
            self.close()
            raise _while_connecting(error) from error

    def get_extra_info(self, info: str) -> object:
        if info == "ssl_object":
            return self._line if isinstance(self._line, ssl.SSLSocket) else None
        if info == "is_readable":
            # An idle connection on which something has come, or that was closed, is not to be used again.
            return self._has_come()
        return None

    def _wait_until(self, deadline: float | None) -> None:
        """Let the next operation of the socket take what is left, all its waits together."""
        left = None if deadline is None else deadline - self._clock()
        if left is not None and left <= 0:
            raise TimeoutError
        self._line.settimeout(left)


def _while_connecting(error: Exception) -> Exception:
    return (httpcore.ConnectTimeout if isinstance(error, TimeoutError) else httpcore.ConnectError)(error)


def _watch(line: socket.socket) -> Callable[[], bool]:
    """Something that tells whether bytes, or the end, have come on `line`."""
    number = line.fileno()
    if not hasattr(select, "poll"):  # Windows
        return lambda: bool(select.select([number], [], [], 0)[0])
    asked = select.poll()
    asked.register(number, select.POLLIN)
    return lambda: bool(asked.poll(0))

"""Opens connections within a deadline, through a proxy or not, with TLS or not; and stores those at rest.

The system's authorities are trusted, those of certifi, and those that a target names.
The way through a proxy is a tunnel by CONNECT, also for plain HTTP: so a proxy answers before a call has left, and sees
nothing of it. Its address is secret, and in no message.
"""

import contextlib
import math
import os
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final, TypeAlias
from urllib.parse import unquote, urlsplit

from runner.foundation.discreet import Discreet
from runner.foundation.lazy import lazy_pattern
from runner.service.connection import (
    Connection,
    Incoming,
    NotConnectedError,
    Outgoing,
    SocketStream,
    SpokeFirstError,
    UnwantedError,
)
from runner.service.gate import Clock
from runner.service.site import Site
from runner.version import VERSION

_LONGEST_ANSWER: Final = 65536
_STATUS_LINE = lazy_pattern(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_END_OF_HEAD = lazy_pattern(rb"\r?\n\r?\n")
_PORT: Final = 80
MISMATCHES: Final = frozenset({62, 64})
"""OpenSSL's reasons: the certificate belongs to another name, to another address."""


class Proxy(Discreet, frozen=True, kw_only=True):
    """`authorization` is the header's value that names us, None for a proxy that asks nobody."""

    NOT_SHOWN: ClassVar = frozenset({"authorization"})

    host: str
    port: int
    authorization: str | None = None


class ProxyError(Exception):
    """No way through the proxy. `status` is of its answer, if any, `words` its own or ours; `cause` broke before."""

    def __init__(
        self, words: str = "", *, status: int | None = None, cause: Exception | None = None, knew_us: bool = False
    ) -> None:
        super().__init__(words)
        self.words = words
        self.status = status
        self.cause = cause
        self.knew_us = knew_us


def proxy_of(url: str) -> Proxy:
    """The proxy at `url`, which has been found to be a URL (`runner.targets.urls`); name and password may be in it."""
    parts = urlsplit(url)
    authorization = None
    if parts.username is not None:
        named = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {b64encode(named.encode()).decode()}"
    return Proxy(host=parts.hostname or "", port=parts.port or _PORT, authorization=authorization)


def ask(line: socket.socket, proxy: Proxy, *, place: tuple[str, int], left: Callable[[], float]) -> None:
    """Make `line` a tunnel to `place`, a host and port, within `left()` seconds. Raises `ProxyError` and `OSError`."""
    line.settimeout(_some(left()))
    line.sendall(_request(proxy, place))
    head = b""
    while not (end := _END_OF_HEAD.search(head)):
        line.settimeout(_some(left()))
        received = line.recv(4096)
        if not received or len(head) > _LONGEST_ANSWER:
            raise ProxyError("its answer ends too early" if not received else "its answer has no end")
        head += received
    status = _STATUS_LINE.match(head)
    if status is None or (len(head) > end.end() and status[1].startswith(b"2")):
        raise ProxyError("its answer is no HTTP")
    if not status[1].startswith(b"2"):
        words = f"{status[1].decode()} {(status[2] or b'').decode('latin-1')}".strip()
        raise ProxyError(words, status=int(status[1]), knew_us=proxy.authorization is not None)


def _request(proxy: Proxy, place: tuple[str, int]) -> bytes:
    host, port = place
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}", f"User-Agent: creatio-runner/{VERSION}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode()


def _some(seconds: float) -> float:
    if seconds <= 0:
        raise TimeoutError
    return seconds


Address: TypeAlias = tuple[
    socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
]
"""What `socket.getaddrinfo` gives for an address of a host."""
LookUp: TypeAlias = Callable[[str, int], Sequence[Address]]
_Origin: TypeAlias = tuple[str, str, int]

CONNECT_SECONDS: Final = 20.0  # a connection that takes longer will not come: by then the system has asked four times
_SOON: Final = 1.0
"""A call whose start is stored leaves within these seconds, or not at all: else whose row is whose gets less sure."""
IDLE_SECONDS: Final = 0.5
"""Servers close idle connections too, some after a second: a call on a connection that closes looks unanswered."""
_CLOSES_SECONDS: Final = 3600.0
"""How long no connection rests to a server that has closed a connection at rest: it may close each after its answer."""


def trusting(site: Site | None) -> ssl.SSLContext:
    """What TLS trusts at first. Of the site's `authorities` each certificate is trusted, also if it is no root."""
    folder = _folder_by_hash()
    context = ssl.create_default_context(capath=folder)  # without a folder all of the system's are read
    if folder is None and context.cert_store_stats()["x509"] == 0:
        trust_all(context)
    if site is not None and site.authorities is not None:
        context.load_verify_locations(cadata=site.authorities)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _folder_by_hash() -> str | None:
    """The system's folder of authorities, if OpenSSL finds each by its name there: to read all takes 25 ms."""
    paths = ssl.get_default_verify_paths()
    if not paths.capath or os.environ.get(paths.openssl_cafile_env):
        return None
    return paths.capath if any(Path(paths.capath).glob("*.0")) else None


def trust_all(context: ssl.SSLContext) -> ssl.SSLContext:
    """Have it trust all authorities of the system and those of certifi, too."""
    import certifi  # noqa: PLC0415  20 ms

    context.load_default_certs()
    context.load_verify_locations(cafile=certifi.where())
    return context


def _addresses(host: str, port: int) -> Sequence[Address]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Connector:
    """Opens streams to hosts, on `clock`, through `proxy` if there is any."""

    def __init__(self, clock: Clock, *, proxy: Proxy | None = None, look_up: LookUp = _addresses) -> None:
        self._clock = clock
        self._proxy = proxy
        self._look_up = look_up
        self._reached: dict[tuple[str, int], Address] = {}

    def connect(self, host: str, port: int, deadline: float, *, tls: ssl.SSLContext | None = None) -> SocketStream:
        """A stream to the host. Raises `NotConnectedError`. A host that `tls` does not trust is sent nothing."""
        known = 0 if tls is None else tls.cert_store_stats()["x509"]
        try:
            return self._connect(host, port, deadline, tls=tls)
        except ssl.SSLCertVerificationError as error:
            assert tls is not None
            if error.verify_code in MISMATCHES or trust_all(tls).cert_store_stats()["x509"] == known:
                raise NotConnectedError from error
            return self.connect(host, port, deadline, tls=tls)
        except (OSError, ValueError, ProxyError) as error:  # UnicodeError, a ValueError: a name that no host can have
            raise NotConnectedError from error

    def _connect(self, host: str, port: int, deadline: float, *, tls: ssl.SSLContext | None) -> SocketStream:
        limit = min(deadline, self._clock() + CONNECT_SECONDS)
        line = self._line(host, port, limit) if self._proxy is None else self._tunnel(self._proxy, host, port, limit)
        stream = SocketStream(line, self._clock)
        return stream if tls is None else stream.with_tls(tls, host, deadline)

    def _line(self, host: str, port: int, limit: float) -> socket.socket:
        """Try each address of `host` for its share of the time left, first that which was reached last."""
        reached = self._reached.get((host, port))
        addresses = sorted(self._found(host, port, limit), key=lambda address: address != reached)
        failure: OSError = OSError("the host has no address")
        for number, address in enumerate(addresses):
            left = limit - self._clock()
            try:
                line = _connected(address, left / (len(addresses) - number))
            except OSError as error:
                failure = error
            else:
                self._reached[host, port] = address
                return line
        raise failure

    def _found(self, host: str, port: int, limit: float) -> Sequence[Address]:
        """The addresses of `host`. Nothing cuts the system's own look-up short, so a thread of its own waits for it."""
        with contextlib.suppress(OSError, UnicodeError):  # an address needs no look-up
            numbers = host.encode("ascii")  # for a text Python imports what reads names of other alphabets: 2 ms
            return socket.getaddrinfo(numbers, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
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

    def _tunnel(self, proxy: Proxy, host: str, port: int, limit: float) -> socket.socket:
        """A tunnel to the host. Whatever breaks on the way is the proxy's doing, also a time that is over."""
        try:
            line = self._line(proxy.host, proxy.port, limit)
            try:
                ask(line, proxy, place=(host, port), left=lambda: limit - self._clock())
            except BaseException:
                line.close()
                raise
        except (OSError, UnicodeError) as error:
            raise ProxyError(cause=error) from error
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


def _leave(outgoing: Outgoing) -> None:
    if not outgoing.leaves():
        raise UnwantedError


class Connections:
    """A connection for each call at once. At rest it can be used again for a short time."""

    def __init__(
        self, *, tls: ssl.SSLContext | None, clock: Clock = time.monotonic, connector: Connector | None = None
    ) -> None:
        self._clock = clock
        self._tls = tls
        self._connector = connector or Connector(clock)
        self._idle: defaultdict[_Origin, list[tuple[float, Connection]]] = defaultdict(list)
        self._closed_at: dict[_Origin, float] = {}  # when servers closed a connection at rest, or with a call on it
        self._lock = threading.Lock()
        self._is_closed = False

    def send(self, outgoing: Outgoing) -> Incoming:
        """Raises what `runner.service.connection` names, `SpokeFirstError` and `UnwantedError`."""
        rested = self._rested(outgoing.origin)
        connection = rested or self._fresh(outgoing.origin, outgoing.deadline)
        try:
            _leave(outgoing)
            if connection.has_come():  # the server closed it while the start was stored: nothing has left
                self._drop(outgoing.origin, connection)
                connection = self._fresh(outgoing.origin, min(outgoing.deadline, self._clock() + _SOON))
                _leave(outgoing)
            incoming = connection.ask(outgoing)
        except BaseException as error:
            if connection is rested and isinstance(error, ConnectionError | ssl.SSLError | EOFError):
                self._drop(outgoing.origin, connection)
            connection.close()
            raise
        if connection.make_ready():
            self._rest(outgoing.origin, connection)
        else:
            connection.close()
        return incoming

    def close(self) -> None:
        """Close connections at rest now, and others when they come to rest."""
        with self._lock:
            self._is_closed = True
            resting = [connection for idle in self._idle.values() for _, connection in idle]
            self._idle.clear()
        for connection in resting:
            connection.close()

    def _fresh(self, origin: _Origin, deadline: float) -> Connection:
        scheme, host, port = origin
        tls = (self._tls or trusting(None)) if scheme == "https" else None
        connection = Connection(self._connector.connect(host, port, deadline, tls=tls))
        if connection.has_come():
            connection.close()
            raise SpokeFirstError
        return connection

    def _rested(self, origin: _Origin) -> Connection | None:
        """The connection that has rested for the shortest time, if none that can be used is too old."""
        while True:
            with self._lock:
                idle = self._idle[origin]
                since, connection = idle.pop() if idle else (0.0, None)
            if connection is None:
                return None
            if self._clock() - since > IDLE_SECONDS:
                connection.close()
            elif connection.has_come():
                self._drop(origin, connection)
            else:
                return connection

    def _drop(self, origin: _Origin, connection: Connection) -> None:
        """Close a connection that the server has closed, although it had not rested for long."""
        connection.close()
        self._closed_at[origin] = self._clock()

    def _rest(self, origin: _Origin, connection: Connection) -> None:
        """Store a connection for the next call, and let those go that have rested for too long."""
        now = self._clock()
        with self._lock:
            may_rest = not self._is_closed and now - self._closed_at.get(origin, -math.inf) > _CLOSES_SECONDS
            idle = self._idle[origin]
            old = [other for since, other in idle if now - since > IDLE_SECONDS]
            self._idle[origin] = [*idle[len(old) :], *([(now, connection)] if may_rest else [])]
        for unused in [*old, *([] if may_rest else [connection])]:
            unused.close()

"""The network: HTTP/1.1 over sockets with a total deadline, and the exchange of one request for its reply.

No exception of httpx, of h11, of sockets or of TLS leaves it. It follows no redirect, reads no environment, repeats
nothing and knows nothing of sessions.
"""

import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from runner.service import bodies, outages
from runner.service.calls import CallFailed
from runner.service.exchange import Connection, SpokeFirstError
from runner.service.gate import Gate
from runner.service.libraries import h11, httpcore, httpx
from runner.service.pace import Pace
from runner.service.sockets import CONNECT_SECONDS, Clock, Connector
from runner.service.tunnel import proxy_of
from runner.service.wire import Headers, Reply, Request, Site

Transport: TypeAlias = httpx.BaseTransport

IDLE_SECONDS: Final = 2.0
"""Servers close idle connections too, and a call on one that is just being closed looks unanswered."""
_LAST_PORT: Final = 65535


class UnwantedError(Exception):
    """What was to be sent is not wanted any more. Nothing was."""


@dataclass(slots=True, kw_only=True)
class Deadline:
    """When the time of a call is over, on the clock, and how many seconds it has, for sentences.

    What is waited before something may leave is none of that time. `gate` tells whether it may. `whole` is the deadline
    that this one is a part of.
    """

    at: float
    seconds: float
    gate: Gate
    whole: "Deadline | None" = None

    def put_off(self, seconds: float) -> None:
        self.at += seconds
        if self.whole is not None:
            self.whole.put_off(seconds)

    def within(self, seconds: float | None, *, now: float) -> "Deadline":
        """A part of this time: at most so many seconds from `now` on."""
        if seconds is None or now + seconds >= self.at:
            return self
        return Deadline(at=now + seconds, seconds=seconds, gate=self.gate, whole=self)


class Carrier:
    """The way to one origin, a site or its identity service. `transport` carries requests of httpx.

    Path and query travel as the request's extension `target`, which httpx and httpcore send as it is: `httpx.URL`
    would normalise them, refuse them beyond 64 KiB, and take 15 µs of each call.
    """

    def __init__(
        self,
        url: str,
        *,
        place: str,
        transport: Transport,
        clock: Clock,
        headers: Headers = (),
        pace: Pace | None = None,
    ) -> None:
        self.place = place
        self._clock = clock
        self._url = _url(url)
        self._transport = transport
        self._own = _encoded(headers)
        self._pace = pace
        self._barred: CallFailed | None = None

    def exchange(
        self, request: Request, *, headers: Headers, deadline: Deadline, leaves: Callable[[], bool]
    ) -> Reply | CallFailed:
        """Send `request` with the session's `headers` and read the whole reply, or say what broke.

        `leaves` is asked last of all, when nothing is left to be waited for: where it says no, nothing is sent.
        """
        if self._barred is not None:
            return self._barred
        if self._url is None:
            return outages.not_written(self.place, "`url` is no address of a site")
        if self._clock() >= deadline.at:
            return outages.no_time_left(self.place, deadline.seconds)
        if self._pace is not None:
            deadline.put_off(self._pace.wait_for_turn(deadline.gate))
        if not deadline.gate.is_wanted():
            return outages.not_wanted(self.place)
        lines = [*_encoded(request.headers), *_encoded(headers), *self._own]
        written = _written(request, self._url, lines, deadline=deadline.at, leaves=leaves)
        try:
            return _reply(self._transport.handle_request(written))
        except UnwantedError:
            return outages.not_wanted(self.place)
        except SpokeFirstError:
            return outages.spoke_first(self.place)
        except httpx.HTTPError as error:
            return self._failed(error, deadline)
        except bodies.NonsenseError as error:
            return outages.unreadable(self.place, str(error))
        except bodies.TooLargeError:
            return outages.too_large(self.place)

    def _failed(self, error: httpx.HTTPError, deadline: Deadline) -> CallFailed:
        place, seconds = self.place, deadline.seconds
        match error:
            case httpx.ConnectTimeout():
                return outages.no_connection_in_time(place, min(CONNECT_SECONDS, seconds))
            case httpx.ConnectError():
                failure = outages.no_connection(error.__cause__, place)
                if failure.final:  # a proxy that does not accept us: to try again could lock the account
                    self._barred = failure
                return failure
            case httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
                return outages.not_written(place, str(error))
            case httpx.TimeoutException():
                return outages.no_answer_in_time(place, seconds)
            case httpx.RemoteProtocolError() if not _cut_off(error):
                return outages.no_http(place, str(error))
            case _:
                return outages.broken(error.__cause__, place)


def _url(text: str) -> httpx.URL | None:
    try:
        url = httpx.URL(text.rstrip("/"))
    except httpx.InvalidURL:
        return None
    return url if url.scheme in {"http", "https"} and url.host and (url.port or 0) <= _LAST_PORT else None


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _written(request: Request, url: httpx.URL, lines: list[tuple[bytes, bytes]], **extensions: object) -> httpx.Request:
    lines.append((b"Host", url.netloc))
    if request.body is not None:
        lines.append((b"Content-Length", b"%d" % len(request.body)))
    # `stream=`, since with `content=` httpx builds the headers twice: 2 µs against 7.
    stream = httpx.ByteStream(request.body or b"")
    target = url.raw_path.rstrip(b"/") + request.path.encode("ascii")
    return httpx.Request(request.method, url, headers=lines, stream=stream, extensions={**extensions, "target": target})


def _reply(response: httpx.Response) -> Reply:
    """Read a response to its end, and let its connection go whatever happens."""
    lines = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers.raw]
    headers = dict(lines)
    stream = response.stream
    assert isinstance(stream, httpx.SyncByteStream)
    try:
        body = bodies.inflated(_read(stream), headers.get("content-encoding", ""))
    finally:
        stream.close()
    cookies = tuple([value for name, value in lines if name == "set-cookie"])
    return Reply(status=response.status_code, headers=headers, body=bodies.bounded(body), cookies=cookies)


def _read(stream: httpx.SyncByteStream) -> bytes:
    chunks, size = [], 0
    for chunk in stream:
        size += len(chunk)
        if size > bodies.LARGEST_BODY:
            raise bodies.TooLargeError
        chunks.append(chunk)
    return b"".join(chunks)


def _cut_off(error: httpx.RemoteProtocolError) -> bool:
    """Tell a connection that ended too early from one that speaks another language; only the words differ."""
    words = str(error)
    return "closed connection" in words or "disconnected" in words


def open_way(site: Site, clock: Clock) -> Transport:
    """The network as `site` is reached by it. Its connections to several origins are apart."""
    secure = any(url.startswith("https:") for url in (site.url.lower(), (site.identity_url or "").lower()))
    tls = trusting(site.authorities) if secure else None
    connector = Connector(clock, proxy=None if site.proxy is None else proxy_of(site.proxy))
    return SocketTransport(tls=tls, clock=clock, connector=connector)


def trusting(authorities: str | None) -> ssl.SSLContext:
    """The system's authorities, those of certifi, and `authorities`, in PEM. Costs 5 ms: once a site.

    One of `authorities` need not be a root: whoever names it trusts it as it stands.
    """
    context = httpcore.default_ssl_context()
    if authorities is not None:
        context.load_verify_locations(cadata=authorities)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


class SocketTransport(httpx.BaseTransport):
    """HTTP/1.1 over our own sockets, with as many connections as there are calls at once.

    A request's extension `deadline` bounds all it does, on `clock`: httpx has no total timeout, only one for each read,
    and a server that drips bytes makes 2 s into minutes. The extension `leaves` is asked just before its first byte is
    sent.
    """

    def __init__(
        self, *, tls: ssl.SSLContext | None, clock: Clock = time.monotonic, connector: Connector | None = None
    ) -> None:
        self._clock = clock
        self._tls = tls
        self._connector = connector or Connector(clock)
        self._idle: defaultdict[_Origin, list[tuple[float, Connection]]] = defaultdict(list)
        self._lock = threading.Lock()
        self._is_closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        deadline, url = request.extensions["deadline"], request.url
        origin = (url.scheme, url.host, url.port)
        connection = self._rested(origin) or self._fresh(origin, deadline)
        try:
            head = self._answer(connection, request)
        except BaseException:
            connection.close()
            raise
        body = _Body(connection, deadline, rest=lambda: self._rest(origin, connection))
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=body)

    @staticmethod
    def _answer(connection: Connection, request: httpx.Request) -> h11.Response:
        if not request.extensions["leaves"]():
            raise UnwantedError
        return connection.ask(request, request.extensions["deadline"])

    def close(self) -> None:
        """Close what rests now, and what comes to rest later: a thread that nobody waits for may still be answered."""
        with self._lock:
            self._is_closed = True
            resting = [connection for idle in self._idle.values() for _, connection in idle]
            self._idle.clear()
        for connection in resting:
            connection.close()

    def _fresh(self, origin: "_Origin", deadline: float) -> Connection:
        scheme, host, port = origin
        is_secure = scheme == "https"
        stream = self._connector.connect(host, port or (443 if is_secure else 80), deadline)
        if is_secure:
            stream = stream.with_tls(self._tls or trusting(None), host, deadline)
        connection = Connection(stream)
        if connection.has_come():
            connection.close()
            raise SpokeFirstError
        return connection

    def _rested(self, origin: "_Origin") -> Connection | None:
        """The connection that has rested for the shortest time, if none that can be used is too old."""
        while True:
            with self._lock:
                idle = self._idle[origin]
                since, connection = idle.pop() if idle else (0.0, None)
            if connection is None:
                return None
            if self._clock() - since <= IDLE_SECONDS and not connection.has_come():
                return connection
            connection.close()

    def _rest(self, origin: "_Origin", connection: Connection) -> None:
        """Keep a connection for the next call, and let those go that have rested for too long."""
        now = self._clock()
        with self._lock:
            idle = self._idle[origin]
            old = [one for since, one in idle if now - since > IDLE_SECONDS]
            self._idle[origin] = [*idle[len(old) :], *([] if self._is_closed else [(now, connection)])]
        for one in [*old, *([connection] if self._is_closed else [])]:
            one.close()


_Origin: TypeAlias = tuple[str, str, int | None]


class _Body(httpx.SyncByteStream):
    """The body of an answer. Its connection rests where it was read whole and nothing came behind it."""

    def __init__(self, connection: Connection, deadline: float, *, rest: Callable[[], None]) -> None:
        self._connection = connection
        self._deadline = deadline
        self._rest = rest

    def __iter__(self) -> Iterator[bytes]:
        return self._connection.body(self._deadline)

    def close(self) -> None:
        if self._connection.make_ready():
            self._rest()
        else:
            self._connection.close()

"""The network: HTTP/1.1 over sockets with a total deadline, and the exchange of one request for its reply.

With `sockets` and `tunnel` the only user of httpx and httpcore; no exception of theirs, of sockets or of TLS leaves it.
It follows no redirect, reads no environment, repeats nothing and knows nothing of sessions.
"""

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from runner.service import bodies, outages
from runner.service.calls import CallFailed
from runner.service.libraries import httpcore, httpx
from runner.service.pace import Pace
from runner.service.sockets import CONNECT_SECONDS, Clock, SocketBackend
from runner.service.tunnel import Proxy, proxy_of
from runner.service.wire import Headers, Reply, Request, Site

Transport: TypeAlias = httpx.BaseTransport

IDLE_SECONDS: Final = 2.0
"""Servers close idle connections too, and a call on one that is just being closed looks unanswered."""
_CONNECTIONS: Final = 20
_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point of time on the clock, and how many seconds it was away at first, for sentences."""

    at: float
    seconds: float


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

    def exchange(self, request: Request, *, headers: Headers, deadline: Deadline) -> Reply | CallFailed:
        """Send `request` with the session's `headers` and read the whole reply, or say what broke."""
        if self._barred is not None:
            return self._barred
        if self._url is None:
            return outages.not_written(self.place, "`url` is no address of a site")
        if self._clock() >= deadline.at:
            return outages.no_time_left(self.place, deadline.seconds)
        if self._pace is not None and not self._pace.take_turn(deadline.at):
            return outages.no_turn(self.place, deadline.seconds)
        lines = [*_encoded(request.headers), *_encoded(headers), *self._own]
        try:
            return _reply(self._transport.handle_request(_written(request, self._url, lines, deadline)))
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
            case httpx.PoolTimeout():
                return outages.no_connection_free(place, seconds)
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


def _written(request: Request, url: httpx.URL, lines: list[tuple[bytes, bytes]], deadline: Deadline) -> httpx.Request:
    lines.append((b"Host", url.netloc))
    if request.body is not None:
        lines.append((b"Content-Length", b"%d" % len(request.body)))
    # `stream=`, since with `content=` httpx builds the headers twice: 2 µs against 7.
    stream = httpx.ByteStream(request.body or b"")
    target = url.raw_path.rstrip(b"/") + request.path.encode("ascii")
    extensions = {"deadline": deadline.at, "target": target}
    return httpx.Request(request.method, url, headers=lines, stream=stream, extensions=extensions)


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
    return Reply(status=response.status_code, headers=headers, body=body, cookies=cookies)


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
    return SocketTransport(tls=tls, clock=clock, proxy=None if site.proxy is None else proxy_of(site.proxy))


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
    """HTTP/1.1 over our own sockets. A request's extension `deadline` bounds all it does, on `clock`.

    httpx has no total timeout, only one for each read: a server that drips bytes makes 2 s into minutes.
    """

    def __init__(
        self, *, tls: ssl.SSLContext | None, clock: Clock = time.monotonic, proxy: Proxy | None = None
    ) -> None:
        self._clock = clock
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=_CONNECTIONS,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=SocketBackend(clock, proxy=proxy),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        deadline = request.extensions["deadline"]
        # Our streams take these for points of time. Only the pool, which waits by itself, is told seconds.
        timeout = {"connect": deadline, "write": deadline, "read": deadline, "pool": max(0.0, deadline - self._clock())}
        url, target = request.url, request.extensions["target"]
        try:
            response = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions={"timeout": timeout},
                )
            )
        except _LIBRARY_ERRORS as error:
            raise _translated(error) from _cause(error)
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._response.iter_stream()
        except _LIBRARY_ERRORS as error:
            raise _translated(error) from _cause(error)

    def close(self) -> None:
        self._response.close()


_LIBRARY_ERRORS: Final = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)
_TRANSLATIONS: Final[dict[type[Exception], type[httpx.TransportError]]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
}


def _translated(error: Exception) -> httpx.TransportError:
    return _TRANSLATIONS.get(type(error), httpx.NetworkError)(str(error))


def _cause(error: Exception) -> BaseException:
    """What the socket or TLS said: httpcore cuts the chain, the streams of `sockets` keep it as the argument."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, BaseException) else error

"""The network: HTTP/1.1 over sockets with a total deadline, and the exchange of one request for its reply.

The only house of httpx, and with `sockets` of httpcore; no exception of theirs, of sockets or of TLS leaves it.
It follows no redirect, asks no proxy, reads no environment, repeats nothing and knows nothing of sessions.
"""

import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Final, TypeAlias

from runner.service import bodies, outages
from runner.service.calls import CallFailed
from runner.service.sockets import CONNECT_SECONDS, Clock, SocketBackend
from runner.service.wire import Headers, Reply, Request

# `import httpx` ends with its command line, which brings click, rich and pygments along where they are installed:
# 86 ms against 53 ms (measured, median of 7 starts). None in `sys.modules` makes that one import fail, which httpx
# meets as it does without its extra `httpx[cli]`; afterwards `httpx._main` can be imported again.
_modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # Python allows None
_modules.setdefault("httpx._main", None)
import httpcore  # noqa: E402  it must come after the line above
import httpx  # noqa: E402  likewise

if _modules["httpx._main"] is None:
    del _modules["httpx._main"]

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
    """The way to one site. `transport` carries requests of httpx; tests hand in another one.

    Path and query travel as the request's extension `target`, which httpx and httpcore send as it is: `httpx.URL`
    would normalise them, refuse them beyond 64 KiB, and take 15 µs of each call.
    """

    def __init__(self, url: str, *, place: str, transport: Transport | None, clock: Clock) -> None:
        self._place = place
        self._clock = clock
        self._url = _url(url)
        secure = self._url is not None and self._url.scheme == "https"
        self._transport = transport or SocketTransport(tls=_trusted() if secure else None, clock=clock)

    def exchange(self, request: Request, *, headers: Headers, deadline: Deadline) -> Reply | CallFailed:
        """Send `request` with the session's `headers` and read the whole reply, or say what broke."""
        if self._url is None:
            return outages.not_written(self._place, "`url` is no address of a site")
        if self._clock() >= deadline.at:
            return outages.no_time_left(self._place, deadline.seconds)
        try:
            return _reply(self._transport.handle_request(_written(request, self._url, headers, deadline)))
        except httpx.HTTPError as error:
            return self._failed(error, deadline)
        except bodies.NonsenseError as error:
            return outages.unreadable(self._place, str(error))
        except bodies.TooLargeError:
            return outages.too_large(self._place)

    def close(self) -> None:
        self._transport.close()

    def _failed(self, error: httpx.HTTPError, deadline: Deadline) -> CallFailed:
        place, seconds = self._place, deadline.seconds
        match error:
            case httpx.ConnectTimeout():
                return outages.no_connection_in_time(place, min(CONNECT_SECONDS, seconds))
            case httpx.PoolTimeout():
                return outages.no_connection_free(place, seconds)
            case httpx.ConnectError():
                return outages.no_connection(error.__cause__, place)
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


def _written(request: Request, url: httpx.URL, headers: Headers, deadline: Deadline) -> httpx.Request:
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*request.headers, *headers)]
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


def _trusted() -> ssl.SSLContext:
    """The system's authorities, and those of certifi where the system has none. Costs 5 ms: once a site."""
    return httpcore.default_ssl_context()


class SocketTransport(httpx.BaseTransport):
    """HTTP/1.1 over our own sockets. A request's extension `deadline` bounds all it does, on `clock`.

    httpx has no total timeout, only one for each read: a server that drips bytes makes 2 s into minutes.
    """

    def __init__(self, *, tls: ssl.SSLContext | None, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=_CONNECTIONS,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=SocketBackend(clock),
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

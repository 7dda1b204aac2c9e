"""The way to an origin: a request, and its reply or why there is none.

No exception of h11, sockets or TLS leaves it. It follows no redirect, and repeats nothing.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from msgspec import Struct

from runner.service import bodies, outages
from runner.service.calls import CallFailed
from runner.service.connecting import CONNECT_SECONDS, Connections, Connector, proxy_of, trusting
from runner.service.connection import Incoming, Lines, NotConnectedError, Outgoing, SpokeFirstError, UnwantedError
from runner.service.gate import Clock, Deadline, SitePace
from runner.service.libraries import URL, InvalidURL, h11
from runner.service.site import Headers, Reply, Request, Site

_PORTS: Final = {"http": 80, "https": 443}
_LAST_PORT: Final = 65535


class Transport(Protocol):
    """The network, or its replacement. It raises as `Connections` does."""

    def send(self, outgoing: Outgoing) -> Incoming: ...

    def close(self) -> None: ...


def network(site: Site, clock: Clock) -> Transport:
    """The network as `site` is reached by it. Its connections to several origins are apart."""
    secure = any(url.startswith("https:") for url in (site.url.lower(), (site.identity_url or "").lower()))
    tls = trusting(site) if secure else None
    connector = Connector(clock, proxy=None if site.proxy is None else proxy_of(site.proxy))
    return Connections(tls=tls, clock=clock, connector=connector)


class Carrier:
    """The way to the origin at `url`, a site or its identity service. httpx reads the address; paths are encoded."""

    def __init__(
        self,
        url: str,
        *,
        place: str,
        transport: Transport,
        clock: Clock,
        headers: Headers = (),
        pace: SitePace | None = None,
    ) -> None:
        self.place = place
        self._clock = clock
        self._place = _place(url)
        self._transport = transport
        self._own = _encoded(headers)
        self._pace = pace
        self._barred: CallFailed | None = None

    def exchange(
        self, request: Request, *, headers: Headers, deadline: Deadline, leaves: Callable[[], bool]
    ) -> Reply | CallFailed:
        """Send `request` and read the whole reply, or give what broke. `leaves` is asked last, and may prevent it."""
        if self._barred is not None:
            return self._barred
        if self._place is None:
            return outages.not_written(self.place, "`url` is no address of a site")
        if self._clock() >= deadline.at:
            return outages.no_time_left(self.place, deadline.seconds)
        if self._pace is not None:
            deadline.put_off(self._pace.wait_for_turn(deadline.gate))
        if not deadline.gate.is_wanted():
            return outages.not_wanted(self.place)
        length = () if request.body is None else ((b"Content-Length", b"%d" % len(request.body)),)
        outgoing = Outgoing(
            origin=self._place.origin,
            method=request.method,
            target=self._place.path + request.path.encode("ascii"),
            headers=(*_encoded(request.headers), *_encoded(headers), *self._own, self._place.host, *length),
            body=request.body,
            deadline=deadline.at,
            leaves=leaves,
        )
        try:
            return _reply(self._transport.send(outgoing))
        except (NotConnectedError, UnwantedError, SpokeFirstError) as error:
            return self._not_sent(error, deadline.seconds)
        except (OSError, EOFError, h11.ProtocolError, bodies.NonsenseError, bodies.TooLargeError) as error:
            return outages.no_answer(error, self.place, deadline.seconds)

    def _not_sent(self, error: Exception, seconds: float) -> CallFailed:
        if isinstance(error, UnwantedError):
            return outages.not_wanted(self.place)
        if isinstance(error, SpokeFirstError):
            return outages.spoke_first(self.place)
        if isinstance(error.__cause__, TimeoutError) and not outages.is_handshake(error.__cause__):
            return outages.no_connection_in_time(self.place, min(CONNECT_SECONDS, seconds))
        failure = outages.no_connection(error.__cause__, self.place)
        if failure.final:  # a proxy that does not accept us: to try again could lock the account
            self._barred = failure
        return failure


class _AddressParts(Struct, frozen=True, kw_only=True):
    """What all requests to an address have in common."""

    origin: tuple[str, str, int]
    host: tuple[bytes, bytes]
    path: bytes


def _place(text: str) -> _AddressParts | None:
    """Host and port of an address; None for no address."""
    try:
        url = URL(text.rstrip("/"))
    except InvalidURL:
        return None
    if url.scheme not in _PORTS or not url.host or (url.port or 0) > _LAST_PORT:
        return None
    origin = (url.scheme, url.host, url.port or _PORTS[url.scheme])
    return _AddressParts(origin=origin, host=(b"Host", url.netloc), path=url.raw_path.rstrip(b"/"))


@lru_cache(maxsize=16)  # those of a session go along with every call
def _encoded(headers: Headers) -> Lines:
    return tuple([(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers])


def _reply(incoming: Incoming) -> Reply:
    lines = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in incoming.headers]
    headers = dict(lines)
    body = bodies.inflated(incoming.body, headers.get("content-encoding", ""))
    cookies = tuple([value for name, value in lines if name == "set-cookie"])
    return Reply(status=incoming.status, headers=headers, body=bodies.bounded(body), cookies=cookies)

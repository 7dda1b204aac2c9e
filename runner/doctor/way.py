"""The way to a site, each finding as soon as it is made; after a failed step, what needs it is not tried."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from runner.doctor import network, service
from runner.doctor.findings import WayFinding, WayVerdict, not_tried
from runner.doctor.network import Host, Trusted
from runner.service.caller import SessionCaller
from runner.service.site import Runtime

_OF_THE_SERVICE = (service.SIGN_IN, service.SERVICES, service.RIGHT, service.LOG)
_HTTPS = 443
_HTTP = 80


class Way(Struct, frozen=True, kw_only=True):
    """How a site is reached. `tls` makes a context of the authorities that are trusted; `proxy` is a URL, or None.

    `signs_in` says with what, without a secret; None for a site that wants nobody to. A proxy's address is a secret.
    `by_get`: Execute is called by a GET. `at_other` gives a caller of the same site as if it were of the other runtime.
    """

    url: str
    caller: SessionCaller
    runtime: Runtime
    at_other: Callable[[], SessionCaller]
    tls: Trusted | None
    proxy: str | None = None
    signs_in: str | None = None
    by_get: bool = False


PROXY = "the proxy"


def untrodden() -> Iterator[WayFinding]:
    """The way to a site that cannot be gone at all."""
    return _skipped(network.NAME, network.CONNECTION, network.TLS, *_OF_THE_SERVICE, network.CLOCK)


def walk(way: Way) -> Iterator[WayFinding]:
    """Every step of the way, in its order."""
    reached = True
    for finding in _network(way):
        reached = reached and finding.verdict is not WayVerdict.FAILED
        yield finding
    yield from _service(way) if reached else _skipped(*_OF_THE_SERVICE)
    if not reached:
        yield from _skipped(network.CLOCK)
    elif way.proxy is not None:
        yield not_tried(network.CLOCK, "a proxy is in between")
    else:
        yield network.in_time(_host(way.url, way.tls), urlsplit(way.url).path)
    if reached and way.by_get:
        yield service.REPEATABLE


def _network(way: Way) -> Iterator[WayFinding]:
    host = _host(way.url, way.tls) if way.proxy is None else replace(_host(way.proxy, None), alias=PROXY)
    steps = [network.resolved, network.connected, *([network.secured] if way.proxy is None else [])]
    names = (network.NAME, network.CONNECTION, network.TLS)
    for number, step in enumerate(steps):
        finding = step(host)
        yield finding
        if finding.verdict is WayVerdict.FAILED:
            yield from _skipped(*names[number + 1 :])
            return
    if way.proxy is not None:
        seen = "a proxy is in between; the sign-in goes through it"
        yield network.in_the_clear(_host(way.url, way.tls)) or not_tried(network.TLS, seen)


def _service(way: Way) -> Iterator[WayFinding]:
    unknown = f"UsrNobodyHasThis{uuid4().hex[:12]}"
    if way.signs_in is None:
        yield not_tried(service.SIGN_IN, "the target has no `auth`")
    else:
        finding = service.signed_in(way.caller, name=way.signs_in)
        yield finding
        if finding.verdict is WayVerdict.FAILED:
            yield from _skipped(service.SERVICES, service.RIGHT, service.LOG)
            return
    found = service.found_at(way.caller, runtime=way.runtime, at_other=way.at_other, unknown=unknown)
    yield found
    if found.verdict is WayVerdict.FAILED:
        yield from _skipped(service.RIGHT, service.LOG)
        return
    yield service.may_run(way.caller, unknown=unknown)
    yield service.log_readable(way.caller, unknown=unknown)


def _skipped(*steps: str) -> Iterator[WayFinding]:
    for step in steps:
        yield not_tried(step, "a step before it failed")


def _host(url: str, tls: Trusted | None) -> Host:
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    port = parts.port or (_HTTPS if is_secure else _HTTP)
    return Host(name=parts.hostname or "", port=port, tls=tls if is_secure else None)

"""The way to a site, each finding as soon as it is made; after a failed step, what needs it is not tried."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from runner.doctor import network, service
from runner.doctor.findings import WayFinding, WayVerdict, not_tried
from runner.doctor.network import Host, Trusted
from runner.foundation.values import EMPTY_GUID
from runner.service.calls import Caller, FindProcess, ReadElementData, ReadElements, SessionCaller
from runner.service.site import PREFIXES, Runtime

_HTTPS = 443
_HTTP = 80


class Way(Struct, frozen=True, kw_only=True):
    """How a site is reached."""

    url: str
    caller: SessionCaller
    runtime: Runtime
    at_other: Callable[[], SessionCaller]  # calls the site as if it were of the other runtime
    tls: Trusted | None  # makes a context of trusted authorities
    proxy: str | None = None  # its URL, a secret
    signs_in: str | None = None  # with what, without a secret
    stranger: Caller | None = None  # calls the site without signing in
    by_get: bool = False  # Execute is called by a GET


PROXY = "the proxy"


def untrodden() -> Iterator[WayFinding]:
    """The way to a site that cannot be gone at all."""
    return _skipped(network.NAME, network.CONNECTION, network.TLS, *_CHECKS, network.CLOCK)


def walk(way: Way) -> Iterator[WayFinding]:
    reached = True
    for finding in _network(way):
        reached = reached and finding.verdict is not WayVerdict.FAILED
        yield finding
    yield from _service(way) if reached else _skipped(*_CHECKS)
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
    checks = iter(_CHECKS.items())
    for _, check in checks:
        finding = check(way, unknown)
        yield finding
        if finding.verdict is WayVerdict.FAILED and finding.step in _NEEDED:
            yield from _skipped(*(step for step, _ in checks))


_CHECKS: Final[Mapping[str, Callable[[Way, str], WayFinding]]] = {
    service.SIGN_IN: lambda way, _: (
        not_tried(service.SIGN_IN, "the target has no `auth`")
        if way.signs_in is None
        else service.signed_in(way.caller, name=way.signs_in)
    ),
    service.SERVICES: lambda way, unknown: service.found_at(
        way.caller, runtime=way.runtime, at_other=way.at_other, unknown=unknown
    ),
    service.RIGHT: lambda way, unknown: service.may_run(way.caller, unknown=unknown),
    service.LOG: lambda way, unknown: service.log_readable(
        way.caller, unknown=unknown, stranger=way.stranger, prefix=PREFIXES[way.runtime]
    ),
    service.LIBRARY: lambda way, unknown: service.readable(
        way.caller, service.LIBRARY, FindProcess(process=unknown), why=service.NEED_LIBRARY
    ),
    service.ELEMENTS: lambda way, _: service.readable(
        way.caller,
        service.ELEMENTS,
        ReadElementData(process_id=EMPTY_GUID),
        ReadElements(process_id=EMPTY_GUID),
        why=service.NEED_ELEMENTS,
    ),
}
"""What is checked of the service, in its order; each is given the way, and the code of a process that nobody has."""
_NEEDED: Final = (service.SIGN_IN, service.SERVICES)  # where such a check fails, what comes after it is not tried


def _skipped(*steps: str) -> Iterator[WayFinding]:
    for step in steps:
        yield not_tried(step, "a step before it failed")


def _host(url: str, tls: Trusted | None) -> Host:
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    port = parts.port or (_HTTPS if is_secure else _HTTP)
    return Host(name=parts.hostname or "", port=port, tls=tls if is_secure else None)

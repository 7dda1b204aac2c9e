"""The way to a host: its name, a connection, TLS, and its time of day, by sockets of its own.

It only asks for the head of the first page, of whatever machine that is.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, TypeAlias

from msgspec import Struct

from runner.doctor.findings import WayFinding, failed, not_tried, ok, unsure
from runner.foundation import server_time
from runner.foundation.durations import format_duration
from runner.foundation.sentences import first_few, plural
from runner.service import outages
from runner.service.connecting import MISMATCHES, ProxyError
from runner.service.words import short_line
from runner.targets.values import is_loopback

NAME: Final = "name resolution"
CONNECTION: Final = "connection"
TLS: Final = "TLS"
CLOCK: Final = "clock"

SECONDS: Final = 10.0  # for each step
APART: Final = 5.0  # seconds that two clocks may differ: a reply carries whole seconds, and takes its time

_SOON: Final = 21  # days before its end on which a certificate is worth a word
_DAY: Final = 24 * 3600

Trusted: TypeAlias = Callable[[], ssl.SSLContext]

Certificate: TypeAlias = Mapping[str, object]  # what `ssl` makes of a certificate that it trusts
_MOST_NAMES: Final = 5


class Host(Struct, frozen=True, kw_only=True):
    """A host on the way to a site."""

    name: str
    port: int
    tls: Trusted | None  # a context of trusted authorities; None: no TLS
    alias: str | None = None  # of a proxy, whose name and address are secret

    @property
    def place(self) -> str:
        return self.alias or (f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}")


def resolved(host: Host) -> WayFinding:
    """Whether the name of the host, or of the proxy, has an address."""
    try:
        found = socket.getaddrinfo(host.name, host.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return _failed(NAME, error, host)
    if host.alias is not None:
        return ok(NAME, f"{host.alias} has an address")
    addresses = dict.fromkeys(str(address[0]) for _, _, _, _, address in found)
    if host.name in addresses:
        return ok(NAME, f"{host.name} is an address already")
    return ok(NAME, f"{host.name} is {', '.join(addresses)}")


def connected(host: Host) -> WayFinding:
    """Whether a connection to the host, or to the proxy, can be made, and how long that takes."""
    begun = time.monotonic()
    try:
        with socket.create_connection((host.name, host.port), timeout=SECONDS) as line:
            took = time.monotonic() - begun
            address, port = line.getpeername()[:2]
            return ok(CONNECTION, f"{host.alias or f'{address}:{port}'} answers in {format_duration(took)}")
    except OSError as error:
        return _failed(CONNECTION, error, host)


def in_the_clear(host: Host) -> WayFinding | None:
    """The warning on a site that is called without TLS, and not on this machine."""
    if host.tls is not None or is_loopback(host.name):
        return None
    seen = "there is none (`plain_http`): passwords and data can be read on their way"
    return unsure(TLS, seen, "write `https://` where the site has it; `ca_file` names an authority of your own")


def secured(host: Host, *, now: Callable[[], float] = time.time) -> WayFinding:
    """Speak TLS, and describe the certificate."""
    if host.tls is None:
        return in_the_clear(host) or not_tried(TLS, "the connection is plain, to this machine itself")
    try:
        with _secure_line(host) as line:
            return _certified(line.getpeercert() or {}, version=line.version() or "TLS", now=now())
    except ssl.SSLCertVerificationError as error:
        names = _names_beside(host) if error.verify_code in MISMATCHES else ()
        return _failed(TLS, error, host, names=names)
    except OSError as error:
        return _failed(TLS, error, host)


def in_time(host: Host, path: str, *, now: Callable[[], float] = time.time) -> WayFinding:
    """Compare the server's clock with ours, by the `Date` of a reply."""
    try:
        with _line(host) as line:
            before = now()
            date = _date(line, host, path)
            moment = (before + now()) / 2
    except (OSError, http.client.HTTPException) as error:
        return unsure(CLOCK, f"no reply to compare with: {error}", None)
    if date is None:
        return unsure(CLOCK, "the reply carries no date", None)
    ahead = date + 0.5 - moment  # it was cut to whole seconds
    if abs(ahead) <= APART:
        return ok(CLOCK, "server and this machine agree")
    seen = f"the server's clock is {format_duration(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} this machine's"
    return unsure(CLOCK, seen, "set the clock that is wrong: certificates, tokens and dates of jobs depend on it")


def _failed(step: str, error: Exception, host: Host, *, names: Sequence[str] = ()) -> WayFinding:
    error = error if host.alias is None else ProxyError(cause=error)
    trouble = outages.no_connection(error, host.place).trouble
    others = f": {short_line(first_few(names, _MOST_NAMES))}" if names else ""
    return failed(step, f"{trouble.message}{others}", trouble.hint)


@contextmanager
def _line(host: Host) -> Iterator[socket.socket]:
    if host.tls is not None:
        with _secure_line(host) as secure:
            yield secure
    else:
        with socket.create_connection((host.name, host.port), timeout=SECONDS) as plain:
            yield plain


@contextmanager
def _secure_line(host: Host, *, any_name: bool = False) -> Iterator[ssl.SSLSocket]:
    assert host.tls is not None
    context = host.tls()
    context.check_hostname = not any_name
    with (
        socket.create_connection((host.name, host.port), timeout=SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host.name) as secure,
    ):
        yield secure


def _names_beside(host: Host) -> tuple[str, ...]:
    """The names on a certificate that is trusted, and belongs to another name; nothing is sent over that line."""
    try:
        with _secure_line(host, any_name=True) as line:
            return _names_on(line.getpeercert())
    except OSError:
        return ()


def _certified(certificate: Certificate, *, version: str, now: float) -> WayFinding:
    ends = certificate.get("notAfter")
    days = int((ssl.cert_time_to_seconds(ends) - now) // _DAY) if isinstance(ends, str) else None
    names, issuer = ", ".join(_names_on(certificate)) or "no name", _issuer(certificate)
    left = "" if days is None else f", {plural(days, 'day')} left"
    seen = f"{version}, a certificate for {names}, by {issuer}{left}"
    if days is not None and days < _SOON:
        return unsure(TLS, seen, "the site needs a new certificate soon")
    return ok(TLS, seen)


def _names_on(certificate: Certificate | None) -> tuple[str, ...]:
    return tuple(name for _, name in _pairs((certificate or {}).get("subjectAltName")))


def _pairs(value: object) -> list[tuple[str, str]]:
    """The names and values of a part of a certificate."""
    found = value if isinstance(value, tuple) else ()
    return [(str(pair[0]), str(pair[1])) for pair in found if isinstance(pair, tuple) and len(pair) == 2]  # noqa: PLR2004  a pair


def _issuer(certificate: Certificate) -> str:
    parts = certificate.get("issuer")
    fields = dict(pair for part in parts for pair in _pairs(part)) if isinstance(parts, tuple) else {}
    return fields.get("organizationName") or fields.get("commonName") or "an authority without a name"


def _date(line: socket.socket, host: Host, path: str) -> float | None:
    """Seconds since the epoch of the `Date` in the reply to a question for the head of a page."""
    line.sendall(f"HEAD {path or '/'} HTTP/1.1\r\nHost: {host.place}\r\nConnection: close\r\n\r\n".encode("ascii"))
    with http.client.HTTPResponse(line, method="HEAD") as reply:
        reply.begin()
        text = reply.getheader("Date") or ""
    return server_time.parse_header(text)

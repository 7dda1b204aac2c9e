"""The way through a proxy: a tunnel by CONNECT, also for plain HTTP.

So a proxy answers before a call has left, and sees nothing of it. Its address is secret, and in no message.
"""

import socket
from base64 import b64encode
from collections.abc import Callable
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit

from runner.foundation.discreet import Discreet
from runner.foundation.lazy import lazy_pattern
from runner.version import VERSION

_LONGEST_ANSWER: Final = 65536
_STATUS_LINE = lazy_pattern(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_END_OF_HEAD = lazy_pattern(rb"\r?\n\r?\n")
_PORT: Final = 80


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

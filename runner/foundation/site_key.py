"""Which site an address leads to: the same key for all its spellings, targets and accounts; DNS is not asked."""

import hashlib
import ipaddress
import socket
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

_PORTS: Final = {"http": 80, "https": 443}
_HERE: Final = "localhost"


@lru_cache(maxsize=100)
def site_key(url: str) -> str:
    """The key of a site. An application has its path in any case, and however a server may shorten it."""
    address = normalized_url(url)
    try:
        path = urlsplit(address).path
    except ValueError:
        return address
    return f"{address.removesuffix(path)}{_folded(path)}"


def account_key(url: str, account: str | None) -> str:
    """The key of a site as `account` uses it: a user's name in any case, or the id of an OAuth client."""
    return f"{site_key(url)} {(account or '').casefold()}".rstrip()


def local_address(key: str) -> str:
    """The key of a site, where it is on this machine; else empty."""
    return key if urlsplit(key).hostname == _HERE else ""


def _folded(path: str) -> str:
    parts: list[str] = []
    for part in unquote(path).casefold().split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "".join(f"/{part}" for part in parts)


def hashed(key: str) -> str:
    """A text that names an account, or holds more, as it is stored: others can compare it, and not read it."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def normalized_url(url: str) -> str:
    """`url` with a normal scheme, host and port, without name, password, query and a last `/`. What is no URL stays."""
    try:
        parts = urlsplit(url.strip())
        host, port = _host(parts), parts.port
    except ValueError:
        return url
    if not parts.scheme or not host:
        return url
    scheme = parts.scheme.lower()
    return f"{scheme}://{host}:{port or _PORTS.get(scheme, 0)}{parts.path}".rstrip("/")


def _host(parts: SplitResult) -> str:
    """All addresses that lead to this machine itself are `localhost`; a name is in lower case and in ASCII."""
    name = (parts.hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(_in_four(name))
    except ValueError:
        return _HERE if name == _HERE or name.endswith(f".{_HERE}") else _in_ascii(name)
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_loopback or mapped.is_unspecified:
        return _HERE
    return f"[{mapped}]" if mapped.version != 4 else str(mapped)  # noqa: PLR2004


def _in_four(name: str) -> str:
    """`127.1` and `0x7f000001` are addresses, too, for the system."""
    try:
        return socket.inet_ntoa(socket.inet_aton(name)) if name[:1].isdigit() else name
    except (OSError, ValueError):
        return name


def _in_ascii(name: str) -> str:
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name

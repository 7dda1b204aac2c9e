"""Which site an address leads to, however it is written: the same key for all its spellings, and for all targets of it.

What takes turns, and which rows of a process log are whose, is a matter of the site and the account, not of the name
that a target has. That two names are of the same machine, which only its DNS knows, cannot be found out here.
"""

import hashlib
import ipaddress
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, urlsplit

_PORTS: Final = {"http": 80, "https": 443}
_HERE: Final = "localhost"


@lru_cache(maxsize=100)
def site_key(url: str, account: str | None) -> str:
    """The key of a site as `account` uses it: a user's name in any case, or the id of an OAuth client."""
    return f"{one_spelling(url)} {(account or '').casefold()}".rstrip()


def local_address(key: str) -> str:
    """The address in a site's key, where it is on this machine; else empty."""
    address = key.partition(" ")[0]
    return address if urlsplit(address).hostname == _HERE else ""


def hashed(key: str) -> str:
    """A text that names an account, or holds more, as it is stored: others can compare it, and not read it."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def one_spelling(url: str) -> str:
    """`url` with its scheme, host and port in the same form, without a name, a password, a query and a `/` at its end.

    What is no URL is left as it is.
    """
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
    """All addresses of this machine's own loopback are `localhost`; a name is in lower case and in ASCII."""
    name = (parts.hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return _HERE if name == _HERE or name.endswith(f".{_HERE}") else _in_ascii(name)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return _HERE if mapped.is_loopback else f"[{mapped}]" if mapped.version != 4 else str(mapped)  # noqa: PLR2004


def _in_ascii(name: str) -> str:
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name

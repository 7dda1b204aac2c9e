"""Who asks: a program of this machine, the sandbox's own page, or a page of another site in a browser here.

Without a sign-in the page answers this machine alone, under its own names: another name may lead here. Programs send
neither `Origin` nor `Sec-Fetch-Site`. The service answers other machines, too, but no pages of other sites.
"""

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

_OWN_SITE = frozenset({"same-origin", "none"})
"""What browsers send as `Sec-Fetch-Site` for a request of our page, and for an address that a person typed."""


def may_use_page(request: Request) -> bool:
    """Whether the page and its own calls answer this request."""
    host = request.headers.get("host", "")
    return (
        _is_from_this_machine(request)
        and _is_local(_name_in(host))
        and request.headers.get("origin", f"http://{host}") == f"http://{host}"
        and (request.headers.get("sec-fetch-site", "none") in _OWN_SITE or _follows_a_link(request))
    )


def is_of_foreign_page(request: Request) -> bool:
    """Whether a browser on this machine sends this request to the service for a page of another site."""
    origin = request.headers.get("origin")
    return origin is not None and _is_from_this_machine(request) and not _is_local(_name_in(urlsplit(origin).netloc))


def _follows_a_link(request: Request) -> bool:
    """A link on another site may show the page in its own window. That site sees nothing of it."""
    is_read = request.method in {"GET", "HEAD"} and request.url.path == "/"
    return is_read and request.headers.get("sec-fetch-dest") == "document"


def _is_from_this_machine(request: Request) -> bool:
    return request.client is not None and _is_loopback(request.client.host)


def _is_loopback(host: str) -> bool:
    address = ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _is_local(name: str) -> bool:
    """An address, or `localhost`: names that no other site can own."""
    try:
        ip_address(name)
    except ValueError:
        return name.lower() == "localhost"
    return True


def _name_in(host: str) -> str:
    """The name in `name:port`, or the address in `[address]:port`."""
    return host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]

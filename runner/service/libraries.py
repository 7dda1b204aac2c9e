"""h11, and what reads addresses of httpx. Import them from here.

The rest of httpx, its client with cookies, mails and uploads, is carried out when something of it is used: 34 of the
250 ms of a call. For a class without a docstring `dataclass` has `inspect` write its signature; h11 has one, which
nobody reads: 8 ms.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager

from runner.foundation.lazy import lazy_module, lazy_patterns, stand_in


@contextmanager
def _without_signatures() -> Iterator[None]:
    if "signature" in vars(inspect):
        yield
        return
    vars(inspect)["signature"] = str
    try:
        yield
    finally:
        if vars(inspect)["signature"] is str:  # else it was carried out meanwhile
            del vars(inspect)["signature"]


lazy_module("httpx")
lazy_module("idna")
with stand_in("http.cookiejar", CookieJar=object), stand_in("urllib.request", "getproxies"):
    from httpx._exceptions import InvalidURL
    from httpx._urls import URL
with lazy_patterns(), _without_signatures():
    import h11

__all__ = ["URL", "InvalidURL", "h11"]

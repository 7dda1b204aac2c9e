"""h11, and what reads addresses of httpx. Import them from here.

The rest of httpx, its client with cookies, mails and uploads, is carried out when something of it is used: 34 of the
250 ms of a call.
"""

from runner.foundation.lazy import lazy_module, lazy_patterns, stand_in

lazy_module("httpx")
lazy_module("idna")
with stand_in("http.cookiejar", CookieJar=object), stand_in("urllib.request", "getproxies"):
    from httpx._exceptions import InvalidURL
    from httpx._urls import URL
with lazy_patterns():
    import h11

__all__ = ["URL", "InvalidURL", "h11"]

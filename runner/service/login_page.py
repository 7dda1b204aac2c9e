"""Signs that a call was not dispatched for want of a session: 401, or the login page [M]. Pure.

A call that acts may then be sent again, so an answer is never taken for that page.
"""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from runner.foundation.lazy import lazy_pattern
from runner.service import bodies
from runner.service.calls import Act, Call
from runner.service.site import Reply, Site
from runner.service.words import short_line

# What an expired session is answered with, where it is no 401: a redirect to such an address, or a page holding it [M];
# on .NET that page is a shell which loads this module [C].
_MARK = lazy_pattern(rb"/Login/|NuiLogin\.aspx|Login\.html|bootstrap\.login\b")
_ADDRESS = lazy_pattern(r"/login(?:/|$)|/(?:nuilogin\.aspx|login\.html)$", re.IGNORECASE)
_PASSWORD = lazy_pattern(rb"""type\s{0,9}=\s{0,9}["']?password\b""", re.IGNORECASE)
_TAG = lazy_pattern(rb"/?[a-z0-9]+(?=[\s/>])|!--", re.IGNORECASE)
_LINKS: Final = frozenset({b"a", b"button"})  # what lies between these and their ends leads to another page
_MERELY_NAMES: Final = frozenset({b"link", b"img", b"area", b"!--"})
"""Tags that may name a file of the login page on any page of the site."""


def signed_out(call: Call | None, reply: Reply) -> bool:
    """Whether the call was not dispatched; `call` is None while signing in. Only web pages count.

    A page with 200 that names the login page is taken for it [M]; for a call that acts it must do so in more than a
    link [?], or hold a field for a password: an error page links to it, too, and its call may have been dispatched.
    """
    if 300 <= reply.status < 400:  # noqa: PLR2004  redirects
        return _ADDRESS.search(without_query(reply.headers.get("location", ""))) is not None
    if 200 <= reply.status < 300:  # noqa: PLR2004  success
        is_login = _is_certain if isinstance(call, Act) else _is_marked
        return bodies.is_page(reply.body) and is_login(reply.body)
    return reply.status == HTTPStatus.UNAUTHORIZED


def without_query(address: str) -> str:
    return address.partition("?")[0].partition("#")[0]


def other_host(reply: Reply, site: Site) -> str | None:
    """The host that a redirect leads to, where it is not the site's."""
    try:
        host, own = (urlsplit(url).hostname for url in (reply.headers.get("location", ""), site.url))
    except ValueError:
        return None
    return short_line(host) if host and host != own else None


def _is_marked(text: bytes) -> bool:
    return _MARK.search(text) is not None


def _is_certain(page: bytes) -> bool:
    if not _is_marked(page):
        return False
    return _PASSWORD.search(page) is not None or any(map(_is_marked, _beside_links(page)))


def _beside_links(page: bytes) -> Iterator[bytes]:
    """The parts of `page` that belong to no link. Of a page that is no sound HTML rather too few."""
    ends_with: bytes | None = None
    for part in page.split(b"<"):
        found = _TAG.match(part)
        tag = b"" if found is None else found[0].lower()
        if tag == ends_with:
            ends_with = None
        elif ends_with is None and tag in _LINKS:
            ends_with = b"/" + tag
        if ends_with is None:
            yield part.partition(b">")[2] if tag in _MERELY_NAMES else part

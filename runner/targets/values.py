"""What the values of a target may look like, before a run or when it begins. No message repeats a value."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding

NO_IDENTITY: Final = "it is not known where the identity service is, which gives the OAuth client its tokens"
IDENTITY_HINT: Final = "write `identity_url`, its address, beside `auth`: it is known only for `*.creatio.com`"

_HOST = lazy_pattern(r"[\w.-]+|[0-9a-fA-F:.]+(?:%\w+)?")
_LOOPBACK = lazy_pattern(r"localhost|.+\.localhost|127(?:\.[0-9]{1,3}){3}|::1")
_WITHIN_THE_SITE = lazy_pattern(r"/(0|Login|Nui|Shell|ServiceModel|odata|DataService)(?=/|$)", re.IGNORECASE)
_CLOUD = lazy_pattern(r"https://([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.creatio\.com/?", re.IGNORECASE)
_TOKEN_PATH = lazy_pattern(r"/connect/token/?$", re.IGNORECASE)
_IDENTITY = lazy_pattern(r"https://([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)-is\.creatio\.com/?", re.IGNORECASE)
_AROUND = "\"'`<>“”„«»\u2018\u2019"  # signs that mails and documents put around an address
_HEADER_NAME = lazy_pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER = lazy_pattern(r"[!-~\u00a0-\u00ff](?:[ \t!-~\u00a0-\u00ff]*[!-~\u00a0-\u00ff])?")
_ENDS_WITH_PORT = lazy_pattern(r":[0-9]{1,5}/?$")
OWN_HEADERS: Final = frozenset(
    {
        *("accept", "accept-encoding", "bpmcsrf", "cache-control", "connection", "content-encoding"),
        *("content-length", "content-type", "cookie", "expect", "forceusesession", "host", "keep-alive"),
        *("proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
    }
)
"""What the protocol needs to be as we write it, in lower case."""


def url_mistake(url: str, *, plain_http: bool = False) -> Finding | None:
    """What is wrong with the address of a site, without its text, which may hold a password."""
    if _is_broken(url):
        return Finding(message="a URL holds no blanks and no control characters")
    if not url:
        return Finding(message="it is empty")
    if url[:1] in _AROUND or url[-1:] in _AROUND:
        return Finding(message="there are signs around this URL that are no part of it", hint="leave them out")
    try:
        parts = urlsplit(url)
        bool(parts.port)
    except ValueError as error:
        return Finding(message=f"not a URL: {error}")
    return _scheme_mistake(parts, plain_http=plain_http) or _extra_mistake(parts)


def likely_url(written: str) -> str | None:
    """The address that a wrong address probably means, with its scheme, without more, and never with a password."""
    bare = "".join(sign for sign in written if sign.isprintable() and not sign.isspace()).strip(_AROUND)
    bare = re.sub(r"(?i)^ht{1,2}p(s?)[:;]?[\\/]+", r"http\1://", bare)
    if "://" not in bare:
        host = re.split(r"[/:]", bare, maxsplit=1)[0]
        bare = f"{'http' if is_loopback(host) else 'https'}://{bare}" if "." in host or host == "localhost" else ""
    bare = re.split(r"[?#]", bare, maxsplit=1)[0].rstrip("/")
    within = _WITHIN_THE_SITE.search(bare, bare.find("://") + 3)
    right = bare[: within.start()] if within else bare
    return right if right and right != written and url_mistake(right) is None else None


def proxy_url(written: str) -> str:
    """The address of a proxy with its scheme, which `proxy:3128` leaves out, as other programs take it."""
    return f"http://{written}" if "://" not in written and _ENDS_WITH_PORT.search(written) else written


def proxy_mistake(written: str) -> Finding | None:
    """What is wrong with the address of a proxy, which may hold a name and a password; its text is not repeated.

    An empty text is no proxy.
    """
    if not (url := proxy_url(written)):
        return None
    parts = None if _is_broken(url) else url_parts(url)
    if parts is None or parts.scheme != "http" or not parts.hostname:
        hint = "write `http://HOST:PORT`, or `http://NAME:PASSWORD@HOST:PORT`; `https` goes through it as it is"
        return Finding(message="the URL of a proxy is `http://` and a host, without blanks", hint=hint)
    if parts.path.strip("/") or parts.query or parts.fragment:
        hint = "a `/`, `?` or `#` in its password is written `%2F`, `%3F`, `%23`"
        return Finding(message="the URL of a proxy ends with its port", hint=hint)
    return None


def identity_mistake(url: str, *, plain_http: bool = False) -> Finding | None:
    """What is wrong with the address of an identity service."""
    return url_mistake(without_token_path(url).removesuffix("/0"), plain_http=plain_http)  # some give tokens there [C]


def without_token_path(url: str) -> str:
    """The address of an identity service. Some write the address that tokens are asked for at [C]."""
    return _TOKEN_PATH.sub("", url).rstrip("/")


def identity_in_the_cloud(url: str) -> str | None:
    """Where the site at `url` has its identity service by the convention of the vendor's cloud [C], None elsewhere."""
    found = _CLOUD.fullmatch(url)
    return None if found is None else f"https://{found[1]}-is.creatio.com"


def site_of_identity(url: str) -> str | None:
    """The site of the identity service at `url`, in the vendor's cloud [C]."""
    found = _IDENTITY.fullmatch(url) if "-is." in url.lower() else None
    return None if found is None else f"https://{found[1]}.creatio.com"


def is_in_the_clear(url: str) -> bool:
    """Whether what is sent to this address can be read on its way."""
    parts = url_parts(url)
    return parts is not None and parts.scheme == "http" and not is_loopback(parts.hostname or "")


def url_parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        bool(parts.port)
    except ValueError:
        return None
    return parts


def is_loopback(host: str) -> bool:
    return _LOOPBACK.fullmatch(host) is not None


def _is_broken(url: str) -> bool:
    """Whether there is a blank in it, of any alphabet, or a sign that nobody sees."""
    return not url.isprintable() or " " in url


def _scheme_mistake(parts: SplitResult, *, plain_http: bool) -> Finding | None:
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return Finding(message="the URL of a site is `https://` and a host", hint="write `https://example.com`")
    if not _HOST.fullmatch(parts.hostname) or parts.hostname in ("http", "https"):
        return Finding(message="a host holds letters, digits, `-` and `.`", hint="write `https://example.com`")
    if parts.scheme == "http" and not plain_http and not is_loopback(parts.hostname):
        hint = "write `https://`; in a network that you trust, `plain_http: true` in a targets file allows it"
        return Finding(code="E143", message=f"`{parts.hostname}` would be called without TLS", hint=hint)
    return None


def _extra_mistake(parts: SplitResult) -> Finding | None:
    if parts.username is not None or parts.password is not None:
        return Finding(message="a URL holds no name and no password", hint="write them under `auth`")
    if parts.query or parts.fragment:
        return Finding(message="the URL of a site has no `?` and no `#`", hint="write the address of the site alone")
    within = _WITHIN_THE_SITE.search(parts.path) if parts.path else None
    if within is None:
        return None
    if within[1] == "0":
        hint = "leave `/0` out: `runtime: net-framework` adds it"
        return Finding(message="the URL of a site ends before `/0`", hint=hint)
    return Finding(message=f"the URL of a site ends before `{within[0]}`", hint="leave the rest out")


def header_name_mistake(name: str, *, before: tuple[str, ...], signs_in_with_a_token: bool) -> Finding | None:
    """What is wrong with the name of a header; `before` are the names before it."""
    if not _HEADER_NAME.fullmatch(name):
        return Finding(message=f"`{name}` cannot be the name of a header", hint="use letters, digits and `-`")
    folded = name.lower()
    if folded in OWN_HEADERS:
        return Finding(message=f"`{name}` is set by this program, and cannot be set by a target")
    if folded == "authorization" and signs_in_with_a_token:
        return Finding(message=f"`{name}` carries the token of the OAuth client", hint="leave out one of the two")
    if folded in (other.lower() for other in before):
        return Finding(code="E111", message=f"the header `{name}` is there twice: case does not count in its name")
    return None


def header_mistake(value: str) -> Finding | None:
    if not value:
        return Finding(code="E134", message="the header is empty")
    if not _HEADER.fullmatch(value):
        return Finding(message="a header holds letters of Latin-1, no line ends, and no blanks at its ends")
    return None

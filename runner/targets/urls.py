"""Addresses of sites, of their identity services and of proxies: what they may look like.

Known before a run where they are written out, else when it begins.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

NO_IDENTITY: Final = "it is not known where the identity service is, which gives the OAuth client its tokens"
IDENTITY_HINT: Final = "add `identity_url`, the address of the identity service; only for `*.creatio.com` it is known"

_LOOPBACK = re.compile(r"localhost|.+\.localhost|127(?:\.[0-9]{1,3}){3}|::1")
_WITHIN_THE_SITE = re.compile(r"/(0|Login|Nui|Shell|ServiceModel|odata|DataService)(?=/|$)", re.IGNORECASE)
_CLOUD = re.compile(r"https://([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.creatio\.com/?", re.IGNORECASE)
_TOKEN_PATH = re.compile(r"/connect/token/?$", re.IGNORECASE)
_OUTSIDE_OF_URLS = re.compile(r"[^!-~\u00a0-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlMistake:
    code: str = "E107"
    message: str
    hint: str | None = None


def url_mistake(url: str) -> UrlMistake | None:
    """What is wrong with the address of a site; its text is not repeated, since it may hold a password."""
    if _OUTSIDE_OF_URLS.search(url):
        return UrlMistake(message="a URL holds no blanks and no control characters")
    try:
        parts = urlsplit(url)
        bool(parts.port)
    except ValueError as error:
        return UrlMistake(message=f"not a URL: {error}")
    return _scheme_mistake(parts) or _extra_mistake(parts)


def proxy_mistake(url: str) -> UrlMistake | None:
    """What is wrong with the address of a proxy, which may hold a name and a password; its text is not repeated."""
    hint = "write `http://HOST:PORT`, or `http://NAME:PASSWORD@HOST:PORT`"
    if _OUTSIDE_OF_URLS.search(url):
        return UrlMistake(message="the URL of a proxy holds no blanks and no control characters", hint=hint)
    try:
        parts = urlsplit(url)
        bool(parts.port)
    except ValueError:
        return UrlMistake(message="it is not the URL of a proxy", hint=hint)
    if parts.scheme != "http" or not parts.hostname:
        hint = f"{hint}; `https` goes through such a proxy as it is"
        return UrlMistake(message="the URL of a proxy is `http://` and a host", hint=hint)
    if parts.path.strip("/") or parts.query or parts.fragment:
        hint = "a `/`, `?` or `#` in its password is written `%2F`, `%3F`, `%23`"
        return UrlMistake(message="the URL of a proxy ends with its port", hint=hint)
    return None


def identity_mistake(url: str) -> UrlMistake | None:
    """What is wrong with the address of an identity service."""
    return url_mistake(without_token_path(url))


def without_token_path(url: str) -> str:
    """The address of an identity service. Some write the address that tokens are asked for at [C]."""
    return _TOKEN_PATH.sub("", url).rstrip("/")


def identity_in_the_cloud(url: str) -> str | None:
    """Where the site at `url` has its identity service by the convention of the vendor's cloud [C], None elsewhere."""
    found = _CLOUD.fullmatch(url)
    return None if found is None else f"https://{found[1]}-is.creatio.com"


def is_loopback(host: str) -> bool:
    return _LOOPBACK.fullmatch(host) is not None


def _scheme_mistake(parts: SplitResult) -> UrlMistake | None:
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return UrlMistake(message="the URL of a site is `https://` and a host", hint="write `https://example.com`")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        hint = "write `https://`; only this machine itself may be called without TLS"
        return UrlMistake(code="E143", message=f"`{parts.hostname}` would be called without TLS", hint=hint)
    return None


def _extra_mistake(parts: SplitResult) -> UrlMistake | None:
    if parts.username is not None or parts.password is not None:
        return UrlMistake(message="a URL holds no name and no password", hint="write them under `auth`")
    if parts.query or parts.fragment:
        return UrlMistake(message="the URL of a site has no `?` and no `#`", hint="write the address of the site alone")
    within = _WITHIN_THE_SITE.search(parts.path)
    if within is None:
        return None
    if within[1] == "0":
        hint = "leave `/0` out: `runtime: net-framework` adds it"
        return UrlMistake(message="the URL of a site ends before `/0`", hint=hint)
    return UrlMistake(message=f"the URL of a site ends before `{within[0]}`", hint="leave the rest out")

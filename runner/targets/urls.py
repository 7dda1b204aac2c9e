"""The address of a site: what it may look like. Known before a run where it is written out, else when it begins."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_LOOPBACK = re.compile(r"localhost|.+\.localhost|127(?:\.[0-9]{1,3}){3}|::1", re.IGNORECASE)
_WITHIN_THE_SITE = re.compile(r"/(0|Login|Nui|Shell|ServiceModel|odata|DataService)(?=/|$)", re.IGNORECASE)
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

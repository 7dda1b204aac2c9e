"""What in a target is most probably not meant: patterns that fit nothing, addresses of the site and of its identity
service the one in the place of the other, secrets that are written out.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from runner.foundation.problems import Problem, Severity
from runner.foundation.raw import items, record, text
from runner.foundation.values import JsonObject, Path
from runner.reading.document import Document
from runner.targets.urls import identity_in_the_cloud, is_loopback, site_of_identity

_PATTERN: Final = re.compile(r"(?:[\w*?]|\[!?[^\]]+\])+")
"""What may stand in the name of a process, and the signs of patterns of file names."""
_REGULAR: Final = re.compile(r"\^?((?:\w|\.[*+]?)+)\$?")
"""A regular expression that such a pattern can say as well."""


def patterns_that_fit_nothing(document: Document, target: JsonObject, at: Path) -> Iterator[Problem]:
    """Regular expressions and the like in `allow.processes`: names of processes hold letters, digits and `_`."""
    for index, pattern in enumerate(items(record(target.get("allow")).get("processes"))):
        if isinstance(pattern, str) and pattern and not _PATTERN.fullmatch(pattern) and "{{" not in pattern:
            path = (*at, "allow", "processes", index)
            message = f"`{pattern}` fits no name of a process: `*` stands for any signs, `?` for one"
            hint = _as_pattern(pattern)
            yield document.problem("E107", message, path=path, hint=hint, severity=Severity.WARNING)


def _as_pattern(regular: str) -> str | None:
    found = _REGULAR.fullmatch(regular)
    return None if found is None else f"write `{re.sub(r'[.][*+]', '*', found[1]).replace('.', '?')}`"


def interchanged(document: Document, target: JsonObject, at: Path) -> Iterator[Problem]:
    """The address of an identity service as that of a site, or the other way round, by the convention of the vendor's
    cloud [C].
    """
    url, identity = text(target, "url"), text(target, "identity_url")
    site = site_of_identity(url) if url else None
    if site is not None:
        message = "this is the address of an identity service, and not of a site"
        yield document.problem("E107", message, path=(*at, "url"), hint=f"write `{site}`", severity=Severity.WARNING)
    is_a_site = bool(url and identity) and site is None and _are_of_one_host(url or "", identity or "")
    if is_a_site and (service := identity_in_the_cloud(identity or "")) is not None:
        message = "this is the address of a site, and not of its identity service"
        hint = f"write `{service}`, or leave it out: for `*.creatio.com` it is known"
        yield document.problem("E107", message, path=(*at, "identity_url"), hint=hint, severity=Severity.WARNING)


def written_out(document: Document, target: JsonObject, at: Path) -> Iterator[Problem]:
    """A password or client secret that stands in the file. That of a site on this machine is nobody's loss."""
    auth = record(target.get("auth"))
    if "sandbox" in target or is_loopback(_host(text(target, "url") or "") or ""):
        return
    for key in ("password", "client_secret"):
        written = text(auth, key)
        if written and "{{" not in written:
            message = f"`{key}` stands in this file, and whoever can read it, in git too, has it"
            hint = 'write `"{{ env.NAME }}"` or `"{{ file(\'PATH\') }}"`, and change it where it was committed'
            path = (*at, "auth", key)
            found = document.problem("E166", message, path=path, at_key=True, hint=hint, severity=Severity.WARNING)
            yield replace(found, excerpt=None)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _are_of_one_host(url: str, identity: str) -> bool:
    return _host(url) is not None and _host(url) == _host(identity)

"""What in a target is most probably a mistake: patterns, addresses, secrets that are written out."""

import re
from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.foundation.values import JsonObject, Path, items, record, text
from runner.reading.collector import ProblemCollector
from runner.secrets.written_out import is_plain, names_secret_header
from runner.service.auth import KINDS
from runner.targets.values import identity_in_the_cloud, is_loopback, site_of_identity, url_parts

_PATTERN: Final = lazy_pattern(r"(?:[\w*?]|\[!?[^\]]+\])+")
"""What may stand in the name of a process, and the signs of patterns of file names."""
_REGULAR: Final = lazy_pattern(r"\^?((?:\w|\.[*+]?)+)\$?")  # a regular expression that such a pattern can say as well


_SHELL: Final = lazy_pattern(
    r"\$([A-Z][A-Z0-9_]+)|\$\{(?:env:)?([A-Za-z_]\w*)\}|%([A-Z][A-Z0-9_]+)%|\$(?i:env):([A-Za-z_]\w*)|\$\(([A-Za-z_]\w*)\)"
)
_BARE: Final = lazy_pattern(r"[\s{<\[%=$(]*env\.([A-Za-z_]\w*)[\s}>\]%)]*")
_NAMED_IN_URL: Final = lazy_pattern(r"(?:^|//)[^/@:]*:([^/@]+)@")  # the password in an address
_ADDRESSES: Final = ("url", "identity_url", "proxy")
"""Keys whose values are never a password alone, so that such a text surely is a variable of the shell."""


def variable(written: str, path: Path) -> Finding | None:
    """A variable written as elsewhere: an error in an address, a warning where it may be right, as in a password."""
    found = _SHELL.fullmatch(written) if "$" in written or "%" in written else None
    bare = _BARE.fullmatch(written) if "env." in written else None
    if found is None and bare is None:
        return None
    message = "without braces this is a plain text"
    if found:
        message = "a variable of the shell is not read here: the text is taken as it is"
    name = next(filter(None, found.groups())) if found else "NAME"  # its own name may pass for the secret
    if path[-1] in _ADDRESSES:
        name = bare[1] if bare else name
        return Finding(message=message, hint=f'write `"{{{{ env.{name} }}}}"`')
    hint = f'write `"{{{{ env.{name} }}}}"`; leave it where the password really is this text'
    return Finding(message=message, hint=hint, warning=True)


def patterns_that_fit_nothing(target: JsonObject, at: Path, problems: ProblemCollector) -> None:
    """Regular expressions and the like in `allow.processes`: names of processes hold letters, digits and `_`."""
    for index, pattern in enumerate(items(record(target.get("allow")).get("processes"))):
        if isinstance(pattern, str) and pattern and not _PATTERN.fullmatch(pattern) and "{{" not in pattern:
            path = (*at, "allow", "processes", index)
            message = f"`{pattern}` fits no name of a process: `*` fits any signs, `?` a single sign"
            problems.report("E107", message, path, hint=_as_pattern(pattern), warning=True)


def _as_pattern(regular: str) -> str | None:
    found = _REGULAR.fullmatch(regular)
    return None if found is None else f"write `{re.sub(r'[.][*+]', '*', found[1]).replace('.', '?')}`"


def interchanged(target: JsonObject, at: Path, problems: ProblemCollector) -> None:
    """Report a site's address as that of an identity service, or the reverse, in the vendor's cloud [C]."""
    url, identity = text(target, "url"), text(target, "identity_url")
    site = site_of_identity(url) if url else None
    if site is not None:
        message = "this is the address of an identity service, and not of a site"
        problems.report("E107", message, (*at, "url"), hint=f"write `{site}`", warning=True)
    is_a_site = bool(url and identity) and site is None and _host(url or "") == _host(identity or "") is not None
    if is_a_site and (service := identity_in_the_cloud(identity or "")) is not None:
        message = "this is the address of a site, and not of its identity service"
        hint = f"write `{service}`, or leave it out: for `*.creatio.com` it is known"
        problems.report("E107", message, (*at, "identity_url"), hint=hint, warning=True)


def written_out(target: JsonObject, at: Path, problems: ProblemCollector) -> None:
    """A password, client secret or token in the file. That of a site on this machine is nobody's loss."""
    if "sandbox" in target or is_loopback(_host(text(target, "url") or "") or ""):
        return
    found = [("auth", kind.keys[-1]) for kind in KINDS]
    found += [("headers", name) for name in record(target.get("headers")) if names_secret_header(name)]
    reported = {problem.path for problem in problems.problems}
    for key, name in found:
        written = text(record(target.get(key)), name)
        path = (*at, key, name)
        if written and path not in reported and is_plain(written) and variable(written, path) is None:
            _report_written(name, path, problems)
    named = _NAMED_IN_URL.search(text(target, "proxy") or "")
    if named is not None and is_plain(named[1]):
        _report_written("the password of the proxy", (*at, "proxy"), problems)


def _report_written(name: str, path: Path, problems: ProblemCollector) -> None:
    called = name if " " in name else f"`{name}`"
    message = f"{called} is written in this file: everybody who can read the file, also in git, has it"
    before = "Bearer " if name.lower() == "authorization" else ""
    hint = f'write `"{before}{{{{ env.NAME }}}}"` or `"{before}{{{{ file(\'PATH\') }}}}"`'
    hint += ", and change it where it was committed"
    if " #" in (problems.document.quote_hint(path) or ""):
        hint += "; if ` #` and what follows belong to it, put all of it in quotes: YAML reads a comment there"
    problems.report("E166", message, path, at_key=True, hint=hint, warning=True, hidden=True)


def _host(url: str) -> str | None:
    parts = url_parts(url)
    return None if parts is None else parts.hostname

"""What a schema cannot say of targets: templates, addresses, headers, what goes together, and what is doubtful."""

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace

from runner.expressions import parse
from runner.expressions.parse import Name, TemplateProblem
from runner.foundation import durations
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem
from runner.foundation.values import JsonObject, ValuePath, duration, items, leaves, record, text
from runner.reading.collector import ProblemCollector, not_reported
from runner.reading.document import Document
from runner.secrets.written_out import is_plain, names_secret_header
from runner.service.auth import KINDS, kind_of
from runner.targets.keys import EVALUATED, KEYS, TargetKey
from runner.targets.model import TOO_SHORT, TOO_SHORT_HINT, Readiness
from runner.targets.values import (
    IDENTITY_HINT,
    NO_IDENTITY,
    header_name_mistake,
    identity_in_the_cloud,
    is_loopback,
    likely_url,
    site_of_identity,
    url_mistake,
    url_parts,
)

_BRACES: Final = "{{"
_UNKNOWN: Final = TargetKey(name="")
_PREFIX: Final = lazy_pattern(r"/0(?=/|$)")


def check(document: Document, *, reported: Collection[Problem] = ()) -> tuple[Problem, ...]:
    """Every mistake of a targets file, in its order. What `reported` has already is not reported again."""
    problems = ProblemCollector(document=document)
    for name, target in record(record(document.data).get("targets")).items():
        _target(record(target), ("targets", name), problems)
    return tuple(not_reported(problems.problems, reported))


def _target(target: JsonObject, at: ValuePath, problems: ProblemCollector) -> None:
    for key, value in target.items():
        for path, written in leaves(value, (*at, key)):
            if isinstance(written, str):
                _text(written, path, target, problems)
        if key == "headers":
            _names_of_headers(target, (*at, key), problems)
    patterns_that_fit_nothing(target, at, problems)
    interchanged(target, at, problems)
    written_out(target, at, problems)
    _never_ready(target, at, problems)
    if "sandbox" not in target:
        _identity(target, at, problems)
    for key in target if "sandbox" in target and "url" not in target else ():
        if KEYS.get(key, _UNKNOWN).only_sites:
            message = f"`{key}` has no effect here: a sandbox runs on this machine, and signs in by itself"
            problems.report("E107", message, (*at, key), at_key=True, warning=True, hint="leave it out")


def _text(written: str, path: ValuePath, target: JsonObject, problems: ProblemCollector) -> None:
    key = str(path[2])
    known, plain_http = KEYS.get(key, _UNKNOWN), target.get("plain_http") is True
    if _BRACES in written and known.evaluated:
        _template(written, path, problems)
    elif _BRACES in written:
        hint = f"write the value itself: templates are read in {', '.join(f'`{name}`' for name in EVALUATED)}"
        problems.report("E122", "no template is read here", path, hint=hint)
    elif known.evaluated and (literal := variable(written, path)) is not None:
        problems.add(literal, path, hidden=key not in _ADDRESSES)  # it may be a password
    elif (wrong := known.wrong(written, plain_http=plain_http)) is not None:
        problems.add(replace(wrong, hint=_right_address(key, written, target) or wrong.hint), path)
    elif known.has_durations and durations.is_too_long(written):
        problems.report("E114", "a duration is at most a year", path)


def _right_address(key: str, written: str, target: JsonObject) -> str | None:
    """The address to write in the place of a wrong address in the file."""
    right = likely_url(written) if key in ("url", "identity_url") else None
    if right is None:
        return None
    if key == "url" and _PREFIX.search(written):
        if target.get("runtime") == "net":
            return f"write `{right}`; a site whose address has `/0` is of `runtime: net-framework`"
        return f"write `{right}`: `runtime: net-framework` adds `/0`"
    return f"write `{right}`"


def _names_of_headers(target: JsonObject, at: ValuePath, problems: ProblemCollector) -> None:
    names = tuple(record(target["headers"]))
    kind = kind_of(record(target.get("auth")))
    with_a_token = kind is not None and kind.by_identity_service
    for number, name in enumerate(names):
        wrong = header_name_mistake(name, before=names[:number], signs_in_with_a_token=with_a_token)
        if wrong is not None:
            problems.add(replace(wrong, at_key=True), (*at, name))


def _identity(target: JsonObject, at: ValuePath, problems: ProblemCollector) -> None:
    """Where an OAuth client's tokens come from must be known; of a `url` that is a template only the run knows."""
    url, auth = text(target, "url"), record(target.get("auth"))
    kind = kind_of(auth)
    if kind is None or kind.keys[0] not in auth or not kind.by_identity_service or "identity_url" in target:
        return
    if url and _BRACES not in url and url_mistake(url, plain_http=True) is None and identity_in_the_cloud(url) is None:
        problems.report("E105", NO_IDENTITY, (*at, "auth"), at_key=True, hint=IDENTITY_HINT)


def _never_ready(target: JsonObject, at: ValuePath, problems: ProblemCollector) -> None:
    """Two readings, `every` apart, that do not fit into the time."""
    written = record(target.get("ready"))
    longest, every = duration(written.get("for")), duration(written.get("every"))
    otherwise = Readiness()
    if (every or otherwise.every) >= (longest or otherwise.longest):
        problems.report("E168", TOO_SHORT, (*at, "ready", "every" if every else "for"), hint=TOO_SHORT_HINT)


def _template(text: str, path: ValuePath, problems: ProblemCollector) -> None:
    try:
        parsed = parse.target_template(text)
    except TemplateProblem as problem:
        problems.add_in_text(problem.finding, path, text)
        return
    for name in parsed.names:
        if name.path[0] != "env" or len(name.path) == 1:
            message, hint = _name_mistake(name)
            part, line = str(name.path[0]), name.line
            problems.add_in_text(Finding(code="E126", message=message, hint=hint, part=part, line=line), path, text)


def _name_mistake(name: Name) -> tuple[str, str]:
    if name.path[0] == "env":
        return "`env` is read one variable at a time", "write `env.NAME`"
    word = str(name.path[0])
    is_a_variable = len(name.path) == 1 and word.isupper()
    hint = f"write `env.{word}`" if is_a_variable else "use `env.NAME` or `file('PATH')`: a target knows nothing else"
    return f"unknown name `{word}`", hint


_PATTERN: Final = lazy_pattern(r"(?:[\w*?]|\[!?[^\]]+\])+")
"""What may stand in the name of a process, and the signs of patterns of file names."""


_SHELL: Final = lazy_pattern(
    r"\$([A-Z][A-Z0-9_]+)|\$\{(?:env:)?([A-Za-z_]\w*)\}|%([A-Z][A-Z0-9_]+)%|\$(?i:env):([A-Za-z_]\w*)|\$\(([A-Za-z_]\w*)\)"
)
_BARE: Final = lazy_pattern(r"[\s{<\[%=$(]*env\.([A-Za-z_]\w*)[\s}>\]%)]*")
_NAMED_IN_URL: Final = lazy_pattern(r"(?:^|//)[^/@:]*:([^/@]+)@")  # the password in an address
_ADDRESSES: Final = ("url", "identity_url", "proxy")
"""Keys whose values are never a password alone, so that such a text surely is a variable of the shell."""


def variable(written: str, path: ValuePath) -> Finding | None:
    """A variable written as elsewhere. A password that is such a text can be written as a text in a template."""
    found = _SHELL.fullmatch(written) if "$" in written or "%" in written else None
    bare = _BARE.fullmatch(written) if "env." in written else None
    if found is None and bare is None:
        return None
    message = "a variable of the shell is not read here" if found else "without braces this is a plain text"
    is_address = path[-1] in _ADDRESSES
    name = next(filter(None, found.groups())) if found else "NAME"  # its own name may pass for the secret
    name = bare[1] if bare and is_address else name
    hint = f'write `"{{{{ env.{name} }}}}"`'
    if not is_address:
        hint += """; where the value really is this text, write it as a text in braces: `"{{ 'TEXT' }}"`"""
    return Finding(message=message, hint=hint)


def patterns_that_fit_nothing(target: JsonObject, at: ValuePath, problems: ProblemCollector) -> None:
    """Regular expressions and the like in `allow.processes`: names of processes hold letters, digits and `_`."""
    for index, pattern in enumerate(items(record(target.get("allow")).get("processes"))):
        if isinstance(pattern, str) and pattern and not _PATTERN.fullmatch(pattern) and "{{" not in pattern:
            path = (*at, "allow", "processes", index)
            message = f"`{pattern}` fits no name of a process: `*` fits any signs, `?` a single sign"
            problems.report("E107", message, path, warning=True)


def interchanged(target: JsonObject, at: ValuePath, problems: ProblemCollector) -> None:
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


_AS_A_TEXT = lazy_pattern(r"""\{\{\s*('[^']*'|"[^"]*")\s*\}\}""")


def written_out(target: JsonObject, at: ValuePath, problems: ProblemCollector) -> None:
    """A password, client secret or token in the file. That of a site on this machine is nobody's loss."""
    if "sandbox" in target or is_loopback(_host(text(target, "url") or "") or ""):
        return
    found = [("auth", kind.keys[-1]) for kind in KINDS]
    found += [("headers", name) for name in record(target.get("headers")) if names_secret_header(name)]
    reported = {problem.path for problem in problems.problems}
    for key, name in found:
        written = text(record(target.get(key)), name)
        path = (*at, key, name)
        is_written = is_plain(written or "") or _AS_A_TEXT.fullmatch(written or "")
        if written and path not in reported and is_written and variable(written, path) is None:
            _report_written(name, path, problems)
    named = _NAMED_IN_URL.search(text(target, "proxy") or "")
    if named is not None and is_plain(named[1]):
        _report_written("the password of the proxy", (*at, "proxy"), problems)


def _report_written(name: str, path: ValuePath, problems: ProblemCollector) -> None:
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

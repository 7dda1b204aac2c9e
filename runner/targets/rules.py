"""What a schema cannot say of targets: their templates, addresses, headers, and what goes together.

Reads no environment and no file.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

from runner.expressions import parse
from runner.expressions.parse import Name, TemplateProblem
from runner.foundation import durations
from runner.foundation.problems import Problem, Severity
from runner.foundation.raw import duration, record, text
from runner.foundation.values import Json, JsonObject, Path
from runner.reading.document import Document
from runner.targets.doubts import interchanged, patterns_that_fit_nothing, written_out
from runner.targets.headers import HeaderMistake, name_mistake, value_mistake
from runner.targets.model import TOO_SHORT, TOO_SHORT_HINT, Readiness
from runner.targets.urls import (
    IDENTITY_HINT,
    NO_IDENTITY,
    UrlMistake,
    identity_in_the_cloud,
    identity_mistake,
    proxy_mistake,
    site_meant,
    url_mistake,
)

_Looked: TypeAlias = Callable[[str], UrlMistake | HeaderMistake | None]

_BRACES: Final = "{{"
_SHELL: Final = re.compile(
    r"\$([A-Z][A-Z0-9_]+)|\$\{(?:env:)?([A-Za-z_]\w*)\}|%([A-Z][A-Z0-9_]+)%|\$(?i:env):([A-Za-z_]\w*)"
)
_BARE: Final = re.compile(r"\{?\s*env\.([A-Za-z_]\w*)\s*\}?")
_PREFIX: Final = re.compile(r"/0(?=/|$)")
_WORKED_OUT: Final = ("url", "identity_url", "ca_file", "proxy", "auth", "headers")
"""The keys of a site in whose values templates are read."""
_LOOKED_AT: Final[Mapping[str, _Looked]] = {
    "url": url_mistake,
    "identity_url": identity_mistake,
    "proxy": proxy_mistake,
    "headers": value_mistake,
}
_url_in_the_clear: _Looked = partial(url_mistake, plain_http=True)
_identity_in_the_clear: _Looked = partial(identity_mistake, plain_http=True)
_ADDRESSES: Final = ("url", "identity_url", "proxy")
"""Keys behind which no password stands alone, so that a variable of the shell is one for sure."""
_OF_THE_SHELL: Final = "a variable of the shell is not read here: the text is taken as it stands"
_OF_SITES: Final = ("auth", "identity_url", "ca_file", "proxy", "headers", "plain_http", "ready")
"""What a sandbox has no use for."""


def check(document: Document, *, reported: Collection[Problem] = ()) -> tuple[Problem, ...]:
    """Every mistake of a targets file, in its order. What `reported` says already is not said again."""
    known = {problem.path for problem in reported}
    targets = record(record(document.data).get("targets"))
    found = [problem for name, target in targets.items() for problem in _target(document, name, record(target))]
    return tuple(problem for problem in found if problem.path not in known)


def _target(document: Document, name: str, target: JsonObject) -> Iterator[Problem]:
    at: Path = ("targets", name)
    looked_at = dict(_LOOKED_AT)
    if target.get("plain_http") is True:
        looked_at |= {"url": _url_in_the_clear, "identity_url": _identity_in_the_clear}
    for key, value in target.items():
        for path, written in _texts(value, (*at, key)):
            if _BRACES in written:
                yield from _template(document, written, path) if key in _WORKED_OUT else _in_vain(document, path)
            elif key in _WORKED_OUT and (literal := _variable(document, written, path)) is not None:
                yield literal
            elif (wrong := looked_at.get(key, _nothing)(written)) is not None:
                hint = _address_meant(key, written, target) or wrong.hint
                yield document.problem(wrong.code, wrong.message, path=path, hint=hint)
            elif key in ("timeout", "settle", "ready") and durations.is_too_long(written):
                yield document.problem("E114", "a duration is at most a year", path=path)
        if key == "headers":
            yield from _names_of_headers(document, target, (*at, key))
    yield from patterns_that_fit_nothing(document, target, at)
    yield from interchanged(document, target, at)
    for problem in written_out(document, target, at):
        secret = text(record(target.get("auth")), str(problem.path[-1])) or ""
        if _variable(document, secret, problem.path) is None:
            yield problem
    yield from _never_ready(document, target, at)
    yield from _of_a_sandbox(document, target, at) if "sandbox" in target else _identity(document, target, at)


def _variable(document: Document, written: str, path: Path) -> Problem | None:
    """A variable of the environment, written as elsewhere. In an address it cannot stand; else it may be meant as it
    stands, so it is a warning; and may be a password, so its line is not shown.
    """
    found, bare = _SHELL.fullmatch(written), _BARE.fullmatch(written)
    if found is None and bare is None:
        return None
    message = _OF_THE_SHELL if found else "without braces this is a text, and taken as it stands"
    name = next(filter(None, found.groups())) if found else "NAME"  # its own name may pass for the secret
    if path[-1] in _ADDRESSES:
        name = bare[1] if bare else name
        return document.problem("E107", message, path=path, hint=f'write `"{{{{ env.{name} }}}}"`')
    hint = f'write `"{{{{ env.{name} }}}}"`; a password that looks like this may stand'
    problem = document.problem("E107", message, path=path, hint=hint, severity=Severity.WARNING)
    return replace(problem, excerpt=None)


def _address_meant(key: str, written: str, target: JsonObject) -> str | None:
    """The address to write in the place of a wrong one that stands in the file."""
    meant = site_meant(written) if key in ("url", "identity_url") else None
    if meant is None:
        return None
    if key == "url" and _PREFIX.search(written):
        if target.get("runtime") == "net":
            return f"write `{meant}`; a site whose address has `/0` is of `runtime: net-framework`"
        return f"write `{meant}`: `runtime: net-framework` adds `/0`"
    return f"write `{meant}`"


def _nothing(_: str) -> None:
    return None


def _names_of_headers(document: Document, target: JsonObject, at: Path) -> Iterator[Problem]:
    names = tuple(record(target["headers"]))
    with_a_token = "client_id" in record(target.get("auth"))
    for number, name in enumerate(names):
        wrong = name_mistake(name, before=names[:number], signs_in_with_a_token=with_a_token)
        if wrong is not None:
            yield document.problem(wrong.code, wrong.message, path=(*at, name), at_key=True, hint=wrong.hint)


def _identity(document: Document, target: JsonObject, at: Path) -> Iterator[Problem]:
    """Where an OAuth client's tokens come from must be known; of a `url` that is a template only the run can tell."""
    url, auth = text(target, "url"), record(target.get("auth"))
    if "client_id" not in auth or {"username", "password"} & auth.keys() or "identity_url" in target:
        return
    if url and _BRACES not in url and url_mistake(url, plain_http=True) is None and identity_in_the_cloud(url) is None:
        yield document.problem("E105", NO_IDENTITY, path=(*at, "auth"), at_key=True, hint=IDENTITY_HINT)


def _of_a_sandbox(document: Document, target: JsonObject, at: Path) -> Iterator[Problem]:
    for key in _OF_SITES:
        if key in target and "url" not in target:
            message = f"`{key}` says nothing here: a sandbox stands on this machine, and signs in by itself"
            warning = Severity.WARNING
            yield document.problem("E107", message, path=(*at, key), at_key=True, severity=warning, hint="leave it out")


def _never_ready(document: Document, target: JsonObject, at: Path) -> Iterator[Problem]:
    """Two readings, `every` apart, that do not fit into the time."""
    written = record(target.get("ready"))
    longest, every = duration(written.get("for")), duration(written.get("every"))
    otherwise = Readiness()
    if (every or otherwise.every) >= (longest or otherwise.longest):
        key = "every" if every else "for"
        yield document.problem("E168", TOO_SHORT, path=(*at, "ready", key), hint=TOO_SHORT_HINT)


def _texts(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for key, item in value.items():
                yield from _texts(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from _texts(item, (*path, index))


def _template(document: Document, text: str, path: Path) -> Iterator[Problem]:
    try:
        parsed = parse.target_template(text)
    except TemplateProblem as problem:
        span = document.name_span(path, line=problem.line, name=problem.name or text)
        yield document.problem(problem.code, problem.message, path=path, hint=problem.hint, span=span)
        return
    for name in parsed.names:
        if name.path[0] != "env" or len(name.path) == 1:
            span = document.name_span(path, line=name.line, name=str(name.path[0]))
            message, hint = _name_mistake(name)
            yield document.problem("E126", message, path=path, hint=hint, span=span)


def _name_mistake(name: Name) -> tuple[str, str]:
    if name.path[0] == "env":
        return "`env` is read one variable at a time", "write `env.NAME`, the name as it stands"
    word = str(name.path[0])
    is_a_variable = len(name.path) == 1 and word.isupper()
    hint = f"write `env.{word}`" if is_a_variable else "a target knows `env.NAME` and `file('PATH')` only"
    return f"unknown name `{word}`", hint


def _in_vain(document: Document, path: Path) -> Iterator[Problem]:
    hint = f"templates are read in {', '.join(f'`{key}`' for key in _WORKED_OUT)}"
    yield document.problem("E122", "no template is read here", path=path, hint=hint)

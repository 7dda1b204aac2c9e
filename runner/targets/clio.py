"""The targets `clio:NAME`: sites that the companion tool clio knows, from its registry. It is read, never written.

Keys are read without regard to case, as clio does [C]. Passwords stand there in clear: of its values no message holds
any but names of environments.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from runner.foundation.places import Span
from runner.foundation.problems import Finding, Problem
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject
from runner.targets.model import ClientCredentials, Password, Runtime, SiteTarget
from runner.targets.urls import identity_in_the_cloud, identity_mistake, url_mistake

FILE: Final = "appsettings.json"
PREFIX: Final = "clio:"
_MANY: Final = 20
"""So many names are listed for one that is unknown."""
_BOOLEANS: Final = {"true": True, "false": False}


class _UnfitError(Exception):
    """What stands in the registry cannot be used; caught in this module."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Reading:
    """The fields of one environment, by the names that clio writes."""

    def __init__(self, name: str, fields: JsonObject, registry: Path) -> None:
        self._name = name
        self._fields = fields
        self._registry = registry

    def text(self, key: str) -> str | None:
        """The text behind `key`; nothing, null and an empty text are none."""
        found = self._fields.get(key.lower())
        if found is None or found == "":
            return None
        if not isinstance(found, str):
            raise self.unfit(key, "it is no text")
        return found

    def address(self, key: str, mistake: Callable[[str], Finding | None]) -> str | None:
        found = self.text(key)
        wrong = None if found is None else mistake(found)
        if wrong is not None:
            raise self.unfit(key, wrong.message, code=wrong.code, hint=wrong.hint)
        return found

    def is_true(self, key: str) -> bool:
        """Whether true stands behind `key`, as a boolean or as its word."""
        found = self._fields.get(key.lower())
        meant = _BOOLEANS.get(found.strip().lower()) if isinstance(found, str) else found
        if found is None or found == "":
            return False
        if not isinstance(meant, bool):
            raise self.unfit(key, "it is neither true nor false")
        return meant

    def unfit(self, key: str, why: str, *, code: str = "E142", hint: str | None = None) -> _UnfitError:
        message = f"environment `{self._name}`, `{key}`: {why}"
        return _UnfitError(_problem(message, code=code, hint=hint, file=self._registry))


def find(
    name: str, *, environment: Mapping[str, str], read_file: Callable[[str], str]
) -> SiteTarget | tuple[Problem, ...]:
    """The site that clio knows as `name`, or what is wrong.

    `read_file` raises `OSError` or `UnicodeDecodeError` where it cannot.
    """
    try:
        registry = _registry(environment)
        known = _environments(registry, _read(registry, read_file))
        return _site(*_chosen(name, known, registry), registry=registry)
    except _UnfitError as unfit:
        return (unfit.problem,)


def _registry(environment: Mapping[str, str]) -> Path:
    """Where clio keeps its registry [C]."""
    if environment.get("CLIO_HOME"):
        return Path(environment["CLIO_HOME"]) / FILE
    for variable in ("LOCALAPPDATA", "HOME"):
        if environment.get(variable):
            return Path(environment[variable]) / "creatio" / "clio" / FILE
    raise _UnfitError(_problem("it is not known where clio keeps its registry", hint="set `CLIO_HOME` to that folder"))


def _read(registry: Path, read_file: Callable[[str], str]) -> Json:
    try:
        content = read_file(str(registry)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise _UnfitError(_problem("clio's registry is not UTF-8", file=registry)) from None
    except OSError as error:
        message = f"clio's registry `{registry}` cannot be read: {error.strerror or error}"
        raise _UnfitError(_problem(message, hint="`CLIO_HOME` names its folder, where it is elsewhere")) from None
    try:
        parsed: Json = json.loads(content)
    except json.JSONDecodeError as error:
        span = Span(error.lineno, error.colno, error.lineno, error.colno)
        raise _UnfitError(_problem(f"clio's registry is no JSON: {error.msg}", file=registry, span=span)) from None
    except (RecursionError, ValueError):
        raise _UnfitError(_problem("clio's registry is no JSON that can be read", file=registry)) from None
    return parsed


def _environments(registry: Path, parsed: Json) -> JsonObject:
    found = _folded(parsed).get("environments") if isinstance(parsed, dict) else None
    if not isinstance(found, dict) or not found:
        raise _UnfitError(_problem("clio's registry knows no environments", file=registry))
    return found


def _chosen(name: str, known: JsonObject, registry: Path) -> tuple[str, JsonObject]:
    """The environment of that name; where none is written just so, the one that differs in case only."""
    same = [name] if name in known else [other for other in known if other.casefold() == name.casefold()]
    if len(same) != 1:
        near = suggest(name, known) if not same else None
        listed = ", ".join(f"`{other}`" for other in list(known)[:_MANY]) + (", …" if len(known) > _MANY else "")
        hint = f"did you mean `{PREFIX}{near}`? clio knows {listed}" if near else f"clio knows {listed}"
        raise _UnfitError(Problem(code="E141", message=f"unknown target `{PREFIX}{name}`", hint=hint))
    found = known[same[0]]
    if not isinstance(found, dict):
        raise _UnfitError(_problem(f"environment `{same[0]}` is no record", file=registry))
    return same[0], _folded(found)


def _folded(fields: JsonObject) -> JsonObject:
    """The fields by their keys in lower case, without dashes and underscores."""
    return {key.replace("_", "").replace("-", "").lower(): value for key, value in fields.items()}


def _site(name: str, fields: JsonObject, *, registry: Path) -> SiteTarget:
    reading = _Reading(name, fields, registry)
    url = reading.address("Uri", url_mistake)
    if url is None:
        raise reading.unfit("Uri", "it is not there")
    auth = _auth(reading)
    identity = reading.address("AuthAppUri", identity_mistake) if isinstance(auth, ClientCredentials) else None
    if isinstance(auth, ClientCredentials) and identity is None and identity_in_the_cloud(url) is None:
        raise reading.unfit("AuthAppUri", "it is not there, and only for `*.creatio.com` the identity service is known")
    return SiteTarget(
        name=f"{PREFIX}{name}",
        url=_literal(url),
        runtime=Runtime.NET if reading.is_true("IsNetCore") else Runtime.NET_FRAMEWORK,
        auth=auth,
        identity_url=None if identity is None else _literal(identity),
        protected=reading.is_true("Safe"),
    )


def _auth(reading: _Reading) -> Password | ClientCredentials:
    """An environment that has both signs in as the OAuth client [?]: a name and a password may be clio's defaults."""
    client_id, client_secret = reading.text("ClientId"), reading.text("ClientSecret")
    username, password = reading.text("Login"), reading.text("Password")
    if client_id is not None and client_secret is not None:
        return ClientCredentials(client_id=_literal(client_id), client_secret=_literal(client_secret))
    if client_id is not None:
        raise reading.unfit("ClientSecret", "it is not there")
    if username is None or password is None:
        raise reading.unfit("Login" if username is None else "Password", "it is not there")
    return Password(username=_literal(username), password=_literal(password))


def _literal(text: str) -> str:
    """`text` as a template that stands for it: what clio keeps is no template, whatever braces it holds."""
    return text.replace("{{", '{{ "{{" }}')


def _problem(
    message: str, *, code: str = "E142", hint: str | None = None, file: Path | None = None, span: Span | None = None
) -> Problem:
    return Problem(code=code, message=message, hint=hint, file=None if file is None else str(file), span=span)

"""The targets `clio:NAME`: sites of the tool clio, read from its registry without regard to case [C].

Its passwords are in the clear: messages hold names of environments only.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from runner.foundation.problems import Finding, Problem, Span, UsageError
from runner.foundation.sentences import listed
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, is_well_formed
from runner.service.auth import KINDS, AuthKind, Credentials
from runner.service.site import Runtime
from runner.targets.model import CLIO, SiteTarget
from runner.targets.values import identity_in_the_cloud, identity_mistake, url_mistake

FILE: Final = "appsettings.json"
_BOOLEANS: Final = {"true": True, "false": False}


def _unfit(
    message: str, *, code: str = "E142", hint: str | None = None, file: Path | None = None, span: Span | None = None
) -> UsageError:
    """Why the registry, or an environment in it, cannot be used."""
    return UsageError(
        Problem(code=code, message=message, hint=hint, file=None if file is None else str(file), span=span)
    )


class _Environment:
    """The fields of an environment, by the names that clio writes."""

    def __init__(self, name: str, fields: JsonObject, registry: Path) -> None:
        self._name = name
        self._fields = fields
        self._registry = registry

    def text(self, key: str) -> str | None:
        """The text of `key`; nothing, null and an empty text are none."""
        found = self._fields.get(key.lower())
        if found is None or found == "":
            return None
        if not isinstance(found, str):
            raise self.unfit(key, "it is no text")
        if not is_well_formed(found):
            why = "it has half of a surrogate pair, which cannot be sent"
            raise self.unfit(key, why, hint="write it anew with `clio reg-web-app`")
        return found

    def needed(self, key: str) -> str:
        found = self.text(key)
        if found is None:
            raise self.unfit(key, "it is not there")
        return found

    def address(self, key: str, mistake: Callable[[str], Finding | None]) -> str | None:
        found = self.text(key)
        wrong = None if found is None else mistake(found)
        if wrong is not None:
            raise self.unfit(key, wrong.message, code=wrong.code, hint=wrong.hint)
        return found

    def is_true(self, key: str) -> bool:
        """Whether the value of `key` is true, as a boolean or as its word."""
        found = self._fields.get(key.lower())
        value = _BOOLEANS.get(found.strip().lower()) if isinstance(found, str) else found
        if found is None or found == "":
            return False
        if not isinstance(value, bool):
            raise self.unfit(key, "it is neither true nor false")
        return value

    def unfit(self, key: str, why: str, *, code: str = "E142", hint: str | None = None) -> UsageError:
        return _unfit(f"environment `{self._name}`, `{key}`: {why}", code=code, hint=hint, file=self._registry)


def find(
    name: str, *, environment: Mapping[str, str], read_file: Callable[[str], str]
) -> SiteTarget | tuple[Problem, ...]:
    """The site that clio knows as `name`, or what is wrong. `read_file` raises `OSError` or `UnicodeDecodeError`."""
    try:
        registry = _registry(environment)
        known = _environments(registry, _read(registry, read_file))
        return _site(*_chosen(name, known, registry), registry=registry)
    except UsageError as unfit:
        return unfit.problems


def _registry(environment: Mapping[str, str]) -> Path:
    """Where clio stores its registry [C]."""
    if environment.get("CLIO_HOME"):
        return Path(environment["CLIO_HOME"]) / FILE
    for variable in ("LOCALAPPDATA", "HOME"):
        if environment.get(variable):
            return Path(environment[variable]) / "creatio" / "clio" / FILE
    raise _unfit("it is not known where clio keeps its registry", hint="set `CLIO_HOME` to that folder")


def _read(registry: Path, read_file: Callable[[str], str]) -> Json:
    try:
        content = read_file(str(registry)).removeprefix("\ufeff")
        parsed: Json = json.loads(content)
    except UnicodeDecodeError:
        raise _unfit("clio's registry is not UTF-8", file=registry) from None
    except OSError as error:
        message = f"clio's registry `{registry}` cannot be read: {error.strerror or error}"
        raise _unfit(message, hint="`CLIO_HOME` names its folder, where it is elsewhere") from None
    except json.JSONDecodeError as error:
        span = Span(error.lineno, error.colno, error.lineno, error.colno)
        raise _unfit(f"clio's registry is no JSON: {error.msg}", file=registry, span=span) from None
    except (RecursionError, ValueError):
        raise _unfit("clio's registry is no JSON that can be read", file=registry) from None
    return parsed


def _environments(registry: Path, parsed: Json) -> JsonObject:
    found = _folded(parsed).get("environments") if isinstance(parsed, dict) else None
    if not isinstance(found, dict) or not found:
        raise _unfit("clio's registry knows no environments", file=registry)
    return found


def _chosen(name: str, known: JsonObject, registry: Path) -> tuple[str, JsonObject]:
    """The environment with that name, or with a name that differs in case only."""
    same = [name] if name in known else [other for other in known if other.casefold() == name.casefold()]
    if len(same) != 1:
        near = suggest(name, known) if not same else None
        knows = f"clio knows {listed(known)}"
        hint = f"did you mean `{CLIO}{near}`? {knows}" if near else knows
        raise _unfit(f"unknown target `{CLIO}{name}`", code="E141", hint=hint)
    found = known[same[0]]
    if not isinstance(found, dict):
        raise _unfit(f"environment `{same[0]}` is no record", file=registry)
    return same[0], _folded(found)


def _folded(fields: JsonObject) -> JsonObject:
    """The fields by their keys in lower case, without dashes and underscores."""
    return {key.replace("_", "").replace("-", "").lower(): value for key, value in fields.items()}


def _site(name: str, fields: JsonObject, *, registry: Path) -> SiteTarget:
    known = _Environment(name, fields, registry)
    url = known.address("Uri", url_mistake) or known.needed("Uri")
    auth = _auth(known)
    identity = known.address("AuthAppUri", identity_mistake) if auth.kind.by_identity_service else None
    if auth.kind.by_identity_service and identity is None and identity_in_the_cloud(url) is None:
        raise known.unfit("AuthAppUri", "it is not there, and only for `*.creatio.com` the identity service is known")
    return SiteTarget(
        name=f"{CLIO}{name}",
        url=_literal(url),
        runtime=Runtime.NET if known.is_true("IsNetCore") else Runtime.NET_FRAMEWORK,
        auth=auth,
        identity_url=None if identity is None else _literal(identity),
        protected=known.is_true("Safe"),
    )


def _auth(known: _Environment) -> Credentials:
    """An environment that has several signs in by the last kind [?]: a name and a password may be clio's defaults."""
    given = (kind for kind in reversed(KINDS) if kind.registry and known.text(kind.registry[0]) is not None)
    kind: AuthKind = next(given, KINDS[0])
    texts = [_literal(known.needed(key)) for key in kind.registry]
    return kind.credentials(**dict(zip(kind.keys, texts, strict=True)))


def _literal(text: str) -> str:
    """`text` as a template that gives it: clio stores no templates."""
    return text.replace("{{", '{{ "{{" }}')

"""The keys of a target, a record each: how a value is read, what may be wrong, who may see it."""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from runner.foundation.problems import Finding
from runner.foundation.values import Json, duration, items, record, sure_text
from runner.service.auth import Credentials, kind_of
from runner.service.site import ElementIdPlace, ExecuteMethod, Runtime
from runner.targets.model import Allow
from runner.targets.values import header_mistake, identity_mistake, proxy_mistake, url_mistake

_PERIODS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


class TargetKey(Struct, frozen=True, kw_only=True):
    """A key of a target."""

    name: str
    read: Callable[[Any], Any] | None = None  # makes the field of that name; None: that needs the file's folder
    mistake: Callable[..., Finding | None] | None = None  # what is wrong with a text
    is_site: bool = False  # a site's address; takes `plain_http`
    evaluated: bool = False  # it may have templates
    has_durations: bool = False
    secret: bool = False  # messages hide its value
    only_sites: bool = False  # not of a sandbox

    def wrong(self, text: str, *, plain_http: bool) -> Finding | None:
        if self.mistake is None:
            return None
        return self.mistake(text, plain_http=plain_http) if self.is_site else self.mistake(text)


def _auth(written: Json) -> Credentials | None:
    auth = record(written)
    kind = kind_of(auth)
    return None if kind is None else kind.credentials(**{key: sure_text(auth[key]) for key in kind.keys})


def _headers(written: Json) -> tuple[tuple[str, Json], ...]:
    return tuple(record(written).items())


def _rate(written: Json) -> float:
    """`5/s`, `30/m` as calls a second."""
    number, _, period = sure_text(written).partition("/")
    return float(number) / _PERIODS[period]


def _allow(written: Json) -> Allow:
    """An empty list allows nothing, none allows all."""
    return Allow(**{key: tuple(sure_text(word) for word in items(words)) for key, words in record(written).items()})


KEYS: Final = {
    key.name: key
    for key in (
        TargetKey(name="sandbox"),
        TargetKey(name="url", read=sure_text, mistake=url_mistake, is_site=True, evaluated=True),
        TargetKey(name="runtime", read=Runtime),
        TargetKey(
            name="identity_url",
            read=sure_text,
            mistake=identity_mistake,
            is_site=True,
            evaluated=True,
            only_sites=True,
        ),
        TargetKey(name="element_call", read=ElementIdPlace),
        TargetKey(name="execute_method", read=ExecuteMethod),
        TargetKey(name="timeout", read=duration, has_durations=True),
        TargetKey(name="settle", read=duration, has_durations=True),
        TargetKey(name="ca_file", read=sure_text, evaluated=True, only_sites=True),
        TargetKey(name="proxy", read=sure_text, mistake=proxy_mistake, evaluated=True, secret=True, only_sites=True),
        TargetKey(name="auth", read=_auth, evaluated=True, secret=True, only_sites=True),
        TargetKey(name="headers", read=_headers, mistake=header_mistake, evaluated=True, secret=True, only_sites=True),
        TargetKey(name="rate", read=_rate),
        TargetKey(name="protected", read=bool),
        TargetKey(name="plain_http", read=bool, only_sites=True),
        TargetKey(name="allow", read=_allow),
        TargetKey(name="ready", has_durations=True, only_sites=True),
    )
}
"""By name, in the order in which messages name them."""
EVALUATED: Final = tuple(key.name for key in KEYS.values() if key.evaluated)
"""The keys in whose values templates are read."""

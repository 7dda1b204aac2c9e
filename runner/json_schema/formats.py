"""The formats of draft 2020-12, checked in the schemas of a job; others are remarks.

A `date-time` and a `time` need no offset, against RFC 3339: so a site gets a moment in its own time.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Final

import jsonschema_rs

from runner.foundation.values import Json

EXAMPLES: Final[Mapping[str, str]] = {
    "date-time": "2026-12-31T23:59:59",
    "date": "2026-12-31",
    "time": "18:45:00",
    "duration": "PT30M",
    "email": "ann@example.com",
    "idn-email": "ann@example.com",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/a",
    "uri-reference": "/a",
    "iri": "https://example.com/a",
    "iri-reference": "/a",
    "uuid": "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11",
    "uri-template": "/a/{id}",
    "json-pointer": "/a/0",
    "relative-json-pointer": "1/a",
    "regex": "^[a-z]+$",
}
"""Every format that is checked, with a text that is of it."""
REMARKS: Final = frozenset({"int32", "int64", "float", "double", "password", "byte", "binary"})
"""Formats of OpenAPI that people copy along: they check nothing of a text."""


def is_known(name: Json) -> bool:
    return isinstance(name, str) and name in EXAMPLES


def example(name: Json) -> str:
    """How a text of this format looks, to end a sentence with; empty where that is not known."""
    return f", as in `{EXAMPLES[name]}`" if isinstance(name, str) and name in EXAMPLES else ""


def _fits_with_or_without_offset(name: str, text: str) -> bool:
    return _strict(name).is_valid(text) or _strict(name).is_valid(f"{text}Z")


OWN: Final[dict[str, Callable[..., bool]]] = {
    name: partial(_fits_with_or_without_offset, name) for name in ("date-time", "time")
}
"""What `jsonschema_rs` is given in place of formats of its own."""


@lru_cache
def _strict(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True)

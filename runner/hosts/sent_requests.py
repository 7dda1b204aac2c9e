"""A request as evidence: what was put on the wire, in the parts in which an event holds it."""

import json
from typing import Final
from urllib.parse import quote, unquote

from msgspec import UNSET, UnsetType

from runner.foundation.values import Json
from runner.runs.evidence import SentRequest
from runner.service.site import Request

MOST_BYTES: Final = 8 << 10
"""Bytes of a request that is stored with its query and its body: the call holds the values of a larger one."""


def sent_request(request: Request) -> SentRequest:
    """Secrets are in it still: its event is stored without them."""
    path, _, query = request.path.partition("?")
    if len(request.path) + len(request.body or b"") > MOST_BYTES:
        return SentRequest(method=request.method, path=path)
    pairs = _pairs(query) if query else ()
    return SentRequest(
        method=request.method,
        path=request.path if pairs is None else path,
        query=pairs or UNSET,
        body=_body(request.body),
    )


def _pairs(query: str) -> tuple[tuple[str, str], ...] | None:
    """Names and decoded values; None where encoding them again would make another query."""
    split = [pair.partition("=") for pair in query.split("&")]
    pairs = tuple((name, unquote(value)) for name, _, value in split)
    again = [f"{name}={quote(value, safe='')}" for name, value in pairs]
    return pairs if "&".join(again) == query else None


def _body(content: bytes | None) -> "Json | UnsetType":
    if content is None:
        return UNSET
    body: Json = json.loads(content) if content else None
    return body

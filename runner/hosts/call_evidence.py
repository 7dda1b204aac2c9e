"""A call as evidence: its request in the parts in which an event holds it, and the events of what came of it."""

import json
from functools import lru_cache
from sys import intern
from typing import Final

from msgspec import UNSET, UnsetType

from runner.engine.effects import Send
from runner.foundation.percent import decoded, encoded
from runner.foundation.values import Json
from runner.runs.events import AttemptFailed, CallAnswered, Trouble
from runner.runs.evidence import SentRequest
from runner.runs.hidden_answers import SECRET_VALUE
from runner.secrets.shown import STARS
from runner.service.calls import Answered, Call, CallFailed, FailureKind, RunProcessCall
from runner.service.site import Request

MOST_BYTES: Final = 8 << 10
"""Bytes of a request that is stored with its query and its body: the call holds the values of a larger request."""
BROKEN_OFF: Final = CallFailed(
    kind=FailureKind.UNANSWERED, trouble=Trouble(code="E312", message="the run broke off before the call was answered")
)
"""A call that had left when the run ended, without an answer."""


def sent_request(request: Request) -> SentRequest:
    """Secrets are in it still: its event is stored without them."""
    path, _, query = request.path.partition("?")
    if len(request.path) + len(request.body or b"") > MOST_BYTES:
        return SentRequest(method=request.method, path=path, left_out=len(query) + len(request.body or b""))
    pairs = _pairs(query) if query else ()
    return SentRequest(
        method=request.method,
        path=intern(request.path if pairs is None else path),
        query=pairs or (),
        body=_body(request.body),
    )


def _pairs(query: str) -> tuple[tuple[str, str], ...] | None:
    """Names and decoded values; None where encoding them again would make another query."""
    pairs = []
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        text = _exactly_decoded(value)
        if text is None or not equals:
            return None
        pairs.append((intern(name), text))
    return tuple(pairs)


@lru_cache(maxsize=64)  # most values go along with call after call
def _exactly_decoded(value: str) -> str | None:
    text = decoded(value)
    return text if encoded(text) == value else None


def _body(content: bytes | None) -> "Json | UnsetType":
    if content is None:
        return UNSET
    body: Json = json.loads(content) if content else None
    return body


def call_answered(send: Send, t: float, ending: Answered) -> CallAnswered:
    """The event of an answer. That a secret step was answered with nothing is no secret: its verdict depends on it."""
    return CallAnswered(
        key=send.key,
        t=t,
        value=_without_result(send.call, ending.value) if send.secret else ending.value,
        date=ending.date,
        status=ending.status,
        bytes=ending.size,
    )


def _without_result(call: Call, value: Json) -> Json:
    """The answer without its secrets: of a `run` the process and its end stay, to resume it."""
    if not isinstance(call, RunProcessCall) or not isinstance(value, dict):
        return None if value is None else SECRET_VALUE
    results, error = value.get("results"), value.get("error")
    return {**value, "results": SECRET_VALUE if results else results, "error": STARS if error else error}


def attempt_failed(key: str, t: float, failure: CallFailed, *, body: str | None = None) -> AttemptFailed:
    return AttemptFailed(
        key=key,
        t=t,
        kind=failure.kind.value,
        error=failure.trouble,
        status=failure.status,
        retry_after=failure.retry_after,
        final=failure.final,
        date=failure.date,
        unproved=failure.unproved,
        body=body,
        bytes=failure.size,
    )

"""The shapes of requests and replies: WCF's XML, its faults, JSON, and nothing.

The XML has no declaration, and escapes `&`, `<`, `>` alone: a real client reads it by a regular expression [C].
"""

from collections.abc import Mapping

from starlette.responses import Response

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, JsonObject, read_json, write_json

_STRING = '<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">'
_FAULT = (
    '<Fault xmlns="http://schemas.microsoft.com/ws/2005/05/envelope/none"><Code><Value>Receiver</Value></Code>'
    '<Reason><Text xml:lang="en-US">{}</Text></Reason></Fault>'
)
_XML = "application/xml; charset=utf-8"
_JSON = "application/json; charset=utf-8"
_NOT_XML = lazy_pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def record_or_none(body: bytes) -> JsonObject | None:
    """The JSON record that a request sends; None for any other body."""
    try:
        value = read_json(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


class UnfitRequestError(ValueError):
    """What a person asks for cannot be done; the message is for people."""


def sent_record(body: bytes, *, example: str) -> JsonObject:
    """The JSON record that a person's request sends. Raises `UnfitRequestError`."""
    sent = record_or_none(body)
    if sent is None:
        raise UnfitRequestError(f"the body is no JSON record, as in {example}")
    return sent


def record_in(body: bytes) -> JsonObject:
    """The JSON record that a request sends; of any other body an empty record: what is missing is reported then."""
    return record_or_none(body) or {}


def string(text: str = "") -> Response:
    """What WCF makes of a method that returns a text; `text` is what JSON writes, so XML can hold it."""
    return Response(f"{_STRING}{_escaped(text)}</string>", media_type=_XML)


def fault(text: str, *, status: int = 500) -> Response:
    """A refusal in WCF's shape. That the service answers so is a choice [?]."""
    return Response(_FAULT.format(_escaped(_NOT_XML.sub("\ufffd", text))), status_code=status, media_type=_XML)


def plain_json(value: Json, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(write_json(value), status_code=status, headers=headers, media_type=_JSON)


def nothing(status: int) -> Response:
    return Response(None, status_code=status)


def not_allowed(*methods: str) -> Response:
    """405, with the methods that are allowed."""
    return Response(None, status_code=405, headers={"Allow": ", ".join(methods)})


def not_signed_in(headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a call without a session: 401, in JSON [M]."""
    body: JsonObject = {
        "Message": "Authentication failed.",
        "StackTrace": None,
        "ExceptionType": "System.InvalidOperationException",
    }
    return plain_json(body, status=401, headers=headers)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

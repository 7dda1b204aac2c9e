"""An event as it may be on disk: without secrets, and with a large result apart. Pure: it stores nothing."""

import hashlib
import json
from contextlib import suppress
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from runner.foundation.fingerprints import LEARNT
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, JsonObject, compact
from runner.runs.events import AnyEvent, CallAnswered, StepFinished, decode, encode
from runner.secrets.holes import MARK, Hole, taken_apart
from runner.secrets.redact import Secrets
from runner.secrets.shown import hide

LARGE = 256 * 1024  # bytes from which a result lies in a file of its own

_REFERENCE = frozenset({"$result", "bytes"})
_FORGOTTEN = "forgotten"
_LOOKALIKE = b'"$result"'
_NAMED = "sha256:"
_MARK = MARK.encode()

_OUR_FIELDS = """
type key status section kind effect verified reason id run digest started_at t seconds attempts retry_after
index line exit_code flaky final undo why stopped_by command rows source dirty on_failure max_attempts method
bytes auth how unverified what left_out running unchecked
"""
_OURS = frozenset(_OUR_FIELDS.split())
"""Fields that hold our own words and numbers; a secret that happens to be equal must not cut them."""

_FROM_OUTSIDE = frozenset({"value", "result", "outputs", "inputs", "given", "item"})
"""Fields that hold whatever a site, a job or a command gave, under names of theirs."""

_BETWEEN = lazy_pattern(r"([/?&=(),'])")  # what is between the values of a path


class Apart(Struct, frozen=True, kw_only=True):
    """A file of its own, called by its SHA-256. `has_forgotten`: a secret that ended with the session was cut out."""

    name: str
    content: bytes
    has_forgotten: bool


class SafeEvent(Struct, frozen=True, kw_only=True):
    """`body` is the event's JSON, without the journal's own fields."""

    event: AnyEvent
    body: bytes
    apart: Apart | None = None


def safe(event: AnyEvent, secrets: Secrets) -> SafeEvent:
    """`event` without secrets, encoded; a large value is taken out of its line, and stored apart."""
    body = encode(event)
    if secrets.appears_in_json(body):
        event = _without_secrets(event, secrets)
        body = encode(event)
    if len(body) <= LARGE and _LOOKALIKE not in body:
        return SafeEvent(event=event, body=body)
    match event:
        case CallAnswered(value=value) if apart := _apart(value, body):
            event = msgspec.structs.replace(event, value=_reference(apart))
        case StepFinished(result=value) if apart := _apart(value, body):
            event = msgspec.structs.replace(event, result=_reference(apart))
        case _:
            return SafeEvent(event=event, body=body)
    return SafeEvent(event=event, body=encode(event), apart=apart)


def referred_to(value: Json) -> str | None:
    """The file that holds a value of a journal, if it is not in the journal."""
    if not isinstance(value, dict) or value.keys() - {_FORGOTTEN} != _REFERENCE:
        return None
    name = value["$result"]
    return name.removeprefix(_NAMED) if isinstance(name, str) and name.startswith(_NAMED) else None


def _apart(value: Json, body: bytes) -> Apart | None:
    """The value, where it is large, or would be taken for a reference."""
    lookalike = referred_to(value) is not None
    if len(body) <= LARGE and not lookalike:
        return None
    content = compact(value).encode()
    if len(content) <= LARGE and not lookalike:
        return None
    name = hashlib.sha256(content).hexdigest()
    return Apart(name=name, content=content, has_forgotten=has_learnt_secret(value))


def _reference(apart: Apart) -> JsonObject:
    found: JsonObject = {"$result": _NAMED + apart.name, "bytes": len(apart.content)}
    return {**found, _FORGOTTEN: True} if apart.has_forgotten else found


def has_learnt_secret(value: Json) -> bool:
    """Whether a cookie or a token was cut out of it, which ended with the session; also of a value that lies apart."""
    if referred_to(value) is not None:
        return isinstance(value, dict) and value.get(_FORGOTTEN) is True
    if not isinstance(value, dict | list | str) or _MARK not in (encoded := msgspec.json.encode(value)):
        return False
    return any(isinstance(part, Hole) and part.name.startswith(LEARNT) for part in taken_apart(encoded.decode()))


def _without_secrets(event: AnyEvent, secrets: Secrets) -> AnyEvent:
    fields: JsonObject = msgspec.json.decode(encode(event))
    clean: JsonObject = {name: value if name in _OURS else _cut(name, value, secrets) for name, value in fields.items()}
    return decode(msgspec.json.encode(clean))


def _cut(name: str, value: Json, secrets: Secrets) -> Json:
    """A field without secrets. Keys from outside are cut, too, but not those of our records."""
    if name in _FROM_OUTSIDE:
        return secrets.cut(value)
    match value:
        case dict() if name == "request":
            return _cut_request(value, secrets)
        case dict():
            return {part: _cut_part(part, inner, secrets) for part, inner in value.items()}
        case list():
            return [_cut(name, item, secrets) for item in value]
        case _:
            return secrets.cut(value)


def _cut_part(part: str, value: Json, secrets: Secrets) -> Json:
    if part in _OURS:
        return value
    if part != "differences" or not isinstance(value, list):
        return secrets.cut(value)
    return [
        {name: inner if name in ("sign", "at", "among") else secrets.cut(inner) for name, inner in item.items()}
        for item in value
        if isinstance(item, dict)
    ]


def _cut_request(request: JsonObject, secrets: Secrets) -> JsonObject:
    """In a path, and in JSON sent as text, each value is searched by itself: a short secret is a whole value."""
    return {
        part: value if part == "method" else _cut_path(value, secrets) if part == "path" else _cut_sent(value, secrets)
        for part, value in request.items()
    }


def _cut_path(path: Json, secrets: Secrets) -> Json:
    parts = _BETWEEN.split(str(secrets.cut(path)))
    return "".join(part if not part or MARK in part else _cut_segment(part, secrets) for part in parts)


def _cut_segment(part: str, secrets: Secrets) -> str:
    cut = secrets.cut(unquote(part))
    return cut if isinstance(cut, str) and MARK in cut else part


def _cut_json(text: str, parsed: Json, secrets: Secrets) -> Json:
    """The text of a JSON value without secrets: as it is written, where no secret is left in its values then."""
    cut = secrets.cut(text)
    if secrets.cut(parsed) == parsed:
        return cut
    with suppress(ValueError, RecursionError):
        if isinstance(cut, str) and secrets.cut(left := hide(json.loads(cut))) == left:
            return cut
    return compact(secrets.cut(parsed))


def _cut_sent(value: Json, secrets: Secrets) -> Json:
    match value:
        case dict():
            return {str(secrets.cut(key)): _cut_sent(inner, secrets) for key, inner in value.items()}
        case list():
            return [_cut_sent(item, secrets) for item in value]
        case str() if value[:1] in ("[", "{"):
            try:
                parsed = json.loads(value)
            except (ValueError, RecursionError):
                return secrets.cut(value)
            return _cut_json(value, parsed, secrets)
        case _:
            return secrets.cut(value)

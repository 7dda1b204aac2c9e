"""A request of OTLP in JSON: spans and the resource, which `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` name."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote

from runner.foundation.values import Json, JsonObject, compact
from runner.reports.safe import clean, safe_json
from runner.reports.words import shortened
from runner.version import VERSION

INTERNAL: Final = 1
CLIENT: Final = 3
LONGEST_MESSAGE: Final = 500
_LONGEST_VALUE: Final = 4000
_SERVICE: Final = "creatio-runner"
_ERROR: Final = 2


def request(spans: Sequence[JsonObject], resource: JsonObject) -> str:
    """A line. `resource` are its attributes by their names."""
    scope: JsonObject = {"scope": {"name": _SERVICE, "version": VERSION}, "spans": [*spans]}
    of_resource: JsonObject = {"resource": {"attributes": attributes(resource)}, "scopeSpans": [scope]}
    return safe_json(compact({"resourceSpans": [of_resource]}))


def resource(environ: Mapping[str, str], facts: JsonObject) -> JsonObject:
    """What sends the spans. `facts` are what we know of it."""
    found: JsonObject = {"service.name": _SERVICE, "service.version": VERSION, **facts}
    found |= _given_attributes(environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    if name := environ.get("OTEL_SERVICE_NAME", "").strip():
        found["service.name"] = name
    return found


def _given_attributes(text: str) -> JsonObject:
    """Pairs `name=value` with commas between, values percent-encoded; a part that is no pair makes all none."""
    found: JsonObject = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = (part.strip() for part in pair.partition("="))
        if not sign or not name:
            return {}
        found[unquote(name)] = unquote(value)
    return found


def attributes(values: JsonObject) -> list[Json]:
    """Without those that are None."""
    return [{"key": clean(key), "value": _value(value)} for key, value in values.items() if value is not None]


def status(bad: str | None) -> JsonObject:
    """What is not red has no status: that is for whoever reads the trace to decide."""
    if bad is None:
        return {}
    return {"status": {"code": _ERROR, "message": shortened(clean(bad), LONGEST_MESSAGE)}}


def _value(value: Json) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": shortened(clean(str(value)), _LONGEST_VALUE)}

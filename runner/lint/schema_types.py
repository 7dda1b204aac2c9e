"""The types of what fits a JSON Schema, as far as its simplest keywords say."""

import re
from collections.abc import Mapping
from typing import Final

from runner.expressions import typed
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, JsonObject, items, record

KINDS: Final[Mapping[str, int]] = {
    "string": typed.TEXT,
    "integer": typed.NUMBER,
    "number": typed.NUMBER,
    "boolean": typed.BOOLEAN,
    "array": typed.LIST,
    "object": typed.RECORD,
    "null": typed.NULL,
}
"""The kinds of the types of a JSON Schema."""
_CLASS = r"\[(?:[A-Za-z0-9]-[A-Za-z0-9]|[\w .:@/#+,]|\\[dw.-])+-?\]"
_WITHOUT_QUOTES = lazy_pattern(rf"\^(?:{_CLASS}|[\w :@/#,-]|\\[dw.-]|[+*?]|\{{\d+(?:,\d*)?\}})*\$", re.ASCII)
"""A pattern of the whole text fits no quote if each of its parts is here."""
_FORMATS: Final = ("uuid", "date", "date-time", "time", "duration", "email", "hostname", "ipv4", "ipv6")


def schema_type(schema: Json) -> typed.Type:
    """The type of a value that fits a JSON Schema, as far as its simplest keywords say."""
    if not isinstance(schema, dict):
        return typed.UNKNOWN
    found = [given for given in (_type_of_listed(schema), _type_of_named(schema)) if given is not None]
    return min(found, key=lambda given: given.kinds.bit_count()) if found else typed.UNKNOWN


def _type_of_named(schema: JsonObject) -> typed.Type | None:
    """The type by `type`, `items` and `properties`."""
    written = schema.get("type")
    kinds = 0
    for name in items(written) if isinstance(written, list) else [written]:
        if not isinstance(name, str) or name not in KINDS:
            return None
        kinds |= KINDS[name]
    fields = {name: schema_type(part) for name, part in record(schema.get("properties")).items()}
    is_closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
    has_items = isinstance(schema.get("items"), dict) and "prefixItems" not in schema
    item = schema_type(schema["items"]) if has_items else None
    is_known = bool(fields) and bool(kinds & typed.RECORD)
    return typed.Type(
        kinds=kinds,
        item=item,
        fields=fields if is_known else None,
        closed=is_known and is_closed,
        plain=not kinds & (typed.LIST | typed.RECORD) and _is_without_quotes(schema),
    )


def _is_without_quotes(schema: JsonObject) -> bool:
    pattern = schema.get("pattern")
    has_pattern = isinstance(pattern, str) and _WITHOUT_QUOTES.fullmatch(pattern) is not None
    return has_pattern or schema.get("format") in _FORMATS


def _type_of_listed(schema: JsonObject) -> typed.Type | None:
    listed = [schema["const"]] if "const" in schema else schema.get("enum")
    return typed.any_of(map(_type_of_value, listed)) if isinstance(listed, list) else None


def _type_of_value(value: Json) -> typed.Type:
    return typed.Type(kinds=typed.TEXT, words=frozenset({value})) if isinstance(value, str) else typed.type_of(value)

"""Types of what processes give and take, of inputs, and of what each action answers.

What a site sends is known from few measurements: a type here says no more than those do.
"""

from collections.abc import Mapping
from typing import Final

from runner.expressions import typed
from runner.expressions.typed import (
    BOOLEAN,
    LIST,
    NULL,
    NUMBER,
    RECORD,
    TEXT,
    UNKNOWN,
    Type,
)
from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject

KINDS: Final[Mapping[str, int]] = {
    "string": TEXT,
    "integer": NUMBER,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "array": LIST,
    "object": RECORD,
    "null": NULL,
}
"""The kinds of the types of a JSON Schema."""


def of_schema(schema: Json) -> Type:
    """The type of a value that fits a JSON Schema, as far as its simplest keywords tell."""
    if not isinstance(schema, dict):
        return UNKNOWN
    known = [_of_listed(schema), _of_named(schema)]
    found = [one for one in known if one is not None]
    return min(found, key=lambda one: one.kinds.bit_count()) if found else UNKNOWN


def _of_named(schema: JsonObject) -> Type | None:
    """By its `type`, and what it says of items and keys."""
    written = schema.get("type")
    kinds = 0
    for name in items(written) if isinstance(written, list) else [written]:
        if not isinstance(name, str) or name not in KINDS:
            return None
        kinds |= KINDS[name]
    fields = {name: of_schema(part) for name, part in record(schema.get("properties")).items()}
    is_closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
    item = of_schema(schema["items"]) if isinstance(schema.get("items"), dict) and "prefixItems" not in schema else None
    is_known = bool(fields) and kinds & RECORD
    return Type(kinds=kinds, item=item, fields=fields if is_known else None, closed=bool(is_known) and is_closed)


def _of_listed(schema: JsonObject) -> Type | None:
    """By the values that it lists."""
    listed = [schema["const"]] if "const" in schema else schema.get("enum")
    return typed.any_of(map(_of_listed_value, listed)) if isinstance(listed, list) else None


def _of_listed_value(value: Json) -> Type:
    return Type(kinds=TEXT, words=frozenset({value})) if isinstance(value, str) else typed.of_value(value)

"""What to write in place of a flaw of a schema: a hint that can be typed as it is; none where that is not known."""

import re

from runner.foundation import hints
from runner.foundation.suggestions import folded, foreign, suggest
from runner.foundation.values import Json, JsonObject, ValuePath, is_number, value_at
from runner.json_schema.formats import EXAMPLES
from runner.json_schema.keywords import A_SCHEMA, KEYWORDS, LEAST, NAMED_SCHEMAS, SCHEMAS, TYPES, place

_OF_AN_INPUT = "an input without `default` is required, an input with `default` is not"


def hint(path: ValuePath, schema: Json) -> str | None:
    holder, value = value_at(path[:-1], schema), value_at(path, schema)
    at, key = place(path), str(path[-1]) if path else ""
    if at == "keyword" and isinstance(holder, dict):
        if key not in KEYWORDS:
            return _unknown(key, holder, at_root=len(path) == 1)
        return _value(key, value, holder, path)
    if at == "name" and path[-2] == "properties":
        return _property(key, value)
    if at == "index" and path[-2] == "type":
        return hints.hint("schemas", "type in list", value) or _near_type(value)
    return _a_schema(value) if at in ("name", "index") else None


def _unknown(key: str, holder: JsonObject, *, at_root: bool) -> str | None:
    """What to write for an unknown keyword: a word of another draft, a typo, or the name of a property."""
    value, kind = holder[key], holder.get("type")
    if key == "optional" and at_root:
        return _OF_AN_INPUT
    if key == "nullable":
        return 'write `"null"` among its types' if value else 'leave it out: without `"null"` in `type` no null fits'
    if value is None and key in TYPES:
        return f"write `type: {key}`"
    if key in ("min", "max") and isinstance(kind, str) and kind in LEAST:
        return f"did you mean `{LEAST[kind].replace('min', key)}`?"
    if key == "dependencies" and isinstance(value, dict) and all(isinstance(keys, list) for keys in value.values()):
        return "did you mean `dependentRequired`?"
    near = suggest(key, {*KEYWORDS, "secret"} if at_root else KEYWORDS)
    is_type = isinstance(value, str) and value in TYPES
    if (isinstance(value, dict) or is_type) and near not in A_SCHEMA | NAMED_SCHEMAS:
        named = f"properties: {{{key}: {f'{{type: {value}}}' if is_type else '…'}}}"
        return f"write keys of a record in `{f'items: {{{named}}}' if kind == 'array' else named}`"
    cut = "put the text before it in quotes: a comma ends it" if value is None else None
    return f"did you mean `{near}`?" if near else cut


def _value(keyword: str, value: Json, holder: JsonObject, path: ValuePath) -> str | None:
    if keyword == "required" and isinstance(value, bool):
        named = f"`required: [{path[-2]}]`" if place(path[:-1]) == "name" else "as in `required: [Id]`"
        return _OF_AN_INPUT if len(path) == 1 else f"`required` lists keys of a record, beside `properties`: {named}"
    bound = holder.get("minimum" if keyword == "exclusiveMinimum" else "maximum")
    written = str(bound) if is_number(bound) else "0"
    if found := hints.hint("schemas", f"keyword {keyword}", value, bound=written):
        return found
    if keyword == "type":
        return _format(value) or _near_type(value)
    return _a_schema(value) if keyword in A_SCHEMA | SCHEMAS else None


def _property(name: str, value: Json) -> str | None:
    """A property that is no schema: a keyword a level too deep, or a bare type."""
    if name in KEYWORDS and not (name == "type" and isinstance(value, str)):
        return f"write `{name}` beside `properties`, not in it"
    found = hints.hint("schemas", f"property {name}", value)
    schema = _a_schema(value)
    return found or (schema and schema.replace("write `", f"write `{name}: ", 1))


def _a_schema(value: Json) -> str | None:
    if not isinstance(value, str):
        return None
    named = _format(value) or hints.hint("schemas", "keyword type", value)
    near = value if value in TYPES else None if named else suggest(value, TYPES)
    named = f"write `type: {near}`" if near else named
    return re.sub(r"`(type: .*)`", r"`{\1}`", named) if named and "`type: " in named else None


def _format(value: Json) -> str | None:
    """A format, or what other tools call it, in the place of a type."""
    same = (name for name in EXAMPLES if isinstance(value, str) and folded(name) == folded(value))
    found = next(same, None) or (foreign(value, EXAMPLES) if isinstance(value, str) else None)
    return found and f"write `type: string, format: {found}`"


def _near_type(value: Json) -> str | None:
    near = suggest(value, TYPES) if isinstance(value, str) else None
    return f"did you mean `{near}`?" if near else None

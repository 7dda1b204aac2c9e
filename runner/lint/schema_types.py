"""The types of JSON Schemas: of what fits them, and whether a result can meet the schema of its expectation.

Only what is certain is reported: that a part of the schema is never met, or checks nothing, whatever comes. Branches of
`anyOf`, `if` and their like are passed over: each may be there to be missed. So is what only a null would fit: a null
may always come.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from runner.expressions import typed
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.foundation.raw import items, record
from runner.foundation.sentences import begun
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, Path
from runner.json_schema.as_type import listed_as
from runner.json_schema.flaws import idle, other_spelling
from runner.json_schema.keywords import listed_by, types

_KINDS: Final[Mapping[str, int]] = {
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
_NAMES: Final[Mapping[int, frozenset[str]]] = {
    kind: frozenset(name for name, other in _KINDS.items() if other == kind)
    for kind in _KINDS.values()
    if kind != typed.NULL
}
"""The types of a JSON Schema by the kinds."""


def unmet(schema: Json, given: typed.Type, *, called: str = "`result`", path: Path = ()) -> Iterator[Finding]:
    """What of `schema` no value of the type `given` meets, or heeds. `called` is its name in messages."""
    present = typed.without_null(given)
    if not isinstance(schema, dict) or not present.kinds:
        return
    wrong_type = _wrong_type(schema, present, called, path)
    if wrong_type is not None:
        yield wrong_type
        return  # of a value of another type nothing else is worth saying
    yield from _listed(schema, present, called, path)
    if "type" not in schema:
        yield from _idle(schema, present, called, path)
    if present.kinds == typed.RECORD and present.fields is not None:
        yield from _keys(schema, present, called, path)
    if present.kinds == typed.LIST:
        for keyword in _item_keywords(schema):
            yield from unmet(schema[keyword], present.any_item, called=f"an item of {called}", path=(*path, keyword))
    for index, part in enumerate(items(schema.get("allOf"))):
        yield from unmet(part, given, called=called, path=(*path, "allOf", index))


def _item_keywords(schema: JsonObject) -> Iterator[str]:
    """The keywords whose schema an item of a list must fit; with `minContains: 0` none needs to."""
    if "items" in schema and "prefixItems" not in schema:
        yield "items"
    if "contains" in schema and schema.get("minContains", 1) != 0:
        yield "contains"


def _wrong_type(schema: JsonObject, present: typed.Type, called: str, path: Path) -> Finding | None:
    wanted = types(schema)
    bits = 0
    for name in wanted:
        bits |= _KINDS[name]
    if not wanted or bits & (present.kinds | typed.NULL):
        return None
    message = f"{called} is {typed.in_words(present)}, and never {typed.in_words(typed.Type(kinds=bits))}"
    return Finding(code="E177", message=message, path=(*path, "type"), hint=_type_hint(wanted, present))


def _type_hint(wanted: frozenset[str], present: typed.Type) -> str | None:
    if present.kinds == typed.LIST and wanted == {"object"}:
        return "write `type: array`: write what holds for each of its records under `items`"
    named = _NAMES.get(present.kinds)
    return f"write `type: {max(named)}`" if named else None


def _listed(schema: JsonObject, present: typed.Type, called: str, path: Path) -> Iterator[Finding]:
    for keyword in ("const", "enum"):
        listed = listed_by(schema, keyword)
        kinds = 0
        for item in listed:
            kinds |= typed.type_of(item).kinds
        if kinds and not kinds & (present.kinds | typed.NULL):
            message = f"{called} is {typed.in_words(present)}, and never {typed.in_words(typed.Type(kinds=kinds))}"
            hint = listed_as(keyword, listed, _NAMES.get(present.kinds, frozenset()))
            yield Finding(code="E177", message=message, path=(*path, keyword), hint=hint)


def _idle(schema: JsonObject, present: typed.Type, called: str, path: Path) -> Iterator[Finding]:
    """Keywords for another kind of value, where no `type` says which is wanted."""
    of: frozenset[str] = frozenset().union(*(names for bit, names in _NAMES.items() if bit & present.kinds))
    for doubt in idle(schema, of, path=path):
        keyword = str(doubt.path[-1])
        message = f"{called} is {typed.in_words(present)}, of which `{keyword}` checks nothing"
        yield Finding(code="E177", message=message, path=doubt.path, hint=doubt.hint, at_key=True, warning=True)


def _keys(schema: JsonObject, present: typed.Type, called: str, path: Path) -> Iterator[Finding]:
    fields = present.fields or {}
    for name, part in record(schema.get("properties")).items():
        at = (*path, "properties", name)
        if name in fields or not present.closed:
            yield from unmet(part, fields.get(name, typed.UNKNOWN), called=f"`{name}`", path=at)
        elif not isinstance(part, bool):  # `false` says that the key must not be there
            near = suggest(name, fields)
            message = f"{called} has no `{name}`, so that nothing is checked here"
            yield Finding(
                code="E173", message=message, path=at, hint=_keys_hint(near, present), at_key=True, warning=near is None
            )
    for index, wanted in enumerate(items(schema.get("required"))):
        if (
            present.closed
            and isinstance(wanted, str)
            and wanted not in fields
            and other_spelling(wanted, schema) is None
        ):
            hint = _keys_hint(suggest(wanted, fields), present)
            at = (*path, "required", index)
            yield Finding(code="E173", message=f"{called} has no `{wanted}`", path=at, hint=hint)


def _keys_hint(near: str | None, present: typed.Type) -> str:
    if near is not None:
        return f"did you mean `{near}`?"
    return present.note or f"it has {begun(sorted(present.fields or {})) or 'no fields'}"


def schema_type(schema: Json) -> typed.Type:
    """The type of a value that fits a JSON Schema, as far as its simplest keywords say."""
    if not isinstance(schema, dict):
        return typed.UNKNOWN
    found = [given for given in (_type_of_listed(schema), _type_of_named(schema)) if given is not None]
    return min(found, key=lambda given: given.kinds.bit_count()) if found else typed.UNKNOWN


def _type_of_named(schema: JsonObject) -> typed.Type | None:
    """By its `type`, and what it says of items and keys."""
    written = schema.get("type")
    kinds = 0
    for name in items(written) if isinstance(written, list) else [written]:
        if not isinstance(name, str) or name not in _KINDS:
            return None
        kinds |= _KINDS[name]
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
    """Whether no `'` is in a text that fits."""
    pattern = schema.get("pattern")
    has_pattern = isinstance(pattern, str) and _WITHOUT_QUOTES.fullmatch(pattern) is not None
    return has_pattern or schema.get("format") in _FORMATS


def _type_of_listed(schema: JsonObject) -> typed.Type | None:
    """By the values that it lists."""
    listed = [schema["const"]] if "const" in schema else schema.get("enum")
    return typed.any_of(map(_type_of_value, listed)) if isinstance(listed, list) else None


def _type_of_value(value: Json) -> typed.Type:
    return typed.Type(kinds=typed.TEXT, words=frozenset({value})) if isinstance(value, str) else typed.type_of(value)

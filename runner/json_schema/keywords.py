"""The keywords of draft 2020-12: what each holds, of which types each speaks, and where schemas are."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias

from runner.foundation.values import Json, JsonObject, ValuePath

A_SCHEMA: Final = frozenset(
    {"items", "contains", "additionalProperties", "propertyNames", "if", "then", "else", "not"}
    | {"unevaluatedItems", "unevaluatedProperties", "contentSchema"}
)
SCHEMAS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
NAMED_SCHEMAS: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
_OTHERS = frozenset(
    "$schema $id $ref $anchor $dynamicRef $dynamicAnchor $vocabulary $comment type const enum multipleOf maximum "  # noqa: SIM905  forty words, one a line, would hide the rest
    "exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems maxContains "
    "minContains maxProperties minProperties required dependentRequired format contentEncoding contentMediaType title "
    "description default deprecated readOnly writeOnly examples".split()
)
KEYWORDS: Final = A_SCHEMA | SCHEMAS | NAMED_SCHEMAS | _OTHERS
"""Every keyword of the draft; those of earlier drafts that it no longer lists are not among them."""

TYPES: Final = ("string", "number", "integer", "boolean", "array", "object", "null")
IN_WORDS: Final[Mapping[str, str]] = {
    "null": "null",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "array": "a list",
    "object": "a record",
}

LEAST: Final[Mapping[str, str]] = {
    "string": "minLength",
    "array": "minItems",
    "object": "minProperties",
    "number": "minimum",
    "integer": "minimum",
}
"""The keyword that says how little a value of a type may be."""

SPEAKS_OF: Final[Mapping[str, frozenset[str]]] = {
    keyword: frozenset(kinds.split())
    for kinds, keywords in {
        "string": "minLength maxLength pattern format",
        "number integer": "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
        "array": "items prefixItems contains minContains maxContains minItems maxItems uniqueItems unevaluatedItems",
        "object": "properties patternProperties additionalProperties propertyNames required dependentRequired "
        "dependentSchemas minProperties maxProperties unevaluatedProperties",
    }.items()
    for keyword in keywords.split()
}
"""The types of which a keyword says something; a value of any other type fits it."""

Place: TypeAlias = Literal["root", "keyword", "index", "name"]


def nodes(schema: Json, path: ValuePath = ()) -> Iterator[tuple[ValuePath, JsonObject]]:
    """Every record in `schema` that is a schema, itself first."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for key, value in schema.items():
        if key in A_SCHEMA:
            yield from nodes(value, (*path, key))
        elif key in SCHEMAS and isinstance(value, list):
            for index, item in enumerate(value):
                yield from nodes(item, (*path, key, index))
        elif key in NAMED_SCHEMAS and isinstance(value, dict):
            for name, item in value.items():
                yield from nodes(item, (*path, key, name))


def place(path: ValuePath) -> Place:
    """What the last part of `path` is: a keyword, an item of its list, or a name as in `properties`."""
    found: Place = "root"
    held_by: str | int = ""
    for part in path:
        if found == "keyword" and held_by in NAMED_SCHEMAS:
            found = "name"
        else:
            found = "keyword" if isinstance(part, str) else "index"
        held_by = part
    return found


def types(node: JsonObject) -> frozenset[str]:
    """The types that `node` names; none where it names none, or what is no type."""
    written = node.get("type")
    named = written if isinstance(written, list) else [written]
    known = frozenset(name for name in named if isinstance(name, str) and name in TYPES)
    return known if len(known) == len(named) else frozenset()


_KINDS: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def may_be(value: Json, of: frozenset[str]) -> bool:
    """Whether `value` is of a type of `of`; a number without a fraction is an integer, too."""
    kind = _KINDS[type(value)]
    is_whole = kind == "integer" or (isinstance(value, float) and value.is_integer())
    return kind in of or (kind in ("integer", "number") and ("number" in of or ("integer" in of and is_whole)))


def listed_by(node: JsonObject, keyword: str) -> list[Json]:
    """The values that an `enum` lists, or the value of a `const`; none where there is no list."""
    value = node.get(keyword)
    if keyword == "const":
        return [value] if keyword in node else []
    return value if isinstance(value, list) else []

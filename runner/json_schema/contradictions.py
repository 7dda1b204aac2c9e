"""Schemas that nothing fits, for what they say in two places: bounds that cross, values that are of another type.

Only what no writer can have meant: `false` and `not: {}` are ways to say that nothing may be there.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, Path, compact, is_number
from runner.json_schema.as_wanted import NUMBER, WHOLE
from runner.json_schema.keywords import IN_WORDS, nodes, types
from runner.json_schema.violations import Violation, shown

_BOUNDS: Final = (
    ("minLength", "maxLength", "text"),
    ("minItems", "maxItems", "list"),
    ("minProperties", "maxProperties", "record"),
    ("minContains", "maxContains", "list"),
    ("minimum", "maximum", "number"),
    ("minimum", "exclusiveMaximum", "number"),
    ("exclusiveMinimum", "maximum", "number"),
    ("exclusiveMinimum", "exclusiveMaximum", "number"),
)
_MOST_WRITTEN: Final = 8
_KINDS: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def contradictions(schema: Json) -> Iterator[Violation]:
    for path, node in nodes(schema):
        yield from _bounds(node, path)
        yield from _listed(node, path)
        yield from _required(node, path)


def may_be(value: Json, of: frozenset[str]) -> bool:
    """Whether `value` is of one of the types `of`; a number without a fraction is an integer, too."""
    kind = _KINDS[type(value)]
    return kind in of or (kind in ("integer", "number") and ("number" in of or ("integer" in of and _is_whole(value))))


def _is_whole(value: Json) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _bounds(node: JsonObject, path: Path) -> Iterator[Violation]:
    written = [*node]
    told: set[str] = set()
    for least, most, what in _BOUNDS:
        low, high = node.get(least), node.get(most)
        if not (is_number(low) and is_number(high)):
            continue
        is_open = "exclusive" in least or "exclusive" in most
        second = max(least, most, key=written.index)
        if (low > high or (is_open and low == high)) and second not in told:
            told.add(second)
            message = f"no {what} fits both `{least}: {shown(low)}` and `{most}: {shown(high)}`"
            yield Violation(path=(*path, second), keyword=second, message=message, value=node[second], schema=node)


def _listed(node: JsonObject, path: Path) -> Iterator[Violation]:
    """Of a list that holds some values of its type, the others are a doubt and no more."""
    wanted = types(node)
    for keyword in ("const", "enum"):
        if not wanted or keyword not in node:
            continue
        value = node[keyword]
        listed = listed_by(node, keyword)
        if listed and not any(may_be(one, wanted) for one in listed):
            kinds = " or ".join(IN_WORDS[name] for name in sorted(wanted))
            said = f"{shown(value)} is not" if keyword == "const" else "no value of `enum` is"
            message = f"{said} {kinds}, as `type` wants it"
            hint = as_written(keyword, listed, wanted)
            yield Violation(path=(*path, keyword), keyword=keyword, message=message, value=value, hint=hint)


def listed_by(node: JsonObject, keyword: str) -> list[Json]:
    """The values that an `enum` lists, or the one of a `const`; none where there is no list, which is told."""
    value = node.get(keyword)
    if keyword == "const":
        return [value] if keyword in node else []
    return value if isinstance(value, list) else []


def as_written(keyword: str, listed: list[Json], wanted: frozenset[str]) -> str | None:
    """How all values of an `enum`, or the one of a `const`, are written as one of the types `wanted`."""
    written = [text for value in listed if (text := _as_type(value, wanted)) is not None]
    if len(written) < len(listed) or len(written) > _MOST_WRITTEN:
        return None
    joined = ", ".join(written)
    return f"write `{keyword}: {joined if keyword == 'const' else f'[{joined}]'}`"


def _as_type(value: Json, wanted: frozenset[str]) -> str | None:
    """`value` with quotes, or without."""
    match value:
        case bool() | int() | float() if wanted == {"string"}:
            return f'"{compact(value)}"'
        case str() if wanted == {"boolean"} and value.casefold() in ("true", "false"):
            return value.casefold()
        case str() if "integer" in wanted and WHOLE.fullmatch(value):
            return value
        case str() if "number" in wanted and NUMBER.fullmatch(value):
            return value
    return None


def _required(node: JsonObject, path: Path) -> Iterator[Violation]:
    """Keys that must be there and may not."""
    required, known = node.get("required"), node.get("properties")
    if node.get("additionalProperties") is not False or "patternProperties" in node or not isinstance(required, list):
        return
    names = [*known] if isinstance(known, dict) else []
    for index, name in enumerate(required):
        if isinstance(name, str) and name not in names:
            near = suggest(name, names)
            message = (
                f"`{name}` must be there, and `additionalProperties: false` allows no key but those of `properties`"
            )
            yield Violation(
                path=(*path, "required", index),
                keyword="required",
                message=message,
                value=name,
                schema=node,
                hint=f"did you mean `{near}`?" if near else f"add `{name}` to `properties`",
            )

"""What makes a schema wrong: the meta-schema's own violations, and what it lets pass and we do not.

That is: unknown keywords, references that lead outside or nowhere, patterns that are not of linear time, schemas
without end, and schemas that nothing fits for what they say in two places. `false` and `not: {}` say themselves that
nothing may be there. What may be written and most likely should not is the business of `doubts`.
"""

from collections.abc import Collection, Iterator
from functools import cache
from itertools import chain

import jsonschema_rs
from msgspec import Struct
from msgspec.structs import replace

from runner.foundation import patterns
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, Path, is_number
from runner.json_schema import schemas
from runner.json_schema.as_type import listed_as
from runner.json_schema.hints import hint
from runner.json_schema.keywords import IN_WORDS, KEYWORDS, TYPES, listed_by, may_be, nodes, place, types
from runner.json_schema.violations import shown, violations

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_CLOSED = "`additionalProperties: false` allows no key but those of `properties`"
_TOGETHER = frozenset({"allOf", "anyOf", "oneOf"})
_ALONE = frozenset({"if", "then", "else", "not"})
_MOST_BRANCHES = 1000
"""Schemas that one value may be checked by. Twenty definitions that each refer twice to the next make a million."""
_BOUNDS = (
    ("minLength", "maxLength", "text"),
    ("minItems", "maxItems", "list"),
    ("minProperties", "maxProperties", "record"),
    ("minContains", "maxContains", "list"),
    ("minimum", "maximum", "number"),
    ("minimum", "exclusiveMaximum", "number"),
    ("exclusiveMinimum", "maximum", "number"),
    ("exclusiveMinimum", "exclusiveMaximum", "number"),
)
_REFUSED_KEYS = ("additionalProperties", "patternProperties", "propertyNames")
"""Keywords whose violations are about a key."""


class Flaw(Struct, frozen=True, kw_only=True):
    """Something wrong, or in doubt, in a schema. `path` leads into the schema; `at_key`: the key there is wrong."""

    path: Path
    message: str
    hint: str | None = None
    at_key: bool = False


def flaws(schema: Json) -> tuple[Flaw, ...]:
    """What makes `schema` none of draft 2020-12, or none that is used here.

    `secret` at its root is ours, keys that begin with `x-` are free.
    """
    if not isinstance(schema, bool | dict):
        return (Flaw(path=(), message="a JSON Schema is a record, or true or false"),)
    if schemas.is_too_deep(schema):
        return (Flaw(path=(), message=schemas.TOO_DEEP),)
    found = (*_own(schema), *_contradictions(schema))
    known = {flaw.path for flaw in found}
    more = (flaw for flaw in _refusal(schema) if not any(path[: len(flaw.path)] == flaw.path for path in known))
    return tuple(flaw if flaw.hint else replace(flaw, hint=hint(flaw.path, schema)) for flaw in chain(found, more))


def _own(schema: Json) -> Iterator[Flaw]:
    found = list(nodes(schema))
    anchors = [node[key] for _, node in found for key in ("$anchor", "$dynamicAnchor") if key in node]
    for path, node in found:
        yield from _keywords(node, path)
        yield from _types(node, path)
        yield from _patterns(node, path)
        yield from _references(node, path, root=schema, anchors=anchors)
    if any(_is_endless(node, schema) for _, node in found):
        yield Flaw(path=(), message="its references lead on without end")


def _keywords(node: JsonObject, path: Path) -> Iterator[Flaw]:
    for key, value in node.items():
        if key == "$schema" and path:
            yield Flaw(path=(*path, key), message="`$schema` is allowed at the root only")
        elif key == "$schema" and value != DRAFT:
            yield Flaw(path=(*path, key), message="`$schema`: another draft of JSON Schema than 2020-12")
        elif key not in KEYWORDS and not key.startswith("x-") and (path or key != "secret"):
            yield Flaw(path=(*path, key), message=f"unknown keyword `{key}`", at_key=True)


def _types(node: JsonObject, path: Path) -> Iterator[Flaw]:
    written = node.get("type")
    named: list[tuple[Path, Json]] = [((*path, "type"), written)]
    if isinstance(written, list):
        named = [((*path, "type", index), item) for index, item in enumerate(written)]
    for at, name in named:
        if name is None and "type" in node:
            yield Flaw(path=at, message="a bare `null` is no type: there it is a text")
        elif isinstance(name, str) and name not in TYPES:
            yield Flaw(path=at, message=f"`{name}` is no type: there are {', '.join(TYPES)}")


def _patterns(node: JsonObject, path: Path) -> Iterator[Flaw]:
    pattern, by_pattern = node.get("pattern"), node.get("patternProperties")
    if isinstance(pattern, str) and (wrong := patterns.check(pattern)):
        yield Flaw(path=(*path, "pattern"), message=f"`pattern`: {wrong}")
    for key in by_pattern if isinstance(by_pattern, dict) else ():
        if wrong := patterns.check(key):
            yield Flaw(path=(*path, "patternProperties", key), message=wrong, at_key=True)


def _references(node: JsonObject, path: Path, *, root: Json, anchors: Collection[Json]) -> Iterator[Flaw]:
    for key in ("$ref", "$dynamicRef"):
        reference = node.get(key)
        if not isinstance(reference, str):
            continue
        if not reference.startswith("#"):
            wrong = "a reference leads to a place in the same schema, as in `#/$defs/name`"
        elif _target(reference, root) is None and reference[1:] not in anchors:
            wrong = f"nothing is at `{reference}`"
        else:
            continue
        yield Flaw(path=(*path, key), message=f"`{key}`: {wrong}")


def _target(reference: str, root: Json) -> Json:
    """What a reference leads to by its path, None where nothing is there. An anchor is no path."""
    found = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found if reference == "#" or reference.startswith("#/") else None


def _is_endless(schema: Json, root: Json) -> bool:
    """Whether one value would be checked by too many schemas, or for ever by the same."""
    waiting, seen = [schema], 0
    while waiting and seen <= _MOST_BRANCHES:
        seen += 1
        node = waiting.pop()
        if isinstance(node, dict):
            waiting.extend(_for_the_same_value(node, root))
    return seen > _MOST_BRANCHES


def _for_the_same_value(node: JsonObject, root: Json) -> Iterator[Json]:
    for key, value in node.items():
        if key in _ALONE:
            yield value
        elif key in _TOGETHER and isinstance(value, list):
            yield from value
        elif key == "dependentSchemas" and isinstance(value, dict):
            yield from value.values()
        elif key == "$ref" and isinstance(value, str):
            yield _target(value, root)


def _contradictions(schema: Json) -> Iterator[Flaw]:
    for path, node in nodes(schema):
        yield from _bounds(node, path)
        yield from _listed(node, path)
        yield from _required(node, path)


def _bounds(node: JsonObject, path: Path) -> Iterator[Flaw]:
    written = [*node]
    reported: set[str] = set()
    for least, most, what in _BOUNDS:
        low, high = node.get(least), node.get(most)
        if not (is_number(low) and is_number(high)):
            continue
        is_open = "exclusive" in least or "exclusive" in most
        second = max(least, most, key=written.index)
        if (low > high or (is_open and low == high)) and second not in reported:
            reported.add(second)
            message = f"no {what} fits both `{least}: {shown(low)}` and `{most}: {shown(high)}`"
            yield Flaw(path=(*path, second), message=message)


def _listed(node: JsonObject, path: Path) -> Iterator[Flaw]:
    """Of a list that holds some values of its type, the others are a doubt and no more."""
    wanted = types(node)
    for keyword in ("const", "enum"):
        listed = listed_by(node, keyword)
        if wanted and listed and not any(may_be(value, wanted) for value in listed):
            kinds = " or ".join(IN_WORDS[name] for name in sorted(wanted))
            what = f"`const`: {shown(listed[0])} is not" if keyword == "const" else "no value of `enum` is"
            message = f"{what} {kinds}, as `type` wants it"
            yield Flaw(path=(*path, keyword), message=message, hint=listed_as(keyword, listed, wanted))


def _required(node: JsonObject, path: Path) -> Iterator[Flaw]:
    """Keys that must be there and may not."""
    required, known = node.get("required"), node.get("properties")
    if node.get("additionalProperties") is not False or "patternProperties" in node or not isinstance(required, list):
        return
    names = [*known] if isinstance(known, dict) else []
    for index, name in enumerate(required):
        if isinstance(name, str) and name not in names:
            near = suggest(name, names)
            yield Flaw(
                path=(*path, "required", index),
                message=f"`{name}` must be there, and {_CLOSED}",
                hint=f"did you mean `{near}`?" if near else f"add `{name}` to `properties`",
            )


def _refusal(schema: Json) -> Iterator[Flaw]:
    """Why no validator can be made of `schema`: almost always its meta-schema."""
    try:
        schemas.from_job(schema)
    except ValueError as error:
        written = schemas.utf_8(schema)
        found = violations(_meta_schema().iter_errors(written), written, None)
        for violation in found:
            keyword = violation.path[-1] if violation.path else None
            is_named = place(violation.path) != "keyword" or keyword == "type"
            message = violation.message if is_named else f"`{keyword}`: {violation.message}"
            yield Flaw(path=violation.path, message=message, at_key=violation.keyword in _REFUSED_KEYS)
        if not found:
            yield Flaw(path=(), message=str(error))


@cache
def _meta_schema() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"$ref": DRAFT})

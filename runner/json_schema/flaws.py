"""What makes a schema wrong, and what in it is doubtful.

Wrong are violations of the meta-schema, unknown keywords, references outside or nowhere, patterns of more than linear
time, endless schemas, and schemas that nothing fits. `false` and `not: {}` fit nothing on purpose. Doubtful, and
warned of, are keywords that never apply and unknown formats: such a part checks nothing.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import product
from typing import Final

import jsonschema_rs
from msgspec.structs import replace

from runner.foundation import patterns
from runner.foundation.problems import Finding
from runner.foundation.sentences import joined_by_or
from runner.foundation.suggestions import did_you_mean, suggest
from runner.foundation.values import Json, JsonObject, ValuePath, is_number, utf_8
from runner.json_schema import formats, schemas
from runner.json_schema.hints import hint
from runner.json_schema.keywords import (
    IN_WORDS,
    KEYWORDS,
    LEAST,
    SPEAKS_OF,
    TYPES,
    listed_by,
    may_be,
    nodes,
    place,
    types,
)
from runner.json_schema.violations import shown_value, violations

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_CLOSED = "`additionalProperties: false` allows no key but those of `properties`"
_TOGETHER = frozenset({"allOf", "anyOf", "oneOf"})
_ALONE = frozenset({"if", "then", "else", "not"})
_MOST_BRANCHES = 1000
"""Schemas that a value may be checked by. Twenty definitions that each refer twice to the next make a million."""
_BOUNDS = (
    *((f"min{what}", f"max{what}") for what in ("Length", "Items", "Properties", "Contains")),
    *product(("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")),
)
_REFUSED_KEYS = ("additionalProperties", "patternProperties", "propertyNames")
"""Keywords whose violations are about a key."""
_MANY: Final[Mapping[str, str]] = {
    "null": "null",
    "boolean": "true and false",
    "integer": "numbers",
    "number": "numbers",
    "string": "texts",
    "array": "lists",
    "object": "records",
}
_LEAST_BOUNDS: Final = frozenset({"minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum"})
_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "then": ("if",),
    "else": ("if",),
    "if": ("then", "else"),
    **dict.fromkeys(("minContains", "maxContains"), ("contains",)),
}
"""Keywords that say nothing without others."""


def check(schema: Json) -> tuple[Finding, ...]:
    """What makes `schema` none of draft 2020-12, or of ours, and warnings. `secret` at its root and `x-…` are fine."""
    if not isinstance(schema, bool | dict):
        return (Finding(message="a JSON Schema is a record, or true or false"),)
    if schemas.is_too_deep(schema):
        return (Finding(message=schemas.TOO_DEEP),)
    found = [*_found(schema)]
    flaws = [each for each in found if not each.warning]
    known = {flaw.path for flaw in flaws}
    flaws += (flaw for flaw in _refusal(schema) if not any(path[: len(flaw.path)] == flaw.path for path in known))
    wrong = {flaw.path for flaw in flaws}
    with_hints = (flaw if flaw.hint else replace(flaw, hint=hint(flaw.path, schema)) for flaw in flaws)
    return (*with_hints, *(each for each in found if each.warning and each.path not in wrong))


def _found(schema: Json) -> Iterator[Finding]:
    found = list(nodes(schema))
    anchors = [node[key] for _, node in found for key in ("$anchor", "$dynamicAnchor") if key in node]
    for path, node in found:
        for look in (_keywords, _types, _patterns, _bounds, _listed, _required, _alone, _closing, _format, _slashes):
            yield from look(node, path)
        yield from idle(node, types(node), path=path)
        yield from _references(node, path, root=schema, anchors=anchors)
    if any(_is_endless(node, schema) for _, node in found):
        yield Finding(message="its references lead on without end")


def _keywords(node: JsonObject, path: ValuePath) -> Iterator[Finding]:
    for key, value in node.items():
        if key == "$schema" and path:
            yield Finding(path=(*path, key), message="`$schema` is allowed at the root only")
        elif key == "$schema" and value != DRAFT:
            yield Finding(path=(*path, key), message="`$schema`: another draft of JSON Schema than 2020-12")
        elif key not in KEYWORDS and not key.startswith("x-") and (path or key != "secret"):
            yield Finding(path=(*path, key), message=f"unknown keyword `{key}`", at_key=True)


def _types(node: JsonObject, path: ValuePath) -> Iterator[Finding]:
    written = node.get("type")
    named: list[tuple[ValuePath, Json]] = [((*path, "type"), written)]
    if isinstance(written, list):
        named = [((*path, "type", index), item) for index, item in enumerate(written)]
    for at, name in named:
        if name is None and "type" in node:
            yield Finding(path=at, message="a bare `null` is no type: there it is a text")
        elif isinstance(name, str) and name not in TYPES:
            yield Finding(path=at, message=f"`{name}` is no type: there are {', '.join(TYPES)}")


def _patterns(node: JsonObject, path: ValuePath) -> Iterator[Finding]:
    pattern, by_pattern = node.get("pattern"), node.get("patternProperties")
    if isinstance(pattern, str) and (wrong := patterns.check(pattern)):
        yield Finding(path=(*path, "pattern"), message=f"`pattern`: {wrong}")
    for key in by_pattern if isinstance(by_pattern, dict) else ():
        if wrong := patterns.check(key):
            yield Finding(path=(*path, "patternProperties", key), message=wrong, at_key=True)


def _references(node: JsonObject, path: ValuePath, *, root: Json, anchors: Collection[Json]) -> Iterator[Finding]:
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
        yield Finding(path=(*path, key), message=f"`{key}`: {wrong}")


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
    """Whether a value would be checked by too many schemas, or for ever by the same."""
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


def _bounds(node: JsonObject, path: ValuePath) -> Iterator[Finding]:
    written = [*node]
    for least, most in _BOUNDS:
        low, high = node.get(least), node.get(most)
        is_open = "exclusive" in least or "exclusive" in most
        if is_number(low) and is_number(high) and (low > high or (is_open and low == high)):
            message = f"nothing fits both `{least}: {shown_value(low)}` and `{most}: {shown_value(high)}`"
            yield Finding(path=(*path, max(least, most, key=written.index)), message=message)


def _listed(node: JsonObject, path: ValuePath) -> Iterator[Finding]:
    """Values that may be chosen and do not fit beside. Where another value fits, it is a doubt and no more."""
    wanted = types(node)
    kinds = " or ".join(IN_WORDS[name] for name in sorted(wanted))
    for keyword in ("const", "enum") if wanted else ():
        listed = listed_by(node, keyword)
        unfit = [index for index, value in enumerate(listed) if not may_be(value, wanted)]
        if unfit and len(unfit) == len(listed):
            what = f"`const`: {shown_value(listed[0])} is not" if keyword == "const" else "no value of `enum` is"
            message = f"{what} {kinds}, as `type` wants it"
            yield Finding(path=(*path, keyword), message=message)
            continue
        for index in unfit:
            message = f"{shown_value(listed[index])} is not {kinds}, as `type` wants it: it never fits"
            at = (*path, keyword, index)
            yield Finding(path=at, message=message, warning=True)


def _required(node: JsonObject, path: ValuePath) -> Iterator[Finding]:
    """Keys that must be there and may not."""
    required, known = node.get("required"), node.get("properties")
    names = [*known] if isinstance(known, dict) else []
    is_closed = node.get("additionalProperties") is False and "patternProperties" not in node
    for index, name in enumerate(required if isinstance(required, list) and is_closed else ()):
        if isinstance(name, str) and name not in names:
            here = did_you_mean(name, names) or f"add `{name}` to `properties`"
            yield Finding(path=(*path, "required", index), message=f"`{name}` must be there, and {_CLOSED}", hint=here)


def _refusal(schema: Json) -> Iterator[Finding]:
    """Why no validator can be made of `schema`: almost always its meta-schema."""
    try:
        schemas.from_job(schema)
    except ValueError as error:
        written = utf_8(schema)
        found = violations(_meta_schema().iter_errors(written), written, None)
        for violation in found:
            keyword = violation.path[-1] if violation.path else None
            is_named = place(violation.path) != "keyword" or keyword == "type"
            message = violation.message if is_named else f"`{keyword}`: {violation.message}"
            yield Finding(path=violation.path, message=message, at_key=violation.keyword in _REFUSED_KEYS)
        if not found:
            yield Finding(message=str(error))


@cache
def _meta_schema() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"$ref": DRAFT})


def idle(node: JsonObject, of: frozenset[str], *, path: ValuePath = ()) -> Iterator[Finding]:
    """Keywords of `node` that check nothing of a value of the types `of`."""
    if not of or of == {"null"}:
        return
    for keyword in node:
        speaks_of = SPEAKS_OF.get(keyword)
        if speaks_of is not None and not speaks_of & of and not _is_a_remark(keyword, node):
            kinds = " or ".join(dict.fromkeys(_MANY[name] for name in sorted(of - {"null"})))
            message = f"`{keyword}` is for {_MANY[min(speaks_of)]}, and checks nothing of {kinds}"
            yield _doubt((*path, keyword), message, hint=_instead(keyword, of), at_key=True)


def _is_a_remark(keyword: str, node: JsonObject) -> bool:
    """A format that checks nothing anyway: `int64` goes with numbers, and `_format` reports unknown formats."""
    return keyword == "format" and not formats.is_known(node["format"])


def _instead(keyword: str, of: frozenset[str]) -> str | None:
    """The keyword that checks the same of the type that is there, or where the keyword belongs."""
    least = next((LEAST[name] for name in sorted(of) if name in LEAST), None)
    if least is not None and keyword in _LEAST_BOUNDS:
        return f"did you mean `{least}`?"
    if least is not None and keyword.replace("max", "min").replace("Max", "Min") in _LEAST_BOUNDS:
        return f"did you mean `{least.replace('min', 'max')}`?"
    if "array" in of:
        return f"write what holds for each item of a list in `items: {{{keyword}: …}}`"
    kind = min(SPEAKS_OF[keyword])
    return f"write `type: {'number' if kind == 'integer' else kind}` with `{keyword}`, or leave it out"


def _alone(node: JsonObject, path: ValuePath) -> Iterator[Finding]:
    for keyword, others in _WITH.items():
        if keyword in node and node.keys().isdisjoint(others):
            without = joined_by_or([f"`{other}`" for other in others])
            yield _doubt((*path, keyword), f"`{keyword}` checks nothing without {without}", at_key=True)


def _closing(node: JsonObject, path: ValuePath) -> Iterator[Finding]:
    named = node.get("properties")
    if isinstance(named, dict) and isinstance(named.get("additionalProperties"), bool):
        message = "inside `properties`, `additionalProperties` is the name of a property"
        hint = "write `additionalProperties` beside `properties`"
        yield _doubt((*path, "properties", "additionalProperties"), message, hint=hint, at_key=True)


def _format(node: JsonObject, path: ValuePath) -> Iterator[Finding]:
    name = node.get("format")
    if isinstance(name, str) and name not in formats.EXAMPLES and name not in formats.REMARKS:
        near = suggest(name, formats.EXAMPLES)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(formats.EXAMPLES)}"
        yield _doubt((*path, "format"), f"`{name}` is no known format: it checks nothing", hint=hint)


def _slashes(node: JsonObject, path: ValuePath) -> Iterator[Finding]:
    pattern = node.get("pattern")
    ours = patterns.without_slashes(pattern) if isinstance(pattern, str) else None
    if ours is not None:
        message = "a pattern is written without slashes: here they are a part of it"
        yield _doubt((*path, "pattern"), message, hint=f"write `{ours}`")


def _doubt(path: ValuePath, message: str, *, hint: str | None = None, at_key: bool = False) -> Finding:
    return Finding(path=path, message=message, hint=hint, at_key=at_key, warning=True)

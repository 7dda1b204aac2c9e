"""What the meta-schema of draft 2020-12 lets pass, and we do not: unknown keywords, references that lead outside or
nowhere, patterns that are not of linear time, and schemas that would be looked at without end.
"""

from collections.abc import Collection, Iterator

from runner.foundation import patterns
from runner.foundation.values import Json, JsonObject, Path
from runner.json_schema.keywords import KEYWORDS, TYPES, nodes
from runner.json_schema.violations import Violation

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_TOGETHER = frozenset({"allOf", "anyOf", "oneOf"})
_ALONE = frozenset({"if", "then", "else", "not"})
_MOST_BRANCHES = 1000
"""Schemas that one value may be held against. Twenty definitions that each refer twice to the next make a million."""


def flaws(schema: Json) -> Iterator[Violation]:
    """All flaws of `schema`, whose lists and records are not too deep; `secret` may stand at its root, it is ours."""
    found = list(nodes(schema))
    anchors = [node[key] for _, node in found for key in ("$anchor", "$dynamicAnchor") if key in node]
    for path, node in found:
        yield from _keywords(node, path)
        yield from _types(node, path)
        yield from _patterns(node, path)
        yield from _references(node, path, root=schema, anchors=anchors)
    if any(_is_endless(node, schema) for _, node in found):
        yield Violation(path=(), keyword="$ref", message="its references lead on without end", value=schema)


def _keywords(node: JsonObject, path: Path) -> Iterator[Violation]:
    for key, value in node.items():
        if key == "$schema" and (path or value != DRAFT):
            message = "another draft of JSON Schema than 2020-12" if not path else "`$schema` stands at the root only"
            yield Violation(path=(*path, key), keyword="$schema", message=message, expected=DRAFT, value=value)
        elif key not in KEYWORDS and not key.startswith("x-") and (path or key != "secret"):
            known: list[Json] = [*sorted(KEYWORDS)]
            yield Violation(
                path=(*path, key),
                keyword="additionalProperties",
                message=f"unknown keyword `{key}`",
                expected=known,
                value=key,
                schema=node,
            )


def _types(node: JsonObject, path: Path) -> Iterator[Violation]:
    written = node.get("type")
    named: list[tuple[Path, Json]] = [((*path, "type"), written)]
    if isinstance(written, list):
        named = [((*path, "type", index), item) for index, item in enumerate(written)]
    for place, name in named:
        if name is None and "type" in node:
            message = "a bare `null` is no type: there it is a text"
            yield Violation(path=place, keyword="type", message=message, value=name, schema=node)
        elif isinstance(name, str) and name not in TYPES:
            message = f"`{name}` is no type: there are {', '.join(TYPES)}"
            yield Violation(path=place, keyword="type", message=message, value=name, schema=node)


def _patterns(node: JsonObject, path: Path) -> Iterator[Violation]:
    pattern, by_pattern = node.get("pattern"), node.get("patternProperties")
    if isinstance(pattern, str) and (said := patterns.check(pattern)):
        yield Violation(path=(*path, "pattern"), keyword="pattern", message=said, value=pattern, schema=node)
    for key in by_pattern if isinstance(by_pattern, dict) else ():
        if said := patterns.check(key):
            place = (*path, "patternProperties", key)
            yield Violation(path=place, keyword="patternProperties", message=said, value=key, schema=node)


def _references(node: JsonObject, path: Path, *, root: Json, anchors: Collection[Json]) -> Iterator[Violation]:
    for key in ("$ref", "$dynamicRef"):
        reference = node.get(key)
        if not isinstance(reference, str):
            continue
        if not reference.startswith("#"):
            said = "a reference leads to a place in the same schema, as in `#/$defs/name`"
        elif _target(reference, root) is None and reference[1:] not in anchors:
            said = f"nothing is at `{reference}`"
        else:
            continue
        yield Violation(path=(*path, key), keyword=key, message=said, value=reference, schema=node)


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
    """Whether one value would be held against too many schemas, or for ever against the same."""
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

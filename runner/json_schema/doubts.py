"""What may be written in a schema and most likely is a mistake: keywords that never apply, formats that nobody knows.

A part of a schema that checks nothing looks like a check. So it gets a warning: there may be a reason for it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.near_misses import folded
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, Path, compact
from runner.json_schema import formats, schemas
from runner.json_schema.flaws import Flaw
from runner.json_schema.keywords import IN_WORDS, LEAST, SPEAKS_OF, may_be, nodes, types
from runner.json_schema.violations import shown

_MANY: Final[Mapping[str, str]] = {
    "null": "null",
    "boolean": "true and false",
    "integer": "numbers",
    "number": "numbers",
    "string": "texts",
    "array": "lists",
    "object": "records",
}
_BOUNDS: Final = frozenset({"minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum"})
_WITH: Final[Mapping[str, str]] = {"then": "if", "else": "if", "minContains": "contains", "maxContains": "contains"}
"""Keywords that say nothing without another keyword."""
_CLOSING: Final = ("additionalProperties", "unevaluatedProperties")
_OF_JAVASCRIPT: Final = lazy_pattern(r"/(\^.*|.*(?<!\\)\$)/([gimsuy]*)", re.DOTALL)


def doubts(schema: Json) -> Iterator[Flaw]:
    for path, node in () if schemas.is_too_deep(schema) else nodes(schema):
        yield from idle(node, types(node), path=path)
        yield from _alone(node, path)
        yield from _closing(node, path)
        yield from _required(node, path)
        yield from _listed(node, path)
        yield from _format(node, path)
        yield from _pattern(node, path)


def idle(node: JsonObject, of: frozenset[str], *, path: Path = ()) -> Iterator[Flaw]:
    """Keywords of `node` that check nothing of a value whose type is one of `of`; none where `of` is empty."""
    if not of or of == {"null"}:
        return
    for keyword in node:
        speaks_of = SPEAKS_OF.get(keyword)
        if speaks_of is not None and not speaks_of & of and not _is_a_remark(keyword, node):
            kinds = " or ".join(dict.fromkeys(_MANY[name] for name in sorted(of - {"null"})))
            message = f"`{keyword}` is for {_MANY[min(speaks_of)]}, and checks nothing of {kinds}"
            yield Flaw(path=(*path, keyword), message=message, hint=_instead(keyword, of), at_key=True)


def _is_a_remark(keyword: str, node: JsonObject) -> bool:
    """A format that checks nothing anyway: `int64` goes with numbers, and `_format` reports unknown formats."""
    return keyword == "format" and not formats.is_known(node["format"])


def _instead(keyword: str, of: frozenset[str]) -> str | None:
    """The keyword that checks the same of the type that is there, or where the keyword belongs."""
    least = next((LEAST[name] for name in sorted(of) if name in LEAST), None)
    if least is not None and keyword in _BOUNDS:
        return f"did you mean `{least}`?"
    if least is not None and keyword.replace("max", "min").replace("Max", "Min") in _BOUNDS:
        return f"did you mean `{least.replace('min', 'max')}`?"
    if "array" in of:
        return f"write what holds for each item of a list in `items: {{{keyword}: …}}`"
    kind = min(SPEAKS_OF[keyword])
    return f"`{keyword}` goes with `type: {'number' if kind == 'integer' else kind}`"


def _alone(node: JsonObject, path: Path) -> Iterator[Flaw]:
    for keyword, other in _WITH.items():
        if keyword in node and other not in node:
            yield Flaw(path=(*path, keyword), message=f"`{keyword}` checks nothing without `{other}`", at_key=True)
    if "if" in node and "then" not in node and "else" not in node:
        message = "`if` checks nothing without `then` or `else`"
        yield Flaw(path=(*path, "if"), message=message, at_key=True)


def _closing(node: JsonObject, path: Path) -> Iterator[Flaw]:
    named = node.get("properties")
    for keyword in _CLOSING:
        if isinstance(named, dict) and isinstance(named.get(keyword), bool):
            message = f"inside `properties`, `{keyword}` is the name of a property"
            hint = f"write `{keyword}` beside `properties`"
            yield Flaw(path=(*path, "properties", keyword), message=message, hint=hint, at_key=True)


def _required(node: JsonObject, path: Path) -> Iterator[Flaw]:
    """Names that are written in another way in `properties`; where no other keys may be there, it is a flaw."""
    required = node.get("required")
    if not isinstance(required, list) or node.get("additionalProperties") is False:
        return
    for index, name in enumerate(required):
        near = twin(name, node) if isinstance(name, str) else None
        if near is not None:
            message = f"`{name}` is required, and `properties` says something of `{near}`: these are two keys"
            yield Flaw(path=(*path, "required", index), message=message, hint=f"did you mean `{near}`?")


def twin(name: str, node: JsonObject) -> str | None:
    """The property of `node` that differs from `name` in its case or its dashes only."""
    named = node.get("properties")
    if not isinstance(named, dict) or name in named:
        return None
    return next((other for other in named if folded(other) == folded(name)), None)


def _listed(node: JsonObject, path: Path) -> Iterator[Flaw]:
    """Values that may be chosen and do not fit beside; where none fits, it is a flaw."""
    wanted, listed = types(node), node.get("enum")
    if not wanted or not isinstance(listed, list):
        return
    unfit = [index for index, value in enumerate(listed) if not may_be(value, wanted)]
    for index in unfit if len(unfit) < len(listed) else ():
        unfit_value, kinds = listed[index], " or ".join(IN_WORDS[name] for name in sorted(wanted))
        yield Flaw(
            path=(*path, "enum", index),
            message=f"{shown(unfit_value)} is not {kinds}, as `type` wants it: it never fits",
            hint=_also(unfit_value, wanted),
        )


def _also(value: Json, wanted: frozenset[str]) -> str | None:
    if value is None:
        return f'write `type: [{", ".join(sorted(wanted))}, "null"]`'
    is_scalar = isinstance(value, bool | int | float)
    return f'put it in quotes: "{compact(value)}"' if is_scalar and "string" in wanted else None


def _format(node: JsonObject, path: Path) -> Iterator[Flaw]:
    name = node.get("format")
    if isinstance(name, str) and name not in formats.EXAMPLES and name not in formats.REMARKS:
        near = suggest(name, formats.EXAMPLES)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(formats.EXAMPLES)}"
        yield Flaw(path=(*path, "format"), message=f"`{name}` is no known format: it checks nothing", hint=hint)


def _pattern(node: JsonObject, path: Path) -> Iterator[Flaw]:
    pattern = node.get("pattern")
    found = _OF_JAVASCRIPT.fullmatch(pattern) if isinstance(pattern, str) else None
    if found is not None:
        flags = "".join(flag for flag in found[2] if flag in "ims")
        bare = f"(?{flags}){found[1]}" if flags else found[1]
        message = "a pattern is written without slashes: here they are a part of it"
        yield Flaw(path=(*path, "pattern"), message=message, hint=f"write `{bare}`")

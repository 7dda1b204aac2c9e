"""What may be written in a schema and most likely is a mistake: keywords that never apply, formats that nobody knows.

A part of a schema that checks nothing looks like a check. So it gets a warning: there may be a reason for it.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from runner.foundation import patterns
from runner.foundation.problems import Finding
from runner.foundation.suggestions import suggest
from runner.foundation.values import JsonObject, Path
from runner.json_schema import formats
from runner.json_schema.keywords import LEAST, SPEAKS_OF, types

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


def doubts(node: JsonObject, path: Path) -> Iterator[Finding]:
    """What in a schema is in doubt, but for the schemas in it."""
    yield from idle(node, types(node), path=path)
    yield from _alone(node, path)
    yield from _closing(node, path)
    yield from _format(node, path)
    yield from _pattern(node, path)


def idle(node: JsonObject, of: frozenset[str], *, path: Path = ()) -> Iterator[Finding]:
    """Keywords of `node` that check nothing of a value whose type is one of `of`; none where `of` is empty."""
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
    if least is not None and keyword in _BOUNDS:
        return f"did you mean `{least}`?"
    if least is not None and keyword.replace("max", "min").replace("Max", "Min") in _BOUNDS:
        return f"did you mean `{least.replace('min', 'max')}`?"
    if "array" in of:
        return f"write what holds for each item of a list in `items: {{{keyword}: …}}`"
    kind = min(SPEAKS_OF[keyword])
    return f"`{keyword}` goes with `type: {'number' if kind == 'integer' else kind}`"


def _alone(node: JsonObject, path: Path) -> Iterator[Finding]:
    for keyword, other in _WITH.items():
        if keyword in node and other not in node:
            yield _doubt((*path, keyword), f"`{keyword}` checks nothing without `{other}`", at_key=True)
    if "if" in node and "then" not in node and "else" not in node:
        message = "`if` checks nothing without `then` or `else`"
        yield _doubt((*path, "if"), message, at_key=True)


def _closing(node: JsonObject, path: Path) -> Iterator[Finding]:
    named = node.get("properties")
    for keyword in _CLOSING:
        if isinstance(named, dict) and isinstance(named.get(keyword), bool):
            message = f"inside `properties`, `{keyword}` is the name of a property"
            hint = f"write `{keyword}` beside `properties`"
            yield _doubt((*path, "properties", keyword), message, hint=hint, at_key=True)


def _format(node: JsonObject, path: Path) -> Iterator[Finding]:
    name = node.get("format")
    if isinstance(name, str) and name not in formats.EXAMPLES and name not in formats.REMARKS:
        near = suggest(name, formats.EXAMPLES)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(formats.EXAMPLES)}"
        yield _doubt((*path, "format"), f"`{name}` is no known format: it checks nothing", hint=hint)


def _pattern(node: JsonObject, path: Path) -> Iterator[Finding]:
    pattern = node.get("pattern")
    ours = patterns.without_slashes(pattern) if isinstance(pattern, str) else None
    if ours is not None:
        message = "a pattern is written without slashes: here they are a part of it"
        yield _doubt((*path, "pattern"), message, hint=f"write `{ours}`")


def _doubt(path: Path, message: str, *, hint: str | None = None, at_key: bool = False) -> Finding:
    return Finding(path=path, message=message, hint=hint, at_key=at_key, warning=True)

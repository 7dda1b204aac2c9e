"""Whether a result can meet the schema of its expectation; only what is certain is reported.

Branches of `anyOf`, `if` and the like are passed over, and what only a null would meet.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Final

from runner.expressions import typed
from runner.foundation.problems import Finding
from runner.foundation.sentences import listed
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, Path, items, record
from runner.json_schema.as_type import listed_as
from runner.json_schema.flaws import idle, other_spelling
from runner.json_schema.keywords import listed_by, types
from runner.lint.schema_types import KINDS

_NAMES: Final[Mapping[int, frozenset[str]]] = {
    kind: frozenset(name for name, other in KINDS.items() if other == kind)
    for kind in KINDS.values()
    if kind != typed.NULL
}
"""The types of a JSON Schema by the kinds."""


def unmet(schema: Json, given: typed.Type, *, called: str = "`result`", path: Path = ()) -> Iterator[Finding]:
    """What of `schema` no value of the type `given` meets, or heeds. `called` is its name in messages."""
    present = typed.without_null(given)
    if not isinstance(schema, dict) or not present.kinds:
        return
    for keyword, kinds, hint in _wanted_kinds(schema, present):
        if kinds and not kinds & (present.kinds | typed.NULL):
            message = f"{called} is {typed.in_words(present)}, and never {typed.in_words(typed.Type(kinds=kinds))}"
            yield Finding(code="E177", message=message, path=(*path, keyword), hint=hint)
            if keyword == "type":
                return  # of a value of another type nothing else is worth saying
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
    """The keywords with schemas that an item of a list must fit, but for `minContains: 0`."""
    if "items" in schema and "prefixItems" not in schema:
        yield "items"
    if "contains" in schema and schema.get("minContains", 1) != 0:
        yield "contains"


def _wanted_kinds(schema: JsonObject, present: typed.Type) -> Iterator[tuple[str, int, str | None]]:
    """The kinds of value that a keyword takes, 0 where it says nothing, with what to write in its place."""
    names = types(schema)
    yield "type", reduce(or_, (KINDS[name] for name in names), 0), _type_hint(names, present)
    for keyword in ("const", "enum"):
        listed = listed_by(schema, keyword)
        hint = listed_as(keyword, listed, _NAMES.get(present.kinds, frozenset()))
        yield keyword, reduce(or_, (typed.type_of(item).kinds for item in listed), 0), hint


def _type_hint(wanted: frozenset[str], present: typed.Type) -> str | None:
    if present.kinds == typed.LIST and wanted == {"object"}:
        return "write `type: array`: write what holds for each of its records under `items`"
    named = _NAMES.get(present.kinds)
    return f"write `type: {max(named)}`" if named else None


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
    return present.note or f"it has {listed(sorted(present.fields or {})) or 'no fields'}"

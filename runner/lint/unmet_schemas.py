"""Whether a result can meet the schema of its expectation; only what is certain is reported.

Branches of `anyOf`, `if` and the like are passed over, and what only a null would meet.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Final

from msgspec.structs import replace

from runner.expressions import typed
from runner.foundation.problems import Finding
from runner.foundation.sentences import listed
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, ValuePath, items, record
from runner.json_schema.flaws import idle
from runner.json_schema.keywords import listed_by, types
from runner.lint.schema_types import KINDS

_NAMES: Final[Mapping[int, frozenset[str]]] = {
    kind: frozenset(name for name, other in KINDS.items() if other == kind)
    for kind in KINDS.values()
    if kind != typed.NULL
}
"""The types of a JSON Schema by the kinds."""


def unmet(schema: Json, given: typed.Type, *, called: str = "`result`", path: ValuePath = ()) -> Iterator[Finding]:
    """What of `schema` no value of the type `given` meets, or heeds. `called` is its name in messages."""
    present = typed.without_null(given)
    if not isinstance(schema, dict) or not present.kinds:
        return
    for keyword in ("type", "const", "enum"):
        kinds = _kinds(schema, keyword)
        if kinds and not kinds & (present.kinds | typed.NULL):
            message = f"{called} is {typed.in_words(present)}, and never {typed.in_words(typed.Type(kinds=kinds))}"
            hint = _type_hint(types(schema), present) if keyword == "type" else None
            yield Finding(code="E177", message=message, path=(*path, keyword), hint=hint)
            return
    if "type" not in schema:
        yield from _idle(schema, present, called, path)
    if present.kinds == typed.RECORD and present.fields is not None:
        yield from _keys(schema, present, called, path)
    if present.kinds == typed.LIST and "items" in schema and "prefixItems" not in schema:
        yield from unmet(schema["items"], present.any_item, called=f"an item of {called}", path=(*path, "items"))


def _kinds(schema: JsonObject, keyword: str) -> int:
    """The kinds of value that a keyword takes, 0 where it says nothing."""
    if keyword == "type":
        return reduce(or_, (KINDS[name] for name in types(schema)), 0)
    return reduce(or_, (typed.type_of(value).kinds for value in listed_by(schema, keyword)), 0)


def _type_hint(wanted: frozenset[str], present: typed.Type) -> str | None:
    if present.kinds == typed.LIST and wanted == {"object"}:
        return "write `type: array`: write what holds for each of its records under `items`"
    named = _NAMES.get(present.kinds)
    return f"write `type: {max(named)}`" if named else None


def _idle(schema: JsonObject, present: typed.Type, called: str, path: ValuePath) -> Iterator[Finding]:
    """Keywords for another kind of value, where no `type` says which is wanted."""
    of: frozenset[str] = frozenset().union(*(names for bit, names in _NAMES.items() if bit & present.kinds))
    for doubt in idle(schema, of, path=path):
        message = f"{called} is {typed.in_words(present)}, of which `{doubt.path[-1]}` checks nothing"
        yield replace(doubt, code="E177", message=message)


def _keys(schema: JsonObject, present: typed.Type, called: str, path: ValuePath) -> Iterator[Finding]:
    fields = present.fields or {}
    for name, part in record(schema.get("properties")).items():
        at = (*path, "properties", name)
        if name in fields or not present.closed:
            yield from unmet(part, fields.get(name, typed.UNKNOWN), called=f"`{name}`", path=at)
        elif not isinstance(part, bool):  # `false` says that the key must not be there
            message = f"{called} has no `{name}`, so that nothing is checked here"
            is_doubt = suggest(name, fields) is None
            hint = _key_hint(name, present)
            yield Finding(code="E173", message=message, path=at, hint=hint, at_key=True, warning=is_doubt)
    for index, wanted in enumerate(items(schema.get("required")) if present.closed else ()):
        if isinstance(wanted, str) and wanted not in fields:
            at, message = (*path, "required", index), f"{called} has no `{wanted}`"
            yield Finding(code="E173", message=message, path=at, hint=_key_hint(wanted, present))


def _key_hint(name: str, present: typed.Type) -> str:
    fields = present.fields or {}
    if (near := suggest(name, fields)) is not None:
        return f"did you mean `{near}`?"
    return present.note or f"it has {listed(sorted(fields)) or 'no fields'}"

"""A JSON Schema of an expectation, held against the type of the result that it is for.

Only what is certain is told: that a part of the schema is never met whatever comes, or checks nothing whatever comes.
Branches of `anyOf`, `if` and their like are passed over, as any of them may be the one that is not meant to be met;
so is what only a null would fit, as a null may always come.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from runner.expressions.typed import (
    BOOLEAN,
    LIST,
    NULL,
    NUMBER,
    RECORD,
    TEXT,
    UNKNOWN,
    Type,
    in_words,
    of_value,
    without_null,
)
from runner.foundation.raw import items, record
from runner.foundation.sentences import begun
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, Path
from runner.json_schema.as_type import listed_as
from runner.json_schema.doubts import idle, twin
from runner.json_schema.keywords import listed_by, types
from runner.lint.site_types import KINDS

_NAMES: Final[Mapping[int, frozenset[str]]] = {
    BOOLEAN: frozenset({"boolean"}),
    NUMBER: frozenset({"number", "integer"}),
    TEXT: frozenset({"string"}),
    LIST: frozenset({"array"}),
    RECORD: frozenset({"object"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """What is never met, or, as a warning, checks nothing. `path` leads into the schema."""

    code: str
    message: str
    path: Path
    hint: str | None = None
    at_key: bool = False
    warning: bool = False


def unmet(schema: Json, given: Type, *, said: str = "`result`", path: Path = ()) -> Iterator[Unmet]:
    """What of `schema` no value of the type `given` meets, or heeds. `said` is what messages call the value."""
    one = without_null(given)
    if not isinstance(schema, dict) or not one.kinds:
        return
    wrong_type = _of_type(schema, one, said, path)
    if wrong_type is not None:
        yield wrong_type
        return  # of a value of another type nothing else is worth saying
    yield from _listed(schema, one, said, path)
    if "type" not in schema:
        yield from _idle(schema, one, said, path)
    if one.kinds == RECORD and one.fields is not None:
        yield from _keys(schema, one, said, path)
    if one.kinds == LIST:
        for keyword in _of_items(schema):
            yield from unmet(schema[keyword], one.of_items, said=f"an item of {said}", path=(*path, keyword))
    for index, part in enumerate(items(schema.get("allOf"))):
        yield from unmet(part, given, said=said, path=(*path, "allOf", index))


def _of_items(schema: JsonObject) -> Iterator[str]:
    """The keywords whose schema an item of a list must fit; with `minContains: 0` none needs to."""
    if "items" in schema and "prefixItems" not in schema:
        yield "items"
    if "contains" in schema and schema.get("minContains", 1) != 0:
        yield "contains"


def _of_type(schema: JsonObject, one: Type, said: str, path: Path) -> Unmet | None:
    wanted = types(schema)
    bits = 0
    for name in wanted:
        bits |= KINDS[name]
    if not wanted or bits & (one.kinds | NULL):
        return None
    message = f"{said} is {in_words(one)}, and never {in_words(Type(kinds=bits))}"
    return Unmet(code="E177", message=message, path=(*path, "type"), hint=_type_hint(wanted, one))


def _type_hint(wanted: frozenset[str], one: Type) -> str | None:
    if one.kinds == LIST and wanted == {"object"}:
        return "write `type: array`: what holds for each of its records stands in `items`"
    named = _NAMES.get(one.kinds)
    return f"write `type: {max(named)}`" if named else None


def _listed(schema: JsonObject, one: Type, said: str, path: Path) -> Iterator[Unmet]:
    for keyword in ("const", "enum"):
        listed = listed_by(schema, keyword)
        kinds = 0
        for item in listed:
            kinds |= of_value(item).kinds
        if kinds and not kinds & (one.kinds | NULL):
            message = f"{said} is {in_words(one)}, and never {in_words(Type(kinds=kinds))}"
            hint = listed_as(keyword, listed, _NAMES.get(one.kinds, frozenset()))
            yield Unmet(code="E177", message=message, path=(*path, keyword), hint=hint)


def _idle(schema: JsonObject, one: Type, said: str, path: Path) -> Iterator[Unmet]:
    """Keywords for another kind of value, where no `type` says which is wanted."""
    of: frozenset[str] = frozenset().union(*(names for bit, names in _NAMES.items() if bit & one.kinds))
    for doubt in idle(schema, of, path=path):
        keyword = str(doubt.path[-1])
        message = f"{said} is {in_words(one)}, of which `{keyword}` checks nothing"
        yield Unmet(code="E177", message=message, path=doubt.path, hint=doubt.hint, at_key=True, warning=True)


def _keys(schema: JsonObject, one: Type, said: str, path: Path) -> Iterator[Unmet]:
    fields = one.fields or {}
    for name, part in record(schema.get("properties")).items():
        at = (*path, "properties", name)
        if name in fields or not one.closed:
            yield from unmet(part, fields.get(name, UNKNOWN), said=f"`{name}`", path=at)
        elif not isinstance(part, bool):  # `false` says that the key must not be there
            near = suggest(name, fields)
            message = f"{said} has no `{name}`, so that nothing is checked here"
            yield Unmet(
                code="E173", message=message, path=at, hint=_known(near, one), at_key=True, warning=near is None
            )
    for index, wanted in enumerate(items(schema.get("required"))):
        if one.closed and isinstance(wanted, str) and wanted not in fields and twin(wanted, schema) is None:
            hint = _known(suggest(wanted, fields), one)
            yield Unmet(code="E173", message=f"{said} has no `{wanted}`", path=(*path, "required", index), hint=hint)


def _known(near: str | None, one: Type) -> str:
    if near is not None:
        return f"did you mean `{near}`?"
    return one.note or f"it has {begun(sorted(one.fields or {})) or 'no fields'}"

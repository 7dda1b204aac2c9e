"""What the writer of a faulty schema meant, as a hint that can be typed as it stands; none where that is not known."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, Path, compact, value_at
from runner.json_schema.as_wanted import NUMBER
from runner.json_schema.keywords import A_SCHEMA, KEYWORDS, LEAST, NAMED_SCHEMAS, OF_NUMBERS, SCHEMAS, TYPES, place
from runner.json_schema.violations import Violation

_FORMAT_AS_TYPE: Final[Mapping[str, str]] = {
    "date": "date",
    "datetime": "date-time",
    "date-time": "date-time",
    "timestamp": "date-time",
    "time": "time",
    "uuid": "uuid",
    "guid": "uuid",
    "email": "email",
    "url": "uri",
    "uri": "uri",
}
_RENAMED: Final[Mapping[str, str]] = {"id": "$id", "dependencies": "dependentSchemas"}
_EITHER: Final = re.compile(r"\s*[|,/]\s*|\s+or\s+")
_NAME: Final = re.compile(r"[\w.-]+")
_LISTS: Final = frozenset({"required", "enum", "type", "examples"})
_MOST_NAMES: Final = 4


def advised(flaw: Violation, schema: Json) -> Violation:
    """`flaw` of `schema` with its hint."""
    return flaw if flaw.hint is not None else replace(flaw, hint=_hint(flaw, schema))


def _hint(flaw: Violation, schema: Json) -> str | None:
    holder = value_at(flaw.path[:-1], schema)
    if flaw.keyword == "additionalProperties" and isinstance(holder, dict):
        return _keyword(str(flaw.value), holder, at_root=len(flaw.path) == 1)
    value = value_at(flaw.path, schema)
    match place(flaw.path):
        case "keyword" if isinstance(holder, dict):
            return _of_keyword(str(flaw.path[-1]), value, holder, flaw.path)
        case "name" if flaw.path[-2] == "properties":
            return _of_property(str(flaw.path[-1]), value)
        case "index" if flaw.path[-2] == "type":
            return _type(value, is_one_of_many=True)
        case "name" | "index":
            return _a_schema(value)
    return None


def _keyword(key: str, holder: JsonObject, *, at_root: bool) -> str | None:
    """What an unknown keyword stands for: a word of another draft, a slip, or the name of a property."""
    value, known = holder[key], holder.get("type")
    if key == "nullable":
        return _nullable(known) if value is True else "leave it out: without `null` in `type` no null fits"
    if value is None and key in TYPES:
        return f"write `type: {key}`"
    if key == "dependencies" and isinstance(value, dict) and all(isinstance(one, list) for one in value.values()):
        return "did you mean `dependentRequired`?"
    if key in ("min", "max") and isinstance(known, str) and known in LEAST:
        return f"did you mean `{LEAST[known].replace('min', key)}`?"
    near = _RENAMED.get(key) or suggest(key, {*KEYWORDS, "secret"} if at_root else KEYWORDS)
    if _is_like_a_schema(value) and near not in A_SCHEMA | NAMED_SCHEMAS:
        named = f"properties: {{{key}: {_written(value)}}}"
        return f"keys of a record stand in `{f'items: {{{named}}}' if known == 'array' else named}`"
    return f"did you mean `{near}`?" if near else None


def _nullable(known: Json) -> str:
    return f'write `type: [{known}, "null"]`' if isinstance(known, str) else 'write `"null"` among its types'


def _is_like_a_schema(value: Json) -> bool:
    return isinstance(value, dict) or (isinstance(value, str) and value in TYPES)


def _written(value: Json) -> str:
    return f"{{type: {value}}}" if isinstance(value, str) else "…"


def _of_keyword(keyword: str, value: Json, holder: JsonObject, path: Path) -> str | None:
    """What stands behind a known keyword, and may not."""
    match keyword, value:
        case "type", _:
            return _type(value)
        case "required", bool():
            return _required(path)
        case "exclusiveMinimum" | "exclusiveMaximum", bool():
            bound = holder.get("minimum" if keyword == "exclusiveMinimum" else "maximum")
            return f"write the bound itself: `{keyword}: {compact(bound) if isinstance(bound, int | float) else 0}`"
        case "items", list():
            return "`items` is one schema for all items; a list of schemas, one for each place, is `prefixItems`"
        case "properties", list():
            return f"write a record: `properties: {{{_named(value)}}}`"
        case (("allOf" | "anyOf" | "oneOf" | "prefixItems"), dict()):
            return f"write a list of schemas: `{keyword}: [{{…}}, {{…}}]`"
        case _, str() if keyword in A_SCHEMA and value in ("true", "false"):
            return f"write `{value}` without quotes"
        case _ if keyword in A_SCHEMA | SCHEMAS:
            return _a_schema(value)
        case _:
            return _list(keyword, value) if keyword in _LISTS else _without_quotes(keyword, value)


def _required(path: Path) -> str:
    if len(path) == 1:
        return "an input without `default` is required, one with it is not"
    if place(path[:-1]) == "name":
        return f"`required` lists the keys that a record must have, beside `properties`: `required: [{path[-2]}]`"
    return "`required` lists the keys that a record must have, as in `required: [Id]`"


def _named(names: list[Json]) -> str:
    first = [name for name in names if isinstance(name, str) and _NAME.fullmatch(name)][:_MOST_NAMES]
    return ", ".join(f"{name}: {{…}}" for name in first or ["Name"])


def _list(keyword: str, value: Json) -> str | None:
    match value:
        case str() if re.fullmatch(r"[\w., -]+", value):
            return f"write a list: `{keyword}: [{', '.join(re.split(r'[, ]+', value))}]`"
        case dict() if value and all(one is None and _NAME.fullmatch(name) for name, one in value.items()):
            return f"write a list: `{keyword}: [{', '.join(value)}]`"
    return None


def _without_quotes(keyword: str, value: Json) -> str | None:
    if not isinstance(value, str):
        return None
    is_number = NUMBER.fullmatch(value) and (keyword in OF_NUMBERS or keyword.startswith(("min", "max")))
    is_boolean = value in ("true", "false") and keyword in ("uniqueItems", "deprecated", "readOnly", "writeOnly")
    return f"write `{value}` without quotes" if is_number or is_boolean else None


def _of_property(name: str, value: Json) -> str | None:
    """A property that is no schema: a keyword one level too deep, or a bare type."""
    if name in KEYWORDS and not (name == "type" and isinstance(value, str)):
        return f"`{name}` stands beside `properties`, not in it"
    if name == "type" and isinstance(value, str) and value == "object":
        return "`type: object` stands beside `properties`, not in it"
    meant = _a_schema(value)
    return meant.replace("write `", f"write `{name}: ", 1) if meant else None


def _a_schema(value: Json) -> str | None:
    """A type, or several, where a schema stands."""
    if isinstance(value, str):
        named = _type(value) if value not in TYPES else f"write `type: {value}`"
        if named is not None and named.startswith("did you mean `"):
            named = f"write `type: {suggest(value, TYPES)}`"
        return re.sub(r"`(type: .*)`", r"`{\1}`", named) if named and "`type: " in named else None
    if isinstance(value, list) and value and all(one in TYPES for one in value):
        return f"write `{{type: [{', '.join(_quoted(str(one)) for one in value)}]}}`"
    return None


def _type(value: Json, *, is_one_of_many: bool = False) -> str | None:
    """What is no type: a format, several types in one text, a bare `null`, a word of another language."""
    if value is None:
        return 'write `"null"` in quotes' if is_one_of_many else 'write `type: "null"`, in quotes'
    if not isinstance(value, str):
        return None
    word = value.casefold()
    several = [part for part in _EITHER.split(word.removesuffix("?")) if part] + ["null"] * word.endswith("?")
    if is_one_of_many:
        pass
    elif word in _FORMAT_AS_TYPE:
        return f"write `type: string, format: {_FORMAT_AS_TYPE[word]}`"
    elif word == "any":
        return "leave `type` out: any value fits then"
    elif word.endswith("[]") and word[:-2] in TYPES:
        return f"write `type: array, items: {{type: {word[:-2]}}}`"
    elif len(several) > 1 and all(part in TYPES for part in several):
        return f"write `type: [{', '.join(map(_quoted, several))}]`"
    near = '"null"' if word in ("none", "nil") else suggest(value, TYPES)
    return f"did you mean `{near}`?" if near else None


def _quoted(name: str) -> str:
    return '"null"' if name == "null" else name

"""What does not fit a JSON Schema, where, and the sentence that says so; `schemas` finds it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from runner.foundation.values import Json, Path, compact
from runner.json_schema.formats import example
from runner.json_schema.keywords import IN_WORDS

_LONGEST = 60
_MOST_WORDS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One part of a value that does not fit.

    `path` leads to the part, of an unknown key (`additionalProperties`) and of a faulty one (`propertyNames`) to what
    stands behind it. `message` is a sentence that does not name its place. `expected` is what stands behind `keyword`;
    of `required` and `dependentRequired` it is the one key that is missing, of `propertyNames` the keyword that failed.
    `schema` is the record that holds `keyword`. `hint` is for people who write schemas.
    """

    path: Path
    keyword: str
    message: str
    expected: Json = None
    value: Json = None
    schema: Json = None
    hint: str | None = None


def shown(value: Json) -> str:
    """`value` within a sentence: as JSON, or its kind and size.

    Never a part of it: half a secret would not be recognised, and so not hidden, by who prints the sentence.
    """
    match value:
        case str() if len(value) > _LONGEST:
            return f"a text of {len(value)} characters"
        case list() if value:
            return f"a list of {_counted(len(value), 'item')}"
        case dict() if value:
            return f"a record of {_counted(len(value), 'key')}"
        case bool():
            return compact(value)
        case str() if not value.isprintable():
            return json.dumps(value)
        case int() if abs(value) >= 10**_LONGEST:
            return "a very large number"
        case float() if value != value or abs(value) == float("inf"):  # noqa: PLR0124  only NaN differs from itself
            return "a number beyond JSON"
        case _:
            return compact(value)


def sentence(keyword: str, *, value: Json, expected: Json, nearest: str | None = None) -> str:
    """Why `value` does not fit `keyword`. `nearest`: what the best schema says, where several were tried."""
    said = _SENTENCES.get(keyword)
    if said is not None:
        return said(value, expected)
    match keyword:
        case "anyOf" | "oneOf":
            return f"{shown(value)} fits none of the alternatives" + (f"; the nearest: {nearest}" if nearest else "")
        case "propertyNames":
            return f"{shown(value)} cannot be a key" + (f": {nearest}" if nearest else "")
        case _:
            return f"{shown(value)} does not fit `{keyword}`"


_Said: TypeAlias = Callable[[Json, Json], str]


def _size(value: Json, expected: Json, *, unit: str, words: str) -> str:
    number = len(value) if isinstance(value, str | list | dict) else 0
    return f"it has {_counted(number, unit)}, and {words} {shown(expected)}"


def _compared(value: Json, expected: Json, *, words: str) -> str:
    return f"{shown(value)} is {words} {shown(expected)}"


def _type(value: Json, expected: Json) -> str:
    kinds = [IN_WORDS.get(str(kind), str(kind)) for kind in (expected if isinstance(expected, list) else [expected])]
    return f"{shown(value)} is not {' or '.join(kinds)}"


def _enum(value: Json, expected: Json) -> str:
    words = [shown(word) for word in expected] if isinstance(expected, list) else [shown(expected)]
    more = f" and {len(words) - _MOST_WORDS} more" if len(words) > _MOST_WORDS else ""
    return f"{shown(value)} is none of {', '.join(words[:_MOST_WORDS])}{more}"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


_SENTENCES: dict[str, _Said] = {
    "type": _type,
    "enum": _enum,
    "const": lambda value, expected: _compared(value, expected, words="not"),
    "minimum": lambda value, expected: _compared(value, expected, words="less than"),
    "maximum": lambda value, expected: _compared(value, expected, words="more than"),
    "exclusiveMinimum": lambda value, expected: _compared(value, expected, words="not more than"),
    "exclusiveMaximum": lambda value, expected: _compared(value, expected, words="not less than"),
    "multipleOf": lambda value, expected: _compared(value, expected, words="no multiple of"),
    "minLength": lambda value, expected: _size(value, expected, unit="character", words="needs at least"),
    "maxLength": lambda value, expected: _size(value, expected, unit="character", words="may have at most"),
    "minItems": lambda value, expected: _size(value, expected, unit="item", words="needs at least"),
    "maxItems": lambda value, expected: _size(value, expected, unit="item", words="may have at most"),
    "minProperties": lambda value, expected: _size(value, expected, unit="key", words="needs at least"),
    "maxProperties": lambda value, expected: _size(value, expected, unit="key", words="may have at most"),
    "pattern": lambda value, expected: f"{shown(value)} does not fit the pattern `{expected}`",
    "format": lambda value, expected: f"{shown(value)} is no `{expected}`{example(expected)}",
    "required": lambda _, expected: f"the key `{expected}` is missing",
    "dependentRequired": lambda _, expected: f"the key `{expected}` is missing, which another key needs",
    "additionalProperties": lambda _, __: "no such key is known",
    "unevaluatedProperties": lambda _, __: "it has a key that is not known",
    "unevaluatedItems": lambda _, __: "it has more items than are known",
    "items": lambda _, __: "it has more items than are known",
    "uniqueItems": lambda _, __: "an item stands in it twice",
    "contains": lambda _, __: "none of its items is one that must be there",
    "minContains": lambda _, __: "too few of its items are such as must be there",
    "maxContains": lambda _, __: "too many of its items are such as may be there",
    "not": lambda value, _: f"{shown(value)} is just what must not be here",
    "false": lambda _, __: "nothing may be here",
}

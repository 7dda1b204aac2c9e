"""What of a value does not fit a schema, where, and the message: a table by keyword. Each key has a violation."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import cast

from jsonschema_rs import ValidationError, ValidationErrorKind
from msgspec import Struct

from runner.foundation.hints import words
from runner.foundation.sentences import first_few, plural
from runner.foundation.values import Json, ValuePath, compact, value_at
from runner.json_schema.formats import example
from runner.json_schema.keywords import IN_WORDS

_MOST = 100  # of a list with a million wrong items, a hundred are enough
_LONGEST = 60
_LONGEST_WORD = 40
_MOST_WORDS = 12


class Violation(Struct, frozen=True, kw_only=True):
    """A part of a value that does not fit."""

    path: ValuePath  # of an unknown or faulty key: to its value
    keyword: str
    message: str  # without the place
    expected: Json = None  # the keyword's value; or a missing key, or the keyword that failed
    value: Json = None
    schema: Json = None  # the record with the keyword


def violations(errors: Iterable[ValidationError], value: Json, schema: Json) -> tuple[Violation, ...]:
    """What `errors` say of `value`, each once; the first hundred of very many."""
    found = chain.from_iterable(_violations(error, value, schema) for error in errors)
    return tuple({(violation.path, violation.message): violation for violation in islice(found, _MOST)}.values())


def _violations(error: ValidationError, value: Json, schema: Json) -> Iterator[Violation]:
    path, kind = _path(error, value), error.kind
    match kind:
        case ValidationErrorKind.AdditionalProperties():
            for key in kind.unexpected:
                yield _violation(error, "additionalProperties", path=(*path, key), value=value, schema=schema)
        case ValidationErrorKind.PropertyNames():
            key = str(kind.error.instance)
            failed = str(kind.error.schema_path[-1])
            inner = sentence(failed, value=key, expected=kind.error.kind.value)
            yield Violation(
                path=(*path, key),
                keyword="propertyNames",
                message=sentence("propertyNames", value=key, expected=failed, nearest=inner),
                expected=failed,
                value=key,
                schema=_holder(kind.error, schema),
            )
        case ValidationErrorKind.FalseSchema():
            yield _violation(error, "false", path=path, value=value, schema=schema)
        case _:
            yield _violation(error, str(error.schema_path[-1]), path=path, value=value, schema=schema)


def _violation(error: ValidationError, keyword: str, *, path: ValuePath, value: Json, schema: Json) -> Violation:
    holder, part = _holder(error, schema), value_at(path, value)
    expected = _expected(error.kind, holder, keyword)
    return Violation(
        path=path,
        keyword=keyword,
        message=sentence(keyword, value=part, expected=expected, nearest=_nearest(error.kind)),
        expected=expected,
        value=part,
        schema=holder,
    )


def _path(error: ValidationError, value: Json) -> ValuePath:
    """Where in `value` it is. The library's own paths leave empty keys out, and have numbers for keys of digits [M]."""
    path: ValuePath = ()
    for part in error.instance_path:
        around = value_at(path, value)
        if not isinstance(around, dict) or part in around:
            path = (*path, part)
        elif isinstance(part, int):
            path = (*path, next((key for key in around if key.isdecimal() and int(key) == part), str(part)))
        else:
            path = (*path, "", part)
    around = value_at(path, value)
    return (*path, "") if isinstance(around, dict) and "" in around and around != error.instance else path


def _holder(error: ValidationError, schema: Json) -> Json:
    """The record that holds the keyword; null where it is part of another document, as the meta-schema is."""
    return value_at(tuple(error.schema_path[:-1]), schema)


def _expected(kind: ValidationErrorKind, holder: Json, keyword: str) -> Json:
    if isinstance(kind, ValidationErrorKind.Required):
        return kind.property
    if isinstance(holder, dict) and keyword in holder:
        return holder[keyword]
    found: Json = kind.value
    return sorted(found, key="boolean".__eq__) if isinstance(found, list) and keyword == "type" else found


def _nearest(kind: ValidationErrorKind) -> str | None:
    """What the alternative says that fits best: it fails deepest in the value, and not for the type of the whole."""
    if not isinstance(kind, ValidationErrorKind.AnyOf | ValidationErrorKind.OneOfNotValid):
        return None
    errors = [branch[0] for branch in kind.context if branch]
    if not errors:
        return None
    best = max(errors, key=lambda error: (len(error.instance_path), error.kind.name != "type"))
    keyword = "false" if best.kind.name == "falseSchema" else str(best.schema_path[-1])
    return sentence(keyword, value=cast("Json", best.instance), expected=best.kind.value, nearest=_nearest(best.kind))


def shown_value(value: Json) -> str:
    """`value` in a message: as JSON, or its kind and size, never a part, since half a secret would not be hidden."""
    match value:
        case str() if len(value) > _LONGEST:
            return f"a text of {len(value)} characters"
        case list() if value:
            return f"a list of {plural(len(value), 'item')}"
        case dict() if value:
            return f"a record of {plural(len(value), 'key')}"
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


def quoted(value: Json) -> str:
    """`value` within a sentence; a short text in backticks, as people write it."""
    is_short = isinstance(value, str) and 0 < len(value) <= _LONGEST_WORD and value.isprintable()
    return f"`{value}`" if is_short else shown_value(value)


def sentence(keyword: str, *, value: Json, expected: Json, nearest: str | None = None) -> str:
    """Why `value` does not fit `keyword`. `nearest`: what the schema inside says, or the best of several."""
    size = len(value) if isinstance(value, str | list | dict) else 0
    found = (
        words("violations", "sentences")
        .get(keyword, "{value} does not fit `{keyword}`")
        .format(
            keyword=keyword,
            value=shown_value(value),
            expected=shown_value(expected),
            bare=expected,
            kinds=" or ".join(IN_WORDS.get(str(kind), str(kind)) for kind in as_list(expected)),
            listed=first_few([shown_value(word) for word in as_list(expected)], _MOST_WORDS),
            characters=plural(size, "character"),
            items=plural(size, "item"),
            keys=plural(size, "key"),
            example=example(expected),
        )
    )
    between = ": " if keyword == "propertyNames" else "; the nearest: "
    return f"{found}{between}{nearest}" if nearest else found


def as_list(expected: Json) -> list[Json]:
    return expected if isinstance(expected, list) else [expected]

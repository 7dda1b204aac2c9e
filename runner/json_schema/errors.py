"""Why a value does not fit its JSON Schema, in sentences. The only user of `jsonschema`.

Imported only when something does not fit: see `runner.json_schema.schemas`, which also says what happens where nothing
is found here. One violation is one mistake: each unknown key and each missing one is told apart, with its own place.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Protocol, TypeAlias, cast

import jsonschema_rs
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from runner.foundation import patterns
from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject
from runner.json_schema import formats
from runner.json_schema.violations import Violation, sentence

_MOST = 100
"""Of a list with a million wrong items, a hundred tell enough."""
_LONG = 20
"""Items from which on it pays to make a quick validator that tells the wrong ones from the rest."""
_LINEAR = jsonschema_rs.RegexOptions()
_ELSEWHERE = re.compile(r'"\$(?:ref|dynamicRef)": "(?!#/\$defs/)')


class _Error(Protocol):
    """A `ValidationError` that has left the library, which fills in what was not given."""

    @property
    def absolute_path(self) -> Sequence[str | int]: ...
    @property
    def validator(self) -> object: ...
    @property
    def validator_value(self) -> Json: ...
    @property
    def instance(self) -> Json: ...
    @property
    def schema(self) -> Json: ...
    @property
    def context(self) -> Sequence[ValidationError]: ...


class _Whole(Protocol):
    """A validator with its schema."""

    def iter_errors(self, instance: Json) -> Iterator[_Error]: ...


class _Validator(Protocol):
    """What a keyword's function gets from `jsonschema`: it holds a part of the value against a part of the schema."""

    def descend(
        self, instance: Json, schema: Json, path: str | int | None = None, schema_path: str | int | None = None
    ) -> Iterator[ValidationError]: ...


_Keyword: TypeAlias = Callable[[_Validator, Json, Json, JsonObject], Iterable[ValidationError]]
_LIBRARY: Mapping[str, _Keyword] = Draft202012Validator.VALIDATORS


def explain(text: str, value: Json) -> tuple[Violation, ...]:
    """Why `value` does not fit the schema with this JSON; nothing where that is not found out.

    That is so where a recursive schema is too deep for Python, where the two validators differ (on multiples of 0.1,
    on numbers beyond JSON), and with two keywords that, together, `jsonschema` reads with patterns of its own.
    """
    if "unevaluatedProperties" in text and "patternProperties" in text:
        return ()
    return _violations(_validator(text), value)


@lru_cache(maxsize=8)
def _validator(text: str) -> _Whole:
    """To make one takes longer than to explain a file with it, and all files of a folder are held against the same."""
    schema: Json = json.loads(text)
    keywords = {**_KEYWORDS, "items": _items_within(schema, text)}
    ours = extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]  # their stubs leave it open
    validator: _Whole = ours(_without_draft(schema), registry=Registry())
    return validator


def explain_schema(schema: Json) -> tuple[Violation, ...]:
    """Why `schema` does not fit the meta-schema."""
    return _violations(Draft202012Validator(Draft202012Validator.META_SCHEMA, registry=Registry()), schema)


def _violations(validator: _Whole, value: Json) -> tuple[Violation, ...]:
    try:
        found = [_violation(error) for error in itertools.islice(validator.iter_errors(value), _MOST)]
    except (RecursionError, ArithmeticError, ValueError, Unresolvable):
        return ()
    return tuple({(violation.path, violation.message): violation for violation in found}.values())


def _violation(error: _Error) -> Violation:
    return Violation(
        path=tuple(error.absolute_path),
        keyword=_keyword(error),
        message=_sentence(error),
        expected=error.validator_value,
        value=error.instance,
        schema=error.schema,
    )


def _sentence(error: _Error) -> str:
    """The sentence of `error`; where several schemas were tried, with what the one that fits best had to say."""
    nearest: _Error = best_match(iter((cast("ValidationError", error),)))
    said = None if nearest is error else _sentence(nearest)
    return sentence(_keyword(error), value=error.instance, expected=error.validator_value, nearest=said)


def _keyword(error: _Error) -> str:
    return error.validator if isinstance(error.validator, str) else "false"


def _without_draft(schema: Json) -> Json:
    """`schema` without `$schema`: where it stands, `jsonschema` goes on with a validator of its own, not with ours."""
    return {key: value for key, value in schema.items() if key != "$schema"} if isinstance(schema, dict) else schema


def _pattern(_: _Validator, pattern: Json, value: Json, __: JsonObject) -> Iterator[ValidationError]:
    if isinstance(value, str) and not patterns.search(str(pattern), value):
        yield ValidationError("")


def _format(_: _Validator, wanted: Json, value: Json, __: JsonObject) -> Iterator[ValidationError]:
    if isinstance(value, str) and isinstance(wanted, str) and not formats.fits(wanted, value):
        yield ValidationError("")


def _pattern_properties(
    validator: _Validator, by_pattern: Json, value: Json, _: JsonObject
) -> Iterator[ValidationError]:
    for pattern, schema in record(by_pattern).items():
        for key, item in record(value).items():
            if patterns.search(pattern, key):
                yield from validator.descend(item, schema, path=key, schema_path=pattern)


def _additional_properties(
    validator: _Validator, schema: Json, value: Json, holder: JsonObject
) -> Iterator[ValidationError]:
    named, by_pattern = record(holder.get("properties")), record(holder.get("patternProperties"))
    for key, item in record(value).items():
        if key in named or any(patterns.search(pattern, key) for pattern in by_pattern):
            continue
        if schema is False:
            yield ValidationError("", path=(key,), instance=item)
        else:
            yield from validator.descend(item, schema, path=key)


def _property_names(validator: _Validator, schema: Json, value: Json, _: JsonObject) -> Iterator[ValidationError]:
    for key in record(value):
        for error in validator.descend(key, schema):
            failed = error.validator
            yield ValidationError(
                "", path=[key], instance=key, schema=error.schema, validator_value=failed, context=[error]
            )


def _required(_: _Validator, required: Json, value: Json, __: JsonObject) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        for key in items(required):
            if key not in value:
                yield ValidationError("", validator_value=key)


def _dependent_required(_: _Validator, needs: Json, value: Json, __: JsonObject) -> Iterator[ValidationError]:
    for key, needed in record(needs).items():
        if key in record(value):
            yield from (
                ValidationError("", validator_value=name) for name in items(needed) if name not in record(value)
            )


def _unique_items(_: _Validator, wanted: Json, value: Json, __: JsonObject) -> Iterator[ValidationError]:
    """The library compares each item with each other: a minute for ten thousand records."""
    if wanted is True and not jsonschema_rs.is_valid({"uniqueItems": True}, value):
        yield ValidationError("")


def _items_within(root: Json, text: str) -> _Keyword:
    """`items` for long lists: the one wrong step among a thousand is found before it is explained."""
    definitions = record(record(root).get("$defs"))
    is_closed = _ELSEWHERE.search(text) is None and text.count('"$id"') <= ("$id" in record(root))

    def of_list(validator: _Validator, schema: Json, value: Json, holder: JsonObject) -> Iterable[ValidationError]:
        written = items(value)
        if not (is_closed and isinstance(schema, dict) and len(written) > _LONG):
            return _LIBRARY["items"](validator, schema, value, holder)
        quick = jsonschema_rs.Draft202012Validator(
            {"$defs": definitions, **schema}, pattern_options=_LINEAR, validate_formats=True, formats=formats.OWN
        )
        first = len(items(holder.get("prefixItems")))
        wrong = (index for index in range(first, len(written)) if not quick.is_valid(written[index]))
        return itertools.chain.from_iterable(validator.descend(written[index], schema, path=index) for index in wrong)

    return of_list


_KEYWORDS: dict[str, _Keyword] = {
    "pattern": _pattern,
    "format": _format,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
    "required": _required,
    "dependentRequired": _dependent_required,
    "uniqueItems": _unique_items,
}

"""What is wrong with a value or its name, by a violation of our schemas: code, message and hint."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from runner.foundation import hints
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.foundation.sentences import joined_by_or, with_article
from runner.foundation.suggestions import suggest
from runner.foundation.values import (
    Json,
    JsonObject,
    ValuePath,
    as_text,
    compact,
    is_guid,
    is_number,
    kind_of,
    pointer,
    record,
    yaml_flow,
)
from runner.json_schema.as_type import BOOLEANS, NUMBER
from runner.json_schema.keywords import IN_WORDS, TYPES
from runner.json_schema.violations import Violation, as_list, quoted, shown_value
from runner.reading.bare_items import with_comparison

_LONGEST_EXAMPLE = 90
_LONGEST_NAME = 80
_DASHES: Final = "-\u2013\u2014\u2022\u2212\u2010\u2011"
_BOUNDS: Final = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}
_PER_CENT, _LEAST_PER_CENT = 100, 5  # a smaller number may as well be a multiple
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def finding(violation: Violation) -> Finding:
    """What is wrong with a value, or with the name that it has. What may be a password is not repeated."""
    schema = violation.schema if isinstance(violation.schema, dict) else {}
    if violation.value is None and violation.keyword != "not":
        return _nothing(violation.path, schema)
    if schema.get("title") == "duration":
        message, shape = _duration_mistake(violation.value)
        other = hints.hint("values", pointer(violation.path), violation.value, wanted="duration")
        return Finding(code="E114", message=message, hint=other or shape, path=violation.path)
    match violation.keyword:
        case "type":
            return _type(violation, schema)
        case "enum" | "const":
            return _word(violation, schema)
        case "minLength" | "minItems" | "minProperties":
            at_end = violation.path[-1] if violation.path else None
            message = "there is nothing in this text"
            if not isinstance(at_end, int):
                message = f"{subject(violation.path, schema)} is empty"
            return Finding(code="E108", message=message, hint=example(at_end, schema), path=violation.path)
        case "pattern":
            return _pattern(violation, schema)
        case "uniqueItems":
            return _twice(violation)
        case "propertyNames":
            return _name(violation, schema)
        case "not":
            message, hint = f"`{violation.path[-1]}` is not allowed here", _text(schema.get("errorMessage"))
            return Finding(message=message, hint=hint, path=violation.path, at_key=True)
        case _:
            return _bound(violation, schema)


def subject(path: ValuePath, schema: JsonObject) -> str:
    """The subject of a message: the key at `path`, or what an item of its list is."""
    title = schema.get("title")
    if path and isinstance(path[-1], str):
        return f"`{path[-1]}`"
    if isinstance(title, str):
        return with_article(title)
    return f"an item of {subject(path[:-1], {})}" if path else "the file"


def example(key: str | int | None, schema: JsonObject) -> str | None:
    """A hint that shows how `key` is written, by the first example of its schema."""
    examples = schema.get("examples")
    if not isinstance(examples, list) or not examples:
        return None
    written = {str: f"{key}: ", int: "- "}.get(type(key), "") + yaml_flow(examples[0])
    return f"for example `{written}`" if len(written) <= _LONGEST_EXAMPLE else None


def guid_in_braces(guid: str, path: ValuePath) -> Finding:
    message, hint = "YAML reads an id in braces as a record", f"write `{guid}` without the braces"
    return Finding(code="E113", message=message, hint=hint, path=path)


def _nothing(path: ValuePath, schema: JsonObject) -> Finding:
    if not path:
        return Finding(code="E108", message="there is nothing in this file", path=path)
    message = f"`{path[-1]}` has no value" if isinstance(path[-1], str) else "this `-` has no value"
    hint = example(path[-1], schema) or "write a value, or leave it out"
    return Finding(code="E108", message=message, hint=hint, path=path, at_key=True)


def _type(violation: Violation, schema: JsonObject) -> Finding:
    value, path = violation.value, violation.path
    if isinstance(value, dict) and (guid := next(iter(value), "")) and is_guid(guid):
        return guid_in_braces(guid, path)
    kinds = [str(kind) for kind in as_list(violation.expected)]
    there = compact(value) if isinstance(value, bool | int | float) and "string" not in kinds else kind_of(value)
    message = f"{subject(path, schema)} must be {joined_by_or([IN_WORDS[kind] for kind in kinds])}, not {there}"
    wanted = next((kind for kind in ("object", "array", "boolean", "string") if kind in kinds), "number")
    at = pointer(path) or str(schema.get("title"))
    hint = _as_expectation(value, path) or hints.hint("values", at, value, wanted=wanted)
    hint = hint or _as_wanted(value, path, schema, wanted=wanted)
    return Finding(code="E106", message=message, hint=hint or example(path[-1] if path else None, schema), path=path)


def _as_wanted(value: Json, path: ValuePath, schema: JsonObject, *, wanted: str) -> str | None:
    """How to write the very value, where its schema says that."""
    match wanted, value:
        case "object", str():
            return _as_record(value, path, schema) or _as_schema(value, path)
        case "number" | "boolean", str() if "{{" in value:
            return f"write the {wanted} itself: no template is read here"
        case "boolean", str():
            return _as_boolean(value)
        case "number", str() if NUMBER.fullmatch(value):
            return f"write `{value}` without quotes"
        case "string", bool() | int() | float():
            pattern = schema.get("pattern")
            is_wrong = isinstance(pattern, str) and re.search(pattern, compact(value)) is None
            return None if is_wrong else "put it in quotes"
    return None


def _as_expectation(value: Json, path: ValuePath) -> str | None:
    """The mistake of an expectation in place of a list."""
    is_short = isinstance(value, str) and "\n" not in value and len(value) <= _LONGEST_NAME
    if path[-1:] != ("expect",) or not isinstance(value, str) or not is_short or value[:1] in _DASHES:
        return None
    return f"write a list: `- {with_comparison(value)}`"


def _as_boolean(text: str) -> str | None:
    ours = BOOLEANS.get(text.casefold()) or suggest(text, ("true", "false"))
    return ours and f"write `{ours}`" + ("" if text.casefold() == ours else f": `{text}` is a text")


def _as_record(text: str, path: ValuePath, schema: JsonObject) -> str | None:
    """A bare text where a record with a single key is wanted: most likely that is the key."""
    required = schema.get("required")
    is_plain = yaml_flow(text) == text
    if not isinstance(required, list) or len(required) != 1 or not is_plain or not path:
        return None
    bare = text.removeprefix(f"{required[0]} ")  # its colon was forgotten
    wanted = record(record(schema.get("properties")).get(str(required[0]))).get("type")
    bare = f"[{bare}]" if wanted == "array" else bare
    return f"write `{path[-1]}: {{{required[0]}: {bare}}}`" if isinstance(path[-1], str) else None


def _as_schema(text: str, path: ValuePath) -> str | None:
    kind = text if text in TYPES else suggest(text, TYPES)
    if path[-1:] == ("schema",):
        return f"write `schema: {{type: {kind}}}`" if kind else None
    if path[:1] != ("inputs",) or len(path) != len(("inputs", "name")) or len(text) > _LONGEST_NAME:
        return None
    return f"an input is a schema: write `{{{f'type: {kind}' if kind else f'default: {yaml_flow(text)}'}}}`"


def _word(violation: Violation, schema: JsonObject) -> Finding:
    value = violation.value
    options = as_list(violation.expected)
    near = suggest(value, [option for option in options if isinstance(option, str)]) if isinstance(value, str) else None
    if isinstance(value, str) and value in [compact(option) for option in options]:
        hint: str | None = f"write `{value}` without quotes"
    elif isinstance(value, str) and any(option is True for option in options):
        hint = _as_boolean(value)
    else:
        at, word = pointer(violation.path), as_text(value)
        ours = near or hints.at_place("choices", at, word.casefold())
        hint = f"did you mean `{ours}`?" if ours else hints.hint("values", at, value, wanted="word")
    wanted = joined_by_or([quoted(option) for option in options])
    message = f"{subject(violation.path, schema)} must be {wanted}, not {quoted(value)}"
    return Finding(message=message, hint=hint, path=violation.path)


def _twice(violation: Violation) -> Finding:
    listed = as_list(violation.value)
    second = next(index for index, item in enumerate(listed) if item in listed[:index])
    message, path = f"{quoted(listed[second])} is listed twice", (*violation.path, second)
    return Finding(code="E111", message=message, hint="write it once", path=path)


def _pattern(violation: Violation, schema: JsonObject) -> Finding:
    if isinstance(violation.value, str) and "{{" in violation.value:
        hint = f"write it out: {_text(schema.get('patternErrorMessage')) or 'templates are read in values only'}"
        return Finding(code="E122", message="no template is read here", hint=hint, path=violation.path)
    message = f"{subject(violation.path, schema)} cannot be {quoted(violation.value)}"
    rule, name = _as_name(violation.value, schema)
    rule = rule or hints.hint("values", pointer(violation.path), violation.value, wanted="any")
    return Finding(message=message, hint=rule, path=violation.path, instead=name)


def _name(violation: Violation, schema: JsonObject) -> Finding:
    where = subject(violation.path[:-1], {})
    if violation.value == "":
        return Finding(message=f"a name in {where} is empty", path=violation.path, at_key=True)
    message = f"{quoted(violation.value)} cannot be a name in {where}"
    hint, name = _as_name(violation.value, schema)
    return Finding(message=message, hint=hint, path=violation.path, at_key=True, instead=name)


def _bound(violation: Violation, schema: JsonObject) -> Finding:
    value, bound = violation.value, violation.expected
    if violation.keyword not in _BOUNDS:
        message = f"{subject(violation.path, schema)} cannot be this: {violation.message}"
        return Finding(message=message, path=violation.path)
    limits = f"must be {_BOUNDS[violation.keyword]} {shown_value(bound)}, not {shown_value(value)}"
    is_share = bound == 1 and isinstance(value, int | float) and _LEAST_PER_CENT <= value <= _PER_CENT
    hint = f"write {value / _PER_CENT:g}, a share of 1" if is_share and isinstance(value, int | float) else None
    return Finding(message=f"{subject(violation.path, schema)} {limits}", hint=hint, path=violation.path)


def _as_name(value: Json, schema: JsonObject) -> tuple[str | None, str | None]:
    """What a name may hold as a hint, and `value` as it may be written."""
    rule, pattern = _text(schema.get("patternErrorMessage")), _text(schema.get("pattern"))
    name = _fitting(value, pattern) if isinstance(value, str) and pattern else None
    return (f"write `{name}`: {rule}" if name else f"use {rule}" if rule else None), name


def _fitting(written: str, pattern: str) -> str | None:
    """`written` as a name that fits `pattern`: capitals and foreign letters made small and plain, spaces bridged."""
    if len(written) > _LONGEST_NAME:
        return None
    in_words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", written)  # `ReadBack` in two words
    for bridge in "-_":
        for name in (_plain(written, bridge), _plain(in_words, bridge).lower()):
            if name and name != written and re.search(pattern, name):
                return name
    return None


def _plain(text: str, bridge: str) -> str:
    bare = unicodedata.normalize("NFKD", text.translate(_UMLAUTS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", bridge, bare).strip(bridge)


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


_LIKE_THESE = "for example `500ms`, `30s`, `5m` or `1h`"
_ZERO = f"write more than zero, {_LIKE_THESE}"
_UNITS: Final = {
    "ms": "ms msec msecs millis millisecond milliseconds",
    "s": "s sec secs second seconds",
    "m": "m min mins minute minutes",
    "h": "h hr hrs hour hours",
}
_OUR_UNITS: Final[Mapping[str, str]] = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_HOURS: Final[Mapping[str, int]] = {"d": 24, "day": 24, "days": 24, "w": 168, "week": 168, "weeks": 168}
_ALONE = lazy_pattern(r"\s*([0-9]+(?:[.,][0-9]+)?)\s*([A-Za-z]*)\s*")
_LONGEST = 36


def _duration_mistake(value: Json) -> tuple[str, str]:
    match value:
        case str():
            return f"{quoted(value)} is not a duration", _as_duration(value)
        case bool() | None | list():
            return f"{kind_of(value)} is not a duration", _LIKE_THESE
        case int() | float():
            return f"`{shown_value(value)}` is not a duration", _as_duration(shown_value(value))
        case dict():
            (unit, number), *more = value.items() or [("", None)]
            is_duration = not more and unit in _OUR_UNITS and is_number(number) and number > 0
            hint = f"write `{shown_value(number)}{_OUR_UNITS[unit]}`" if is_duration else _LIKE_THESE
            return f"{kind_of(value)} is not a duration", hint


def _as_duration(text: str) -> str:
    if "{{" in text:
        return "write the duration out: no template is read here"
    if re.fullmatch(r"-[0-9.]+", text):
        return _ZERO
    found = _ALONE.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return f"write one number with its unit, {_LIKE_THESE}"
    number, unit = found[1].replace(",", "."), found[2].casefold()
    if float(number) == 0:
        return _ZERO
    if not unit:
        return f"`{number}` has no unit: write `{number}s`, or `{number}ms` if it counts milliseconds"
    if unit in _HOURS and number.isdecimal():
        return f"write `{int(number) * _HOURS[unit]}h`"
    return (
        f"write `{number}{_OUR_UNITS[unit]}`"
        if unit in _OUR_UNITS
        else f"use the units `ms`, `s`, `m` and `h`, {_LIKE_THESE}"
    )

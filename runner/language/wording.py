"""What one violation of our own schemas is called: code, message and hint, for a person who is tired.

Of violations that are about the keys of a record, missing or unknown, `runner.language.keys` speaks.
"""

import re
from dataclasses import dataclass

from runner.foundation.durations import seconds
from runner.foundation.guids import is_guid
from runner.foundation.sentences import either
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, Path, compact, kind_of
from runner.json_schema.as_type import BOOLEANS, NUMBER
from runner.json_schema.keywords import IN_WORDS
from runner.json_schema.violations import Violation, shown
from runner.language import durations_meant, meant

_LONGEST_EXAMPLE = 90
_LONGEST_WORD = 40
_PLAIN = r"[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*"
_NOT_PLAIN = frozenset({"true", "false", "null"})
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A problem before its place is looked up; `at_key` puts it at the key that leads to `path`.

    `meant` is our key where another stands for it.
    """

    code: str
    message: str
    path: Path
    hint: str | None = None
    at_key: bool = False
    meant: str | None = None


def mistake(violation: Violation) -> Mistake:
    """What is wrong with one value, or with the name that it has."""
    schema = violation.schema if isinstance(violation.schema, dict) else {}
    if violation.value is None and violation.keyword != "not":
        return _nothing(violation, schema)
    if schema.get("title") == "duration":
        message, hint = durations_meant.mistake(violation.value)
        return Mistake(code="E114", message=message, hint=hint, path=violation.path)
    match violation.keyword:
        case "type":
            return _type(violation, schema)
        case "enum" | "const":
            return _word(violation, schema)
        case "minLength" | "minItems" | "minProperties":
            return _empty(violation, schema)
        case "pattern":
            return _pattern(violation, schema)
        case "propertyNames":
            return _name(violation, schema)
        case "not":
            return _forbidden(violation, schema)
        case _:
            return _bound(violation, schema)


def subject(path: Path, schema: JsonObject) -> str:
    """What stands at `path`, by its key, or by what an item of its list is."""
    title = schema.get("title")
    if path and isinstance(path[-1], str):
        return f"`{path[-1]}`"
    if isinstance(title, str):
        return f"{'an' if title[0] in 'aeiou' else 'a'} {title}"
    return f"an item of {subject(path[:-1], {})}" if path else "the file"


def example(key: str | int | None, schema: JsonObject) -> str | None:
    """A hint that shows how `key` is written, by the first example of its schema."""
    examples = schema.get("examples")
    if not isinstance(examples, list) or not examples:
        return None
    written = {str: f"{key}: ", int: "- "}.get(type(key), "") + flow(examples[0])
    return f"for example `{written}`" if len(written) <= _LONGEST_EXAMPLE else None


def flow(value: Json) -> str:
    """`value` as YAML on one line."""
    match value:
        case str() if re.fullmatch(_PLAIN, value) and value not in _NOT_PLAIN:
            return value
        case list():
            return f"[{', '.join(flow(item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{flow(key)}: {flow(item)}' for key, item in value.items())}}}"
        case _:
            return compact(value)


def _nothing(violation: Violation, schema: JsonObject) -> Mistake:
    path = violation.path
    if not path:
        return Mistake(code="E108", message="there is nothing in this file", path=path)
    key = path[-1]
    message = f"nothing stands behind `{key}`" if isinstance(key, str) else "nothing stands behind this `-`"
    hint = example(key, schema) or "write a value, or leave it out"
    return Mistake(code="E108", message=message, hint=hint, path=path, at_key=True)


def _empty(violation: Violation, schema: JsonObject) -> Mistake:
    is_item = bool(violation.path) and isinstance(violation.path[-1], int)
    message = f"{subject(violation.path, schema)} is empty" if not is_item else "there is nothing in this text"
    hint = example(violation.path[-1] if violation.path else None, schema)
    return Mistake(code="E108", message=message, hint=hint, path=violation.path)


def _type(violation: Violation, schema: JsonObject) -> Mistake:
    value, path = violation.value, violation.path
    if isinstance(value, dict) and (guid := next(iter(value), "")) and is_guid(guid):
        return braces(guid, path)
    kinds = violation.expected if isinstance(violation.expected, list) else [violation.expected]
    wanted = either([IN_WORDS[str(kind)] for kind in kinds])
    there = compact(value) if isinstance(value, bool | int | float) and "string" not in kinds else kind_of(value)
    message = f"{subject(path, schema)} must be {wanted}, not {there}"
    hint = _as_wanted(violation, schema, [str(kind) for kind in kinds]) or example(path[-1] if path else None, schema)
    return Mistake(code="E106", message=message, hint=hint, path=path)


def braces(guid: str, path: Path) -> Mistake:
    """An id in braces, which YAML reads as a record."""
    return Mistake(
        code="E113",
        message="YAML reads an id in braces as a record",
        hint=f"write `{guid}` without the braces",
        path=path,
    )


def _as_wanted(violation: Violation, schema: JsonObject, kinds: list[str]) -> str | None:
    """How to write the very value that stands there, where that can be told."""
    match violation.value:
        case str() as text if violation.path[-1:] == ("wait",) and seconds(text) is not None:
            return f"write `pause: {text}`: `wait` follows a process"
        case str() as text if violation.path[-1:] == ("ready",) and seconds(text) is not None:
            return f"write `ready: {{for: {text}}}`"
        case str() as text if "array" in kinds and "object" not in kinds:
            return meant.a_list(text, violation.path)
        case str() as text if "object" in kinds:
            return _as_keys(text, violation.path, schema)
        case str() as text if "boolean" in kinds and text.casefold() in BOOLEANS:
            return _as_boolean(text)
        case str() as text if NUMBER.fullmatch(text):
            return f"write `{text}` without quotes"
        case int() as value if hint := meant.of_neighbours(value, violation.path):
            return hint
        case bool() | int() | float() if "string" in kinds and "boolean" not in kinds:
            return _in_quotes(compact(violation.value), schema)
        case dict() as record if "array" in kinds:
            return meant.items_of(record, violation.path)
        case list() as names if "object" in kinds and (hint := meant.of_names(names, violation.path)):
            return hint
        case dict() | list() | int() as value:
            return meant.of_neighbours(value, violation.path)
    return None


def _as_keys(text: str, path: Path, schema: JsonObject) -> str | None:
    """A text where a record is wanted."""
    record = meant.key_and_value(text, path) or meant.of_neighbours(text, path) or _as_record(text, path, schema)
    return record or meant.an_input(text, path) or meant.of_names(text, path)


def _in_quotes(written: str, schema: JsonObject) -> str | None:
    """Advice to quote a number or a boolean, unless a text of that kind would be wrong as well.

    What stands there is not repeated: it may be a password.
    """
    pattern = schema.get("pattern")
    is_wrong = isinstance(pattern, str) and re.search(pattern, written) is None
    return None if is_wrong else "put it in quotes"


def _as_boolean(text: str) -> str | None:
    meant = BOOLEANS.get(text.casefold())
    return meant and f"write `{meant}`" + ("" if text.casefold() == meant else f": `{text}` is a text")


def _as_record(text: str, path: Path, schema: JsonObject) -> str | None:
    """A bare text where a record is wanted that needs one key: most likely that is the key."""
    required = schema.get("required")
    is_plain = re.fullmatch(_PLAIN, text) or is_guid(text)
    if not isinstance(required, list) or len(required) != 1 or not is_plain or not path:
        return None
    return f"write `{path[-1]}: {{{required[0]}: {text}}}`" if isinstance(path[-1], str) else None


def _word(violation: Violation, schema: JsonObject) -> Mistake:
    """One of a few words, or one fixed value."""
    value = violation.value
    options = violation.expected if isinstance(violation.expected, list) else [violation.expected]
    known = [option for option in options if isinstance(option, str)]
    wanted = either([_quoted(option) for option in options])
    near = suggest(value, known) if isinstance(value, str) else None
    hint = f"did you mean `{near}`?" if near else None
    if isinstance(value, str) and value in [compact(option) for option in options]:
        hint = f"write `{value}` without quotes"
    elif isinstance(value, str) and True in options:
        hint = _as_boolean(value)
    elif near is None and (ours := meant.word(value, violation.path)):
        hint = f"did you mean {ours}?"
    elif violation.path[-1:] == ("on_failure",) and isinstance(value, dict | list):
        hint = "what is done after a failure stands in `undo`, or in `finally` with `if: failure()`"
    message = f"{subject(violation.path, schema)} must be {wanted}, not {_quoted(value)}"
    return Mistake(code="E107", message=message, hint=hint, path=violation.path)


def _pattern(violation: Violation, schema: JsonObject) -> Mistake:
    if isinstance(violation.value, str) and "{{" in violation.value:
        said = _text(schema.get("patternErrorMessage")) or "only values are worked out"
        return Mistake(
            code="E122", message="no template is read here", hint=f"write it out: {said}", path=violation.path
        )
    message = f"{subject(violation.path, schema)} cannot be {_quoted(violation.value)}"
    hint, near = _use(schema, violation)
    return Mistake(code="E107", message=message, hint=hint, path=violation.path, meant=near)


def _name(violation: Violation, schema: JsonObject) -> Mistake:
    where = subject(violation.path[:-1], {})
    if violation.value == "":
        return Mistake(code="E107", message=f"a name in {where} is empty", path=violation.path, at_key=True)
    message = f"{_quoted(violation.value)} cannot be a name in {where}"
    hint, near = _use(schema, violation)
    return Mistake(code="E107", message=message, hint=hint, path=violation.path, at_key=True, meant=near)


def _forbidden(violation: Violation, schema: JsonObject) -> Mistake:
    message = f"`{violation.path[-1]}` cannot stand here"
    return Mistake(
        code="E107", message=message, hint=_text(schema.get("errorMessage")), path=violation.path, at_key=True
    )


def _bound(violation: Violation, schema: JsonObject) -> Mistake:
    if violation.keyword in _BOUNDS:
        limits = f"must be {_BOUNDS[violation.keyword]} {shown(violation.expected)}, not {shown(violation.value)}"
        hint = meant.share(violation.value, violation.expected)
        message = f"{subject(violation.path, schema)} {limits}"
        return Mistake(code="E107", message=message, hint=hint, path=violation.path)
    message = f"{subject(violation.path, schema)} cannot be this: {violation.message}"
    return Mistake(code="E107", message=message, path=violation.path)


def _use(schema: JsonObject, violation: Violation) -> tuple[str | None, str | None]:
    """What a name may hold as a hint, and the name at hand as it may be written."""
    said, pattern = _text(schema.get("patternErrorMessage")), _text(schema.get("pattern"))
    near = meant.name(violation.value, pattern) if isinstance(violation.value, str) and pattern else None
    return (f"write `{near}`: {said}" if near else f"use {said}" if said else None), near


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _quoted(value: Json) -> str:
    """A value in a sentence; a short text in backticks, as people write it."""
    return (
        f"`{value}`" if isinstance(value, str) and len(value) <= _LONGEST_WORD and value.isprintable() else shown(value)
    )

"""The JSON Schemas that a job holds, in its inputs and its expectations: each must be one."""

import re

from runner.job.rules.texts import Texts
from runner.json_schema import schemas
from runner.json_schema.flaws import KEYWORDS
from runner.json_schema.violations import Violation
from runner.values import Json, Path, compact

_BOOLEANS = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
_OF_KEYS = ("additionalProperties", "patternProperties", "propertyNames")
"""What is wrong is the key, not what stands behind it."""


def sound(schema: Json, path: Path, texts: Texts) -> bool:
    """Whether `schema` is a JSON Schema; what makes it none is reported where it stands."""
    flaws = schemas.flaws(schema)
    for flaw in flaws:
        at_key = flaw.keyword in _OF_KEYS
        texts.report("E115", _said(flaw), (*path, *flaw.path), hint=flaw.hint or _hint(flaw), at_key=at_key)
    return not flaws


def as_wanted(violation: Violation) -> str | None:
    """How to write the very value that stands there as the type that its schema wants."""
    kinds, value = violation.expected, violation.value
    if violation.keyword != "type" or isinstance(kinds, list):
        return None
    match value:
        case bool() | int() | float() if kinds == "string":
            return f'put it in quotes: "{compact(value)}"'
        case str() if kinds == "boolean" and value.casefold() in _BOOLEANS:
            return f"write `{_BOOLEANS[value.casefold()]}`"
        case str() if kinds == "integer" and re.fullmatch(r"-?[0-9]+", value):
            return f"write `{value}` without quotes"
        case str() if kinds == "number" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
            return f"write `{value}` without quotes"
        case str() if kinds == "array" and re.fullmatch(r"[\w.-]+(, *[\w.-]+)*", value):
            return f"write a list: `[{', '.join(re.split(', *', value))}]`"
    return None


def _said(flaw: Violation) -> str:
    """The sentence, with the keyword behind which the flaw stands where the sentence does not name it."""
    keyword = flaw.path[-1] if flaw.path else None
    is_named = keyword not in KEYWORDS or keyword == "type" or f"`{keyword}`" in flaw.message
    return flaw.message if is_named else f"`{keyword}`: {flaw.message}"


def _hint(flaw: Violation) -> str | None:
    """What is meant by `required: true`, and by one word where a list is wanted."""
    match flaw.path, flaw.value:
        case ("required",), bool():
            return "an input without `default` is required, one with it is not"
        case (*_, "required"), bool():
            return "`required` lists the keys that a record must have, as in `required: [Id]`"
        case (*_, "required" | "enum" as keyword), str() as text if re.fullmatch(r"[\w., -]+", text):
            return f"write a list: `{keyword}: [{', '.join(re.split(r'[, ]+', text))}]`"
    return None

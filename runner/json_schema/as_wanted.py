"""How the value that stands there is written as the type that its schema wants."""

import re

from runner.json_schema.violations import Violation
from runner.values import compact

_BOOLEANS = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}


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
        case str() if kinds == "number" and (point := with_point(value)):
            return f"write `{point}`"
        case str() if kinds == "array" and re.fullmatch(r"[\w.-]+(, *[\w.-]+)*", value):
            return f"write a list: `[{', '.join(re.split(', *', value))}]`"
    return None


def with_point(text: str) -> str | None:
    """`120,5` as a number of JSON."""
    return text.replace(",", ".") if re.fullmatch(r"-?[0-9]+,[0-9]+", text) else None

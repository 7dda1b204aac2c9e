"""How the value that stands there is written as the type that its schema wants."""

import re
from collections.abc import Mapping
from typing import Final

from runner.foundation.values import compact
from runner.json_schema.violations import Violation

BOOLEANS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("yes", "on", "true"), "true"),
    **dict.fromkeys(("no", "off", "false"), "false"),
}
"""What people write for true and false, folded."""
WHOLE: Final = re.compile(r"-?[0-9]+")
NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
"""A text that would be a number without its quotes."""
_BARE: Final = re.compile(r"[\w.+:-]+")


def as_wanted(violation: Violation, *, written: str | None = None) -> str | None:
    """How to write the very value that stands there as the type that its schema wants.

    `written` is the value as it stands in its file: to YAML `007` is 7.
    """
    kinds, value = violation.expected, violation.value
    if violation.keyword != "type" or isinstance(kinds, list):
        return None
    match value:
        case bool() | int() | float() if kinds == "string":
            source = written if written and _BARE.fullmatch(written) else compact(value)  # not an alias
            return f'put it in quotes: "{source}"'
        case str() if kinds == "boolean" and value.casefold() in BOOLEANS:
            return f"write `{BOOLEANS[value.casefold()]}`"
        case str() if kinds == "integer" and WHOLE.fullmatch(value):
            return f"write `{value}` without quotes"
        case str() if kinds == "number" and NUMBER.fullmatch(value):
            return f"write `{value}` without quotes"
        case str() if kinds == "number" and (point := with_point(value)):
            return f"write `{point}`"
        case str() if kinds == "array" and re.fullmatch(r"[\w.-]+(, *[\w.-]+)*", value):
            return f"write a list: `[{', '.join(re.split(', *', value))}]`"
    return None


def with_point(text: str) -> str | None:
    """`120,5` as a number of JSON."""
    return text.replace(",", ".") if re.fullmatch(r"-?[0-9]+,[0-9]+", text) else None

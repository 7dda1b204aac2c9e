"""Whether the value of an input can hold a quote, by its schema. What is not certain can."""

import re

from runner.raw import items
from runner.values import Json

_CLASS = r"\[(?:[A-Za-z0-9]-[A-Za-z0-9]|[\w .:@/#+,]|\\[dw.-])+-?\]"
_WITHOUT_QUOTES = re.compile(rf"\^(?:{_CLASS}|[\w :@/#,-]|\\[dw.-]|[+*?]|\{{\d+(?:,\d*)?\}})*\$", re.ASCII)
"""A pattern of the whole text whose every part is one of these fits no quote."""


def may_hold_a_quote(schema: Json) -> bool:
    if not isinstance(schema, dict):
        return True
    listed = [schema["const"]] if "const" in schema else items(schema.get("enum"))
    if listed:
        return any("'" in str(one) for one in listed)
    kinds = schema.get("type")
    named = items(kinds) if isinstance(kinds, list) else [kinds] if kinds else []
    if not named or any(one in ("array", "object") for one in named):
        return True
    pattern = schema.get("pattern")
    has_pattern = isinstance(pattern, str) and _WITHOUT_QUOTES.fullmatch(pattern) is not None
    return "string" in named and not has_pattern

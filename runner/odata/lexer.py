"""The words of an OData v4 `$filter`, and its operators. A template may fill any hole."""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern

HOLE: Final = "\0"  # the place of a template
COMPARISONS: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
SUMS: Final = ("add", "sub")
PRODUCTS: Final = ("mul", "div", "divby", "mod")
OPERATORS: Final = COMPARISONS | {*SUMS, *PRODUCTS} | {"and", "or", "has", "in", "not"}
CONSTANTS: Final = frozenset({"true", "false", "null"})
TEXT_FUNCTIONS: Final = ("contains", "startswith", "endswith")
_WORD = lazy_pattern(r"(?P<text>'(?:[^']|'')*')|[^\s,()']+'(?:[^']|'')*'|[^\s,()']+|[,()']")
_KINDS: Final[Mapping[str, re.Pattern[str]]] = {
    "guid": lazy_pattern(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    "moment": lazy_pattern(
        r"-?[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,12})?)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
        r"|[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    ),
    "number": lazy_pattern(r"-?[0-9]{1,300}(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,3})?[LlMmFfDd]?"),
    "name": lazy_pattern(r"[^\W\d]\w*(?:/[^\W\d]\w*)*"),
    "any": lazy_pattern(r"[^-:]+:.*|.*[\0@${\[].*", re.DOTALL),
}


class Token(Struct, frozen=True, kw_only=True):
    """`kind` is `text guid moment number name mark`, `any` if unknown, or empty. `is_called`: a bracket follows."""

    kind: str
    text: str
    start: int
    is_called: bool = False

    @property
    def is_operand(self) -> bool:
        return self.kind not in ("mark", "any") and self.text not in OPERATORS


def tokens(text: str) -> tuple[Token, ...]:
    return tuple(_token(match, text) for match in _WORD.finditer(text))


def is_literal(text: str) -> bool:
    """Whether a service reads `text` as a value of some type, or as a text in quotes."""
    bare = text.strip()
    return not bare or "'" in bare or bare.casefold() in CONSTANTS or _kind(bare) in ("guid", "moment", "number")


def _token(match: re.Match[str], text: str) -> Token:
    word = match[0]
    kind = "text" if match["text"] else _kind(word)
    is_called = text.startswith("(", match.end()) and kind != "mark" and word not in OPERATORS
    return Token(kind=kind, text=word, start=match.start(), is_called=is_called)


def _kind(word: str) -> str:
    if word in ("(", ")", ",", "'"):
        return "mark"
    return next((kind for kind, form in _KINDS.items() if form.fullmatch(word)), "")

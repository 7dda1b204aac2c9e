"""What an unquoted scalar is by YAML 1.2.2, 10.3.2, within JSON.

`yes`, `1_000`, `1:30` and dates are texts, `017` is the number 17.
"""

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import LARGEST_INTEGER, Json, is_rounded

BEGINNINGS = "-+.0123456789~nNtTfF"
"""A text that begins with none of these characters, and is not empty, is a text without further looking."""

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FLOAT = lazy_pattern(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_PREFIXED = lazy_pattern(r"0o[0-7]+|0x[0-9a-fA-F]+")
_NOT_FINITE = lazy_pattern(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MOST_DIGITS = 22  # of 64 bits, in octal; a longer number is refused before it is worked out


class ScalarError(ValueError):
    """A number that JSON does not have; the message is a sentence for people."""


def plain(text: str) -> Json:
    """The value of an unquoted scalar. Raises `ScalarError`: no number of JSON, beyond 64 bits, or rounded."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789":
        return text
    digits = text[text[0] in "-+" :]
    if digits.isascii() and digits.isdecimal():
        return _integer(text, digits=digits, base=10)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _PREFIXED.fullmatch(text):
        return _integer(text, digits=text[2:], base=8 if text[1] == "o" else 16)
    if _NOT_FINITE.fullmatch(text):
        raise ScalarError(f"`{text}` is not a number that JSON knows")
    return text


def _integer(text: str, *, digits: str, base: int) -> int:
    digits = digits.lstrip("0") or "0"
    value = int(digits, base) if len(digits) <= _MOST_DIGITS else LARGEST_INTEGER + 2
    if value > LARGEST_INTEGER + (text[0] == "-"):
        raise ScalarError(f"{_shown(text)} is an integer beyond 64 bits")
    return -value if text[0] == "-" else value


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ScalarError(f"{_shown(text)} is a number beyond what JSON readers hold")
    if is_rounded(text, value):
        raise ScalarError(f"{_shown(text)} has more digits than a number keeps, and would be rounded")
    return value


def _shown(text: str) -> str:
    return f"`{text}`" if len(text) <= 2 * _MOST_DIGITS else f"`{text[:_MOST_DIGITS]}…`"

"""JSON that is read strictly, and written with nothing that UTF-8 or XML cannot hold."""

import json
from math import isfinite
from typing import NoReturn

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json

_UNWRITABLE = lazy_pattern("[\ud800-\udfff\ufffe\uffff]")
"""Lone surrogates have no UTF-8, the two others no place in XML; inside JSON's texts all can be escaped."""
_AMOUNT = lazy_pattern(r"[-+]?([0-9]+)\.([0-9]{1,8})0*")
SURE_DIGITS, _MOST_OF_A_FLOAT = 15, 17  # as many digits a number always keeps, and as many it may need


def read_json(text: str | bytes) -> Json:
    """The value that `text` writes; amounts too long for a number stay texts. Raises `ValueError`, also for NaN."""
    try:
        value: Json = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def write_json(value: Json) -> str:
    """Compact JSON with its texts unescaped, but for characters that could not travel."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text if text.isascii() else _UNWRITABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def is_rounded(text: str, value: float) -> bool:
    """Whether `value` is not the amount that `text` writes, with up to 8 decimals, as the service has them [C]."""
    if len(text) <= SURE_DIGITS or (written := _AMOUNT.fullmatch(text)) is None:
        return False
    digits = f"{written[1]}{written[2]}".strip("0")
    if len(digits) <= SURE_DIGITS:
        return False
    return (
        len(digits) > _MOST_OF_A_FLOAT or f"{abs(value):.{len(digits) - 1}e}".replace(".", "")[: len(digits)] != digits
    )


def is_long_amount(text: str) -> bool:
    """Whether it writes an amount that no number keeps."""
    is_amount = len(text) > SURE_DIGITS and text[-1].isdecimal() and _AMOUNT.fullmatch(text) is not None
    return is_amount and is_rounded(text, float(text))


def _finite(word: str) -> float | str:
    number = float(word)
    if not isfinite(number):
        _refuse(word)
    return word if is_rounded(word, number) else number


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")

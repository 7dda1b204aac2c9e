"""JSON that is read strictly, and written with nothing that UTF-8 or XML cannot hold."""

import json
from math import isfinite
from typing import NoReturn

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json

_UNWRITABLE = lazy_pattern("[\ud800-\udfff\ufffe\uffff]")
"""Lone surrogates have no UTF-8, the two others no place in XML; inside JSON's texts all can be escaped."""


def read_json(text: str | bytes) -> Json:
    """The value that `text` writes. Raises `ValueError`, also for NaN, Infinity, and what is beyond reason."""
    try:
        value: Json = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def write_json(value: Json) -> str:
    """Compact JSON with its texts unescaped, but for characters that could not travel."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text if text.isascii() else _UNWRITABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _finite(word: str) -> float:
    number = float(word)
    return number if isfinite(number) else _refuse(word)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")

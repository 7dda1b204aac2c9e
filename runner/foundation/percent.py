"""Percent-encoding of what goes into a query, and back, remembered for the texts that many calls share."""

from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

from runner.foundation.values import well_formed

_SHORT: Final = 512  # characters up to which a text is remembered
_ASCII: Final = {code: quote(chr(code), safe="") for code in range(128)}


def encoded(text: str) -> str:
    """Percent-encoded UTF-8, also `/` and `+`; a blank is `%20`, since some servers read `+` as a plus [C]."""
    if text.isalnum() and text.isascii():
        return text
    return _encoded(text) if len(text) <= _SHORT else _encoded.__wrapped__(text)


def decoded(text: str) -> str:
    """A text of a query, without its encoding."""
    return unquote(text) if "%" in text else text


@lru_cache(maxsize=256)
def _encoded(text: str) -> str:
    return text.translate(_ASCII) if text.isascii() else quote(well_formed(text), safe="")

"""Ids of elements and processes: 8-4-4-4-12 hexadecimal digits, in any case."""

import re
from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json

EMPTY_GUID: Final = "00000000-0000-0000-0000-000000000000"  # no id, where there must be an id
_GUID = lazy_pattern(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGITS = 32


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text) is not None


def guid(written: Json) -> str | None:
    """The id of an answer or a file, in lower case, so that ids of different sources compare; an empty id is none."""
    return written.lower() if isinstance(written, str) and written and written != EMPTY_GUID else None


def mended(text: str) -> str | None:
    """`text` as a GUID: it may be in braces or parentheses, or lack its dashes. None where it is no GUID."""
    digits = re.sub(r"[-\s]", "", text.strip().strip("{}()"))
    if len(digits) != _DIGITS or not re.fullmatch(r"[0-9a-fA-F]+", digits):
        return None
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

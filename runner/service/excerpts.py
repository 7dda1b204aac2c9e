"""The start of a reply that failed, as text. Pure.

It may hold secrets, which are searched later: so no part of it is taken out. JSON becomes lines of paths and texts.
"""

import html
import re
from collections.abc import Iterator
from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, as_text, well_formed
from runner.secrets.needles import SHORTENED
from runner.service import bodies

LARGEST_EXCERPT: Final = 4096  # bytes of UTF-8

_LARGEST_READ: Final = 65536  # bytes of a body: a page begins with scripts and styles
_UNSHOWN = lazy_pattern(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)


def excerpt(body: bytes, *, content_type: str = "") -> str | None:
    """At most `LARGEST_EXCERPT` of `body`; None where it is empty, or no text."""
    text = _text(body[:_LARGEST_READ], content_type)
    if "\x00" in text or not text:
        return None
    shown = text.encode()
    if len(shown) <= LARGEST_EXCERPT and len(body) <= _LARGEST_READ:
        return text
    most = LARGEST_EXCERPT - len(SHORTENED.encode())
    return shown[:most].decode("utf-8", "ignore").rstrip() + SHORTENED


def _text(body: bytes, content_type: str) -> str:
    """JSON, XML and pages as people read them, without the escapes of their writers; no scripts, no styles."""
    text = bodies.readable(body, content_type=content_type).strip()
    if bodies.is_page(body):
        text = _UNSHOWN.sub(SHORTENED, text)
    if text.startswith("<"):
        return well_formed(html.unescape(text))
    try:
        return "\n".join(_lines(bodies.parsed(text, halves=True), path=""))
    except bodies.NonsenseError:
        return well_formed(text)


def _lines(value: Json, *, path: str) -> Iterator[str]:
    """`errorInfo.message: no right`, a line for each text, number and boolean. No deeper than `bodies.parsed` reads."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _lines(inner, path=f"{path}.{key}" if path else key)
        case list():
            for index, inner in enumerate(value):
                yield from _lines(inner, path=f"{path}[{index}]")
        case None:
            return
        case _:
            text = as_text(value)
            yield f"{path}: {text}" if path else text

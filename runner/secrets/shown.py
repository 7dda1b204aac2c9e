"""What was cut, as people see it: stars for the holes of secrets; text made visible. No secret is known here."""

import re
from collections.abc import Callable, Iterable

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json
from runner.secrets.holes import MARK, TextPart, taken_apart

STARS = "***"

_UNSAFE = lazy_pattern(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters but the tab; what turns the direction of writing; what has no width; lone surrogates."""
_LAST_OF_FOUR_DIGITS = 0xFFFF


def hide(value: Json) -> Json:
    """`value`, which was cut, as reports show it: with stars for holes. Keys that become the same are numbered."""
    return rebuilt(value, leaf=lambda item: _hidden(item) if isinstance(item, str) else item, key=_hidden)


def visible(text: str, *, keep_lines: bool = False) -> str:
    r"""`text` with unseen characters and moves of the cursor as `\u` codes, but for tabs and kept line feeds."""
    if text.isprintable():
        return text
    if keep_lines:
        return "\n".join(_UNSAFE.sub(_escape, line) for line in text.replace("\r\n", "\n").split("\n"))
    return _UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code <= _LAST_OF_FOUR_DIGITS else f"\\U{code:08x}"


def _hidden(text: str) -> str:
    return starred(taken_apart(text)) if MARK in text else text


def starred(parts: Iterable[TextPart]) -> str:
    """The text with three stars for neighbouring secrets, and for stars beside them: six stars may be a secret, too."""
    between: list[list[str]] = [[]]
    for part in parts:
        if isinstance(part, str):
            between[-1].append(part)
        else:
            between.append([])
    first, *inner = map("".join, between)
    if not inner:
        return first
    last = inner.pop()
    return STARS.join([first.rstrip("*"), *filter(None, (text.strip("*") for text in inner)), last.lstrip("*")])


def rebuilt(value: Json, *, leaf: Callable[[Json], Json], key: Callable[[str], str]) -> Json:
    """A copy of `value` with other leaves and keys. No recursion: values of the service nest as deep as they like."""
    todo: list[list[Json] | dict[str, Json]] = []

    def copied(item: Json) -> Json:
        if not isinstance(item, (dict, list)):
            return leaf(item)
        todo.append(item.copy() if isinstance(item, list) else _renamed(item, key))
        return todo[-1]

    root = copied(value)
    while todo:
        part = todo.pop()
        if isinstance(part, list):
            part[:] = map(copied, part)
        else:
            part.update(zip(part, map(copied, part.values()), strict=True))
    return root


def _renamed(record: dict[str, Json], key: Callable[[str], str]) -> dict[str, Json]:
    copy: dict[str, Json] = {}
    for name, item in record.items():
        number, free = 1, key(name)
        while free in copy:
            number += 1
            free = f"{key(name)} ({number})"
        copy[free] = item
    return copy

"""Texts from outside made safe for people, and for a CI that looks for commands; how many cells they take.

GitHub looks for `##[` anywhere in a line, Azure for `##vso[`, TeamCity for `##teamcity[`. GitHub's `::` counts after
blanks, too: no safe text may be the first in its line.
"""

import json
import re
import unicodedata
from collections.abc import Sequence

import msgspec

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json
from runner.secrets.holes import MARK
from runner.secrets.shown import hide, visible

_HOLE = MARK.encode()
_HARMLESS = bytes(range(ord(" "), 0x7F)).replace(b"#", b"") + b"\n"
"""Of no text in JSON that consists of these alone anything has to be changed."""
_COMMAND = lazy_pattern(r"##(?=\w*\[)")
_FIRST_COLON = lazy_pattern(r"(?m)^([^\S\n]*):(?=:)")
_UNSAFE_IN_JSON = lazy_pattern(
    r"(?<=#)#(?=\w*\[)|"
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def clean(text: str) -> str:
    """A text from outside on a line and safe to print, its holes as `***`."""
    return text if text.isascii() and text.isprintable() and "##" not in text else safe(str(hide(text)))


def moment(text: str) -> str:
    """A moment of an event as people read it, to the second."""
    return clean(text).replace("T", " ").partition(".")[0].removesuffix("Z")


def safe(text: str, *, keep_lines: bool = False) -> str:
    """A text without holes made safe to print; a command to a CI is broken by the way it is escaped."""
    shown = visible(text, keep_lines=keep_lines).replace("\t", "    ")
    return _COMMAND.sub(r"#\\u0023", shown) if "##" in shown else shown


def safe_lines(text: str) -> str:
    """Lines of ours with texts from outside in them: tabs and line ends stay, and no line begins a command to a CI."""
    if text.isascii() and text.replace("\n", "").isprintable() and "##" not in text and "::" not in text:
        return text
    shown = visible(text, keep_lines=True)
    return _FIRST_COLON.sub(r"\1\\u003a", _COMMAND.sub(r"#\\u0023", shown))


def safe_json(text: str) -> str:
    """The same JSON with escapes for what is not safe to print. A reader gets the same texts from it."""
    if "##" not in text and (("\x7f" not in text) if text.isascii() else text.replace("\n", "").isprintable()):
        return text
    return _UNSAFE_IN_JSON.sub(_escaped, text)


def shown_json(encoded: bytes) -> bytes:
    """The same JSON as it is shown: safe to print, with `***` for holes of secrets, compact where there was a hole."""
    rest = encoded.translate(None, _HARMLESS)
    if _HOLE in rest:
        encoded = msgspec.json.encode(hide(msgspec.json.decode(encoded)))
    if b"##" not in rest and rest.decode().isprintable():
        return encoded
    return safe_json(encoded.decode()).encode()


def json_document(whole: Json) -> str:
    """A value as an indented JSON document that is safe to print."""
    return safe_json(json.dumps(whole, indent=2, ensure_ascii=False)) + "\n"


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


_WIDE = frozenset("WF")
_NO_CELL = frozenset(("Mn", "Me", "Cf"))


def width(text: str) -> int:
    """Cells of `text`, which holds no control character."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def padded(text: str, cells: int) -> str:
    return text + " " * (cells - width(text))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of equal length as lines, each column as wide as its widest cell."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(padded, row, widths)).rstrip() for row in rows]


def _cells(character: str) -> int:
    if unicodedata.category(character) in _NO_CELL:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1

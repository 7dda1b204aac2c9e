r"""JSON text → `Document`: JSON as its standard has it, with the places that YAML's reader finds.

JSON is YAML but for a few things. Two of them are common: tabs that indent, and characters beyond the first plane
written as two escapes (`\ud83d\ude00`). For YAML's reader both are replaced by something that is as long.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NoReturn

from runner.foundation.problems import Problem
from runner.foundation.values import Json
from runner.reading import encoding
from runner.reading.document import Document
from runner.reading.load import load as load_yaml
from runner.reading.source import Source

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)")
_LAST_COMMA = re.compile(r",\s*[\]}]")
_TO_PRIVATE_USE = 0x800
"""From a half of a character to a character of its own, so that two keys that differ still do."""
_FIRST_HALVES, _SECOND_HALVES = range(0xD800, 0xDC00), range(0xDC00, 0xE000)


def load(name: str, content: bytes) -> Document | tuple[Problem, ...]:
    """The document in `content`, or all its problems; a key that stands twice is one."""
    source = encoding.decode(name, content)
    if isinstance(source, Problem):
        return (source,)
    try:
        data: Json = json.loads(source.text, parse_constant=_refuse)
    except _ConstantError as error:
        at = source.text.find(str(error))
        return (source.problem("E101", f"JSON has no `{error}`", at=(at, at + len(str(error)))),)
    except json.JSONDecodeError as error:
        return (_no_json(source, error),)
    except (ValueError, RecursionError):
        return _placed(source)  # a number that is too long, or nesting that is too deep: told there
    half = next(_lone_halves(source.text), None)
    if half is not None:
        return (source.problem("E101", "half of a character is escaped here", at=half),)
    placed = _placed(source)
    return replace(placed, source=source, data=data) if isinstance(placed, Document) else placed


class _ConstantError(Exception):
    """`NaN` or an infinity; caught in this module."""


def _placed(source: Source) -> Document | tuple[Problem, ...]:
    """What YAML's reader makes of the text. A raw tab never stands inside a text of JSON."""
    text = _ESCAPE.sub(_neutral, source.text) if "\\" in source.text else source.text
    return load_yaml(source.file, text.replace("\t", " ").encode())


def _neutral(escape: re.Match[str]) -> str:
    code = _code(escape)
    is_half = code in _FIRST_HALVES or code in _SECOND_HALVES
    return f"\\u{code + _TO_PRIVATE_USE:04X}" if is_half else escape[0]


def _lone_halves(text: str) -> Iterator[tuple[int, int]]:
    """Where an escape stands for half of a character, without the other half beside it."""
    if "\\u" not in text:
        return
    first: tuple[int, int] | None = None
    for escape in _ESCAPE.finditer(text):
        code = _code(escape)
        fits = first is not None and code in _SECOND_HALVES and escape.start() == first[1]
        if first is not None and not fits:
            yield first
        if code in _SECOND_HALVES and not fits:
            yield escape.span()
        first = escape.span() if code in _FIRST_HALVES else None
    if first is not None:
        yield first


def _code(escape: re.Match[str]) -> int:
    """The code point of an escape with digits, -1 of any other."""
    return int(escape[1], 16) if escape[1] else -1


def _no_json(source: Source, error: json.JSONDecodeError) -> Problem:
    comma = _LAST_COMMA.search(source.text, max(source.text.rfind(",", 0, error.pos + 1), 0))
    if comma is not None and comma.start() <= error.pos < comma.end():
        there = (comma.start(), comma.start() + 1)
        return source.problem("E101", "this is not JSON: a comma behind the last item", at=there, hint="leave it out")
    at = min(error.pos, max(len(source.text) - 1, 0))
    said = error.msg[:1].lower() + error.msg[1:]
    return source.problem(
        "E101", f"this is not JSON: {said}", at=(at, min(at + 1, len(source.text))), hint=_hint(source.text[at:])
    )


def _hint(rest: str) -> str | None:
    """What somebody meant who wrote `rest` where JSON has a value or a key."""
    if rest.startswith(("//", "/*", "#")):
        return "JSON has no comments"
    if rest.startswith(("'", *"\u201c\u201d\u201e\u2018\u2019")):
        return 'a text stands in straight double quotes: `"…"`'
    word = re.match(r"\w+", rest)
    here = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false", "None": "null", "NULL": "null"}
    return f"write `{here[word[0]]}`" if word and word[0] in here else None


def _refuse(written: str) -> NoReturn:
    raise _ConstantError(written)

r"""JSON text → `Document`: JSON as its standard has it, with the places that YAML's reader finds.

JSON is YAML but for a few things. Two of them are common: tabs that indent, and characters beyond the first plane
written as two escapes (`\ud83d\ude00`), which YAML's reader replaces by something that is as long.
"""

import json
import re
from typing import NoReturn

from msgspec.structs import replace

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.foundation.values import Json
from runner.reading import encoding
from runner.reading.document import Document
from runner.reading.load import load as load_yaml
from runner.reading.source import Source

_LONE_HALF = lazy_pattern(r"\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(\\u[dD][89a-fA-F]\w\w)|\\.")
"""A pair of escapes for a single character, half of a pair alone, or any other escape."""
_LAST_COMMA = lazy_pattern(r",\s*[\]}]")
_CONSTANTS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false", "None": "null", "NULL": "null"}


def load(name: str, content: bytes) -> Document | tuple[Problem, ...]:
    """The document in `content`, or all its problems; a key that is written twice is a problem."""
    source = encoding.decode(name, content)
    if isinstance(source, Problem):
        return (source,)
    try:
        data: Json = json.loads(source.text, parse_constant=_refuse)
    except _ConstantError as error:
        at = source.text.find(str(error))
        return (source.error(at, f"JSON has no `{error}`", end=at + len(str(error))),)
    except json.JSONDecodeError as error:
        return (_no_json(source, error),)
    except (ValueError, RecursionError):
        return _placed(source)  # a number that is too long, or nesting that is too deep: reported there
    halves = (found for found in _LONE_HALF.finditer(source.text) if found[1])
    if "\\u" in source.text and (half := next(halves, None)) is not None:
        return (source.problem("E101", "half of a character is escaped here", at=half.span()),)
    placed = _placed(source)
    return replace(placed, source=source, data=data) if isinstance(placed, Document) else placed


class _ConstantError(Exception):
    """`NaN` or an infinity; caught in this module."""


def _placed(source: Source) -> Document | tuple[Problem, ...]:
    """What YAML's reader makes of the text. A raw tab is never inside a text of JSON."""
    return load_yaml(source.file, source.text.replace("\t", " ").encode())


def _no_json(source: Source, error: json.JSONDecodeError) -> Problem:
    comma = _LAST_COMMA.search(source.text, max(source.text.rfind(",", 0, error.pos + 1), 0))
    if comma is not None and comma.start() <= error.pos < comma.end():
        return source.error(comma.start(), "this is not JSON: a comma follows the last item", hint="leave it out")
    if not source.text.strip():
        return source.error(0, "there is nothing in this file")
    at = min(error.pos, max(len(source.text) - 1, 0))
    message, rest = f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]}", source.text[at:]
    is_further = error.msg == "Extra data" and rest.startswith("{")
    hint = "put the records in `[ ]`, with commas between them" if is_further else _hint(rest)
    return source.error(at, message, hint=hint)


def _hint(rest: str) -> str | None:
    """What to write for `rest`, where JSON has a value or a key."""
    if rest.startswith(("//", "/*", "#")):
        return "leave the comment out: JSON has none"
    if rest.startswith(("'", *"\u201c\u201d\u201e\u2018\u2019")):
        return 'write a text in straight double quotes: `"…"`'
    word = re.match(r"\w+", rest)
    return f"write `{_CONSTANTS[word[0]]}`" if word and word[0] in _CONSTANTS else None


def _refuse(written: str) -> NoReturn:
    raise _ConstantError(written)

"""Warnings of values that YAML reads otherwise than they look, where any text is allowed.

Such are ` #` in a text, quotes of a word processor, JSON's comma, the line break of a block, an unused anchor, a path
of Windows in double quotes, a null of other languages, a placeholder, and an unseen character.
"""

import re
from collections.abc import Collection, Iterator
from typing import TypeAlias

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem
from runner.foundation.values import Json, ValuePath
from runner.reading.document import Document
from runner.reading.odd_characters import IN_CURLY_QUOTES, OPENING_QUOTES, named
from runner.reading.source import quote, quoted

_UNSEEN = "\u00a0\u00ad\u200b\u2060\ufeff"
_MAY_BE = lazy_pattern(
    rf"[#{OPENING_QUOTES}{_UNSEEN},|>\":<](?:(?<=#)[0-9A-Fa-f]|(?<=[{OPENING_QUOTES}{_UNSEEN}])|(?<=,)[ \t]*$"
    r"|(?<=[|>])[ \t]*(?:#.*)?$|(?<=:)\\|(?<=:)[ \t]*(?:None|nil|undefined)\b|(?<=<)\w+[ _-])",
    re.MULTILINE,
)
"""What a file holds that is worth a closer look; all begin with a few characters, and the rest is skipped."""
_FILLED_IN = (*(f"{verb}{sign}me" for verb in ("change", "replace") for sign in ("", "_", "-")), "your_", "your-")
"""What is worth it, too, in small letters or not; as a part of the pattern it took two thirds of its time."""
_NO_COMMENT = lazy_pattern(
    r"[ \t]+#(?:[0-9]+(?![./:]?[0-9])|[0-9A-Fa-f]{6}|([0-9A-Fa-f])\1\1|(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{3})(?![\w-])"
)
"""A number, or a color, as nobody begins a comment; a day, or a word such as `bad`, may begin a comment."""
_WITH_COMMA = lazy_pattern(r"(-?[0-9]+(?:\.[0-9]+)?|true|false|null),")
_WITH_BREAK = lazy_pattern(r"[|>][ \t]*(?:#.*)?$", re.MULTILINE)
_ANCHORS = lazy_pattern(r"[ \t]&([\w-]+)")
_ANCHOR = lazy_pattern(r"&([\w-]+)[ \t]+\Z")
_WINDOWS = lazy_pattern(r'"[A-Za-z]:\\[^\\"/].*"')
_ESCAPED_PATH = lazy_pattern(r"\bfile\(\s*['\"][A-Za-z]:[^)]*?(?:[\x00-\x1f]|(?<!\\)\\[abfnrtvx])")
NULLS = ("None", "nil", "undefined")
_PLACEHOLDER = lazy_pattern(
    r"<(?!(?i:br|hr|all|any|none|null|empty|unknown|default|auto)>)[A-Za-z][\w .-]+>"
    r"|(?i:(?:change|replace)[_-]?me|your[_-][\w-]+)"
)
_EXPRESSIONS = frozenset({"expect", "if"})
_LONGEST = 60
_PROSE = frozenset({"description", "help", "message", "name", "caption", "confirm", "fail"})
_Words: TypeAlias = tuple[str, str]  # a message and a hint
_FREE = frozenset({"parameters", "vars", "inputs", "values", "set", "default", "auth", "headers"})


def check(document: Document, *, reported: Collection[Problem] = (), shown: bool = True) -> tuple[Problem, ...]:
    """Warnings, in the order of the file; none where something is `reported`. Hints repeat a value only if `shown`."""
    if not (_MAY_BE.search(document.text) or _holds_rare_words(document.text)):
        return ()
    known = {problem.path for problem in reported}
    written = _as_written(document.data, (), set())
    found = ((path, _lookalike(document, path, value)) for path, value in written if path not in known)
    return tuple(document.found(_warning(*pair, shown=shown), path) for path, pair in found if pair is not None)


def _as_written(value: Json, path: ValuePath, seen: set[int]) -> Iterator[tuple[ValuePath, Json]]:
    """What is no list and no record, where it is written: what an alias repeats is the same list or record."""
    if not isinstance(value, list | dict):
        yield path, value
    elif id(value) not in seen:
        seen.add(id(value))
        for key, item in enumerate(value) if isinstance(value, list) else value.items():
            yield from _as_written(item, (*path, key), seen)


def _holds_rare_words(text: str) -> bool:
    """Whether an anchor is in it that nothing refers to, or what somebody was to fill in."""
    if "&" in text and any(f"*{name}" not in text for name in set(_ANCHORS.findall(text))):
        return True
    folded = text.casefold()
    return any(word in folded for word in _FILLED_IN)


def _warning(message: str, hint: str, *, shown: bool) -> Finding:
    """A warning; its hint shows the file's text after its colon only, if that may be `shown`."""
    return Finding(code="E109", message=message, hint=hint if shown else hint.partition(":")[0], warning=True)


def _lookalike(document: Document, path: ValuePath, value: Json) -> _Words | None:
    if value is not None and not isinstance(value, str):
        return None
    is_bare = value is not None and document.is_bare(path)
    if value and (found := _unseen(document.written(path), path)) is not None:
        return found
    if _is_free(path):
        found = _comment(document, path) if value is None or is_bare else _break(document, path, value)
        found = found or _free(document, path, value)
        if found is not None:
            return found
    if value is None or not is_bare or not path or (path[-1] in _PROSE and _FREE.isdisjoint(path[-2:-1])):
        return None
    return _quotes(value) or (_comma(value) if _is_free(path) else None)


def _unseen(written: str, path: ValuePath) -> _Words | None:
    """In what is compared, and at the ends of a text; names of other places are compared with names that are known."""
    ends = written.strip("\"'")
    is_compared = not _EXPRESSIONS.isdisjoint(path) and path[-1] != "message"
    compared = written if is_compared else ends[:1] + ends[-1:] if _is_free(path) else ""
    odd = next((sign for sign in compared if sign in _UNSEEN), None)
    if odd is None:
        return None
    return f"there is {named(odd)} in this text", "delete it, or write a plain space in its place"


def _free(document: Document, path: ValuePath, text: str | None) -> _Words | None:
    written = document.written(path)
    if text in NULLS and written == text:
        return f"`{text}` is a text to YAML", "write `null` for no value"
    place = document.value_span(path)
    anchor = _ANCHOR.search(document.source.line(place.line)[: place.column - 1])
    if anchor and f"*{anchor[1]}" not in document.text:
        hint = quote("the whole text", f"{anchor[0]}{written}")
        return f"to YAML `&{anchor[1]}` is a name of this value, and no part of it", hint
    if text and _WINDOWS.fullmatch(written):
        hint = f"write it in single quotes: '{written[1:-1]}'"
        return "a backslash and a letter in double quotes are another character, as `\\t` is a tab", hint
    if text and _ESCAPED_PATH.search(text):
        return "a backslash and a letter are another character, as `\\t` is a tab", "write `/` for each backslash"
    if text and _PLACEHOLDER.fullmatch(text):
        return "this looks like a placeholder of an example", f"write the value itself in the place of: {text}"
    return None


def _is_free(path: ValuePath) -> bool:
    """Whether any text is allowed there."""
    if path[:1] == ("inputs",) and "default" not in path:
        return path[-1] in _PROSE and len(path) > len(("inputs", "name"))
    return len(path) > 1 and (path[-1] in _PROSE or not _FREE.isdisjoint(path[:-1]) or path[-1] == "default")


def _comment(document: Document, path: ValuePath) -> _Words | None:
    rest = document.rest_after(path)
    if not _NO_COMMENT.match(rest):
        return None
    written = f"{document.written(path)}{rest}".strip()
    return "a `#` after a space begins a comment: the value ends before it", quote("the whole text", written)


def _quotes(text: str) -> _Words | None:
    found = IN_CURLY_QUOTES.fullmatch(text)
    if found is None:
        return None
    right = f": {quoted(found[1])}" if len(found[1]) < _LONGEST else ""
    message = f"`{text[0]}` and `{text[-1]}` are a part of the text: to YAML they are no quotes"
    return message, f"write straight quotes{right}"


def _comma(text: str) -> _Words | None:
    found = _WITH_COMMA.fullmatch(text)
    return found and ("the `,` makes a text of it, and is a part of the text", f"leave it out: write `{found[1]}`")


def _break(document: Document, path: ValuePath, text: str) -> _Words | None:
    written = document.written(path)
    is_sent = path[-2:-1] == ("parameters",) or path[-1] == "default"
    if not is_sent or not text.endswith("\n") or written.count("\n") != 1 or not _WITH_BREAK.match(written):
        return None
    hint = "write `|-` in its place, or the text in quotes on the line of its key"
    return "the text ends with a line break, which is a part of it", hint

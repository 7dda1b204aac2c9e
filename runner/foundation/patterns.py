"""Regular expressions of linear time, in RE2's syntax; the only module that imports `re2`.

There is no look-around, and no reference back. A pattern is compiled once, and kept.
"""

import re
from functools import lru_cache
from typing import Protocol, cast

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import well_formed

LONGEST_PATTERN = 2_000
_MEMORY = 1 << 20
_WORK = 1 << 29  # bytes that all searches of a replacement may look at together
_A_FIT = 1 << 12  # what finding a fit costs beside that, in bytes
_REFERENCE = lazy_pattern(rb"\\(.?)", re.DOTALL)


_SLASHES = lazy_pattern(r"/(\^.*|.*(?<!\\)\$)/([a-z]*)", re.DOTALL)
"""A pattern of JavaScript. It matches nothing here: before `^` and after `$` there is no room for a slash."""


class PatternError(ValueError):
    """A pattern or a replacement that cannot be used; the message is for people."""


class _Match(Protocol):
    def group(self, group: int | str = 0, /) -> bytes | None: ...
    def span(self) -> tuple[int, int]: ...


class _Compiled(Protocol):
    """What is used of `re2`, which ships no types."""

    @property
    def groups(self) -> int: ...
    @property
    def groupindex(self) -> dict[bytes, int]: ...
    def search(self, text: bytes, pos: int | None = None) -> _Match | None: ...
    def match(self, text: bytes) -> _Match | None: ...


def check(pattern: str) -> str | None:
    try:
        _compiled(pattern)
    except PatternError as error:
        return str(error)
    return None


def check_replacement(pattern: str, replacement: str) -> str | None:
    """Say what is wrong with `replacement` for a `pattern` that is fine itself, or None."""
    try:
        _pieces(replacement, _compiled(pattern).groups)
    except PatternError as error:
        return str(error)
    return None


def without_slashes(pattern: str) -> str | None:
    """A pattern of JavaScript, `/^a/i`, as it is written here, if any."""
    found = _SLASHES.fullmatch(pattern)
    if found is None:
        return None
    flags = "".join(flag for flag in found[2] if flag in "ims")
    return f"(?{flags}){found[1]}" if flags else found[1]


def match(pattern: str, text: str) -> bool:
    """Whether `text` begins with `pattern`. Raises `PatternError`, as all below."""
    return _compiled(pattern).match(_bytes(text)) is not None


def find(pattern: str, text: str, *, group: int | str = 0) -> str | None:
    """The first text that fits `pattern`, or that group of it; None where nothing fits."""
    compiled = _compiled(pattern)
    number = group if isinstance(group, int) else compiled.groupindex.get(group.encode(), -1)
    if not 0 <= number <= compiled.groups:
        raise PatternError(f"the pattern has no group `{group}`")
    found = compiled.search(_bytes(text))
    part = None if found is None else found.group(number)
    return None if part is None else part.decode("utf-8", "replace")


def replace(pattern: str, text: str, replacement: str, *, longest: int = 1 << 20) -> str:
    r"""Replace every fit. In `replacement`, `\1` is a group, `\0` all that fitted, `\\` a backslash.

    A single search is linear. All together are not where each may look on to the end of the text, so that a pattern
    with a repetition and very many fits is refused rather than waited for, as is a result over `longest` bytes.
    """
    compiled = _compiled(pattern)
    pieces = _pieces(replacement, compiled.groups)
    source = _bytes(text)
    looks_on = any(sign in pattern for sign in "*+{")
    made: list[bytes] = []
    size = kept = position = work = 0
    while (found := compiled.search(source, position)) is not None:
        start, end = found.span()
        part = b"".join(piece if isinstance(piece, bytes) else found.group(piece) or b"" for piece in pieces)
        made += source[kept:start], part
        size += start - kept + len(part)
        work += _A_FIT + (len(source) - start if looks_on else 0)
        if size > longest or work > _WORK:
            raise PatternError("the text or what becomes of it is too large" if size > longest else "too many fits")
        kept = end
        position = end if end > start else _after_character(source, end)
        if position > len(source):
            break
    made.append(source[kept:])
    return b"".join(made).decode("utf-8", "replace")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> _Compiled:
    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(f"a pattern has at most {LONGEST_PATTERN:,} characters")
    import re2  # noqa: PLC0415  3 ms of a start, for texts with patterns

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return cast("_Compiled", re2.compile(_bytes(pattern), options))
    except re2.error as error:
        words = error.args[0] if error.args else b""
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        raise PatternError(_in_words(text)) from None


@lru_cache(maxsize=256)
def _pieces(replacement: str, groups: int) -> tuple[bytes | int, ...]:
    pieces: list[bytes | int] = []
    source = _bytes(replacement)
    kept = 0
    for found in _REFERENCE.finditer(source):
        pieces.append(source[kept : found.start()])
        kept = found.end()
        if found[1] == b"\\":
            pieces.append(b"\\")
        elif found[1].isdigit() and int(found[1]) <= groups:
            pieces.append(int(found[1]))
        elif found[1].isdigit():
            raise PatternError(f"the replacement uses group {int(found[1])}, the pattern has {groups}")
        else:
            raise PatternError("in a replacement `\\` comes before the number of a group or before another `\\`")
    pieces.append(source[kept:])
    return tuple(pieces)


def _bytes(text: str) -> bytes:
    return well_formed(text).encode()


def _after_character(source: bytes, position: int) -> int:
    """The start of the character after that at `position`: an empty fit moves on by a whole character."""
    position += 1
    while position < len(source) and source[position] & 0xC0 == 0x80:  # noqa: PLR2004  10xxxxxx goes on in UTF-8
        position += 1
    return position


def _in_words(words: str) -> str:
    """RE2's own words, with what people of other engines need to know."""
    kind, _, part = words.partition(": ")
    if kind == "invalid perl operator" and part[:3] in {"(?=", "(?!", "(?<"}:
        return f"`{part}` is not known: patterns have no look-ahead and no look-behind"
    if kind == "invalid escape sequence" and part[1:].isdigit():
        return f"`{part}` is not known: a pattern cannot refer back to its own groups"
    if kind == "invalid escape sequence" and part == "\\Z":
        return "`\\Z` is not known: the end of the text is `\\z`"
    return f"{kind}: `{part}`" if part else kind

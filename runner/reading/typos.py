"""Typos that show on the line itself: a missing or odd space, and what belongs to Markdown, JSON and others."""

import re

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.reading.odd_characters import odd_space
from runner.reading.source import Complaint, Source

_NO_SPACE = lazy_pattern(r"((\"?)[A-Za-z_][\w.$-]*\2:)(?!//)([^\s:].*)")
_NO_ITEM = lazy_pattern(r"(?:(?P<sign>[*+])\s+|-)(?P<key>[A-Za-z_]\w*:)(?=\s|$)")
_FIRST_ITEM = lazy_pattern(
    r"^ *(?:- )?(steps|finally|cases|expect|activities):[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*(?P<indent> *)(?=[^\s-])",
    re.MULTILINE,
)
"""A list of records, up to where its first item begins without a dash."""
_BLOCK = lazy_pattern(r"[ -]*([\w.-]+):\s+[|>][+-]?[1-9]?\s*(?:\s#.*)?")
_NO_COLON = lazy_pattern(
    r"(?:- )?(?P<key>[A-Za-z_]\w*)\s*"
    r"(?:(?P<sign>=>|:=|[=;\uff1a])(?!=)\s*(?P<value>.*)|(?P<only>\S*|(?<=\s)[\[{\"'].*))"
)
"""A sign after it says that it is a key; without a sign, it is a word before nothing, or a single value."""
_KEY = lazy_pattern(r"[A-Za-z_][\w.-]*\Z")
_FENCE = "```"
_COMMENTS = ("//", "/*")
_COMMENT_LINE = lazy_pattern(r"^[ \t]*((?://|/\*)[^\n]*)", re.MULTILINE)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_LONGEST = 80
_SPACE_MISSING = "a space is missing after the `:`"
_DASHES = tuple("\u2013\u2014\u2022\u2212\u2010\u2011")  # what a word processor makes of a `-` that begins an item


def typo(complaint: Complaint) -> Problem | None:
    source, at = complaint.source, complaint.at
    lines = {source.line_at(offset): offset for offset in (complaint.last[0], complaint.opened, at)}
    for _, offset in sorted(lines.items()):
        first = source.first_in_line(offset)
        rest = source.rest_of_line(first)
        if rest.startswith(_FENCE):
            more = f", and the other line that begins with {_FENCE}" if source.text.count(_FENCE) > 1 else ""
            hint = f"delete this line{more}"
            return source.error(first, f"{_FENCE} is Markdown, not YAML", end=first + len(rest), hint=hint)
        if rest.startswith(_COMMENTS):
            return _comment(source, first, rest)
    begin = min(complaint.last[0] if complaint.last[1] else at, complaint.opened, at)
    if (odd := odd_space(source, begin, at)) is not None:
        return odd
    rest = source.rest_of_line(at)
    is_comment = rest.startswith(_COMMENTS) and source.text[at - 1 : at] in (" ", "\t", ",")
    return _comment(source, at, rest) if is_comment else None


def comment_of_json(source: Source, start: int, end: int) -> Problem | None:
    """The first line between two offsets that is a comment to JavaScript."""
    found = _COMMENT_LINE.search(source.text, start, end)
    return _comment(source, found.start(1), found[1]) if found else None


def _comment(source: Source, at: int, written: str) -> Problem:
    text = written.removeprefix("//").removeprefix("/*").removesuffix("*/").strip()
    hint = f"write `# {text}`" if text and len(text) <= _LONGEST else "write `#` in its place"
    message = f"a comment begins with `#`, not with `{written[:2]}`"
    return source.error(at, message, end=at + len(written), hint=hint)


def wrong_dash(source: Source, at: int) -> Problem | None:
    """A list item that begins at `at` with another sign, or with a `-` that has no space after it."""
    if at != source.first_in_line(at):
        return None
    if source.text.startswith(tuple(f"{dash} " for dash in _DASHES), at):
        message = f"a list item begins with `-`, not with `{source.text[at]}`"
        return source.error(at, message, hint="a word processor made it: write a plain `-`")
    found = _NO_ITEM.match(source.rest_of_line(at))
    if found is None:
        return None
    sign = found["sign"]
    message = f"a list item begins with `-`, not with `{sign}`" if sign else "a space is missing after the `-`"
    return source.error(at, message, end=at + 1, hint=f"write `- {found['key']} …`")


def no_dash(source: Source, at: int) -> Problem | None:
    """The first item of a list, without a dash, if what is at `at` is in it or ends it."""
    found = next(reversed([*_FIRST_ITEM.finditer(source.text, 0, at)]), None)
    lines = source.text[found.end() : at].split("\n")[1:-1] if found else ()
    if found is None or any(line.strip(" ") and not line.startswith(found["indent"]) for line in lines):
        return None
    written = source.rest_of_line(found.end())
    message = f"an item of `{found[1]}` begins here, and no `-` is before it"
    return source.error(found.end(), message, end=found.end() + len(written), hint=f"write `- {written}`")


def block_text(source: Source, at: int) -> Problem | None:
    """The first line of a text after `key: |`, at `at`, that is not deeper than its key."""
    found = _BLOCK.fullmatch(source.line(source.line_at(at) - 1))
    if found is None or at != source.first_in_line(at):
        return None
    end = source.line_bounds(source.line_at(at))[1]
    hint = f"indent each line of it further than `{found[1]}`"
    return source.error(at, f"the text of `{found[1]}` begins here, and is not indented", end=end, hint=hint)


def no_colon(source: Source, at: int) -> Problem | None:
    """A key that begins at `at` with another sign, or nothing, in the place of its `:`."""
    found = _NO_COLON.fullmatch(source.rest_of_line(at))
    if found is None or source.text[source.line_bounds(source.line_at(at))[0] : at].strip(" -"):
        return None
    if found["key"] in _METHODS:
        hint = "write `- execute: {process: CODE, parameters: {NAME: VALUE}}`: the target has the address and signs in"
        return source.error(at, "this is a request of HTTP, not a step", end=at + len(found["key"]), hint=hint)
    message = f"`{found['sign']}` is no `:` to YAML" if found["sign"] else "a `:` is missing after this key"
    written = f"{found['key']}: {found['value'] or found['only'] or ''}".strip()
    hint = f"write `{written}`" if len(written) <= _LONGEST else f"write `{found['key']}: …`"
    return source.error(at, message, end=at + len(found["key"]), hint=hint)


def no_space_before(source: Source, at: int) -> Problem | None:
    """The mistake of a key in braces without a space after its `:`."""
    begin, _ = source.line_bounds(source.line_at(at))
    found = _KEY.search(source.text, max(begin, at - _LONGEST), at)
    if found is None or source.text[at : at + 1] != ":" or source.text[at + 1 : at + 2].isspace():
        return None
    return source.error(found.start(), _SPACE_MISSING, end=at + 1, hint=f"write `{found[0]}: …`")


def no_space(source: Source, at: int, *, end: int | None = None) -> Problem | None:
    """A key that begins at `at` and has its value, which goes to the end of the line, right after the `:`."""
    found = _NO_SPACE.fullmatch(source.rest_of_line(at) if end is None else source.text[at:end])
    if found is None:
        return None
    written = f"{found[1]} {found[3]}"
    hint = f"write `{written}`" if len(written) <= _LONGEST else "a key is written `name: value`"
    return source.error(at, _SPACE_MISSING, end=at + len(found[1]), hint=hint)

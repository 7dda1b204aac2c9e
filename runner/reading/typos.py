"""Slips that are seen on the line itself, whatever the parser says of it: they are told before its complaint is.

A blank left out or replaced by another character, and what belongs to Markdown, to JSON or to other languages.
"""

import re

from runner.foundation.problems import Problem
from runner.reading import blanks
from runner.reading.lines import Complaint, error, first_in_line, rest_of_line
from runner.reading.source import Source

FENCE = "```"
_NO_BLANK = re.compile(r"((\"?)[A-Za-z_][\w.$-]*\2:)(?!//)([^\s:].*)")
_NO_ITEM = re.compile(r"(?:(?P<sign>[*+])\s+|-)(?P<key>[A-Za-z_]\w*:)(?=\s|$)")
_KEY = re.compile(r"[A-Za-z_][\w.-]*\Z")
_COMMENTS = ("//", "/*")
_LONGEST = 80
BLANK_MISSING = "a blank is missing behind the `:`"


def slip(complaint: Complaint, source: Source) -> Problem | None:
    """The slip that led to a complaint, None where none is seen."""
    begin = min(complaint.last[0] if complaint.last[1] else complaint.at, complaint.opened, complaint.at)
    lines = {source.line_at(offset): offset for offset in (complaint.last[0], complaint.opened, complaint.at)}
    for offset in (lines[line] for line in sorted(lines)):
        found = _foreign_line(source, first_in_line(source, offset))
        if found is not None:
            return found
    odd = blanks.odd_blank(source, begin, complaint.at)
    if odd is not None:
        return error(source, odd, blanks.message(source, odd), hint=blanks.HINT)
    return _comment_behind(complaint, source)


def _foreign_line(source: Source, at: int) -> Problem | None:
    """A line of Markdown, or a comment of another language."""
    written = rest_of_line(source, at)
    if written.startswith(FENCE):
        more = f", and the other one that begins with {FENCE}" if source.text.count(FENCE) > 1 else ""
        hint = f"delete this line{more}"
        return error(source, at, f"{FENCE} is Markdown, not YAML", end=at + len(written), hint=hint)
    if written.startswith(_COMMENTS):
        return _comment(source, at, written)
    return None


def _comment_behind(complaint: Complaint, source: Source) -> Problem | None:
    """`//` behind a value that has ended."""
    written = rest_of_line(source, complaint.at)
    is_behind = source.text[complaint.at - 1 : complaint.at] in (" ", "\t", ",")
    return _comment(source, complaint.at, written) if is_behind and written.startswith(_COMMENTS) else None


def _comment(source: Source, at: int, written: str) -> Problem:
    said = written.removeprefix("//").removeprefix("/*").removesuffix("*/").strip()
    hint = f"write `# {said}`" if said and len(said) <= _LONGEST else "write `#` in its place"
    message = f"a comment begins with `#`, not with `{written[:2]}`"
    return error(source, at, message, end=at + len(written), hint=hint)


def foreign_dash(source: Source, at: int) -> Problem | None:
    """A list item that begins at `at` with another sign, or with a `-` that has no blank behind it."""
    if at != first_in_line(source, at):
        return None
    found = _NO_ITEM.match(rest_of_line(source, at))
    if found is None:
        return None
    if found["sign"]:
        message = f"a list item begins with `-`, not with `{found['sign']}`"
    else:
        message = "a blank is missing behind the `-`"
    return error(source, at, message, end=at + 1, hint=f"write `- {found['key']} …`")


def no_blank_before(source: Source, at: int) -> Problem | None:
    """A key in braces whose `:`, which stands at `at`, has no blank behind it."""
    begin, _ = source.line_bounds(source.line_at(at))
    found = _KEY.search(source.text, max(begin, at - _LONGEST), at)
    if found is None or source.text[at : at + 1] != ":" or source.text[at + 1 : at + 2].isspace():
        return None
    hint = f"write `{found[0]}: …`"
    return error(source, found.start(), BLANK_MISSING, end=at + 1, hint=hint)


def no_blank(source: Source, at: int, *, end: int | None = None) -> Problem | None:
    """A key that begins at `at` and has its value, which goes to the end of the line, right behind the `:`."""
    found = _NO_BLANK.fullmatch(rest_of_line(source, at) if end is None else source.text[at:end])
    if found is None:
        return None
    written = f"{found[1]} {found[3]}"
    hint = f"write `{written}`" if len(written) <= _LONGEST else "a key is written `name: value`"
    return error(source, at, BLANK_MISSING, end=at + len(found[1]), hint=hint)

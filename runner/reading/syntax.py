"""What the YAML parser complains of, in plain words: the wrong character, which is often earlier, and what to write."""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from msgspec.structs import replace

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.reading import bare_items, typos
from runner.reading.source import WINDOW, Complaint, Source, opens_quote, quote

_REFUSED = r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""What the parser does not read, as YAML 1.2.2 section 5.1 has it. Compiled where it is needed: that takes 3 ms."""
_KEY_ALONE = lazy_pattern(r"(?P<indent>[ -]*)(?P<key>[A-Za-z_]\w*):\s*")
_BARE_TEMPLATE = lazy_pattern(r"(?:^|[:?-][ \t]|\[|\[[^\]]*,)[ \t]*(\{\{)")
_LEADING_TAB = lazy_pattern(r"^ *\t[ \t]*[^\s#]", re.MULTILINE)
_TERNARY = lazy_pattern(r"([^?:]+?) \? ([^?:]+?) : ([^?:]+)")
_SUM = lazy_pattern(r"""(["'])([^"'\\]*)\1\s*[+~]\s*([A-Za-z_][\w.]*)""")
_RECORD = lazy_pattern(r"[a-z][a-z_]+: [\w.-]+")
"""A record of our language, as it seems: a text has capitals and spaces."""
_CUT_BY_COMMENT = lazy_pattern(r"""(?:"[^"\n]*"|'[^'\n]*'|[^\n"'])*?[ \t](#[^\n]*[\]}])""")
_CLOSING = lazy_pattern(r"[*\w-]*([\]}])\s*(?:#.*)?$", re.MULTILINE)
_COLUMN = "let the keys of one mapping, and the dashes of one list, begin in one column"
_ENDED = "text follows a value that has ended"
_SIGNS: Final = {
    "&": "the name of an anchor",
    "*": "an alias",
    "!": "a tag",
    "%": "a directive",
    "|": "a block of text in the next lines",
    ">": "a block of text in the next lines",
}

_Explain: TypeAlias = Callable[[Complaint], Problem]


def explain(complaint: Complaint) -> Problem:
    """The complaint as a problem, at the place that must be mended."""
    source, at = complaint.source, complaint.at
    start = max(source.line_bounds(source.line_at(at))[0], at - WINDOW)
    before = source.text[start : at + 1]
    bare = _BARE_TEMPLATE.search(before)
    if bare and not opens_quote(before[: bare.start()]):
        return bare_template(source, start + bare.start(1))
    if (typo := typos.typo(complaint)) is not None:
        return typo
    words = f"{complaint.context}: {complaint.problem}"
    known = next((explained for part, explained in _EXPLAINED if part in words), None)
    if known is not None:
        return known(complaint)
    return typos.no_space_before(source, at) or complaint.error(f"the text is not YAML: {complaint.problem}")


def bare_template(source: Source, at: int) -> Problem:
    """`{{` at `at` without quotes: a mapping to YAML, with a mapping for its key."""
    rest = source.rest_of_line(at)
    close = rest.find("}}")
    is_part = source.in_brackets(at) or rest[close + 2 :] in ('"', "'")
    written = rest[: close + 2] if close >= 0 and is_part else rest
    message = "a template without quotes: YAML reads `{{` as the start of a mapping"
    return source.problem("E102", message, at=(at, at + len(written)), hint=quote("the template", written))


def unreadable_character(source: Source) -> Problem:
    found = re.search(_REFUSED, source.text)
    at = found.start() if found else 0
    escape = f"\\u{ord(source.text[at]):04x}"
    hint = f'write it in double quotes, as an escape: "{escape}"'
    return source.error(at, f"the character {escape} is not allowed in YAML", hint=hint)


def _plain(message: str, hint: str) -> _Explain:
    """A message that is always the same; `<quoted>` in the hint is advice to quote the text."""

    def explained(complaint: Complaint) -> Problem:
        advice = quote("the text", complaint.written(complaint.at))
        return complaint.error(message, hint=hint.replace("<quoted>", advice))

    return explained


def _tab(complaint: Complaint) -> Problem:
    source = complaint.source
    begin = source.line_bounds(source.line_at(complaint.at))[0]
    at = complaint.at if source.text.startswith("\t", complaint.at) else source.text.find("\t", begin)
    more = len(_LEADING_TAB.findall(source.text, at + 1))
    others = f"; {more} more {'line begins' if more == 1 else 'lines begin'} with a tab" if more else ""
    return complaint.error("there is a tab in the indentation", at=at, hint=f"write spaces in its place{others}")


def _first_character(complaint: Complaint) -> Problem:
    source = complaint.source
    if source.text.startswith("\t", complaint.at):
        return _tab(complaint)
    at = complaint.at - source.text.startswith("{%", complaint.at - 1)
    written = source.rest_of_line(at) if at < complaint.at else complaint.written(at)
    message = f"a text cannot begin with `{source.text[at : complaint.at + 1]}`"
    hint = "write each step out, or use `for_each`: no statements are read" if at < complaint.at else None
    return bare_items.cut_item(complaint) or complaint.error(
        message, at=at, end=complaint.at + 1, hint=hint or quote("the text", written)
    )


def _no_colon(complaint: Complaint) -> Problem:
    at = complaint.opened
    source = complaint.source
    typo = typos.block_text(source, at) or typos.no_space(source, at) or typos.no_colon(source, at)
    return typo or complaint.error(
        "this is no key: a `:` and a space are missing after it",
        at=at,
        end=at + len(complaint.written(at)),
        hint="write a key as `name: value`, an item as `- …`; indent a text over several lines deeper than its key",
    )


def _colon(complaint: Complaint) -> Problem:
    source, (start, end) = complaint.source, complaint.last
    if source.line_at(start) == source.line_at(complaint.at):
        return _second_colon(complaint)
    if source.text.startswith(("'", '"'), start):
        return _open_quote(complaint, start, end)
    typo = typos.wrong_dash(source, source.first_in_line(start)) or typos.no_space(source, start)
    is_beside = source.position(start)[1] == source.position(source.first_in_line(complaint.at))[1]
    return (
        typo
        or _key_beside_its_record(complaint, start)
        or typos.no_dash(source, complaint.at)
        or (typos.no_colon(source, start) if is_beside else None)
        or complaint.error(
            f"mapping values are not allowed here: the text of line {source.line_at(start)} goes on in this line",
            at=source.first_in_line(complaint.at),
            end=complaint.at,
            hint="indent this key like the keys that it belongs to, or put the text in quotes",
        )
    )


def _key_beside_its_record(complaint: Complaint, start: int) -> Problem | None:
    """`execute:` without a value, and as far to the left below it, a key that belongs into it, as the next lines do."""
    source, number = complaint.source, complaint.source.line_at(start)
    if number == 1:
        return None
    above, here = _KEY_ALONE.fullmatch(source.line(number - 1)), _KEY_ALONE.match(source.line(number))
    if above is None or here is None or above["indent"].replace("-", " ") != here["indent"]:
        return None
    at = source.first_in_line(start)
    message = f"`{above['key']}` in line {number - 1} holds nothing, and `{here['key']}` is beside it, not in it"
    hint = f"indent `{here['key']}` like the line below it"
    return complaint.error(message, at=at, end=at + len(here["key"]), hint=hint)


def _second_colon(complaint: Complaint) -> Problem:
    """`a: b: c`: a text that needs quotes, a record on the line of its key, or `a ? b : c` of another language."""
    source = complaint.source
    written = complaint.written(complaint.last[0])
    if ternary := _TERNARY.fullmatch(written):
        hint = f"write `{ternary[2]} if {ternary[1]} else {ternary[3]}`"
        return complaint.error("a condition is not written with `?` and `:`", hint=hint)
    whole = _cut_text(source, complaint.last[0])
    if whole is not None:
        message, hint = "YAML reads `: ` in this text as the end of a key", _quote_whole(source, whole)
        typo = typos.no_space(source, whole) or typos.no_colon(source, whole)
        return typo or complaint.error(message, at=whole, end=complaint.at, hint=hint)
    hint = quote("the text", written)
    if _RECORD.fullmatch(written) and complaint.bracket is None:
        hint = f"write `{{{written}}}`, or begin a new line with it, indented deeper; or {hint}"
    return complaint.error("a second `:` in one line: mapping values are not allowed here", hint=hint)


def _open_quote(complaint: Complaint, start: int, end: int) -> Problem:
    message = f"a quote that opens here is closed in line {complaint.source.line_at(end)} only"
    hint = f"close it in its own line; a `{complaint.source.text[start]}` inside the text must be written otherwise"
    return complaint.error(message, at=start, hint=hint)


_BRACKETS_FIRST = lazy_pattern(r"[:-] +([\[{\"'].* )\Z")  # of an expression that goes on after a list or a text


def _sign(complaint: Complaint) -> Problem:
    """`&`, `*`, `!`, `%`, `|` or `>` as the first character of a value that is not what it announces."""
    source, at = complaint.source, complaint.opened
    sign = source.text[at : at + 1]
    typo = typos.wrong_dash(source, at) or (_closing_too_many(source, at) if sign == "*" else None)
    message = f"`{sign}` begins {_SIGNS.get(sign, 'something else')}, and this is none"
    if whole := _BRACKETS_FIRST.search(source.text[source.line_bounds(source.line_at(at))[0] : at]):
        at -= len(whole[1])
    return typo or complaint.error(message, at=at, hint=quote("the text", complaint.written(at)))


def _unclosed_quote(complaint: Complaint) -> Problem:
    mark = complaint.source.text[complaint.opened]
    hint = f"close it with `{mark}`; write a `{mark}` inside the text as `{_escaped(mark)}`"
    return complaint.error("a quote that opens here is never closed", at=complaint.opened, hint=hint)


def _escaped(mark: str) -> str:
    return "''" if mark == "'" else '\\"'


def _escape(complaint: Complaint) -> Problem:
    at = complaint.source.text.rfind("\\", 0, complaint.at + 1)
    written = complaint.source.text[at : at + 2]
    if "escape character" in complaint.problem or "hexdecimal" in complaint.problem:
        message = f"`{written}` means nothing in double quotes"
        hint = f"put the text in single quotes, or double the backslash: `\\{written}`"
    else:
        message = "half of a surrogate pair, or no character at all"
        hint = "write the character itself, or \\U and its 8 digits"
    return complaint.error(message, at=at, end=at + 2, hint=hint)


def _nothing_there(complaint: Complaint) -> Problem:
    character = complaint.source.text[complaint.at : complaint.at + 1]
    if not character and complaint.bracket is not None:
        return _unclosed_bracket(replace(complaint, opened=complaint.bracket))
    what = "a key" if character == ":" else "a value"
    if not character:
        return complaint.error("a value is missing at the end of the file")
    before = f" before `{character}`" if character.isprintable() and not character.isspace() else " here"
    return complaint.error(f"{what} is missing{before}")


def _more_after(complaint: Complaint) -> Problem:
    """Something else where the next key or item should begin."""
    source, at = complaint.source, complaint.at
    if complaint.value_ends_here():
        return _after_value(complaint)
    if (typo := typos.wrong_dash(source, source.first_in_line(complaint.opened))) is not None:
        return typo
    if source.text.startswith(": ", at):
        return complaint.error("a key is missing before the `:`")
    if source.text.startswith("- ", at):
        if (first := typos.no_dash(source, at)) is not None:
            return first
        hint = "indent it like the other items of its list, deeper than the key that the list belongs to"
        return complaint.error("a list item is among the keys of a mapping", hint=hint)
    if (typo := typos.wrong_dash(source, at)) is not None:
        return typo
    if "'-' indicator" in complaint.problem:
        line = source.line_at(complaint.opened)
        message = f"this line belongs to no item of the list that begins in line {line}"
        hint = "indent it like the text after the `-` of its item, or begin it with `-` as a new item"
        return complaint.error(message, hint=hint)
    return complaint.error("the indentation of this line fits nothing above it", hint=_COLUMN)


def _after_value(complaint: Complaint) -> Problem:
    source, (start, end) = complaint.source, complaint.last
    if (closing := _closing_too_many(source, complaint.at)) is not None:
        return closing
    if source.rest_of_line(complaint.at) == ",":
        return complaint.error("a `,` ends a value in brackets only", hint="leave the `,` out")
    if source.line_at(start) != source.line_at(end):
        is_quoted = source.text[start] in "'\""
        return _open_quote(complaint, start, end) if is_quoted else complaint.error(_ENDED)
    if (inner := _quote_inside(complaint)) is not None:
        return inner
    whole = _cut_text(source, start)
    if whole is not None:
        hint = _quote_whole(source, whole)
        typo = typos.no_space(source, whole) or typos.no_colon(source, whole)
        return typo or complaint.error(_ENDED, at=whole, end=complaint.at, hint=hint)
    written = complaint.written(start)
    if added := _SUM.fullmatch(written):
        hint = f'write `"{added[2]}{{{{ {added[3]} }}}}"`'
        return complaint.error("a value in quotes is a text, and nothing is added to it", hint=hint)
    return complaint.error(_ENDED, hint=quote("the whole value", written))


def _closing_too_many(source: Source, at: int) -> Problem | None:
    """A bracket that closes nothing, at `at` or after the word there."""
    begin, _ = source.line_bounds(source.line_at(at))
    found = _CLOSING.match(source.text, at)
    if found is None:
        return None
    sign, before = found[1], source.text[begin : found.start(1)]
    if before.count("[" if sign == "]" else "{") > before.count(sign):
        return None
    start, end = found.span(1)
    return source.error(start, f"this `{sign}` closes nothing", end=end, hint=f"leave the `{sign}` out")


def _quote_inside(complaint: Complaint) -> Problem | None:
    """A text in quotes that ends at a quote within it: `'O'Brien'`."""
    text, (start, end) = complaint.source.text, complaint.last
    mark = text[start : start + 1]
    if mark not in ("'", '"') or complaint.at != end or not text[end : end + 1].isalnum():
        return None
    found = re.compile(rf"{mark}[^\n]*?{mark}(?=\s*(?:[,}}\]]|$))", re.MULTILINE).match(text, start)
    if found is None:
        return None
    hint = f"{quote('the text', found[0][1:-1])}, or write {_escaped(mark)} in it"
    return complaint.error(f"the text ends at this `{mark}`, and more follows", at=end - 1, hint=hint)


def _cut_text(source: Source, start: int) -> int | None:
    """The start of a text that YAML cut at `: `: a bracket or quote is open in it."""
    begin = source.line_bounds(source.line_at(start))[0]
    before = source.text[begin:start]
    plain = len(before) - len(before.lstrip("- "))
    key = before[plain:].partition(": ")[0]
    is_open = any(key.count(opening) > key.count(closing) for opening, closing in ("()", "[]", "{}")) or opens_quote(
        key
    )
    return begin + plain if is_open and key[0] not in "[{" else None


def _quote_whole(source: Source, at: int) -> str:
    return quote("the whole text", source.rest_of_line(at))


def _unclosed_bracket(complaint: Complaint) -> Problem:
    source = complaint.source
    if (typo := _quote_inside(complaint) or typos.no_space_before(source, complaint.at)) is not None:
        return typo
    opened = complaint.opened
    bracket = source.text[opened : opened + 1]
    closing = "]" if bracket == "[" else "}"
    hint = f"separate with commas, end with `{closing}`; a text that holds any of `[]{{}},:` needs quotes"
    if cut := _CUT_BY_COMMENT.match(source.text, opened):
        message = f"this `#` begins a comment, so that no `{closing}` is found"
        return complaint.error(message, at=cut.start(1), hint="put the text with the `#` in quotes")
    if (comment := typos.comment_of_json(source, opened, complaint.at)) is not None:
        return comment
    if source.line_at(opened) != source.line_at(complaint.at) or complaint.at >= len(source.text):
        return complaint.error(f"`{bracket}` opens here, and no `{closing}` is found for it", at=opened, hint=hint)
    return bare_items.cut_item(complaint) or complaint.error(f"a `,` or `{closing}` is missing before this", hint=hint)


_EXPLAINED: tuple[tuple[str, _Explain], ...] = (
    ("found a tab character", _tab),
    ("cannot start any token", _first_character),
    ("could not find expected ':'", _no_colon),
    ("mapping values are not allowed", _colon),
    (
        "block sequence entries are not allowed",
        _plain(
            "a list item cannot begin after a key, on the key's line", "begin the list in the next line, or <quoted>"
        ),
    ),
    ("mapping keys are not allowed", _plain("a text cannot begin with `? `", "<quoted>")),
    ("scanning a quoted scalar", _unclosed_quote),
    ("parsing a quoted scalar", _escape),
    ("scanning a directive", _sign),
    ("anchor", _sign),
    ("alias", _sign),
    ("tag", _sign),
    ("block scalar", _sign),
    ("expected node content", _nothing_there),
    ("expected key", _more_after),
    ("expected '-' indicator", _more_after),
    ("expected ',' or", _unclosed_bracket),
    ("<document start>", _plain("the text goes on after its only value has ended", _COLUMN)),
    ("YAML d", _plain("a `%YAML` line may appear once, with version 1.2", "leave the line out")),
)
"""By a part of the parser's own words, the first that fits."""

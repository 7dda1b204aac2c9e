"""What the YAML parser complains about, said so that a person who never read YAML's grammar can mend it.

The parser names the rule that it could not apply, and where it noticed. People need the character that is wrong, which
often stands earlier, and what to write in its place. The parser's own words are kept where nothing better is known.
Nothing here imports the parser.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from runner.foundation.problems import Problem
from runner.reading import typos
from runner.reading.lines import (
    DASHES,
    WINDOW,
    Complaint,
    error,
    first_in_line,
    in_brackets,
    opens_quote,
    quote,
    rest_of_line,
)
from runner.reading.source import Source

_REFUSED = r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""What the parser does not read, as YAML 1.2.2 section 5.1 has it. Compiled where it is needed: that takes 3 ms."""
_BARE_TEMPLATE = re.compile(r"(?:^|[:?-][ \t]|\[|\[[^\]]*,)[ \t]*(\{\{)")
_LEADING_TAB = re.compile(r"^ *\t[ \t]*[^\s#]", re.MULTILINE)
_ITEM_END = re.compile(r"[,\]}]")
_TERNARY = re.compile(r"([^?:]+?) \? ([^?:]+?) : ([^?:]+)")
_SUM = re.compile(r"""(["'])([^"'\\]*)\1\s*[+~]\s*([A-Za-z_][\w.]*)""")
_RECORD = re.compile(r"[a-z][a-z_]+: [\w.-]+")
"""A record of our language, as it seems: a text has capitals and blanks."""
_DEDENT = "the keys of one mapping, and the dashes of one list, stand in one column"


_Explainer = Callable[[Complaint, Source], Problem]


def explain(complaint: Complaint, source: Source) -> Problem:
    """The complaint as a problem, at the place that must be mended."""
    start = max(source.line_bounds(source.line_at(complaint.at))[0], complaint.at - WINDOW)
    before = source.text[start : complaint.at + 1]
    bare = _BARE_TEMPLATE.search(before)
    if bare and not opens_quote(before[: bare.start()]):
        return bare_template(source, start + bare.start(1))
    seen = typos.slip(complaint, source)
    if seen is not None:
        return seen
    words = f"{complaint.context}: {complaint.problem}"
    for part, explainer in _EXPLAINERS:
        if part in words:
            return explainer(complaint, source)
    return typos.no_blank_before(source, complaint.at) or error(
        source, complaint.at, f"the text is not YAML: {complaint.problem}"
    )


def bare_template(source: Source, at: int) -> Problem:
    """`{{` at `at` without quotes: a mapping to YAML, with a mapping for its key."""
    written = _template_from(source, at)
    return source.problem(
        "E102",
        "a template without quotes: YAML reads `{{` as the beginning of a mapping",
        at=(at, at + len(written)),
        hint=quote("the template", _otherwise(written)),
    )


def _otherwise(template: str) -> str:
    """`{{ a ? b : c }}` as we write it."""
    found = _TERNARY.fullmatch(template.removeprefix("{{").removesuffix("}}").strip())
    return f"{{{{ {found[2]} if {found[1]} else {found[3]} }}}}" if found else template


def unreadable_character(source: Source) -> Problem:
    """The first character that YAML does not read."""
    found = re.search(_REFUSED, source.text)
    at = found.start() if found else 0
    escape = f"\\u{ord(source.text[at]):04x}"
    hint = f'in double quotes it can be written as an escape: "{escape}"'
    return error(source, at, f"the character {escape} cannot stand in YAML", hint=hint)


def _written(complaint: Complaint, source: Source, *, start: int) -> str:
    """The value that begins at `start` as its writer meant it: the rest of the line, or of the item in brackets."""
    rest = rest_of_line(source, start)
    if complaint.bracket is None and not in_brackets(source, start):
        return rest
    return _ITEM_END.split(rest, maxsplit=1)[0].rstrip()


def _template_from(source: Source, at: int) -> str:
    """The value that begins with `{{` at `at`: to the end of its line, or of the template inside brackets."""
    rest = rest_of_line(source, at)
    close = rest.find("}}")
    return rest[: close + 2] if close >= 0 and in_brackets(source, at) else rest


def _goes_on(complaint: Complaint, source: Source) -> bool:
    """Whether the parser stopped right behind a value, on the line on which that value ended."""
    line, _ = source.line_bounds(source.line_at(complaint.at))
    return complaint.last[1] > line and not source.text[complaint.last[1] : complaint.at].strip(" \t")


def _tab(complaint: Complaint, source: Source) -> Problem:
    begin = source.line_bounds(source.line_at(complaint.at))[0]
    at = complaint.at if source.text.startswith("\t", complaint.at) else source.text.find("\t", begin)
    more = len(_LEADING_TAB.findall(source.text, at + 1))
    others = f"; {more} more {'line begins' if more == 1 else 'lines begin'} with a tab" if more else ""
    return error(source, at, "a tab stands in the indentation: use spaces", hint=f"write spaces in its place{others}")


def _first_character(complaint: Complaint, source: Source) -> Problem:
    if source.text.startswith("\t", complaint.at):
        return _tab(complaint, source)
    at = complaint.at - source.text.startswith("{%", complaint.at - 1)
    hint = quote("the text", rest_of_line(source, at) if at < complaint.at else _written(complaint, source, start=at))
    character = source.text[at : complaint.at + 1]
    return error(source, at, f"a text cannot begin with `{character}`", end=complaint.at + 1, hint=hint)


def _no_colon(complaint: Complaint, source: Source) -> Problem:
    no_blank = typos.no_blank(source, complaint.opened)
    if no_blank is not None:
        return no_blank
    written = _written(complaint, source, start=complaint.opened)
    return error(
        source,
        complaint.opened,
        "this is no key: a `:` and a blank are missing behind it",
        end=complaint.opened + len(written),
        hint="a key is written `name: value`; a text over several lines is indented deeper than its key",
    )


def _colon(complaint: Complaint, source: Source) -> Problem:
    start, end = complaint.last
    if source.line_at(start) == source.line_at(complaint.at):
        return _second_colon(complaint, source)
    if source.text.startswith(("'", '"'), start):
        return _open_quote(source, start, end)
    dash = first_in_line(source, start)
    if source.text.startswith(DASHES, dash):
        hint = "a word processor made it: write a plain `-`"
        return error(source, dash, f"a list item begins with `-`, not with `{source.text[dash]}`", hint=hint)
    slip = typos.foreign_dash(source, dash) or typos.no_blank(source, start)
    return slip or error(
        source,
        first_in_line(source, complaint.at),
        f"mapping values are not allowed here: the text that began in line {source.line_at(start)} goes on in this one",
        end=complaint.at,
        hint="indent this key as the key that it belongs beside, or put the text in quotes",
    )


def _second_colon(complaint: Complaint, source: Source) -> Problem:
    """`a: b: c`: a text that needs quotes, a record on the line of its key, or `a ? b : c` of another language."""
    written = _written(complaint, source, start=complaint.last[0])
    otherwise = _TERNARY.fullmatch(written)
    if otherwise:
        hint = f"write `{otherwise[2]} if {otherwise[1]} else {otherwise[3]}`"
        return error(source, complaint.at, "a condition is not written with `?` and `:`", hint=hint)
    whole = _cut_text(source, complaint.last[0])
    if whole is not None and (no_blank := typos.no_blank(source, whole)):
        return no_blank
    if whole is not None:
        hint = quote("the whole text", rest_of_line(source, whole))
        return error(source, whole, "YAML reads `: ` in this text as the end of a key", end=complaint.at, hint=hint)
    hint = quote("the text", written)
    if _RECORD.fullmatch(written) and complaint.bracket is None:
        hint = f"write `{{{written}}}`, or begin a new line with it, indented deeper; or {hint}"
    message = "a second `:` in one line: mapping values are not allowed here"
    return error(source, complaint.at, message, hint=hint)


def _open_quote(source: Source, start: int, end: int) -> Problem:
    return error(
        source,
        start,
        f"a quote that opens here is closed in line {source.line_at(end)} only",
        hint=f"close it in its own line; a `{source.text[start]}` inside the text must be written otherwise",
    )


def _dash(complaint: Complaint, source: Source) -> Problem:
    advice = quote("the text", _written(complaint, source, start=complaint.at))
    message = "a list item cannot begin behind a key, on the key's line"
    return error(source, complaint.at, message, hint=f"begin the list in the next line, or {advice}")


def _question_mark(complaint: Complaint, source: Source) -> Problem:
    hint = quote("the text", _written(complaint, source, start=complaint.at))
    return error(source, complaint.at, "a text cannot begin with `? `", hint=hint)


def _sign(complaint: Complaint, source: Source) -> Problem:
    """`&`, `*`, `!`, `%`, `|` or `>` as the first character of a value that is not what it announces."""
    sign = source.text[complaint.opened : complaint.opened + 1]
    meaning = {
        "&": "the name of an anchor",
        "*": "an alias",
        "!": "a tag",
        "%": "a directive",
        "|": "a block of text in the next lines",
        ">": "a block of text in the next lines",
    }
    if (foreign := typos.foreign_dash(source, complaint.opened)) is not None:
        return foreign
    if sign == "*" and (closing := _closing_too_many(source, complaint.opened)) is not None:
        return closing
    hint = quote("the text", _written(complaint, source, start=complaint.opened))
    message = f"`{sign}` begins {meaning.get(sign, 'something else')}, and this is none"
    return error(source, complaint.opened, message, hint=hint)


def _unclosed_quote(complaint: Complaint, source: Source) -> Problem:
    mark = source.text[complaint.opened]
    inside = "''" if mark == "'" else '\\"'
    hint = f"close it with `{mark}`; a `{mark}` inside the text is written `{inside}`"
    return error(source, complaint.opened, "a quote that opens here is never closed", hint=hint)


def _escape(complaint: Complaint, source: Source) -> Problem:
    at = source.text.rfind("\\", 0, complaint.at + 1)
    written = source.text[at : at + 2]
    if "escape character" in complaint.problem:
        hint = f"put the text in single quotes, or double the backslash: `\\{written}`"
        return error(source, at, f"`{written}` means nothing in double quotes", end=at + 2, hint=hint)
    if "hexdecimal" in complaint.problem:
        digits = {"x": "2", "u": "4"}.get(written[1:], "8")
        message = f"`{written}` is not followed by {digits} hexadecimal digits"
        return error(source, at, message, end=at + 2, hint=f"put the text in single quotes, or write `\\{written}`")
    hint = "write the character itself, or \\U and its 8 digits"
    return error(source, at, "half of a surrogate pair, or no character at all", end=at + 2, hint=hint)


def _nothing_there(complaint: Complaint, source: Source) -> Problem:
    character = source.text[complaint.at : complaint.at + 1]
    if not character and complaint.bracket is not None:
        return _unclosed_bracket(replace(complaint, opened=complaint.bracket), source)
    what = "a key" if character == ":" else "a value"
    if not character:
        return error(source, complaint.at, "a value is missing at the end of the file")
    before = f" before `{character}`" if character.isprintable() and not character.isspace() else " here"
    return error(source, complaint.at, f"{what} is missing{before}")


def _more_behind(complaint: Complaint, source: Source) -> Problem:
    """Something stands where the next key or item should begin."""
    if _goes_on(complaint, source):
        return _behind_value(complaint, source)
    if source.text.startswith(": ", complaint.at):
        return error(source, complaint.at, "a key is missing before the `:`")
    if source.text.startswith("- ", complaint.at):
        message = "a list item stands among the keys of a mapping"
        return error(source, complaint.at, message, hint="indent it deeper than the key that the list belongs to")
    if (foreign := typos.foreign_dash(source, complaint.at)) is not None:
        return foreign
    if "'-' indicator" in complaint.problem:
        line = source.line_at(complaint.opened)
        message = "a list goes on here with something that is no item `- …`"
        hint = f"{_DEDENT}; if names and values are meant, leave out the `-` in line {line}"
        return error(source, complaint.at, message, hint=hint)
    return error(source, complaint.at, "the indentation of this line fits nothing above it", hint=_DEDENT)


def _behind_value(complaint: Complaint, source: Source) -> Problem:
    start, end = complaint.last
    if (closing := _closing_too_many(source, complaint.at)) is not None:
        return closing
    if rest_of_line(source, complaint.at) == ",":
        return error(source, complaint.at, "a `,` ends a value in brackets only", hint="leave the `,` out")
    mark = source.text[start] if source.text[start] in "'\"" else ""
    if source.line_at(start) != source.line_at(end):
        if mark:
            return _open_quote(source, start, end)
        return error(source, complaint.at, "text stands behind a value that has ended")
    written = _written(complaint, source, start=start)
    if (inner := _quote_inside(complaint, source)) is not None:
        return inner
    message = "text stands behind a value that has ended"
    whole = _cut_text(source, start)
    if whole is not None and (no_blank := typos.no_blank(source, whole)):
        return no_blank
    if whole is not None:
        return error(
            source, whole, message, end=complaint.at, hint=quote("the whole text", rest_of_line(source, whole))
        )
    sum_of_texts = _SUM.fullmatch(written)
    if sum_of_texts is not None:
        hint = f'write `"{sum_of_texts[2]}{{{{ {sum_of_texts[3]} }}}}"`'
        return error(source, complaint.at, "a value in quotes is a text, and nothing is added to it", hint=hint)
    return error(source, complaint.at, message, hint=quote("the whole value", written))


def _closing_too_many(source: Source, at: int) -> Problem | None:
    """A bracket that closes nothing, at `at` or behind the word there."""
    begin, _ = source.line_bounds(source.line_at(at))
    found = re.compile(r"[*\w-]*([\]}])\s*(?:#.*)?$", re.MULTILINE).match(source.text, at)
    if found is None:
        return None
    sign, before = found[1], source.text[begin : found.start(1)]
    opening = {"]": "[", "}": "{"}[sign]
    if before.count(opening) > before.count(sign):
        return None
    here = found.span(1)
    return error(source, here[0], f"this `{sign}` closes nothing", end=here[1], hint=f"leave the `{sign}` out")


def _quote_inside(complaint: Complaint, source: Source) -> Problem | None:
    """A text in quotes that ends at a quote within it: `'O'Brien'`."""
    start, end = complaint.last
    mark = source.text[start : start + 1]
    if mark not in ("'", '"') or complaint.at != end or not source.text[end : end + 1].isalnum():
        return None
    found = re.compile(rf"{mark}[^\n]*?{mark}(?=\s*(?:[,}}\]]|$))", re.MULTILINE).match(source.text, start)
    if found is None:
        return None
    other = quote("the text", found[0][1:-1])
    hint = f"{other}, or write {mark * 2 if mark == chr(39) else chr(92) + mark} in it"
    return error(source, end - 1, f"the text ends at this `{mark}`, and more follows", hint=hint)


def _cut_text(source: Source, start: int) -> int | None:
    """Where a text begins of which YAML took the part before `: ` for a key: a bracket or a quote is open in it."""
    begin = source.line_bounds(source.line_at(start))[0]
    before = source.text[begin:start]
    plain = len(before) - len(before.lstrip("- "))
    key = before[plain:].partition(": ")[0]
    is_open = any(key.count(one) > key.count(other) for one, other in ("()", "[]", "{}")) or opens_quote(key)
    return begin + plain if is_open and key[0] not in "[{" else None


def _unclosed_bracket(complaint: Complaint, source: Source) -> Problem:
    if (inner := _quote_inside(complaint, source) or typos.no_blank_before(source, complaint.at)) is not None:
        return inner
    bracket = source.text[complaint.opened : complaint.opened + 1]
    closing = "]" if bracket == "[" else "}"
    hint = f"separate with commas, end with `{closing}`; a text that holds any of `[]{{}},:` needs quotes"
    if source.line_at(complaint.opened) != source.line_at(complaint.at) or complaint.at >= len(source.text):
        return error(source, complaint.opened, f"`{bracket}` opens here, and no `{closing}` is found for it", hint=hint)
    return error(source, complaint.at, f"a `,` or `{closing}` is missing before this", hint=hint)


def _several(complaint: Complaint, source: Source) -> Problem:
    return error(source, complaint.at, "the text goes on after its only value has ended", hint=_DEDENT)


def _version(complaint: Complaint, source: Source) -> Problem:
    return error(source, complaint.at, "a `%YAML` line stands once, with version 1.2", hint="leave the line out")


_EXPLAINERS: tuple[tuple[str, _Explainer], ...] = (
    ("found a tab character", _tab),
    ("cannot start any token", _first_character),
    ("could not find expected ':'", _no_colon),
    ("mapping values are not allowed", _colon),
    ("block sequence entries are not allowed", _dash),
    ("mapping keys are not allowed", _question_mark),
    ("scanning a quoted scalar", _unclosed_quote),
    ("parsing a quoted scalar", _escape),
    ("scanning a directive", _sign),
    ("anchor", _sign),
    ("alias", _sign),
    ("tag", _sign),
    ("block scalar", _sign),
    ("expected node content", _nothing_there),
    ("expected key", _more_behind),
    ("expected '-' indicator", _more_behind),
    ("expected ',' or", _unclosed_bracket),
    ("<document start>", _several),
    ("YAML d", _version),
)

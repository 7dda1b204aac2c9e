"""An unquoted text in brackets that has a bracket or a quote in it, as `[result[0].Name == "x"]`: YAML cuts it."""

from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.reading.odd_characters import IN_CURLY_QUOTES
from runner.reading.source import WINDOW, Complaint, Source, quoted

_CLOSING: Final = {"[": "]", "{": "}", "(": ")"}
_OF_EXPECTATIONS = lazy_pattern(r"\bexpect:[ \t]*\[[^\n]*\Z")
_OPENING = lazy_pattern(r"(?<=[\s\[{,])[\[{]")
_KEY = lazy_pattern(r"\s*(?:[\w-]+:\s+)?")
_CUT = lazy_pattern(r"""(?!["'[{]).*["'[({]""")
_NO_COLON = lazy_pattern(r"(\w+) *=>? *(.+)")
_COMMA = lazy_pattern(r"\s*,")
_SIDES = lazy_pattern(r"""("[^"]*"|'[^']*'|\([^()]*\))|(?<![=!<>])=(?![=~])""")


def cut_item(complaint: Complaint) -> Problem | None:
    """The problem of the whole item, with how it is written in quotes; None where something else is wrong."""
    source = complaint.source
    begin = max(source.line_bounds(source.line_at(complaint.at))[0], complaint.at - WINDOW)
    for opening in reversed([*_OPENING.finditer(source.text, begin, complaint.at)]):
        start, item = opening.end(), _item(source, opening.end()) or ""
        while item and start + len(item) < complaint.at and (comma := _COMMA.match(source.text, start + len(item))):
            start, item = comma.end(), _item(source, comma.end()) or ""
        bare = _KEY.sub("", item, count=1)
        start += len(item) - len(bare)
        if start + len(bare) >= complaint.at and _CUT.match(bare):
            mended = bare.replace("${{", "{{")
            is_expectation = _OF_EXPECTATIONS.search(source.text[begin : complaint.at])
            hint = f"put the whole text in quotes: {quoted(with_comparison(mended) if is_expectation else mended)}"
            if mended != bare:
                message = "`${{` is of another language, and a template in brackets needs quotes"
                return source.problem("E123", message, at=(start, start + len(bare)), hint=hint)
            message = "a text in brackets that holds quotes or brackets needs quotes"
            if opening[0] == "{" and (sign := _NO_COLON.fullmatch(bare)):
                message, hint = "a key in `{ }` has a `:` after it", f"write `{sign[1]}: {sign[2]}`"
            if curly := IN_CURLY_QUOTES.fullmatch(bare):
                message = f"`{bare[0]}` and `{bare[-1]}` are no quotes to YAML"
                hint = f"write straight quotes: {quoted(curly[1])}"
            return complaint.error(message, at=start, end=start + len(bare), hint=hint)
    return None


def with_comparison(expression: str) -> str:
    """The expression with `==` in place of `=`, outside of quotes and parentheses."""
    return _SIDES.sub(lambda found: found[1] or "==", expression)


def _item(source: Source, start: int) -> str | None:
    """The item that begins at `start`, up to the comma or bracket after it; None where its line ends before."""
    line, open_brackets, quoted = source.rest_of_line(start), "", ""
    for number, character in enumerate(line):
        if quoted or character in "\"'":
            quoted = "" if character == quoted else quoted or character
        elif character in _CLOSING:
            open_brackets += _CLOSING[character]
        elif open_brackets.endswith(character):
            open_brackets = open_brackets[:-1]
        elif not open_brackets and character in ",]}":
            return line[:number].rstrip()
    return None

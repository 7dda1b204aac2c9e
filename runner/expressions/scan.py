"""Where an expression ends, by braces, brackets and quotes, before Jinja's parser sees it.

So braces in a text are text, and deep nesting and open quotes are reported in plain words.
"""

import re

from runner.expressions.errors import TemplateProblem
from runner.foundation.lazy import lazy_pattern

LONGEST = 10_000
_DEEPEST = 32  # Jinja's parser spends a dozen Python frames on each bracket

LITERAL = r"""(?s)'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*\""""
_SIGN = lazy_pattern(r"""'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"|['"()\[\]{}]""", re.DOTALL)
_MAY_NEED_QUOTES = lazy_pattern(r"\d[-./]\d")
_DATE = r"(?<![\w.-])\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?(?![\w-])"
_NEED_QUOTES = (
    (lazy_pattern(r"(?<![\w-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![\w-])"), "a GUID"),
    (lazy_pattern(_DATE), "a date"),
    (lazy_pattern(r"(?<![\w./])\d{1,2}([./])\d{1,2}\1(?:19|20)\d\d(?![\w./])"), "a date"),
    (lazy_pattern(r"(?<![\w.-])\d{3}-\d{3}-\d{4}(?![\w-])"), "a phone number"),
)
_IN_A_TEXT = lazy_pattern(
    r"\{\{-?\s*((?:inputs|vars|steps|run|target|case|env|parameters|row)\s*[.\[][^{}]*?|(?:item|index|result)\b[^{}]*?)"
    r"\s*-?\}\}"
)
"""A template of ours within a text of an expression, where it would be plain text: other texts may have braces."""
_PAIRS = {")": "(", "]": "[", "}": "{"}


def check_expression(text: str) -> None:
    """Raise `TemplateProblem` where a bare expression holds braces, or leaves quotes or brackets open."""
    if len(text) > LONGEST:
        raise TemplateProblem("E120", f"an expression has at most {LONGEST:,} characters, here are {len(text):,}")
    _end(text, 0, within_braces=False)


def closing_braces(text: str, start: int) -> int:
    """The position of the `}}` that closes the expression that begins at `start`."""
    return _end(text, start, within_braces=True)


def check_quotes(text: str) -> None:
    """Raise `TemplateProblem` where a GUID or a date has no quotes: it would be read as a calculation."""
    bare = without_texts(text) if _MAY_NEED_QUOTES.search(text) else ""
    for pattern, what in _NEED_QUOTES if bare else ():
        if (found := pattern.search(bare)) is not None:
            raise _at(text, found.start(), f"{what} needs quotes", hint=f'write `"{found[0]}"`', name=found[0])


def without_texts(text: str) -> str:
    """`text` with nothing but `_` in its texts; every position stays."""
    return re.sub(LITERAL, lambda found: "'" + "_" * (len(found[0]) - 2) + "'", text)


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position)


def _end(text: str, start: int, *, within_braces: bool) -> int:
    open_brackets: list[tuple[str, int]] = []
    for found in _SIGN.finditer(text, start):
        sign, position = found[0], found.start()
        if sign in "'\"":
            raise _at(text, position, f"the text that begins with `{sign}` has no end", name=sign)
        if (template := _IN_A_TEXT.search(sign)) is not None:
            raise _template_in_a_text(text, position, template)
        if sign in "([{":
            if text.startswith("{{", position):
                raise _braces(text, position, within_braces=within_braces)
            open_brackets.append((sign, position))
            if len(open_brackets) > _DEEPEST:
                raise _at(text, position, f"brackets are nested more than {_DEEPEST} deep")
        elif sign in ")]}":
            if sign == "}" and not open_brackets and within_braces and text.startswith("}}", position):
                return position
            _close(text, position, open_brackets)
    if within_braces:
        raise _at(text, start, "`{{` is never closed", hint='close it with `}}`; two braces as text are `{{ "{{" }}`')
    if open_brackets:
        bracket, position = open_brackets[-1]
        raise _at(text, position, f"`{bracket}` is never closed", name=bracket)
    return len(text)


def _close(text: str, position: int, open_brackets: list[tuple[str, int]]) -> None:
    sign = text[position]
    if not open_brackets:
        if text.startswith("}}", position):
            raise _at(text, position, "`}}` without `{{`", hint="write a bare expression without braces", code="E121")
        hint = "end the template with `}}`" if sign == "}" else None
        raise _at(text, position, f"`{sign}` closes nothing", name=sign, hint=hint)
    bracket, opened = open_brackets.pop()
    if bracket != _PAIRS[sign]:
        raise _at(text, opened, f"`{bracket}` is not closed before `{sign}`", name=bracket)


def _template_in_a_text(text: str, position: int, template: re.Match[str]) -> TemplateProblem:
    sign, value = template.string, template[1]
    if template[0] == sign[1:-1]:
        hint = f"write `{value}`, without quotes and braces"
    else:
        before, after = sign[: template.start()] + sign[0], sign[0] + sign[template.end() :]
        parts = [part for part in (before, value, after) if part != sign[0] * 2]
        hint = f"write `{' ~ '.join(parts)}`"
    message = f"`{template[0]}` in a text of an expression is plain text"
    return _at(text, position + template.start(), message, hint=hint, code="E121", name=template[0])


def _braces(text: str, position: int, *, within_braces: bool) -> TemplateProblem:
    if not within_braces and text[max(0, position - 1)] == "$":
        hint = "leave out `${{` and `}}`: this is a bare expression"
        return _at(text, position, "`${{` is of another language", hint=hint, code="E123", name="${{")
    if within_braces:
        return _at(text, position, "`{{` inside `{{ }}`", hint="leave out the inner braces", code="E121", name="{{")
    hint = "leave out `{{` and `}}`: this is an expression already"
    return _at(text, position, "`{{ }}` in a bare expression", hint=hint, code="E121", name="{{")


def _at(
    text: str, position: int, message: str, *, hint: str | None = None, code: str = "E120", name: str | None = None
) -> TemplateProblem:
    return TemplateProblem(code, message, hint=hint, name=name, line=line_of(text, position))

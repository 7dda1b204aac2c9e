"""The filter of a `query`: what is of another language than OData, and what a template in it could break.

Only what no service reads is told. What stands in quotes is a text, and what a template gives is not known.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from runner.expressions import parse
from runner.expressions.parse import Expression, TemplateProblem
from runner.foundation.suggestions import suggest
from runner.foundation.values import Path, compact
from runner.job.outline import RawStep
from runner.lint.filter_values import unquoted
from runner.lint.filter_words import VALUE, first_mistake, words
from runner.lint.quotes import Quotes
from runner.lint.texts import Texts

Parts: TypeAlias = tuple[str | Expression, ...]
"""A filter: its own text, and templates in it."""

_ODATA = re.compile(r"\|\s*odata\s*\Z")
_BEFORE = re.compile(r"(?:[\w/]+\s+(?:eq|ne|gt|ge|lt|le)\s+|(\w+\()\s*[\w/]+\s*,\s*)\Z")
"""What stands before a value: a column and a comparison, or a function with its column."""
_TIGHT = re.compile(r"[\w.]+(?:\[[^\[\]]*\])*[\w.]*(?:\s*\|\s*\w+(?:\([^()]*\))?)*")
"""A name, and filters behind it: what another filter may follow."""
_TEXT = re.compile(r"'(?:[^']|'')*'")
_SIGN = re.compile(r"==|!=|<>|>=|<=|&&|\|\||[=<>!\"`]|(?<=\s)(?i:like)(?=\s*\x00)")
_MEANT = {
    "==": "eq",
    "=": "eq",
    "!=": "ne",
    "<>": "ne",
    ">": "gt",
    ">=": "ge",
    "<": "lt",
    "<=": "le",
    "&&": "and",
    "||": "or",
    "!": "not",
}
_CALLED = re.compile(r"(?<![\w/.])([A-Za-z]{4,})\(")
_FUNCTIONS = (
    *("startswith", "endswith", "contains", "substringof", "indexof", "substring", "replace", "concat", "length"),
    *("tolower", "toupper", "trim", "year", "month", "hour", "minute", "second", "date", "time"),
    *("round", "floor", "ceiling", "cast", "isof"),
)
_WORDS = frozenset(
    {*_FUNCTIONS, "fractionalseconds", "totaloffsetminutes", "totalseconds", "mindatetime", "maxdatetime", "now"}
    | {"case", "matchesPattern", "hassubset", "hassubsequence", "any", "all", "in", "divby", "not", "and", "or"}
)
_LIKE = "write `contains(Name, '…')`, or `startswith` or `endswith`"


def check_filter(text: str, path: Path, texts: Texts) -> None:
    try:
        parts = parse.template(text).parts if "{{" in text else (text,)
    except TemplateProblem:
        return
    before = len(texts.problems)
    whole = "".join(part if isinstance(part, str) else VALUE for part in parts)
    _language(whole, path, texts, is_plain=len(parts) == 1)
    if len(texts.problems) == before:
        _words(whole, parts, path, texts)


def _words(whole: str, parts: Parts, path: Path, texts: Texts) -> None:
    """What the words of a filter tell. The first mistake is told, one that is certain before one that is probable."""
    found = words(whole)
    wrong = first_mistake(found)
    if (wrong is None or wrong.warning) and _quoted_values(parts, path, texts):
        return
    values = [part for part in parts if isinstance(part, Expression)]
    wrong = wrong or next(unquoted(found, values, texts.known), None)
    if wrong is not None:
        texts.report(wrong.code, wrong.message, path, hint=wrong.hint, warning=wrong.warning)


def _language(whole: str, path: Path, texts: Texts, *, is_plain: bool) -> None:
    bare = _TEXT.sub(VALUE, whole)
    found = _SIGN.search(bare)
    if found is not None:
        texts.report("E107", f"`{found[0]}` is not OData", path, hint=_meant(found[0]))
    elif (near := _misspelt(bare)) is not None:
        texts.report("E107", f"`{near[0]}` is no function of OData", path, hint=f"did you mean `{near[1]}`?")
    elif "'" in bare:
        hint = "a text stands in `'…'`, and a `'` inside it is written `''`"
        texts.report("E107", "a quote in this filter is never closed", path, hint=hint)
    elif bare.count("(") != bare.count(")") and is_plain:
        missing = ")" if bare.count("(") > bare.count(")") else "("
        texts.report("E107", f"a `{missing}` is missing in this filter", path)


def _misspelt(bare: str) -> tuple[str, str] | None:
    """A function that is near to one of OData, and that one."""
    for word in _CALLED.findall(bare):
        near = None if word in _WORDS else suggest(word, _FUNCTIONS)
        if near is not None:
            return word, near
    return None


def _meant(sign: str) -> str:
    if sign in ('"', "`"):
        return "a text stands in `'…'`"
    if sign.casefold() == "like":
        return _LIKE
    return f"write `{_MEANT[sign]}`"


def _quoted_values(parts: Parts, path: Path, texts: Texts) -> bool:
    """A value between the quotes of a filter: its own quotes would end it, and what follows be read as OData."""
    quotes = Quotes(known=texts.known, step=_step_at(path, texts), of_result=lambda _: False)
    for index, part in in_quotes(parts):
        inside = f"{{{{ {part.text.strip()} }}}}"
        if _ODATA.search(part.text):
            message = f"`odata` writes the quotes itself, and `{inside}` stands in quotes"
            texts.report("E107", message, path, hint=f"leave the quotes out: `{_with_odata(parts, index)}`")
            return True
        if quotes.may_be_in(part):
            message, hint = ending_the_text(parts, index, part)
            texts.report("E107", message, path, hint=hint, warning=True)
            return True
    return False


def _step_at(path: Path, texts: Texts) -> RawStep | None:
    around = [step for step in texts.known.steps if path[: len(step.path)] == step.path]
    return max(around, key=lambda step: len(step.path), default=None)


def in_quotes(parts: Parts) -> Iterator[tuple[int, Expression]]:
    """The templates of a filter that stand between quotes, by their place among `parts`."""
    before = ""
    for index, part in enumerate(parts):
        if isinstance(part, str):
            before += part
        elif before.count("'") % 2:
            yield index, part


def ending_the_text(parts: Parts, index: int, part: Expression) -> tuple[str, str]:
    """What is told of a template in quotes whose value may hold one, and the hint."""
    message = f"a quote in the value of `{{{{ {part.text.strip()} }}}}` would end the text of this filter"
    return message, f"`odata` writes a value and its quotes: `{_with_odata(parts, index)}`"


def _with_odata(parts: Parts, index: int) -> str:
    """How the whole text in quotes is written without them, behind what it is compared with."""
    first = last = index
    while not _has_quote(parts[first]):
        first -= 1
    while last < len(parts) and not _has_quote(parts[last]):
        last += 1
    head, _, opening = str(parts[first]).rpartition("'")
    ending = str(parts[last]).partition("'")[0] if last < len(parts) else ""
    pieces = [piece for piece in (opening, *parts[first + 1 : last], ending) if piece != ""]
    found = _BEFORE.search(head)
    value = f"{{{{ {_joined(pieces)} | odata }}}}"
    return f"{found[0]}{value}{')' if found[1] else ''}" if found is not None else value


def _has_quote(part: str | Expression) -> bool:
    return isinstance(part, str) and "'" in part


def _joined(pieces: Sequence[str | Expression]) -> str:
    sources = [compact(piece) if isinstance(piece, str) else _ODATA.sub("", piece.text).strip() for piece in pieces]
    if len(sources) == 1:
        return sources[0] if _TIGHT.fullmatch(sources[0]) else f"({sources[0]})"
    tight = [
        source if isinstance(piece, str) or _TIGHT.fullmatch(source) else f"({source})"
        for piece, source in zip(pieces, sources, strict=True)
    ]
    return f"({' ~ '.join(tight)})"

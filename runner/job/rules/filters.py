"""The filter of a `query`: what is of another language than OData, and what a template in it could break.

Only what no service reads is told. What stands in quotes is a text, and what a template gives is not known.
"""

import re

from runner.job.rules.filter_values import unquoted
from runner.job.rules.filter_words import VALUE, first_mistake, words
from runner.job.rules.quotes import may_hold_a_quote
from runner.job.rules.texts import Texts
from runner.template import parse
from runner.template.parse import Expression, Name, TemplateProblem
from runner.values import Path
from runner.words import suggest

_ODATA = re.compile(r"\|\s*odata\s*\Z")
_WITHOUT_QUOTES = ("run", "target")
"""Names whose values never hold a quote."""
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
    {*_FUNCTIONS, "fractionalseconds", "totaloffsetminutes", "totalseconds", "mindatetime", "maxdatetime"}
)
_LIKE = "write `contains(Name, '…')`, or `startswith` or `endswith`"


def check_filter(text: str, path: Path, texts: Texts) -> None:
    try:
        parts = parse.template(text).parts if "{{" in text else (text,)
    except TemplateProblem:
        return
    before = len(texts.found)
    whole = "".join(part if isinstance(part, str) else VALUE for part in parts)
    _language(whole, path, texts, is_plain=len(parts) == 1)
    if len(texts.found) == before:
        _words(whole, parts, path, texts)


def _words(whole: str, parts: tuple[str | Expression, ...], path: Path, texts: Texts) -> None:
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


def _quoted_values(parts: tuple[str | Expression, ...], path: Path, texts: Texts) -> bool:
    """A value between the quotes of a filter: its own quotes would end it, and what follows be read as OData."""
    before = ""
    for part in parts:
        if isinstance(part, str):
            before += part
        elif before.count("'") % 2 and _quoted(part, path, texts):
            return True
    return False


def _quoted(part: Expression, path: Path, texts: Texts) -> bool:
    """Tell of a value in quotes; whether there was something to tell."""
    inside = f"{{{{ {part.text.strip()} }}}}"
    if _ODATA.search(part.text):
        message = f"`odata` writes the quotes itself, and `{inside}` stands in quotes"
        texts.report("E107", message, path, hint=f"leave the quotes out: `Name eq {inside}`")
        return True
    if any(_may_hold_a_quote(name, texts) for name in part.names):
        message = f"a quote in the value of `{inside}` would end the text of this filter"
        hint = f"`odata` writes a value and its quotes: `Name eq {{{{ {part.text.strip()} | odata }}}}`"
        texts.report("E107", message, path, hint=hint, warning=True)
        return True
    return False


def _may_hold_a_quote(name: Name, texts: Texts) -> bool:
    if name.path[0] == "inputs" and len(name.path) == 2:  # noqa: PLR2004  an input itself
        return may_hold_a_quote(texts.known.inputs.get(str(name.path[1])))
    return name.path[0] not in _WITHOUT_QUOTES

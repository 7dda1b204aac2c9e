"""What is wrong with a text that the parser could not read, in plain words. Runs only once something is wrong."""

import re

from runner.expressions.errors import TemplateProblem
from runner.expressions.scan import line_of
from runner.expressions.shapes import shape, without_texts

_STATEMENT = (
    r"\s*(?:assert|expect|for|set|let|var|const|return|lambda|import|def|macro|include|if|while|with)\b(?!\s*[.|=])"
)
_LEFT_OUT = frozenset({"assert", "expect", "if", "return"})
_LOOP = r"(?s:\bfor\b.+\bin\b)"
_LACKS_A_SIDE = r"(?:[-+*/%~|.,<>=]|\b(?:and|or|not|in|is|if|else))\s*$"

_SIGNS = (
    (
        "[\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb]",
        "E120",
        "`{found}` begins no text",
        "write straight quotes, `'` or `\"",
    ),
    (
        r"\{%|%\}|\{#|#\}",
        "E125",
        "statements and comments are not known",
        "here stands an expression, and nothing else",
    ),
    (r"&&", "E120", "`&&` is not an operator here", "write `and`"),
    (r"\|\|", "E120", "`||` is not an operator here", "write `or`"),
    (r"!==", "E120", "`!==` is not an operator here", "write `!=`"),
    (r"===", "E120", "`===` is not an operator here", "write `==`"),
    (r"<>", "E120", "`<>` is not an operator here", "write `!=`"),
    (r"=~|!~", "E120", "`{found}` is not an operator here", "write `… is match(…)`"),
    (r"=>|=<", "E120", "`{found}` is not an operator here", "write `>=` or `<=`"),
    (r"(?<![\w.])not\s*={1,2}", "E120", "`{found}` is not an operator here", "write `!=`"),
    (r"(?<![\w.])NOT(?=\s+[\w('])", "E120", "`NOT` is not an operator here", "write `not`"),
    (r"!(?!=)", "E120", "`!` is not an operator here", "write `not`"),
    (r"\?\?", "E120", "`??` is not an operator here", "write `… | default(…)`"),
    (r"\?\.", "E120", "`?.` is not known here", "write `.`, and `| default(…)` behind it"),
    (r"\?", "E120", "`?` is not an operator here", "write `… if … else …`"),
    (r"\^", "E125", "there is no `^` in expressions", None),
    (r"~=", "E120", "`~=` is not an operator here", "write `… is match(…)`"),
    (r"\+\+|[-+*/~]=", "E125", "`{found}` would change a value, and nothing is changed", None),
    (r"(?i)\$\{?(?:guid|random\w*|uuid)\b", "E120", "`{found}` is of another language", 'write `uuid("label")`'),
    (
        r"(?i)\$(?:timestamp|isotimestamp|now|date)\b",
        "E120",
        "`{found}` is of another language",
        "write `run.started_at`: a resumed run must compute the same",
    ),
    (
        r"\$",
        "E120",
        "`$` stands before no name here",
        'leave it out; a key with a `$` is written `["$ref"]`',
    ),
    (r"@", "E120", "`@` stands in no name", 'write the key in brackets: `["@odata.count"]`'),
    (r"#", "E120", "`#` begins no comment here", 'a key with a `#` is written `["#"]`'),
    (r"`", "E120", "texts do not stand in backticks", "write `'…'` or `\"…\"`"),
    (
        r"\bis\s+(?:not\s+)?\w+\s+if\b",
        "E120",
        "the `if` is taken for an argument of the test before it",
        "put the test in parentheses: `(… is …) if … else …`",
    ),
    (r"^\s*\.[A-Za-z]\w*", "E120", "`{found}`: no name begins with a dot", "write `inputs.NAME` or `vars.NAME`"),
    (r"\bis(?=\s+-?['\"0-9])", "E120", "`is` does not compare two values", "write `==`"),
    (r"\bis\s+not(?=\s+-?['\"0-9])", "E120", "`is not` does not compare two values", "write `!=`"),
    (r"^\s*(?:and|or)\b", "E120", "nothing stands before `{found}`", None),
    (r";", "E120", "`;` is not known: one expression stands here, and nothing else", "leave it out"),
    (r"\\", "E120", "`\\` stands outside of a text", None),
    (r",\s*\Z", "E120", "`,` is not expected here", "leave it out"),
    (r"\band\s+and\b|\bor\s+or\b", "E120", "`{found}`: one is enough", None),
)

_OPERATORS = {
    "=": "==",
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "IN": "in",
    "IS": "is",
    "count": "… | length",
    "size": "… | length",
    "contains": "… in …",
    "includes": "… in …",
    "has": "… in …",
    "eq": "==",
    "equals": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "mod": "%",
    "like": "… is match(…)",
    "matches": "… is match(…)",
    "startswith": "… is match(…)",
    "endswith": "… is match(…)",
    "exists": "… is defined",
    "then": "… if … else …",
    "elif": "… if … else …",
}
"""What stands between values elsewhere, and what stands there here."""


def mistake(text: str, *, stopped_at: str | None, line: int) -> TemplateProblem:
    """The problem of `text`, which the parser read up to `stopped_at`, on that line; None is the end of the text."""
    bare = without_texts(text)
    return (
        _third_brace(bare)
        or _statement(bare)
        or shape(text, bare, stopped_at=stopped_at)
        or _foreign_sign(bare)
        or _foreign_word(stopped_at, line)
        or _lacking(bare, stopped_at, line)
        or _unexpected(stopped_at, line)
    )


def _third_brace(bare: str) -> TemplateProblem | None:
    """`{{{ a }}}`, of which the outer braces are gone: a record has a `:` in it."""
    found = re.fullmatch(r"\s*\{\s*([\w.]+)\s*\}\s*", bare)
    if found is None:
        return None
    return TemplateProblem(
        "E120", "a third brace begins a record, and this is none", hint=f"write `{{{{ {found[1]} }}}}`"
    )


def _statement(bare: str) -> TemplateProblem | None:
    if re.search(_LOOP, bare):
        hint = "`| select(…)`, `| selectattr(…)` and `| map(…)` go through a list"
        return TemplateProblem("E125", "there are no loops in expressions", hint=hint, name="for")
    if (found := re.match(_STATEMENT, bare)) is None:
        return None
    word = found[0].strip()
    hint = "leave the word out" if word in _LEFT_OUT else "an expression gives a value, and does nothing else"
    return TemplateProblem(
        "E125", f"`{word}` begins no expression", hint=hint, name=word, line=line_of(bare, found.end())
    )


def _foreign_word(stopped_at: str | None, line: int) -> TemplateProblem | None:
    here = _OPERATORS.get(stopped_at or "") or _OPERATORS.get((stopped_at or "").casefold())
    if here is None:
        return None
    return TemplateProblem(
        "E120", f"`{stopped_at}` is not an operator here", hint=f"write `{here}`", name=stopped_at, line=line
    )


def _foreign_sign(bare: str) -> TemplateProblem | None:
    for sign, code, message, hint in _SIGNS:
        if (found := re.search(sign, bare)) is not None:
            line = line_of(bare, found.start())
            there = found[0].strip()
            return TemplateProblem(code, message.replace("{found}", there), hint=hint, name=there, line=line)
    return None


def _lacking(bare: str, stopped_at: str | None, line: int) -> TemplateProblem | None:
    if stopped_at is not None:
        return None
    found = re.search(_LACKS_A_SIDE, bare)
    what = f"nothing stands behind `{found[0].strip()}`" if found else "the expression breaks off"
    hint = "YAML may have cut the text at ` #`, or at a comma inside `[ ]`: put the whole text in quotes"
    return TemplateProblem("E120", what, hint=hint, line=line)


def _unexpected(stopped_at: str | None, line: int) -> TemplateProblem:
    if stopped_at is None:
        return TemplateProblem("E120", "the expression cannot be read", line=line)
    shown = stopped_at if len(stopped_at) <= 30 else stopped_at[:29] + "…"  # noqa: PLR2004  enough to find it
    if not shown.isprintable():
        shown = shown.encode("unicode_escape").decode()
    hint = "an operator may be missing before it" if shown[:1].isalnum() else None
    return TemplateProblem("E120", f"`{shown}` is not expected here", hint=hint, name=stopped_at, line=line)

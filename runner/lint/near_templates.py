"""Names of ours in a text that is sent as it is, without `{{ }}`.

Reported is a name that the job has: `{inputs.phone}`, `${vars.a}`, `[[ run.id ]]`, also `${title}`, `{title}` and
`%(title)s` for a known `title`. A whole text that is a variable of a shell, `$BUILD_ID`, `${A:-b}`, `%USER%`, is
reported always; within a text only a CI's: `$CI_JOB_ID`, `$(Build.BuildId)`.
"""

import re
from collections.abc import Iterator
from typing import cast
from urllib.parse import unquote

from msgspec.structs import replace

from runner.expressions import parse
from runner.expressions.parse import Expression
from runner.foundation.foreign_dates import foreign_moment
from runner.foundation.hints import table
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.lint.names import declared_as, wrong_name
from runner.lint.places import NameScope

_NAMES = ("inputs", "vars", "steps", "run", "target", "case", "item", "index", "result", "outputs")
_ROOTS = f"(?:{'|'.join(_NAMES)})"
_SINGLE_BRACE = lazy_pattern(rf"(?<!\{{)(?P<sign>[$%#]?)\{{(?P<inside>\s*{_ROOTS}\b[^{{}}]*)(?P<end>\}}\}}?)(?!\}})")
_STATEMENT = lazy_pattern(r"\{%[-+]?\s*(?P<keyword>\w*)(?P<inside>[^%]*?)[-+]?%\}", re.ASCII)
_STATEMENTS = frozenset({"set", "if", "for", "raw", "macro", "include", "import", "from", "extends", "with", "block"})
"""How statements of Jinja2 begin."""
_NAMED = lazy_pattern(rf"{_ROOTS}(?:\.\w+)+", re.ASCII)
_NEVER_BEGUN = lazy_pattern(rf"(?<![\w.])({_NAMED.pattern}|item|index)\s*\}}\}}", re.ASCII)
_ALONE = lazy_pattern(rf"{_ROOTS}(?:\.\w+|\[-?[0-9]+\])+(?:\Z|\s*(?:[|~+]|or\b))", re.ASCII)
_AROUND_A_NAME = " \t\n=@<>"
_QUOTES = ("'", '"')
_SUM = lazy_pattern(rf"""(["'])([^"']*)\1\s*[+~]\s*({_NAMED.pattern})""", re.ASCII)
_AROUND = (("[[", "]]"), ("<%=", "%>"), ("$(", ")"), ("[#", "#]"), ("%", "%"))
"""Marks around a name in ERB, shells, Creatio's macros and others."""
_OTHER_MARKS = lazy_pattern(
    "|".join(rf"{re.escape(mark)}\s*{_NAMED.pattern}\s*(?:\|[^|\n]*?)?{re.escape(end)}" for mark, end in _AROUND)
    + rf"|(?<![\w$])\${_NAMED.pattern}",
    re.ASCII,
)
MARKS = lazy_pattern(r"[{}\[<$%]")  # a text without any of them has no marks in it
_SHORT = lazy_pattern(r"(?:[$#]|(?<!\{))\{\s*([A-Za-z_]\w*)\s*\}(?!\})|%\(([A-Za-z_]\w*)\)s", re.ASCII)
_OF_A_SHELL = lazy_pattern(
    r"\s*(?:\$([A-Z_][A-Z0-9_]{2,})|\$\{(?:[A-Za-z_]\w*\.)?([A-Za-z_]\w*)(?::?[-?=+][^{}]*)?\}|\$\(\$?([A-Za-z_]\w*)(?:\.\w+)*\)|%([A-Z_][A-Z0-9_]{2,})%|\$env:(\w+))\s*",
    re.ASCII,
)
_LIKE_CODE = lazy_pattern(r"[\[@$:]|\w+[.(<]|new |.*&")  # how texts of the table begin
_ENCODED = lazy_pattern(
    r"(?!.*%20(?:eq|ne|[gl][te])%20)[^\s<>&%/]*(?:%(?:20|2[1-9A-F]|3[A-F]|40|5[BD]|7[BD]|[CD][0-9A-F]%[89AB][0-9A-F])[^\s<>&%/]*)+"
)
_WITHIN = lazy_pattern(
    r"\$\{?((?:BUILD|CI|GITHUB)_[A-Z0-9_]+)\}?|\$\((?:[A-Z]\w+\.)+(\w+)\)|\$\([A-Z][a-z]+-(\w+)[^()]*\)"
    r"|(?<=\\)%([A-Z]{3,})%|%([A-Z]{3,})%(?=\\)",
    re.ASCII,
)
"""A variable of a CI or in a path of Windows, or a command of a shell, wherever it is in a text."""
_SHORTEST = len(("inputs", "phone"))
_LONGEST = 200  # characters of a text that is looked up in the table: a message has the whole of it


def near_templates(part: str, text: str, scope: NameScope) -> Iterator[Finding]:
    """What looks like a template in `part`, a piece of `text` outside of its templates."""
    reported = [*_found(part, scope, beside_template="{{" in text)]
    if part.startswith("}") and f"}}}}{part}" in text and text.count("}") > text.count("{"):
        why = ": the template ends before it"
        reported.append(_as_it_is("}", why=why, hint="leave the third brace out"))
    may_be_of_a_shell = not reported and part == text and ("$" in text or "%" in text)
    if may_be_of_a_shell and (variable := _OF_A_SHELL.fullmatch(text)) is not None:
        part, name = text.strip(), variable[variable.lastindex or 0]
        whole = declared_as(name, scope)
        reported.append(_not_in_braces(part, whole) if whole else _variable(part, name))
    if not reported and part == text and len(text) <= _LONGEST:
        reported = [*_foreign(text)]
    if not reported and ("$" in part or "%" in part):
        reported += [_variable(found[0], found[found.lastindex or 0]) for found in _WITHIN.finditer(part)]
    for found in reported:
        line = text.count("\n", 0, max(0, text.find(found.part or "")))
        yield replace(found, line=line)


def _foreign(text: str) -> Iterator[Finding]:
    """A whole text that another tool would work out, or that is written as in an address."""
    if _LIKE_CODE.match(text):
        for row in cast("list[dict[str, str]]", table("texts", room="lint")):
            if re.fullmatch(row["pattern"], text):
                yield _as_it_is(text, why=f": {row['why']}", hint=row["hint"])
                return
    if text.startswith("/Date(") and (moment := foreign_moment(text))[0]:
        why, hint = ": it is a moment as the JSON of other programs has it", f"write `{'T'.join(filter(None, moment))}`"
        yield _as_it_is(text, why=why, hint=hint)
    if "%" in text and _ENCODED.fullmatch(text) and "://" not in text:
        yield _as_it_is(text, why=": nothing is decoded", hint=f"write `{unquote(text)}`")


def _found(text: str, scope: NameScope, *, beside_template: bool) -> Iterator[Finding]:
    for found in _OTHER_MARKS.finditer(text) if MARKS.search(text) else ():
        for name in _NAMED.finditer(found[0]):
            if _known(name[0], scope):
                yield _not_in_braces(found[0], name[0])
    for found in _SHORT.finditer(text) if "{" in text or "%(" in text else ():
        if (whole := declared_as(found[1] or found[2], scope)) is not None:
            yield _not_in_braces(found[0], whole)
    if "}" in text and text.count("}") > text.count("{"):
        for found in _NEVER_BEGUN.finditer(_SINGLE_BRACE.sub(" ", text)):
            if _known(found[1], scope):
                yield _not_in_braces(found[0], found[1])
    if "{" in text:
        yield from _single_brace(text, scope)
        yield from _statements(text, scope, beside_template=beside_template)
    elif text.lstrip()[:1] in _QUOTES and (added := _SUM.fullmatch(text.strip())) and _known(added[3], scope):
        yield _as_it_is(added[0], hint=f'write `"{added[2]}{{{{ {added[3]} }}}}"`')
    elif text.strip() in ("$_", "$item") and _known("item", scope):
        yield _not_in_braces(text, "item")
    elif (parsed := _known(text.strip(_AROUND_A_NAME), scope)) and (_ALONE.match(parsed.text) or text == "item"):
        message = f"`{text.strip()}` is a text here: only what is in braces is evaluated"
        quote = "'" if '"' in parsed.text else '"'
        hint = f"write `{quote}{{{{ {parsed.text} }}}}{quote}`"
        yield Finding(code="E123", message=message, hint=hint, part=parsed.text, warning=True)


def _single_brace(text: str, scope: NameScope) -> Iterator[Finding]:
    for found in _SINGLE_BRACE.finditer(text):
        parsed = _known(found["inside"].strip(), scope)
        is_half = found["end"] == "}}" and not found["sign"]
        if parsed is None or not (is_half or any(len(name.path) >= _SHORTEST for name in parsed.names)):
            continue
        hint = f"write `{{{{ {parsed.text} }}}}`"
        if is_half:
            yield Finding(code="E120", message="a template begins with two braces", hint=hint, part=found[0])
        else:
            message = f"`{found['sign']}{{ }}` is of another language"
            yield Finding(code="E123", message=message, hint=hint, part=found[0])


def _as_it_is(part: str, *, hint: str, why: str = "", code: str = "E123") -> Finding:
    message = f"`{part}` is a text here, and is sent as it is{why}"
    return Finding(code=code, message=message, hint=hint, part=part, warning=True)


def _not_in_braces(part: str, name: str) -> Finding:
    return _as_it_is(part, hint=f"write `{{{{ {name} }}}}`")


def _variable(part: str, name: str) -> Finding:
    own = name.lower()
    hint = f"declare an input `{own}`, write `{{{{ inputs.{own} }}}}`, and give it with `-i {own}=…`"
    return _as_it_is(part, hint=hint, why=": no variable of a shell is read")


def _statements(text: str, scope: NameScope, *, beside_template: bool) -> Iterator[Finding]:
    """Statements that name what the job has; `beside_template` each that Jinja2 has."""
    for found in _STATEMENT.finditer(text):
        is_name = any(_known(name[0], scope) for name in _NAMED.finditer(found["inside"]))
        if is_name or (beside_template and found["keyword"] in _STATEMENTS):
            hint = "write `{{ … if … else … }}`, or an `if` or `for_each` of the step"
            if found["keyword"] == "set":
                hint = "name a value under `vars`, and write `{{ vars.NAME }}`"
            yield _as_it_is(found[0], hint=hint, why=": there are no statements", code="E125")


def _known(text: str, scope: NameScope) -> Expression | None:
    """`text` as an expression, if all that it names is there."""
    parsed = parse.readable(parse.expression, text) if text.startswith(_NAMES) else None
    names = parsed.names if parsed is not None else ()
    return parsed if names and all(wrong_name(name, scope) is None for name in names) else None

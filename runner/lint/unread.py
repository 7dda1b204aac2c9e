"""Names of ours in a text that is sent as it stands: nothing works them out without `{{ }}`.

Only a name that the job has is told, `{inputs.phone}`, `${vars.a}`, `[[ run.id ]]`; `{a}` and `$b` are texts like any
other. `${title}` is told where the job has an input, a var or an output `title`.
"""

import re
from collections.abc import Iterator

from runner.expressions import parse
from runner.expressions.parse import Expression, TemplateProblem
from runner.job.outline import Outline
from runner.lint.name_mistakes import Mistake
from runner.lint.scopes import Scope
from runner.lint.unknown_names import declared_as, mistake

_ROOTS = r"(?:inputs|vars|steps|run|target|case|item|index|result|outputs)"
_ONE_BRACE = re.compile(rf"(?<!\{{)(?P<sign>[$%#]?)\{{(?P<inside>\s*{_ROOTS}\b[^{{}}]*)(?P<end>\}}\}}?)(?!\}})")
_STATEMENT = re.compile(r"\{%-?(?P<inside>[^%]*)-?%\}")
_NAMED = re.compile(rf"{_ROOTS}(?:\.\w+)+", re.ASCII)
_ALONE = re.compile(rf"{_ROOTS}(?:\.\w+|\[-?[0-9]+\])+", re.ASCII)
_OTHERS = "|".join(
    rf"{re.escape(before)}\s*(?P<n{number}>{_NAMED.pattern})\s*{re.escape(behind)}"
    for number, (before, behind) in enumerate((("[[", "]]"), ("<%=", "%>"), ("$(", ")"), ("[#", "#]"), ("%", "%")))
)
_OTHER_MARKS = re.compile(rf"{_OTHERS}|(?<![\w$])\$(?P<bare>{_NAMED.pattern})", re.ASCII)
"""What stands around a name in ERB, shells, Creatio's macros and others."""
MARKS = re.compile(r"[{\[<$%]")
"""A text without any of them has no marks in it."""
_SHORT = re.compile(r"[$#]\{\s*([A-Za-z_]\w*)\s*\}", re.ASCII)
_TEXT_OF_PYTHON = re.compile(r"""f(['"])([^'"]*)\1""")
_SHORTEST = len(("inputs", "phone"))


def unread(text: str, scope: Scope, known: Outline) -> Iterator[Mistake]:
    """What of `text`, which is what stands outside of its templates, reads like a template and is none."""
    if MARKS.search(text):
        yield from _other_marks(text, scope, known)
    if "{" in text:
        yield from _one_brace(text, scope, known)
        yield from _short(text, scope, known)
        yield from _statements(text, scope, known)
    elif (parsed := _known(text.strip(), scope, known)) and _ALONE.fullmatch(parsed.text.strip()):
        message = f"`{parsed.text}` is a text here: only what stands in braces is worked out"
        hint = f'write `"{{{{ {parsed.text} }}}}"`'
        yield Mistake(code="E123", message=message, hint=hint, part=parsed.text, warning=True)


def _one_brace(text: str, scope: Scope, known: Outline) -> Iterator[Mistake]:
    for found in _ONE_BRACE.finditer(text):
        parsed = _known(found["inside"].strip(), scope, known)
        half = found["end"] == "}}" and not found["sign"]
        if parsed is None or not (half or any(len(name.path) >= _SHORTEST for name in parsed.names)):
            continue
        hint = _without_python(text) or f"write `{{{{ {parsed.text} }}}}`"
        if half:
            yield Mistake(code="E120", message="a template begins with two braces", hint=hint, part=found[0])
        else:
            message = f"`{found['sign']}{{ }}` is of another language"
            yield Mistake(code="E123", message=message, hint=hint, part=found[0])


def _other_marks(text: str, scope: Scope, known: Outline) -> Iterator[Mistake]:
    for found in _OTHER_MARKS.finditer(text):
        name = next(filter(None, found.groups()))
        if _known(name, scope, known):
            yield _as_it_stands(found[0], name)


def _without_python(text: str) -> str | None:
    """`f"Lab {run.id}"` as it is written here."""
    found = _TEXT_OF_PYTHON.fullmatch(text.strip())
    if found is None:
        return None
    inner = re.sub(r"\{\s*([^{}]*?)\s*\}", r"{{ \1 }}", found[2])
    return f'write `"{inner}"`'


def _short(text: str, scope: Scope, known: Outline) -> Iterator[Mistake]:
    """`${title}`, without the place where the title is declared."""
    for found in _SHORT.finditer(text):
        name = declared_as(found[1], scope, known)
        if name is not None:
            yield _as_it_stands(found[0], name)


def _as_it_stands(part: str, name: str) -> Mistake:
    message = f"`{part}` is a text here, and taken as it stands"
    return Mistake(code="E123", message=message, hint=f"write `{{{{ {name} }}}}`", part=part, warning=True)


def _statements(text: str, scope: Scope, known: Outline) -> Iterator[Mistake]:
    for found in _STATEMENT.finditer(text):
        if any(_known(name[0], scope, known) for name in _NAMED.finditer(found["inside"])):
            message = f"`{found[0]}` is a text here: there are no statements"
            hint = "write `{{ … if … else … }}`, or an `if` or `for_each` of the step"
            yield Mistake(code="E125", message=message, hint=hint, part=found[0], warning=True)


def _known(text: str, scope: Scope, known: Outline) -> Expression | None:
    """`text` as an expression, if all that it names is there."""
    if not re.match(_ROOTS, text):
        return None
    try:
        parsed = parse.expression(text)
    except TemplateProblem:
        return None
    fits = parsed.names and all(mistake(name, scope, known) is None for name in parsed.names)
    return parsed if fits else None

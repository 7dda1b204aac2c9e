"""What is wrong with a text that the parser could not read, in plain words. Runs only once something is wrong.

Most of it is data: the rows of `language/hints/expressions.yaml` are searched for in the text without the texts in it.
"""

import re

from runner.expressions.errors import TemplateProblem
from runner.expressions.hints import COMPARISON, PATH, TEXT, VALUE, Piece, Shape, hint, shapes
from runner.expressions.scan import line_of, without_texts
from runner.foundation.hints import words
from runner.foundation.values import compact

_LACKS_A_SIDE = r"(?:[-+*/%~|.,<>=]+|\b(?:and|or|not|in|is|if|else))\s*$"
_ARROW = rf"(?P<list>{PATH})\.(?P<method>\w+)\(\s*\(?\s*(?P<item>\w+)\s*\)?\s*=>\s*(?P<body>[^()]*)\)?"
_LONGEST_SHOWN = 30


def mistake(text: str, *, stopped_at: str | None, line: int) -> TemplateProblem:
    """The problem of `text`, which the parser read up to `stopped_at`, on that line; None is the end of the text."""
    bare = without_texts(text)
    return (
        _arrow_function(text, bare)
        or _text_of_python(text, bare)
        or _shape(text, bare, stopped_at)
        or _foreign_word(stopped_at, line)
        or _incomplete(bare, stopped_at, line)
        or _unexpected(stopped_at, line)
    )


def _shape(text: str, bare: str, stopped_at: str | None) -> TemplateProblem | None:
    for shape in shapes():
        if shape.stopped_at in (None, stopped_at) and (found := re.search(shape.pattern, bare)) is not None:
            return _shape_problem(shape, text, found)
    return None


def _shape_problem(shape: Shape, text: str, found: re.Match[str]) -> TemplateProblem:
    names = found.re.groupindex
    start, end = found.span("found" if "found" in names else 0)
    pieces = {name: Piece(text[slice(*found.span(name))]) for name in names}
    pieces["found"] = Piece(text[start:end].strip())
    wrong = shape.message.format(**pieces)
    here = None if shape.hint is None else shape.hint.format(**pieces)
    return TemplateProblem(shape.code, wrong, hint=here, name=pieces["found"], line=line_of(text, start))


def _arrow_function(text: str, bare: str) -> TemplateProblem | None:
    """`result.some(x => x.Amount > 0)`."""
    found = re.search(_ARROW, bare)
    if found is None:
        return None
    chosen = _chosen(found["list"], found["item"], text[slice(*found.span("body"))].strip(), found["body"].strip())
    here = 'choose among the items of a list with `| selectattr("KEY", "eq", …)`'
    if chosen is not None:
        form = words("expressions", "amounts").get(found["method"].casefold(), "{chosen}")
        here = f"write `{form.format(chosen=chosen, rejected=chosen.replace('| select', '| reject'))}`"
    wrong, name = f"`{found['item']} => …`: expressions hold no functions", text[slice(*found.span())].strip()
    return TemplateProblem("E125", wrong, hint=here, name=name, line=line_of(text, found.start()))


def _chosen(whole: str, item: str, body: str, bare: str) -> str | None:
    """How the items are chosen for which `body` is true, where it is a comparison."""
    condition = rf"{re.escape(item)}(?:\.(\w+(?:\.\w+)*))?\s*({COMPARISON})\s*({VALUE})"
    found = re.fullmatch(condition, bare)
    if found is None:
        return None
    test = f'"{Piece(found[2]).as_test}", {Piece(body[slice(*found.span(3))]).quoted}'
    return f'{whole} | selectattr("{found[1]}", {test})' if found[1] else f"{whole} | select({test})"


def _text_of_python(text: str, bare: str) -> TemplateProblem | None:
    """`f"order {x}"`: its parts, put together by `~`."""
    found = re.search(rf"(?<![\w.])f({TEXT})", bare)
    if found is None:
        return None
    whole = text[slice(*found.span(1))]
    parts = re.split(r"\{([^{}]*)\}", whole[1:-1])
    sources = [part.strip() if number % 2 else compact(part) for number, part in enumerate(parts) if part]
    here = f"put texts together with `~`: `{' ~ '.join(sources) or '…'}`"
    line = line_of(text, found.start())
    return TemplateProblem("E120", "`f` before a text is of Python", hint=here, name=f"f{whole}", line=line)


def _foreign_word(stopped_at: str | None, line: int) -> TemplateProblem | None:
    word = stopped_at or ""
    here = hint("operators", word) or hint("operators", word.casefold())
    if here is None:
        return None
    return TemplateProblem("E120", f"`{word}` is not an operator here", hint=f"write `{here}`", name=word, line=line)


def _incomplete(bare: str, stopped_at: str | None, line: int) -> TemplateProblem | None:
    if stopped_at is not None:
        return None
    found = re.search(_LACKS_A_SIDE, bare)
    what = f"nothing follows `{found[0].strip()}`" if found else "the expression breaks off"
    return TemplateProblem("E120", what, line=line, may_be_cut=True)


def _unexpected(stopped_at: str | None, line: int) -> TemplateProblem:
    if stopped_at is None:
        return TemplateProblem("E120", "the expression cannot be read", line=line)
    shown = stopped_at if len(stopped_at) <= _LONGEST_SHOWN else stopped_at[: _LONGEST_SHOWN - 1] + "…"
    if not shown.isprintable():
        shown = shown.encode("unicode_escape").decode()
    here = "an operator may be missing before it" if shown[:1].isalnum() else None
    return TemplateProblem("E120", f"`{shown}` is not expected here", hint=here, name=stopped_at, line=line)

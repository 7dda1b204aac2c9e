"""Values of templates that stand in a filter without quotes, and most probably are texts."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from runner.expressions import parse
from runner.expressions.parse import Expression, TemplateProblem
from runner.foundation.raw import record
from runner.foundation.values import Json, Path
from runner.job.outline import Outline
from runner.lint.filter_words import VALUE, Found, Word, is_compared, is_literal, is_searched_for

_ODATA: Final = re.compile(r"\|\s*odata\b")
_A_QUOTE: Final = re.compile(r"""\"[^"]*'[^"]*\"""")
"""A quote in a text of an expression."""
_TEXTS: Final = (("target", "name"), ("target", "url"), ("case", "name"))
"""Names that always give a text, and never one that OData reads as a value."""
_OF_A_NAME: Final = 2


def unquoted(found: Sequence[Word], values: Sequence[Expression], known: Outline) -> Iterator[Found]:
    """`values` are the templates that stand for `VALUE` in `found`, in order."""
    passed = 0
    for index, word in enumerate(found):
        if word.text == VALUE and (is_searched_for(found, index) or is_compared(found, index)):
            one = values[passed]
            searched = is_searched_for(found, index)
            if not _writes_quotes(one, known, set()) and _is_text(one, known, searched=searched):
                yield _told(found, index, one)
        passed += word.text.count(VALUE)


def _told(found: Sequence[Word], index: int, one: Expression) -> Found:
    source = one.text.strip()
    message = f"a text stands in quotes here, and `{{{{ {source} }}}}` writes none"
    written = f"{{{{ {source} | odata }}}}"
    before = found[index - 1]
    if before.text == ",":
        shown = f"{found[index].inside}({found[index - 2].text}, {written})"
    else:
        shown = f"{found[index - 2].text if index > 1 else 'Name'} {before.text} {written}"
    return Found(message=message, hint=f"`odata` writes a value and its quotes: `{shown}`", warning=True)


def _writes_quotes(one: Expression, known: Outline, seen: set[Path]) -> bool:
    """Whether the value may bring its own quotes: by itself, or as a var or an output of a step that does.

    `seen` are names that have been looked into, and bring none.
    """
    if _ODATA.search(one.text) or _A_QUOTE.search(one.text):
        return True
    paths = {name.path for name in one.names} - seen
    seen |= paths
    return any(
        "'" in part if isinstance(part, str) else _writes_quotes(part, known, seen)
        for path in paths
        for part in _made_of(path, known)
    )


def _made_of(path: Path, known: Outline) -> Sequence[str | Expression]:
    """What is written behind a name: the template of a var, the expression of an output."""
    try:
        match path:
            case ("vars", str() as name, *_) if isinstance(text := known.vars.get(name), str) and "{{" in text:
                return parse.template(text).parts
            case ("steps", str() as step, "outputs", str() as name) if step in known.by_id:
                text = record(known.by_id[step].step.fields.get("outputs")).get(name)
                return (parse.expression(text),) if isinstance(text, str) else ()
    except TemplateProblem:
        pass
    return ()


def _is_text(one: Expression, known: Outline, *, searched: bool) -> bool:
    """Whether the value is a text that no service reads without quotes. What is searched for is always a text."""
    begun = _beginning(one, known)
    if begun is not None:
        return not is_literal(begun)
    return searched or one.path in _TEXTS


def _beginning(one: Expression, known: Outline) -> str | None:
    """The value of a template, or how it begins, as far as it is written out in the job; None where it is not."""
    if one.path is None or len(one.path) != _OF_A_NAME:
        return None
    root, name = one.path
    written: Json = None
    if root == "vars":
        written = known.vars.get(str(name))
    elif root == "inputs":
        written = record(known.inputs.get(str(name))).get("default")
    return _written_out(written) if isinstance(written, str) else None


def _written_out(text: str) -> str | None:
    if "{{" not in text:
        return text
    try:
        first = parse.template(text).parts[0]
    except TemplateProblem:
        return None
    return first if isinstance(first, str) and first[:1].isalpha() else None

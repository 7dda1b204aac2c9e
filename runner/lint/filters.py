"""The templates in the filter of a `query`: their quotes. `odata/mistakes.py` has what is wrong with the OData itself.

Only types know whether a value is a list, or may hold a quote: `unfit_value` reports once they are known.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from runner.expressions import parse
from runner.expressions.infer import expression_type
from runner.expressions.parse import Expression
from runner.expressions.typed import LIST, NULL, RECORD, Type, in_words, may_hold_quote
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.foundation.values import record
from runner.foundation.values import text as raw_text
from runner.job.outline import Outline, RawStep
from runner.lint.texts import JobLint
from runner.lint.written_values import written_values
from runner.odata.filter import Column, Node, Operation, UnreadWord, nodes_in, readable
from runner.odata.lexer import COMPARISONS, HOLE, TEXT_FUNCTIONS, is_literal
from runner.odata.mistakes import first_mistake, lookup_by_path

Parts: TypeAlias = Sequence[str | Expression]  # a filter: its own text, and the templates in it

_ODATA = lazy_pattern(r"\|\s*odata\s*\Z")
_QUOTING = lazy_pattern(r"""\|\s*odata\b|"[^"]*'[^"]*\"""")
"""The filter `odata`, or a quote in a text of an expression."""
_OF_AN_ID = lazy_pattern(r"(?:^|[\s(/])Id\s+(?:eq|ne)\s+'\Z")
_COLUMN = lazy_pattern(r"(\w+)\s+(?:eq|ne)\s+\Z")
_OF_ID = lazy_pattern(r"\.Id\s*(?:\|\s*odata\s*)?\Z")
_TIGHT = lazy_pattern(r"[\w.]+(?:\[[^\[\]]*\])*[\w.]*(?:\s*\|\s*\w+(?:\([^()]*\))?)*")
"""A name, and filters after it: what another filter may follow."""
_TEXTS = (("target", "name"), ("target", "url"), ("case", "name"))
"""Names that always give a text, and never a text that OData reads as a value."""


def parts_of(filter_text: str) -> Parts:
    """Nothing where it cannot be read, which is reported elsewhere."""
    parsed = parse.readable(parse.template, filter_text)
    return () if parsed is None else parsed.parts


def with_holes(parts: Parts) -> str:
    return "".join(part if isinstance(part, str) else HOLE for part in parts)


def check_filter(step: RawStep, lint: JobLint) -> None:
    """Report the first mistake of a filter, certain mistakes before probable."""
    parts = parts_of(_filter_text(step))
    whole = with_holes(parts)
    if not whole:
        return
    wrong = first_mistake(whole, entity=raw_text(record(step.fields.get("query")), "entity"))
    if wrong is None and (tree := readable(whole)) is not None:
        values = [part for part in parts if isinstance(part, Expression)]
        wrong = next(_unquoted_values(tree, whole, values, step=step, job=lint.outline), None)
    if wrong is not None:
        lint.add_quoted(wrong, (*step.path, "query", "filter"))


def _filter_text(step: RawStep) -> str:
    return raw_text(record(step.fields.get("query")), "filter") or ""


def unfit_value(step: RawStep, names: Mapping[str, Type]) -> Finding | None:
    """The first value that a filter cannot hold."""
    parts = parts_of(_filter_text(step))
    unfit = (
        _no_single_value(part, names, after=str(before))
        for before, part in pairwise(("", *parts))
        if isinstance(part, Expression)
    )
    return next(filter(None, unfit), None) or _quoted_value(parts, names) or next(_lookups(parts, names), None)


def _lookups(parts: Parts, names: Mapping[str, Type]) -> Iterator[Finding]:
    """Ids that are compared with `LeadId`, in place of `Lead/Id`."""
    for before, part in pairwise(parts):
        compared = _COLUMN.search(before) if isinstance(before, str) else None
        if compared is None or isinstance(part, str):
            continue
        if _OF_ID.search(part.text) or expression_type(part, names)[0].form == "guid":
            yield from lookup_by_path(compared[1])


def _no_single_value(value: Expression, names: Mapping[str, Type], *, after: str) -> Finding | None:
    given, source = expression_type(value, names)[0], value.text.strip()
    if not given.kinds & ~NULL or given.kinds & ~(LIST | RECORD | NULL):
        return None
    message = f"a filter compares with one value, and `{{{{ {source} }}}}` is {in_words(given)}"
    if given.kinds & LIST and after.endswith(" in "):
        hint = f"write `in ({{{{ {source} | map('odata') | join(', ') }}}})`"
        return Finding(code="E174", message=message, hint=hint)
    items = given.any_item if given.kinds & LIST else given
    key = ".Id" if items.kinds & RECORD else ""
    hint = f"write `{{{{ {source}{'[0]' * bool(given.kinds & LIST)}{key} | odata }}}}`, without quotes around it"
    return Finding(code="E174", message=message, hint=hint if value.path is not None else None)


def _quoted_value(parts: Parts, names: Mapping[str, Type]) -> Finding | None:
    """A value between the quotes of a filter: its own quotes would end it, and what follows be read as OData."""
    before = ""
    for part, after in pairwise((*parts, "")):
        if isinstance(part, str):
            before += part
            continue
        source, hint = part.text.strip(), _odata_hint(part)
        if not (before.endswith("'") and str(after).startswith("'")):
            hint += """; join what else is in the text to it first, as in `{{ ("A " ~ inputs.b) | odata }}`"""
        if before.count("'") % 2 == 0:
            continue
        if _ODATA.search(part.text):
            message = f"`odata` writes the quotes itself, and `{{{{ {source} }}}}` is in quotes already"
            return Finding(message=message, hint=hint)
        if _OF_AN_ID.search(before):
            message = f"an `Id` is a GUID, and `{{{{ {source} }}}}` is in quotes: a GUID has none"
            return Finding(message=message, hint=hint, warning=True)
        if may_hold_quote(expression_type(part, names)[0]):
            message = f"a quote in the value of `{{{{ {source} }}}}` would end the text of this filter"
            return Finding(message=message, hint=hint, warning=True)
    return None


def _odata_hint(value: Expression) -> str:
    source = _ODATA.sub("", value.text).strip()
    source = source if _TIGHT.fullmatch(source) else f"({source})"
    return f"write `{{{{ {source} | odata }}}}`, without quotes around it"


def _unquoted_values(
    tree: Node, whole: str, values: Sequence[Expression], *, step: RawStep, job: Outline
) -> Iterator[Finding]:
    """Values without quotes that most probably are texts; `values` are the templates in the holes, in order."""
    for node in nodes_in(tree):
        match node:
            case Operation(name=name, operands=(left, UnreadWord(token=token))) if name.casefold() in COMPARISONS:
                is_text = isinstance(left, Column) and left.path.endswith("Name")
            case Operation(name=name, operands=(Column(), UnreadWord(token=token))) if name in TEXT_FUNCTIONS:
                is_text = True
            case _:
                continue
        if token.text != HOLE:
            continue
        value = values[whole[: token.start].count(HOLE)]
        if _needs_quotes(value, step, job, is_text=is_text):
            message = f"a text needs quotes here, and `{{{{ {value.text.strip()} }}}}` writes none"
            yield Finding(message=message, hint=_odata_hint(value), warning=True)


def _needs_quotes(value: Expression, step: RawStep, job: Outline, *, is_text: bool) -> bool:
    """Whether a text lacks the quotes that the service needs. `is_text`: it is certainly compared with a text."""
    if _QUOTING.search(value.text):
        return False
    match value.path:
        case ("vars", str() as name) if isinstance(text := job.vars.get(name), str) and "{{" in text:
            return text[0].isalpha() and "'" not in text
        case path if path in _TEXTS:
            return True
    known = [each.value for each in written_values(f"{{{{ {value.text} }}}}", step, job)]
    if known:
        return any(isinstance(each, str) and not is_literal(each) for each in known)
    return is_text and value.path is not None and value.path[0] in ("inputs", "run")

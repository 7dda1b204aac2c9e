"""What steps give, between the quotes of a filter: by its type it may hold a quote of its own, or never does."""

from collections.abc import Iterator, Mapping
from itertools import islice

from runner.expressions import parse
from runner.expressions.inferring import of_expression, of_path
from runner.expressions.parse import Expression, TemplateProblem
from runner.expressions.typed import LIST, RECORD, TEXT, Type
from runner.foundation.raw import record
from runner.foundation.raw import text as raw_text
from runner.foundation.values import Path
from runner.job.outline import Outline, RawStep
from runner.lint.filters import ending_the_text, in_quotes
from runner.lint.quotes import Quotes


def quotes_of_results(step: RawStep, known: Outline, names: Mapping[str, Type]) -> Iterator[tuple[str, str]]:
    """The message and the hint of the first template whose value may end the text around it, and is of a step."""
    text = raw_text(record(step.fields["query"]), "filter") or ""
    try:
        parts = parse.template(text).parts
    except TemplateProblem:
        return

    def by_type(path: Path) -> bool:
        return _may_hold_a_quote(of_path(path, names))

    quotes = Quotes(known=known, step=step, of_result=by_type)
    without = Quotes(known=known, step=step, of_result=lambda _: False)
    found = [(index, part) for index, part in in_quotes(parts) if not _is_told(part, without)]
    if len(found) == len([*in_quotes(parts)]):
        told = ((index, part) for index, part in found if quotes.may_be_in(part) and _may(part, names))
        yield from (ending_the_text(parts, index, part) for index, part in islice(told, 1))


def _is_told(part: Expression, without: Quotes) -> bool:
    """Whether the filter's own rules have told of it."""
    return part.text.rstrip().endswith("odata") or without.may_be_in(part)


def _may(part: Expression, names: Mapping[str, Type]) -> bool:
    return _may_hold_a_quote(of_expression(part, names)[0])


def _may_hold_a_quote(one: Type) -> bool:
    """Whether a text of this type, or one in a list or a record of it, can."""
    if one.kinds & TEXT and one.form is None and (one.words is None or any("'" in word for word in one.words)):
        return True
    if one.kinds & LIST and _may_hold_a_quote(one.of_items):
        return True
    return bool(one.kinds & RECORD) and (one.fields is None or any(map(_may_hold_a_quote, one.fields.values())))

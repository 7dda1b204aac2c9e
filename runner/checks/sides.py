"""What an expectation wanted beside what there was, as values: for reports that lay the two side by side."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from runner.checks.reasons import first_difference, nearest
from runner.expressions.evaluate import Scope
from runner.expressions.explain import FailedSearch, FalseComparison, FalsePart, SeenValue, false_parts
from runner.expressions.parse import Expression
from runner.expressions.source import dotted
from runner.foundation.values import Json, Path, compact
from runner.json_schema.violations import Violation
from runner.runs.evidence import Difference

MOST_DIFFERENCES: Final = 3
_CONTAINS: Final = {"in": "contains", "not in": "does not contain"}
LARGEST_SIDE: Final = 16 << 10
"""Characters of the JSON of a value that is laid beside another. Of larger ones the first parts that differ are."""


def sides_of(parsed: Expression, scope: Scope) -> tuple[Difference, ...]:
    """The sides that made the expression false, three at most; none for very large values."""
    found = (_sides(part) for part in false_parts(parsed, scope))
    return tuple(islice(filter(_fits, filter(None, found)), MOST_DIFFERENCES))


def sides_of_schema(violations: Sequence[Violation]) -> tuple[Difference, ...]:
    """The values that do not fit a schema, beside what it expects of each."""
    found = (
        Difference(
            source=dotted(("result", *violation.path)),
            sign=violation.keyword,
            expected=violation.expected,
            actual=violation.value,
        )
        for violation in violations
    )
    return tuple(islice(filter(_fits, found), MOST_DIFFERENCES))


def _sides(part: FalsePart) -> Difference | None:
    match part:
        case FalseComparison(left=left, sign=sign, right=right):
            if sign in _CONTAINS and left.source.startswith(('"', "'")):  # a text that is searched for in what came
                return Difference(source=right.source, sign=_CONTAINS[sign], expected=left.value, actual=right.value)
            path: Path = ()
            actual, expected = left.value, right.value
            if sign == "==" and not (_is_small(actual) and _is_small(expected)):
                path, actual, expected = first_difference(actual, expected)
            source = dotted((left.source, *path)) if path else left.source
            return Difference(source=source, sign=sign, expected=expected, actual=actual)
        case FailedSearch(source=source, wanted=SeenValue() as came, values=values) if source.startswith("["):
            return Difference(source=came.source, sign="in", expected=list(values), actual=came.value)
        case FailedSearch(wanted=SeenValue(value=wanted), values=values):
            index = nearest(wanted, values) if part.sign == "==" else None
            return Difference(
                source=part.source if part.attribute is None else f"{part.source}[].{part.attribute}",
                sign=part.sign,
                expected=wanted,
                actual=None if index is None else values[index],
                at=index,
                among=len(values),
            )
        case _:
            return None


def _fits(difference: Difference) -> bool:
    return _is_small(difference.expected) and _is_small(difference.actual)


def _is_small(value: Json) -> bool:
    return len(compact(value)) <= LARGEST_SIDE

"""Compares an expectation with what a step gave, and says why it is not met, in some 600 characters.

What cannot be evaluated is not met either: a missing key is news about the answer.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runner.checks.reasons import first_difference, nearest, reasons
from runner.checks.shown import MOST, HoldsSecret, always, as_many_as_fit, shortened, shown, shown_start
from runner.expressions.errors import EvaluationError, TemplateProblem
from runner.expressions.evaluate import Scope, boolean, render
from runner.expressions.explain import FailedSearch, FalseComparison, FalsePart, SeenValue, false_parts, values_seen
from runner.expressions.parse import Expression, Template, expression, template
from runner.expressions.source import dotted
from runner.foundation.values import Json, ValuePath, compact
from runner.job.model import Expectation, Expected, SchemaExpectation
from runner.json_schema.schemas import from_job
from runner.json_schema.violations import Violation
from runner.runs.events import Check, Trouble
from runner.runs.evidence import Difference

_MOST_VALUES = 6
_SPEAKS_OF_ANY = frozenset({"type", "enum", "const", "not", "allOf", "anyOf", "oneOf", "if", "$ref", "$dynamicRef"})
"""Keywords of a JSON Schema that check null, too."""
_MOST_VIOLATIONS = 3
_LONGEST_MESSAGE = MOST * 2 // 3


class Seen(Struct, frozen=True, kw_only=True):
    """What expectations are held against, in whose `scope` `result` is what the step gave; and what may be shown of it.

    `secret`: no value is, nor that of an expression that `is_secret`. Texts are cut only where `holds_secret` is false.
    """

    scope: Scope
    secret: bool = False
    is_secret: Callable[[Expression | Template], bool] = lambda _: False
    holds_secret: HoldsSecret = always


def check(expected: Expected, seen: Seen) -> tuple[Check, Trouble | None]:
    """Compare `expected` with what was `seen`. Not met is E201, not evaluated E202."""
    match expected:
        case Expectation():
            return _check_expression(expected, seen)
        case SchemaExpectation():
            return _check_schema(expected, seen)


def _check_expression(expected: Expectation, seen: Seen) -> tuple[Check, Trouble | None]:
    that = expected.that.strip()
    named = f"`{shortened(that, seen.holds_secret, instead='the expectation')}`"
    try:
        parsed = expression(expected.that)
        if seen.is_secret(parsed):
            seen = replace(seen, secret=True)
        met = boolean(parsed, seen.scope)
    except TemplateProblem as problem:
        found = problem.finding
        return _not_met(that, f"{named} cannot be evaluated: {found.message}", hint=found.hint, code="E202")
    except EvaluationError as raised:
        error = raised.without_values(that) if seen.secret else raised
        rest = error.message.removeprefix(f"`{that}` ")
        why = f"{named} {rest}" if rest != error.message else f"{named} cannot be evaluated: {rest}"
        explained = _explained(why, parsed, seen, first="; ")
        return _not_met(that, explained, hint=error.hint, code="E202", differences=_sides(parsed, seen))
    if met:
        return Check(that=that, passed=True), None
    why = _message(expected.message, seen) or f"{named} is false"
    explained = _explained(why, parsed, seen, first=": ")
    return _not_met(that, explained, hint=None, code="E201", differences=_sides(parsed, seen))


def _check_schema(expected: SchemaExpectation, seen: Seen) -> tuple[Check, Trouble | None]:
    that = f"result fits {shown(expected.schema)}"
    result, schema = seen.scope.names.get("result"), expected.schema
    violations = from_job(schema).violations(result)
    if not violations and result is None and isinstance(schema, dict) and _SPEAKS_OF_ANY.isdisjoint(schema):
        hint = 'write `type` into the schema, with "null" in it where a null is right'
        return _not_met(that, "`result` is null, of which its schema checks nothing", hint=hint, code="E202")
    if not violations:
        return Check(that=that, passed=True), None
    why = _message(expected.message, seen) or "`result` does not fit its schema"
    places = [_violation(found, seen) for found in violations[:_MOST_VIOLATIONS]]
    more = len(violations) - _MOST_VIOLATIONS
    listed = as_many_as_fit(why, [*places, f"and {more:,} more"] if more > 0 else places)
    message = f"{why.rstrip('.')}: {', '.join(listed)}" if listed else why
    differences = () if seen.secret else sides_of_schema(violations)
    return _not_met(that, message, hint=None, code="E201", differences=differences)


def _violation(found: Violation, seen: Seen) -> str:
    place = f"`{dotted(('result', *found.path))}`"
    return f"{place} does not fit `{found.keyword}`" if seen.secret else f"{place} ({found.message})"


def _sides(parsed: Expression, seen: Seen) -> tuple[Difference, ...]:
    return () if seen.secret else sides_of(parsed, seen.scope)


def _not_met(
    that: str, message: str, *, hint: str | None, code: str, differences: tuple[Difference, ...] = ()
) -> tuple[Check, Trouble]:
    check = Check(that=that, passed=False, message=message, differences=differences)
    return check, Trouble(code=code, message=message, hint=hint)


def _message(written: str | None, seen: Seen) -> str | None:
    """The author's own sentence. If it cannot be rendered, it must not hide the failure."""
    if written is None:
        return None
    try:
        parsed = template(written)
        is_hidden = (seen.secret and not parsed.is_plain) or seen.is_secret(parsed)
        rendered = None if is_hidden else render(parsed, seen.scope)
    except (EvaluationError, TemplateProblem):
        return written.strip()
    if rendered is None:
        return None
    text = rendered.strip() if isinstance(rendered, str) else compact(rendered)
    if len(text) <= _LONGEST_MESSAGE:
        return text
    return f"a message of {len(text):,} characters" if seen.holds_secret(text) else f"{text[:_LONGEST_MESSAGE]}…"


def _explained(sentence: str, parsed: Expression, seen: Seen, *, first: str) -> str:
    """The sentence with what explains it, as far as there is room: reasons before values."""
    if seen.secret:
        return sentence
    start = sentence.rstrip(".")
    why = dict.fromkeys(reasons(parsed, seen.scope, seen.holds_secret))
    known = {start, *(reason.removeprefix("its part ") for reason in why)}
    values = [value for value in _values(parsed, seen, has_reason=bool(why)) if value not in known]
    fitting = as_many_as_fit(start, [*why, *values])
    parts = ["; ".join(part for part in fitting if part in why), ", ".join(part for part in fitting if part in values)]
    listed = "; ".join(filter(None, parts))
    return f"{start}{first}{listed}" if listed else sentence


def _values(parsed: Expression, seen: Seen, *, has_reason: bool) -> list[str]:
    found = values_seen(parsed, seen.scope)[:_MOST_VALUES]
    if not has_reason:
        return [f"`{each.source}` is {shown_start(each.value, seen.holds_secret)}" for each in found]
    # The reason says what matters of a list: beside it a single list or record is enough.
    scalars = [each for each in found if not isinstance(each.value, (list, dict))]
    others = [each for each in found if isinstance(each.value, (list, dict))]
    return [f"`{each.source}` is {shown(each.value)}" for each in scalars + others[-1:]]


MOST_DIFFERENCES: Final = 3
_CONTAINS: Final = {"in": "contains", "not in": "does not contain"}
LARGEST_SIDE: Final = 16 << 10
"""Characters of the JSON of a value that is laid beside another. Of larger ones the first parts that differ are."""


def sides_of(parsed: Expression, scope: Scope) -> tuple[Difference, ...]:
    """The sides that made the expression false, three at most; none for very large values."""
    found = (_both_sides(part) for part in false_parts(parsed, scope))
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


def _both_sides(part: FalsePart) -> Difference | None:
    match part:
        case FalseComparison(left=left, sign=sign, right=right):
            if sign in _CONTAINS and left.source.startswith(('"', "'")):  # a text that is searched for in what came
                return Difference(source=right.source, sign=_CONTAINS[sign], expected=left.value, actual=right.value)
            path: ValuePath = ()
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

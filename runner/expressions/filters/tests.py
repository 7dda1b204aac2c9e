"""The tests after `is`: questions to a value that are answered with true or false."""

from collections.abc import Mapping
from typing import Final

from runner.expressions import typed
from runner.expressions.comparisons import compare_types
from runner.expressions.errors import EvaluationError
from runner.expressions.filters.record import Arguments, ValueTest, check_kind, kinds_in_words
from runner.expressions.filters.texts import with_pattern
from runner.expressions.operations import Absent, Value, present
from runner.expressions.operators import contains, equal, less
from runner.expressions.type_check import TypeCheck, TypedPart, needs_number
from runner.expressions.typed import BOOLEAN, LIST, NUMBER, RECORD, TEXT
from runner.foundation import patterns
from runner.foundation.values import Json, is_number, kind_of

ABSENCE: Final = frozenset({"defined", "undefined"})  # the tests that may be asked of what is absent


def _whole(name: str, value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise EvaluationError(f"`{name}` asks about a whole number, not {kind_of(value)}")
    return value


def _match(text: str, pattern: Json) -> bool:
    """Whether the text begins with the pattern; `$` at its end makes it the whole text."""
    return with_pattern("match", pattern, lambda expression: patterns.match(expression, text)) is True


_NAMED: Mapping[str, ValueTest] = {
    "defined": ValueTest(call=lambda value: not isinstance(value, Absent)),
    "undefined": ValueTest(call=lambda value: isinstance(value, Absent)),
    "none": ValueTest(call=lambda value: value is None),
    "string": ValueTest(call=lambda value: isinstance(value, str), kind=TEXT),
    "number": ValueTest(call=is_number, kind=NUMBER),
    "integer": ValueTest(call=lambda value: type(value) is int, kind=NUMBER),
    "float": ValueTest(call=lambda value: isinstance(value, float), kind=NUMBER),
    "boolean": ValueTest(call=lambda value: isinstance(value, bool), kind=BOOLEAN),
    "true": ValueTest(call=lambda value: equal(value, True, "true")),  # noqa: FBT003  a value of JSON
    "false": ValueTest(call=lambda value: equal(value, False, "false")),  # noqa: FBT003  likewise
    "mapping": ValueTest(call=lambda value: isinstance(value, dict), kind=RECORD),
    # In Jinja texts and records are sequences too, which would let a text pass for a list of records.
    "sequence": ValueTest(call=lambda value: isinstance(value, list), kind=LIST),
    "odd": ValueTest(call=lambda value: _whole("odd", value) % 2 == 1),
    "even": ValueTest(call=lambda value: _whole("even", value) % 2 == 0),
    "match": ValueTest(call=_match, takes=TEXT, pattern=True),
    "in": ValueTest(call=lambda value, container: contains(container, value), comparison="in"),
    "eq": ValueTest(call=lambda value, other: equal(value, other, "eq"), comparison="eq"),
    "ne": ValueTest(call=lambda value, other: not equal(value, other, "ne"), comparison="ne"),
    "lt": ValueTest(call=lambda value, other: less(value, other, "lt"), comparison="lt"),
    "le": ValueTest(call=lambda value, other: not less(other, value, "le"), comparison="lteq"),
    "gt": ValueTest(call=lambda value, other: less(other, value, "gt"), comparison="gt"),
    "ge": ValueTest(call=lambda value, other: not less(value, other, "ge"), comparison="gteq"),
}
_ALIASES = {
    **dict.fromkeys(("==", "equalto"), "eq"),
    "!=": "ne",
    **dict.fromkeys(("<", "lessthan"), "lt"),
    "<=": "le",
    **dict.fromkeys((">", "greaterthan"), "gt"),
    ">=": "ge",
}
"""Jinja's other names of the same tests. Those that are signs are named as a text: `selectattr("A", "==", 1)`."""

TESTS: Mapping[str, ValueTest] = {**_NAMED, **{alias: _NAMED[name] for alias, name in _ALIASES.items()}}


def apply_test(name: str, value: Value, arguments: list[Json]) -> bool:
    if name in ABSENCE:
        return TESTS[name].call(value)
    given = present(value)
    check_kind(name, TESTS[name].takes, given)
    return TESTS[name].call(given, *arguments)


def check_test_types(name: str, part: TypedPart, arguments: Arguments, check: TypeCheck) -> None:
    """Report a test that surely breaks, or has a known outcome."""
    test = TESTS.get(name)
    if test is None:
        return
    if test.comparison and arguments.given:
        compare_types(part, test.comparison, arguments.given[0], check)
    elif name in ("odd", "even"):
        needs_number(part, f"`{name}` asks about a whole number", check)
    elif test.takes != typed.ANYTHING:
        check.require(test.takes, part, f"`{name}` takes {kinds_in_words(test.takes)}")


def check_possible(name: str, part: TypedPart, check: TypeCheck) -> None:
    """Report a test for a kind that a value is never of, where all depends on the test."""
    kind = TESTS[name].kind
    if kind and not check.may_fail and not part.type.may_be(kind):
        right = next((other for other, test in _NAMED.items() if test.kind and test.kind == part.type.kinds), None)
        hint = f"write `{part.source} is {right}`" if right else None
        check.report("E177", f"`{part.source}` is {typed.in_words(part.type)}: it is never `{name}`", hint=hint)

"""The tests behind `is`: questions to a value that are answered with true or false."""

from collections.abc import Callable

from runner.expressions.errors import EvaluationError
from runner.expressions.operations import Absent, Value, contains, less, present, same
from runner.expressions.scalar_filters import matches
from runner.expressions.signatures import Called, called
from runner.foundation.values import Json, is_number, kind_of


def _defined(value: Value) -> bool:
    return not isinstance(value, Absent)


def _undefined(value: Value) -> bool:
    return isinstance(value, Absent)


def _none(value: Json) -> bool:
    return value is None


def _string(value: Json) -> bool:
    return isinstance(value, str)


def _integer(value: Json) -> bool:
    return type(value) is int


def _float(value: Json) -> bool:
    return isinstance(value, float)


def _boolean(value: Json) -> bool:
    return isinstance(value, bool)


def _true(value: Json) -> bool:
    return value is True


def _false(value: Json) -> bool:
    return value is False


def _mapping(value: Json) -> bool:
    return isinstance(value, dict)


def _sequence(value: Json) -> bool:
    """A list; in Jinja texts and records are sequences too, which would let a text pass for a list of records."""
    return isinstance(value, list)


def _odd(value: Json) -> bool:
    return _whole("odd", value) % 2 == 1


def _even(value: Json) -> bool:
    return _whole("even", value) % 2 == 0


def _in(value: Json, container: Json) -> bool:
    return contains(container, value)


def _differs(value: Json, other: Json) -> bool:
    return not same(value, other)


def _lt(value: Json, other: Json) -> bool:
    return less(value, other, "lt")


def _le(value: Json, other: Json) -> bool:
    return not less(other, value, "le")


def _gt(value: Json, other: Json) -> bool:
    return less(other, value, "gt")


def _ge(value: Json, other: Json) -> bool:
    return not less(value, other, "ge")


def _whole(name: str, value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise EvaluationError(f"`{name}` asks about a whole number, not {kind_of(value)}")
    return value


_FUNCTIONS: dict[str, Callable[..., bool]] = {
    "defined": _defined,
    "undefined": _undefined,
    "none": _none,
    "string": _string,
    "number": is_number,
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "true": _true,
    "false": _false,
    "mapping": _mapping,
    "sequence": _sequence,
    "odd": _odd,
    "even": _even,
    "in": _in,
    "eq": same,
    "ne": _differs,
    "lt": _lt,
    "le": _le,
    "gt": _gt,
    "ge": _ge,
    "match": matches,
}

ALIASES = {
    **dict.fromkeys(("==", "equalto"), "eq"),
    "!=": "ne",
    **dict.fromkeys(("<", "lessthan"), "lt"),
    "<=": "le",
    **dict.fromkeys((">", "greaterthan"), "gt"),
    ">=": "ge",
}
"""Jinja's other names of the same tests. Those that are signs are named as a text: `selectattr("A", "==", 1)`."""

TESTS: dict[str, Called[bool]] = {name: called(_FUNCTIONS[ALIASES.get(name, name)]) for name in (*_FUNCTIONS, *ALIASES)}
_OF_ABSENCE = frozenset({"defined", "undefined"})


def apply_test(name: str, value: Value, arguments: list[Json]) -> bool:
    """Ask `name` of `value`. Only `defined` and `undefined` may be asked of what is absent."""
    return TESTS[name].call(value if name in _OF_ABSENCE else present(value), *arguments)

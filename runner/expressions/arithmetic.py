"""Arithmetic of expressions: between numbers, and `+` also between two texts or two lists. Always within bounds."""

from collections.abc import Callable

from runner.expressions.errors import EvaluationError
from runner.expressions.operations import LARGEST_TEXT, joined, number
from runner.foundation.values import Json, is_number, kind_of


def negated(value: Json) -> Json:
    return number(-_one("-", value))


def signed(value: Json) -> Json:
    return _one("+", value)


def _one(sign: str, value: Json) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise EvaluationError(f"`{sign}` takes a number, not {kind_of(value)}")
    return value


def _add(left: Json, right: Json) -> Json:
    match left, right:
        case str(), str():
            return joined([left, right])
        case list(), list():
            if len(left) + len(right) > LARGEST_TEXT:
                raise EvaluationError("the list is too long")
            return left + right
        case _ if is_number(left) and is_number(right):
            return _between_numbers("+", lambda a, b: a + b)(left, right)
        case _:
            hint = "`~` puts any values into a text" if isinstance(left, str) or isinstance(right, str) else None
            what = f"{kind_of(left)} and {kind_of(right)}"
            raise EvaluationError(f"`+` adds two numbers, two texts or two lists, not {what}", hint=hint)


def _between_numbers(sign: str, calculate: Callable[[float, float], float]) -> Callable[[Json, Json], Json]:
    def checked(left: Json, right: Json) -> Json:
        if (
            isinstance(left, bool)
            or isinstance(right, bool)
            or not isinstance(left, (int, float))
            or not isinstance(right, (int, float))
        ):
            raise EvaluationError(f"`{sign}` stands between two numbers, not {kind_of(left)} and {kind_of(right)}")
        try:
            return number(calculate(left, right))
        except ZeroDivisionError:
            raise EvaluationError(f"`{sign}` by zero") from None
        except OverflowError:
            raise EvaluationError("the number is too large") from None

    return checked


ARITHMETIC: dict[str, Callable[[Json, Json], Json]] = {
    "+": _add,
    "-": _between_numbers("-", lambda a, b: a - b),
    "*": _between_numbers("*", lambda a, b: a * b),
    "/": _between_numbers("/", lambda a, b: a / b),
    "//": _between_numbers("//", lambda a, b: a // b),
    "%": _between_numbers("%", lambda a, b: a % b),
}
"""By the sign that Jinja's nodes carry."""

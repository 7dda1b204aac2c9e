"""What operators do with JSON values: tables of comparisons and arithmetic. A boolean is no number; 64 bits."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from runner.expressions.errors import EvaluationError
from runner.expressions.operations import LARGEST_TEXT, joined, number
from runner.foundation.foreign_dates import BEGINS_WITH_DAY
from runner.foundation.lazy import lazy_pattern
from runner.foundation.server_time import parse_record
from runner.foundation.values import Json, compact, is_guid, is_number, kind_of

_NUMBER = lazy_pattern(r"\s*[+-]?[0-9]{1,99}(?:\.[0-9]{1,99})?(?:[eE][+-]?[0-9]{1,3})?\s*")


_LIKE_A_NUMBER = lazy_pattern(r"\s*[+-]?[.,]?[0-9][0-9.,' \u00a0\u202f]*(?:[eE][+-]?[0-9]{1,3})?\s*")
"""Also as countries and accountants write numbers."""
_NUMBER_AND_UNIT = lazy_pattern(r"\s*[+\-\u2212]?[.,]?\d[\d.,' \u00a0\u202f]*+(?:[eE][+-]?\d{1,3})?+\D*+")
"""`0 USD`, but no id, day or phone number, which have digits also later."""
_BEGINS_WITH_NUMBER = lazy_pattern(r"\W{0,2}([0-9]+)")
_DIGIT = lazy_pattern(r"[0-9]")
_ISO_DAY = lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR = lazy_pattern(r"[0-9]{4}(?:-[0-9]{2})?\Z")
_ISO_TIME = lazy_pattern(r"[0-9-]{10}[T ][0-9:.]+(?P<zone>Z|[+-][0-9:]+)?")
_AS_NUMBER = "`| float` reads a text as a number, `| replace(',', '.') | float` also `9,5`"
_VERSION = lazy_pattern(r"[0-9]+(?:\.[0-9]+){2}")
_OF_VERSION = '`| regex_search("^[0-9]+") | int` is the first number of a version'
_SHOWN = 40


class ComparisonOperator(Struct, frozen=True, kw_only=True):
    """`test` asks the same of each item of a list, as in `select("ge", 5)`; `not in` has none."""

    sign: str
    test: str
    holds: Callable[[Json, Json], bool]


def same(left: Json, right: Json) -> bool:
    """Equality of JSON: 1 equals 1.0, and true equals neither."""
    if left != right:
        return False
    match left, right:
        case list(), list():
            return left is right or all(map(same, left, right))
        case dict(), dict():
            return left is right or all(same(item, right[key]) for key, item in left.items())
        case _:
            return isinstance(left, bool) == isinstance(right, bool)


def equal(left: Json, right: Json, sign: str) -> bool:
    """Whether two values are the same. Raises `EvaluationError` for kinds that look alike: `!=` would hold."""
    if same(left, right):
        return True
    _check_comparable(left, right, sign)
    return False


def _check_comparable(left: Json, right: Json, sign: str) -> None:
    match left, right:
        case list(), list():
            for left_item, right_item in zip(left, right, strict=False):
                _check_comparable(left_item, right_item, sign)
        case dict(), dict():
            for key in left:
                _check_comparable(left[key], right.get(key), sign)
        case str(), str() if left != right and is_guid(left) and left.lower() == right.lower():
            both = f"{compact(left)} and {compact(right)}"
            message = f"`{sign}` compares ids that differ in small and capital letters only: {both}"
            raise EvaluationError(message, hint="`| lower` writes an id as the service does")
        case _ if (hint := _never_equal(left, right)) is not None:
            sides = f"{_named(left)} with {_named(right)}"
            raise EvaluationError(f"`{sign}` compares {sides}: they are never equal", hint=hint)
        case _:
            pass


def _never_equal(left: Json, right: Json) -> str | None:
    """What to write where values of two kinds look alike; a text such as `n/a` may stand for no number, or no list."""
    kinds = {kind_of(left), kind_of(right)}
    text = next((each for each in (left, right) if isinstance(each, str)), "")
    if kinds in ({"a boolean", "a text"}, {"a boolean", "a number"}):
        return "a boolean is `true` or `false` without quotes, and no number; a text is in quotes"
    if kinds == {"a text", "a number"} and _NUMBER_AND_UNIT.fullmatch(text):
        return "a number is written without quotes; `| int` and `| float` read a text as a number"
    if kinds & {"a list", "a record"} and text.lstrip().startswith(("[", "{")):
        return "a list or a record is written without quotes; `| from_json` reads a text as JSON"
    return None


def _named(value: Json) -> str:
    return f"{kind_of(value).replace('a ', 'the ', 1)} {compact(value)[:_SHOWN]}"


def spelled_numbers(texts: Iterable[str]) -> list[Decimal] | None:
    """The numbers that all texts spell, with all digits, else None. A site answers many numbers as texts."""
    found = list(texts)
    return [Decimal(text.strip()) for text in found] if all(map(_NUMBER.fullmatch, found)) else None


def ordered_texts(texts: Sequence[str]) -> Sequence[Decimal | float] | None:
    """What texts are ordered by that all spell numbers, or moments with time zones; None: letters."""
    moments = [parse_record(text) for text in texts]
    return spelled_numbers(texts) or (None if None in moments else [moment or 0 for moment in moments])


def check_letters(texts: Sequence[str], sign: str) -> None:
    """Raise `EvaluationError` where the order of letters is not that of the values. A day and a year are fine."""
    shown = " and ".join(compact(text)[:_SHOWN] for text in texts[:2])
    days, years = (sum(map(bool, map(pattern.match, texts))) for pattern in (_ISO_DAY, _YEAR))
    zones = {found["zone"] is not None for found in map(_ISO_TIME.fullmatch, texts) if found}
    as_number = _OF_VERSION if any(map(_VERSION.match, texts)) else _AS_NUMBER
    numbers = [found[1] for found in map(_BEGINS_WITH_NUMBER.match, texts) if found]
    if any(map(BEGINS_WITH_DAY.match, texts)) or 0 < days < len(texts) - years:
        what, hint = "not each begins with its year", "compare days that are written as `2026-12-31`"
    elif len({_DIGIT.sub("0", text) for text in texts}) == 1:  # digits in the same places
        return
    elif len(zones) > 1:
        what, hint = "not each has a time zone", "compare the days: `[:10]` is the day of a moment"
    elif any(map(_LIKE_A_NUMBER.fullmatch, texts)) and not days:
        what, hint = "not each is a number like `9.5`", as_number
    elif len(numbers) == len(texts) and len(set(map(len, numbers))) > 1 and not all(map(is_guid, texts)):
        what, hint = "their numbers are not of the same length", as_number
    else:
        return
    raise EvaluationError(f"`{sign}` compares {shown} letter by letter, and {what}", hint=hint)


def less(left: Json, right: Json, sign: str) -> bool:
    """Order of two numbers, of two texts that both spell numbers or moments, or of two texts by code point."""
    if isinstance(left, str) and isinstance(right, str):
        keys = ordered_texts([left, right])
        if keys is not None:
            return keys[0] < keys[1]
        check_letters([left, right], sign)
        return left < right
    if is_number(left) and is_number(right):
        return left < right
    message = f"`{sign}` compares two numbers or two texts, not {kind_of(left)} with {kind_of(right)}"
    texts = isinstance(left, str) or isinstance(right, str)
    numbers = is_number(left) or is_number(right)
    hint = "`| int` and `| float` read a text as a number" if texts and numbers else None
    raise EvaluationError(message, hint=hint)


def contains(container: Json, item: Json) -> bool:
    """Whether `item` is in a list, a part of a text or a key of a record."""
    if isinstance(container, list):
        if any(same(item, each) for each in container):
            return True
        others = [each for each in container if kind_of(each) == kind_of(item)]
        for each in container if not others else others if isinstance(item, str) and is_guid(item) else ():
            _check_comparable(item, each, "in")
        return False
    if not isinstance(container, (str, dict)):
        raise EvaluationError(f"`in` looks into a list, a text or a record, not into {kind_of(container)}")
    if not isinstance(item, str):
        raise EvaluationError(f"`in` looks for a text in {kind_of(container)}, not for {kind_of(item)}")
    return item in container


def number_for(name: str, value: Json) -> int | float:
    """A value as the number that a filter, or a sign, takes."""
    if not is_number(value):
        raise EvaluationError(f"`{name}` takes a number, not {kind_of(value)}")
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
            return _add_numbers(left, right)
        case _:
            hint = "`~` puts any values into a text" if isinstance(left, str) or isinstance(right, str) else None
            what = f"{kind_of(left)} and {kind_of(right)}"
            raise EvaluationError(f"`+` adds two numbers, two texts or two lists, not {what}", hint=hint)


def _between_numbers(sign: str, calculate: Callable[[float, float], float]) -> Callable[[Json, Json], Json]:
    def checked(left: Json, right: Json) -> Json:
        if not is_number(left) or not is_number(right):
            raise EvaluationError(f"`{sign}` takes two numbers, not {kind_of(left)} and {kind_of(right)}")
        try:
            return number(calculate(left, right))
        except ZeroDivisionError:
            raise EvaluationError(f"`{sign}` by zero") from None
        except OverflowError:
            raise EvaluationError("the number is too large") from None

    return checked


_add_numbers = _between_numbers("+", operator.add)

COMPARISONS: Final[Mapping[str, ComparisonOperator]] = {
    "eq": ComparisonOperator(sign="==", test="eq", holds=lambda left, right: equal(left, right, "==")),
    "ne": ComparisonOperator(sign="!=", test="ne", holds=lambda left, right: not equal(left, right, "!=")),
    "lt": ComparisonOperator(sign="<", test="lt", holds=lambda left, right: less(left, right, "<")),
    "lteq": ComparisonOperator(sign="<=", test="le", holds=lambda left, right: not less(right, left, "<=")),
    "gt": ComparisonOperator(sign=">", test="gt", holds=lambda left, right: less(right, left, ">")),
    "gteq": ComparisonOperator(sign=">=", test="ge", holds=lambda left, right: not less(left, right, ">=")),
    "in": ComparisonOperator(sign="in", test="in", holds=lambda left, right: contains(right, left)),
    "notin": ComparisonOperator(sign="not in", test="", holds=lambda left, right: not contains(right, left)),
}
"""By the word that Jinja's nodes carry."""

ARITHMETIC: Final[Mapping[str, Callable[[Json, Json], Json]]] = {
    "+": _add,
    "-": _between_numbers("-", operator.sub),
    "*": _between_numbers("*", operator.mul),
    "/": _between_numbers("/", operator.truediv),
    "//": _between_numbers("//", operator.floordiv),
    "%": _between_numbers("%", operator.mod),
}
"""By the sign that Jinja's nodes carry."""

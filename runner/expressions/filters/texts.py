"""Filters of texts and numbers, and of texts of other formats. A result beyond its bound is refused before it is made.

They do what Jinja's of the same name do, but an unreadable number is an error: `"n/a" | int`.
"""

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from urllib.parse import quote

from runner.expressions import typed
from runner.expressions.errors import EvaluationError
from runner.expressions.filters.record import Arguments, Filter
from runner.expressions.operations import (
    LARGEST_TEXT,
    Absent,
    Value,
    as_json,
    as_text,
    bounded,
    number,
    room_for,
    small,
)
from runner.expressions.type_check import TypeCheck, TypedPart, reading_hint
from runner.expressions.typed import A_NUMBER, A_TEXT, BOOLEAN, NULL, NUMBER, TEXT, Type
from runner.foundation import patterns
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, can_be_sent, compact, is_long_amount, is_number, kind_of, leaves, read_json

_FINEST = 20
_INTEGER = lazy_pattern(r"\s*[+-]?[0-9]{1,30}\s*")
_NUMBER = lazy_pattern(r"\s*[+-]?[0-9]{1,330}(\.[0-9]{0,330})?([eE][+-]?[0-9]{1,4})?\s*")
_BARE_IN_ODATA = lazy_pattern(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def text_for(name: str, value: Json, what: str = "a text") -> str:
    """An argument as the text that `name` takes."""
    if not isinstance(value, str):
        raise EvaluationError(f"`{name}` takes {what}, not {kind_of(value)}")
    return value


def _integer_for(name: str, value: Json, *, lowest: int, highest: int) -> int:
    """An argument that says how much, as a whole number within bounds."""
    if type(value) is not int or not lowest <= value <= highest:
        raise EvaluationError(f"`{name}` takes a whole number from {lowest} to {highest}")
    return value


def default(value: Value, default_value: Json = "", boolean: Json = False) -> Json:  # noqa: FBT002  called with JSON
    if isinstance(value, Absent) or value is None or (boolean and not value):
        return default_value
    return value


def _trim(text: str, chars: Json = None) -> Json:
    return text.strip(None if chars is None else text_for("trim", chars))


def _replace(text: str, old: Json, new: Json, count: Json = None) -> Json:
    before, after = text_for("replace", old), text_for("replace", new)
    most = -1 if count is None else _integer_for("replace", count, lowest=0, highest=LARGEST_TEXT)
    places = text.count(before) if most < 0 else min(most, text.count(before))
    room_for(len(text) + places * (len(after) - len(before)))
    return bounded(text.replace(before, after, most))


def _to_integer(value: Json, default: Json = None, base: Json = 10) -> Json:
    radix = _integer_for("int", base, lowest=2, highest=36)
    _check_exact("int", value)
    try:
        return _integer(value, radix)
    except (ValueError, EvaluationError):
        return _or_default("int", value, default)


def _to_float(value: Json, default: Json = None) -> Json:
    _check_exact("float", value)
    try:
        return number(float(_readable(value)))
    except (ValueError, EvaluationError):
        return _or_default("float", value, default)


def _round(amount: float, precision: Json = 0, method: Json = "common") -> Json:
    """A number with a fraction, as in Jinja, also where the fraction is zero: `2.5 | round | int` is whole."""
    places = _integer_for("round", precision, lowest=-_FINEST, highest=_FINEST)
    if method == "common":
        return number(float(round(amount, places)))
    if method not in {"ceil", "floor"}:
        raise EvaluationError('`round` takes the method "common", "ceil" or "floor"')
    shift = math.ceil if method == "ceil" else math.floor
    scaled = number(amount * 10.0**places)
    return number(shift(scaled) / 10.0**places)


def _urlencode(value: Json) -> Json:
    """A blank is `%20`, never `+`: WCF reads `+` as a plus [C]. In a text alone `/` stays."""
    small(value)
    if isinstance(value, str):
        return bounded(quote(value, safe="/", errors="replace"))
    if isinstance(value, dict):
        return bounded("&".join(f"{_quoted(key)}={_quoted(each)}" for key, each in value.items()))
    if isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):  # noqa: PLR2004  a pair
        return bounded("&".join("=".join(map(_quoted, pair)) for pair in value if isinstance(pair, list)))
    raise EvaluationError(f"`urlencode` takes a text, a record or a list of pairs, not {kind_of(value)}")


def _from_json(text: str) -> Json:
    try:
        read = read_json(text)
        numbers = [leaf for _, leaf in leaves(read) if is_number(leaf)]
    except (ValueError, RecursionError):
        raise EvaluationError("`from_json` met a text that is no JSON") from None
    if not can_be_sent(read):
        raise EvaluationError("`from_json` met half of a surrogate pair, which cannot be sent")
    for each in numbers:
        number(each)
    return read


def _b64encode(text: str) -> Json:
    return bounded(base64.b64encode(bounded(text).encode("utf-8", "replace")).decode())


def _b64decode(text: str) -> Json:
    try:
        return bounded(base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True).decode())
    except (binascii.Error, UnicodeError, ValueError):
        raise EvaluationError("`b64decode` met a text that is no base64 of UTF-8") from None


def _odata(value: Json) -> Json:
    """A text in single quotes, its own doubled; other values, and texts that are a GUID or date with zone, are bare."""
    match value:
        case str() if _BARE_IN_ODATA.fullmatch(value):
            return value
        case str():
            return bounded("'" + bounded(value).replace("'", "''") + "'")
        case _:
            return compact(value)


def _regex_search(text: str, pattern: Json, group: Json = 0) -> Json:
    if isinstance(group, bool) or not isinstance(group, (int, str)):
        raise EvaluationError(f"`regex_search` takes a group's number or name, not {kind_of(group)}")
    wanted = group
    return with_pattern("regex_search", pattern, lambda expression: patterns.find(expression, text, group=wanted))


def _regex_replace(text: str, pattern: Json, replacement: Json) -> Json:
    new = text_for("regex_replace", replacement)
    return with_pattern(
        "regex_replace", pattern, lambda expression: bounded(patterns.replace(expression, bounded(text), new))
    )


def with_pattern(name: str, pattern: Json, use: Callable[[str], Json]) -> Json:
    expression = text_for(name, pattern, "a pattern")
    try:
        return use(expression)
    except patterns.PatternError as error:
        raise EvaluationError(f"`{name}`: {error}") from None


def _integer(value: Json, base: int) -> int:
    if isinstance(value, str) and base != 10:  # noqa: PLR2004  the base in which fractions are read, too
        if len(value) > LARGEST_TEXT or "_" in value:
            raise ValueError
        read = int(value, base)
    elif (isinstance(value, str) and _INTEGER.fullmatch(value)) or isinstance(value, int):
        read = int(value)
    else:
        read = int(float(_readable(value)))
    number(read)
    return read


def _readable(value: Json) -> str | int | float:
    """A number, or a text that is written like a number: not `1_000`, `nan` or digits of other scripts."""
    if isinstance(value, (int, float)) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        return value
    raise ValueError


def _check_exact(name: str, value: Json) -> None:
    if isinstance(value, str) and is_long_amount(value.strip()):
        raise EvaluationError(f"`{name}` would round {value.strip()}", hint="the text keeps all digits: compare that")


def _or_default(name: str, value: Json, default: Json) -> Json:
    if default is not None:
        return default
    what = "a text that is no number" if isinstance(value, str) else kind_of(value)
    raise EvaluationError(f"`{name}` cannot read {what}", hint=f"`{name}(0)` gives 0 instead")


def _quoted(value: Json) -> str:
    return quote(as_text(value), safe="", errors="replace")


def _default_type(part: TypedPart, arguments: Arguments, _check: TypeCheck) -> Type:
    """What takes the place of null may be of another kind."""
    otherwise = arguments.at(0, "default_value")
    return typed.either(typed.without_null(part.type), otherwise.type if otherwise else A_TEXT)


def _number_type(part: TypedPart, arguments: Arguments, check: TypeCheck) -> Type:
    """The type of `int` and `float`, or of their default for unreadable texts."""
    otherwise = arguments.at(0, "default")
    if otherwise is not None:
        return typed.either(A_NUMBER, otherwise.type)
    kinds = NUMBER | TEXT | typed.BOOLEAN
    check.require(kinds, part, "a number is read from a text or a number", hint=reading_hint(part.type))
    return A_NUMBER


FILTERS: Mapping[str, Filter] = {
    "abs": Filter(
        call=lambda value: number(abs(value)),
        takes=NUMBER,
        gives=A_NUMBER,
        quotes=False,
        about="a number without its sign",
    ),
    "b64decode": Filter(call=_b64decode, takes=TEXT, gives=A_TEXT, quotes=True, about="the text in a base64 text"),
    "b64encode": Filter(call=_b64encode, takes=TEXT, gives=A_TEXT, quotes=False, about="a text as base64"),
    "default": Filter(
        call=default,
        gives=_default_type,
        about='another value in place of null or of what is missing; `default("x", true)` also of what is empty',
    ),
    "float": Filter(call=_to_float, gives=_number_type, about="a number read from a text"),
    "from_json": Filter(call=_from_json, takes=TEXT, heavy=True, quotes=True, about="the value in a JSON text"),
    "int": Filter(call=_to_integer, gives=_number_type, about="a whole number from a text"),
    "json": Filter(call=as_json, gives=A_TEXT, about="a value as JSON"),
    "lower": Filter(call=lambda text: bounded(text.lower()), takes=TEXT, gives=A_TEXT, about="a text in small letters"),
    "odata": Filter(
        call=_odata,
        takes=TEXT | NUMBER | BOOLEAN | NULL,
        gives=A_TEXT,
        quotes=True,
        about="a value as a literal of an OData filter",
    ),
    "regex_replace": Filter(
        call=_regex_replace,
        takes=TEXT,
        gives=A_TEXT,
        heavy=True,
        pattern=True,
        about=r"a text with every match of a pattern replaced; `\1` is a group",
    ),
    "regex_search": Filter(
        call=_regex_search,
        takes=TEXT,
        gives=typed.or_null(A_TEXT),
        pattern=True,
        about="the first match of a pattern, or a group of it; null where there is none",
    ),
    "replace": Filter(call=_replace, takes=TEXT, gives=A_TEXT, about="a text with one part replaced by another"),
    "round": Filter(
        call=_round,
        takes=NUMBER,
        gives=A_NUMBER,
        about='a rounded number; `round(2, "floor")` sets digits and method',
    ),
    "string": Filter(call=as_text, gives=A_TEXT, about="a value as a text"),
    "trim": Filter(call=_trim, takes=TEXT, gives=A_TEXT, about="a text without blanks at its ends"),
    "upper": Filter(
        call=lambda text: bounded(text.upper()), takes=TEXT, gives=A_TEXT, about="a text in capital letters"
    ),
    "urlencode": Filter(call=_urlencode, gives=A_TEXT, quotes=False, about="a text or a record as part of an address"),
}
"""A function and a line here are a filter."""

"""Filters of one text or one number, and those that write and read texts of other formats.

They know JSON values only, check what they are given, and refuse a result beyond its bound before it is made.
Where they share a name with a filter of Jinja they do what that one does, but for one thing: nothing unreadable
becomes a silent zero, so that `"n/a" | int == 0` is an error; `int(0)` asks for the zero.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable
from urllib.parse import quote

from runner.expressions.errors import EvaluationError
from runner.expressions.operations import LARGEST_TEXT, as_json, as_text, bounded, number, room_for, small
from runner.foundation import patterns
from runner.foundation.values import Json, compact, kind_of

_FINEST = 20
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,30}\s*")
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,330}(\.[0-9]{0,330})?([eE][+-]?[0-9]{1,4})?\s*")
_BARE_IN_ODATA = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def text_for(name: str, value: Json, what: str = "a text") -> str:
    """`value` as the text that `name` takes."""
    if not isinstance(value, str):
        raise EvaluationError(f"`{name}` takes {what}, not {kind_of(value)}")
    return value


def number_for(name: str, value: Json) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise EvaluationError(f"`{name}` takes a number, not {kind_of(value)}")
    return value


def integer_for(name: str, value: Json, *, lowest: int, highest: int) -> int:
    """`value` as a whole number within bounds, for an argument that says how much."""
    if type(value) is not int or not lowest <= value <= highest:
        raise EvaluationError(f"`{name}` takes a whole number from {lowest} to {highest}")
    return value


def absolute(value: Json) -> Json:
    return number(abs(number_for("abs", value)))


def lower(value: Json) -> Json:
    return bounded(text_for("lower", value).lower())


def upper(value: Json) -> Json:
    return bounded(text_for("upper", value).upper())


def trim(value: Json, chars: Json = None) -> Json:
    return text_for("trim", value).strip(None if chars is None else text_for("trim", chars))


def replaced(value: Json, old: Json, new: Json, count: Json = None) -> Json:
    text, before, after = (text_for("replace", each) for each in (value, old, new))
    most = -1 if count is None else integer_for("replace", count, lowest=0, highest=LARGEST_TEXT)
    places = text.count(before) if most < 0 else min(most, text.count(before))
    room_for(len(text) + places * (len(after) - len(before)))
    return bounded(text.replace(before, after, most))


def string(value: Json) -> Json:
    return as_text(value)


def to_integer(value: Json, default: Json = None, base: Json = 10) -> Json:
    """A whole number; a fraction is cut off. Without `default`, what cannot be read is an error."""
    radix = integer_for("int", base, lowest=2, highest=36)
    try:
        return _integer(value, radix)
    except (ValueError, EvaluationError):
        return _or_default("int", value, default)


def to_float(value: Json, default: Json = None) -> Json:
    try:
        return number(float(_readable(value, _NUMBER)))
    except (ValueError, EvaluationError):
        return _or_default("float", value, default)


def rounded(value: Json, precision: Json = 0, method: Json = "common") -> Json:
    """A number with a fraction, as in Jinja, also where the fraction is zero: `2.5 | round | int` is whole."""
    amount = number_for("round", value)
    places = integer_for("round", precision, lowest=-_FINEST, highest=_FINEST)
    if method == "common":
        return number(float(round(amount, places)))
    if method not in {"ceil", "floor"}:
        raise EvaluationError('`round` takes the method "common", "ceil" or "floor"')
    shift = math.ceil if method == "ceil" else math.floor
    scaled = number(amount * 10.0**places)
    return number(shift(scaled) / 10.0**places)


def urlencode(value: Json) -> Json:
    """Percent-encoded UTF-8; a record or a list of pairs becomes a query. A blank is `%20`, never `+`: WCF reads
    `+` as a plus [C]. In a text alone `/` stays.
    """
    small(value)
    if isinstance(value, str):
        return bounded(quote(value, safe="/", errors="replace"))
    if isinstance(value, dict):
        return bounded("&".join(f"{_quoted(key)}={_quoted(each)}" for key, each in value.items()))
    if isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):  # noqa: PLR2004  a pair
        return bounded("&".join("=".join(map(_quoted, pair)) for pair in value if isinstance(pair, list)))
    raise EvaluationError(f"`urlencode` takes a text, a record or a list of pairs, not {kind_of(value)}")


def to_json(value: Json) -> Json:
    """The value as JSON without blanks."""
    return as_json(value)


def from_json(value: Json) -> Json:
    """The value that a JSON text holds."""
    text = text_for("from_json", value)
    try:
        read: Json = json.loads(text, parse_constant=_no_constant, parse_int=_whole, parse_float=_fraction)
    except EvaluationError:
        raise
    except (ValueError, RecursionError):
        raise EvaluationError("`from_json` met a text that is no JSON") from None
    return read


def b64encode(value: Json) -> Json:
    text = bounded(text_for("b64encode", value))
    return bounded(base64.b64encode(text.encode("utf-8", "replace")).decode())


def b64decode(value: Json) -> Json:
    """The UTF-8 text that a base64 text holds; line ends in it are passed over."""
    text = text_for("b64decode", value).replace("\r", "").replace("\n", "")
    try:
        return bounded(base64.b64decode(text, validate=True).decode())
    except (binascii.Error, UnicodeError, ValueError):
        raise EvaluationError("`b64decode` met a text that is no base64 of UTF-8") from None


def odata(value: Json) -> Json:
    """A literal of an OData v4 filter: `Name eq {{ vars.name | odata }}`.

    A text stands in single quotes, quotes inside it doubled; numbers, booleans and null stand bare. So does a text that
    is exactly a GUID, or a date and time with its zone: OData compares a column of such a type with bare literals only.
    """
    match value:
        case str() if _BARE_IN_ODATA.fullmatch(value):
            return value
        case str():
            return bounded("'" + bounded(value).replace("'", "''") + "'")
        case None | bool() | int() | float():
            return compact(value)
        case _:
            raise EvaluationError(f"`odata` takes a text, a number, a boolean or null, not {kind_of(value)}")


def regex_search(value: Json, pattern: Json, group: Json = 0) -> Json:
    """The first text that fits, or a group of it by number or name; null where nothing fits."""
    if isinstance(group, bool) or not isinstance(group, (int, str)):
        raise EvaluationError(f"`regex_search` takes a group's number or name, not {kind_of(group)}")
    wanted = group
    return _matched(
        lambda text, expression: patterns.find(expression, text, group=wanted), "regex_search", value, pattern
    )


def regex_replace(value: Json, pattern: Json, replacement: Json) -> Json:
    r"""Every fit replaced; `\1` in the replacement is a group."""
    new = text_for("regex_replace", replacement)
    return _matched(
        lambda text, expression: bounded(patterns.replace(expression, bounded(text), new)),
        "regex_replace",
        value,
        pattern,
    )


def matches(value: Json, pattern: Json) -> bool:
    """The test `match`: the text begins with the pattern; `$` at its end makes it the whole text."""
    return _matched(lambda text, expression: patterns.match(expression, text), "match", value, pattern) is True


def _matched(use: Callable[[str, str], Json], name: str, value: Json, pattern: Json) -> Json:
    text, expression = text_for(name, value), text_for(name, pattern, "a pattern")
    try:
        return use(text, expression)
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
        read = int(float(_readable(value, _NUMBER)))
    number(read)
    return read


def _readable(value: Json, form: re.Pattern[str]) -> str | int | float:
    """A number, or a text that is written like one: not `1_000`, `nan` or digits of other scripts."""
    if isinstance(value, (int, float)) or (isinstance(value, str) and form.fullmatch(value)):
        return value
    raise ValueError


def _or_default(name: str, value: Json, default: Json) -> Json:
    if default is not None:
        return default
    what = "a text that is no number" if isinstance(value, str) else kind_of(value)
    raise EvaluationError(f"`{name}` cannot read {what}", hint=f"`{name}(0)` gives 0 instead")


def _quoted(value: Json) -> str:
    return quote(as_text(value), safe="", errors="replace")


def _no_constant(name: str) -> Json:
    raise EvaluationError(f"`from_json` met `{name}`, which is no JSON")


def _whole(digits: str) -> int:
    try:
        read = int(digits)
    except ValueError:
        raise EvaluationError("the number is too large: integers have 64 bits") from None
    number(read)
    return read


def _fraction(digits: str) -> float:
    return float(number(float(digits)))

"""JSON values, paths into them, their text, and what they are read as. All that a job holds, sends and receives.

They are never changed. They are read leniently by those who check, with certainty by those who build.
As YAML they are on a single line, read back as they were: texts from outside in quotes, odd characters escaped.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from math import isfinite
from typing import Final, NoReturn, TypeAlias, TypeGuard, TypeVar

from runner.foundation.durations import seconds
from runner.foundation.lazy import lazy_pattern

_Choice = TypeVar("_Choice", bound=StrEnum)

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

ValuePath: TypeAlias = tuple[str | int, ...]  # keys and indices from the root of a value to a part of it

LARGEST_INTEGER = 2**63 - 1
"""Integers beyond 64 bits are refused at every border: no JSON reader we hand them to agrees on them."""
EMPTY_GUID: Final = "00000000-0000-0000-0000-000000000000"  # no id, where there must be an id
_GUID = lazy_pattern(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGITS = 32


def pointer(path: ValuePath) -> str:
    """Write `path` as a JSON Pointer (RFC 6901); the root is the empty text."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def compact(value: Json) -> str:
    """JSON without spaces, keys in their own order, text unescaped: how a value is written inside other text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def as_text(value: Json) -> str:
    """A text as it is, all else as JSON."""
    return value if isinstance(value, str) else compact(value)


def canonical(value: Json) -> str:
    """JSON that is the same for equal values: sorted keys, no blanks. For digests and comparisons."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


def canonical_text(value: Json) -> str:
    """A text as it is, all else as canonical JSON: a value as an option of a command line gives it."""
    return value if isinstance(value, str) else canonical(value)


def well_formed(text: str) -> str:
    """`text` with lone surrogates replaced by U+FFFD, so that it can always be written as UTF-8."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def digest(value: Json) -> str:
    """The SHA-256 of a value, in hexadecimal digits."""
    return hashlib.sha256(well_formed(canonical(value)).encode()).hexdigest()


def utf_8(value: Json) -> Json:
    """`value` with every text fit for UTF-8."""
    match value:
        case str():
            return well_formed(value)
        case list():
            return [utf_8(item) for item in value]
        case dict():
            return {well_formed(key): utf_8(item) for key, item in value.items()}
        case _:
            return value


def is_well_formed(text: str) -> bool:
    """Whether it can be written as UTF-8. What the system hands us and is not has lone surrogates."""
    return text.isascii() or well_formed(text) == text


def can_be_sent(value: Json) -> bool:
    """Whether all texts of the value can be written as UTF-8. JSON may escape lone surrogates."""
    return is_well_formed(compact(value))


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether `value` is a number of JSON: to Python, true and false are numbers, too."""
    return type(value) is int or type(value) is float


def value_at(path: ValuePath, value: Json) -> Json:
    for part in path:
        match value, part:
            case dict(), str():
                value = value.get(part)
            case list(), int() if 0 <= part < len(value):
                value = value[part]
            case _:
                return None
    return value


def kind_of(value: Json) -> str:
    """Name the kind of `value`: `a text`, `a list`, … with its article, for messages."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "a record"


def leaves(value: Json, path: ValuePath = ()) -> Iterator[tuple[ValuePath, Json]]:
    """Everything inside `value` that is no list and no record, and the path to it, which begins with `path`."""
    match value:
        case list():
            parts: Iterable[tuple[str | int, Json]] = enumerate(value)
        case dict():
            parts = value.items()
        case _:
            yield path, value
            return
    for key, item in parts:
        yield from leaves(item, (*path, key))


def record(value: Json) -> JsonObject:
    """`value` where it is a record, else an empty record."""
    return value if isinstance(value, dict) else {}


def items(value: Json) -> list[Json]:
    """`value` where it is a list, else an empty list."""
    return value if isinstance(value, list) else []


def text(fields: JsonObject, key: str) -> str | None:
    """The text of `key`, if any."""
    value = fields.get(key)
    return value if isinstance(value, str) else None


def flag(fields: JsonObject, key: str) -> bool | None:
    """True or false of `key`, None where there is neither."""
    value = fields.get(key)
    return value if isinstance(value, bool) else None


def whole_number(fields: JsonObject, key: str) -> int | None:
    """The integer of `key`, if any. A boolean, an integer to Python, is none."""
    value = fields.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def sure_text(value: Json) -> str:
    """A value that has been found to be a text before."""
    assert isinstance(value, str), value
    return value


def enum_member(kind: type[_Choice], value: Json, otherwise: _Choice) -> _Choice:
    """A word of `kind`, or what holds where nothing is written."""
    return kind(value) if isinstance(value, str) else otherwise


def duration(value: Json) -> float | None:
    """Seconds of a written duration, if any."""
    return seconds(value) if isinstance(value, str) else None


def number(value: Json, otherwise: int) -> int:
    """A whole number, which may be written as `5.0`."""
    return int(value) if isinstance(value, int | float) else otherwise


def is_guid(text: str) -> bool:
    """Whether it is 8-4-4-4-12 hexadecimal digits, in any case."""
    return len(text) == len(EMPTY_GUID) and _GUID.fullmatch(text) is not None


def guid(written: Json) -> str | None:
    """The id of an answer or a file, in lower case, so that ids of different sources compare; an empty id is none."""
    text = written.strip("{}").lower() if isinstance(written, str) else ""
    return text if text and text != EMPTY_GUID else None


def mended_guid(text: str) -> str | None:
    """`text` as a GUID: it may be in braces or parentheses, or lack its dashes. None where it is no GUID."""
    digits = re.sub(r"[-\s]", "", text.strip().strip("{}()"))
    if len(digits) != _DIGITS or not re.fullmatch(r"[0-9a-fA-F]+", digits):
        return None
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


_UNWRITABLE = lazy_pattern("[\ud800-\udfff\ufffe\uffff]")
"""Lone surrogates have no UTF-8, the two others no place in XML; inside JSON's texts all can be escaped."""
_AMOUNT = lazy_pattern(r"[-+]?([0-9]+)\.([0-9]{1,8})0*")
SURE_DIGITS, _MOST_OF_A_FLOAT = 15, 17  # as many digits a number always keeps, and as many it may need


def read_json(text: str | bytes) -> Json:
    """The value that `text` writes; amounts too long for a number stay texts. Raises `ValueError`, also for NaN."""
    try:
        value: Json = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def write_json(value: Json) -> str:
    """Compact JSON with its texts unescaped, but for characters that could not travel."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text if text.isascii() else _UNWRITABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def is_rounded(text: str, value: float) -> bool:
    """Whether `value` is not the amount that `text` writes, with up to 8 decimals, as the service has them [C]."""
    if len(text) <= SURE_DIGITS or (written := _AMOUNT.fullmatch(text)) is None:
        return False
    digits = f"{written[1]}{written[2]}".strip("0")
    if len(digits) <= SURE_DIGITS:
        return False
    return (
        len(digits) > _MOST_OF_A_FLOAT or f"{abs(value):.{len(digits) - 1}e}".replace(".", "")[: len(digits)] != digits
    )


def is_long_amount(text: str) -> bool:
    """Whether it writes an amount that no number keeps."""
    may_be_amount = len(text) > SURE_DIGITS and text[-1].isdecimal() and text.count(".") == 1
    return may_be_amount and _AMOUNT.fullmatch(text) is not None and is_rounded(text, float(text))


def _finite(word: str) -> float | str:
    number = float(word)
    if not isfinite(number):
        _refuse(word)
    return word if is_rounded(word, number) else number


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


_PLAIN: Final = lazy_pattern(
    r"[A-Za-z_](?:[\w ./()'-]*[\w./()'-])?|https?://[\w./:-]*[\w/-]|\w{8}(?:-\w{4}){3}-\w{12}", re.ASCII
)
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""What some reader of YAML takes for no text."""


def as_yaml(text: str) -> str:
    """A text from outside as a plain word, or in quotes."""
    is_plain = _PLAIN.fullmatch(text) is not None and text.casefold() not in _WORDS
    return text if is_plain else yaml_quoted(text)


def yaml_quoted(text: str) -> str:
    """A text in double quotes, which YAML reads as JSON does."""
    shown = json.dumps(well_formed(text), ensure_ascii=False)
    return "".join(character if character.isprintable() else _escaped(character) for character in shown)


def yaml_flow(value: "Json | Mapping[str, Json]") -> str:
    match value:
        case str():
            return as_yaml(value)
        case list():
            return f"[{', '.join(map(yaml_flow, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{as_yaml(key)}: {yaml_flow(inner)}' for key, inner in value.items())}}}"
        case _:
            return json.dumps(value)  # also a number beyond JSON, which a schema may hold that is wrong


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004  the basic plane

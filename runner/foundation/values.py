"""JSON values, paths into them, and their text. All that a job holds, sends and receives; never changed."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import TypeAlias, TypeGuard

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

Path: TypeAlias = tuple[str | int, ...]  # keys and indices from the root of a value to a part of it

LARGEST_INTEGER = 2**63 - 1
"""Integers beyond 64 bits are refused at every border: no JSON reader we hand them to agrees on them."""


def pointer(path: Path) -> str:
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


def value_at(path: Path, value: Json) -> Json:
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


def leaves(value: Json, path: Path = ()) -> Iterator[tuple[Path, Json]]:
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

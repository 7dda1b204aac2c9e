"""JSON values as expressions treat them: parts, text, and bounds, which are checked before anything is made."""

import math
from collections.abc import Iterable
from itertools import islice
from typing import TypeAlias

from msgspec import Struct

from runner.expressions.errors import EvaluationError
from runner.foundation.sentences import plural
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import LARGEST_INTEGER, Json, compact, kind_of

LARGEST_TEXT = 1 << 20  # bytes of UTF-8 that a text may have, and characters that the JSON of a value may have

LARGEST_TOGETHER = 8 << 20
"""Characters that the parameters of a call may have together, and what else is worked out at once."""

_MOST_WORK = 10_000_000
_CHARACTERS_A_UNIT = 16
_KEEP_LESS = 'keep less of it, for example `| map(attribute="Id")`'
_KEYS_NAMED = 8
_FALSE_IN_WORDS = frozenset({"no", "No", "off", "Off", "OFF", "0"})


class Absent(Struct, frozen=True):
    """What a missing key gives: `default` and `defined` see it, everything else refuses it."""

    where: str  # the source of what has no value
    parent: str = ""
    container: Json = None
    key: str | int = ""
    sentence: str | None = None  # why, made when it is needed

    def error(self) -> EvaluationError:
        if self.sentence is not None:
            return EvaluationError(self.sentence)
        why, hint = _why_absent(self)
        return EvaluationError(f"`{self.where}` has no value: {why}", hint=hint)


Value: TypeAlias = "Json | Absent"


class Work:
    """What an evaluation may still do, in items: counting bounds time and memory, and a resumed run ends alike."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = _MOST_WORK

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise EvaluationError("working this out takes too long", hint="look at fewer or smaller values")


def size(value: Value) -> int:
    return len(value) if isinstance(value, (str, list, dict)) else 1


def effort(value: Value) -> int:
    """What looking at `value` once costs, or making it."""
    if isinstance(value, str):
        return 1 + len(value) // _CHARACTERS_A_UNIT
    return 1 + len(value) if isinstance(value, (list, dict)) else 1


def present(value: Value) -> Json:
    if isinstance(value, Absent):
        raise value.error()
    return value


def is_boolean_in_words(value: Json) -> bool:
    """Whether a text says true or false, as sites and files of settings write it. `NO` is a country."""
    return isinstance(value, str) and (value.lower() in {"true", "false"} or value in _FALSE_IN_WORDS)


def member(container: Value, key: Json, *, parent: str, where: str) -> Value:
    """A key of a record, an item of a list or a character of a text. Of what is absent, all is absent."""
    match container, key:
        case Absent(), _:
            return container
        case dict(), str() if key in container:
            return container[key]
        case ((list() | str()), int()) if not isinstance(key, bool) and -len(container) <= key < len(container):
            return container[key]
        case _, str() | int() if not isinstance(key, bool):
            return Absent(where, parent, container, key)
        case _:
            raise EvaluationError(f"`{parent}[…]` takes a key or a number, not {kind_of(key)}")


def number(value: float) -> int | float:
    """`value`, refused where it is no number of JSON or beyond 64 bits."""
    if isinstance(value, int):
        if not -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
            raise EvaluationError("the number is too large: integers have 64 bits")
    elif not math.isfinite(value):
        raise EvaluationError("the number is too large")
    return value


def bounded(text: str) -> str:
    length = len(text)
    if length > LARGEST_TEXT or (length * 4 > LARGEST_TEXT and len(text.encode("utf-8", "replace")) > LARGEST_TEXT):
        raise _too_large("the text")
    return text


def room_for(length: int) -> None:
    """Refuse a text of `length` characters before it is made."""
    if length > LARGEST_TEXT:
        raise _too_large("the text")


class Room:
    """What values that are worked out together may still come to, in characters of JSON. `what` begins the message."""

    __slots__ = ("_most", "_what", "left")

    def __init__(self, what: str, *, most: int = LARGEST_TOGETHER) -> None:
        self.left = self._most = most
        self._what = what

    def take(self, value: Json) -> None:
        """Count `value`. Raises `EvaluationError` where there is no room for it; what is smaller may still fit."""
        taken = characters(value, most=self.left)
        if taken > self.left:
            raise EvaluationError(f"{self._what} come to more than {self._most >> 20} MiB", hint=_KEEP_LESS)
        self.left -= taken


def small(value: Json) -> Json:
    """`value`, refused where its JSON would have more than a million characters."""
    if characters(value, most=LARGEST_TEXT) > LARGEST_TEXT:
        raise _too_large("the value")
    return value


def characters(value: Json, *, most: int) -> int:
    """About how many characters the JSON of `value` has, up to `most`; shared parts count each time."""
    left = most
    rest: list[Json] = [value]
    while rest and left >= 0:
        part = rest.pop()
        left -= 1
        match part:
            case str():
                left -= len(part)
            case list():
                left -= len(part)
                rest.extend(part if left >= 0 else ())
            case dict():
                left -= sum(map(len, part))
                rest.extend(part.values() if left >= 0 else ())
            case _:
                left -= 4
    return most - left


def as_text(value: Json) -> str:
    """`value` as it is inside other text: text as it is, all else as JSON, null not at all."""
    match value:
        case str():
            return value
        case None:
            raise EvaluationError("null cannot be put into a text", hint='`| default("")` puts nothing there instead')
        case _:
            return as_json(value)


def as_json(value: Json) -> str:
    try:
        return bounded(compact(small(value)))
    except RecursionError:
        raise EvaluationError("a value is nested too deep") from None


def joined(parts: Iterable[str]) -> str:
    """All parts in a row; no further part is made once there are too many."""
    made: list[str] = []
    length = 0
    for part in parts:
        length += len(part)
        room_for(length)
        made.append(part)
    return bounded("".join(made))


def _too_large(what: str) -> EvaluationError:
    return EvaluationError(f"{what} is larger than 1 MiB", hint=_KEEP_LESS)


def _why_absent(absent: Absent) -> tuple[str, str | None]:
    container, key, parent = absent.container, absent.key, absent.parent
    match container, key:
        case dict(), _:
            known = ", ".join(f"`{name}`" for name in islice(container, _KEYS_NAMED))
            hint = did_you_mean(str(key), container) or (f"its keys are {known}" if known else None)
            what = f"`{parent}` has no key `{key}`" if container else f"`{parent}` is an empty record"
            return what, hint
        case ((list() | str()), int()):
            kind = "item" if isinstance(container, list) else "character"
            return f"`{parent}` has {plural(len(container), kind)}", "the first is `[0]`"
        case ((list() | str()), ("length" | "size" | "count")):
            return f"{kind_of(container)} has no keys", f"write `{parent} | length`"
        case list(), _:
            return f"`{parent}` is a list", f'write `{parent}[0]`, or `{parent} | map(attribute="{key}")`'
        case _:
            return f"`{parent}` is {kind_of(container)}", None

"""What is wrong with a value where a duration should be, and how it is written."""

import re
from collections.abc import Mapping
from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, is_number, kind_of
from runner.json_schema.violations import quoted, shown

_EXAMPLES = "for example `500ms`, `30s`, `5m` or `1h`"
_ZERO = f"write more than zero, {_EXAMPLES}"
_UNITS: Final = {
    "ms": "ms msec msecs millis millisecond milliseconds",
    "s": "s sec secs second seconds",
    "m": "m min mins minute minutes",
    "h": "h hr hrs hour hours",
}
_OURS: Final[Mapping[str, str]] = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_HOURS: Final[Mapping[str, int]] = {"d": 24, "day": 24, "days": 24, "w": 168, "week": 168, "weeks": 168}
_SECONDS: Final[Mapping[str, int]] = {"h": 3600, "m": 60, "s": 1}
_MAY_BE_MILLISECONDS, _A_SECOND = 100, 1000
_ALONE = lazy_pattern(r"\s*([0-9]+(?:[.,][0-9]+)?)\s*([A-Za-z]*)\s*")
_CLOCK = lazy_pattern(r"([0-9]+):([0-9]{2}):([0-9]{2})")
_SEVERAL = lazy_pattern(r"(?i)(pt)?(?:(\d+) *h[a-z]*)? *(?:(\d+) *m[a-z]*)? *(?:(\d+) *s[a-z]*)?")
_OPEN = lazy_pattern(r"(?i)(\d+) *([hm]) *(\d+)")
_LONGEST = 36


def mistake(value: Json) -> tuple[str, str]:
    match value:
        case str():
            return f"{quoted(value)} is not a duration", _as_duration(value)
        case bool() | None | list():
            return f"{kind_of(value)} is not a duration", _EXAMPLES
        case int() | float():
            return f"`{shown(value)}` is not a duration", _as_duration(shown(value))
        case dict():
            (unit, number), *more = value.items() or [("", None)]
            is_duration = not more and unit in _OURS and is_number(number) and number > 0
            hint = f"write `{shown(number)}{_OURS[unit]}`" if is_duration else _EXAMPLES
            return f"{kind_of(value)} is not a duration", hint


def _as_duration(text: str) -> str:
    if "{{" in text:
        return "write the duration out: no template is read here"
    if re.fullmatch(r"-[0-9.]+", text):
        return _ZERO
    found = _ALONE.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return _composed(text) or _EXAMPLES
    number, unit = found[1].replace(",", "."), found[2].casefold()
    if float(number) == 0:
        return _ZERO
    if not unit:
        return _without_unit(number)
    if unit in _HOURS and number.isdecimal():
        return f"write `{int(number) * _HOURS[unit]}h`"
    return f"write `{number}{_OURS[unit]}`" if unit in _OURS else f"use the units `ms`, `s`, `m` and `h`, {_EXAMPLES}"


def _without_unit(number: str) -> str:
    """A large number counts milliseconds in many tools, and seconds in others."""
    if float(number) < _MAY_BE_MILLISECONDS:
        return f"`{number}` has no unit: write `{number}s`"
    small = f"{number}ms" if float(number) < _A_SECOND else f"{float(number) / _A_SECOND:g}s"
    return f"`{number}` has no unit: write `{small}` if it counts milliseconds, `{number}s` if seconds"


def _composed(text: str) -> str | None:
    """`1m30s`, `1h30`, `PT5M` and `00:05:00` as a number and a unit."""
    if found := _OPEN.fullmatch(text):
        text = f"{text}{'m' if found[2] in 'hH' else 's'}"
    clock = _CLOCK.fullmatch(text)
    several = _SEVERAL.fullmatch(text) if len(text) <= _LONGEST else None
    parts = clock.groups() if clock else several.groups()[1:] if several else ()
    seconds = sum(int(part or 0) * each for part, each in zip(parts, _SECONDS.values(), strict=False))
    unit = next((unit for unit, length in _SECONDS.items() if seconds % length == 0), "s")
    return f"write `{seconds // _SECONDS[unit]}{unit}`" if seconds else None

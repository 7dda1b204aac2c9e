"""What is wrong with something that stands where a duration should, and how it is written."""

import re

from runner.foundation.values import Json, JsonObject, is_number, kind_of
from runner.json_schema.violations import shown

_EXAMPLES = "for example `500ms`, `30s`, `5m` or `1h`"
_NUMBER_AND_UNIT = r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*"
_UNITS = {
    "ms": "ms msec msecs millis millisecond milliseconds",
    "s": "s sec secs second seconds",
    "m": "m min mins minute minutes",
    "h": "h hr hrs hour hours",
}
_MEANT = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_HOURS_A_DAY = 24
_MAY_BE_MILLISECONDS, _A_SECOND = 100, 1000
_DAYS = {"d": 1, "day": 1, "days": 1, "w": 7, "week": 7, "weeks": 7}


def mistake(value: Json) -> tuple[str, str]:
    """Message and hint."""
    match value:
        case dict():
            return f"{kind_of(value)} is not a duration", _of_record(value)
        case bool() | None | list():
            return f"{kind_of(value)} is not a duration", _EXAMPLES
        case int() | float():
            said = shown(value)
            return f"{_quoted(said)} is not a duration", _of_number(said)
        case str():
            return f"{_quoted(value)} is not a duration", _of_text(value)


def _of_record(value: JsonObject) -> str:
    """`{seconds: 5}`, as some write it elsewhere."""
    (unit, number), *more = value.items() or [("", None)]
    is_duration = not more and unit in _MEANT and is_number(number) and number > 0
    return f"write `{shown(number)}{_MEANT[unit]}`" if is_duration else _EXAMPLES


def _of_number(said: str) -> str:
    if not re.fullmatch(_NUMBER_AND_UNIT, said) or float(said) == 0:
        return f"a duration is more than zero, {_EXAMPLES}"
    return _without_unit(said)


def _of_text(text: str) -> str:
    if "{{" in text:
        return "a duration is written out, never worked out from a template"
    meant = _composed(text)
    if meant:
        return f"write `{meant}`"
    found = re.fullmatch(_NUMBER_AND_UNIT, text)
    if found is None or len(text) > len("1000 milliseconds") * 2:
        return _EXAMPLES
    number, unit = found[1], found[2].casefold()
    if float(number) == 0:
        return f"a duration is more than zero, {_EXAMPLES}"
    if not unit:
        return _without_unit(number)
    if unit in _DAYS and number.isdecimal():
        return f"write `{int(number) * _DAYS[unit] * _HOURS_A_DAY}h`"
    return f"write `{number}{_MEANT[unit]}`" if unit in _MEANT else f"the units are `ms`, `s`, `m` and `h`, {_EXAMPLES}"


def _without_unit(number: str) -> str:
    """A large number counts milliseconds in many tools, and seconds in others."""
    if float(number) < _MAY_BE_MILLISECONDS:
        return f"`{number}` has no unit: write `{number}s`"
    small = f"{number}ms" if float(number) < _A_SECOND else f"{float(number) / _A_SECOND:g}s"
    return f"`{number}` has no unit: write `{small}` if it counts milliseconds, `{number}s` if seconds"


def _composed(text: str) -> str | None:
    """`1,5s`, `1m30s`, `PT5M` and `00:05:00` as one number and one unit."""
    if len(text) > len("10 hours 10 minutes 10 s"):
        return None
    if re.fullmatch(r"[0-9]+,[0-9]+\s*(ms|s|m|h)", text):
        return text.replace(",", ".").replace(" ", "")
    clock = re.fullmatch(r"([0-9]+):([0-9]{2}):([0-9]{2})", text)
    several = re.fullmatch(r"(?i)(?:pt)?(?:(\d+) *h[a-z]*)? *(?:(\d+) *m[a-z]*)? *(?:(\d+) *s[a-z]*)?", text)
    parts = clock or several
    if parts is None or (several and sum(map(bool, several.groups())) < (1 if text[:1] in "pP" else 2)):
        return None
    seconds = sum(int(part or 0) * each for part, each in zip(parts.groups(), (3600, 60, 1), strict=True))
    return _in_one_unit(seconds) if seconds else None


def _in_one_unit(seconds: int) -> str:
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _quoted(text: str) -> str:
    return f"`{text}`" if text and text.isprintable() and len(text) <= len("1000 milliseconds") * 2 else shown(text)

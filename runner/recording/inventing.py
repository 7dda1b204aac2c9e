"""Invented values of the same types, for a recording in git; the same value becomes the same everywhere.

Empty values, booleans and null stay.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from runner.catalogue.model import Kind, Parameter
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import EMPTY_GUID, Json, compact, is_guid

_DATETIME: Final = lazy_pattern(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
_DATE: Final = lazy_pattern(r"\d{4}-\d{2}-\d{2}")
_TIME: Final = lazy_pattern(r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?")
_NUMBER: Final = lazy_pattern(r"[+-]?\d+([.,]\d+)?")
_MAIL: Final = lazy_pattern(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TELLING: Final = (
    r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b",
    _MAIL.pattern,
    r'"([^"\n]+)"',
    r"«([^»\n]+)»",
    r"“([^”\n]+)”",
    r"(?<!\w)'([^'\n]+)'(?!\w)",
    r"\d[\d .-]{2,}\d",
)
"""What may name somebody inside a sentence: an id, an address, a text in quotes, a long number."""
_UNKNOWN: Final = Parameter(kind=Kind.UNKNOWN)
_FIRST_YEAR: Final = 2000
_SHORT: Final = 4  # so many characters of a value are searched for inside a text


class Inventor:
    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Json] = {}
        self._counts: dict[str, int] = {}

    def values(self, given: Mapping[str, Json], parameters: Mapping[str, Parameter]) -> dict[str, Json]:
        """Invented values by their codes, each of its parameter's type."""
        known = {code: parameters.get(code, _UNKNOWN) for code in given}
        return {code: self._value(value, known[code].kind, known[code].items) for code, value in given.items()}

    def sentence(self, text: str) -> str:
        """A text of the log, without ids, addresses, texts in quotes, long numbers, and values met before."""
        met = {real: str(made) for (_, real), made in self._known.items() if len(real) >= _SHORT and real in text}
        known = [re.escape(real) for real in sorted(met, key=len, reverse=True)]
        pattern = re.compile("|".join((*known, *_TELLING)))
        return pattern.sub(lambda found: met.get(found[0]) or self._in_sentence(found), text)

    def _in_sentence(self, found: re.Match[str]) -> str:
        quoted = next(filter(None, found.groups()), None)
        if quoted is not None:
            return found[0].replace(quoted, str(self._text(quoted, Kind.TEXT)))
        if is_guid(found[0]) or _MAIL.fullmatch(found[0]):
            return str(self._text(found[0], Kind.UNKNOWN))
        return str(self._made("digits", found[0], lambda number: f"{number:04}"))

    def _value(self, value: Json, kind: Kind, items: Mapping[str, Kind]) -> Json:
        match value:
            case None | bool() | "" | 0:
                return value
            case list():
                return [self._value(each, Kind.UNKNOWN, items) for each in value]
            case dict():
                return {name: self._value(given, items.get(name, Kind.UNKNOWN), {}) for name, given in value.items()}
            case int() | float():
                return self._number(str(value))
            case str():
                return self._json(value, items) if value[0] in "[{" else self._text(value, kind)

    def _json(self, text: str, items: Mapping[str, Kind]) -> Json:
        """JSON inside a text stays a text."""
        try:
            inner: Json = json.loads(text)
        except (ValueError, RecursionError):
            return self._text(text, Kind.TEXT)
        return compact(self._value(inner, Kind.UNKNOWN, items))

    def _text(self, text: str, kind: Kind) -> Json:
        if text == EMPTY_GUID or kind is Kind.BOOLEAN:
            return text
        if is_guid(text):
            return self._made("guid", text.lower(), lambda number: f"00000000-0000-4000-8000-{number:012}")
        if _DATETIME.match(text):
            end = "Z" if text.endswith("Z") else ""
            return self._made("moment", text, lambda number: f"{_year(number)}-01-01T09:00:00{end}")
        if _DATE.fullmatch(text):
            return self._made("date", text, lambda number: f"{_year(number)}-01-01")
        if _TIME.fullmatch(text):
            return self._made("time", text, lambda number: f"{9 + number // 60 % 12:02}:{number % 60:02}:00")
        if _NUMBER.fullmatch(text) and kind is not Kind.TEXT:
            return str(self._number(text.replace(",", ".")))
        if _MAIL.fullmatch(text):
            return self._made("mail", text, lambda number: f"person{number}@example.com")
        return self._made("text", text, lambda number: f"Text {number}")

    def _number(self, written: str) -> Json:
        """The same for `99.9` and `99.90`; a whole number stays whole."""
        real = float(written)
        return self._made("number", str(real), lambda number: number if real.is_integer() else number + 0.5)

    def _made(self, name: str, real: str, make: Callable[[int], Json]) -> Json:
        key = (name, real)
        if key not in self._known:
            self._counts[name] = self._counts.get(name, 0) + 1
            self._known[key] = make(self._counts[name])
        return self._known[key]


def _year(number: int) -> int:
    return _FIRST_YEAR + number % 1000

"""How a value would be written as the type that its schema wants."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from runner.foundation.foreign_dates import foreign_moment
from runner.foundation.foreign_numbers import plain_number
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, compact, is_guid
from runner.json_schema.violations import Violation

BOOLEANS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("yes", "on", "true", "$true", "1"), "true"),
    **dict.fromkeys(("no", "off", "false", "$false", "0"), "false"),
}
"""What people write for true and false, folded."""
NUMBER: Final = lazy_pattern(r"-?[0-9]+(?:\.[0-9]+)?")  # a text that would be a number without its quotes
_WHOLE: Final = lazy_pattern(r"-?[0-9]+")
_DASHES: Final = str.maketrans("\u2013\u2212", "--")  # what text processors make of a minus
_SHORT_DURATION: Final = lazy_pattern(r"([0-9]+)([smhd])")
_BARE: Final = lazy_pattern(r"[\w.+:-]+")


def as_wanted(violation: Violation, *, written: str | None = None) -> str | None:
    """A hint how to write the value as the wanted type; `written` is as in its file: to YAML `007` is 7."""
    kinds, value = violation.expected, violation.value
    if violation.keyword == "format" and isinstance(value, str):
        bare = value.strip().strip("{}")
        if kinds == "duration" and (parts := _SHORT_DURATION.fullmatch(bare)):
            return f"write `P{'T' * (parts[2] != 'd')}{parts[1]}{parts[2].upper()}`"
        return f"write `{bare}`" if kinds == "uuid" and is_guid(bare) else _as_moment(value, wanted=kinds)
    if isinstance(kinds, list) and len(others := [kind for kind in kinds if kind != "null"]) == 1:
        kinds = others[0]
    if violation.keyword != "type" or isinstance(kinds, list):
        return None
    match value:
        case bool() | int() | float() if kinds == "string":
            source = written if written and _BARE.fullmatch(written) else compact(value)  # not an alias
            return f'put it in quotes: "{source}"'
        case str() | int() if kinds == "boolean" and str(value).casefold() in BOOLEANS:
            return f"write `{BOOLEANS[str(value).casefold()]}`"
        case str() if _is_number(bare := value.translate(_DASHES), {kinds}):
            return f"write `{bare}`{' without quotes' * (bare == value)}"
        case str() if kinds == "number" and (plain := plain_number(value)):
            return f"write `{plain}`"
        case str() if kinds == "array" and re.fullmatch(r"[\w.-]+(, *[\w.-]+)*", value):
            return f"write a list: `[{', '.join(re.split(', *', value))}]`"
    return None


def _as_moment(text: str, *, wanted: Json) -> str | None:
    day, clock = foreign_moment(text.strip())
    if day is None or wanted not in ("date", "date-time"):
        return None
    return f"write `{day}`" if wanted == "date" else f"write `{day}T{clock or '00:00:00'}`"


GROUPED = lazy_pattern(r"-?[1-9][0-9]{0,2}[,.][0-9]{3}")  # a sign of thousands, or of a fraction: nobody knows


def _is_number(text: str, wanted: Collection[Json]) -> bool:
    return bool(("integer" in wanted and _WHOLE.fullmatch(text)) or ("number" in wanted and NUMBER.fullmatch(text)))

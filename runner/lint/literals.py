"""Values that are written out for a parameter: those of its type, those that never are, and those between.

The forms that the service takes were measured [M]. What a server might read in one culture or another [?] is no error:
it is warned of, with the form that every server reads.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from runner.catalogue.model import Kind
from runner.foundation.guids import is_guid, mended
from runner.foundation.values import Json, is_number
from runner.lint.moments import date_doubt, datetime_doubt, time_doubt
from runner.lint.verdicts import Doubt, may_be, never

_INTEGER = re.compile(r"\s*([+-]?)(?=[0-9])0*+([0-9]*+)\s*")
_ENOUGH = 20
"""So many digits tell that an integer is too large; Python refuses to read thousands of them."""
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_GROUPED = re.compile(r"[+-]?(?P<whole>[0-9]{1,3}(?:[., '\u00a0][0-9]{3})*|[0-9]+)(?P<rest>[.,][0-9]*)?")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:[., '\u00a0][0-9]{3})+")
_THOUSAND = 3
_LEAST, _MOST = -(2**31), 2**31 - 1
EXAMPLES: Final[Mapping[Kind, str]] = {
    Kind.INTEGER: "write a whole number, as in `12`",
    Kind.GUID: "a GUID is 8-4-4-4-12 hexadecimal digits",
    Kind.LOOKUP: "a lookup is given by the GUID of its record",
    Kind.DATETIME: "for example `2026-12-31T23:59:59`",
    Kind.DATE: "for example `2026-12-31`",
    Kind.TIME: "for example `18:45:00`",
    Kind.BOOLEAN: "write `true` or `false`",
    Kind.RECORDS: "write a list: `- {CODE: VALUE}`",
    Kind.DECIMAL: "for example `99.99`",
    Kind.MONEY: "for example `99.99`",
}
_ALPHABETS: Final[Mapping[Kind, re.Pattern[str]]] = {
    **dict.fromkeys((Kind.GUID, Kind.LOOKUP), re.compile(r"[0-9a-fA-F{}()\s-]*")),
    **dict.fromkeys((Kind.DECIMAL, Kind.MONEY), re.compile(r"[0-9eE+.,'\s-]*")),
    Kind.INTEGER: re.compile(r"[0-9+\s-]*"),
    Kind.BOOLEAN: re.compile(r"[01truefalsTRUEFALS\s]*"),
}
"""What may stand in a text of these types."""


def doubt(kind: Kind, value: Json) -> Doubt | None:
    """What speaks against `value` for a parameter of this type, None where nothing does or nothing is known."""
    check = _CHECKS.get(kind)
    return None if check is None else check(value)


def may_hold(kind: Kind, piece: str) -> bool:
    """Whether `piece` may be a part of a text that is of this type."""
    alphabet = _ALPHABETS.get(kind)
    return alphabet is None or alphabet.fullmatch(piece) is not None


def _integer(value: Json) -> Doubt | None:
    if isinstance(value, str) and (found := _INTEGER.fullmatch(value)):
        value = int(f"{found[1]}0{found[2][:_ENOUGH]}")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        grouped = _THOUSANDS.fullmatch(value.strip()) if isinstance(value, str) else None
        return never(f"write `{re.sub(r'[^0-9-]', '', grouped[0])}`" if grouped else EXAMPLES[Kind.INTEGER])
    if _LEAST <= value <= _MOST:
        return None
    return may_be(f"an integer has 32 bits: {f'at most {_MOST}' if value > 0 else f'at least {_LEAST}'}")


def _number(value: Json) -> Doubt | None:
    if isinstance(value, str):
        if _NUMBER.fullmatch(value):
            return None
        plain = _ungrouped(value.strip())
        return may_be(plain) if plain else never(EXAMPLES[Kind.DECIMAL])
    return None if is_number(value) else never(EXAMPLES[Kind.DECIMAL])


def _ungrouped(text: str) -> str | None:
    """How a number with commas, or with signs between its thousands, is written; None where it is none."""
    found = _GROUPED.fullmatch(text)
    if found is None:
        return None
    whole, rest = re.sub(r"[^0-9]", "", found["whole"]), (found["rest"] or "").replace(",", ".")
    sign = "-" if text.startswith("-") else ""
    before, comma, behind = text.partition(",")
    if comma and len(behind) == _THOUSAND and behind.isdecimal() and before.lstrip("+-").isdecimal():
        return f"write `{sign}{before.lstrip('+-')}{behind}`, or `{before.lstrip('+')}.{behind}`"
    return f"write `{sign}{whole}{rest}`"


def _boolean(value: Json) -> Doubt | None:
    """What a number means for a boolean is not known [?]."""
    if isinstance(value, bool) or (isinstance(value, str) and value.strip().casefold() in ("true", "false")):
        return None
    text = value.strip() if isinstance(value, str) else str(value)
    if text in ("0", "1"):
        return may_be(f"write `{'true' if text == '1' else 'false'}`")
    return may_be(EXAMPLES[Kind.BOOLEAN]) if isinstance(value, int | float) else never(EXAMPLES[Kind.BOOLEAN])


def _guid(kind: Kind) -> Callable[[Json], Doubt | None]:
    def doubt_of(value: Json) -> Doubt | None:
        if not isinstance(value, str):
            return never(EXAMPLES[kind])
        if is_guid(value):
            return None
        meant = mended(value)
        return may_be(f"write `{meant}`") if meant else never(EXAMPLES[kind])

    return doubt_of


def _moment(kind: Kind, read: Callable[[str], Doubt | None]) -> Callable[[Json], Doubt | None]:
    """A text with a digit in it; numbers that count from some day on are never read."""

    def doubt_of(value: Json) -> Doubt | None:
        text = value.strip() if isinstance(value, str) else ""
        if text.isdecimal() or not any(character.isdecimal() for character in text):
            return never(EXAMPLES[kind])
        found = read(text)
        return found if found is None or found.hint else Doubt(hint=EXAMPLES[kind], is_certain=found.is_certain)

    return doubt_of


_CHECKS: Final[Mapping[Kind, Callable[[Json], Doubt | None]]] = {
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _number,
    Kind.MONEY: _number,
    Kind.BOOLEAN: _boolean,
    Kind.GUID: _guid(Kind.GUID),
    Kind.LOOKUP: _guid(Kind.LOOKUP),
    Kind.DATETIME: _moment(Kind.DATETIME, datetime_doubt),
    Kind.DATE: _moment(Kind.DATE, date_doubt),
    Kind.TIME: _moment(Kind.TIME, time_doubt),
}

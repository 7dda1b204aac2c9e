"""What speaks against a literal value of a parameter: no server takes it, or only some do.

What depends on the server's country, `1,5` or `3/4/2026`, is an error; another form, as a GUID without dashes, is
warned of [?]. The hint has a form that every server reads [M].
"""

import re

from msgspec import Struct

from runner.catalogue.kinds import DATETIME, INTEGER, KINDS, NUMBER, CannotReadError, fits, read_scalar
from runner.catalogue.model import Kind, Parameter
from runner.foundation.foreign_dates import clock_of, foreign_moment, no_such_day
from runner.foundation.foreign_numbers import plain_number
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, compact, is_number, mended_guid

_A_GUID = lazy_pattern(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_LEAST, _MOST = -(2**31), 2**31 - 1
_ISO = lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?", re.DOTALL)


class LiteralDoubt(Struct, frozen=True, kw_only=True):
    """What speaks against a value."""

    hint: str | None = None  # what all servers take
    is_certain: bool = True  # no server takes it
    is_refused: bool = True  # by a sandbox


def doubt(kind: Kind, value: Json) -> LiteralDoubt | None:
    """What speaks against `value` for a parameter of this type, None where nothing does or nothing is known."""
    if kind in (Kind.TEXT, Kind.RECORDS, Kind.UNKNOWN):
        return None
    try:
        held = read_scalar(value, kind)
    except CannotReadError:
        return _refusal(kind, value)
    if kind is not Kind.INTEGER or not is_number(held) or _LEAST <= held <= _MOST:
        return None
    return LiteralDoubt(hint=_bound(is_negative=held < 0), is_certain=False, is_refused=False)


def may_hold(kind: Kind, piece: str) -> bool:
    """Whether `piece` may be a part of a text that is of this type."""
    signs = KINDS[kind].signs
    return signs is None or re.fullmatch(f"[{signs}]*", piece) is not None


def _refusal(kind: Kind, value: Json) -> LiteralDoubt:
    """The doubt about an unreadable value, with the form that it was probably written for."""
    text = value.strip() if isinstance(value, str) else ""
    is_certain, hint = True, None
    match kind:
        case Kind.INTEGER if found := INTEGER.fullmatch(text):
            hint = _bound(is_negative=found[1] == "-")
        case Kind.INTEGER if is_number(value) and abs(value) > _MOST:
            hint = _bound(is_negative=value < 0)
        case Kind.DECIMAL | Kind.MONEY if NUMBER.fullmatch(text) or is_number(value):
            hint = "write a smaller number"
        case Kind.INTEGER | Kind.DECIMAL | Kind.MONEY if plain := plain_number(text):
            hint = None if kind is Kind.INTEGER and "." in plain else f"write `{plain}`"
        case Kind.BOOLEAN:
            from runner.json_schema.as_type import BOOLEANS  # noqa: PLC0415  1 ms, for a mistake only

            truth = BOOLEANS.get((text or compact(value)).casefold())
            is_certain = not is_number(value) and text not in ("0", "1")  # what a number means is not known [?]
            hint = f"write `{truth}`" if truth else None
        case Kind.GUID | Kind.LOOKUP if guid := mended_guid(text):
            is_certain, hint = False, f"write `{guid}`"
        case Kind.GUID | Kind.LOOKUP if found := _A_GUID.search(compact(value)):  # `new Guid("…")`, `{value: …}`
            hint = f"write `{found[0]}`"
        case Kind.DATETIME | Kind.DATE | Kind.TIME if not text.isdecimal():  # numbers that count from some day on
            is_certain, hint = _as_moment(kind, text)
    return LiteralDoubt(hint=hint or KINDS[kind].example, is_certain=is_certain)


def _bound(*, is_negative: bool) -> str:
    return f"an integer has 32 bits: {f'at least {_LEAST}' if is_negative else f'at most {_MOST}'}"


def _as_moment(kind: Kind, text: str) -> tuple[bool, str | None]:
    """For a text that is no such moment: whether surely no server reads it, and how it is written, if known."""
    is_iso, day, clock = _ISO.fullmatch(text) is not None, text[:10], clock_of(text[11:])
    match kind:
        case Kind.TIME if DATETIME.fullmatch(text) and _reads(Kind.DATETIME, text):
            return False, f"write `{clock_of(text[11:19]) or text[11:16]}`"
        case Kind.TIME:
            clock = clock_of(text)
            return True, clock and f"write `{clock}`"
        case Kind.DATE if is_iso and _reads(Kind.DATETIME, text):
            return False, f"write `{day}`"
        case Kind.DATETIME if is_iso and _reads(Kind.DATE, day) and not DATETIME.fullmatch(text):
            return False, f"write `{day}T{clock}`" if clock else None
        case _ if is_iso:
            return True, no_such_day(text)
    foreign, clock = foreign_moment(text)
    at = f"T{clock or '00:00:00'}" if kind is Kind.DATETIME else ""
    return True, foreign and f"write `{foreign}{at}`"


def _reads(kind: Kind, text: str) -> bool:
    return fits(text, Parameter(kind=kind))

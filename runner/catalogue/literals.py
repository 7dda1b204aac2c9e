"""What speaks against a value that is written out for a parameter: no server takes it, or only some do.

What a server might read in one culture or another [?] is no error: it is warned of, with the form that every server
reads.
"""

import re
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from runner.catalogue.kinds import DATE, DATETIME, INTEGER, KINDS, NUMBER, TIME, CannotReadError, read_scalar
from runner.catalogue.model import Kind
from runner.foundation.guids import mended
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, is_number

_GROUPED = lazy_pattern(r"[+-]?(?P<whole>[0-9]{1,3}(?:[., '\u00a0][0-9]{3})*|[0-9]+)(?P<rest>[.,][0-9]*)?")
_THOUSANDS = lazy_pattern(r"[+-]?[0-9]{1,3}(?:[., '\u00a0][0-9]{3})+")
_THOUSAND = 3
_LEAST, _MOST = -(2**31), 2**31 - 1
_DAY_OF_ISO = lazy_pattern(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])")
_ISO = lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?", re.DOTALL)
_CLOCK = lazy_pattern(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\s*([AaPp])\.?[Mm]\.?)?")
_DAY_FIRST = lazy_pattern(r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})")
_MONTH_FIRST = lazy_pattern(r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})")
_YEAR_FIRST = lazy_pattern(r"(?P<year>[0-9]{4})[/.](?P<month>[0-9]{1,2})[/.](?P<day>[0-9]{1,2})")
_OF_WCF = lazy_pattern(r"\\?/Date\((?P<ms>-?[0-9]{1,14})(?:[+-][0-9]{4})?\)\\?/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = 12
_NOON = 12


class LiteralDoubt(Struct, frozen=True, kw_only=True):
    """`is_certain`: no server takes the value; else some may. `is_refused`: a sandbox does not take it.

    `hint` is what all take.
    """

    hint: str | None = None
    is_certain: bool = True
    is_refused: bool = True


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


def no_such_day(text: str) -> str | None:
    """A hint for a day that no month has, None where `text` begins with a day that exists."""
    found = _DAY_OF_ISO.match(text)
    if found is None or _reads(Kind.DATE, found[0]):
        return None
    year, month, day = (int(part) for part in found.groups())
    if not 0 < month <= _MONTHS:
        return f"write another month: there is no month {month}"
    is_leap_day = (month, day) == (2, 29)
    name = date(2000, month, 1).strftime(f"%B {year}" if is_leap_day else "%B")
    return f"write another day: {name} has no day {day}"


def _refusal(kind: Kind, value: Json) -> LiteralDoubt:
    """Of a value that cannot be read, with the form that it probably was written for."""
    text = value.strip() if isinstance(value, str) else ""
    is_certain, hint = True, None
    match kind:
        case Kind.INTEGER if found := INTEGER.fullmatch(text):
            is_certain, hint = False, _bound(is_negative=found[1] == "-")
        case Kind.INTEGER if is_number(value) and abs(value) > _MOST:
            is_certain, hint = False, _bound(is_negative=value < 0)
        case Kind.INTEGER if grouped := _THOUSANDS.fullmatch(text):
            hint = f"write `{re.sub(r'[^0-9-]', '', grouped[0])}`"
        case Kind.DECIMAL | Kind.MONEY if NUMBER.fullmatch(text) or is_number(value):
            is_certain, hint = False, "write a smaller number"
        case Kind.DECIMAL | Kind.MONEY if found := _GROUPED.fullmatch(text):
            is_certain, hint = False, _ungrouped(text, found)
        case Kind.BOOLEAN if is_number(value) or text in ("0", "1"):  # what a number means is not known [?]
            truth = {"0": "false", "1": "true"}.get(text or str(value))
            is_certain, hint = False, f"write `{truth}`" if truth else None
        case Kind.GUID | Kind.LOOKUP if guid := mended(text):
            is_certain, hint = False, f"write `{guid}`"
        case _ if text.isdecimal() or not any(sign.isdecimal() for sign in text):
            pass  # no moment: numbers that count from some day on are never read
        case Kind.DATETIME:
            is_certain, hint = _as_datetime(text)
        case Kind.DATE:
            is_certain, hint = _as_date(text)
        case Kind.TIME:
            is_certain, hint = _as_time(text)
    return LiteralDoubt(hint=hint or KINDS[kind].example, is_certain=is_certain)


def _bound(*, is_negative: bool) -> str:
    return f"an integer has 32 bits: {f'at least {_LEAST}' if is_negative else f'at most {_MOST}'}"


def _ungrouped(text: str, found: re.Match[str]) -> str:
    """How a number with commas, or with signs between its thousands, is written."""
    whole, rest = re.sub(r"[^0-9]", "", found["whole"]), (found["rest"] or "").replace(",", ".")
    sign = "-" if text.startswith("-") else ""
    before, comma, after = text.partition(",")
    if comma and len(after) == _THOUSAND and after.isdecimal() and before.lstrip("+-").isdecimal():
        return f"write `{sign}{before.lstrip('+-')}{after}`, or `{before.lstrip('+')}.{after}`"
    return f"write `{sign}{whole}{rest}`"


def _as_datetime(text: str) -> tuple[bool, str | None]:
    """Of a text that is no datetime: whether no server reads it as one for sure, and how it is written, if known."""
    if DATE.fullmatch(text):
        return True, no_such_day(text)
    if _ISO.fullmatch(text):
        clock = _clock(text[11:])
        if not _reads(Kind.DATE, text[:10]) or DATETIME.fullmatch(text):
            return True, no_such_day(text)
        return False, f"write `{text[:10]}T{clock}`" if clock else None
    day, clock = _foreign(text)
    return False, f"write `{day}T{clock or '00:00:00'}`" if day else None


def _as_date(text: str) -> tuple[bool, str | None]:
    """As `_as_datetime`, of a day."""
    if not _ISO.fullmatch(text):
        day, _ = _foreign(text)
        return False, f"write `{day}`" if day else None
    if _reads(Kind.DATETIME, text):
        return False, f"write `{text[:10]}`"
    return True, no_such_day(text)


def _as_time(text: str) -> tuple[bool, str | None]:
    """As `_as_datetime`, of a time of day."""
    if DATETIME.fullmatch(text) and _reads(Kind.DATETIME, text):
        return False, f"write `{_clock(text[11:19]) or text[11:16]}`"
    if _CLOCK.fullmatch(text) and (clock := _clock(text)):
        return False, f"write `{clock}`"
    return any(form.fullmatch(text) for form in (DATE, DATETIME, TIME, _CLOCK)), None


def _reads(kind: Kind, text: str) -> bool:
    try:
        read_scalar(text, kind)
    except CannotReadError:
        return False
    return True


def _foreign(text: str) -> tuple[str | None, str | None]:
    """The day and the time of day that a text means, as ISO 8601 writes them; None where that is not known.

    Which comes first in `3/4/2026`, the month or the day, is not known.
    """
    if found := _OF_WCF.fullmatch(text):
        moment = _EPOCH + timedelta(milliseconds=int(found["ms"]))
        return moment.date().isoformat(), f"{moment.time().isoformat('seconds')}Z"
    written, _, rest = text.partition(" ")
    clock = _clock(rest.strip()) if rest else None
    for form in (_DAY_FIRST, _MONTH_FIRST, _YEAR_FIRST):
        found = form.fullmatch(written.rstrip(","))
        if found is not None and (clock or not rest):
            return _day(found, is_sure=form is not _MONTH_FIRST), clock
    return None, None


def _day(found: re.Match[str], *, is_sure: bool) -> str | None:
    year, month, day = int(found["year"]), int(found["month"]), int(found["day"])
    if not is_sure and month <= _MONTHS and day <= _MONTHS and month != day:
        return None
    if not is_sure and month > _MONTHS:
        month, day = day, month
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _clock(text: str) -> str | None:
    """`18:45:00` for `6:45 PM`."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hour, half = int(found[1]), (found[4] or "").casefold()
    if half:
        hour = hour % _NOON + (_NOON if half == "p" else 0) if 0 < hour <= _NOON else 24
    clock = f"{hour:02}:{found[2]}:{found[3] or '00'}"
    return clock if _reads(Kind.TIME, clock) else None

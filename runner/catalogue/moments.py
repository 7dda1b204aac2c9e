"""Days and times of day that no server reads for sure: as people and other programs write them [?]."""

import calendar
import re
from datetime import UTC, date, datetime, timedelta

from runner.catalogue.kinds import DATE, DATETIME, TIME, CannotReadError, read_scalar
from runner.catalogue.model import Kind
from runner.foundation.lazy import lazy_pattern

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


def no_such_day(text: str) -> str | None:
    """A hint for a day that no month has, None where `text` begins with a day that exists."""
    found = _DAY_OF_ISO.match(text)
    if found is None or _reads(Kind.DATE, found[0]):
        return None
    year, month, day = (int(part) for part in found.groups())
    if not 0 < month <= _MONTHS:
        return f"write another month: there is no month {month}"
    is_leap_day = (month, day) == (2, 29)
    name = f"{calendar.month_name[month]} {year}" if is_leap_day else calendar.month_name[month]
    return f"write another day: {name} has no day {day}"


def as_datetime(text: str) -> tuple[bool, str | None]:
    """Of a text that is no datetime: whether no server reads it as a datetime, and how it is written, as far as is
    known.
    """
    if DATE.fullmatch(text):
        return True, no_such_day(text)
    if _ISO.fullmatch(text):
        clock = _clock(text[11:])
        if not _reads(Kind.DATE, text[:10]) or DATETIME.fullmatch(text):
            return True, no_such_day(text)
        return False, f"write `{text[:10]}T{clock}`" if clock else None
    day, clock = _foreign(text)
    return False, f"write `{day}T{clock or '00:00:00'}`" if day else None


def as_date(text: str) -> tuple[bool, str | None]:
    """As `as_datetime`, of a day."""
    if not _ISO.fullmatch(text):
        day, _ = _foreign(text)
        return False, f"write `{day}`" if day else None
    if _reads(Kind.DATETIME, text):
        return False, f"write `{text[:10]}`"
    return True, no_such_day(text)


def as_time(text: str) -> tuple[bool, str | None]:
    """As `as_datetime`, of a time of day."""
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

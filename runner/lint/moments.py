"""Days and times of day that are written out: as ISO 8601 writes them [M], or as people and other programs do [?]."""

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta

from runner.lint.verdicts import Doubt, may_be, never

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,7})?)?")
_DAY_OF_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?", re.DOTALL)
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\s*([AaPp])\.?[Mm]\.?)?")
_DAY_FIRST = re.compile(r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})")
_MONTH_FIRST = re.compile(r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})")
_YEAR_FIRST = re.compile(r"(?P<year>[0-9]{4})[/.](?P<month>[0-9]{1,2})[/.](?P<day>[0-9]{1,2})")
_OF_WCF = re.compile(r"\\?/Date\((?P<ms>-?[0-9]{1,14})(?:[+-][0-9]{4})?\)\\?/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = 12
_NOON = 12


def no_such_day(text: str) -> str | None:
    """What to write in the place of a day that no month has, None where `text` begins with a day that there is."""
    found = _DAY_OF_ISO.match(text)
    if found is None or _is_date(found[0]):
        return None
    year, month, day = (int(part) for part in found.groups())
    if not 0 < month <= _MONTHS:
        return f"write another month: there is no month {month}"
    is_leap_day = (month, day) == (2, 29)
    name = f"{calendar.month_name[month]} {year}" if is_leap_day else calendar.month_name[month]
    return f"write another day: {name} has no day {day}"


def datetime_doubt(text: str) -> Doubt | None:
    """A day alone is read as its midnight."""
    if _DATE.fullmatch(text):
        return None if _is_date(text) else never(no_such_day(text))
    if _ISO.fullmatch(text):
        return _of_iso(text)
    day, clock = _foreign(text)
    return may_be(f"write `{day}T{clock or '00:00:00'}`" if day else None)


def date_doubt(text: str) -> Doubt | None:
    if _DATE.fullmatch(text):
        return None if _is_date(text) else never(no_such_day(text))
    if _ISO.fullmatch(text):
        return (
            may_be(f"write `{text[:10]}`") if _is_date(text[:10]) and _is_datetime(text) else never(no_such_day(text))
        )
    day, _ = _foreign(text)
    return may_be(f"write `{day}`" if day else None)


def time_doubt(text: str) -> Doubt | None:
    if _TIME.fullmatch(text):
        return None if _is_time(text) else never()
    if _DATETIME.fullmatch(text):
        return may_be(f"write `{_clock(text[11:19]) or text[11:16]}`") if _is_datetime(text) else never()
    if _CLOCK.fullmatch(text):
        clock = _clock(text)
        return may_be(f"write `{clock}`") if clock else never()
    return never() if _DATE.fullmatch(text) else may_be()


def _of_iso(text: str) -> Doubt | None:
    """Of a day with something behind it."""
    if _is_datetime(text):
        return None
    clock = _clock(text[11:])
    if not _is_date(text[:10]) or _DATETIME.fullmatch(text):
        return never(no_such_day(text))
    return may_be(f"write `{text[:10]}T{clock}`" if clock else None)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_datetime(text: str) -> bool:
    if not _DATETIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text.replace(" Z", "Z"))
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return True


def _foreign(text: str) -> tuple[str | None, str | None]:
    """The day and the time of day, in the words of ISO 8601, that a text means; None where that is not known.

    Which comes first in `3/4/2026`, the month or the day, is not known.
    """
    if found := _OF_WCF.fullmatch(text):
        moment = _EPOCH + timedelta(milliseconds=int(found["ms"]))
        return moment.date().isoformat(), f"{moment.time().isoformat('seconds')}Z"
    written, _, behind = text.partition(" ")
    clock = _clock(behind.strip()) if behind else None
    for form in (_DAY_FIRST, _MONTH_FIRST, _YEAR_FIRST):
        found = form.fullmatch(written.rstrip(","))
        if found is not None and (clock or not behind):
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
    return clock if _is_time(clock) else None

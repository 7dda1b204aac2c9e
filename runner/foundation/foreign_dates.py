"""Days and times of day as people and other programs write them, and how ISO 8601 writes the same."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

from runner.foundation.lazy import lazy_pattern

CLOCK = lazy_pattern(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\s*([AaPp])\.?[Mm]\.?)?")
_DAY_FIRST = lazy_pattern(r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})")
_MONTH_FIRST = lazy_pattern(r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})")
_YEAR_FIRST = lazy_pattern(r"(?P<year>[0-9]{4})[/.-](?P<month>[0-9]{1,2})[/.-](?P<day>[0-9]{1,2})")
BEGINS_WITH_DAY = lazy_pattern(r"[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{4}|\\?/Date\(")
"""Of such texts the order of letters says nothing."""
_ISO = lazy_pattern(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])")
_OF_WCF = lazy_pattern(r"\\?/Date\((?P<ms>-?[0-9]{1,14})(?:[+-][0-9]{4})?\)\\?/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOON = 12
_MONTHS = 12


def foreign_moment(text: str) -> tuple[str | None, str | None]:
    """The day and the time that a text means, as ISO 8601 writes them, if that is clear: in `3/4/2026` it is not."""
    if found := _OF_WCF.fullmatch(text):
        moment = _EPOCH + timedelta(milliseconds=int(found["ms"]))
        return moment.date().isoformat(), f"{moment.time().isoformat('seconds')}Z"
    written, _, rest = text.partition(" ")
    clock = clock_of(rest.strip()) if rest else None
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


def clock_of(text: str) -> str | None:
    """`18:45:00` for `6:45 PM`."""
    found = CLOCK.fullmatch(text)
    if found is None:
        return None
    hour, half = int(found[1]), (found[4] or "").casefold()
    if half:
        hour = hour % _NOON + (_NOON if half == "p" else 0) if 0 < hour <= _NOON else 24
    clock = f"{hour:02}:{found[2]}:{found[3] or '00'}"
    try:
        time.fromisoformat(clock)
    except ValueError:
        return None
    return clock


def no_such_day(text: str) -> str | None:
    """A hint for a day that no month has, None where `text` begins with a day that exists, or with none."""
    found = _ISO.match(text)
    if found is None:
        return None
    with suppress(ValueError):
        date(*map(int, found.groups()))
        return None
    return "write a day that is in the calendar"

"""Moments as a server writes them: the `Date` of an answer, the times in its records. Our own clock plays no part."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from runner.foundation.lazy import lazy_pattern

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_USUAL: Final = lazy_pattern(
    rf"[A-Z][a-z]{{2}}, ([0-9]{{2}}) ({'|'.join(_MONTHS)}) ([1-9][0-9]{{3}}) ([0-9]{{2}}):([0-9]{{2}}):([0-9]{{2}}) GMT"
)

_DAY: Final = lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME_OF_DAY: Final = lazy_pattern(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")


@lru_cache(maxsize=64)
def parse_header(text: str) -> float | None:
    """Seconds since the epoch of an HTTP `Date`, which counts whole seconds, if any."""
    try:
        moment = _moment(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of Retry-After. A date there is compared with the server's own clock, its `Date`, never with ours."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment, now = (parse_header(date) for date in (text, headers.get("date", "")))
    return None if moment is None or now is None else max(0.0, moment - now)


def _moment(text: str) -> datetime:
    if found := _USUAL.fullmatch(text):
        day, month, year, hour, minute, second = found.groups()
        at = int(hour), int(minute), int(second)
        return datetime(int(year), _MONTHS.index(month) + 1, int(day), *at, tzinfo=UTC)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  6 ms, for the forms of another century

    return parsedate_to_datetime(text)


@lru_cache(maxsize=1024)
def parse_record(text: str) -> float | None:
    """Seconds since the epoch of a time in a record; None where it is no time, or has no time zone."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.timestamp()
    except (ValueError, OverflowError):
        return None


def parse_value(text: str) -> float | None:
    """Seconds of the epoch of a day or time in a record, in UTC without a zone, if any."""
    if _TIME_OF_DAY.fullmatch(text):
        text = f"0001-01-01T{text}"
    try:
        moment = datetime.fromisoformat(text) if _DAY.match(text) else None
        return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def odata_time(seconds: float) -> str:
    """A moment as it is written in a filter of OData, to the second below."""
    return datetime.fromtimestamp(math.floor(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Moments as a server writes them: the `Date` of an answer, the times in its records. Our own clock plays no part."""

import math
from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=64)
def of_header(text: str) -> float | None:
    """Seconds since the epoch of an HTTP `Date`, which counts whole seconds; None where it is none."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  6 ms, for who has an answer

    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


@lru_cache(maxsize=1024)
def of_record(text: str) -> float | None:
    """Seconds since the epoch of a time in a record; None where it is no time, or has no time zone."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.timestamp()
    except (ValueError, OverflowError):
        return None


def written(seconds: float) -> str:
    """A moment as it is written in a filter of OData, to the second below."""
    return datetime.fromtimestamp(math.floor(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

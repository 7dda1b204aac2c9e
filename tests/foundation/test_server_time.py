"""Moments as a server writes them."""

import time
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import pytest

from runner.foundation import server_time


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system has no zone of a process")
def test_a_date_without_a_zone_is_utc_wherever_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        server_time.parse_header.cache_clear()
        assert server_time.parse_header("Thu, 01 Jan 1970 00:00:10 -0000") == 10.0
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("month", range(1, 13))
def test_the_usual_date_is_what_the_reader_of_mails_has_of_it(month: int) -> None:
    moment = datetime(2026, month, 9, 7, 28, 59, tzinfo=UTC)
    text = format_datetime(moment, usegmt=True)

    assert server_time.parse_header(text) == moment.timestamp() == parsedate_to_datetime(text).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "Wednesday, 21-Oct-26 07:28:30 GMT",
        "Wed, 21 Oct 2026 09:28:30 +0200",
        "Wed Oct 21 07:28:30 2026",
        "Wed, 21 Oct 2026 07:28:30",
    ],
)
def test_other_forms_of_a_date_are_read_too(text: str) -> None:
    assert server_time.parse_header(text) == datetime(2026, 10, 21, 7, 28, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text",
    ["", "soon", "Wed, 32 Oct 2026 07:28:30 GMT", "Wed, 21 Okt 2026 07:28:30 GMT", "Wed, 21 Oct 2026 07:60:30 GMT"],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert server_time.parse_header(text) is None

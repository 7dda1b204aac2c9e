"""Moments as a server writes them."""

import time

import pytest

from runner.foundation import server_time


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system has no zone of a process")
def test_a_date_without_a_zone_is_utc_wherever_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        server_time.of_header.cache_clear()
        assert server_time.of_header("Thu, 01 Jan 1970 00:00:10 -0000") == 10.0
    finally:
        monkeypatch.undo()
        time.tzset()

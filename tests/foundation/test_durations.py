import pytest

from runner.foundation.durations import format_duration, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500ms", 0.5), ("30s", 30.0), ("5m", 300.0), ("1h", 3600.0), ("1.5s", 1.5), ("0.5h", 1800.0)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "text", ["30", "", "s", "0s", "0.0m", "-1s", "1 s", "1S", "1d", "1e3s", ".5s", "1.s", "٣s", "1s\n", "9" * 400 + "h"]
)
def test_anything_else_is_none(text: str) -> None:
    assert seconds(text) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0214, "21 ms"), (1.0, "1 s"), (1.25, "1.2 s"), (59.9, "59.9 s"), (60.0, "1 min"), (125.0, "2 min 5 s")],
)
def test_seconds_are_written_as_a_person_reads_them(value: float, expected: str) -> None:
    assert format_duration(value) == expected

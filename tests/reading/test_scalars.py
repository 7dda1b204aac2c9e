import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.foundation.values import Json
from runner.reading.scalars import BEGINNINGS, ScalarError, plain


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "no", "on", "off", "y", "n", "Yes", "NO", "On", "tRUE", "nULL", "nil", "none"),
        *("2026-01-31", "2026-01-31T09:00:00Z", "1:30", "190:20:30", "1_000", "0b101", "017a", "1.2.3", "1,5"),
        *(".", "..", "-", "+", "+.", "-.", "e3", "1e", "1e+", ".e3", "0o8", "0xg", "0o", "0x", "-0x1F", "+0o17"),
        *("--1", "+-1", "1 ", " 1", ".infinity", "inf", "nan", "NaN", "-.nan", ".iNf", "٣", "500ms", "=", "<<"),
    ],
)
def test_what_other_yaml_would_make_something_of_is_text(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None)),
        *(("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False)),
        *(("0", 0), ("-0", 0), ("+1", 1), ("-19", -19), ("017", 17), ("007", 7), ("0o17", 15), ("0x1F", 31)),
        *(("1.", 1.0), (".5", 0.5), ("-.5", -0.5), ("+1.5", 1.5), ("1e3", 1000.0), ("1.5E-3", 0.0015), ("-1e3", -1e3)),
        *(("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63)), ("0x7FFFFFFFFFFFFFFF", 2**63 - 1)),
        *(("0o777777777777777777777", 2**63 - 1), ("0" * 5000 + "1", 1), ("0." + "3" * 5000, 1 / 3)),
    ],
)
def test_numbers_booleans_and_null_are_those_of_the_core_schema(text: str, value: Json) -> None:
    read = plain(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *(".inf", "-.inf", "+.INF", ".Inf", ".nan", ".NaN", ".NAN", "1e999", "-1e999", "9223372036854775808"),
        *("-9223372036854775809", "0x8000000000000000", "0o1000000000000000000000", "9" * 10_000, "1" * 400 + ".0"),
    ],
)
def test_numbers_that_json_or_64_bits_do_not_hold_are_refused(text: str) -> None:
    with pytest.raises(ScalarError) as refused:
        plain(text)
    assert len(str(refused.value)) < 120


@pytest.mark.parametrize(
    "text", ["1234567890123456.78", "-99999999999999.990", "9007199254740993.0", "9999999999.00000001"]
)
def test_an_amount_that_would_be_rounded_is_refused(text: str) -> None:
    with pytest.raises(ScalarError, match="more digits than a number keeps"):
        plain(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_programs_write_it_is_that_number(value: float) -> None:
    for written in (repr(value), f"{value:.16e}", f"{value:.15g}"):
        if float(written) == value:
            assert plain(written) == value


@given(st.text())
def test_a_text_that_begins_like_none_of_them_is_itself(text: str) -> None:
    if text[:1] not in BEGINNINGS:
        assert plain(text) == text

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.foundation.values import Json
from runner.json_schema import formats, schemas


@pytest.mark.parametrize("name", formats.EXAMPLES)
def test_the_example_of_a_format_is_of_it_and_other_texts_are_reported(name: str) -> None:
    schema = schemas.from_job({"format": name})

    assert schema.violations(formats.EXAMPLES[name]) == ()
    assert schema.violations(5) == ()
    (violation,) = schema.violations("\x00 (")
    assert (violation.keyword, violation.expected) == ("format", name)
    assert violation.message.endswith(f"is no `{name}`, as in `{formats.EXAMPLES[name]}`")


@pytest.mark.parametrize(
    ("name", "text", "fits"),
    [
        ("date-time", "2026-12-31T23:59:59", True),
        ("date-time", "2026-12-31T23:59:59.123", True),
        ("date-time", "2026-12-31T23:59:59Z", True),
        ("date-time", "2026-12-31T23:59:59+01:00", True),
        ("date-time", "2026-12-31T23:59:59ZZ", False),
        ("date-time", "2026-13-31T23:59:59", False),
        ("date-time", "2026-12-31 23:59:59", False),
        ("date-time", "2026-12-31", False),
        ("time", "18:45:00", True),
        ("time", "18:45:00Z", True),
        ("time", "18:45", False),
        ("date", "31.12.2026", False),
        ("date", "2026-02-30", False),
        ("uuid", "7D8F6F3E-5A52-4B8F-9A54-2B6F0F8C1A11", True),
        ("uuid", "{7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11}", False),
        ("uuid", "7d8f6f3e5a524b8f9a542b6f0f8c1a11", False),
        ("money", "anything", True),
    ],
)
def test_a_text_is_of_a_format(name: str, text: str, *, fits: bool) -> None:
    assert (not schemas.from_job({"format": name}).violations(text)) == fits


@pytest.mark.slow
@given(st.sampled_from([*formats.EXAMPLES]), st.text(max_size=12) | st.text("0123456789-:TZ.+/@a", max_size=26))
def test_a_text_that_is_not_of_a_format_has_a_violation_of_it_and_no_other(name: str, text: str) -> None:
    schema = schemas.from_job({"format": name})

    found = [violation.keyword for violation in schema.violations(text)]

    assert found in ([], ["format"])


def test_every_wrong_format_of_a_long_list_is_reported() -> None:
    days: list[Json] = ["2026-12-31"] * 100
    schema = schemas.from_job({"items": {"type": "string", "format": "date"}})

    found = schema.violations([*days, "31.12.2026", *days, "tomorrow"])

    assert schema.violations(days) == ()
    assert [(violation.path, violation.keyword) for violation in found] == [((100,), "format"), ((201,), "format")]


def test_a_text_that_is_no_text_of_utf_8_is_of_no_format() -> None:
    (violation,) = schemas.from_job({"format": "date"}).violations("\ud800")

    assert violation.path == ()

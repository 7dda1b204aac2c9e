from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.foundation.values import Json
from runner.odata.filter import FilterError, columns_of, parse, read
from runner.odata.match import Bounds, bounds, holds
from runner.odata.mistakes import first_mistake

ROW: Mapping[str, Json] = {
    "Id": "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11",
    "Name": "O'Hara, Anna",
    "City": None,
    "Age": 42,
    "Rate": 1.5,
    "Active": True,
    "Code": "7D8F6F3E-5A52-4B8F-9A54-2B6F0F8C1A11",
    "Owner/Id": "11111111-2222-3333-4444-555555555555",
    "SysSchema/Name": "UsrEcho",
    "Born": "2026-01-31T09:00:00.1230000Z",
}

TRUE = [
    "Age eq 42",
    "Age eq 42.0",
    "Age gt 41 and Age lt 43",
    "Age ge 42 and Age le 42",
    "Age ne 41",
    "42 eq Age",
    "Age gt -1",
    "Rate eq 15e-1",
    "Name eq 'O''Hara, Anna'",
    "contains(Name,'''')",
    "contains( Name , 'Hara' )",
    "contains (Name, 'Hara') and not startswith\t(Name, 'x')",
    "startswith(Name,'O') and endswith(Name,'Anna')",
    "contains(Name,'Hara') eq true",
    "not contains(Name,'x')",
    "not (Age eq 1)",
    "not (Age in (1, 2)) and not Name in ('a', 'b')",
    "not Active eq false",
    "not not (Age eq 42)",
    "Active",
    "Active eq true",
    "not (Active eq false)",
    "City eq null",
    "null eq City",
    "Age ne null",
    "City ne 'x'",
    "Id eq 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11",
    "Id eq 7D8F6F3E-5A52-4B8F-9A54-2B6F0F8C1A11",
    "Code eq 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11",
    "Id eq '7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11'",
    "(Owner/Id eq 11111111-2222-3333-4444-555555555555)",
    "SysSchema/Name eq 'UsrEcho'",
    "Born ge 2026-01-31T09:00:00.123Z",
    "Born eq 2026-01-31T12:00:00.123+03:00",
    "Born gt 2026-01-31",
    "Born lt 2026-02-01T00:00:00Z",
    "Age eq 1 or Age eq 2 or Age eq 42",
    "((Age eq 42))",
    "  Age   eq   42  ",
    "Name gt 'A'",
    "Age eq 1 and Age eq 2 or Age eq 42",
    "Age eq 42 or Age eq 1 and Age eq 2",
    "not (Age eq 1) and Age eq 42",
    "Age gt 41 eq true and (Age eq 1) eq false",
    "Name in ('a', 'O''Hara, Anna') and Age in (42)",
    "Owner/Id in (11111111-2222-3333-4444-555555555555)",
    "Age add 1 eq 43 and Age sub 2 mul 3 eq 36 and (Age sub 2) mul 3 eq 120",
    "indexof(Name, 'H') eq 2 and indexof(Name, 'x') eq -1",
    "substring(Name, 7) eq ' Anna' and substring(Name, 8, 2) eq 'An'",
    "concat(concat(Name, ' '), 'x') eq 'O''Hara, Anna x'",
    "date(Born) eq 2026-01-31 and floor(Rate) eq 1 and ceiling(Rate) eq 2",
    "length(City) eq null and indexof(City, 'x') eq null",
    "tolower(Name) eq 'o''hara, anna'",
    "contains(toupper(Name), 'HARA')",
    "length(trim(Name)) eq 12",
    "year(Born) eq 2026 and month(Born) eq 1 and day(Born) eq 31",
]

FALSE = [
    "Age eq '42'",
    "Age gt '1'",
    "Name gt 1",
    "Active eq 1",
    "Active gt false",
    "City gt 'a'",
    "City lt 'a'",
    "City le null",
    "contains(City,'a')",
    "contains(Age,'4')",
    "(Age eq 42 or Age eq 1) and Age eq 2",
    "not (Age eq 42) or Age eq 1",
    "Name in ('a', 'b')",
    "Age in ('42')",
    "Name add 1 eq 1",
    "Rate mul 2e999 sub 2e999 eq 0",
    "floor(2e999) eq 1",
    "not (Age eq 1) and Age eq 1",
    "not Age eq 42 or Age eq 1",
    "Name eq 'o''hara, anna'",
    "Name eq 2026-01-31",
    "Born gt 2026-01-31T09:00:00.123Z",
    "Owner/Id eq 11111111-2222-3333-4444-555555555556",
    "Name",
    "Age",
    "null",
    "Missing eq 1",
]

WRONG = [
    "",
    " ",
    "Age eq",
    "eq 42",
    "Age eq 42 and",
    "Age = 42",
    "Age eq 42 Age",
    "(Age eq 42",
    "Age eq 42)",
    "Name eq 'open",
    "Name eq 'a'b'",
    'Name eq "a"',
    "contains(Name)",
    "contains(Name,'a','b')",
    "substring(Name) eq 'a'",
    "round(Rate) eq 2",
    "Age div 2 eq 21",
    "Name has 'x'",
    "Born gt 2026-01-31T09:00:00",
    "tolower(Name, 'a') eq 'a'",
    "today() eq 1",
    "Age eq 4x",
    "Name eq 2026-13-45",
    "Name/ eq 1",
    "/Name eq 1",
    "()",
    "not",
    "(" * 5000 + "Age eq 1" + ")" * 5000,
    "not " * 5000 + "Age eq 1",
    "contains(" * 5000,
    "\x00",
]


@pytest.mark.parametrize("text", TRUE)
def test_a_row_meets_the_filter(text: str) -> None:
    assert holds(parse(text), ROW)


@pytest.mark.parametrize("text", FALSE)
def test_a_row_does_not_meet_the_filter(text: str) -> None:
    assert not holds(parse(text), ROW)


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:30])
def test_a_text_that_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        parse(text)


def test_a_filter_of_ten_thousand_alternatives_is_read_and_met() -> None:
    assert holds(parse(" or ".join(f"Age eq {number}" for number in range(10_000))), ROW)


def test_a_syntax_error_says_where() -> None:
    with pytest.raises(FilterError, match=r"position 7 in 'Age eq ,'"):
        parse("Age eq ,")


def test_a_filter_shows_the_columns_it_reads() -> None:
    node = parse("not (A eq B/Id) and contains(C,'D') or E eq null")
    assert list(columns_of(node)) == ["A", "B/Id", "C", "E"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("tolower(Name) eq 'x' and Age div 2 gt 5", ["Name", "Age"]),
        ("Lines/any(o: o/Sum gt 5 and Other eq 1) and Name ne null", ["Name"]),
        ("cast(Total, Money) eq 5 or Id in (1, 2) or Color has Ns.Color'Red'", ["Id", "Color"]),
        ("case(Age gt 5:1,true:2) eq 1 and now() gt CreatedOn", ["Age", "CreatedOn"]),
        ("Name \0 'x' \0 and \0 eq Code", ["Name", "Code"]),
    ],
)
def test_what_only_a_service_evaluates_is_read_and_refused(text: str, columns: list[str]) -> None:
    assert list(columns_of(read(text))) == columns
    with pytest.raises(FilterError):
        parse(text)


def test_only_what_every_row_must_be_is_a_bound() -> None:
    text = "SysSchema/Name eq 'A' and Born ge 2026-01-31T09:00:00Z and (Age eq 1 or Id eq 'x') and Age gt 3"
    at = datetime(2026, 1, 31, 9, tzinfo=UTC)
    among = {"SysSchema/Name": ("A",)}
    assert bounds(parse(text)) == Bounds(equal={"SysSchema/Name": "A"}, among=among, since={"Born": at})
    assert bounds(parse("Name eq 'A' or Name eq 'B'")) == Bounds(among={"Name": ("A", "B")})
    assert bounds(parse("(Name eq 'A' or not (Name eq 'B')) and Age gt 3")) == Bounds()
    assert bounds(parse("Name eq 'A' and Age gt 3 or Name eq 'B'")) == Bounds(among={"Name": ("A", "B")})
    assert bounds(None) == Bounds()


_WORDS = st.sampled_from(
    [
        *("Age", "Name", "Owner/Id", "eq", "ne", "gt", "le", "and", "or", "not", "(", ")", ",", "contains("),
        *("add", "in", "o:", "any(", "Ns.Near(", "Ns.Color'Red'", "A-1", "\0", "\0x"),
        *("'a'", "''", "'", "42", "-1.5", "2e999", "null", "true", "2026-01-31", "é", "\ud800"),
        "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11",
    ]
)


@given(st.lists(_WORDS, max_size=25).map(" ".join) | st.text(max_size=60))
def test_no_text_ends_in_anything_but_a_filter_or_a_refusal(text: str) -> None:
    try:
        node = parse(text)
    except FilterError:
        return
    assert holds(node, ROW) in {True, False}


@pytest.mark.parametrize("text", ["EQ(Name)", "Age eq 1 and Ge(Age, 1, 2)", "Lt()"])
def test_an_operator_in_capitals_may_be_called_with_any_number_of_values(text: str) -> None:
    found = first_mistake(text)

    assert found is not None
    assert "is written in small letters" in found.message

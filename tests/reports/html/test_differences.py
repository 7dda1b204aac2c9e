import pytest
from bounded import bounded

from runner.foundation.values import Json
from runner.reports.html.differences import compared


@pytest.mark.parametrize(
    ("expected", "actual", "left", "right"),
    [
        ("Approved", "Aproved", "Ap<ins>p</ins>roved", "Aproved"),
        ("a<b", "a>b", "a<ins>&lt;</ins>b", "a<del>&gt;</del>b"),
        ("", "x", "<i>the empty text</i>", "x"),
        ("same", "same", "same", "same"),
    ],
)
def test_texts_are_compared_by_character(expected: str, actual: str, left: str, right: str) -> None:
    both = compared(expected, actual, sign="==")
    assert (both.expected, both.actual, both.is_wide) == (left, right, False)


def test_values_are_side_by_side_with_the_lines_marked_that_differ() -> None:
    both = compared({"a": 1, "b": 2}, {"a": 1, "b": 3}, sign="==")
    assert both.is_wide
    assert both.expected.split("\n") == ["{", "  &#34;a&#34;: 1,", "<ins>  &#34;b&#34;: 2</ins>", "}"]
    assert both.actual.split("\n")[2] == "<del>  &#34;b&#34;: 3</del>"


def test_many_equal_lines_are_folded() -> None:
    one: Json = [*range(20), "x"]
    other: Json = [*range(20), "y"]
    both = compared(one, other, sign="==")
    assert "<i>… 19 equal lines</i>" in both.expected
    assert "  18,\n" not in both.expected.partition("equal lines")[0]


def test_lines_that_are_missing_leave_equal_ones_level() -> None:
    both = compared([1, 2, 3], [1, 3], sign="==")
    assert len(both.expected.split("\n")) == len(both.actual.split("\n"))


def test_a_text_and_a_number_that_read_the_same_are_kept_apart() -> None:
    both = compared("12", 12, sign="==")
    assert (both.expected, both.actual) == ("&#34;12&#34;", "12")


def test_sides_that_need_not_be_equal_are_shown_as_they_are() -> None:
    both = compared("b", "a", sign=">")
    assert (both.expected, both.actual) == ("b", "a")


def test_a_secret_is_stars_on_both_sides() -> None:
    both = compared("\ue000[inputs.token]", "x", sign="==")
    assert "***" in both.expected
    assert "token" not in both.expected


def test_unlucky_texts_cost_no_time() -> None:
    one, other = "ab" * 1000, "ba" * 1000
    with bounded():
        compared(one + "c", other + "d", sign="==")

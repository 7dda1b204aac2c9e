import pytest
from bounded import bounded

from runner.foundation.patterns import PatternError, check, check_replacement, find, match, replace


def test_a_search_looks_anywhere_a_match_at_the_start_and_a_full_match_at_all() -> None:
    assert find("b", "abc") == "b"
    assert not match("b", "abc")
    assert match("a", "abc")
    assert not match("a$", "abc")
    assert match("a.c$", "abc")


def test_a_character_is_a_character_in_every_script() -> None:
    assert match("...$", "Ж€😀")
    assert replace("(.)€", "Ж€😀", r"<\1>") == "<Ж>😀"


def test_a_lone_surrogate_in_a_text_is_no_crash() -> None:
    assert find("a", "\ud800") is None
    assert find("a.", "a\ud800") == "a\ufffd"


def test_groups_are_found_by_number_and_by_name() -> None:
    assert find(r"([a-z]+)(?P<digits>\d+)", "--ab12--") == "ab12"
    assert find(r"([a-z]+)(?P<digits>\d+)", "--ab12--", group=1) == "ab"
    assert find(r"([a-z]+)(?P<digits>\d+)", "--ab12--", group="digits") == "12"
    assert find(r"(a)|(b)", "b", group=1) is None
    assert find("z", "abc") is None
    with pytest.raises(PatternError, match="no group `3`"):
        find(r"(a)(b)", "ab", group=3)


def test_a_replacement_may_use_groups_and_a_doubled_backslash() -> None:
    assert replace(r"(\w+)@(\w+)", "me@here", r"\2 at \1, \0") == "here at me, me@here"
    assert replace("a", "bab", r"\\") == "b\\b"
    assert replace(r"(a)|b", "ab", r"[\1]") == "[a][]"


def test_an_empty_fit_moves_on_by_one_character() -> None:
    assert replace("x*", "aé", "-") == "-a-é-"
    assert replace("", "", "-") == "-"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"(?=a)", "no look-ahead"),
        (r"(?<!a)", "no look-behind"),
        (r"(a)\1", "cannot refer back"),
        (r"a\Z", r"`\z`"),
        (r"[a", "missing ]"),
        (r"*a", "no argument for repetition"),
        (r"(a{1000}){1000}", "invalid repetition size"),
        ("a" * 3000, "at most 2,000 characters"),
    ],
)
def test_what_is_wrong_with_a_pattern_is_said_in_words(pattern: str, words: str) -> None:
    assert words in str(check(pattern))
    with pytest.raises(PatternError):
        find(pattern, "a")


def test_a_good_pattern_has_nothing_wrong() -> None:
    assert check("a" * 2000) is None
    assert check(r"^\d{3}-\p{L}+$") is None


def test_a_replacement_is_checked_against_its_pattern() -> None:
    assert check_replacement("(a)", r"\1") is None
    assert "has 1" in str(check_replacement("(a)", r"\2"))
    assert "before the number" in str(check_replacement("(a)", r"\g<1>"))


def test_a_pattern_that_is_exponential_elsewhere_is_linear_here() -> None:
    with bounded():
        assert not match("(a+)+b$", "a" * 50_000)


@pytest.mark.slow
def test_a_replacement_that_would_take_quadratic_time_is_refused() -> None:
    with bounded(), pytest.raises(PatternError, match="too many fits"):
        replace("a(.*b)?", "a" * 200_000, "x")


def test_a_replacement_that_would_grow_too_large_is_refused() -> None:
    with pytest.raises(PatternError, match="too large"):
        replace("a", "a" * 100_000, "x" * 1000)


@pytest.mark.slow
def test_many_places_of_a_plain_pattern_are_replaced() -> None:
    assert replace("[;]", ";" * 100_000, ",") == "," * 100_000

import pytest

from runner.foundation.sentences import MOST, joined_by_and, joined_by_or, listed

NAMES = [f"n{number}" for number in range(MOST + 2)]


@pytest.mark.parametrize(
    ("words", "sentence"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")], ids=str
)
def test_the_last_of_several_words_is_joined_by_or(words: list[str], sentence: str) -> None:
    assert joined_by_or(words) == sentence


@pytest.mark.parametrize(
    ("names", "sentence"), [(["a"], "`a`"), (["a", "b"], "`a` and `b`"), (["a", "b", "c"], "`a`, `b` and `c`")], ids=str
)
def test_the_last_of_several_names_is_joined_by_and(names: list[str], sentence: str) -> None:
    assert joined_by_and(names) == sentence


def test_a_list_of_many_names_says_how_many_are_left_out() -> None:
    assert listed(["a", "b"]) == "`a`, `b`"
    assert listed(NAMES[:MOST]).endswith("`n7`")
    assert listed(NAMES).endswith("`n7` and 2 more")

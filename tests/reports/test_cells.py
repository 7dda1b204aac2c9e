import pytest

from runner.reports.safe import padded, width


@pytest.mark.parametrize(
    ("text", "cells"),
    [("", 0), ("abc", 3), ("宽的", 4), ("e\u0301", 1), ("Привет", 6), ("ﾊﾝ", 2), ("\uff21\uff22", 4), ("😀", 2)],
)
def test_a_text_takes_the_cells_that_a_terminal_gives_it(text: str, cells: int) -> None:
    assert width(text) == cells


def test_texts_are_padded_to_the_same_cells() -> None:
    assert padded("宽", 4) + "|" == "宽  |"
    assert padded("abcd", 4) + "|" == "abcd|"

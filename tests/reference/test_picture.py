"""The picture in the README is of the code as it is. `pytest --update tests/reference` draws it anew."""

from pathlib import Path

import pytest
from expected_texts import ExpectedTexts
from terminal_picture import PICTURE, ROOT, lasting, picture, screen

pytestmark = pytest.mark.slow


def test_the_picture_of_the_terminal_shows_what_a_run_prints_today(
    expected_texts: ExpectedTexts, tmp_path: Path
) -> None:
    drawn = picture(tmp_path)
    if expected_texts.update and (not PICTURE.exists() or lasting(PICTURE.read_text()) != lasting(drawn)):
        PICTURE.write_text(drawn, encoding="utf-8")
    assert lasting(PICTURE.read_text(encoding="utf-8")) == lasting(drawn)


def test_the_picture_is_small_and_asks_nothing_of_the_network() -> None:
    text = PICTURE.read_text(encoding="utf-8")
    assert len(text.encode()) < 200_000
    assert "url(http" not in text
    assert f"({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_a_line_that_was_drawn_over_is_not_in_the_picture() -> None:
    assert screen("one\r\n  two\r\x1b[2Kthree\r\nfour\r\n\r\x1b[1A\x1b[2Kfive\r\n") == ["one", "three", "five"]

"""The picture of the HTML report in the README is of the page as it is. `pytest --update tests/reference` takes it."""

from pathlib import Path

import pytest
from expected_texts import ExpectedTexts
from page_picture import PICTURE, picture, text_of
from selenium.webdriver import Chrome
from terminal_picture import ROOT


@pytest.mark.browser
def test_the_picture_of_the_page_shows_what_a_run_writes_today(
    expected_texts: ExpectedTexts, tmp_path: Path, browser: Chrome
) -> None:
    drawn = picture(tmp_path, browser)
    if expected_texts.update and (not PICTURE.exists() or text_of(PICTURE.read_bytes()) != text_of(drawn)):
        PICTURE.write_bytes(drawn)
    assert text_of(PICTURE.read_bytes()) == text_of(drawn), "the page has changed: `pytest --update tests/reference`"


def test_the_picture_of_the_page_is_small_and_in_the_readme() -> None:
    assert len(PICTURE.read_bytes()) < 200_000
    assert f"({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "1 of 6 runs did not pass" in text_of(PICTURE.read_bytes())

"""Texts from outside in lines of ours: what moves a cursor, hides, or is a command to a CI."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.reports.safe import safe_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc\n", "a\tb\nc\n"),
        ("a::b\n", "a::b\n"),
        ("::set-output name=a::b\n", "\\u003a:set-output name=a::b\n"),
        ("a\n \u3000::error::b", "a\n \u3000\\u003a:error::b"),
        ("a ##[error]b", "a #\\u0023[error]b"),
        ("##vso[task.complete]", "#\\u0023vso[task.complete]"),
        ("a\x1b[2Jb", "a\\u001b[2Jb"),
        ("a\x85b\u2028c\u2029d\u202ee\u2066f", "a\\u0085b\\u2028c\\u2029d\\u202ee\\u2066f"),
        ("a\r::b", "a\\u000d::b"),
        ("\udcff", "\\udcff"),
        ("✓ ш 世界", "✓ ш 世界"),
    ],
)
def test_lines_stay_lines_and_what_is_not_safe_is_escaped(text: str, shown: str) -> None:
    assert safe_lines(text) == shown


@given(st.text(st.characters() | st.sampled_from(":#[\n\r \u3000\x1b\u2028v")))
def test_no_text_at_all_gives_a_command_or_moves_the_cursor(text: str) -> None:
    shown = safe_lines(text)
    assert set(shown).isdisjoint("\r\x1b\x85\u2028\u2029\u202e\u2066")
    assert not any(line.lstrip().startswith("::") for line in shown.split("\n"))
    assert "##[" not in shown
    assert safe_lines(shown) == shown

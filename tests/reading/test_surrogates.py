"""Pairs of escapes that stand for one character, as JSON writes it."""

import pytest

from runner.reading.document import Document
from runner.reading.load import load


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (r'["\ud83d\ude00x"]', ["😀x"]),
        (r'{"a": "\uD83D\uDE00", "\ud83d\ude01": 1}', {"a": "😀", "😁": 1}),
        (r'{"a": "\\\ud83d\ude00 \\u00e9 \u00e9"}', {"a": "\\😀 \\u00e9 é"}),
        ("{a: '\\ud83d\\ude00', b: \"\\ud83d\\ude00\"}", {"a": r"\ud83d\ude00", "b": "😀"}),
    ],
)
def test_a_pair_of_surrogates_is_one_character(text: str, data: object) -> None:
    loaded = load("a.yaml", text.encode())
    assert isinstance(loaded, Document), loaded
    assert loaded.data == data
    assert loaded.text == text


@pytest.mark.parametrize(
    "text", [r'a: "\ud83d"', r'a: "\ude00\ud83d"', r'a: "\ud83d\ude00 \ud83d"', r'a: "\\ud83d\ude00"']
)
def test_half_of_a_pair_is_refused_where_it_is(text: str) -> None:
    loaded = load("a.yaml", text.encode())
    assert not isinstance(loaded, Document)
    (problem,) = loaded
    assert (problem.code, problem.message) == ("E101", "half of a surrogate pair, or no character at all")

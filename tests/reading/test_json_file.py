import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.foundation.problems import Span
from runner.foundation.values import LARGEST_INTEGER, Json
from runner.reading import json_file
from runner.reading.document import Document


def loaded(text: str) -> Json:
    found = json_file.load("a.json", text.encode())
    assert isinstance(found, Document), found
    return found.data


def reported(text: str) -> list[tuple[str, str, Span | None]]:
    found = json_file.load("a.json", text.encode())
    assert isinstance(found, tuple), found
    return [(problem.code, problem.message, problem.span) for problem in found]


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)
INTEGERS = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(value=VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, "  ", "\t"]))
@example(value="\U00010000", ascii_only=True, indent=None)
@settings(deadline=None)
def test_whatever_is_written_as_json_is_read_as_what_it_was(
    value: Json, *, ascii_only: bool, indent: str | None
) -> None:
    assert loaded(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) == value


def test_escapes_mean_what_they_mean_in_json_and_places_stay() -> None:
    found = json_file.load("a.json", b'{"a": "\\ud83d\\ude00\\/\\\\ud83d", "b": 1}')

    assert isinstance(found, Document)
    assert found.data == {"a": "😀/\\ud83d", "b": 1}
    assert found.value_span(("b",)) == Span(1, 37, 1, 38)
    assert found.text.startswith('{"a": "\\ud83d')


@pytest.mark.parametrize(
    ("text", "message", "span"),
    [
        ("[1,]", "this is not JSON: a comma follows the last item", Span(1, 3, 1, 4)),
        ('[{"a": 1,\n}]', "this is not JSON: a comma follows the last item", Span(1, 9, 1, 10)),
        ("[1,\n 'a']", "this is not JSON: expecting value", Span(2, 2, 2, 3)),
        ("- a\n", "this is not JSON: expecting value", Span(1, 1, 1, 2)),
        ("", "there is nothing in this file", Span(1, 1, 1, 1)),
        ("[NaN]", "JSON has no `NaN`", Span(1, 2, 1, 5)),
        ("[-Infinity]", "JSON has no `-Infinity`", Span(1, 2, 1, 11)),
        ('["\\ud83d"]', "half of a character is escaped here", Span(1, 3, 1, 9)),
        ('["\\ude00"]', "half of a character is escaped here", Span(1, 3, 1, 9)),
        ('["\\ud83d-\\ude00"]', "half of a character is escaped here", Span(1, 3, 1, 9)),
        ('["\\ud83d\\ud83d\\ude00"]', "half of a character is escaped here", Span(1, 3, 1, 9)),
    ],
)
def test_what_is_no_json_is_reported_with_its_place(text: str, message: str, span: Span) -> None:
    assert reported(text) == [("E101", message, span)]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[1,]", "leave it out"),
        ('{"name": "a"}\n{"name": "b"}', "put the records in `[ ]`, with commas between them"),
        ("[// one\n1]", "leave the comment out: JSON has none"),
        ("[1 /* one */]", "leave the comment out: JSON has none"),
        ("['a']", 'write a text in straight double quotes: `"…"`'),
        ("[True]", "write `true`"),
        ("[None]", "write `null`"),
        ("[1,,2]", None),
    ],
)
def test_what_other_languages_write_is_reported_with_what_json_writes(text: str, hint: str | None) -> None:
    found = json_file.load("a.json", text.encode())

    assert isinstance(found, tuple)
    assert [problem.hint for problem in found] == [hint]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 2}', "E103"),
        ("[1e999]", "E102"),
        (f"[{LARGEST_INTEGER + 2}]", "E102"),
        (f"[{'9' * 10_000}]", "E102"),
        ("[" * 100_000, "E102"),
        (f"{'[' * 70}{']' * 70}", "E102"),
    ],
)
def test_what_yaml_refuses_is_refused_in_json_too(text: str, code: str) -> None:
    assert [found[0] for found in reported(text)] == [code]


def test_keys_that_differ_in_escaped_characters_beyond_the_first_plane_are_not_the_same() -> None:
    document = json_file.load("a.json", b'{"\\ud800\\udc00": 1, "\\ud800\\udc01": 2}')
    assert isinstance(document, Document)
    assert document.data == {"\U00010000": 1, "\U00010001": 2}

"""Hints are data: each table has its shape, and each rule can be found."""

import re

import pytest

from runner.foundation import hints
from runner.foundation.suggestions import folded, foreign_words

TABLES = ("values", "schemas")
FIELDS = {"key", "text", "value", "json", "words", "bound"}


@pytest.mark.parametrize("name", TABLES)
def test_every_rule_has_only_the_keys_that_rules_have(name: str) -> None:
    table = hints.table(name)
    parts = table.values() if isinstance(table, dict) else [table]

    assert all(
        isinstance(entry, dict) and entry.keys() - {"at", "value"} == {"hint"} for part in parts for entry in part
    )


@pytest.mark.parametrize("name", TABLES)
def test_every_placeholder_of_a_hint_is_a_group_of_its_rule_or_a_field(name: str) -> None:
    for rule in hints.rules(name):
        groups = rule.at.groupindex.keys() | rule.value.groupindex.keys()

        assert set(re.findall(r"<(\w+)>", rule.hint)) <= groups | FIELDS, rule.hint


@pytest.mark.parametrize("name", TABLES)
def test_no_rule_repeats_the_place_and_the_value_of_an_earlier_rule(name: str) -> None:
    found = [(rule.wanted, rule.at.pattern, rule.value.pattern) for rule in hints.rules(name)]

    assert [one for one in found if found.count(one) > 1] == []


def test_words_and_keys_are_written_as_they_are_looked_up() -> None:
    places = hints.table("keys")
    assert isinstance(places, dict)
    keys = [key for place in places for key in hints.words("keys", place)]

    assert [key for key in keys if folded(key) != key] == []
    assert [word for word in foreign_words() if folded(word) != word] == []


def test_no_word_of_another_tool_is_written_for_two_of_ours() -> None:
    table = hints.table("words")
    assert isinstance(table, dict)

    assert len(foreign_words()) == sum(len(str(words).split()) for words in table.values())


@pytest.mark.parametrize(
    ("at", "value", "wanted", "hint"),
    [
        ("/steps/0/retry", 3, "object", "write `retry: {max_attempts: 3}`"),
        ("/tags", "a, b", "array", "write a list: `tags: [a, b]`"),
        ("/steps/0/on_failure", "retry", "word", "did you mean the key `retry` of the step?"),
        ("/steps/0/cancel", "UsrCode", "object", None),
        ("/nowhere", {"a": 1}, "object", None),
        ("/nowhere", "a", "word", None),
    ],
)
def test_the_first_rule_that_fits_gives_the_hint(at: str, value: object, wanted: str, hint: str | None) -> None:
    found = hints.hint("values", at, value, wanted=wanted)  # type: ignore[arg-type]  # a value of JSON

    assert hint in (None, found)
    assert (found is None) == at.startswith("/nowhere")


def test_a_word_is_found_at_its_place_alone() -> None:
    assert hints.at_place("choices", "/steps/0/on_failure", "true") == "continue` or `ignore"
    assert hints.at_place("choices", "/steps/0/wait", "true") is None

"""The search for what somebody meant: bounded work, and nothing is imported where there is nothing to compare."""

import subprocess
import sys
from collections.abc import Iterator
from random import Random

import pytest
from bounded import bounded
from hypothesis import given
from hypothesis import strategies as st

from runner.checks.reasons import nearest
from runner.foundation import suggestions
from runner.foundation.suggestions import LONGEST_NAME, MOST_NAMES, ending_in, folded, most_alike, near, suggest

NAMES = [f"UsrProcess{number:04d}OfAnOrder" for number in range(3_000)]


def test_names_come_with_their_typos_and_the_fewest_first() -> None:
    assert near("max-Attemps", ["attempt", "maxAttempts", "max_attemps"], typos=2) == [
        (0, "max_attemps"),
        (1, "maxAttempts"),
    ]


def test_neighbours_that_are_swapped_are_a_single_typo() -> None:
    assert near("exceute", ["execute"], typos=1) == [(1, "execute")]


def test_no_more_names_are_checked_than_the_bound_allows() -> None:
    looked_at = 0

    def names() -> Iterator[str]:
        nonlocal looked_at
        for number in range(10 * MOST_NAMES):
            looked_at += 1
            yield f"name{number}"

    near("nmae1", names(), typos=2)
    assert looked_at == MOST_NAMES
    suggest("nmae1", names())
    assert looked_at == 2 * MOST_NAMES


def test_a_name_that_is_too_long_is_never_compared() -> None:
    long = "a" * (LONGEST_NAME + 1)

    assert near(long[1:], [long], typos=2) == []
    assert most_alike("a" * LONGEST_NAME, [long, "a"], least=0.5) is None
    assert most_alike(long, [long], least=0.5) is None


def test_three_thousand_names_are_folded_once_for_fifty_wrong_words(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(word: str) -> str:
        calls.append(word)
        return folded(word)

    monkeypatch.setattr(suggestions, "folded", counted)
    names = [f"{name}X" for name in NAMES]

    for number in range(50):
        suggest(f"UsrPrcoess{number:04d}OfAnOrder", names)

    assert len(names) < len(calls) < len(names) + 50 * 10


def test_the_nearest_of_long_texts_is_found_by_work_that_grows_with_their_length() -> None:
    chance = Random(1)
    wanted, *texts = ("".join(chance.choices("ab", k=LONGEST_NAME)) for _ in range(1_001))

    with bounded():
        nearest(wanted, [*texts])


def test_codes_that_end_in_a_word_come_before_those_that_hold_it() -> None:
    assert ending_in("contact", ["UsrContact", "UsrContactSync"]) == ["UsrContact"]
    assert ending_in("contact", ["UsrContactSync"]) == ["UsrContactSync"]
    assert ending_in("order", ["UsrContact"]) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [
        "from runner.foundation.suggestions import suggest; suggest('MaxAttempts', ['max_attempts'])",
        "from runner.foundation.suggestions import suggest; suggest('zebras', ['no'])",
        "from runner.checks.reasons import nearest; nearest('a' * 999, ['a' * 998]); nearest('x', []); nearest(1, [2])",
        "import runner.cli.validate, runner.cli.run",
    ],
)
def test_what_compares_is_imported_only_where_there_is_something_to_compare(program: str) -> None:
    checked = f"{program}; import sys; assert not [name for name in sys.modules if name.startswith('rapidfuzz')]"

    subprocess.run([sys.executable, "-c", checked], check=True)


@given(st.text(), st.lists(st.text(), max_size=8), st.integers(0, 3))
def test_a_near_name_is_a_known_one_within_its_typos(word: str, names: list[str], typos: int) -> None:
    found = near(word, names, typos=typos)

    assert [distance for distance, _ in found] == sorted(distance for distance, _ in found)
    assert all(name in names and 0 <= distance <= typos for distance, name in found)

"""A word that is another word with a typo: nearer than what is suggested for a word that is wrong.

Here both words may be right, so the first letters of a word, and what other tools call it, are no typo; neither are two
names that differ in their numbers, nor one of the names that Creatio itself gives. Columns are longer words than tags
and options, for which `runner.foundation.suggestions.likely_typo` is.
"""

from collections.abc import Collection
from typing import Final

from runner.foundation.hints import table
from runner.foundation.lazy import lazy_pattern
from runner.foundation.near_misses import folded, near

_SHORTEST = 4
"""Letters of a word that is no other's typo by chance; in case alone shorter ones may differ."""
_OWN_PREFIX: Final = lazy_pattern(r"Usr(?=[A-Z])")


def typo_of(word: str, known: Collection[str]) -> str | None:
    """The nearest of `known`, None where `word` is one of them, or is most probably right as it is."""
    if word in known:
        return None
    found = sorted(near(word, known, typos=1))
    in_another_case = next((name for distance, name in found if distance == 0), None)
    if in_another_case is not None or _is_standard(word):
        return in_another_case
    return next((name for _, name in found if _may_be_mistyped(folded(word), folded(name))), None)


def _is_standard(word: str) -> bool:
    bare = _OWN_PREFIX.sub("", word, count=1)
    standard = set(str(table("standard_words", room="sandbox")).split())
    return bare in standard or bare.removesuffix("Id") in standard


def _may_be_mistyped(word: str, other: str) -> bool:
    """Whether two words, a typo apart, are long enough and differ in more than a digit."""
    return min(len(word), len(other)) >= _SHORTEST and _letters(word) != _letters(other)


def _letters(word: str) -> str:
    return "".join(sign for sign in word if not sign.isdigit())

"""A word that is another one with a slip of the keyboard: nearer than what is suggested for a word that is wrong.

Here both words may be meant, so the beginning of a word, and what other tools call it, is no slip; neither are two
names that differ in their numbers. Columns are longer words than tags and options, for which `runner.words.slip` is.
"""

from collections.abc import Collection

from runner.words import folded, foreign, suggest

_SHORTEST = 4
"""Letters of a word that is no other's slip by chance; in case alone shorter ones may differ."""


def slip_of(word: str, known: Collection[str]) -> str | None:
    """The one of `known` that was meant, None where `word` is one of them, or most probably is meant as it stands."""
    near = suggest(word, known) if word not in known else None
    if near is None or foreign(word, known) == near:
        return near if near is not None and folded(word) == folded(near) else None
    one, other = sorted((folded(word), folded(near)), key=len)
    if one == other:
        return near
    is_part = other.startswith(one) and len(other) - len(one) > 1
    return None if is_part or len(one) < _SHORTEST or _letters(one) == _letters(other) else near


def _letters(word: str) -> str:
    return "".join(sign for sign in word if not sign.isdigit())
